//! Certificates made on the spot, and two ends in memory that talk to each other.

use std::io;

use avocet_net::{Established, MemoryTransport, Outbox, Transport, memory_pair};
use avocet_tls::{
    ClientSettings, ClientTls, Credentials, Roots, ServerSettings, ServerTls, TlsTransport,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::crypto::CryptoProvider;

/// The cryptography that is compiled in, as rustls has it.
pub(crate) fn cryptography() -> CryptoProvider {
    #[cfg(feature = "aws-lc")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(all(feature = "graviola", not(feature = "aws-lc")))]
    return rustls_graviola::default_provider();
    #[cfg(all(feature = "ring", not(any(feature = "aws-lc", feature = "graviola"))))]
    return rustls::crypto::ring::default_provider();
}

/// Who issues certificates in a test.
pub(crate) struct Authority(pub(crate) CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key as PEM.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) serial: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::none().der(self.0.der().to_vec())
    }

    /// For servers with these names.
    pub(crate) fn issue(&self, names: &[&str]) -> Issued {
        self.issue_with(names, |_| {})
    }

    pub(crate) fn issue_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Issued {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let serial: Vec<u8> = KeyPair::generate().unwrap().public_key_raw()[1..9].to_vec();
        let serial: Vec<u8> = std::iter::once(1).chain(serial).collect();
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Issued { certificate, key: key.serialize_pem(), serial }
    }

    /// For a client of this name.
    pub(crate) fn issue_client(&self, name: &str) -> Issued {
        self.issue_with(&[], |params| {
            params.distinguished_name.push(DnType::CommonName, name);
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        })
    }
}

impl Issued {
    pub(crate) fn pem(&self) -> String {
        format!("{}{}", self.key, self.certificate)
    }

    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::of_pem(self.pem().as_bytes()).unwrap()
    }

    /// A file with both, and the folder it is in.
    pub(crate) fn file(&self) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("both.pem");
        std::fs::write(&path, self.pem()).unwrap();
        (folder, path)
    }
}

/// A server for `localhost` and a client that trusts it.
pub(crate) fn pair() -> (ServerTls, ClientTls) {
    let authority = Authority::new("Test CA");
    let settings = ServerSettings::new().credentials(authority.issue(&["localhost"]).credentials());
    (ServerTls::open(settings).unwrap(), client(&authority))
}

pub(crate) fn client(authority: &Authority) -> ClientTls {
    ClientTls::open(ClientSettings::new(authority.roots())).unwrap()
}

pub(crate) type Memory = TlsTransport<MemoryTransport>;

/// Both ends of a connection, before the handshake.
pub(crate) fn ends(server: &ServerTls, client: &ClientTls, host: &str) -> (Memory, Memory) {
    let (here, there) = memory_pair(256 * 1024);
    (client.wrap(here, host).unwrap(), server.wrap(there))
}

/// Both ends of a connection that stands.
pub(crate) fn connected(server: &ServerTls, client: &ClientTls) -> (Memory, Memory) {
    let (mut client, mut server) = ends(server, client, "localhost");
    let (one, two) = shake(&mut client, &mut server);
    one.unwrap();
    two.unwrap();
    (client, server)
}

/// Makes the handshake; what has come of it on both sides. The client reads once afterwards: what a
/// server has against it comes after its own part of the handshake.
pub(crate) fn shake(
    client: &mut dyn Transport,
    server: &mut dyn Transport,
) -> (io::Result<()>, io::Result<()>) {
    let (mut one, mut two) = (None, None);
    for _ in 0..100_000 {
        step(client, &mut one);
        step(server, &mut two);
        if let (Some(Ok(())), None) = (&one, &two)
            && let Err(error) = client.read(&mut [0; 1])
            && error.kind() != io::ErrorKind::WouldBlock
        {
            one = Some(Err(error));
        }
        // A client that has failed hangs up.
        if matches!(one, Some(Err(_))) && two.is_none() {
            drop(client.reset());
        }
        if one.is_some() && two.is_some() {
            break;
        }
    }
    (one.expect("the client came to an end"), two.expect("the server came to an end"))
}

fn step(end: &mut dyn Transport, result: &mut Option<io::Result<()>>) {
    if result.is_none() {
        *result = match end.establish() {
            Ok(Established::Pending) => None,
            Ok(Established::Done) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        };
    }
}

/// Writes all of it; the other side has to have room.
pub(crate) fn write(end: &mut dyn Transport, bytes: &[u8]) {
    let mut out = Outbox::new();
    out.push_slice(bytes);
    while !end.write(&mut out).unwrap() {}
}

/// What can be read now.
pub(crate) fn read(end: &mut dyn Transport) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut buf = vec![0; 64 * 1024];
    loop {
        match end.read(&mut buf) {
            Ok(0) => return Ok(all),
            Ok(count) => all.extend_from_slice(&buf[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(all),
            Err(error) => return Err(error),
        }
    }
}

/// Both ends after the handshake, and what lies between them: bytes pass from `below` to `across` and
/// back only as the test hands them on.
pub(crate) struct Tapped {
    pub(crate) here: Memory,
    pub(crate) below: MemoryTransport,
    pub(crate) across: MemoryTransport,
    pub(crate) there: Memory,
}

pub(crate) fn tapped(server: &ServerTls, client: &ClientTls) -> Tapped {
    let (here, mut below) = memory_pair(64 * 1024);
    let (mut across, there) = memory_pair(64 * 1024);
    let (mut here, mut there) = (client.wrap(here, "localhost").unwrap(), server.wrap(there));
    for _ in 0..4 {
        drop(here.establish());
        write(&mut across, &read(&mut below).unwrap());
        drop(there.establish());
        write(&mut below, &read(&mut across).unwrap());
    }
    Tapped { here, below, across, there }
}
