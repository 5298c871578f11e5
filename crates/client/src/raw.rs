//! One connection, request by request: the low-level face, in the manner of Python's `httplib`.

mod misuse;
mod pump;
mod response;

use std::io::Read;
use std::time::Duration;

use avocet_net::PeerInfo;
use avocet_wire::{BodySize, Client, Connection, FieldBuf, FieldTable, RequestVersion};
use http::Method;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING,
};
use url::{Position, Url};

use crate::config::Config;
use crate::connect::Route;
use crate::error::{Error, ErrorKind, Phase};
use crate::urls;
use pump::Pump;

pub use misuse::Misuse;
pub use response::RawResponse;

/// A connection whose requests are put together line by line and whose responses are read one after
/// the other.
///
/// ```no_run
/// use avocet_client::RawConnection;
/// use http::Method;
///
/// let mut connection = RawConnection::new("http://localhost:8080")?;
/// connection.put_request(&Method::GET, "/")?;
/// connection.put_header("User-Agent", &["mine"])?;
/// connection.end_headers(b"")?;
/// let mut response = connection.get_response()?;
/// println!("{}\n{}", response.status(), response.text(1 << 20)?);
/// # Ok::<(), avocet_client::Error>(())
/// ```
///
/// The order of calls is checked:
///
/// ```text
///   Idle --put_request--> Started --end_headers--> Sent --get_response--> the response is read
///    ^                    put_header               send                                  |
///    +-----------------------------------------------------------------------------------+
/// ```
///
/// A call out of order is an error with a [`Misuse`]. With [`RawConnection::pipelining`] further
/// requests may be sent before the response to the first is read. Proxies, TLS, limits and
/// time-outs are those of the [`Config`]; redirects, hooks, decoding and the pool are not used.
pub struct RawConnection {
    config: Config,
    url: Url,
    route: Route,
    pump: Option<Pump>,
    conn: Connection<Client>,
    table: FieldTable,
    stage: Stage,
    fields: FieldBuf,
    version: RequestVersion,
    auto_open: bool,
    pipelining: bool,
    /// Whether the content of the response that was begun is not read to its end.
    unread: bool,
    trace: Option<Trace>,
}

type Trace = Box<dyn FnMut(Direction, &[u8])>;

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Sent,
    /// From the server.
    Received,
}

/// What [`RawConnection::put_request_with`] adds by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutOptions {
    /// `Host`, of the URL. Yes; HTTP/1.1 cannot do without one.
    pub host: bool,
    /// `Accept-Encoding: identity`. Yes: the content comes as it is.
    pub accept_encoding: bool,
}

enum Stage {
    /// Nothing is begun.
    Idle,
    /// The request line is there, fields may follow.
    Started { method: Method, target: String, size: Option<BodySize>, close: bool },
    /// The head was sent, content may follow.
    Sent,
}

impl Default for PutOptions {
    fn default() -> Self {
        Self { host: true, accept_encoding: true }
    }
}

impl RawConnection {
    /// For the host and port of a URL; nothing is connected yet.
    ///
    /// *Errors*: a URL that is malformed or not of http or https.
    pub fn new(url: &str) -> Result<Self, Error> {
        Self::with_config(url, Config::default())
    }

    /// The same with settings of its own.
    ///
    /// *Errors*: as [`RawConnection::new`], and a proxy setting that cannot be understood.
    pub fn with_config(url: &str, config: Config) -> Result<Self, Error> {
        let url = urls::parse(url).map_err(|reason| {
            Error::new(ErrorKind::Url, Phase::Prepare, format!("that is no URL: {reason}"))
        })?;
        let via = config.proxies.choose(&url)?;
        let route = Route::of(&url, via)?;
        let table = FieldTable::new(config.limits, config.leniency);
        Ok(Self {
            config,
            url,
            route,
            pump: None,
            conn: Connection::new(),
            table,
            stage: Stage::Idle,
            fields: FieldBuf::new(),
            version: RequestVersion::Http11,
            auto_open: true,
            pipelining: false,
            unread: false,
            trace: None,
        })
    }

    /// The version that requests name from now on.
    pub fn version(&mut self, version: RequestVersion) {
        self.version = version;
    }

    /// Whether a request opens the connection when there is none, as it does by default.
    pub fn auto_open(&mut self, open: bool) {
        self.auto_open = open;
    }

    /// Whether further requests may be sent before the response to the first is read. A request
    /// whose method is not idempotent should wait for its turn (RFC 9112 §9.3.2).
    ///
    /// *Bounds*: 16 requests without a response.
    pub fn pipelining(&mut self, pipelining: bool) {
        self.pipelining = pipelining;
    }

    /// Reaches the host through a tunnel from now on, also for plain http, where the way leads
    /// through a proxy of HTTP.
    pub fn tunnel(&mut self) {
        if let Some(last) = self.route.via.last_mut() {
            last.tunnel = true;
        }
        self.close();
    }

