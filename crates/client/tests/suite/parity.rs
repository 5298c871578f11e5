//! The rows of asyncore, urllib and requests that the high-level faces answer, and the recipes. Rows of
//! httplib stand in `raw.rs`; `docs/internals/client-parity.md` lists all of them.

use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use avocet_client::{
    Client, Config, Credentials, ErrorKind, Hook, Hop, Login, Multi, Phase, Proxies, Request,
    TransferEvent, Vault, Verdict,
};
use avocet_wire::{FieldBuf, ResponseHead};
use http::{Method, StatusCode};

use crate::support::Server;
use crate::support::servers::{field, http_proxy, ok, read_request, status};

fn echo() -> Server {
    Server::http(ok)
}

#[test]
fn parity_a1_a3_many_transfers_on_one_thread_tell_what_happens() {
    let server = echo();
    let mut multi = Multi::new(Config::default()).unwrap();
    for n in 0..200 {
        multi.start(Request::get(&server.url(&format!("/{n}"))).unwrap()).unwrap();
    }
    let (mut heads, mut ends) = (0, 0);
    while !multi.is_empty() {
        multi.turn(Some(Duration::from_secs(5))).unwrap();
        while let Some((_, event)) = multi.next_event() {
            match event {
                TransferEvent::Head(head) => heads += u32::from(head.status().is_success()),
                TransferEvent::End(_) => ends += 1,
                TransferEvent::Failed(error) => panic!("{error}"),
                _ => {}
            }
        }
    }
    assert_eq!((heads, ends), (200, 200));
}

#[test]
fn parity_u1_r1_every_method_in_one_call_and_no_other_scheme() {
    let (server, client) = (echo(), Client::new());
    let url = server.url("/");
    for (request, method) in [
        (client.get(&url), "GET"),
        (client.post(&url), "POST"),
        (client.put(&url), "PUT"),
        (client.patch(&url), "PATCH"),
        (client.delete(&url), "DELETE"),
        (client.options(&url), "OPTIONS"),
        (client.request(Method::from_bytes(b"SPAM").unwrap(), &url), "SPAM"),
    ] {
        assert!(request.send().unwrap().text(1000).unwrap().starts_with(&format!("{method} / ")));
    }
    for scheme in ["ftp://h/", "file:///etc/passwd", "data:,x"] {
        assert_eq!(client.get(scheme).send().err().unwrap().kind(), ErrorKind::Url, "{scheme}");
    }
}

#[test]
fn parity_u3_r4_redirects_by_status_with_their_history() {
    for (code, method, kept) in [
        (301, Method::POST, "GET"),
        (302, Method::POST, "GET"),
        (303, Method::PUT, "GET"),
        (307, Method::POST, "POST"),
        (308, Method::POST, "POST"),
        (302, Method::PUT, "PUT"),
        (303, Method::HEAD, "HEAD"),
    ] {
        let server = Server::http(move |request| match request.split(' ').nth(1).unwrap() {
            "/to" => ok(if request.starts_with("HEAD") { "" } else { request }),
            _ => status(&format!("{code} Go"), "Location: /to\r\n"),
        });
        let client = Client::new();
        let request = client.request(method.clone(), &server.url("/from"));
        let request = if method == Method::HEAD { request } else { request.content("c") };
        let response = request.send().unwrap();
        assert_eq!(response.url().path(), "/to");
        assert_eq!(response.history()[0].status.as_u16(), code);
        let last = server.notes.take().remove(1);
        assert!(last.starts_with(&format!("{kept} /to ")), "{code} {method}: {last}");
        assert_eq!(last.ends_with("\r\n\r\nc"), kept == method.as_str() && kept != "HEAD");
    }
}

#[test]
fn parity_u5_r2_fields_of_a_request_and_of_the_client_keep_case_and_order() {
    let server = echo();
    let mut config = Config::default();
    for (name, value) in [("X-One", "1"), ("X-One", "2"), ("User-Agent", "client")] {
        config.fields.push_raw(name, value).unwrap();
    }
    let client = Client::with_config(config);
    let request = client.get(&server.url("/")).field("uSER-aGENT", "own").field("b", "2");
    let asked = request.send().unwrap().text(1000).unwrap();
    let lines: Vec<&str> = asked.lines().skip(2).take(4).collect();
    assert_eq!(lines, ["uSER-aGENT: own", "b: 2", "X-One: 1", "X-One: 2"]);
}

/// Repeats what was answered with 503, once.
struct Again;

impl Hook for Again {
    fn on_response(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) -> Verdict {
        if head.status == StatusCode::SERVICE_UNAVAILABLE && hop.repeats == 0 {
            let mut fields = FieldBuf::new();
            fields.push_raw("X-Again", "yes").unwrap();
            return Verdict::Repeat(fields);
        }
        Verdict::Proceed
    }
}

#[test]
fn parity_u6_hooks_see_every_hop_and_may_have_it_repeated() {
    let server = Server::http(|request| match field(request, "X-Again") {
        Some(_) => ok("done"),
        None => status("503 Busy", ""),
    });
    let mut config = Config::default();
    config.hooks.push(Arc::new(Again));
    let mut response = Client::with_config(config).get(&server.url("/")).send().unwrap();
    assert_eq!((response.status().as_u16(), response.text(9).unwrap().as_str()), (200, "done"));
}

