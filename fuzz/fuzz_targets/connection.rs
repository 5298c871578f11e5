//! Whole connections under arbitrary cuts: a connection must see the same however its input is cut.
#![no_main]
#![expect(dead_code, reason = "the shared files serve other targets too")]

use arbitrary::Arbitrary;
use avocet_wire::{FieldTable, Leniency, Limits};
use http::Method;
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/wire/tests/suite/drive.rs"]
mod drive;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    role: Role,
    small: bool,
    cuts: Vec<u8>,
    bytes: &'a [u8],
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Role {
    Server,
    Client,
    StrictClient,
    Head,
    Connect,
    Upgrade,
}

fuzz_target!(|input: Input<'_>| {
    let mut limits = Limits::server();
    if input.small {
        // Limits that short inputs reach.
        limits = Limits {
            request_line: 40,
            head: 120,
            fields: 4,
            chunk_line: 12,
            extensions: 16,
            trailers: 40,
            trailer_fields: 2,
            interim: 2,
        };
    }
    let mut cuts = Vec::new();
    let mut at = 0;
    for step in &input.cuts {
        at += usize::from(*step);
        if at >= input.bytes.len() {
            break;
        }
        cuts.push(at);
    }
    let every: Vec<usize> = (1..input.bytes.len()).collect();
    let whole = run(input.role, limits, input.bytes, &[]);
    assert_eq!(whole, run(input.role, limits, input.bytes, &cuts), "cuts show");
    if input.bytes.len() < 1000 {
        assert_eq!(whole, run(input.role, limits, input.bytes, &every), "single bytes show");
    }
});

fn run(role: Role, limits: Limits, bytes: &[u8], cuts: &[usize]) -> drive::Transcript {
    let (method, upgrade, leniency) = match role {
        Role::Server => return drive::server_with(limits, Leniency::strict(), bytes, cuts),
        Role::Client => (Method::GET, false, Leniency::client()),
        Role::StrictClient => (Method::GET, false, Leniency::strict()),
        Role::Head => (Method::HEAD, false, Leniency::client()),
        Role::Connect => (Method::CONNECT, false, Leniency::client()),
        Role::Upgrade => (Method::GET, true, Leniency::client()),
    };
    let table = FieldTable::new(limits, leniency);
    drive::drive(drive::asking(&method, upgrade), table, bytes, cuts)
}
