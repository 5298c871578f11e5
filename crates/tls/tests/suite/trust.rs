//! Whom a client trusts and whom a server lets in.

use avocet_net::Transport;
use avocet_tls::{
    Certificate, ClientCertificates, ClientSettings, ClientTls, Credentials, Distrust, ErrorKind,
    Roots, ServerSettings, ServerTls, TlsError,
};
use rcgen::{ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};

use crate::support::{Authority, Issued, client, ends, shake};

fn serving(issued: &Issued) -> ServerTls {
    ServerTls::open(ServerSettings::new().credentials(issued.credentials())).unwrap()
}

fn refused(server: &ServerTls, client: &ClientTls, host: &str) -> (ErrorKind, String) {
    let (mut here, mut there) = ends(server, client, host);
    let (one, _) = shake(&mut here, &mut there);
    let error = one.expect_err("it is refused");
    (TlsError::of(&error).expect("an error of TLS").kind(), error.to_string())
}

#[test]
fn each_failed_check_says_which_and_for_whom() {
    let authority = Authority::new("Test CA");
    let trusting = client(&authority);
    let case = |issued: Issued, host: &str, distrust: Distrust, text: &str| {
        let (kind, message) = refused(&serving(&issued), &trusting, host);
        assert_eq!(kind, ErrorKind::Distrusted(distrust), "{message}");
        assert!(message.contains(text), "{message}");
    };
    let stranger = Authority::new("Somebody else");
    case(
        stranger.issue(&["localhost"]),
        "localhost",
        Distrust::UnknownIssuer,
        "the certificate of localhost was issued by nobody who is trusted here: CN=Somebody else",
    );
    let key = KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = params.self_signed(&key).unwrap().pem();
    case(
        Issued { certificate: own, key: key.serialize_pem(), serial: Vec::new() },
        "localhost",
        Distrust::SelfSigned,
        "signed by itself",
    );
    case(
        authority.issue(&["other.example", "127.0.0.1"]),
        "localhost",
        Distrust::WrongName,
        "is not for localhost: it is for other.example, 127.0.0.1",
    );
    case(
        authority.issue_with(&["localhost"], |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 2, 3);
        }),
        "localhost",
        Distrust::Expired,
        "expired 2021-02-03 00:00:00 UTC, ",
    );
    case(
        authority
            .issue_with(&["localhost"], |params| params.not_before = date_time_ymd(4000, 1, 1)),
        "localhost",
        Distrust::NotYetValid,
        "is not valid before 4000-01-01 00:00:00 UTC",
    );
    case(
        authority.issue_with(&["localhost"], |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }),
        "localhost",
        Distrust::Purpose,
        "is not for this purpose: it is for clients",
    );
    case(
        authority.issue_with(&["localhost"], |params| {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        }),
        "localhost",
        Distrust::Purpose,
        "is marked as that of an authority",
    );
}

#[test]
fn addresses_and_names_are_checked_each_for_itself() {
    let authority = Authority::new("Test CA");
    let trusting = client(&authority);
    let server = serving(&authority.issue(&["127.0.0.1", "::1", "*.example.org"]));
    for host in ["127.0.0.1", "::1", "a.example.org"] {
        let (mut here, mut there) = ends(&server, &trusting, host);
        let (one, two) = shake(&mut here, &mut there);
        one.and(two).unwrap();
    }
    for host in ["127.0.0.2", "::2", "example.org", "a.b.example.org", "xexample.org"] {
        let (kind, message) = refused(&server, &trusting, host);
        assert_eq!(kind, ErrorKind::Distrusted(Distrust::WrongName), "{message}");
    }
    let (memory, _) = avocet_net::memory_pair(1);
    let error = trusting.wrap(memory, "not a name").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Settings);
}

