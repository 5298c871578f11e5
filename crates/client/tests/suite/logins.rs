//! Passwords: when they go out, in which form, and to whom.

use std::sync::Arc;

use avocet_client::{Client, Config, Credentials, ErrorKind, Hook, Login, Netrc, Vault};
use url::Url;

use crate::support::Server;
use crate::support::servers::{field, ok, status};

const MINE: &str = "Basic bWU6d29yZA==";

fn with(hook: impl Hook + 'static) -> Client {
    let mut config = Config::default();
    config.hooks.push(Arc::new(hook));
    Client::with_config(config)
}

fn mine() -> Credentials {
    Credentials::new("me", "word")
}

fn vault(server: &Server) -> Vault {
    Vault::of_origin(&Url::parse(&server.url("/")).unwrap(), mine())
}

fn authorization(request: &str) -> String {
    field(request, "Authorization").unwrap_or("none").to_owned()
}

/// Says what it was sent; asks for a password where there is none.
fn asking(challenge: &'static str) -> Server {
    Server::http(move |request| match field(request, "Authorization") {
        Some(MINE) => ok(&summary(request)),
        _ => status("401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n")),
    })
}

fn summary(request: &str) -> String {
    format!("{} {}", request.split(' ').nth(1).unwrap(), authorization(request))
}

#[test]
fn a_password_in_the_url_goes_out_at_once_and_not_into_the_request_line() {
    let server = Server::http(|request| ok(&summary(request)));
    let url = server.url("/p").replace("http://", "http://m%65:word@");
    let said = Client::new().get(&url).send().unwrap().text(100).unwrap();
    assert_eq!(said, format!("/p {MINE}"));
    let mut config = Config::default();
    config.url_credentials = false;
    let said = Client::with_config(config).get(&url).send().unwrap().text(100).unwrap();
    assert_eq!(said, "/p none");
    let error = Client::new().get("http://me:secret@127.0.0.1:1/").send().err().unwrap();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn what_the_request_brings_itself_counts() {
    let server = Server::http(|request| ok(&summary(request)));
    let client = with(Login::new(vault(&server)).at_once());
    let said =
        |request: avocet_client::RequestBuilder<'_>| request.send().unwrap().text(100).unwrap();
    assert_eq!(said(client.get(&server.url("/")).bearer("t0ken")), "/ Bearer t0ken");
    assert_eq!(said(client.get(&server.url("/")).basic("a", "b")), "/ Basic YTpi");
    assert_eq!(said(client.get(&server.url("/"))), format!("/ {MINE}"));
    let error = client.get(&server.url("/")).basic("a:b", "c").send().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Request);
    let error = client.get(&server.url("/")).bearer("a\r\nX: y").send().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Request);
}

