//! A folder served on a loop without sockets and threads.

use std::path::Path;
use std::time::Instant;

use avocet_files::Folder;
use avocet_net::{EventLoop, Outbox, Transport, memory_pair};
use avocet_server::{Connections, Server};

pub(crate) struct Memory {
    event_loop: EventLoop,
    connections: Connections,
    now: Instant,
}

/// A response, taken apart.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) content: Vec<u8>,
}

impl Memory {
    /// Serves a folder without what would take other threads.
    pub(crate) fn new(root: &Path) -> Self {
        let now = Instant::now();
        let service = Folder::new(root).listing(false).compress(false).open();
        let server = Server::new(service.expect("the folder is there"));
        let connections = server.connections().expect("the settings are valid");
        Self { event_loop: EventLoop::simulated(now), connections, now }
    }

    /// Sends the head of a request with these lines and gives the whole response.
    pub(crate) fn ask(&mut self, method: &str, target: &str, lines: &[u8]) -> Reply {
        let (mut client, accepted) = memory_pair(4 * 1024 * 1024);
        self.event_loop.spawn(self.connections.task(Box::new(accepted), None, self.now));
        let mut out = Outbox::new();
        let line = format!("{method} {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n");
        out.push_slice(&[line.as_bytes(), lines, b"\r\n"].concat());
        assert!(client.write(&mut out).expect("there is room"), "there is room");
        client.close_write().expect("memory does not fail");
        let mut received = Vec::new();
        loop {
            self.event_loop.turn_at(self.now);
            let mut buf = vec![0; 256 * 1024];
            match client.read(&mut buf) {
                Ok(0) => break,
                Ok(count) => received.extend_from_slice(&buf[..count]),
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
        }
        Reply::parse(&received)
    }
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = std::str::from_utf8(&bytes[..end]).expect("a head is text");
        let mut lines = head.split("\r\n");
        let status = lines.next().expect("a status line")[9..12].parse().expect("a status");
        let field = |line: &str| {
            let (name, value) = line.split_once(": ").expect("a field");
            (name.to_ascii_lowercase(), value.to_owned())
        };
        let fields = lines.map(field).collect();
        let reply = Self { status, fields, content: bytes[end + 4..].to_vec() };
        // A response that is cut off or runs on is a fault, whatever it says.
        if let Some(length) = reply.field("content-length")
            && !reply.content.is_empty()
        {
            assert_eq!(length.parse(), Ok(reply.content.len()), "{reply:?}");
        }
        reply
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}
