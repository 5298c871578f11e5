//! Messages of the handshake that come when it is over. With them TLS 1.2 asks for new keys, which are
//! refused (RFC 5246 §7.4.1.1, §7.2.2): by a warning, after which content goes on unless the peer ends
//! the connection.

use std::sync::Arc;

use avocet_net::{Established, MemoryTransport, Transport, memory_pair};
use avocet_tls::{ClientSettings, ClientTls, ErrorKind, ServerSettings, ServerTls, TlsError};
use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{
    InboundOpaqueMessage, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundPlainMessage,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, Connection, ConnectionTrafficSecrets, ContentType,
    ProtocolVersion, ServerConfig, ServerConnection, SupportedCipherSuite,
};

use crate::support::{Authority, Memory, cryptography, read, write};

const HELLO_REQUEST: &[u8] = &[0, 0, 0, 0];
/// A warning, no_renegotiation.
const REFUSAL: &[u8] = &[1, 100];

/// A peer after the handshake that can say what rustls never would.
struct Peer {
    below: MemoryTransport,
    seal: Box<dyn MessageEncrypter>,
    open: Box<dyn MessageDecrypter>,
    sent: u64,
    came: u64,
    /// What was on the wire first, behind the header of the record.
    first: Vec<u8>,
}

impl Peer {
    /// Makes the handshake of rustls with `ours` and takes the keys.
    fn meet(mut conn: Connection, mut below: MemoryTransport, ours: &mut Memory) -> Self {
        let mut first = Vec::new();
        while conn.is_handshaking() || ours.establish().unwrap() == Established::Pending {
            let mut sent = Vec::new();
            while conn.wants_write() {
                conn.write_tls(&mut sent).unwrap();
            }
            if first.is_empty() {
                first = sent.get(5..).unwrap_or_default().to_vec();
            }
            write(&mut below, &sent);
            ours.establish().unwrap();
            let came = read(&mut below).unwrap();
            let mut rest = came.as_slice();
            while !rest.is_empty() {
                conn.read_tls(&mut rest).unwrap();
                conn.process_new_packets().unwrap();
            }
        }
        let Some(SupportedCipherSuite::Tls12(suite)) = conn.negotiated_cipher_suite() else {
            panic!("TLS 1.2 was all that is spoken")
        };
        let secrets = conn.dangerous_extract_secrets().unwrap();
        let ((sent, ConnectionTrafficSecrets::Chacha20Poly1305 { key: out, iv: out_iv }), came) =
            (secrets.tx, secrets.rx)
        else {
            panic!("another suite")
        };
        let (came, ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv }) = came else {
            panic!("another suite")
        };
        Self {
            below,
            seal: suite.aead_alg.encrypter(out, out_iv.as_ref(), &[]),
            open: suite.aead_alg.decrypter(key, iv.as_ref()),
            sent,
            came,
            first,
        }
    }

    fn say(&mut self, typ: ContentType, content: &[u8]) {
        let payload = OutboundChunks::Single(content);
        let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        let record = self.seal.encrypt(message, self.sent).unwrap().encode();
        self.sent += 1;
        write(&mut self.below, &record);
    }

    /// The records that have come, each with its kind.
    fn hear(&mut self) -> Vec<(ContentType, Vec<u8>)> {
        let mut wire = read(&mut self.below).unwrap();
        let (mut rest, mut heard) = (wire.as_mut_slice(), Vec::new());
        while let [typ, _, _, high, low, behind @ ..] = rest {
            let (record, next) = behind.split_at_mut(usize::from(*high) << 8 | usize::from(*low));
            let version = ProtocolVersion::TLSv1_2;
            let message = InboundOpaqueMessage::new(ContentType::from(*typ), version, record);
            let opened = self.open.decrypt(message, self.came).unwrap();
            self.came += 1;
            heard.push((opened.typ, opened.payload.to_vec()));
            rest = next;
        }
        heard
    }
}

/// One suite of TLS 1.2 whose keys need no more than themselves.
fn one_suite() -> Arc<CryptoProvider> {
    let mut provider = cryptography();
    let wanted = CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    provider.cipher_suites.retain(|suite| suite.suite() == wanted);
    Arc::new(provider)
}

