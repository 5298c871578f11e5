//! Handshakes: versions, names, protocols, sessions, and how they fail.

use std::io::Read;

use avocet_net::{Established, Outbox, Transport, memory_pair};
use avocet_testkit::{Faults, FaultyTransport, Random, rounds};
use avocet_tls::{
    ClientSettings, ClientTls, ErrorKind, Provider, ServerSettings, ServerTls, TlsError,
};

use crate::support::{Authority, connected, cryptography, ends, pair, read, shake, write};

#[test]
fn both_sides_know_what_they_have() {
    let (server, client) = pair();
    let (client, server) = connected(&server, &client);
    let theirs = client.info().secured.as_deref().unwrap();
    assert_eq!((theirs.version, theirs.resumed), ("TLSv1.3", false));
    let preferred = Provider::built_in().unwrap().groups().remove(0);
    assert_eq!(theirs.group.as_deref(), Some(&*preferred));
    assert!(theirs.cipher.starts_with("TLS13_AES_"), "{}", theirs.cipher);
    let shown = theirs.peer.as_ref().unwrap();
    assert!(shown.verified && shown.fingerprint.len() == 64 && shown.chain.len() == 1);
    assert_eq!(shown.names, ["localhost"]);
    let ours = server.info().secured.as_deref().unwrap();
    assert_eq!((ours.server_name.as_deref(), &ours.peer), (Some("localhost"), &None));
    assert_eq!(ours.cipher, theirs.cipher);
}

#[test]
fn both_versions_are_spoken() {
    let authority = Authority::new("Test CA");
    let settings = ServerSettings::new().credentials(authority.issue(&["localhost"]).credentials());
    let server = ServerTls::open(settings).unwrap();
    for (settings, version) in [
        (ClientSettings::new(authority.roots()).only_1_2(), "TLSv1.2"),
        (ClientSettings::new(authority.roots()).only_1_3(), "TLSv1.3"),
    ] {
        let client = ClientTls::open(settings).unwrap();
        for resumed in [false, true] {
            let (mut here, mut there) = connected(&server, &client);
            let secured = here.info().secured.clone().unwrap();
            assert_eq!((secured.version, secured.resumed), (version, resumed));
            assert_eq!(there.info().secured.as_ref().unwrap().resumed, resumed);
            assert_eq!(secured.peer.as_ref().unwrap().names, ["localhost"], "also when resumed");
            write(&mut here, b"there");
            assert_eq!(read(&mut there).unwrap(), b"there");
            write(&mut there, b"and back");
            assert_eq!(read(&mut here).unwrap(), b"and back");
        }
    }
}

#[test]
fn a_provider_that_seals_no_tickets_has_sessions_in_memory() {
    let authority = Authority::new("Test CA");
    let provider = Provider::of_rustls(cryptography(), None);
    let settings = ServerSettings::new()
        .credentials(authority.issue(&["localhost"]).credentials())
        .provider(provider.clone());
    let server = ServerTls::open(settings).unwrap();
    let settings = ClientSettings::new(authority.roots()).provider(provider);
    let client = ClientTls::open(settings).unwrap();
    for resumed in [false, true, true] {
        let (mut here, _there) = connected(&server, &client);
        drop(here.read(&mut [0; 1]));
        assert_eq!(here.info().secured.as_ref().unwrap().resumed, resumed);
    }
}

#[test]
fn protocols_are_agreed_on_or_refused() {
    let authority = Authority::new("Test CA");
    let issued = authority.issue(&["localhost"]);
    let settings = ServerSettings::new().credentials(issued.credentials()).protocols(&["http/1.1"]);
    let server = ServerTls::open(settings).unwrap();
    let client = |names: &[&str]| {
        ClientTls::open(ClientSettings::new(authority.roots()).protocols(names)).unwrap()
    };
    for (offered, agreed) in [
        (&["h2", "http/1.1"][..], Some("http/1.1")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let (here, there) = connected(&server, &client(offered));
        for end in [here.info(), there.info()] {
            assert_eq!(end.secured.as_ref().unwrap().protocol.as_deref(), agreed);
        }
    }
    let (mut here, mut there) = ends(&server, &client(&["h2"]), "localhost");
    let (one, two) = shake(&mut here, &mut there);
    for error in [one.unwrap_err(), two.unwrap_err()] {
        assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::Incompatible, "{error}");
    }
}

