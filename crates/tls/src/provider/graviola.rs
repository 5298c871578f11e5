//! Graviola, which panics where the processor lacks what it needs: so that is asked first.

use super::Provider;
use crate::error::{ErrorKind, TlsError};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) fn provider() -> Result<Provider, TlsError> {
    use std::sync::Arc;

    let missing: Vec<_> =
        needed().into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect();
    if !missing.is_empty() {
        return Err(lacks(&missing.join(", ")));
    }
    Ok(Provider {
        name: "Graviola",
        crypto: Arc::new(rustls_graviola::default_provider()),
        ticketer: Some(rustls_graviola::Ticketer::new),
    })
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn provider() -> Result<Provider, TlsError> {
    Err(lacks("those of x86-64 or AArch64"))
}

/// The instructions that it needs, and whether this processor has them.
#[cfg(target_arch = "x86_64")]
fn needed() -> [(&'static str, bool); 7] {
    [
        ("AES", is_x86_feature_detected!("aes")),
        ("PCLMULQDQ", is_x86_feature_detected!("pclmulqdq")),
        ("BMI1", is_x86_feature_detected!("bmi1")),
        ("BMI2", is_x86_feature_detected!("bmi2")),
        ("ADX", is_x86_feature_detected!("adx")),
        ("AVX", is_x86_feature_detected!("avx")),
        ("AVX2", is_x86_feature_detected!("avx2")),
    ]
}

#[cfg(target_arch = "aarch64")]
fn needed() -> [(&'static str, bool); 4] {
    use std::arch::is_aarch64_feature_detected;

    [
        ("Neon", is_aarch64_feature_detected!("neon")),
        ("AES", is_aarch64_feature_detected!("aes")),
        ("PMULL", is_aarch64_feature_detected!("pmull")),
        ("SHA-2", is_aarch64_feature_detected!("sha2")),
    ]
}

fn lacks(what: &str) -> TlsError {
    let message = format!("Graviola needs instructions that this processor lacks: {what}");
    TlsError::new(ErrorKind::Settings, message)
}
