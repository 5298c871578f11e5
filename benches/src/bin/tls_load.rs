//! The load generator for TLS: one thread, rustls, certificates and answers checked.
//!
//! `tls_load --port N --ca FILE --mode full|resumed|keep-alive|bulk [--requests N] [--connections 64]
//! [--groups x25519|default]` prints `name=value` pairs on one line. In the modes `full` and `resumed`
//! each request has a connection of its own.
//!
//! `tls_load --mode content` writes the large content that it expects.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use avocet_benches::command_line::Options;
use avocet_benches::response::Responses;
use avocet_benches::tls::{self, Expected};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("tls_load: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut options = Options::from_args()?;
    let mode: String = options.required("mode")?;
    if mode == "content" {
        options.finish()?;
        return Ok(write_content()?);
    }
    let port = options.required("port")?;
    let ca: String = options.required("ca")?;
    let requests: usize = options.optional("requests")?.unwrap_or(1);
    let connections: usize = options.optional("connections")?.unwrap_or(64);
    let groups: Option<String> = options.optional("groups")?;
    options.finish()?;
    let config = Arc::new(config(&ca, &mode, groups.as_deref())?);
    let start = Instant::now();
    let tally = match mode.as_str() {
        "full" | "resumed" => handshakes(port, &config, requests)?,
        "keep-alive" => keep_alive(port, &config, requests, connections)?,
        "bulk" => bulk(port, &config, requests)?,
        other => return Err(format!("there is no mode {other:?}").into()),
    };
    println!(
        "done={} resumed={} secs={:.6} negotiated={}",
        tally.done,
        tally.resumed,
        start.elapsed().as_secs_f64(),
        tally.negotiated
    );
    Ok(())
}

fn write_content() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let block = tls::block();
    let mut left = tls::LARGE;
    while left > 0 {
        let part = &block[..left.min(block.len())];
        out.write_all(part)?;
        left -= part.len();
    }
    out.flush()
}

/// One version and one suite, so that no server chooses another than the rest. One group, too, unless
/// asked otherwise: not every peer has those that resist quantum computers.
fn config(ca: &str, mode: &str, groups: Option<&str>) -> Result<ClientConfig> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = vec![cipher_suite::TLS13_AES_256_GCM_SHA384];
    match groups {
        None | Some("x25519") => provider.kx_groups = vec![kx_group::X25519],
        Some("default") => {}
        Some(other) => return Err(format!("there are no groups {other:?}").into()),
    }
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = match mode {
        "resumed" => Resumption::in_memory_sessions(16),
        _ => Resumption::disabled(),
    };
    Ok(config)
}

struct Tally {
    done: usize,
    resumed: usize,
    negotiated: String,
}

fn handshakes(port: u16, config: &Arc<ClientConfig>, requests: usize) -> Result<Tally> {
    let mut tally = Tally { done: 0, resumed: 0, negotiated: String::new() };
    let mut buf = vec![0; 16 * 1024];
    for _ in 0..requests {
        let mut connection = Connection::open(port, config)?;
        connection.ask("/plaintext")?;
        connection.answer(&mut buf)?;
        tally.done += 1;
        tally.resumed +=
            usize::from(connection.tls.handshake_kind() == Some(HandshakeKind::Resumed));
        tally.negotiated = connection.negotiated();
        connection.close()?;
    }
    Ok(tally)
}

/// All connections ask, then all answers are read: what a server finds in one turn is several.
fn keep_alive(
    port: u16,
    config: &Arc<ClientConfig>,
    requests: usize,
    connections: usize,
) -> Result<Tally> {
    let open = || Connection::open(port, config);
    let mut connections = (0..connections).map(|_| open()).collect::<Result<Vec<_>>>()?;
    let negotiated = connections.first().map(Connection::negotiated).unwrap_or_default();
    let mut tally = Tally { done: 0, resumed: 0, negotiated };
    let mut buf = vec![0; 16 * 1024];
    while tally.done < requests {
        for connection in &mut connections {
            connection.ask("/plaintext")?;
        }
        for connection in &mut connections {
            connection.answer(&mut buf)?;
            tally.done += 1;
        }
    }
    connections.into_iter().try_for_each(Connection::close)?;
    Ok(tally)
}

fn bulk(port: u16, config: &Arc<ClientConfig>, requests: usize) -> Result<Tally> {
    let mut connection = Connection::open(port, config)?;
    let mut tally = Tally { done: 0, resumed: 0, negotiated: connection.negotiated() };
    let mut buf = vec![0; 256 * 1024];
    for _ in 0..requests {
        connection.ask(tls::LARGE_PATH)?;
        connection.large_answer(&mut buf)?;
        tally.done += 1;
    }
    connection.close()?;
    Ok(tally)
}

