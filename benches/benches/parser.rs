//! Our full head read against raw httparse and against httparse with a header map; chunk decoding; framing;
//! field look-up. `cargo bench -p avocet-benches --bench parser`.

use std::hint::black_box;
use std::time::Duration;

use avocet_wire::{
    BodySize, Client, Connection, Event, FieldBuf, FieldTable, Framing, Leniency, Limits, Server,
};
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use http::header::{ACCEPT_ENCODING, COOKIE, HOST, IF_NONE_MATCH, RANGE};
use http::{HeaderMap, StatusCode};

#[path = "shared/heads.rs"]
mod heads;

use heads::{HEADS, HeaderMapWay, Ours, httparse_request, httparse_response};

fn heads(c: &mut Criterion) {
    for head in &HEADS {
        let declared: usize =
            head.name.rsplit('_').next().expect("a length").parse().expect("digits");
        assert_eq!(head.bytes.len(), declared, "an input has the length in its name");
        let bytes = head.bytes;
        let shared = Bytes::copy_from_slice(bytes);
        let (mut ours, mut map) = (Ours::default(), HeaderMapWay::default());
        let asking = ours.asking();
        let mut group = c.benchmark_group(head.name);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        if head.is_request {
            assert_eq!(ours.read_request(bytes), httparse_request(bytes));
            assert_eq!(ours.read_request(bytes), map.read_request(&shared));
            group.bench_function("ours", |b| b.iter(|| ours.read_request(black_box(bytes))));
            group.bench_function("httparse", |b| b.iter(|| httparse_request(black_box(bytes))));
            group.bench_function("header_map", |b| b.iter(|| map.read_request(black_box(&shared))));
        } else {
            assert_eq!(ours.read_response(&asking, bytes), httparse_response(bytes));
            assert_eq!(ours.read_response(&asking, bytes), map.read_response(&shared));
            group.bench_function("ours", |b| {
                b.iter(|| ours.read_response(black_box(&asking), black_box(bytes)));
            });
            group.bench_function("httparse", |b| b.iter(|| httparse_response(black_box(bytes))));
            group
                .bench_function("header_map", |b| b.iter(|| map.read_response(black_box(&shared))));
        }
        group.finish();
    }
}

/// Chunks of 8 KiB, and of 16 bytes, the worst case in the wild.
fn chunks(c: &mut Criterion) {
    let mut group = c.benchmark_group("chunked");
    for (name, size, count) in [("8KiB", 8192, 32), ("16B", 16, 1024)] {
        let mut input = Vec::new();
        for _ in 0..count {
            input.extend_from_slice(format!("{size:x}\r\n").as_bytes());
            input.resize(input.len() + size, b'x');
            input.extend_from_slice(b"\r\n");
        }
        input.extend_from_slice(b"0\r\n\r\n");
        let mut table = FieldTable::new(Limits::server(), Leniency::strict());
        let mut connection = Connection::<Server>::new();
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        connection.read(head, &mut table).expect("a valid request");
        group.throughput(Throughput::Bytes((size * count) as u64));
        group.bench_function(name, |b| {
            b.iter_batched_ref(
                || connection.clone(),
                |connection| decode(connection, black_box(&input), &mut table),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn decode(connection: &mut Connection<Server>, mut input: &[u8], table: &mut FieldTable) -> usize {
    let mut length = 0;
    loop {
        let step = connection.read(input, table).expect("valid chunks");
        input = &input[step.used..];
        match step.event {
            Event::Data(data) => length += data.len(),
            Event::End(_) => return length,
            other => panic!("{other:?}"),
        }
    }
}

/// Writing the head of a response, and accounting for its content.
fn sending(c: &mut Criterion) {
    let mut table = FieldTable::new(Limits::server(), Leniency::strict());
    let mut connection = Connection::<Server>::new();
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let used = connection.read(head, &mut table).expect("a valid request").used;
    connection.read(&head[used..], &mut table).expect("the end of the request");
    let mut fields = FieldBuf::new();
    fields.push_raw("Server", "avocet").expect("a valid line");
    fields.push_raw("Content-Type", "text/plain").expect("a valid line");
    let mut date = FieldBuf::new();
    date.push_raw("Date", "Fri, 20 Nov 2026 10:54:31 GMT").expect("a valid line");
    let mut out = Vec::with_capacity(1024);
    c.bench_function("send_response", |b| {
        b.iter(|| {
            let mut connection = black_box(&connection).clone();
            out.clear();
            connection
                .send_response(StatusCode::OK, &[&date, &fields], BodySize::Known(13), &mut out)
                .expect("a valid response");
            let suffix = connection.frame_data(13, &mut out).expect("content is due");
            connection.next_cycle().expect("the connection persists");
            (out.len(), suffix)
        });
    });
}

/// Deciding the framing is part of reading a head; what it costs shows in the difference of these two.
fn framing(c: &mut Criterion) {
    let mut group = c.benchmark_group("framing");
    let mut table = FieldTable::new(Limits::client(), Leniency::strict());
    let asking = Ours::default().asking();
    for (name, bytes, due) in [
        ("none", &b"HTTP/1.1 200 OK\r\nContent-Nature: 13\r\n\r\n"[..], Framing::UntilClose),
        ("length", &b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n"[..], Framing::Length(13)),
        ("chunked", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Framing::Chunked),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut connection: Connection<Client> = black_box(&asking).clone();
                let step = connection.read(black_box(bytes), &mut table).expect("a valid head");
                assert!(matches!(step.event, Event::Head { body, .. } if body == due));
            });
        });
    }
    group.finish();
}

/// Five look-ups, one of them in vain, in 18 fields; against the map once it is built.
fn look_up(c: &mut Criterion) {
    let names = [HOST, ACCEPT_ENCODING, COOKIE, IF_NONE_MATCH, RANGE];
    let mut table = FieldTable::new(Limits::server(), Leniency::strict());
    let mut connection = Connection::<Server>::new();
    let step = connection.read(HEADS[2].bytes, &mut table).expect("a valid request");
    let Event::Head { head, .. } = step.event else { panic!("a head") };
    let fields = head.fields;
    let map: HeaderMap = fields.to_map().expect("few fields");
    let mut group = c.benchmark_group("look_up");
    group.bench_function("ours", |b| {
        b.iter(|| names.iter().filter(|name| black_box(fields).get(name).is_some()).count());
    });
    group.bench_function("header_map", |b| {
        b.iter(|| names.iter().filter(|name| black_box(&map).get(*name).is_some()).count());
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = heads, chunks, sending, framing, look_up
}
criterion_main!(benches);
