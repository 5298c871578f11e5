//! What a handshake has made sure of, as plain facts.

use avocet_net::{Identity, Secured};
use rustls::{Connection, HandshakeKind, ProtocolVersion};

use crate::certificate::{Certificate, hex};
use crate::transport::Setup;

/// The facts of a connection whose handshake is over.
pub(crate) fn of(conn: &Connection, setup: &Setup, name: Option<&str>) -> Secured {
    let version = match conn.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLS",
    };
    let suite = conn.negotiated_cipher_suite();
    let suite = suite.and_then(|suite| suite.suite().as_str()).unwrap_or("unknown");
    let mut secured = Secured::new(version, suite);
    secured.resumed = conn.handshake_kind() == Some(HandshakeKind::Resumed);
    let group = conn.negotiated_key_exchange_group();
    secured.group = group.map(|group| format!("{:?}", group.name()));
    secured.protocol = conn.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    secured.server_name = match conn {
        Connection::Server(conn) => conn.server_name().map(str::to_owned),
        Connection::Client(_) => name.map(str::to_owned),
    };
    let chain = conn.peer_certificates().unwrap_or_default();
    secured.peer = chain.first().map(|first| {
        let mut identity = Identity::default();
        identity.verified = setup.verifies;
        identity.chain = chain.iter().map(|certificate| certificate.to_vec()).collect();
        identity.fingerprint = hex(&setup.provider.sha256(first));
        if let Ok(certificate) = Certificate::parse(first) {
            identity.subject = certificate.subject;
            identity.names = certificate.names;
        }
        identity
    });
    secured
}
