//! A good client: one connection, one question at a time.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

/// What every server under test answers with.
const CONTENT: &[u8] = b"Hello, World!";

pub(super) struct Client {
    stream: TcpStream,
}

impl Client {
    /// Connects; whoever does not answer within `patience` is not answering.
    pub(super) fn connect(port: u16, patience: Duration) -> Result<Self, String> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .and_then(|stream| stream.set_read_timeout(Some(patience)).map(|()| stream))
            .map_err(|error| format!("cannot connect: {error}"))?;
        Ok(Self { stream })
    }

    /// Asks once and says how long the answer took.
    pub(super) fn ask(&mut self) -> Result<Duration, String> {
        let begun = Instant::now();
        self.stream
            .write_all(b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .map_err(|error| format!("cannot ask: {error}"))?;
        let mut answer = Vec::new();
        let mut buf = [0; 4096];
        while !answer.ends_with(CONTENT) {
            let len = self.stream.read(&mut buf).map_err(|error| format!("no answer: {error}"))?;
            if len == 0 {
                return Err("the connection ended before the answer".to_owned());
            }
            answer.extend_from_slice(&buf[..len]);
        }
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            return Err("the answer is not 200".to_owned());
        }
        Ok(begun.elapsed())
    }
}
