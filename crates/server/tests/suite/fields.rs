//! Fields that the library sends of itself.

use std::time::{Duration, SystemTime};

use avocet_semantics::dates;
use avocet_server::{Config, Response, Server, respond};
use avocet_wire::{FieldBuf, InvalidField};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, DATE, SERVER, TRANSFER_ENCODING};

use crate::support::{Simulated, fields, get, serve, serve_with};

#[test]
fn parity_b16_date_is_now_in_the_preferred_format() {
    let running = serve(respond(|_| Response::text("hello")));
    for request in [get("/"), "nonsense\r\n\r\n".to_owned()] {
        // The loop's clock is that of its turn, so that a Date may be that of the second before.
        let before = dates::seconds(SystemTime::now()) - 1;
        let received = running.ask(&request);
        let date = dates::parse(received.field("Date").unwrap().as_bytes(), before).unwrap();
        let after = dates::seconds(SystemTime::now());
        assert!((before..=after).contains(&date), "{date}");
        assert_eq!(received.fields("Date").len(), 1);
    }
}

#[test]
fn date_is_renewed() {
    let mut simulated = Simulated::new(Server::new(respond(|_| Response::text("hello"))));
    let mut peer = simulated.connect();
    peer.send(get("/"));
    simulated.turn();
    let first = peer.received().unwrap().field("Date").unwrap().to_owned();
    // The Date of a later second of the loop's clock is looked up again: with a real second between
    // them the two differ.
    let begin = SystemTime::now();
    while begin.elapsed().unwrap() < Duration::from_millis(1001) {
        std::thread::sleep(Duration::from_millis(50));
    }
    simulated.advance(Duration::from_millis(1001));
    peer.send(get("/"));
    simulated.turn();
    assert_ne!(peer.received().unwrap().field("Date").unwrap(), first);
}

#[test]
fn parity_b6_the_server_field_is_settable() {
    let named = |name: Option<&str>| {
        let mut config = Config::default();
        config.server_name = name.map(str::to_owned);
        let running = serve_with(Server::new(respond(|_| Response::text("hi"))).config(config));
        running.ask(&get("/")).field("Server").map(str::to_owned)
    };
    assert_eq!(named(Some("puffin/1")).as_deref(), Some("puffin/1"));
    assert_eq!(named(None), None);
    let running = serve(respond(|_| Response::text("hi")));
    assert_eq!(running.ask(&get("/")).field("Server"), Some("avocet"));
}

#[test]
fn a_server_name_that_is_no_field_value_is_refused_at_once() {
    let mut config = Config::default();
    config.server_name = Some("a\r\nX: y".to_owned());
    let server = || Server::new(respond(|_| Response::text("hi"))).config(config.clone());
    assert!(server().bind().is_err());
    assert!(server().connections().is_err());
}

#[test]
fn common_fields_go_with_every_response() {
    let mut config = Config::default();
    config.common_fields = fields(&[(CACHE_CONTROL, "no-store"), (SERVER, "mine")]);
    let handler = respond(|request| match request.path() {
        "/error" => Response::error(StatusCode::NOT_FOUND),
        _ => Response::text("hi"),
    });
    let running = serve_with(Server::new(handler).config(config));
    for request in [get("/"), get("/error"), "nonsense\r\n\r\n".to_owned()] {
        let received = running.ask(&request);
        assert_eq!(received.fields("Cache-Control"), ["no-store"]);
        assert_eq!(received.fields("Server"), ["mine"]);
    }
}

#[test]
fn date_and_server_of_a_response_take_the_place_of_ours() {
    // A proxy passes on those of its origin; two of them would be malformed.
    let sent = "Sun, 06 Nov 1994 08:49:37 GMT";
    let running = serve(respond(move |request| {
        let response = Response::text("hi");
        match request.path() {
            "/date" => response.with_field(&DATE, sent),
            "/server" => response.with_field(&SERVER, "origin"),
            _ => response.with_field(&DATE, sent).and_then(|r| r.with_field(&SERVER, "origin")),
        }
        .unwrap()
    }));
    let received = running.ask(&get("/date"));
    assert_eq!((received.fields("Date"), received.fields("Server")), (vec![sent], vec!["avocet"]));
    let received = running.ask(&get("/server"));
    assert_eq!(received.fields("Server"), ["origin"]);
    assert_eq!(received.fields("Date").len(), 1);
    let received = running.ask(&get("/both"));
    assert_eq!((received.fields("Date"), received.fields("Server")), (vec![sent], vec!["origin"]));
}

#[test]
fn parity_b14_fields_are_checked_when_they_are_set() {
    let mut fields = FieldBuf::new();
    for bad in ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "a\u{1b}b", "a\u{7f}"] {
        assert_eq!(fields.push(&CACHE_CONTROL, bad), Err(InvalidField::Value), "{bad:?}");
    }
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION] {
        let response = Response::text("hi").with_field(&name, "5");
        assert!(matches!(response.err(), Some(InvalidField::Reserved)), "{name}");
    }
    assert!(fields.is_empty());
}

#[test]
fn parity_b13_a_response_is_built_in_steps() {
    let response = Response::new(StatusCode::CREATED)
        .with_body("made")
        .with_field(&CACHE_CONTROL, "no-store")
        .unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.fields().get(&CACHE_CONTROL), Some(&b"no-store"[..]));
    let running = serve(respond(|_| {
        let mut response = Response::new(StatusCode::CREATED).with_body("made");
        response.fields_mut().push(&CACHE_CONTROL, "no-store").unwrap();
        response
    }));
    let received = running.ask(&get("/"));
    assert_eq!((received.status, received.text()), (201, "made"));
    assert_eq!(received.head.lines().next(), Some("HTTP/1.1 201 Created"));
    assert_eq!(received.field("Cache-Control"), Some("no-store"));
}
