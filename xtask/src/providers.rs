//! `cargo xtask providers`: the tests of TLS with the providers of cryptography that the tests of the
//! workspace leave off.

use crate::args::Args;
use crate::{Outcome, shell};

/// What it is called, and the features that make it the one in use. Keys for certificates are made by
/// AWS-LC or ring, so ring stands beside Graviola, which goes first.
const PROVIDERS: &[(&str, &str)] =
    &[("ring", "ring,native-roots,issue"), ("graviola", "graviola,ring,native-roots,issue")];

pub(crate) fn run(args: &mut Args) -> Outcome {
    let wanted = args.positional();
    args.finish()?;
    let chosen: Vec<_> = PROVIDERS
        .iter()
        .filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = PROVIDERS.iter().map(|(name, _)| *name).collect();
        return Err(format!("no provider is called {wanted:?}: {}", names.join(", ")));
    }
    for (_, features) in chosen {
        shell::run(
            shell::cargo()
                .args(["test", "--package", "avocet-tls", "--no-default-features"])
                .args(["--features", features]),
        )?;
    }
    Ok(())
}