/// A connection that waits.
struct Connection {
    socket: TcpStream,
    tls: ClientConnection,
    responses: Responses,
}

impl Connection {
    fn open(port: u16, config: &Arc<ClientConfig>) -> Result<Self> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        let tls = ClientConnection::new(config.clone(), ServerName::try_from("localhost")?)?;
        let mut connection = Self { socket, tls, responses: Responses::default() };
        while connection.tls.is_handshaking() {
            connection.flush()?;
            if connection.tls.wants_read() {
                if connection.tls.read_tls(&mut connection.socket)? == 0 {
                    return Err("the server closed within the handshake".into());
                }
                connection.tls.process_new_packets()?;
            }
        }
        connection.flush()?;
        Ok(connection)
    }

    fn negotiated(&self) -> String {
        let version = self.tls.protocol_version();
        let suite = self.tls.negotiated_cipher_suite().map(|suite| suite.suite());
        let group = self.tls.negotiated_key_exchange_group().map(|group| group.name());
        let alpn = self.tls.alpn_protocol().map(String::from_utf8_lossy);
        let word = |name: Option<String>| name.unwrap_or_else(|| "none".to_owned());
        [
            word(version.map(|version| format!("{version:?}"))),
            word(suite.map(|suite| format!("{suite:?}"))),
            word(group.map(|group| format!("{group:?}"))),
            word(alpn.map(|alpn| alpn.into_owned())),
        ]
        .join("/")
    }

    fn ask(&mut self, path: &str) -> io::Result<()> {
        write!(self.tls.writer(), "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// Waits for the answer that every server has, and checks it.
    fn answer(&mut self, buf: &mut [u8]) -> Result<()> {
        let mut have = 0;
        loop {
            have += self.read(buf, have)?;
            if let Some(response) =
                self.responses.next(&buf[..have]).map_err(|fault| fault.to_string())?
            {
                if response.len == have {
                    return Ok(());
                }
                return Err("more was sent than was asked for".into());
            }
        }
    }

    /// Reads once, and takes out what it brought.
    fn read(&mut self, buf: &mut [u8], at: usize) -> Result<usize> {
        if self.tls.read_tls(&mut self.socket)? == 0 {
            return Err("the server closed within an answer".into());
        }
        let state = self.tls.process_new_packets()?;
        let count = state.plaintext_bytes_to_read();
        if count > buf.len() - at {
            return Err("the answer is too long".into());
        }
        self.tls.reader().read_exact(&mut buf[at..at + count])?;
        Ok(count)
    }

    /// Reads by large reads, so that the server never waits for this side longer than it must.
    fn large_answer(&mut self, buf: &mut [u8]) -> Result<()> {
        let mut plain = vec![0; 64 * 1024];
        let mut head = Vec::new();
        let mut expected = Expected::new();
        while expected.seen() < tls::LARGE {
            let count = self.socket.read(buf)?;
            if count == 0 {
                return Err("the server closed within an answer".into());
            }
            let mut wire = &buf[..count];
            while !wire.is_empty() {
                self.tls.read_tls(&mut wire)?;
                let mut left = self.tls.process_new_packets()?.plaintext_bytes_to_read();
                while left > 0 {
                    let count = self.tls.reader().read(&mut plain)?;
                    left -= count;
                    let mut content = &plain[..count];
                    if !head.ends_with(b"\r\n\r\n") {
                        content = after_head(&mut head, content)?;
                    }
                    if !expected.next(content) {
                        return Err(format!("wrong content near {}", expected.seen()).into());
                    }
                }
            }
        }
        Ok(())
    }

    /// Says goodbye as it should be, and leaves; what the server still says is of no interest.
    fn close(mut self) -> Result<()> {
        self.tls.send_close_notify();
        self.flush()?;
        Ok(())
    }
}

/// Completes the head with the front of `bytes`; what is behind it.
fn after_head<'a>(head: &mut Vec<u8>, bytes: &'a [u8]) -> Result<&'a [u8]> {
    for (at, byte) in bytes.iter().enumerate() {
        head.push(*byte);
        if head.ends_with(b"\r\n\r\n") {
            let text = String::from_utf8_lossy(head).to_ascii_lowercase();
            let length = format!("\r\ncontent-length: {}\r\n", tls::LARGE);
            if !text.starts_with("http/1.1 200 ") || !text.contains(&length) {
                return Err(format!("not the large content: {text}").into());
            }
            return Ok(&bytes[at + 1..]);
        }
    }
    Ok(&[])
}
