//! What rustls says, in words that name the check that failed and whom it is about.

use std::cell::RefCell;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, InvalidMessage, PeerIncompatible, PeerMisbehaved,
};

use crate::certificate::Certificate;
use crate::error::{Distrust, ErrorKind, TlsError};
use crate::when;

/// Which side we are, and whom a client has called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role<'a> {
    Server,
    Client { name: &'a str },
}

thread_local! {
    /// The certificate that was refused last. Checks run within a call into rustls, whose errors do
    /// not say which certificate they are about; the caller takes it right after.
    static REFUSED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Keeps the certificate that a check has just refused.
pub(crate) fn note_refused(certificate: &[u8]) {
    REFUSED.set(Some(certificate.to_vec()));
}

/// The same error in our words; whether the peer had asked to renegotiate before.
pub(crate) fn describe(error: rustls::Error, role: Role<'_>, renegotiation: bool) -> TlsError {
    let refused = REFUSED.take();
    let peer = match role {
        Role::Server => "the client",
        Role::Client { name } => name,
    };
    if let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = &error
        && let Some(own) = other.0.downcast_ref::<TlsError>()
    {
        return own.clone();
    }
    let (kind, message) = match &error {
        rustls::Error::InvalidCertificate(reason) => {
            let certificate = refused.as_deref().and_then(|der| Certificate::parse(der).ok());
            let (distrust, message) = distrust(reason, peer, certificate.as_ref());
            (ErrorKind::Distrusted(distrust), message)
        }
        rustls::Error::AlertReceived(alert) if renegotiation => (
            ErrorKind::Alert,
            format!(
                "{peer} asked to renegotiate, which is refused here, and ends the connection (alert {})",
                name_of(*alert)
            ),
        ),
        rustls::Error::AlertReceived(alert) => of_alert(*alert, role, peer),
        rustls::Error::NoCertificatesPresented => (
            ErrorKind::ClientCertificate,
            format!("{peer} has no certificate, which is required here"),
        ),
        rustls::Error::NoApplicationProtocol => (
            ErrorKind::Incompatible,
            format!("{peer} speaks none of the protocols that are offered inside TLS"),
        ),
        rustls::Error::PeerIncompatible(reason) => {
            (ErrorKind::Incompatible, format!("{peer} {}", incompatible(reason)))
        }
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => (ErrorKind::NotTls, format!("{peer} sends something that is not TLS")),
        rustls::Error::InvalidMessage(reason) => {
            (ErrorKind::Protocol, format!("{peer} sent a malformed message of TLS: {reason:?}"))
        }
        rustls::Error::PeerMisbehaved(PeerMisbehaved::TooManyRenegotiationRequests) => (
            ErrorKind::Protocol,
            format!("{peer} asked to renegotiate, which is refused here, and asked again"),
        ),
        rustls::Error::PeerMisbehaved(reason) => {
            (ErrorKind::Protocol, format!("{peer} breaks the rules of TLS: {reason:?}"))
        }
        rustls::Error::DecryptError => (
            ErrorKind::Protocol,
            format!("what {peer} sent does not decrypt: it was changed on the way"),
        ),
        rustls::Error::InvalidCertRevocationList(reason) => {
            (ErrorKind::RevocationList, format!("a revocation list is unusable: {reason:?}"))
        }
        _ => (ErrorKind::Protocol, format!("TLS with {peer}: {error}")),
    };
    TlsError::caused_by(kind, message, error)
}

/// Why a certificate was refused.
pub(crate) fn distrust(
    reason: &CertificateError,
    peer: &str,
    certificate: Option<&Certificate>,
) -> (Distrust, String) {
    let ours = format!("the certificate of {peer}");
    match reason {
        // Somebody trusted may have the same name; that the key is another shows by the signature.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
            if certificate.is_some_and(|certificate| certificate.is_self_issued) =>
        {
            (
                Distrust::SelfSigned,
                format!("{ours} is signed by itself and by nobody who is trusted here"),
            )
        }
        CertificateError::UnknownIssuer => match certificate {
            Some(certificate) => (
                Distrust::UnknownIssuer,
                format!("{ours} was issued by nobody who is trusted here: {}", certificate.issuer),
            ),
            None => (Distrust::UnknownIssuer, format!("{ours} was issued by nobody trusted here")),
        },
        CertificateError::Expired => (Distrust::Expired, format!("{ours} has expired")),
        CertificateError::ExpiredContext { time, not_after } => {
            (Distrust::Expired, format!("{ours} expired {}", apart(*not_after, *time, "ago")))
        }
        CertificateError::NotValidYet => {
            (Distrust::NotYetValid, format!("{ours} is not valid yet"))
        }
        CertificateError::NotValidYetContext { time, not_before } => (
            Distrust::NotYetValid,
            format!("{ours} is not valid before {}", apart(*not_before, *time, "ahead")),
        ),
        CertificateError::NotValidForName => {
            (Distrust::WrongName, format!("{ours} is for other names"))
        }
        CertificateError::NotValidForNameContext { expected, .. } => {
            let names = match certificate.map(|certificate| certificate.names.as_slice()) {
                None | Some([]) => "it names nobody".to_owned(),
                Some(names) if names.len() <= MOST_NAMES => {
                    format!("it is for {}", names.join(", "))
                }
                Some(names) => format!(
                    "it is for {} and {} more",
                    names[..MOST_NAMES].join(", "),
                    names.len() - MOST_NAMES
                ),
            };
            (Distrust::WrongName, format!("{ours} is not for {}: {names}", plain(expected)))
        }
        CertificateError::Revoked => (Distrust::Revoked, format!("{ours} was revoked")),
        CertificateError::UnknownRevocationStatus => (
            Distrust::RevocationUnknown,
            format!("no revocation list says whether {ours} was revoked"),
        ),
        CertificateError::ExpiredRevocationList => {
            (Distrust::RevocationUnknown, format!("the revocation list for {ours} is out of date"))
        }
        CertificateError::ExpiredRevocationListContext { next_update, time } => (
            Distrust::RevocationUnknown,
            format!("the revocation list for {ours} ended {}", apart(*next_update, *time, "ago")),
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            let purposes = match certificate {
                Some(certificate) if !certificate.purposes.is_empty() => {
                    format!(": it is for {}", certificate.purposes.join(", "))
                }
                _ => String::new(),
            };
            (Distrust::Purpose, format!("{ours} is not for this purpose{purposes}"))
        }
        // What webpki has against it has no name of its own in rustls.
        CertificateError::Other(_) if certificate.is_some_and(|known| known.is_authority) => (
            Distrust::Purpose,
            format!("{ours} is marked as that of an authority, and those are no server's"),
        ),
        CertificateError::BadEncoding | CertificateError::UnhandledCriticalExtension => {
            (Distrust::Malformed, format!("{ours} is malformed or not understood: {reason:?}"))
        }
        _ => (Distrust::Signature, format!("{ours} has no signature that counts here: {reason}")),
    }
}

/// Certificates for a whole shop name hundreds; the first few tell whose they are.
const MOST_NAMES: usize = 8;

fn plain(name: &ServerName<'_>) -> String {
    name.to_str().into_owned()
}

fn apart(moment: UnixTime, now: UnixTime, direction: &str) -> String {
    let (moment, now) = (moment.as_secs(), now.as_secs());
    let apart = moment.abs_diff(now);
    let span = match apart {
        0..=119 => format!("{apart} seconds"),
        120..=7199 => format!("{} minutes", apart / 60),
        7200..=172_799 => format!("{} hours", apart / 3600),
        _ => format!("{} days", apart / 86_400),
    };
    let moment = when::text(i64::try_from(moment).unwrap_or(i64::MAX / 2));
    format!("{moment}, {span} {direction}")
}

fn name_of(alert: AlertDescription) -> String {
    alert.as_str().map_or_else(|| format!("{alert:?}"), str::to_owned)
}

fn of_alert(alert: AlertDescription, role: Role<'_>, peer: &str) -> (ErrorKind, String) {
    let name = name_of(alert);
    // What a server has against a certificate is about the client's, and the other way round.
    let of_ours = match alert {
        AlertDescription::CertificateRequired => Some("wants a certificate from us"),
        AlertDescription::UnknownCA => Some("does not know who issued our certificate"),
        AlertDescription::CertificateExpired => Some("says that our certificate has expired"),
        AlertDescription::CertificateRevoked => Some("says that our certificate was revoked"),
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied
        | AlertDescription::NoCertificate => Some("refuses our certificate"),
        _ => None,
    };
    match (of_ours, role, alert) {
        (Some(what), Role::Client { .. }, _) => {
            (ErrorKind::ClientCertificate, format!("{peer} {what} (alert {name})"))
        }
        (Some(what), Role::Server, _) => {
            (ErrorKind::Alert, format!("{peer} {what} (alert {name})"))
        }
        (None, _, AlertDescription::ProtocolVersion) => (
            ErrorKind::Incompatible,
            format!("{peer} speaks no version of TLS that is spoken here (alert {name})"),
        ),
        (None, _, AlertDescription::UnrecognisedName) => {
            (ErrorKind::Alert, format!("{peer} does not know this name (alert {name})"))
        }
        (None, _, AlertDescription::NoApplicationProtocol) => (
            ErrorKind::Incompatible,
            format!("{peer} speaks none of the protocols that are offered (alert {name})"),
        ),
        (None, _, AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity) => (
            ErrorKind::Incompatible,
            format!("{peer} ends the handshake, maybe for want of a common cipher (alert {name})"),
        ),
        _ => (ErrorKind::Alert, format!("{peer} ends the connection (alert {name})")),
    }
}

fn incompatible(reason: &PeerIncompatible) -> String {
    match reason {
        PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled => {
            "speaks no version of TLS that is spoken here".to_owned()
        }
        // The extension came with TLS 1.2 (RFC 5246 §7.4.1.4.1), and who goes without takes SHA-1 only.
        PeerIncompatible::SignatureAlgorithmsExtensionRequired => {
            "names no signatures that it takes, as is the way of versions of TLS before 1.2"
                .to_owned()
        }
        PeerIncompatible::NoCipherSuitesInCommon => "has no cipher suite in common".to_owned(),
        PeerIncompatible::NoKxGroupsInCommon | PeerIncompatible::NamedGroupsExtensionRequired => {
            "has no group for the key exchange in common".to_owned()
        }
        PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
            "takes no signature that our key can make".to_owned()
        }
        other => format!("lacks what is needed here: {other:?}"),
    }
}
