//! What goes over the wire, for those who want to see it: heads with -v, -i, -D, -I, and cookies.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use avocet::client::{Error, Hook, Hop, Verdict};
use avocet::wire::{FieldBuf, ResponseHead};
use http::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION, SET_COOKIE};

use super::args::{Fetch, Format};
use crate::failure::Failure;
use crate::output::printable;

/// Shows heads as they pass.
#[derive(Clone)]
pub(crate) struct Trace {
    verbose: bool,
    /// What is to be written where the content goes.
    included: Option<Included>,
    cookies: bool,
    dump: Option<Dump>,
}

/// The heads of transfers by their tags, until they are written.
type Included = Arc<Mutex<HashMap<u64, Vec<u8>>>>;

/// Where the heads go.
type Dump = Arc<Mutex<dyn Write + Send>>;

impl Trace {
    /// *Errors*: a file for heads that cannot be made.
    pub(crate) fn new(options: &Fetch, verbose: bool) -> Result<Self, Failure> {
        let dump: Option<Dump> = match &options.dump_header {
            // Nothing comes.
            _ if options.dry_run => None,
            None => None,
            Some(path) if path.as_os_str() == "-" => Some(Arc::new(Mutex::new(io::stdout()))),
            Some(path) => Some(Arc::new(Mutex::new(File::create(path).map_err(|error| {
                Failure::with_status(23, format_args!("cannot write {}: {error}", path.display()))
            })?))),
        };
        // JSON has the fields in it.
        let include = (options.include || options.head) && options.format == Format::Text;
        let included = include.then(Arc::default);
        Ok(Self { verbose, included, cookies: options.show_cookies, dump })
    }

    /// The heads of a transfer that are to be written before its content, as far as they have come.
    pub(super) fn take_included(&self, tag: u64) -> Vec<u8> {
        let Some(included) = &self.included else { return Vec::new() };
        let mut included = included.lock().unwrap_or_else(PoisonError::into_inner);
        included.remove(&tag).unwrap_or_default()
    }

    fn include(&self, tag: u64, bytes: &[u8]) {
        let Some(included) = &self.included else { return };
        let mut included = included.lock().unwrap_or_else(PoisonError::into_inner);
        let heads = included.entry(tag).or_default();
        if heads.len() + bytes.len() > MOST_INCLUDED {
            log::error!("the heads of so many redirects are left out");
            return;
        }
        heads.extend_from_slice(bytes);
    }

    fn show_request(&self, hop: &Hop<'_>, fields: &FieldBuf) {
        if hop.replayed {
            if self.verbose {
                note('*', format_args!("the kept connection was closed; sent again on a new one"));
            }
            return;
        }
        if self.verbose {
            note('>', format_args!("{} {} HTTP/1.1", hop.method, hop.target()));
            for (name, value) in fields.iter() {
                note('>', format_args!("{name}: {}", shown(name, value)));
            }
            note('>', format_args!(""));
        }
        if self.cookies
            && let Some(sent) = fields.get(&COOKIE)
        {
            note('*', format_args!("cookies sent: {}", String::from_utf8_lossy(sent)));
        }
    }

    fn show_response(&self, tag: u64, head: &ResponseHead<'_>) -> io::Result<()> {
        if self.verbose {
            note('<', format_args!("{}", status_line(head)));
            for (name, value) in head.fields.iter() {
                note('<', format_args!("{name}: {}", String::from_utf8_lossy(value)));
            }
            note('<', format_args!(""));
        }
        if self.cookies {
            for line in head.fields.get_all(&SET_COOKIE) {
                note('*', format_args!("cookie set: {}", String::from_utf8_lossy(line)));
            }
        }
        if self.included.is_some() || self.dump.is_some() {
            let bytes = raw(head);
            if let Some(dump) = &self.dump {
                dump.lock().unwrap_or_else(PoisonError::into_inner).write_all(&bytes)?;
            }
            self.include(tag, &bytes);
        }
        Ok(())
    }
}

impl Hook for Trace {
    fn on_request(&self, hop: &Hop<'_>, fields: &mut FieldBuf) -> Result<(), Error> {
        self.show_request(hop, fields);
        Ok(())
    }

    fn on_response(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) -> Verdict {
        if let Err(error) = self.show_response(hop.tag, head) {
            log::error!("cannot write the head of the response: {error}");
        }
        Verdict::Proceed
    }
}

/// The head as it came, line ends and all.
fn raw(head: &ResponseHead<'_>) -> Vec<u8> {
    let mut bytes = status_line(head).into_bytes();
    bytes.extend_from_slice(b"\r\n");
    for (name, value) in head.fields.iter() {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn status_line(head: &ResponseHead<'_>) -> String {
    let reason = String::from_utf8_lossy(head.reason);
    format!("{:?} {} {reason}", head.version, head.status.as_str())
}

/// The value of a field for a person who may be watched.
pub(super) fn shown<'a>(name: &str, value: &'a [u8]) -> Cow<'a, str> {
    if is_secret(name) { "(kept back)".into() } else { String::from_utf8_lossy(value) }
}

fn is_secret(name: &str) -> bool {
    [AUTHORIZATION, PROXY_AUTHORIZATION]
        .iter()
        .any(|secret: &HeaderName| name.eq_ignore_ascii_case(secret.as_str()))
}

/// A line on standard error about what goes on.
pub(super) fn note(mark: char, text: std::fmt::Arguments<'_>) {
    let text = printable(&text.to_string());
    if let Err(error) = writeln!(io::stderr().lock(), "{mark} {text}") {
        log::debug!("cannot write to standard error: {error}");
    }
}

/// Bytes of the heads of one transfer that are kept until its content comes.
const MOST_INCLUDED: usize = 16 * 1024 * 1024;
