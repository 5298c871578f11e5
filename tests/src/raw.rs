//! A client that sends exactly what a test says and reads answers by the letter.
//!
//! Where an answer breaks the grammar of RFC 9112 the test that reads it fails, whatever it is about.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::program::Target;

pub use self::answer::Answer;

mod answer;

/// A connection to the server under test.
///
/// # Panics
///
/// All methods panic where the server does not do what they are named for, or takes longer than
/// five seconds.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What has come and belongs to no answer yet.
    ahead: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub fn open(target: &Target) -> Self {
        let stream = TcpStream::connect_timeout(&target.address, PATIENCE)
            .unwrap_or_else(|error| panic!("cannot connect to {}: {error}", target.address));
        stream.set_nodelay(true).expect("TCP has no delay to turn off");
        stream.set_write_timeout(Some(PATIENCE)).expect("five seconds are a time-out");
        Self { stream, ahead: Vec::new() }
    }

    /// Sends bytes, or as many as the server takes before it closes: its answer tells the rest.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        match self.stream.write_all(bytes.as_ref()) {
            Ok(()) => {}
            Err(error) if is_closed(&error) => {}
            Err(error) => panic!("cannot send: {error}"),
        }
    }

    /// Says that no more will be sent, and goes on reading.
    pub fn half_close(&mut self) {
        match self.stream.shutdown(Shutdown::Write) {
            Ok(()) => {}
            Err(error) if is_closed(&error) || error.kind() == ErrorKind::NotConnected => {}
            Err(error) => panic!("cannot close one side: {error}"),
        }
    }

    /// Reads the next answer, interim or final, to a request that is no HEAD.
    pub fn answer(&mut self) -> Answer {
        self.read(false)
    }

    /// Reads the next answer to a HEAD request, which has no content whatever its fields say.
    pub fn answer_to_head(&mut self) -> Answer {
        self.read(true)
    }

    /// Waits until the server closes, and fails if anything but the close comes.
    pub fn expect_close(&mut self) {
        if self.ahead.is_empty() && !self.fill() {
            return;
        }
        panic!("instead of closing the server said {:?}", self.shown());
    }

    /// Fails if the server says anything or closes within a short while.
    pub fn expect_silence(&mut self) {
        assert!(self.ahead.is_empty(), "instead of waiting the server said {:?}", self.shown());
        self.stream.set_read_timeout(Some(SILENCE)).expect("silence has a length");
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(0) => panic!("instead of waiting the server closed"),
            Ok(_) => panic!("instead of waiting the server said {:?}", char::from(byte[0])),
            Err(error) => assert!(is_late(&error), "instead of waiting: {error}"),
        }
    }

    /// Everything up to the close, for answers that are counted and not read.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.fill() {}
        std::mem::take(&mut self.ahead)
    }

    fn read(&mut self, is_head: bool) -> Answer {
        loop {
            if let Some((answer, len)) = Answer::read(&self.ahead, is_head, false) {
                self.ahead.drain(..len);
                return answer;
            }
            if !self.fill() {
                let ended = Answer::read(&self.ahead, is_head, true);
                let (answer, len) = ended.unwrap_or_else(|| {
                    panic!("the server closed instead of answering, after {:?}", self.shown())
                });
                self.ahead.drain(..len);
                return answer;
            }
        }
    }

    /// Reads some more; `false` once the server has closed.
    fn fill(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        let mut scratch = [0; 4_096];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no end of an answer within {PATIENCE:?}: {:?}", self.shown());
            self.stream.set_read_timeout(Some(left)).expect("some time is left");
            match self.stream.read(&mut scratch) {
                Ok(0) => return false,
                Ok(len) => {
                    self.ahead.extend_from_slice(&scratch[..len]);
                    return true;
                }
                Err(error) if is_closed(&error) => return false,
                Err(error) if is_late(&error) || error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("cannot read: {error}"),
            }
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.ahead).into_owned()
    }
}

/// Sends one request on a connection of its own and reads the answer.
pub fn ask(target: &Target, request: impl AsRef<[u8]>) -> Answer {
    let mut connection = Connection::open(target);
    connection.send(request);
    connection.answer()
}

/// Sends one request and asserts that it is refused: this status, one answer only, and a close.
///
/// # Panics
///
/// If the server does anything else.
pub fn refused(target: &Target, request: impl AsRef<[u8]>, status: u16) {
    let request = request.as_ref();
    let mut connection = Connection::open(target);
    connection.send(request);
    let answer = connection.answer();
    let shown = String::from_utf8_lossy(&request[..request.len().min(200)]);
    assert_eq!(answer.status, status, "{shown:?}");
    assert!(answer.closes(), "the refusal of {shown:?} does not say that it closes");
    connection.expect_close();
}

fn is_closed(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted
    )
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

const PATIENCE: Duration = Duration::from_secs(5);

/// Long enough for a server on the same machine to answer what it should not.
const SILENCE: Duration = Duration::from_millis(250);
