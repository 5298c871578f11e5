//! The classes of attacks on TLS, each by its name.

use std::io;
use std::sync::Arc;

use avocet_net::{Established, Transport, memory_pair};
use avocet_tls::{
    ClientCertificates, ClientSettings, ClientTls, Distrust, ErrorKind, ServerSettings, ServerTls,
    TlsError,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};

use crate::support::{
    Authority, Issued, Tapped, client, connected, cryptography, ends, pair, read, shake, tapped,
    write,
};

fn serving(issued: &Issued) -> ServerTls {
    ServerTls::open(ServerSettings::new().credentials(issued.credentials())).unwrap()
}

fn distrust(issued: &Issued, client: &ClientTls, host: &str) -> Distrust {
    let (mut here, mut there) = ends(&serving(issued), client, host);
    let (one, _) = shake(&mut here, &mut there);
    let error = one.expect_err("it is refused");
    match TlsError::of(&error).expect("an error of TLS").kind() {
        ErrorKind::Distrusted(distrust) => distrust,
        other => panic!("{other:?}: {error}"),
    }
}

/// A hello of an old version, as it stands on the wire.
fn hello(version: [u8; 2]) -> Vec<u8> {
    let mut body = vec![version[0], version[1]];
    body.extend([7; 32]);
    body.push(0);
    body.extend([0x00, 0x04, 0xc0, 0x2b, 0x00, 0x2f]);
    body.extend([0x01, 0x00]);
    let mut hello = vec![0x16, 0x03, 0x01, 0x00, body.len() as u8 + 4, 0x01, 0x00, 0x00];
    hello.push(body.len() as u8);
    hello.extend(body);
    hello
}

#[test]
fn security_versions_before_1_2_are_refused() {
    let (server, _) = pair();
    for version in [[3, 0], [3, 1], [3, 2]] {
        let (mut here, there) = memory_pair(4096);
        let mut there = server.wrap(there);
        write(&mut here, &hello(version));
        here.close_write().unwrap();
        let error = loop {
            match there.establish() {
                Ok(Established::Pending) => {}
                Ok(Established::Done) => panic!("{version:?} is too old"),
                Err(error) => break error,
            }
        };
        assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::Incompatible, "{error}");
        // A fatal alert: protocol_version (70), or handshake_failure (40).
        let alert = read(&mut here).unwrap();
        assert!(alert[0] == 0x15 && alert[5] == 2 && [40, 70].contains(&alert[6]), "{alert:?}");
    }
}

#[test]
fn security_no_name_is_taken_from_the_common_name() {
    let authority = Authority::new("Test CA");
    let issued = authority
        .issue_with(&[], |params| params.distinguished_name.push(DnType::CommonName, "localhost"));
    assert_eq!(distrust(&issued, &client(&authority), "localhost"), Distrust::WrongName);
}

#[test]
fn security_an_address_matches_addresses_only() {
    let authority = Authority::new("Test CA");
    let issued = authority.issue_with(&[], |params| {
        let name = "127.0.0.1".try_into().unwrap();
        params.subject_alt_names = vec![rcgen::SanType::DnsName(name)];
    });
    assert_eq!(distrust(&issued, &client(&authority), "127.0.0.1"), Distrust::WrongName);
}

#[test]
fn security_a_wildcard_is_a_whole_left_label() {
    let authority = Authority::new("Test CA");
    let client = client(&authority);
    for (pattern, host) in [
        ("*.example.org", "example.org"),
        ("*.example.org", "a.b.example.org"),
        ("a*.example.org", "ab.example.org"),
        ("a.*.org", "a.example.org"),
        ("*", "localhost"),
    ] {
        let issued = authority.issue(&[pattern]);
        distrust(&issued, &client, host);
    }
}

#[test]
fn security_purpose_authority_and_time_are_checked() {
    let authority = Authority::new("Test CA");
    let trusting = client(&authority);
    let for_clients = authority.issue_with(&["localhost"], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    assert_eq!(distrust(&for_clients, &trusting, "localhost"), Distrust::Purpose);
    // Whoever has a certificate for a server cannot issue others with it.
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["mallory.example".to_owned()]).unwrap();
    params.is_ca = IsCa::ExplicitNoCa;
    let middle = params.signed_by(&key, &authority.0).unwrap();
    let issuer = rcgen::Issuer::from_params(&params, &key);
    let own = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = params.signed_by(&own, &issuer).unwrap();
    let chain = format!("{}{}", leaf.pem(), middle.pem());
    let forged = Issued { certificate: chain, key: own.serialize_pem(), serial: Vec::new() };
    distrust(&forged, &trusting, "localhost");
    // An authority whose path is limited cannot make another authority.
    let authority_below = |name: &str, constraints, above: &Authority| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(constraints);
        let key = KeyPair::generate().unwrap();
        Authority(rcgen::CertifiedIssuer::signed_by(params, key, &above.0).unwrap())
    };
    for (limit, allowed) in [(0, false), (1, true)] {
        let upper = authority_below("upper", BasicConstraints::Constrained(limit), &authority);
        let lower = authority_below("lower", BasicConstraints::Unconstrained, &upper);
        let mut issued = lower.issue(&["localhost"]);
        issued.certificate.push_str(&lower.0.pem());
        issued.certificate.push_str(&upper.0.pem());
        if allowed {
            connected(&serving(&issued), &trusting);
        } else {
            distrust(&issued, &trusting, "localhost");
        }
    }
}