/// A server of rustls and a client of ours.
fn our_client() -> (Memory, Peer) {
    let authority = Authority::new("Test CA");
    let issued = authority.issue(&["localhost"]);
    let chain = vec![CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(one_suite())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.enable_secret_extraction = true;
    let conn = ServerConnection::new(Arc::new(config)).unwrap();
    let client = ClientTls::open(ClientSettings::new(authority.roots())).unwrap();
    let (here, there) = memory_pair(64 * 1024);
    let mut client = client.wrap(here, "localhost").unwrap();
    let peer = Peer::meet(Connection::Server(conn), there, &mut client);
    (client, peer)
}

/// A client of rustls and a server of ours.
fn our_server() -> (Memory, Peer) {
    let authority = Authority::new("Test CA");
    let credentials = authority.issue(&["localhost"]).credentials();
    let server = ServerTls::open(ServerSettings::new().credentials(credentials)).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(one_suite())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.enable_secret_extraction = true;
    let conn = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let (here, there) = memory_pair(64 * 1024);
    let mut server = server.wrap(here);
    let peer = Peer::meet(Connection::Client(conn), there, &mut server);
    (server, peer)
}

/// Asks once, and then once too often; the refusal has to leave without a write of ours.
fn is_refused(ours: &mut Memory, peer: &mut Peer, question: &[u8]) {
    peer.say(ContentType::ApplicationData, b"first, ");
    peer.say(ContentType::Handshake, question);
    peer.say(ContentType::ApplicationData, b"second");
    assert_eq!(read(ours).unwrap(), b"first, second");
    assert_eq!(peer.hear(), [(ContentType::Alert, REFUSAL.to_vec())]);
    write(ours, b"our turn");
    assert_eq!(peer.hear(), [(ContentType::ApplicationData, b"our turn".to_vec())]);
    peer.say(ContentType::ApplicationData, b"third");
    assert_eq!(read(ours).unwrap(), b"third");
    peer.say(ContentType::Handshake, question);
    let error = read(ours).unwrap_err();
    assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::Protocol, "{error}");
    assert!(error.to_string().ends_with("and asked again"), "{error}");
}

#[test]
fn security_renegotiation_asked_for_by_a_server_is_refused_and_content_goes_on() {
    let (mut client, mut server) = our_client();
    is_refused(&mut client, &mut server, HELLO_REQUEST);
}

#[test]
fn security_renegotiation_asked_for_by_a_client_is_refused_and_content_goes_on() {
    let (mut server, mut client) = our_server();
    let hello = client.first.clone();
    is_refused(&mut server, &mut client, &hello);
}

#[test]
fn a_server_that_insists_on_renegotiation_is_told_apart_from_one_without_a_cipher() {
    let (mut client, mut server) = our_client();
    server.say(ContentType::Handshake, HELLO_REQUEST);
    assert!(read(&mut client).unwrap().is_empty());
    assert_eq!(server.hear(), [(ContentType::Alert, REFUSAL.to_vec())]);
    // Fatal, handshake_failure, as OpenSSL does it.
    server.say(ContentType::Alert, &[2, 40]);
    let error = read(&mut client).unwrap_err();
    assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::Alert, "{error}");
    assert!(error.to_string().starts_with("localhost asked to renegotiate"), "{error}");
}

#[test]
fn security_a_message_that_never_ends_is_refused_behind_the_content_before_it() {
    let (mut client, mut server) = our_client();
    server.say(ContentType::ApplicationData, b"content");
    // A request to renegotiate with 65,316 bytes behind it, four in a record.
    server.say(ContentType::Handshake, &[0, 0, 0xff, 0x24]);
    let mut buf = vec![0; 64 * 1024];
    assert_eq!(client.read(&mut buf).unwrap(), 7);
    for sent in (0..).step_by(4) {
        assert!(sent < 80_000, "{sent} bytes are held");
        server.say(ContentType::Handshake, &[0; 4]);
        match client.read(&mut buf) {
            Ok(count) => panic!("{count} bytes of nobody"),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => {
                assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::Protocol, "{error}");
                assert!(error.to_string().ends_with("in more than 64 KiB"), "{error}");
                return;
            }
        }
    }
}
