//! What the programs of the books had, row by row, where no other file has the row.

use avocet_net::{Address, WorkerPool};
use avocet_server::{
    InvalidRoute, LineLog, LogFormat, Methods, Reply, Request, Response, Router, Server, blocking,
    respond,
};
use http::{HeaderName, Method};

use crate::support::{get, responses, serve};

#[test]
fn parity_b1_a_server_knows_its_address_and_asks_no_name_server() {
    let bound = Server::new(respond(|request| {
        let Address::Ip(local) = &request.peer().local else { panic!("not an internet address") };
        Response::text(local.to_string())
    }))
    .workers(1)
    .bind()
    .unwrap();
    // Without an address it is any free port of this machine, known before the first request.
    let Address::Ip(address) = bound.addresses()[0] else { panic!("not an internet address") };
    assert!(address.ip().is_loopback() && address.port() != 0);
    let handle = bound.handle();
    let thread = std::thread::spawn(move || bound.run());
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut all = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut all).unwrap();
    assert_eq!(responses(&all)[0].text(), address.to_string());
    handle.stop(avocet_server::Grace::NONE);
    thread.join().unwrap().unwrap();
}

#[test]
fn parity_b2_threads_answer_at_once_and_are_bounded() {
    let pool = std::sync::Arc::new(WorkerPool::with_bounds(4, 16));
    let meeting = std::sync::Arc::new(std::sync::Barrier::new(4));
    let running = serve(blocking(pool, move |_, responder| {
        // Four functions can only meet if they run at the same time.
        meeting.wait();
        std::io::Write::write_all(responder, b"met")
    }));
    let mut clients: Vec<_> = (0..4).map(|_| running.connect()).collect();
    for client in &mut clients {
        client.send(get("/"));
    }
    for client in &mut clients {
        assert_eq!(client.receive().text(), "met");
    }
}

#[test]
fn parity_b3_one_connection_carries_requests_until_somebody_closes() {
    let running = serve(respond(|request| Response::text(request.path().to_owned())));
    let mut client = running.connect();
    for path in ["/a", "/b", "/c"] {
        client.send(get(path));
        assert_eq!(client.receive().text(), path);
    }
    // A line or a head beyond its limit: 414 and 431.
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(70_000));
    assert_eq!(running.ask(&long).status, 414);
    let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(101));
    assert_eq!(running.ask(&many).status, 431);
}

#[test]
fn parity_b5_a_request_has_typed_parts_and_its_raw_line() {
    let running = serve(|request: &Request<'_>, reply: Reply<'_>| {
        assert_eq!(request.head().raw_line, b"PUT //a/../b?c HTTP/1.1");
        assert_eq!(*request.method(), Method::PUT);
        // The path is not touched: neither `//` nor `..` is folded behind the handler's back.
        assert_eq!((request.path(), request.query()), ("//a/../b", Some("c")));
        assert_eq!(request.version(), http::Version::HTTP_11);
        let Address::Ip(client) = request.peer().remote else { panic!("not an internet address") };
        assert!(client.ip().is_loopback());
        reply.collect(100, |request, content, reply| {
            assert_eq!(request.head().raw_line, b"PUT //a/../b?c HTTP/1.1");
            reply.send(Response::ok(content).closing());
        });
    });
    let mut client = running.connect();
    client.send("PUT //a/../b?c HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    let received = client.receive();
    assert_eq!(received.text(), "abc");
    assert!(received.closes());
    client.expect_end();
}

#[test]
fn parity_b7_every_answer_is_http_1_1_and_framed() {
    let running = serve(respond(|request| match request.path() {
        "/204" => Response::new(http::StatusCode::NO_CONTENT),
        "/chunked" => {
            let (sender, body) = avocet_server::channel(1, None);
            sender.finish(avocet_wire::FieldBuf::new());
            Response::ok(body)
        }
        _ => Response::text("hello"),
    }));
    for (path, version) in [("/", "1.1"), ("/chunked", "1.1"), ("/", "1.0"), ("/chunked", "1.0")] {
        let request = format!("GET {path} HTTP/{version}\r\nHost: h\r\n\r\n");
        let received = running.ask(&request);
        assert!(received.head.starts_with("HTTP/1.1 200 "), "{path} {version}");
        let framings = [received.field("Content-Length"), received.field("Transfer-Encoding")];
        let expected = usize::from(version == "1.1" || path == "/");
        assert_eq!(framings.iter().flatten().count(), expected, "{path} {version}");
    }
}

#[test]
fn parity_b10_fields_keep_their_order_their_case_and_their_number() {
    let running = serve(respond(|request| {
        let lines: Vec<_> = request
            .fields()
            .iter()
            .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)))
            .collect();
        Response::text(lines.join("|"))
    }));
    let request = "GET / HTTP/1.1\r\nhOsT: h\r\nX-B: 2\r\nx-a: 1\r\nX-b: 3\r\n\r\n";
    assert_eq!(running.ask(request).text(), "hOsT=h|X-B=2|x-a=1|X-b=3");
}