#[test]
fn security_the_end_without_close_notify_is_reported() {
    let (server, client) = pair();
    let Tapped { mut here, mut below, across: _across, there: _there } = tapped(&server, &client);
    below.close_write().unwrap();
    let error = here.read(&mut [0; 64]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::Truncated);
}

#[test]
fn security_a_changed_byte_ends_the_connection() {
    let (server, client) = pair();
    for at in [5, 20, 40] {
        let Tapped { mut here, mut below, mut across, mut there } = tapped(&server, &client);
        write(&mut here, b"pay 10 to bob, please");
        let mut wire = read(&mut below).unwrap();
        wire[at % 30] ^= 1;
        write(&mut across, &wire);
        let error = there.read(&mut [0; 64]).unwrap_err();
        assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::Protocol, "{error}");
    }
}

/// Reading goes on when our side is over, and nothing that comes may panic.
#[test]
fn security_a_malformed_record_behind_our_close_notify_is_an_error() {
    let (server, client) = pair();
    let Tapped { mut here, mut below, across: _across, there: _there } = tapped(&server, &client);
    here.close_write().unwrap();
    write(&mut below, &[0x1f; 64]);
    let error = read(&mut here).unwrap_err();
    assert!(TlsError::of(&error).is_some(), "{error}");
    assert!(read(&mut here).is_err(), "and it stays one");
}

#[test]
fn security_tickets_are_not_shared_between_servers_of_different_rules() {
    let authority = Authority::new("Test CA");
    let issued = authority.issue(&["localhost"]);
    let open = serving(&issued);
    let clients = ClientCertificates::Required(authority.roots(), Vec::new());
    let settings = ServerSettings::new().credentials(issued.credentials()).clients(clients);
    let closed = ServerTls::open(settings).unwrap();
    let trusting = client(&authority);
    let (mut here, _there) = connected(&open, &trusting);
    drop(here.read(&mut [0; 1]));
    let (mut here, mut there) = ends(&closed, &trusting, "localhost");
    let (_, two) = shake(&mut here, &mut there);
    let error = two.unwrap_err();
    assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::ClientCertificate, "{error}");
}

#[test]
fn security_a_ticket_does_not_outlive_a_reload_where_clients_are_asked() {
    let authority = Authority::new("Test CA");
    let issued = authority.issue(&["localhost"]);
    let clients = ClientCertificates::Required(authority.roots(), Vec::new());
    let settings = ServerSettings::new().credentials(issued.credentials()).clients(clients);
    let server = ServerTls::open(settings).unwrap();
    let (_folder, path) = authority.issue_client("alice").file();
    let settings = ClientSettings::new(authority.roots()).credentials(path, None);
    let alice = ClientTls::open(settings).unwrap();
    let resumed = || {
        let (mut here, _there) = connected(&server, &alice);
        drop(here.read(&mut [0; 1]));
        here.info().secured.as_ref().unwrap().resumed
    };
    assert_eq!((resumed(), resumed()), (false, true));
    server.reload().unwrap();
    assert_eq!((resumed(), resumed()), (false, true));
}

/// A request that is sent with the hello could be sent again by anybody who has recorded it.
#[test]
fn security_early_data_is_off() {
    let authority = Authority::new("Test CA");
    let server = serving(&authority.issue(&["localhost"]));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let provider = Arc::new(cryptography());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.enable_early_data = true;
    let config = Arc::new(config);
    for kind in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
        let name = "localhost".try_into().unwrap();
        let mut eager = rustls::ClientConnection::new(config.clone(), name).unwrap();
        assert!(eager.early_data().is_none(), "the ticket allows none");
        let (mut here, there) = memory_pair(64 * 1024);
        let mut there = server.wrap(there);
        for _ in 0..4 {
            let mut sent = Vec::new();
            while eager.wants_write() {
                eager.write_tls(&mut sent).unwrap();
            }
            write(&mut here, &sent);
            drop(there.establish());
            let came = read(&mut here).unwrap();
            let mut rest = came.as_slice();
            while !rest.is_empty() {
                eager.read_tls(&mut rest).unwrap();
                eager.process_new_packets().unwrap();
            }
        }
        assert_eq!(there.establish().unwrap(), Established::Done);
        let made = match eager.handshake_kind() {
            Some(rustls::HandshakeKind::FullWithHelloRetryRequest) => rustls::HandshakeKind::Full,
            made => made.unwrap(),
        };
        assert_eq!(made, kind);
    }
}