#[test]
fn a_pin_counts_beside_everything_else() {
    let authority = Authority::new("Test CA");
    let issued = authority.issue(&["localhost"]);
    let server = serving(&issued);
    let trusting = client(&authority);
    let (here, _there) = {
        let (mut here, mut there) = ends(&server, &trusting, "localhost");
        let (one, two) = shake(&mut here, &mut there);
        one.and(two).unwrap();
        (here, there)
    };
    let chain = here.info().secured.clone().unwrap().peer.clone().unwrap().chain;
    let pin = trusting.pin(&Certificate::parse(&chain[0]).unwrap().public_key);
    let other = trusting.pin(b"another key");
    let pinned = |pins, unchecked: bool| {
        let settings = ClientSettings::new(authority.roots()).pins(pins);
        let settings = if unchecked { settings.dangerously_unchecked() } else { settings };
        ClientTls::open(settings).unwrap()
    };
    for unchecked in [false, true] {
        let client = pinned(vec![other.clone(), pin.clone()], unchecked);
        let (mut here, mut there) = ends(&server, &client, "localhost");
        let (one, two) = shake(&mut here, &mut there);
        one.and(two).unwrap();
        let (kind, message) =
            refused(&server, &pinned(vec![other.clone()], unchecked), "localhost");
        assert_eq!(kind, ErrorKind::Pin);
        assert!(message.contains(&pin.to_string()), "{message}");
    }
    let right_key_wrong_name = refused(&server, &pinned(vec![pin], false), "other.example");
    assert_eq!(right_key_wrong_name.0, ErrorKind::Distrusted(Distrust::WrongName));
}

#[test]
fn unchecked_means_unchecked_and_says_so() {
    let server = serving(&Authority::new("Nobody").issue(&["other.example"]));
    let settings = ClientSettings::new(Roots::none()).dangerously_unchecked();
    let client = ClientTls::open(settings).unwrap();
    let (mut here, mut there) = ends(&server, &client, "localhost");
    let (one, two) = shake(&mut here, &mut there);
    one.and(two).unwrap();
    assert!(!here.info().secured.as_ref().unwrap().peer.as_ref().unwrap().verified);
}

/// Those of a system take longer to read than a request takes.
#[test]
fn unchecked_roots_are_read_when_a_check_is_asked_for() {
    let authority = Authority::new("Test CA");
    let issued = authority.issue(&["localhost"]);
    let chain = Credentials::certificates_of_pem(issued.certificate.as_bytes()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("later.pem");
    let settings = || ClientSettings::new(Roots::none().file(&path));
    assert_eq!(ClientTls::open(settings()).unwrap_err().kind(), ErrorKind::Roots);
    let open = || ClientTls::open(settings().dangerously_unchecked()).unwrap();
    let (early, client) = (open(), open());
    let other = client.clone();
    let error = early.check(&chain, "localhost").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Roots, "{error}");
    std::fs::write(&path, authority.0.pem()).unwrap();
    client.check(&chain, "localhost").unwrap();
    std::fs::remove_file(&path).unwrap();
    other.check(&chain, "localhost").expect("they are read once for all clones");
}

#[test]
fn a_chain_can_be_checked_without_a_connection() {
    let authority = Authority::new("Test CA");
    let trusting = client(&authority);
    let issued = authority.issue(&["localhost"]);
    let settings = ClientSettings::new(authority.roots()).dangerously_unchecked();
    let unchecked = ClientTls::open(settings).unwrap();
    let (mut here, mut there) = ends(&serving(&issued), &unchecked, "localhost");
    let (one, two) = shake(&mut here, &mut there);
    one.and(two).unwrap();
    let chain = here.info().secured.clone().unwrap().peer.clone().unwrap().chain;
    for client in [&trusting, &unchecked] {
        client.check(&chain, "localhost").unwrap();
        let error = client.check(&chain, "other.example").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Distrusted(Distrust::WrongName));
    }
    assert!(trusting.check(&[], "localhost").is_err());
    assert!(trusting.check(&[vec![1, 2, 3]], "localhost").is_err());
}

fn asking(authority: &Authority, clients: ClientCertificates) -> ServerTls {
    let issued = authority.issue(&["localhost"]);
    ServerTls::open(ServerSettings::new().credentials(issued.credentials()).clients(clients))
        .unwrap()
}

fn showing(authority: &Authority, issued: &Issued) -> ClientTls {
    let (_folder, path) = issued.file();
    ClientTls::open(ClientSettings::new(authority.roots()).credentials(path, None)).unwrap()
}