    /// Shows all that is sent and received from now on, but for the values of Authorization,
    /// Proxy-Authorization, Cookie and Set-Cookie.
    pub fn trace(&mut self, trace: impl FnMut(Direction, &[u8]) + 'static) {
        self.trace = Some(Box::new(trace));
    }

    /// Connects, if that is not done yet.
    ///
    /// *Blocking*: within the time-outs of the settings.
    ///
    /// *Errors*: there is no connection.
    pub fn connect(&mut self) -> Result<(), Error> {
        if self.pump.is_none() {
            self.conn = Connection::new();
            self.unread = false;
            self.pump = Some(Pump::connect(&self.config, &self.route, &self.url)?);
        }
        Ok(())
    }

    /// Both ends of the connection and what protects it, while there is one.
    pub fn peer(&self) -> Option<PeerInfo> {
        self.pump.as_ref()?.peer()
    }

    /// Closes the connection, whatever is under way.
    pub fn close(&mut self) {
        self.pump = None;
        self.stage = Stage::Idle;
        self.conn = Connection::new();
        self.unread = false;
    }

    /// Begins a request, with `Host` and `Accept-Encoding: identity`.
    ///
    /// *Errors*: as [`RawConnection::put_request_with`].
    pub fn put_request(&mut self, method: &Method, target: &str) -> Result<(), Error> {
        self.put_request_with(method, target, PutOptions::default())
    }

    /// Begins a request.
    ///
    /// *Errors*: [`Misuse::CannotSendRequest`] while another request is begun, or a response is due
    /// or unread and requests are not pipelined.
    pub fn put_request_with(
        &mut self,
        method: &Method,
        target: &str,
        options: PutOptions,
    ) -> Result<(), Error> {
        let waits = self.unread || self.conn.outstanding() > 0;
        let begun = matches!(self.stage, Stage::Started { .. }) || self.conn.sends_content();
        if begun || (waits && !self.pipelining) {
            return Err(Misuse::CannotSendRequest.into());
        }
        self.fields.clear();
        if options.host {
            let host = &self.url[Position::BeforeHost..Position::AfterPort];
            self.fields.push(&HOST, host).map_err(invalid)?;
        }
        if options.accept_encoding && self.version == RequestVersion::Http11 {
            self.fields.push(&ACCEPT_ENCODING, "identity").map_err(invalid)?;
        }
        let target = if self.route.wants_absolute_form() && target.starts_with('/') {
            let origin = &self.url[..Position::BeforeUsername];
            format!("{origin}{}{target}", &self.url[Position::BeforeHost..Position::BeforePath])
        } else {
            target.to_owned()
        };
        self.stage = Stage::Started { method: method.clone(), target, size: None, close: false };
        Ok(())
    }

