//! Fields as they are read and as they are written: look-ups, lists, owned heads, the types of the `http` crate.

use avocet_wire::{
    Client, Connection, Event, FieldBuf, FieldTable, HeadError, InvalidField, Leniency, Limits,
    NotSingle, OwnedHead, OwnedResponseHead, RequestHead, ResponseHead, Server, TargetForm,
};
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, COOKIE, ETAG, HOST, SET_COOKIE, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};
use proptest::prelude::*;

use crate::drive;

fn with_request<T>(input: &[u8], use_head: impl FnOnce(RequestHead<'_>) -> T) -> T {
    let mut table = FieldTable::new(Limits::server(), Leniency::strict());
    let step = Connection::<Server>::new().read(input, &mut table).expect("a valid request");
    match step.event {
        Event::Head { head, .. } => use_head(head),
        other => panic!("{other:?}"),
    }
}

fn with_response<T>(input: &[u8], use_head: impl FnOnce(ResponseHead<'_>) -> T) -> T {
    let mut table = FieldTable::new(Limits::client(), Leniency::client());
    let mut connection: Connection<Client> = drive::asking(&Method::GET, false);
    match connection.read(input, &mut table).expect("a valid response").event {
        Event::Head { head, .. } => use_head(head),
        other => panic!("{other:?}"),
    }
}

const REQUEST: &[u8] =
    b"GET /a?b HTTP/1.1\r\nHost: example.com\r\naCCept: text/html\r\nX-Caf\x65: \t a \xe9 \r\n\
    Accept: , \"a,b\" ;q=1,, c\r\nEmpty:\r\nConnection: X, Keep-Alive\r\n\r\n";

#[test]
fn order_case_and_bytes_are_kept() {
    with_request(REQUEST, |head| {
        let lines: Vec<_> = head.fields.iter().collect();
        assert_eq!(
            lines,
            [
                ("Host", &b"example.com"[..]),
                ("aCCept", b"text/html"),
                ("X-Cafe", b"a \xe9"),
                ("Accept", b", \"a,b\" ;q=1,, c"),
                ("Empty", b""),
                ("Connection", b"X, Keep-Alive"),
            ]
        );
        assert_eq!(head.fields.len(), 6);
        assert_eq!(head.fields.iter().len(), 6);
        assert!(!head.fields.is_empty());
        assert_eq!(head.raw_line, b"GET /a?b HTTP/1.1");
        assert!(
            format!("{head:?}").contains("a \\\\xe9"),
            "bytes are escaped where they are shown"
        );
    });
}

#[test]
fn look_ups_ignore_case() {
    with_request(REQUEST, |head| {
        let fields = head.fields;
        assert_eq!(fields.get(&ACCEPT), Some(&b"text/html"[..]));
        assert_eq!(fields.get_all(&ACCEPT).count(), 2);
        assert_eq!(
            fields.list(&ACCEPT).collect::<Vec<_>>(),
            [&b"text/html"[..], b"\"a,b\" ;q=1", b"c"]
        );
        assert_eq!(fields.get(&HeaderName::from_static("empty")), Some(&b""[..]));
        assert_eq!((fields.get(&COOKIE), fields.contains(&COOKIE)), (None, false));
        assert_eq!(fields.single(&ACCEPT), Err(NotSingle));
        assert_eq!(fields.single(&HOST), Ok(Some(&b"example.com"[..])));
        assert_eq!(fields.single(&COOKIE), Ok(None));
        assert_eq!((fields.host(), head.host()), (Some("example.com"), Some("example.com")));
        assert!(head.has_connection_option(&HeaderName::from_static("x")));
        assert!(!head.has_connection_option(&HeaderName::from_static("close")));
        assert!(head.upgrade().is_none());
    });
    let absolute = b"GET http://b:1/ HTTP/1.1\r\nHost: a\r\n\r\n";
    with_request(absolute, |head| {
        assert_eq!((head.host(), head.fields.host()), (Some("b:1"), Some("a")))
    });
}

#[test]
fn an_owned_head_says_the_same_elsewhere() {
    let owned: OwnedHead = with_request(REQUEST, |head| head.to_owned());
    let owned = std::thread::spawn(move || owned).join().expect("it may change threads");
    with_request(REQUEST, |head| {
        let copy = owned.as_head();
        assert_eq!(
            (copy.method, copy.version, copy.raw_line),
            (head.method, head.version, head.raw_line)
        );
        assert_eq!(copy.target, head.target);
        assert!(copy.fields.iter().eq(head.fields.iter()));
    });
    assert_eq!((owned.method(), owned.version()), (&Method::GET, Version::HTTP_11));
    assert_eq!((owned.target().path(), owned.target().query()), ("/a", Some("b")));
    assert_eq!(owned.fields().get(&ACCEPT), Some(&b"text/html"[..]));
    assert_eq!(owned.host(), Some("example.com"));
    assert!(owned.has_connection_option(&HeaderName::from_static("keep-alive")));
    let upgrade = b"GET * HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x, y/1\r\n\r\n";
    let upgrade = [b"OPTIONS", &upgrade[3..]].concat();
    let owned = with_request(&upgrade, |head| head.to_owned());
    assert_eq!(owned.target().form(), TargetForm::Asterisk);
    assert_eq!(owned.upgrade().expect("asked for").collect::<Vec<_>>(), [&b"x"[..], b"y/1"]);
    let bare = with_request(b"GET / HTTP/1.0\r\n\r\n", |head| head.to_owned());
    assert_eq!((bare.fields().len(), bare.host(), bare.target().as_str()), (0, None, "/"));
}

#[test]
fn an_owned_response_head_too_also_when_it_was_folded() {
    let input = b"HTTP/1.1 200 Caf\xe9\r\nX: a\r\n b\r\nETag: \"c\"\r\n\r\n";
    let owned: OwnedResponseHead = with_response(input, |head| head.to_owned());
    assert_eq!((owned.status().as_u16(), owned.reason()), (200, &b"Caf\xe9"[..]));
    assert_eq!(owned.version(), Version::HTTP_11);
    assert_eq!(owned.fields().get(&ETAG), Some(&b"\"c\""[..]));
    let head = owned.as_head();
    assert_eq!(head.fields.iter().next(), Some(("X", &b"a   b"[..])));
}

#[test]
fn requests_become_requests_of_the_http_crate() {
    let request = with_request(REQUEST, |head| head.to_http()).expect("few fields");
    assert_eq!((request.method(), request.version()), (&Method::GET, Version::HTTP_11));
    assert_eq!(request.uri(), &Uri::from_static("/a?b"));
    assert_eq!(request.headers().get_all(ACCEPT).iter().count(), 2);
    for (line, uri) in [
        ("GET //a/b", "//a/b"),
        ("GET http://a:1?b", "http://a:1/?b"),
        ("GET http://a/b?c", "http://a/b?c"),
        ("CONNECT a:443", "a:443"),
        ("OPTIONS *", "*"),
    ] {
        let input = format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n");
        let request = with_request(input.as_bytes(), |head| head.to_http()).expect(line);
        assert_eq!(request.uri().to_string(), uri, "{line}");
    }
    let long = format!("GET /{} HTTP/1.0\r\n{}: y\r\n\r\n", "a".repeat(100), "X".repeat(32_000));
    assert!(with_request(long.as_bytes(), |head| head.to_http()).is_ok());
    let limits = Limits { request_line: 100_000, head: 200_000, ..Limits::server() };
    let mut table = FieldTable::new(limits, Leniency::strict());
    let long = format!("GET /{} HTTP/1.0\r\n\r\n", "a".repeat(66_000));
    let step = Connection::<Server>::new().read(long.as_bytes(), &mut table).expect("allowed");
    let Event::Head { head, .. } = step.event else { panic!("a head") };
    assert_eq!(head.to_http().err(), Some(HeadError::Target), "the http crate takes 64 KiB");
    let long = format!("GET / HTTP/1.0\r\n{}: y\r\n\r\n", "X".repeat(70_000));
    let step = Connection::<Server>::new().read(long.as_bytes(), &mut table).expect("allowed");
    let Event::Head { head, .. } = step.event else { panic!("a head") };
    assert_eq!(head.to_http().err(), Some(HeadError::Field(InvalidField::Name)));
}

#[test]
fn responses_become_responses_of_the_http_crate() {
    let input = b"HTTP/1.0 299 Odd\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n";
    let response = with_response(input, |head| head.to_http()).expect("few fields");
    assert_eq!((response.status().as_u16(), response.version()), (299, Version::HTTP_10));
    let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
    assert_eq!(cookies, ["a", "b"]);
}

#[test]
fn outgoing_fields_are_kept_as_lines() {
    let mut fields = FieldBuf::with_capacity(64);
    fields.push(&CONTENT_TYPE, " text/plain\t").unwrap();
    fields.push(&ETAG, b"\"\xff\"").unwrap();
    fields.push_raw("x-lower", "a: b").unwrap();
    fields.push(&VIA, "").unwrap();
    assert_eq!(
        fields.as_bytes(),
        b"Content-Type: text/plain\r\nETag: \"\xff\"\r\nx-lower: a: b\r\nVia: \r\n"
    );
    let lines: Vec<_> = fields.iter().collect();
    let due = [
        ("Content-Type", &b"text/plain"[..]),
        ("ETag", b"\"\xff\""),
        ("x-lower", b"a: b"),
        ("Via", b""),
    ];
    assert_eq!(lines, due);
    assert_eq!(fields.get(&ETAG), Some(&b"\"\xff\""[..]));
    assert!(fields.contains(&HeaderName::from_static("x-lower")));
    assert_eq!(fields.get(&HeaderName::from_static("x-low")), None);
    let mut both = FieldBuf::new();
    both.extend(&fields);
    both.extend(&fields);
    assert!(both.remove(&ETAG) && !both.remove(&ETAG));
    assert_eq!(both.iter().count(), 6);
    both.clear();
    assert!(both.is_empty() && both == FieldBuf::new());
}

#[test]
fn maps_become_lines_and_lines_maps() {
    let mut map = HeaderMap::new();
    map.append(SET_COOKIE, HeaderValue::from_static("a"));
    map.append(SET_COOKIE, HeaderValue::from_static("b"));
    map.insert(HOST, HeaderValue::from_bytes(b"\xe9").expect("a value"));
    let fields = FieldBuf::try_from(&map).unwrap();
    assert_eq!(fields.to_map(), Ok(map.clone()));
    map.insert(CONNECTION, HeaderValue::from_static("close"));
    assert_eq!(FieldBuf::try_from(&map), Err(InvalidField::Reserved));
    assert_eq!(FieldBuf::from_map(&map), Ok(fields), "what the connection writes is left out");
}

proptest! {
    /// Whatever is pushed is refused, or comes back trimmed and frames nothing else.
    #[test]
    fn no_bytes_break_out_of_a_line(name in ".{0,12}", value in prop::collection::vec(any::<u8>(), 0..24)) {
        let mut fields = FieldBuf::new();
        fields.push_raw("Before", "1").unwrap();
        let pushed = fields.push_raw(&name, &value);
        fields.push_raw("After", "2").unwrap();
        let lines: Vec<(String, Vec<u8>)> =
            fields.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        let trimmed = value.trim_ascii().to_vec();
        let mut due = vec![("Before".to_owned(), b"1".to_vec()), ("After".to_owned(), b"2".to_vec())];
        if pushed.is_ok() {
            due.insert(1, (name, trimmed));
        }
        prop_assert_eq!(&lines, &due);
        let head = [b"HTTP/1.1 200 OK\r\n", fields.as_bytes(), b"\r\n"].concat();
        let read = with_response(&head, |head| {
            head.fields.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect::<Vec<_>>()
        });
        prop_assert_eq!(read, due);
    }
}
