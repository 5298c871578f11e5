//! One line per exchange, in the forms that tools read.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use avocet_net::Address;
use avocet_semantics::dates;
use http::StatusCode;

/// What is known of an exchange when it has ended.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The client's address.
    pub remote: &'a Address,
    /// When the exchange ended.
    pub time: SystemTime,
    /// The request line as it was sent, without its line end; empty when none could be read.
    pub request_line: &'a [u8],
    /// The host the request was for.
    pub host: Option<&'a [u8]>,
    /// The status of the final response; `None` when the connection ended without one.
    pub status: Option<StatusCode>,
    /// Bytes of content sent.
    pub content: u64,
    /// From the end of the request's head to the end of the response.
    pub duration: Duration,
    /// The Referer field.
    pub referer: Option<&'a [u8]>,
    /// The User-Agent field.
    pub user_agent: Option<&'a [u8]>,
    /// Whether the response was cut off.
    pub aborted: bool,
}

/// Takes the entries, on the loop's thread: it must not block.
pub trait AccessLog: Send + Sync {
    /// One exchange has ended.
    fn record(&self, entry: &Entry<'_>);
}

impl<F: Fn(&Entry<'_>) + Send + Sync> AccessLog for F {
    fn record(&self, entry: &Entry<'_>) {
        self(entry);
    }
}

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// The Common Log Format: `host - - [time] "line" status bytes`.
    #[default]
    Common,
    /// Common and the Referer and User-Agent fields.
    Combined,
    /// One JSON object per line.
    Json,
}

/// Writes lines on a thread of its own, so that a slow terminal or disk stops no connection.
///
/// Control characters and quotes are escaped; the values of query parameters that carry secrets by
/// their name (`token`, `password`, `signature` and such) are replaced by `[redacted]`.
///
/// *Bounds*: 64 KiB of lines per batch and 64 batches wait; beyond that lines are dropped, and the
/// next line that is written is preceded by their number in the program's log.
pub struct LineLog {
    format: LogFormat,
    queue: Mutex<Queue>,
    batches: SyncSender<Message>,
}

#[derive(Default)]
struct Queue {
    lines: String,
    /// A batch is with the writer, so that what comes meanwhile makes the next one.
    busy: bool,
    dropped: u64,
}

enum Message {
    Look,
    Flush(SyncSender<()>),
}

impl LineLog {
    /// Lines in this form to this writer.
    ///
    /// *Errors*: when no thread can be started.
    pub fn new(
        format: LogFormat,
        writer: impl Write + Send + 'static,
    ) -> std::io::Result<Arc<Self>> {
        let (batches, inbox) = sync_channel(64);
        let log = Arc::new(Self { format, queue: Mutex::default(), batches });
        let weak = Arc::downgrade(&log);
        let take = move || {
            weak.upgrade().map(|log| {
                let mut queue = log.lock();
                queue.busy = false;
                (std::mem::take(&mut queue.lines), std::mem::take(&mut queue.dropped))
            })
        };
        thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_batches(&inbox, take, writer))?;
        Ok(log)
    }

    /// Waits until everything recorded so far was handed to the writer.
    ///
    /// *Blocking*: on the writer.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.batches.send(Message::Flush(done)).is_ok() && wait.recv().is_err() {
            log::warn!("the access log ended before it was written out");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccessLog for LineLog {
    fn record(&self, entry: &Entry<'_>) {
        let mut queue = self.lock();
        if queue.lines.len() > BATCH {
            queue.dropped += 1;
            return;
        }
        format_line(self.format, entry, &mut queue.lines);
        if !queue.busy {
            queue.busy = true;
            match self.batches.try_send(Message::Look) {
                Ok(()) | Err(TrySendError::Full(_)) => {}
                Err(TrySendError::Disconnected(_)) => queue.lines.clear(),
            }
        }
    }
}

fn write_batches(
    inbox: &Receiver<Message>,
    take: impl Fn() -> Option<(String, u64)>,
    mut writer: impl Write,
) {
    let mut failing = false;
    while let Ok(message) = inbox.recv() {
        let Some((lines, dropped)) = take() else { return };
        if dropped > 0 {
            log::warn!("{dropped} lines of the access log were dropped: its writer is too slow");
        }
        let written = writer.write_all(lines.as_bytes()).and_then(|()| writer.flush());
        match written {
            Err(error) if !failing => {
                failing = true;
                log::error!("cannot write the access log: {error}");
            }
            Err(_) => {}
            Ok(()) => failing = false,
        }
        if let Message::Flush(done) = message
            && done.send(()).is_err()
        {
            log::debug!("nobody waits for the access log any more");
        }
    }
}

/// Appends one line, with its line end.
fn format_line(format: LogFormat, entry: &Entry<'_>, line: &mut String) {
    match format {
        LogFormat::Json => json(entry, line),
        LogFormat::Common => {
            common(entry, line);
            line.push('\n');
        }
        LogFormat::Combined => {
            common(entry, line);
            for field in [entry.referer, entry.user_agent] {
                line.push_str(" \"");
                match field {
                    Some(value) => escape(value, line),
                    None => line.push('-'),
                }
                line.push('"');
            }
            line.push('\n');
        }
    }
}

fn common(entry: &Entry<'_>, line: &mut String) {
    host(entry.remote, line);
    line.push_str(" - - [");
    let time = dates::format_clf(dates::seconds(entry.time));
    line.push_str(&String::from_utf8_lossy(&time));
    line.push_str("] \"");
    match entry.request_line {
        b"" => line.push('-'),
        text => escape(&redact(text), line),
    }
    line.push_str("\" ");
    match entry.status {
        Some(status) => line.push_str(status.as_str()),
        None => line.push('-'),
    }
    append(line, format_args!(" {}", entry.content));
}

