//! A warm field table reads heads, content and trailers without an allocation, and a warm buffer takes what is
//! sent without one.

use allocation_counter::measure;
use avocet_wire::{BodySize, Connection, Event, FieldBuf, FieldTable, Leniency, Limits, Server};
use http::header::{CONTENT_TYPE, COOKIE};
use http::{Method, StatusCode};

use crate::drive;

const REQUEST: &[u8] = b"POST /a/b?c HTTP/1.1\r\nHost: a\r\nCookie: x\r\nAccept: a, b\r\n\
    Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5;e=f\r\nhello\r\n0\r\nX: y\r\n\r\n";

/// Serves one request from `input`, which comes in pieces of `step` bytes.
fn serve(
    connection: &mut Connection<Server>,
    table: &mut FieldTable,
    input: &[u8],
    step: usize,
    fields: &FieldBuf,
    out: &mut Vec<u8>,
) {
    let (mut used, mut come) = (0, 0);
    while !connection.reading_done() {
        let read = connection.read(&input[used..come], table).expect("a valid request");
        used += read.used;
        match read.event {
            Event::Head { head, .. } => {
                assert_eq!(head.target.path(), "/a/b");
                assert_eq!(head.fields.get(&COOKIE), Some(&b"x"[..]));
                assert_eq!(head.fields.iter().count(), 5);
            }
            Event::NeedMore => come = (come + step).min(input.len()),
            _ => {}
        }
    }
    connection.send_response(StatusCode::OK, &[fields], BodySize::Unknown, out).expect("due");
    let suffix = connection.frame_data(2, out).expect("due");
    out.extend_from_slice(b"ok");
    out.extend_from_slice(suffix);
    connection.send_end(fields_none(), out).expect("due");
    connection.next_cycle().expect("the connection persists");
}

fn fields_none() -> &'static FieldBuf {
    static NONE: FieldBuf = FieldBuf::new();
    &NONE
}

#[test]
fn a_warm_server_allocates_nothing_per_request() {
    let mut table = FieldTable::new(Limits::server(), Leniency::strict());
    let mut connection = Connection::<Server>::new();
    let mut fields = FieldBuf::new();
    fields.push(&CONTENT_TYPE, "text/plain").expect("a valid line");
    let mut out = Vec::with_capacity(4096);
    for step in [REQUEST.len(), 7, 1] {
        let mut cold = true;
        for _ in 0..3 {
            out.clear();
            let counted = measure(|| {
                serve(&mut connection, &mut table, REQUEST, step, &fields, &mut out);
            });
            assert!(cold || counted.count_total == 0, "{counted:?} in pieces of {step}");
            cold = false;
        }
    }
}

#[test]
fn a_warm_client_allocates_nothing_per_response() {
    let mut table = FieldTable::new(Limits::client(), Leniency::client());
    let response = b"HTTP/1.1 200 OK\r\nServer: a\r\nX: b\r\n c\r\nConnection: keep-alive\r\n\
        Content-Length: 2\r\n\r\nok";
    let mut connection = drive::asking(&Method::GET, false);
    for round in 0..3 {
        let counted = measure(|| {
            let mut used = 0;
            while !connection.reading_done() {
                used += connection.read(&response[used..], &mut table).expect("valid").used;
            }
            connection.next_cycle().expect("the connection persists");
        });
        assert!(round == 0 || counted.count_total == 0, "{counted:?}");
    }
}

#[test]
fn counting_counts() {
    let counted = measure(|| drop(std::hint::black_box(vec![1u8; 100])));
    assert_eq!(counted.count_total, 1);
}