#[test]
fn security_plaintext_before_the_handshake_is_never_inside() {
    let (server, client) = pair();
    let (here, mut below) = memory_pair(64 * 1024);
    let (mut across, there) = memory_pair(64 * 1024);
    let mut here = client.wrap(here, "localhost").unwrap();
    let mut there = server.wrap(there);
    assert_eq!(here.establish().unwrap(), Established::Pending);
    let mut hello = read(&mut below).unwrap();
    // A request in the clear, behind the hello and within a record of content.
    let request = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    hello.extend([0x17, 0x03, 0x03, 0x00, request.len() as u8]);
    hello.extend(request);
    write(&mut across, &hello);
    across.close_write().unwrap();
    let error = loop {
        match there.establish() {
            Ok(Established::Pending) => {}
            Ok(Established::Done) => panic!("nothing was agreed on"),
            Err(error) => break error,
        }
    };
    assert!(TlsError::of(&error).is_some(), "{error}");
    assert!(there.read(&mut [0; 64]).is_err(), "and nothing of it can be read");
}

#[test]
fn security_a_bad_certificate_on_reload_keeps_the_old_one() {
    let authority = Authority::new("Test CA");
    let issued = authority.issue(&["localhost"]);
    let (_folder, path) = issued.file();
    let server = ServerTls::open(ServerSettings::new().files(&path, None)).unwrap();
    let other = authority.issue(&["localhost"]);
    for bad in [
        String::new(),
        "nonsense".to_owned(),
        issued.certificate.clone(),
        format!("{}{}", issued.certificate, other.key),
        issued.pem().replace("M", "!"),
    ] {
        std::fs::write(&path, bad).unwrap();
        assert_eq!(server.reload().unwrap_err().kind(), ErrorKind::Credentials);
        connected(&server, &client(&authority));
    }
    std::fs::remove_file(&path).unwrap();
    assert!(server.reload().is_err());
    connected(&server, &client(&authority));
}

/// A message that is not too long by what it says, in so many records that it becomes so.
#[test]
fn security_a_hello_in_a_thousand_records_is_refused() {
    let (server, client) = pair();
    let (mut below, here) = memory_pair(4096);
    let (mut across, there) = memory_pair(4096);
    let ends = [
        (client.wrap(here, "localhost").unwrap(), &mut below, 2, "localhost sends a message"),
        (server.wrap(there), &mut across, 1, "the client sends a message"),
    ];
    for (mut end, wire, kind, reason) in ends {
        let mut record = [0x16, 3, 3, 0, 4, kind, 0, 0xff, 0x24];
        let mut sent = 0;
        let error = loop {
            match end.establish() {
                Ok(Established::Pending) if wire.peer_ended() => wire.close_write().unwrap(),
                Ok(Established::Pending) => {
                    write(wire, &record);
                    record[5..].fill(0);
                    sent += record.len();
                    drop(read(wire));
                }
                Ok(Established::Done) => panic!("nothing was agreed on"),
                Err(error) => break error,
            }
        };
        assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::Protocol, "{error}");
        assert!(error.to_string().starts_with(reason), "{error}");
        assert!(sent <= 80_000, "{sent} bytes before the end");
    }
}

/// rustls notes each message of a record before it looks at the first, so that a record full of empty
/// ones takes twenty times its size.
#[test]
fn security_nothing_is_held_for_a_peer_who_was_refused() {
    let (server, _) = pair();
    let (mut here, there) = memory_pair(64 * 1024);
    let mut there = server.wrap(there);
    let mut record = vec![0x16, 3, 3, 0x40, 0, 2, 0, 0, 36];
    record.resize(5 + 0x4000, 0);
    write(&mut here, &record);
    let mut result = None;
    let counted = allocation_counter::measure(|| result = Some(there.establish()));
    let reached = result.unwrap().expect("it waits until the alert has been read");
    assert_eq!(reached, Established::Pending);
    assert!(counted.bytes_max > 100_000, "{} bytes: what is this test for?", counted.bytes_max);
    assert!(counted.bytes_current < 8_000, "{} bytes are held", counted.bytes_current);
    assert_eq!(read(&mut here).unwrap()[0], 0x15, "an alert");
    here.close_write().unwrap();
    assert!(there.establish().is_err());
}

#[test]
fn security_no_more_than_a_hello_is_held_for_a_peer_who_never_finishes() {
    let (server, _) = pair();
    let (mut here, there) = memory_pair(1024 * 1024);
    let mut there = server.wrap(there);
    // Handshake messages that announce 16 MiB and come piece by piece.
    let mut record = vec![0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0xff, 0xff, 0xff];
    record.resize(5 + 0x4000, 0);
    let mut sent = 0;
    let error = loop {
        if !here.peer_ended() {
            write(&mut here, &record);
            sent += record.len();
        }
        record[5..9].fill(0);
        match there.establish() {
            Ok(Established::Pending) if sent < 1_000_000 => {}
            Ok(_) => panic!("{sent} bytes are held"),
            Err(error) => break error,
        }
        if here.peer_ended() {
            here.close_write().unwrap();
        }
    };
    assert!(TlsError::of(&error).is_some(), "{error}");
    assert!(sent <= 100_000, "{sent} bytes before the end");
}