#[test]
fn parity_u7_r2_one_connection_serves_request_after_request() {
    let server = Server::new(|mut stream, notes| {
        notes.add("connection");
        while read_request(&mut stream).is_some() {
            stream.write_all_of(&ok("x"));
        }
    });
    let client = Client::new();
    for _ in 0..5 {
        assert_eq!(client.get(&server.url("/")).send().unwrap().text(9).unwrap(), "x");
    }
    assert_eq!(server.notes.take().len(), 1);
}

trait WriteAllOf {
    fn write_all_of(&mut self, text: &str);
}

impl<W: std::io::Write> WriteAllOf for W {
    fn write_all_of(&mut self, text: &str) {
        self.write_all(text.as_bytes()).unwrap();
    }
}

#[test]
fn parity_u12_u13_passwords_by_origin_path_and_realm() {
    let server = Server::http(|request| match field(request, "Authorization") {
        Some(value) => ok(value),
        None => status("401 Unauthorized", "WWW-Authenticate: Basic realm=\"wiki\"\r\n"),
    });
    let mut vault = Vault::new();
    let url = server.url("/w/").parse().unwrap();
    vault.add(&url, Some("wiki"), Credentials::new("me", "word"));
    let mut config = Config::default();
    config.hooks.push(Arc::new(Login::new(vault)));
    let client = Client::with_config(config);
    let said = client.get(&server.url("/w/page")).send().unwrap().text(100).unwrap();
    assert_eq!(said, "Basic bWU6d29yZA==");
    assert_eq!(client.get(&server.url("/other")).send().unwrap().status(), 401);
}

#[test]
fn parity_u14_a_status_is_an_error_only_where_that_is_wanted() {
    let server = Server::http(|_| status("404 Not Found", ""));
    let response = Client::new().get(&server.url("/x")).send().unwrap();
    assert_eq!(response.status(), 404);
    let error = response.error_for_status().err().unwrap();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(StatusCode::NOT_FOUND)));
    assert!(error.to_string().contains("/x: "), "{error}");
}

#[test]
fn parity_r5_r9_time_outs_are_on_and_errors_name_kind_phase_and_url() {
    let timeouts = Config::default().timeouts;
    assert_eq!((timeouts.connect.as_secs(), timeouts.between.as_secs()), (10, 30));
    let silent = Server::new(|mut stream, _| while read_request(&mut stream).is_some() {});
    let client = Client::new();
    let request = client.get(&silent.url("/slow"));
    let late = request.options(|options| options.total = Some(Duration::from_millis(50)));
    let error = late.send().err().unwrap();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Timeout, Phase::Head));
    assert_eq!(error.url(), Some(silent.url("/slow").as_str()));
}

#[test]
fn parity_r6_lines_text_times_and_bytes() {
    let server = Server::http(|_| ok("one\ntwo\r\nthree"));
    let response = Client::new().get(&server.url("/")).send().unwrap();
    assert!(response.times().unwrap().head.is_some());
    let lines: Vec<String> = response.lines().map(Result::unwrap).collect();
    assert_eq!(lines, ["one", "two", "three"]);
    let mut response = Client::new().get(&server.url("/")).send().unwrap();
    assert_eq!(response.content(3).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn recipe_1_a_page_in_one_call() {
    let server = Server::http(|_| ok("the page"));
    let page = Client::new().get(&server.url("/")).send().unwrap().text(1 << 20).unwrap();
    assert_eq!(page, "the page");
}

#[test]
fn recipe_5_through_a_proxy() {
    let proxy = http_proxy(None);
    let address = proxy.address.to_string();
    let mut config = Config::default();
    config.proxies = Arc::new(Proxies::all(address.parse().unwrap()));
    let said = Client::with_config(config).get("http://a.test/").send().unwrap().text(100).unwrap();
    assert_eq!(said, "proxy: GET http://a.test/ HTTP/1.1 for a.test");
}

#[test]
fn recipe_6_does_the_page_exist() {
    let server = Server::http(|request| match request.split(' ').nth(1).unwrap() {
        "/there" => "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n".to_owned(),
        _ => status("404 Not Found", ""),
    });
    let client = Client::new();
    let is_there = |path| client.head(&server.url(path)).send().unwrap().status().is_success();
    assert!(is_there("/there") && !is_there("/gone"));
}

#[test]
fn recipe_7_posing_as_a_browser() {
    let server = echo();
    let agent = "Mozilla/5.0 (X11; rv:20.0) Firefox/20.0";
    let client = Client::new();
    let request = client.get(&server.url("/")).field("User-Agent", agent);
    let asked = request.send().unwrap().text(1000).unwrap();
    assert_eq!(field(&asked, "User-Agent"), Some(agent));
    assert_eq!(asked.matches("User-Agent").count(), 1);
    let split = client.get(&server.url("/")).field("User-Agent", "a\r\nX: b").send();
    assert_eq!(split.err().unwrap().kind(), ErrorKind::Request);
}
