//! Back-pressure: what the caller does not take is not read, and what is decoded stays bounded too.

use std::io::Write;
use std::sync::Arc;

use avocet_client::{Decoding, Error, ErrorKind, Filter, Phase, Request, TransferEvent};

use crate::support::World;

const WAITING: usize = 256 * 1024;

#[test]
fn a_caller_who_takes_nothing_stops_the_server() {
    let mut world = World::new();
    world.taking = false;
    let id = world.get("http://h/");
    let mut far = world.far();
    far.send("HTTP/1.1 200 OK\r\n\r\n");
    let total = 4 << 20;
    far.send(vec![b'x'; total]);
    for _ in 0..100 {
        world.settle();
        far.send("");
    }
    let in_flight = total as u64 - far.send("") - far.unread() as u64;
    assert!(in_flight <= (WAITING + 128 * 1024) as u64, "{in_flight} bytes were read");
    assert_eq!(far.unread(), 64 * 1024);
    let mut taken = 0;
    while taken < total {
        world.settle();
        far.send("");
        while let Some((_, event)) = world.multi.next_event() {
            if let TransferEvent::Data(bytes) = event {
                taken += bytes.len();
            }
        }
    }
    far.end();
    world.taking = true;
    assert!(world.outcome(id).end.unwrap().is_ok());
}

#[test]
fn a_paused_transfer_is_not_read_and_goes_on_where_it_was() {
    let mut world = World::new();
    let id = world.get("http://h/");
    let mut far = world.far();
    far.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
    world.settle();
    world.multi.pause(id);
    far.send("56789");
    world.settle();
    assert_eq!((far.unread(), world.outcome(id).content.len()), (5, 5));
    world.multi.resume(id);
    assert_eq!(world.outcome(id).content, b"56789");
}

/// Gives a thousand bytes for each byte that it gets, as a decoder may.
struct Bomb;

struct Burst;

impl Decoding for Bomb {
    fn accepts(&self) -> &str {
        "bomb"
    }

    fn filter(&self, codings: &[&[u8]]) -> Result<Option<Box<dyn Filter>>, String> {
        match codings {
            [b"bomb"] => Ok(Some(Box::new(Burst))),
            _ => Err("an unknown content coding".to_owned()),
        }
    }
}

impl Filter for Burst {
    fn push(
        &mut self,
        input: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        input.iter().try_for_each(|byte| match byte {
            b'!' => Err(Error::new(ErrorKind::Decode, Phase::Content, "damaged")),
            byte => out(&[*byte; 1000]),
        })
    }

    fn finish(&mut self, out: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        out(b"end")
    }
}

#[test]
fn a_filter_that_gives_much_for_little_is_held_back() {
    for chunked in [false, true] {
        let mut world = World::with(|config| config.decoding = Some(Arc::new(Bomb)));
        world.taking = false;
        let id = world.get("http://h/");
        let mut far = world.far();
        assert!(far.take().contains("\r\nAccept-Encoding: bomb\r\n"));
        let coded = "x".repeat(50_000);
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: bomb\r\n";
        far.send(if chunked {
            format!(
                "{head}Transfer-Encoding: chunked\r\n\r\nC350\r\n{coded}\r\n0\r\nX-Sum: 1\r\n\r\n"
            )
        } else {
            format!("{head}Content-Length: 50000\r\n\r\n{coded}")
        });
        let (mut total, mut ended) = (0, false);
        while !ended {
            world.settle();
            let mut waiting = 0;
            while let Some((_, event)) = world.multi.next_event() {
                match event {
                    TransferEvent::Data(bytes) => waiting += bytes.len(),
                    TransferEvent::End(trailers) => ended = trailers.is_empty() != chunked,
                    TransferEvent::Failed(error) => panic!("{error}"),
                    _ => {}
                }
            }
            assert!(waiting <= WAITING + 4096 * 1000, "{waiting} bytes waited");
            total += waiting;
        }
        assert_eq!(total, 50_000 * 1000 + 3);
        let report = world.multi.report(id).unwrap();
        assert!((50_000..50_050).contains(&report.traffic.received_content));
    }
}

#[test]
fn what_does_not_decode_is_an_error_and_what_is_not_to_be_decoded_comes_as_it_is() {
    let mut world = World::with(|config| config.decoding = Some(Arc::new(Bomb)));
    for (fields, content) in [("bomb", "a!"), ("gzip", "a"), ("bomb\r\nContent-Encoding: gzip", "")]
    {
        let id = world.get("http://h/");
        let mut far = world.far();
        far.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {fields}\r\nContent-Length: 2\r\n\r\n{content}"
        ));
        assert_eq!(world.failure(id).kind(), ErrorKind::Decode, "{fields}");
    }
    let mut request = Request::get("http://h/").unwrap();
    request.options_mut().decode = false;
    let id = world.start(request);
    let mut far = world.far();
    assert!(!far.take().contains("Accept-Encoding"));
    far.send("HTTP/1.1 200 OK\r\nContent-Encoding: bomb\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(world.done(id).1, "x");
    let id = world.get("http://h/");
    far.send(
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/9\r\nContent-Encoding: bomb\r\n",
    );
    far.send("Content-Length: 1\r\n\r\nx");
    assert_eq!(world.done(id).1, "x");
}

#[test]
fn a_large_file_leaves_as_it_is_and_one_that_shrinks_is_an_error() {
    let mut file = tempfile::tempfile().unwrap();
    let content: Vec<u8> = (0..200_000_u32).map(|n| b'a' + (n % 26) as u8).collect();
    file.write_all(&content).unwrap();
    let shrinking = file.try_clone().unwrap();
    let put = |file: std::fs::File| {
        let content = avocet_client::Content::file(file).unwrap();
        Request::new(http::Method::PUT, "http://h/").unwrap().with_content(content)
    };
    let mut world = World::new();
    let id = world.start(put(file.try_clone().unwrap()));
    let mut far = world.far();
    let mut received = String::new();
    for _ in 0..10 {
        received += &far.take();
        world.settle();
    }
    assert!(received.ends_with(std::str::from_utf8(&content).unwrap()));
    far.answer("200 OK", "");
    assert_eq!(world.done(id).0, 200);
    let id = world.start(put(file));
    shrinking.set_len(100_000).unwrap();
    for _ in 0..10 {
        far.take();
        world.settle();
    }
    assert_eq!(world.failure(id).kind(), ErrorKind::Content);
    assert!(far.is_closed());
}
