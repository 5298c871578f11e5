//! The classes of attack on a client, each by name. Redirects and passwords stand in `logins.rs`, URLs,
//! netrc and proxy variables beside their code.

use std::io::Write;
use std::sync::Arc;

use avocet_client::{Client, Config, ErrorKind, Hook, Hop, Request, Verdict};
use avocet_wire::ResponseHead;
use http::Method;

use crate::support::servers::{ok, read_request};
use crate::support::{Server, World};

#[test]
fn security_incomplete_answers_are_errors_and_never_the_whole() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf",
        "HTTP/1.1 200 OK\r\nContent-Length: 4",
        "",
    ] {
        let mut world = World::new();
        let id = world.get("http://h/");
        let mut far = world.far();
        far.send(answer);
        drop(far);
        assert_eq!(world.failure(id).kind(), ErrorKind::CutShort, "{answer:?}");
    }
}

/// CVE-2023-38039 and its like: each of these would go on for ever.
#[test]
fn security_endless_heads_interims_and_trailers_meet_their_bounds() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    for (start, again) in [
        ("HTTP/1.1 200 OK\r\n", "X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"),
        ("HTTP/1.1 200 OK\r\nX: ", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
        ("", "HTTP/1.1 102 Processing\r\n\r\n"),
        (chunked, "X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"),
    ] {
        let mut world = World::new();
        let id = world.get("http://h/");
        let mut far = world.far();
        far.send(start);
        let mut sent = 0;
        while world.is_under_way(id) {
            far.send(again.repeat(100));
            sent += 100 * again.len();
            assert!(sent < 1 << 20, "{again:?} goes on after {sent} bytes");
        }
        assert_eq!(world.failure(id).kind(), ErrorKind::Limit, "{again:?}");
    }
}

/// A length that no memory holds is not allocated, and not believed either.
#[test]
fn security_declared_lengths_choose_no_allocation() {
    let mut world = World::new();
    let id = world.get("http://h/");
    let mut far = world.far();
    far.send("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nhalf");
    assert_eq!(world.outcome(id).content, b"half");
    drop(far);
    assert_eq!(world.failure(id).kind(), ErrorKind::CutShort);
    let id = world.get("http://h/");
    let mut far = world.far();
    far.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n");
    assert_eq!(world.failure(id).kind(), ErrorKind::Protocol);
}

#[test]
fn security_redirects_are_counted_and_lead_to_http_alone() {
    for location in ["file:///etc/passwd", "ftp://h/", "javascript:x", "/\\evil", "http://a@b@c/"] {
        let mut world = World::new();
        let id = world.get("http://h/");
        let mut far = world.far();
        far.send(format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        ));
        assert_eq!(world.failure(id).kind(), ErrorKind::Redirect, "{location}");
    }
    let mut world = World::new();
    let id = world.get("https://h/");
    let mut far = world.far();
    far.send("HTTP/1.1 302 Found\r\nLocation: http://h/\r\nContent-Length: 0\r\n\r\n");
    assert!(world.failure(id).message().contains("https to http"));
    let id = world.get("http://h/");
    let mut far = world.far();
    for _ in 0..11 {
        far.send("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
        world.settle();
    }
    assert_eq!(world.failure(id).message(), "more than 10 redirects");
}

#[test]
fn security_reuse_of_connections_only_between_equal_routes_and_in_step() {
    // Content after 204, 304 and the answer to HEAD belongs to nobody.
    for (method, answer) in [
        (Method::GET, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n"),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\n"),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    ] {
        let mut world = World::new();
        let id = world.start(Request::new(method, "http://h/").unwrap());
        let mut far = world.far();
        far.send(answer);
        assert_eq!(world.done(id).1, "");
        assert_eq!(world.multi.connections(), (0, 0), "{answer}");
        assert!(far.is_closed());
    }
}

/// A hook that makes a request itself with the client that it belongs to.
struct Nested(std::sync::OnceLock<Client>, String);

impl Hook for Nested {
    fn on_response(&self, hop: &Hop<'_>, _: &ResponseHead<'_>) -> Verdict {
        if hop.url.path() == "/outer" {
            let inner = self.0.get().unwrap().get(&self.1).send().unwrap().text(100).unwrap();
            assert_eq!(inner, "inner");
        }
        Verdict::Proceed
    }
}

#[test]
fn a_hook_may_use_its_own_client_while_the_engine_turns() {
    let server = Server::http(|request| {
        ok(if request.starts_with("GET /outer ") { "outer" } else { "inner" })
    });
    let hook = Arc::new(Nested(std::sync::OnceLock::new(), server.url("/inner")));
    let mut config = Config::default();
    config.hooks.push(hook.clone());
    let client = Client::with_config(config);
    hook.0.set(client.clone()).ok().unwrap();
    for _ in 0..3 {
        assert_eq!(client.get(&server.url("/outer")).send().unwrap().text(100).unwrap(), "outer");
    }
}

/// The writer of a copy may use the client too, and a response may be dropped unread meanwhile.
#[test]
fn a_copy_may_go_into_another_request() {
    struct Relay<'a>(&'a Client, String, usize);
    impl Write for Relay<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let request = self.0.post(&self.1).content(bytes.to_vec());
            drop(request.send().map_err(std::io::Error::other)?);
            self.2 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let server = Server::new(|mut stream, _| {
        while let Some(request) = read_request(&mut stream) {
            let content =
                if request.starts_with("GET ") { "x".repeat(500_000) } else { "y".into() };
            drop(stream.write_all(ok(&content).as_bytes()));
        }
    });
    let (client, url) = (Client::new(), server.url("/"));
    let mut relay = Relay(&client, url.clone(), 0);
    assert_eq!(client.get(&url).send().unwrap().copy_to(&mut relay).unwrap(), 500_000);
    assert_eq!(relay.2, 500_000);
}
