//! What happens after the handshake: content, ends, bounds.

use std::io;
use std::sync::Arc;

use avocet_net::{FileRange, Outbox, Segment, Transport, memory_pair};
use avocet_tls::{ErrorKind, TlsError};

use crate::support::{Tapped, connected, pair, read, shake, tapped, write};

#[test]
fn an_orderly_end_is_told_apart_from_a_cut() {
    let (server, client) = pair();
    let (mut here, mut there) = connected(&server, &client);
    write(&mut here, b"all of it");
    here.close_write().unwrap();
    let mut buf = vec![0; 64 * 1024];
    assert_eq!(there.read(&mut buf).unwrap(), 9);
    assert!(there.holds_input(), "a short read has more to say here");
    assert_eq!(there.read(&mut buf).unwrap(), 0);
    assert_eq!(there.read(&mut buf).unwrap(), 0);
    // The other direction is still open.
    write(&mut there, b"thanks");
    assert_eq!(read(&mut here).unwrap(), b"thanks");
    drop(there);
    assert_eq!(here.read(&mut buf).unwrap(), 0, "dropping is an orderly end too");

    // A wire in between, which is cut.
    let Tapped { here: mut client, mut below, mut across, there: mut server } =
        tapped(&server, &client);
    write(&mut server, b"a part");
    write(&mut below, &read(&mut across).unwrap());
    drop(below);
    assert_eq!(client.read(&mut buf).unwrap(), 6);
    let error = client.read(&mut buf).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::Truncated);
}

#[test]
fn a_reset_sends_no_orderly_end() {
    let (server, client) = pair();
    let (mut here, mut there) = connected(&server, &client);
    there.reset().unwrap();
    drop(there);
    assert_eq!(here.read(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

/// As a client has it that reaches a host of https through a proxy of https.
#[test]
fn one_inside_another() {
    let (server, client) = pair();
    let (here, there) = memory_pair(5000);
    let wrap = |transport| client.wrap(transport, "localhost").unwrap();
    let (mut here, mut there) =
        (client.wrap(wrap(here), "localhost").unwrap(), server.wrap(server.wrap(there)));
    let (one, two) = shake(&mut here, &mut there);
    one.and(two).unwrap();
    let content = vec![b'x'; 100_000];
    let mut out = Outbox::new();
    out.push_slice(&content);
    let mut got = Vec::new();
    while !here.write(&mut out).unwrap() {
        got.extend(read(&mut there).unwrap());
    }
    got.extend(read(&mut there).unwrap());
    assert!(got == content, "{} bytes", got.len());
    write(&mut there, b"and back");
    drop(there);
    assert_eq!(read(&mut here).unwrap(), b"and back", "with an orderly end behind it");
    assert_eq!(here.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn what_waits_stays_in_the_outbox_and_within_bounds() {
    let (server, client) = pair();
    let (here, there) = memory_pair(10_000);
    let (mut here, mut there) = (client.wrap(here, "localhost").unwrap(), server.wrap(there));
    let (one, two) = shake(&mut here, &mut there);
    one.and(two).unwrap();
    let mut out = Outbox::new();
    out.push(Segment::Owned(vec![b'x'; 1_000_000]));
    assert!(!here.write(&mut out).unwrap());
    // What the memory took is off the books, what was encrypted ahead is not.
    assert!(out.len() <= 1_000_000 && out.len() >= 1_000_000 - 20_000, "{}", out.len());
    let mut total = 0;
    loop {
        total += read(&mut there).unwrap().len();
        if here.write(&mut out).unwrap() {
            break;
        }
        assert!(!out.is_empty(), "an empty outbox would not be written again");
    }
    total += read(&mut there).unwrap().len();
    assert_eq!(total, 1_000_000);
}

#[test]
fn files_and_bytes_leave_in_their_order() {
    let (server, client) = pair();
    let (mut here, mut there) = connected(&server, &client);
    let content: Vec<u8> = (0..150_000_u32).map(|at| (at % 251) as u8).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("content");
    std::fs::write(&path, &content).unwrap();
    let file = Arc::new(std::fs::File::open(&path).unwrap());
    let mut out = Outbox::new();
    out.push_slice(b"head");
    out.push(Segment::File(FileRange { file: file.clone(), offset: 10, len: 149_000 }));
    out.push(Segment::Static(b"tail"));
    let mut got = Vec::new();
    while !here.write(&mut out).unwrap() {
        got.extend(read(&mut there).unwrap());
    }
    got.extend(read(&mut there).unwrap());
    let expected = [&b"head"[..], &content[10..149_010], b"tail"].concat();
    assert!(got == expected, "{} bytes", got.len());
    out.push(Segment::File(FileRange { file, offset: 149_990, len: 20 }));
    assert!(here.write(&mut out).is_err(), "a file that became shorter is an error");
}

#[test]
#[cfg_attr(
    all(feature = "graviola", not(feature = "aws-lc"), debug_assertions),
    ignore = "without optimization Graviola allocates whenever it asks what the processor can"
)]
fn a_small_exchange_allocates_little() {
    let (server, client) = pair();
    let (mut here, mut there) = connected(&server, &client);
    let mut buf = vec![0; 64 * 1024];
    let (mut request, mut response) = (Outbox::new(), Outbox::new());
    let mut exchange = || {
        request.push_slice(&[b'q'; 100]);
        assert!(here.write(&mut request).unwrap());
        assert_eq!(there.read(&mut buf).unwrap(), 100);
        response.push_slice(&[b'a'; 1100]);
        assert!(there.write(&mut response).unwrap());
        assert_eq!(here.read(&mut buf).unwrap(), 1100);
    };
    exchange();
    let counted = allocation_counter::measure(exchange);
    // Both sides together: rustls allocates each record twice on its way out and once on its way in;
    // the transports in memory add an outbox for each write.
    assert!(counted.count_total <= 16, "{} allocations", counted.count_total);
}
