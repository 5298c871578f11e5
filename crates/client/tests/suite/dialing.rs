//! Where connections go and where they come from.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use avocet_client::{Client, Config, ConnectTo, Dialer, ErrorKind, Phase};
use avocet_net::{Families, Resolver};

use crate::support::Server;

fn client(dialer: Dialer) -> Client {
    let mut config = Config::default();
    config.connector = Arc::new(dialer);
    Client::with_config(config)
}

fn text(client: &Client, url: &str) -> String {
    client.get(url).send().unwrap().text(1000).unwrap()
}

#[test]
fn names_can_be_given_addresses_and_connections_other_ends() {
    let host = Server::echo();
    let port = host.port();
    let named =
        client(Dialer::new().resolve("h.test", Some(port), &["127.0.0.1".parse().unwrap()]));
    let url = format!("http://h.test:{port}/");
    assert_eq!(text(&named, &url), format!("GET / HTTP/1.1 for h.test:{port}"));
    let moved = ConnectTo::parse(&format!("h.test:80:127.0.0.1:{port}")).unwrap();
    let moved = client(Dialer::new().connect_to(moved));
    assert_eq!(text(&moved, "http://h.test/"), "GET / HTTP/1.1 for h.test");
}

#[test]
fn a_socket_in_the_file_system_serves_any_host() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut room = [0; 1000];
        let count = stream.read(&mut room).unwrap();
        let asked = String::from_utf8_lossy(&room[..count]).replace("\r\n", "|");
        let len = asked.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{asked}").unwrap();
    });
    let local = client(Dialer::new().path(path.as_path()));
    assert_eq!(text(&local, "http://docker/info"), "GET /info HTTP/1.1|Host: docker||");
    std::fs::remove_file(&path).unwrap();
    let local = client(Dialer::new().path(path.as_path()));
    let error = local.get("http://docker/").send().err().unwrap();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Phase::Connect));
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn connections_come_from_the_address_that_was_asked_for() {
    let host = Server::new(|mut stream, _| {
        let peer = stream.peer_addr().unwrap().ip().to_string();
        let mut room = [0; 1000];
        drop(stream.read(&mut room));
        let len = peer.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{peer}").unwrap();
    });
    let bound = client(Dialer::new().source("127.0.0.7".parse().unwrap()));
    assert_eq!(text(&bound, &host.url("/")), "127.0.0.7");
}

#[test]
fn what_was_tried_is_on_record() {
    let host = Server::echo();
    let both = Resolver::with_lookup(|_| {
        Ok(vec!["[::1]:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()])
    });
    let racing = client(Dialer::new().resolver(both.clone()));
    let response = racing.get(&format!("http://h.test:{}/", host.port())).send().unwrap();
    let report = response.report().unwrap();
    let dialed = report.dialed.unwrap();
    assert_eq!(dialed.addresses.len(), 2);
    assert!(dialed.resolution.is_some());
    let last = dialed.attempts.last().unwrap();
    assert_eq!((last.address, &last.result), (host.address, &Some(Ok(()))));
    assert!(dialed.attempts[0].result.as_ref().unwrap().is_err());
    let times = report.times;
    assert!(times.resolved.is_some() && times.reached.is_some() && times.connected.is_some());
    let v6 = client(Dialer::new().resolver(both).families(Families::V6));
    let error = v6.get(&format!("http://h.test:{}/", host.port())).send().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
}

#[test]
fn hosts_that_are_none_and_ports_where_nobody_listens() {
    let nowhere = Resolver::with_lookup(|_| Err(std::io::Error::other("no such name")));
    let nowhere = client(Dialer::new().resolver(nowhere));
    let error = nowhere.get("http://nowhere.test/").send().err().unwrap();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Resolve, Phase::Resolve));
    assert!(error.to_string().contains("nowhere.test"), "{error}");
    let error = Client::new().get("http://127.0.0.1:1/").send().err().unwrap();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Phase::Connect));
    assert!(error.to_string().contains("127.0.0.1 port 1"), "{error}");
}
