//! §7.6.1 and §7.8: Connection and Upgrade.

use avocet_tests::program::Target;
use avocet_tests::raw::{Connection, ask};

/// A server may ignore Upgrade, and then goes on in HTTP/1.1 as if it were not there. It must not
/// switch to what was not asked for.
#[test]
fn an_upgrade_that_is_not_known_is_ignored() {
    let target = Target::echo();
    for protocol in ["h2c", "TLS/1.0", "foo/2", "HTTP/2.0"] {
        let mut connection = Connection::open(&target);
        connection.send(format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n"
        ));
        let answer = connection.answer();
        assert_eq!((answer.status, answer.text()), (200, "OK"), "{protocol}");
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(connection.answer().text(), "OK", "{protocol}");
    }
}

/// §7.8: a server must ignore Upgrade in HTTP/1.0.
#[test]
fn an_upgrade_in_1_0_is_ignored() {
    let target = Target::echo();
    let request = "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let answer = ask(&target, request);
    assert_eq!((answer.status, answer.field("upgrade")), (200, None));
}

/// What follows a request with Upgrade is HTTP until a 101 was sent.
#[test]
fn bytes_behind_an_upgrade_are_the_next_request() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n\
         POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nnext",
    );
    assert_eq!(connection.answer().text(), "OK");
    assert_eq!(connection.answer().text(), "next");
}