#[test]
fn the_name_chooses_the_certificate() {
    let authority = Authority::new("Test CA");
    let settings = ["first.example", "*.second.example", "second.example"]
        .iter()
        .map(|name| authority.issue(&[name]).credentials())
        .fold(ServerSettings::new(), ServerSettings::credentials);
    let server = ServerTls::open(settings).unwrap();
    let client = crate::support::client(&authority);
    for (asked, got) in [
        ("first.example", "first.example"),
        ("a.second.example", "*.second.example"),
        ("A.Second.Example.", "*.second.example"),
        ("second.example", "second.example"),
    ] {
        let (mut here, mut there) = ends(&server, &client, asked);
        let (one, two) = shake(&mut here, &mut there);
        one.and(two).unwrap();
        let secured = here.info().secured.clone().unwrap();
        assert_eq!(secured.peer.as_ref().unwrap().names, [got], "{asked}");
    }
    let (mut here, mut there) = ends(&server, &client, "a.b.second.example");
    let (one, _) = shake(&mut here, &mut there);
    let error = one.unwrap_err().to_string();
    assert_eq!(
        error,
        "the certificate of a.b.second.example is not for a.b.second.example: it is for first.example"
    );
}

#[test]
fn a_hello_in_one_byte_pieces_is_a_hello() {
    let (server, client) = pair();
    let (here, there) = memory_pair(1);
    let (mut here, mut there) = (client.wrap(here, "localhost").unwrap(), server.wrap(there));
    let (one, two) = shake(&mut here, &mut there);
    one.and(two).unwrap();
    let mut out = Outbox::new();
    out.push_slice(b"Hello");
    let (mut buf, mut got) = ([0; 8], Vec::new());
    while got.len() < 5 {
        here.write(&mut out).unwrap();
        if let Ok(count) = there.read(&mut buf) {
            got.extend_from_slice(&buf[..count]);
        }
    }
    assert_eq!(got, b"Hello");
}

