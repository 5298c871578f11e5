//! The floor of TLS: an epoll loop around rustls that reads nothing of what was asked but where it
//! ends. Versions, provider, tickets and protocols are those that our own server uses.
//!
//! `tls_floor --port N --cert FILE --key FILE [--large FILE]`; the large content is that of the file,
//! read anew for each answer, or without one a small part of memory again and again.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::process::ExitCode;
use std::sync::Arc;

use avocet_benches::command_line::Options;
use avocet_benches::sockets::{self, Poll};
use avocet_benches::{CONTENT, tls};
use rustix::event::{PollFd, PollFlags};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, ServerConnection};

/// The token of the listener; a connection's token is its descriptor.
const LISTENER: u64 = u64::MAX;
/// Plaintext that is encrypted before it leaves: what rustls takes unless told otherwise.
const BATCH: usize = 64 * 1024;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("tls_floor: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut options = Options::from_args()?;
    let port = options.required("port")?;
    let certificates: String = options.required("cert")?;
    let key: String = options.required("key")?;
    let large: Option<String> = options.optional("large")?;
    options.finish()?;
    let large = large.map(File::open).transpose()?;
    let chain = CertificateDer::pem_file_iter(certificates)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.send_tls13_tickets = 1;
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    sockets::raise_descriptors();
    Ok(serve(port, &Arc::new(config), Answers::new(large))?)
}

fn serve(port: u16, config: &Arc<ServerConfig>, mut answers: Answers) -> io::Result<()> {
    let listener = sockets::listener(port)?;
    let mut poll = Poll::new()?;
    poll.watch(&listener, LISTENER, false)?;
    let mut buf = vec![0; 16 * 1024];
    let mut connections: Vec<Option<Connection>> = Vec::new();
    loop {
        poll.turn(None, |poll, token| {
            if token == LISTENER {
                let Some(socket) = sockets::accept(&listener)? else { return Ok(()) };
                let at = socket.as_raw_fd() as usize;
                poll.watch(&socket, at as u64, false)?;
                if connections.len() <= at {
                    connections.resize_with(at + 1, || None);
                }
                let tls = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
                connections[at] = Some(Connection { socket: socket.into(), tls, request: 0 });
                return Ok(());
            }
            let slot = &mut connections[token as usize];
            if let Some(connection) = slot
                && !connection.goes_on(&mut answers, &mut buf).unwrap_or(false)
            {
                *slot = None;
            }
            Ok(())
        })?;
    }
}

/// All that is ever said.
struct Answers {
    small: Vec<u8>,
    head: Vec<u8>,
    /// A period of the large content and a batch more, so that a batch can start anywhere.
    large: Vec<u8>,
    period: usize,
    /// Where the large content is read from instead.
    file: Option<File>,
}

impl Answers {
    fn new(file: Option<File>) -> Self {
        let head = |len: usize| {
            format!(
                "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Fri, 20 Nov 2026 08:00:00 GMT\r\n\
                 Content-Type: text/plain\r\nContent-Length: {len}\r\n\r\n"
            )
            .into_bytes()
        };
        let small = [&head(CONTENT.len())[..], CONTENT].concat();
        let block = tls::block();
        let large = block.iter().cycle().take(block.len() + BATCH).copied().collect();
        Self { small, head: head(tls::LARGE), large, period: block.len(), file }
    }
}

impl Answers {
    /// The large content from this place on, as much as is sent in one batch.
    fn large_from(&mut self, at: usize) -> io::Result<&[u8]> {
        let count = BATCH.min(tls::LARGE - at);
        let Some(file) = &self.file else {
            let part = &self.large[at % self.period..];
            return Ok(&part[..count]);
        };
        let part = &mut self.large[..count];
        file.read_exact_at(part, at as u64)?;
        Ok(part)
    }
}

struct Connection {
    socket: TcpStream,
    tls: ServerConnection,
    /// Bytes of a request that is not whole yet.
    request: usize,
}

impl Connection {
    /// Reads once and answers; false at the end.
    fn goes_on(&mut self, answers: &mut Answers, buf: &mut [u8]) -> io::Result<bool> {
        if self.tls.read_tls(&mut self.socket)? == 0 {
            return Ok(false);
        }
        let state = self.tls.process_new_packets().map_err(io::Error::other)?;
        if state.plaintext_bytes_to_read() > 0 {
            self.request += self.tls.reader().read(&mut buf[self.request..])?;
            if buf[..self.request].ends_with(b"\r\n\r\n") {
                let is_large = buf[4..].starts_with(tls::LARGE_PATH.as_bytes());
                self.request = 0;
                if is_large {
                    self.send_large(answers)?;
                } else {
                    self.tls.writer().write_all(&answers.small)?;
                }
            }
        }
        self.flush()?;
        Ok(!state.peer_has_closed())
    }

    fn send_large(&mut self, answers: &mut Answers) -> io::Result<()> {
        self.tls.writer().write_all(&answers.head)?;
        self.flush()?;
        let mut sent = 0;
        while sent < tls::LARGE {
            sent += self.tls.writer().write(answers.large_from(sent)?)?;
            self.flush()?;
        }
        Ok(())
    }

    /// Writes all of it; the one connection with large content has nobody beside it that waits.
    fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut wait = [PollFd::new(&self.socket, PollFlags::OUT)];
                    rustix::event::poll(&mut wait, None)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
