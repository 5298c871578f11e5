//! The authority for development.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use avocet_tls::{
    Authority, ClientCertificates, ClientSettings, ClientTls, ErrorKind, Issued, Purpose, Roots,
    ServerSettings, ServerTls,
};

use crate::support::{ends, shake};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn what_it_issues_is_taken_by_those_who_trust_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("deep/ca");
    assert!(Authority::open(&place).unwrap().is_none());
    let first = Authority::open_or_make(&place).unwrap();
    let again = Authority::open_or_make(&place).unwrap();
    assert_eq!(first.certificate(), again.certificate());
    let issued = again.issue(&names(&["localhost", "127.0.0.1"]), Purpose::Server).unwrap();
    let alice = again.issue(&names(&["alice"]), Purpose::Client).unwrap();
    let roots = || Roots::none().file(first.path());
    let settings = ServerSettings::new()
        .credentials(issued.credentials().unwrap())
        .clients(ClientCertificates::Required(roots(), Vec::new()));
    let server = ServerTls::open(settings).unwrap();
    let file = folder.path().join("alice.pem");
    alice.write(&file).unwrap();
    let settings = ClientSettings::new(roots()).credentials(&file, None);
    let client = ClientTls::open(settings).unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let (mut here, mut there) = ends(&server, &client, host);
        let (one, two) = shake(&mut here, &mut there);
        one.and(two).unwrap();
        let secured = avocet_net::Transport::info(&there).secured.clone().unwrap();
        assert_eq!(secured.peer.as_ref().unwrap().subject, "CN=alice");
    }
}

#[test]
fn its_key_is_for_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ca");
    Authority::open_or_make(&place).unwrap();
    let key = place.join("ca-key.pem");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&place), mode(&key)), (0o700, 0o600));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let error = Authority::open_or_make(&place).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.to_string().contains("others may read the key"), "{error}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    // The key of another authority does not fit.
    let other = folder.path().join("other");
    Authority::open_or_make(&other).unwrap();
    fs::copy(other.join("ca-key.pem"), &key).unwrap();
    assert!(Authority::open(&place).is_err());
    // Half an authority is a mistake and is not made whole by another key.
    fs::remove_file(&key).unwrap();
    assert!(Authority::open_or_make(&place).is_err());
}

#[test]
fn a_certificate_that_signs_itself_is_its_own_root() {
    let issued = Issued::self_signed(&names(&["localhost", "::1"]), 30).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.pem");
    fs::write(&file, "an older one").unwrap();
    issued.write(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let server = ServerTls::open(ServerSettings::new().files(&file, None)).unwrap();
    let client = ClientTls::open(ClientSettings::new(Roots::none().file(&file))).unwrap();
    for host in ["localhost", "::1"] {
        let (mut here, mut there) = ends(&server, &client, host);
        let (one, two) = shake(&mut here, &mut there);
        one.and(two).unwrap();
    }
    for bad in [&[][..], &["no blanks"], &["\u{e4}.example"]] {
        let error = Issued::self_signed(&names(bad), 30).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Settings, "{bad:?}");
    }
}