#[test]
fn a_login_waits_to_be_asked_and_remembers() {
    let server = asking("Basic realm=\"here\"");
    let client = with(Login::new(vault(&server)));
    for path in ["/a/b", "/a/c", "/d"] {
        let mut response = client.get(&server.url(path)).send().unwrap();
        assert_eq!(response.text(100).unwrap(), format!("{path} {MINE}"));
    }
    let seen: Vec<String> = server.notes.take().iter().map(|request| summary(request)).collect();
    let expected = [
        "/a/b none".to_owned(),
        format!("/a/b {MINE}"),
        format!("/a/c {MINE}"),
        "/d none".to_owned(),
        format!("/d {MINE}"),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_wrong_password_is_tried_once() {
    let server =
        Server::http(|_| status("401 Unauthorized", "WWW-Authenticate: Basic realm=x\r\n"));
    let client = with(Login::new(vault(&server)));
    assert_eq!(client.get(&server.url("/")).send().unwrap().status(), 401);
    assert_eq!(server.notes.take().len(), 2);
    // Nobody has a password for another realm, nor for a scheme that is not spoken.
    let mut vault = Vault::new();
    vault.add(&Url::parse(&server.url("/")).unwrap(), Some("other"), mine());
    assert_eq!(with(Login::new(vault)).get(&server.url("/")).send().unwrap().status(), 401);
    let other = asking("Negotiate, Newauth realm=x");
    let client = with(Login::new(self::vault(&other)));
    assert_eq!(client.get(&other.url("/")).send().unwrap().status(), 401);
    assert_eq!((server.notes.take().len(), other.notes.take().len()), (1, 1));
}

/// CVE-2018-1000007, CVE-2022-27774, CVE-2022-27776, CVE-2025-14524 and their like.
#[test]
fn security_redirects_secrets_stay_with_their_origin_also_after_coming_back() {
    let secrets = |request: &str| {
        ["Authorization", "Cookie", "Proxy-Authorization", "X-Key"]
            .iter()
            .filter(|name| field(request, name).is_some())
            .copied()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let last = Arc::new(std::sync::Mutex::new(String::new()));
    let back = last.clone();
    let far = Server::http(move |_| {
        status("302 Found", &format!("Location: {}\r\n", back.lock().unwrap()))
    });
    let away = far.url("/away");
    let home = Server::http(move |request| match request.split(' ').nth(1).unwrap() {
        "/out" => status("302 Found", &format!("Location: {away}\r\n")),
        "/same" => status("302 Found", "Location: /end\r\n"),
        _ => ok("end"),
    });
    *last.lock().unwrap() = home.url("/end");
    for (path, kept) in [("/same", "Authorization Cookie X-Key"), ("/out", "")] {
        let client = Client::new();
        let request = client
            .get(&home.url(path))
            .basic("me", "word")
            .field("Cookie", "a=b")
            .field("Proxy-Authorization", "Basic x")
            .field("X-Key", "secret")
            .options(|options| options.sensitive.push("x-key".parse().unwrap()));
        assert_eq!(request.send().unwrap().text(100).unwrap(), "end");
        let seen: Vec<String> = home.notes.take().iter().map(|request| secrets(request)).collect();
        assert_eq!(seen, ["Authorization Cookie X-Key", kept], "{path}");
        assert!(far.notes.take().iter().all(|request| secrets(request).is_empty()));
    }
}

#[test]
fn security_redirects_passwords_of_a_vault_and_of_a_url_stay_with_their_origin() {
    let far = Server::http(|request| ok(&summary(request)));
    let away = far.url("/away");
    let home = Server::http(move |_| status("302 Found", &format!("Location: {away}\r\n")));
    let at_once = with(Login::new(vault(&home)).at_once());
    let with_url = home.url("/").replace("http://", "http://me:word@");
    for (client, url) in [(at_once, home.url("/")), (Client::new(), with_url)] {
        let said = client.get(&url).send().unwrap().text(100).unwrap();
        assert_eq!(said, "/away none");
        assert_eq!(authorization(&home.notes.take()[0]), MINE);
    }
}

#[test]
fn security_netrc_is_asked_for_each_host_anew() {
    let far = Server::http(|request| ok(&summary(request)));
    let away = far.url("/away").replace("127.0.0.1", "localhost");
    let home = Server::http(move |_| status("302 Found", &format!("Location: {away}\r\n")));
    // The other host has an entry with a name and no password.
    let netrc = "machine 127.0.0.1 login me password word machine localhost login other";
    let client = with(Login::new(Netrc::parse(netrc).unwrap()).at_once());
    let said = client.get(&home.url("/")).send().unwrap().text(100).unwrap();
    assert_eq!(said, "/away none");
    assert_eq!(authorization(&home.notes.take()[0]), MINE);
}

#[test]
fn content_that_can_be_sent_once_is_not_sent_again_for_a_challenge() {
    let server = asking("Basic realm=here");
    let client = with(Login::new(vault(&server)));
    let content = || avocet_client::Content::Reader {
        size: Some(3),
        reader: Box::new(&b"abc"[..]),
        trailers: avocet_wire::FieldBuf::new(),
    };
    let response = client.put(&server.url("/")).content(content()).send().unwrap();
    assert_eq!(response.status(), 401);
    drop(response);
    assert_eq!(client.put(&server.url("/")).content("abc").send().unwrap().status(), 200);
    assert!(server.notes.take().iter().all(|request| request.ends_with("\r\n\r\nabc")));
}

#[cfg(feature = "digest")]
mod by_digest {
    use std::fmt::Write;

    use avocet_semantics::auth::digest::{Algorithm, Exchange, Protection, proof};
    use avocet_semantics::auth::{self, digest};
    use md5::Md5;
    use sha2::{Digest, Sha256, Sha512_256};

    use super::*;

    fn hash(algorithm: Algorithm, bytes: &[u8]) -> String {
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").unwrap();
                text
            })
        };
        match algorithm {
            Algorithm::Md5 | Algorithm::Md5Sess => hex(&Md5::digest(bytes)),
            Algorithm::Sha256 | Algorithm::Sha256Sess => hex(&Sha256::digest(bytes)),
            _ => hex(&Sha512_256::digest(bytes)),
        }
    }

    /// What is wrong with the credentials of a request, as a server sees it.
    fn fault(request: &str) -> Option<String> {
        let value = field(request, "Authorization")?.to_owned();
        let scheme = auth::credentials(value.as_bytes()).ok()?;
        let given = digest::Credentials::from_scheme(&scheme)?;
        let mut line = request.split(' ');
        let (method, target) = (line.next()?, line.next()?);
        let content = request.split_once("\r\n\r\n")?.1;
        let exchange = Exchange {
            algorithm: given.algorithm,
            username: b"me",
            realm: b"here",
            nonce: &given.nonce,
            method,
            uri: target.as_bytes(),
            protection: given.protection,
            cnonce: &given.cnonce,
            count: given.count,
            content_hash: &hash(given.algorithm, content.as_bytes()),
        };
        let expected = proof(&exchange, b"word", |bytes| hash(given.algorithm, bytes));
        let right = *given.response == *expected.as_bytes() && *given.uri == *target.as_bytes();
        Some(if right { String::new() } else { format!("{value} is wrong for {target}") })
    }

    /// Takes Digest alone, and a nonce for two requests.
    fn server(challenge: &'static str) -> Server {
        Server::http(move |request| {
            let count = field(request, "Authorization").map_or(0, |value| {
                let count = value.split("nc=").nth(1).map_or("1", |rest| &rest[..8]);
                u32::from_str_radix(count, 16).unwrap_or(1)
            });
            let ask = |stale: &str| {
                let fields = format!("WWW-Authenticate: {challenge}{stale}\r\n");
                status("401 Unauthorized", &fields)
            };
            match fault(request) {
                None => ask(""),
                Some(fault) if !fault.is_empty() => ok(&fault),
                Some(_) if count > 2 => ask(", stale=true"),
                Some(_) => ok("welcome"),
            }
        })
    }

    #[test]
    fn every_algorithm_and_protection() {
        for challenge in [
            "Digest realm=\"here\", nonce=\"abc\"",
            "Digest realm=here, nonce=abc, qop=\"auth,auth-int\", opaque=\"xyz\"",
            "Digest realm=here, nonce=abc, qop=auth-int, algorithm=MD5-sess",
            "Digest realm=here, nonce=abc, qop=auth, algorithm=SHA-256",
            "Digest realm=here, nonce=abc, qop=auth-int, algorithm=SHA-256-sess",
            "Digest realm=here, nonce=abc, qop=auth, algorithm=SHA-512-256",
            "Basic realm=here, Digest realm=here, nonce=abc, qop=auth",
            "Digest realm=here, nonce=abc, algorithm=UNKNOWN, Digest realm=here, nonce=abc",
        ] {
            let server = server(challenge);
            let client = with(Login::new(vault(&server)));
            for (path, content) in [("/a?b=c", ""), ("/b", "content"), ("/c%20d", "more")] {
                let request = client.post(&server.url(path)).content(content);
                let said = request.send().unwrap().text(1000).unwrap();
                assert_eq!(said, "welcome", "{challenge}");
            }
            let requests = server.notes.take();
            assert!(requests.len() <= 5, "{challenge}: {requests:#?}");
            assert!(requests.iter().all(|request| !request.contains("Basic")));
        }
    }

    #[test]
    fn basic_is_not_fallen_back_to_where_it_must_not() {
        let server = asking("Basic realm=here");
        let client = with(Login::new(vault(&server)).without_basic());
        assert_eq!(client.get(&server.url("/")).send().unwrap().status(), 401);
        assert_eq!(server.notes.take().len(), 1);
    }

    #[test]
    fn what_proves_content_needs_it_in_hand() {
        let server = server("Digest realm=here, nonce=abc, qop=auth-int");
        let client = with(Login::new(vault(&server)));
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &[b'x'; 200_000]).unwrap();
        let file = avocet_client::Content::file(file).unwrap();
        let parts = avocet_client::Content::Parts(vec!["a".into(), file]);
        let said = client.post(&server.url("/")).content(parts).send().unwrap();
        assert_eq!({ said }.text(100).unwrap(), "welcome");
        let reader = avocet_client::Content::Reader {
            size: Some(3),
            reader: Box::new(&b"abc"[..]),
            trailers: avocet_wire::FieldBuf::new(),
        };
        let response = client.post(&server.url("/")).content(reader).send().unwrap();
        assert_eq!(response.status(), 401);
    }

    #[test]
    fn protection_of_the_old_kind_needs_no_count() {
        let server = server("Digest realm=here, nonce=abc");
        let client = with(Login::new(vault(&server)));
        client.get(&server.url("/")).send().unwrap();
        let sent = server.notes.take().remove(1);
        let value = field(&sent, "Authorization").unwrap();
        assert!(!value.contains("qop=") && !value.contains("nc="), "{value}");
        assert_eq!(Protection::from_name("auth"), Some(Protection::Auth));
    }
}