#[test]
fn clients_prove_who_they_are() {
    let authority = Authority::new("Test CA");
    let required = asking(&authority, ClientCertificates::Required(authority.roots(), Vec::new()));
    let optional = asking(&authority, ClientCertificates::Optional(authority.roots(), Vec::new()));
    let alice = showing(&authority, &authority.issue_client("alice"));
    for server in [&required, &optional] {
        for resumed in [false, true] {
            let (mut here, mut there) = ends(server, &alice, "localhost");
            let (one, two) = shake(&mut here, &mut there);
            one.and(two).unwrap();
            drop(here.read(&mut [0; 1]));
            let secured = there.info().secured.clone().unwrap();
            assert_eq!(secured.resumed, resumed);
            let who = secured.peer.as_ref().unwrap();
            assert!(who.verified && who.subject == "CN=alice", "{who:?}");
        }
    }
    let nobody = client(&authority);
    let (mut here, mut there) = ends(&optional, &nobody, "localhost");
    let (one, two) = shake(&mut here, &mut there);
    one.and(two).unwrap();
    assert_eq!(there.info().secured.as_ref().unwrap().peer, None);
    let (kind, message) = refused(&required, &nobody, "localhost");
    assert_eq!(kind, ErrorKind::ClientCertificate);
    assert_eq!(message, "localhost wants a certificate from us (alert CertificateRequired)");
    let stranger = Authority::new("Somebody else");
    let mallory = showing(&authority, &stranger.issue_client("alice"));
    for server in [&required, &optional] {
        let (mut here, mut there) = ends(server, &mallory, "localhost");
        let (one, two) = shake(&mut here, &mut there);
        let error = two.unwrap_err();
        let kind = TlsError::of(&error).unwrap().kind();
        assert_eq!(kind, ErrorKind::Distrusted(Distrust::UnknownIssuer), "{error}");
        let error = one.unwrap_err();
        assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::ClientCertificate, "{error}");
    }
}

#[test]
fn who_was_revoked_does_not_come_in() {
    let authority = Authority::new("Test CA");
    let (alice, bob) = (authority.issue_client("alice"), authority.issue_client("bob"));
    let list = revocation_list(&authority, &[&alice]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.pem");
    std::fs::write(&path, list).unwrap();
    let clients = ClientCertificates::Required(authority.roots(), vec![path.clone()]);
    let server = asking(&authority, clients);
    let shown = |issued: &Issued| {
        let (mut here, mut there) = ends(&server, &showing(&authority, issued), "localhost");
        shake(&mut here, &mut there).1
    };
    shown(&bob).unwrap();
    let error = shown(&alice).unwrap_err();
    let kind = TlsError::of(&error).unwrap().kind();
    assert_eq!(kind, ErrorKind::Distrusted(Distrust::Revoked), "{error}");

    // The same for a client that holds a list against servers.
    let (good, bad) = (authority.issue(&["localhost"]), authority.issue(&["localhost"]));
    std::fs::write(&path, revocation_list(&authority, &[&bad])).unwrap();
    let settings = ClientSettings::new(authority.roots()).revoked(&path);
    let careful = ClientTls::open(settings).unwrap();
    let (mut here, mut there) = ends(&serving(&good), &careful, "localhost");
    let (one, two) = shake(&mut here, &mut there);
    one.and(two).unwrap();
    let (kind, _) = refused(&serving(&bad), &careful, "localhost");
    assert_eq!(kind, ErrorKind::Distrusted(Distrust::Revoked));
    std::fs::write(&path, "nothing").unwrap();
    let error = ClientTls::open(ClientSettings::new(authority.roots()).revoked(&path)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RevocationList);
}

fn revocation_list(authority: &Authority, revoked: &[&Issued]) -> String {
    let params = rcgen::CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(4000, 1, 1),
        crl_number: rcgen::SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: revoked
            .iter()
            .map(|issued| rcgen::RevokedCertParams {
                serial_number: rcgen::SerialNumber::from_slice(&issued.serial),
                revocation_time: date_time_ymd(2024, 1, 1),
                reason_code: None,
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    params.signed_by(&authority.0).unwrap().pem().unwrap()
}

#[test]
fn roots_come_from_files_and_folders() {
    let authority = Authority::new("Test CA");
    let server = serving(&authority.issue(&["localhost"]));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), authority.0.pem()).unwrap();
    std::fs::write(folder.path().join("README"), "not a certificate").unwrap();
    for roots in
        [Roots::none().file(folder.path().join("ca.pem")), Roots::none().folder(folder.path())]
    {
        let client = ClientTls::open(ClientSettings::new(roots)).unwrap();
        let (mut here, mut there) = ends(&server, &client, "localhost");
        let (one, two) = shake(&mut here, &mut there);
        one.and(two).unwrap();
    }
    for roots in [
        Roots::none(),
        Roots::none().file(folder.path().join("README")),
        Roots::none().file(folder.path().join("missing")),
        Roots::none().folder(folder.path().join("missing")),
        Roots::none().der(*b"nothing"),
    ] {
        let error = ClientTls::open(ClientSettings::new(roots)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Roots, "{error}");
    }
}
