//! HEAD, OPTIONS, and methods that are not allowed or not known.

use avocet_server::{
    Body, Handler, InvalidRoute, Methods, Reply, Request, Response, Router, respond,
};
use http::{Method, StatusCode};

use crate::support::{Asked, get, serve};

fn router() -> Result<Router, InvalidRoute> {
    let hello = || respond(|_| Response::text("hello\n"));
    let spam = Method::from_bytes(b"SPAM").unwrap();
    Router::new()
        .get("/", hello())?
        .post("/", hello())?
        .on(Method::PUT, "/only-put", hello())?
        .route("/spam", Methods::new().on(spam, hello()).delete(hello()))?
        .route(
            "/own",
            Methods::new()
                .get(hello())
                .on(Method::HEAD, respond(|_| Response::new(StatusCode::IM_A_TEAPOT)))
                .on(Method::OPTIONS, hello()),
        )
}

fn ask(method: &str, path: &str) -> crate::support::Received {
    let running = serve(router().unwrap());
    let mut client = running.connect();
    client.send(format!("{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
    let asked = if method == "HEAD" { Asked::Head } else { Asked::Other };
    client.receive_for(asked)
}

#[test]
fn head_is_get_without_content() {
    let running = serve(router().unwrap());
    let mut client = running.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    let head = client.receive_for(Asked::Head);
    client.send(get("/"));
    let got = client.receive();
    assert_eq!(got.text(), "hello\n");
    assert_eq!(head.status, 200);
    assert_eq!(head.field("Content-Length"), Some("6"));
    assert_eq!(head.field("Content-Type"), got.field("Content-Type"));
}

#[test]
fn a_handler_of_its_own_wins_over_get_for_head() {
    assert_eq!(ask("HEAD", "/own").status, 418);
}

#[test]
fn head_takes_no_content_of_any_kind_of_body() {
    let handler = |request: &Request<'_>, reply: Reply<'_>| {
        let body: Body = match request.path() {
            "/static" => "content".into(),
            "/owned" => vec![b'x'; 100_000].into(),
            "/shared" => bytes::Bytes::from_static(b"content").into(),
            "/channel" => avocet_server::channel(10, None).1,
            _ => return reply.send(Response::error(StatusCode::NOT_FOUND)),
        };
        reply.send(Response::ok(body));
    };
    let running = serve(handler);
    let mut client = running.connect();
    let expected = [
        ("/static", 200, Some("7")),
        ("/owned", 200, Some("100000")),
        ("/shared", 200, Some("7")),
        ("/channel", 200, None),
        ("/error", 404, None),
    ];
    for (path, status, length) in expected {
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let head = client.receive_for(Asked::Head);
        assert_eq!(head.status, status, "{path}");
        if length.is_some() {
            assert_eq!(head.field("Content-Length"), length, "{path}");
        }
    }
}

#[test]
fn options_names_the_methods() {
    let received = ask("OPTIONS", "/");
    assert_eq!(received.status, 204);
    assert_eq!(received.field("Allow"), Some("GET, HEAD, OPTIONS, POST"));
    assert_eq!(received.field("Content-Length"), None);
    assert_eq!(ask("OPTIONS", "/only-put").field("Allow"), Some("OPTIONS, PUT"));
    assert_eq!(ask("OPTIONS", "/own").text(), "hello\n");
    assert_eq!(ask("OPTIONS", "/nowhere").status, 404);
}

#[test]
fn options_of_the_server_itself() {
    let received = ask("OPTIONS", "*");
    assert_eq!(received.status, 204);
    assert_eq!(received.field("Content-Length"), None);
}

#[test]
fn parity_b4_methods_are_dispatched_by_their_exact_name() {
    assert_eq!(ask("GET", "/").text(), "hello\n");
    assert_eq!(ask("SPAM", "/spam").text(), "hello\n");
    assert_eq!(ask("DELETE", "/spam").text(), "hello\n");
    // A method that is known but not here is 405 with Allow, one that nobody knows 501.
    for method in ["PUT", "DELETE", "PATCH", "TRACE"] {
        let received = ask(method, "/");
        assert_eq!(received.status, 405, "{method}");
        assert_eq!(received.field("Allow"), Some("GET, HEAD, OPTIONS, POST"), "{method}");
    }
    for method in ["get", "Get", "FOOBAR", "SPAM"] {
        assert_eq!(ask(method, "/").status, 501, "{method}");
    }
    assert_eq!(ask("GET", "/spam").field("Allow"), Some("DELETE, OPTIONS, SPAM"));
    assert_eq!(ask("FOOBAR", "/nowhere").status, 404);
}

#[test]
fn connect_is_refused_by_an_origin_server() {
    assert_eq!(ask("CONNECT", "example.com:443").status, 501);
}

#[test]
fn a_later_handler_for_the_same_method_replaces_the_earlier() {
    let methods = Methods::new()
        .get(respond(|_| Response::text("first")))
        .get(respond(|_| Response::text("second")));
    assert_eq!(methods.allow(), "GET, HEAD, OPTIONS");
    let boxed: Box<dyn Handler> = Box::new(methods);
    assert_eq!(serve(boxed).ask(&get("/")).text(), "second");
}