fn json(entry: &Entry<'_>, line: &mut String) {
    line.push_str("{\"time\":\"");
    let time = dates::format_clf(dates::seconds(entry.time));
    line.push_str(&String::from_utf8_lossy(&time));
    line.push_str("\",\"remote\":\"");
    host(entry.remote, line);
    line.push('"');
    let redacted = redact(entry.request_line);
    let fields = [
        ("request", Some(&*redacted)),
        ("host", entry.host),
        ("referer", entry.referer),
        ("user_agent", entry.user_agent),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            append(line, format_args!(",\"{name}\":\""));
            escape_json(value, line);
            line.push('"');
        }
    }
    if let Some(status) = entry.status {
        append(line, format_args!(",\"status\":{}", status.as_u16()));
    }
    let micros = entry.duration.as_micros();
    append(line, format_args!(",\"bytes\":{},\"micros\":{micros}", entry.content));
    append(line, format_args!(",\"aborted\":{}}}\n", entry.aborted));
}

fn host(remote: &Address, line: &mut String) {
    match remote {
        Address::Ip(address) => append(line, format_args!("{}", address.ip().to_canonical())),
        other => append(line, format_args!("{other}")),
    }
}

/// Formatting into a string cannot fail.
fn append(line: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = line.write_fmt(arguments);
    debug_assert!(written.is_ok(), "a string takes everything");
}

fn escape(value: &[u8], line: &mut String) {
    for &byte in value {
        match byte {
            b'"' | b'\\' => {
                line.push('\\');
                line.push(char::from(byte));
            }
            0x20..=0x7e => line.push(char::from(byte)),
            _ => append(line, format_args!("\\x{byte:02x}")),
        }
    }
}

fn escape_json(value: &[u8], line: &mut String) {
    for character in String::from_utf8_lossy(value).chars() {
        match character {
            '"' | '\\' => {
                line.push('\\');
                line.push(character);
            }
            // Besides the control characters, those that turn the direction of text around.
            '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                append(line, format_args!("\\u{:04x}", u32::from(character)));
            }
            _ => line.push(character),
        }
    }
}

/// Replaces the values of parameters whose name says that they are secret.
fn redact(line: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    let Some(start) = line.iter().position(|byte| *byte == b'?') else { return line.into() };
    let end = line.iter().rposition(|byte| *byte == b' ').filter(|end| *end > start);
    let end = end.unwrap_or(line.len());
    let mut redacted = line[..=start].to_vec();
    for (index, pair) in line[start + 1..end].split(|byte| *byte == b'&').enumerate() {
        if index > 0 {
            redacted.push(b'&');
        }
        match pair.iter().position(|byte| *byte == b'=') {
            Some(equals) if is_secret(&pair[..equals]) => {
                redacted.extend_from_slice(&pair[..=equals]);
                redacted.extend_from_slice(b"[redacted]");
            }
            _ => redacted.extend_from_slice(pair),
        }
    }
    redacted.extend_from_slice(&line[end..]);
    redacted.into()
}

fn is_secret(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|secret| name.windows(secret.len()).any(|part| part == secret.as_bytes()))
        || name == b"sig"
        || name == b"key"
}

const SECRETS: [&str; 8] =
    ["token", "password", "passwd", "secret", "signature", "api_key", "apikey", "credential"];

const BATCH: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry<'a>(request_line: &'a [u8], remote: &'a Address) -> Entry<'a> {
        Entry {
            remote,
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_366_292_373),
            request_line,
            host: Some(b"h"),
            status: Some(StatusCode::OK),
            content: 18,
            duration: Duration::from_micros(5),
            referer: None,
            user_agent: Some(b"a\"b\\\x1b[31m"),
            aborted: false,
        }
    }

    fn line(format: LogFormat, request_line: &[u8]) -> String {
        let remote = Address::Ip(([127, 0, 0, 1], 5).into());
        let mut line = String::new();
        format_line(format, &entry(request_line, &remote), &mut line);
        line
    }

    #[test]
    fn parity_b17_common_and_combined_lines() {
        assert_eq!(
            line(LogFormat::Common, b"GET / HTTP/1.1"),
            "127.0.0.1 - - [18/Apr/2013:13:39:33 +0000] \"GET / HTTP/1.1\" 200 18\n"
        );
        assert_eq!(
            line(LogFormat::Combined, b""),
            "127.0.0.1 - - [18/Apr/2013:13:39:33 +0000] \"-\" 200 18 \"-\" \
             \"a\\\"b\\\\\\x1b[31m\"\n"
        );
    }

    #[test]
    fn json_lines_escape_what_a_terminal_would_obey() {
        let line = line(LogFormat::Json, "GET /\u{202e}x HTTP/1.1".as_bytes());
        assert!(line.contains(r#""request":"GET /\u202ex HTTP/1.1""#), "{line}");
        assert!(line.contains(r#""user_agent":"a\"b\\\u001b[31m""#), "{line}");
        assert!(line.ends_with("\"status\":200,\"bytes\":18,\"micros\":5,\"aborted\":false}\n"));
    }

    #[test]
    fn secrets_in_a_query_are_redacted() {
        let redacted = redact(b"GET /a?x=1&access_token=abc&Sig=z&b HTTP/1.1");
        assert_eq!(
            String::from_utf8_lossy(&redacted),
            "GET /a?x=1&access_token=[redacted]&Sig=[redacted]&b HTTP/1.1"
        );
        assert_eq!(&*redact(b"GET /token=1 HTTP/1.1"), b"GET /token=1 HTTP/1.1");
    }
}