#[test]
fn parity_b19_a_small_program_serves_with_a_log_and_ends_in_order() {
    let log = LineLog::new(LogFormat::Common, std::io::sink()).unwrap();
    let router = Router::new().get("/", respond(|_| Response::text("Hello from server!"))).unwrap();
    let bound = Server::new(router).access_log(log).workers(1).bind().unwrap();
    let printed = format!("Serving HTTP on {} ...", bound.addresses()[0]);
    assert!(printed.starts_with("Serving HTTP on 127.0.0.1:"), "{printed}");
    let handle = bound.handle();
    let thread = std::thread::spawn(move || bound.run());
    handle.stop(avocet_server::Grace::default());
    assert!(thread.join().unwrap().is_ok());
}

fn birds() -> Result<Router, InvalidRoute> {
    let show = |name: &'static str| {
        respond(move |request: &Request<'_>| {
            let value = request.param(name).unwrap_or("none");
            Response::text(format!("{name}={value}"))
        })
    };
    Router::new()
        .get("/birds/{name}", show("name"))?
        .get("/birds/{name}/eggs/{number}", show("number"))?
        .get("/files/{*rest}", show("rest"))?
        .post("/birds/{name}", show("name"))?
        .route("/birds", Methods::new().get(show("none")))
}

#[test]
fn routes_have_parameters_and_paths_are_not_decoded() {
    let running = serve(birds().unwrap());
    let ask = |path: &str| running.ask(&get(path));
    assert_eq!(ask("/birds/avocet").text(), "name=avocet");
    assert_eq!(ask("/birds/avocet?x=/y").text(), "name=avocet");
    assert_eq!(ask("/birds/a%2Fb%20c").text(), "name=a%2Fb%20c");
    assert_eq!(ask("/birds/a/eggs/3").text(), "number=3");
    assert_eq!(ask("/files/a/b/../c").text(), "rest=a/b/../c");
    assert_eq!(ask("/birds").text(), "none=none");
    for missing in ["/", "/bird", "/birds/", "/birds/a/eggs", "/Birds/a", "//birds/a"] {
        assert_eq!(ask(missing).status, 404, "{missing}");
    }
    let received = running.ask("DELETE /birds/a HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(received.field("Allow"), Some("GET, HEAD, OPTIONS, POST"));
    // The absolute form leads to the same path.
    let received = running.ask("GET http://other/birds/a HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(received.text(), "name=a");
}

#[test]
fn a_route_that_cannot_be_is_a_clear_error() {
    let hello = || respond(|_| Response::text("hello"));
    for path in ["/birds/{other}", "/{a}{b}", "/{", "/files/{*rest}/more"] {
        let error = birds().unwrap().get(path, hello()).err();
        let error = error.unwrap_or_else(|| panic!("{path} was taken")).to_string();
        assert!(error.contains(path), "{error}");
    }
}

#[test]
fn a_fallback_answers_what_no_route_does() {
    let router = birds().unwrap().fallback(respond(|request| {
        Response::text(format!("no {} here", request.path()))
            .with_field(&HeaderName::from_static("x-fallback"), "1")
            .unwrap()
    }));
    let running = serve(router);
    assert_eq!(running.ask(&get("/nowhere")).text(), "no /nowhere here");
    assert_eq!(running.ask(&get("/birds/a")).text(), "name=a");
    assert_eq!(running.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").status, 204);
}
