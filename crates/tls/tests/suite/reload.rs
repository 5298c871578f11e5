//! Certificates are replaced while connections stand.

use avocet_net::Transport;
use avocet_tls::{ServerSettings, ServerTls};

use crate::support::{Authority, client, connected, read, write};

#[test]
fn what_stands_goes_on_and_what_comes_gets_the_new_one() {
    let authority = Authority::new("Test CA");
    let (_folder, path) = authority.issue(&["localhost"]).file();
    let server = ServerTls::open(ServerSettings::new().files(&path, None)).unwrap();
    let trusting = client(&authority);
    let shown =
        |end: &dyn Transport| end.info().secured.clone().unwrap().peer.clone().unwrap().fingerprint;
    let (mut here, mut there) = connected(&server, &trusting);
    let before = shown(&here);
    std::fs::write(&path, authority.issue(&["localhost"]).pem()).unwrap();
    server.reload().unwrap();
    write(&mut here, b"still here");
    assert_eq!(read(&mut there).unwrap(), b"still here");
    let (fresh, _there) = connected(&server, &client(&authority));
    assert_ne!(shown(&fresh), before);
}

#[test]
fn a_change_is_seen_and_a_mistake_is_told_once() {
    let authority = Authority::new("Test CA");
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let put = |path: &std::path::Path, text: &str| {
        let beside = path.with_extension("new");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, path).unwrap();
    };
    let first = authority.issue(&["localhost"]);
    put(&certificate, &first.certificate);
    put(&key, &first.key);
    let settings = ServerSettings::new().files(&certificate, Some(key.clone()));
    let server = ServerTls::open(settings).unwrap();
    assert!(!server.reload_if_changed().unwrap());
    // One file of the pair, then the other.
    let second = authority.issue(&["localhost"]);
    put(&certificate, &second.certificate);
    assert!(server.reload_if_changed().is_err());
    assert!(!server.reload_if_changed().unwrap(), "it is not read again as it is");
    connected(&server, &client(&authority));
    put(&key, &second.key);
    assert!(server.reload_if_changed().unwrap());
    assert!(!server.reload_if_changed().unwrap());
    connected(&server, &client(&authority));
}
