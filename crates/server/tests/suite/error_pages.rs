//! Pages of errors: by template, per status, as JSON.

use avocet_server::{Config, ErrorPages, Reply, Request, Response, Server, respond};
use http::{HeaderName, StatusCode};

use crate::support::{Asked, Running, get, serve, serve_with};

const WHY: HeaderName = HeaderName::from_static("x-why");

fn status_of(path: &str) -> StatusCode {
    path.trim_start_matches('/').parse().unwrap()
}

/// Answers each path with the error it names.
fn errors() -> impl avocet_server::Handler {
    respond(|request| match request.field(&WHY) {
        Some(why) => {
            let why = String::from_utf8_lossy(why);
            Response::error_because(status_of(request.path()), why)
        }
        None => Response::error(status_of(request.path())),
    })
}

fn with_pages(pages: ErrorPages) -> Running {
    let mut config = Config::default();
    config.error_pages = pages;
    serve_with(Server::new(errors()).config(config))
}

#[test]
fn parity_b9_pages_come_from_a_template() {
    let pages = ErrorPages::template("text/plain", "{code}|{message}|{explain}\n").with_status(
        StatusCode::GONE,
        "text/html",
        "<p>{explain}</p>",
    );
    let running = with_pages(pages);
    let received = running.ask(&get("/404"));
    assert_eq!(received.text(), "404|Not Found|Nothing is found at this address\n");
    assert_eq!(received.field("Content-Type"), Some("text/plain"));
    let received = running.ask("GET /410 HTTP/1.1\r\nHost: h\r\nX-Why: a <\"b\">\r\n\r\n");
    assert_eq!(received.text(), "<p>a &lt;&quot;b&quot;&gt;</p>");
    assert_eq!(received.field("Content-Type"), Some("text/html"));
    // The library's own errors look like the handlers'.
    let received = running.ask("nonsense\r\n\r\n");
    assert!(received.text().starts_with("400|Bad Request|"), "{}", received.text());
}

#[test]
fn parity_b9_statuses_without_content_and_head_have_no_page() {
    let running = serve(errors());
    for status in [204, 205, 304] {
        let mut client = running.connect();
        client.send([get(&format!("/{status}")), get("/404")].concat());
        let received = client.receive();
        assert_eq!((received.status, received.text()), (status, ""));
        assert_eq!(received.field("Content-Type"), None);
        assert_eq!(client.receive().status, 404);
    }
    let mut client = running.connect();
    client.send("HEAD /404 HTTP/1.1\r\nHost: h\r\n\r\n");
    let head = client.receive_for(Asked::Head);
    client.send(get("/404"));
    let page = client.receive();
    assert_eq!(head.status, 404);
    assert_eq!(head.field("Content-Length"), page.field("Content-Length"));
}

#[test]
fn parity_b9_json_is_given_to_those_who_prefer_it() {
    let running = serve(errors());
    let ask = |accept: &str| {
        running.ask(&format!(
            "GET /404 HTTP/1.1\r\nHost: h\r\nX-Why: a\"b\r\nAccept: {accept}\r\n\r\n"
        ))
    };
    for accept in ["application/json", "application/problem+json", "text/html;q=0.5, application/*"]
    {
        let received = ask(accept);
        assert_eq!(received.field("Content-Type"), Some("application/problem+json"), "{accept}");
        assert_eq!(
            received.text(),
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"a\\\"b\"}\n"
        );
        assert_eq!(received.field("Vary"), Some("Accept"));
    }
    for accept in ["text/html", "*/*", "text/html, application/json", "image/png"] {
        let received = ask(accept);
        assert_eq!(received.field("Content-Type"), Some("text/html; charset=utf-8"), "{accept}");
        assert_eq!(received.field("Vary"), Some("Accept"));
    }
}

#[test]
fn late_errors_are_json_too() {
    let handler = |request: &Request<'_>, reply: Reply<'_>| match request.path() {
        "/late" => drop(reply.defer()),
        "/panic" => panic!("on purpose"),
        "/large" => reply.collect(1, |_, _, _| ()),
        _ => reply.collect(100, |_, _, reply| reply.send(Response::error(StatusCode::CONFLICT))),
    };
    let running = serve(handler);
    for (path, status) in [("/late", 500), ("/panic", 500), ("/large", 413), ("/collect", 409)] {
        let received = running.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nAccept: application/json\r\n\r\nab"
        ));
        assert_eq!(received.status, status);
        assert_eq!(received.field("Content-Type"), Some("application/problem+json"), "{path}");
    }
}

#[test]
fn a_template_alone_is_for_everybody() {
    let running = with_pages(ErrorPages::template("text/plain", "{code}"));
    let received = running.ask("GET /404 HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\n\r\n");
    assert_eq!((received.text(), received.field("Vary")), ("404", None));
    let running = with_pages(ErrorPages::template("text/plain", "{code}").with_json());
    let received = running.ask("GET /404 HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\n\r\n");
    assert_eq!(received.field("Content-Type"), Some("application/problem+json"));
}

#[test]
fn parity_b12_an_error_keeps_a_connection_that_is_in_step() {
    let running = serve(errors());
    let mut client = running.connect();
    for status in [404, 403, 500] {
        client.send(get(&format!("/{status}")));
        let received = client.receive();
        assert_eq!(received.status, status);
        assert!(!received.closes());
    }
}

#[test]
fn parity_b11_every_status_has_a_name_and_an_explanation() {
    let running = with_pages(ErrorPages::template("text/plain", "{message}|{explain}"));
    for code in [400, 401, 404, 405, 408, 413, 414, 417, 418, 431, 500, 501, 503, 505, 599] {
        let received = running.ask(&get(&format!("/{code}")));
        let (message, explanation) = received.text().split_once('|').unwrap();
        assert!(message.len() > 2 && explanation.len() > 10, "{code}: {}", received.text());
    }
}

/// The status line and the page under it say the same.
#[test]
fn status_lines_have_the_names_of_the_registry() {
    let running = with_pages(ErrorPages::template("text/plain", "{message}"));
    let mut seen = 0;
    for code in 400..=599 {
        let status = StatusCode::from_u16(code).unwrap();
        if status.canonical_reason().is_none() {
            continue;
        }
        let received = running.ask(&get(&format!("/{code}")));
        let line = received.head.lines().next().unwrap();
        let expected = format!("HTTP/1.1 {code} {}", received.text());
        assert!(line.eq_ignore_ascii_case(&expected), "{line:?} {expected:?}");
        seen += 1;
    }
    assert!(seen > 35);
}