#[test]
fn faults_below_change_nothing() {
    rounds(40, |seed| {
        let mut random = Random::new(seed);
        let (server, client) = pair();
        let (here, there) = memory_pair(random.size(1..=40_000));
        let faults = Faults::rough(&mut random);
        let here = FaultyTransport::new(here, faults.clone(), random.fork());
        let there = FaultyTransport::new(there, faults, random.fork());
        let (mut here, mut there) = (client.wrap(here, "localhost").unwrap(), server.wrap(there));
        let (one, two) = shake(&mut here, &mut there);
        one.and(two).unwrap();
        let sent = (0..random.size(1..=300_000)).map(|_| random.number() as u8).collect::<Vec<_>>();
        let mut out = Outbox::new();
        for part in sent.chunks(random.size(1..=70_000)) {
            out.push(avocet_net::Segment::Owned(part.to_vec()));
        }
        let (mut got, mut closed) = (Vec::new(), false);
        let mut buf = vec![0; random.size(1..=100_000)];
        loop {
            if !closed && here.write(&mut out).unwrap() {
                assert!(out.is_empty());
                if let Err(error) = here.close_write() {
                    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                }
                closed = true;
            }
            if closed {
                drop(here.read(&mut [0; 1]));
            }
            match there.read(&mut buf) {
                Ok(0) => break,
                Ok(count) => got.extend_from_slice(&buf[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(got == sent, "{} bytes of {}", got.len(), sent.len());
    });
}

#[test]
fn plaintext_is_answered_as_such_and_refused() {
    let authority = Authority::new("Test CA");
    let settings = ServerSettings::new()
        .credentials(authority.issue(&["localhost"]).credentials())
        .to_plaintext(*b"this port wants TLS\n");
    let server = ServerTls::open(settings).unwrap();
    for request in [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], b"G", b"EHLO x\r\n"] {
        let (mut here, there) = memory_pair(4096);
        let mut there = server.wrap(there);
        write(&mut here, request);
        assert_eq!(there.establish().unwrap(), Established::Pending, "it waits for the peer");
        assert_eq!(read(&mut here).unwrap(), b"this port wants TLS\n");
        assert!(here.peer_ended());
        drop(here);
        let error = there.establish().unwrap_err();
        assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::NotTls);
    }
}

#[test]
fn garbage_instead_of_a_hello_gets_an_alert() {
    let (server, _) = pair();
    for garbage in [
        &[0x00; 64][..],
        &[0xff; 64],
        &[0x80, 0x2e, 0x01, 0x00, 0x02],
        &[0x16, 0x03, 0x01, 0x00, 0x04, 0x02, 0x00, 0x00, 0x00],
        &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x28],
        &[0x16, 0x03, 0x01, 0xff, 0xff, 0x01],
    ] {
        let (mut here, there) = memory_pair(4096);
        let mut there = server.wrap(there);
        write(&mut here, garbage);
        here.close_write().unwrap();
        let error = loop {
            match there.establish() {
                Ok(Established::Pending) => {}
                Ok(Established::Done) => panic!("{garbage:?} is no hello"),
                Err(error) => break error,
            }
        };
        assert!(TlsError::of(&error).is_some(), "{error}");
    }
}

#[test]
fn a_server_that_is_none_is_named() {
    let (_, client) = pair();
    let (here, mut there) = memory_pair(4096);
    let mut here = client.wrap(here, "localhost").unwrap();
    assert_eq!(here.establish().unwrap(), Established::Pending);
    write(&mut there, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let error = here.establish().unwrap_err();
    assert_eq!(error.to_string(), "localhost does not speak TLS on this port");
    let (here, there) = memory_pair(4096);
    let mut here = client.wrap(here, "localhost").unwrap();
    assert_eq!(here.establish().unwrap(), Established::Pending);
    drop(there);
    let error = here.establish().unwrap_err();
    assert_eq!(TlsError::of(&error).map(TlsError::kind), Some(ErrorKind::Closed), "{error}");
}

#[test]
fn settings_that_lack_something_say_what() {
    let authority = Authority::new("Test CA");
    let (one, two) = (authority.issue(&["a.example"]), authority.issue(&["b.example"]));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let open = |settings: ServerSettings| {
        let error = ServerTls::open(settings).err().unwrap();
        (error.kind(), error.to_string().replace(&format!("{}/", folder.path().display()), ""))
    };
    let certificate = file("one.pem", &one.certificate);
    assert_eq!(open(ServerSettings::new()).0, ErrorKind::Settings);
    for (settings, expected) in [
        (
            ServerSettings::new().files(&certificate, Some(file("two.key", &two.key))),
            "one.pem, two.key: the key does not belong to the certificate",
        ),
        (ServerSettings::new().files(&certificate, None), "one.pem: no private key"),
        (ServerSettings::new().files(file("key.pem", &one.key), None), "key.pem: no certificate"),
        (
            ServerSettings::new().files(folder.path().join("none.pem"), None),
            "none.pem: No such file or directory (os error 2)",
        ),
        (
            ServerSettings::new().files(
                &certificate,
                Some(file("locked.key", &one.key.replace("PRIVATE", "ENCRYPTED PRIVATE"))),
            ),
            "locked.key: a key with a password, which cannot be read",
        ),
    ] {
        assert_eq!(open(settings), (ErrorKind::Credentials, expected.to_owned()));
    }
    let mut der = Vec::new();
    let pem = one.certificate.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    base64(&pem).take(1 << 20).read_to_end(&mut der).unwrap();
    let path = folder.path().join("one.der");
    std::fs::write(&path, der).unwrap();
    let settings = ServerSettings::new().files(path, Some(file("one.key", &one.key)));
    ServerTls::open(settings).expect("DER will do too");
}

/// The bytes of a text in base64.
fn base64(text: &str) -> impl Read {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| ALPHABET.iter().position(|&known| known == byte));
    let (mut bits, mut count, mut bytes) = (0_usize, 0, Vec::new());
    for digit in digits {
        bits = bits << 6 | digit;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    std::io::Cursor::new(bytes)
}