    /// Adds a field; several values are joined to a list. Content-Length and `Transfer-Encoding:
    /// chunked` say how the content is framed, `Connection: close` that it is the last request.
    ///
    /// *Errors*: [`Misuse::CannotSendHeader`] where no request is begun; a name or value that
    /// cannot be sent.
    pub fn put_header(&mut self, name: &str, values: &[&str]) -> Result<(), Error> {
        let Stage::Started { size, close, .. } = &mut self.stage else {
            return Err(Misuse::CannotSendHeader.into());
        };
        let value = values.join(", ");
        let bad = |what: &str| Error::new(ErrorKind::Request, Phase::Prepare, what);
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(CONTENT_LENGTH) => {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                let length = value.parse().ok().filter(|_| digits);
                *size = Some(BodySize::Known(length.ok_or_else(|| bad("no length"))?));
            }
            Ok(TRANSFER_ENCODING) if value.eq_ignore_ascii_case("chunked") => {
                *size = Some(BodySize::Unknown);
            }
            Ok(TRANSFER_ENCODING) => return Err(bad("no transfer coding but chunked is known")),
            Ok(CONNECTION) if value.eq_ignore_ascii_case("close") => *close = true,
            Ok(CONNECTION) if value.eq_ignore_ascii_case("keep-alive") => {}
            _ => self.fields.push_raw(name, value).map_err(invalid)?,
        }
        Ok(())
    }

    /// Ends the head and sends it, with content or the beginning of it in one go. Content that no
    /// field has announced is all there is.
    ///
    /// *Blocking*: until it is written. *Errors*: [`Misuse::CannotSendHeader`] where no request is
    /// begun; [`Misuse::NotConnected`] where there is no connection and none is to be opened; what
    /// keeps it from being sent.
    pub fn end_headers(&mut self, content: &[u8]) -> Result<(), Error> {
        if !matches!(self.stage, Stage::Started { .. }) {
            return Err(Misuse::CannotSendHeader.into());
        }
        if self.pump.is_none() && !self.auto_open {
            return Err(Misuse::NotConnected.into());
        }
        // A connection that the server has closed meanwhile, or on which it spoke unasked, is left.
        if self.conn.outstanding() == 0 && self.pump.as_mut().is_some_and(Pump::is_disturbed) {
            self.pump = None;
        }
        self.connect()?;
        let Stage::Started { method, target, size, close } =
            std::mem::replace(&mut self.stage, Stage::Sent)
        else {
            return Err(Misuse::CannotSendHeader.into());
        };
        let size = match size {
            Some(size) => size,
            None if content.is_empty() => BodySize::Empty,
            None => BodySize::Known(content.len() as u64),
        };
        if close {
            self.conn.close_after_cycle();
        }
        let mut head = Vec::new();
        let fields = &[&self.fields];
        let sent =
            self.conn.send_request_as(self.version, &method, &target, fields, size, &mut head);
        if let Err(error) = sent {
            self.stage = Stage::Idle;
            return Err(Error::new(ErrorKind::Request, Phase::Send, error).caused_by(error));
        }
        self.show(Direction::Sent, &head);
        self.frame(content, &mut head)?;
        self.write(&head)
    }

    /// Sends more content.
    ///
    /// *Blocking*: until it is written. *Errors*: [`Misuse::CannotSendRequest`] where no head was
    /// sent; more content than was announced; what keeps it from being sent.
    pub fn send(&mut self, content: &[u8]) -> Result<(), Error> {
        if !matches!(self.stage, Stage::Sent) {
            return Err(Misuse::CannotSendRequest.into());
        }
        if self.pump.is_none() {
            return Err(Misuse::NotConnected.into());
        }
        let mut framed = Vec::with_capacity(content.len() + 32);
        self.frame(content, &mut framed)?;
        self.write(&framed)
    }

    /// Sends what a reader gives, to its end.
    ///
    /// *Blocking*: until it is written. *Errors*: as [`RawConnection::send`], and the reader's.
    pub fn send_from(&mut self, reader: &mut impl Read) -> Result<u64, Error> {
        let (mut piece, mut total) = (vec![0; 32 * 1024], 0);
        loop {
            let count = match reader.read(&mut piece) {
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let message = format!("the content cannot be read: {error}");
                    let failed = Error::new(ErrorKind::Content, Phase::Send, message);
                    return Err(failed.caused_by(error));
                }
            };
            if count == 0 {
                return Ok(total);
            }
            self.send(&piece[..count])?;
            total += count as u64;
        }
    }

    /// Ends chunked content, with trailers. Other content ends by itself.
    ///
    /// *Blocking*: until it is written. *Errors*: as [`RawConnection::send`]; less content than was
    /// announced; trailers that cannot stand there.
    pub fn end_content(&mut self, trailers: &FieldBuf) -> Result<(), Error> {
        let mut end = Vec::new();
        self.conn.send_end(trailers, &mut end).map_err(misuse)?;
        self.write(&end)
    }

    /// Waits for the head of the response to the oldest request that has none.
    ///
    /// *Blocking*: within the time-outs. *Errors*: [`Misuse::ResponseNotReady`] where no request was
    /// sent, its content is not complete, or an earlier response is unread; what keeps the response
    /// from coming.
    pub fn get_response(&mut self) -> Result<RawResponse<'_>, Error> {
        let sending = self.conn.sends_content() || matches!(self.stage, Stage::Started { .. });
        if self.unread || self.conn.outstanding() == 0 || (sending && !self.pipelining) {
            return Err(Misuse::ResponseNotReady.into());
        }
        RawResponse::wait(self)
    }

    /// Frames content.
    fn frame(&mut self, content: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if !content.is_empty() {
            let suffix = self.conn.frame_data(content.len() as u64, out).map_err(misuse)?;
            out.extend_from_slice(content);
            out.extend_from_slice(suffix);
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(pump) = &mut self.pump else { return Err(Misuse::NotConnected.into()) };
        let patience: Duration = self.config.timeouts.between;
        pump.write(bytes, patience).map_err(|error| error.about(&self.url))
    }

    fn show(&mut self, direction: Direction, head: &[u8]) {
        if let Some(trace) = &mut self.trace {
            trace(direction, &masked(head));
        }
    }
}

/// A head without its secrets.
fn masked(head: &[u8]) -> Vec<u8> {
    const SECRET: [&[u8]; 4] = [b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"];
    let mut shown = Vec::with_capacity(head.len());
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(0);
        if SECRET.iter().any(|name| line[..colon].eq_ignore_ascii_case(name)) {
            shown.extend_from_slice(&line[..colon]);
            shown.extend_from_slice(b": ***\r\n");
        } else {
            shown.extend_from_slice(line);
        }
    }
    shown
}

fn misuse(error: avocet_wire::SendError) -> Error {
    Error::new(ErrorKind::Request, Phase::Send, error).caused_by(error)
}

fn invalid(error: avocet_wire::InvalidField) -> Error {
    Error::new(ErrorKind::Request, Phase::Prepare, error).caused_by(error)
}
