//! Hosts that want to be visited by https only (RFC 6797).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use avocet_client::{Hook, Hop, Verdict};
use avocet_semantics::dates;
use avocet_wire::ResponseHead;
use http::header::STRICT_TRANSPORT_SECURITY;
use url::{Host, Url};

/// Remembers which hosts want https, and turns URLs of http to https for them. It is a hook of a
/// client; clones share what they know.
///
/// *Bounds*: 10,000 hosts; beyond them a new one is not remembered.
#[derive(Clone, Debug, Default)]
pub struct Hsts(Arc<Mutex<BTreeMap<String, Policy>>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Policy {
    /// Seconds since 1970; `None` is for ever.
    until: Option<u64>,
    subdomains: bool,
}

impl Hsts {
    /// Knows nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what stands in a file as curl writes it: a host on each line, with a dot before it where
    /// its subdomains are meant too, and until when.
    ///
    /// *Errors*: a file that cannot be read. Lines that are malformed are left out; a file that does
    /// not exist has none.
    pub fn load(&self, path: &Path) -> io::Result<()> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            text => text?,
        };
        let mut hosts = self.lock();
        for (host, policy) in text.lines().filter_map(line) {
            if hosts.len() < MOST {
                hosts.insert(host, policy);
            }
        }
        Ok(())
    }

    /// Writes a file as curl reads it, whole or not at all.
    ///
    /// *Errors*: it cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let mut text = "# Hosts that are visited by https only.\n".to_owned();
        let now = now();
        for (host, policy) in self.lock().iter().filter(|(_, policy)| policy.holds(now)) {
            let dot = if policy.subdomains { "." } else { "" };
            let until = policy.until.map_or_else(|| "unlimited".to_owned(), stamp);
            // Writing to a string does not fail.
            let _ = writeln!(text, "{dot}{host} \"{until}\"");
        }
        // A device keeps its place.
        if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return std::fs::write(path, text);
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let beside = path.with_file_name(name);
        std::fs::write(&beside, text)?;
        std::fs::rename(&beside, path)
    }

    /// Takes in what a host has said in the field; the first line counts.
    ///
    /// *Spec*: RFC 6797 §8.1. A malformed value says nothing.
    pub fn learn(&self, host: &str, value: &[u8]) {
        let Some((seconds, subdomains)) = directives(value) else { return };
        if host.parse::<IpAddr>().is_ok() || host.starts_with('[') {
            return;
        }
        let mut hosts = self.lock();
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if seconds == 0 {
            hosts.remove(&host);
        } else if hosts.len() < MOST || hosts.contains_key(&host) {
            let until = Some(now().saturating_add(seconds).min(LATEST));
            hosts.insert(host, Policy { until, subdomains });
        }
    }

    /// Whether a host is to be visited by https only.
    pub fn knows(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let (hosts, now) = (self.lock(), now());
        if hosts.get(&host).is_some_and(|policy| policy.holds(now)) {
            return true;
        }
        let mut rest = host.as_str();
        while let Some((_, above)) = rest.split_once('.') {
            if hosts.get(above).is_some_and(|policy| policy.subdomains && policy.holds(now)) {
                return true;
            }
            rest = above;
        }
        false
    }

    /// A hook that obeys what is known, and what others learn, and learns nothing itself: for clients
    /// that check no certificate (RFC 6797 §8.1 wants a connection without any fault).
    pub fn obeying(&self) -> impl Hook + 'static {
        Obeying(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Policy>> {
        // It is never left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Obeys what is known and learns nothing: for clients that check no certificate, to whom anybody
/// could say anything.
struct Obeying(Hsts);

impl Hook for Obeying {
    fn on_url(&self, url: &mut Url) {
        self.0.on_url(url);
    }
}

impl Hook for Hsts {
    /// RFC 6797 §8.3: the port 80 becomes that of https, any other stays.
    fn on_url(&self, url: &mut Url) {
        let Some(Host::Domain(host)) = url.host() else { return };
        if url.scheme() != "http" || !self.knows(host) {
            return;
        }
        log::info!("{host} is visited by https, as it has asked for");
        if url.set_scheme("https").is_err() {
            log::warn!("{url} cannot be visited by https");
        }
    }

    fn on_response(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) -> Verdict {
        if hop.url.scheme() == "https"
            && let (Some(Host::Domain(host)), Some(value)) =
                (hop.url.host(), head.fields.get(&STRICT_TRANSPORT_SECURITY))
        {
            self.learn(host, value);
        }
        Verdict::Proceed
    }
}

impl Policy {
    fn holds(self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Max-age, and whether subdomains are meant; RFC 6797 §6.1: "Directives MUST NOT appear more than
/// once", and max-age must appear.
fn directives(value: &[u8]) -> Option<(u64, bool)> {
    let (mut seconds, mut subdomains) = (None, false);
    for part in std::str::from_utf8(value).ok()?.split(';') {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (part.trim(), None),
        };
        if name.eq_ignore_ascii_case("max-age") {
            let value = value?;
            let digits =
                value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number || seconds.is_some() {
                return None;
            }
            seconds = Some(digits.parse().unwrap_or(u64::MAX));
        } else if name.eq_ignore_ascii_case("includeSubDomains") {
            if subdomains || value.is_some() {
                return None;
            }
            subdomains = true;
        }
    }
    Some((seconds?, subdomains))
}

fn line(text: &str) -> Option<(String, Policy)> {
    let (host, rest) = text.trim().split_once(' ')?;
    let until = rest.trim().strip_prefix('"')?.strip_suffix('"')?;
    let (host, subdomains) = match host.strip_prefix('.') {
        Some(host) => (host, true),
        None => (host, false),
    };
    if host.is_empty() || host.starts_with('#') {
        return None;
    }
    let until = if until == "unlimited" { None } else { Some(seconds(until)?) };
    Some((host.to_ascii_lowercase(), Policy { until, subdomains }))
}

/// Seconds since 1970 as `20271120 14:03:00`.
fn stamp(seconds: u64) -> String {
    let text = dates::format_rfc3339(i64::try_from(seconds.min(LATEST)).unwrap_or(0));
    let text: String = text.iter().map(|&byte| char::from(byte)).collect();
    text.replace('-', "").replace('T', " ").replace('Z', "")
}

fn seconds(stamp: &str) -> Option<u64> {
    let (day, time) = stamp.split_once(' ')?;
    if day.len() != 8 || time.len() != 8 || !stamp.is_ascii() {
        return None;
    }
    let month = MONTHS.get(day[4..6].parse::<usize>().ok()?.checked_sub(1)?)?;
    // The day of the week says nothing that the date does not.
    let text = format!("Mon, {} {month} {} {time} GMT", &day[6..], &day[..4]);
    u64::try_from(dates::parse(text.as_bytes(), i64::try_from(now()).ok()?)?).ok()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MOST: usize = 10_000;
/// The end of the year 9999, beyond which dates have no common form.
const LATEST: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(hsts: &Hsts, url: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        hsts.on_url(&mut url);
        url.into()
    }

    #[test]
    fn hosts_that_ask_for_it_are_visited_by_https() {
        let hsts = Hsts::new();
        hsts.learn("One.example", b"max-age=60");
        hsts.learn("two.example", b"includeSubDomains; max-age=\"60\"; other=x");
        hsts.learn("127.0.0.1", b"max-age=60");
        for (url, expected) in [
            ("http://one.example/p?q", "https://one.example/p?q"),
            ("http://one.example:80/", "https://one.example/"),
            ("http://one.example:8080/", "https://one.example:8080/"),
            ("http://a.one.example/", "http://a.one.example/"),
            ("http://a.b.TWO.example./", "https://a.b.two.example./"),
            ("http://two.example/", "https://two.example/"),
            ("http://nottwo.example/", "http://nottwo.example/"),
            ("http://127.0.0.1/", "http://127.0.0.1/"),
        ] {
            assert_eq!(turned(&hsts, url), expected);
        }
        hsts.learn("two.example", b"max-age=0");
        assert!(!hsts.knows("two.example") && hsts.knows("one.example"));
    }

    #[test]
    fn malformed_values_say_nothing() {
        let hsts = Hsts::new();
        for value in [
            &b""[..],
            b"max-age",
            b"max-age=",
            b"max-age=-1",
            b"max-age=1; max-age=2",
            b"includeSubDomains",
            b"max-age=1; includeSubDomains=x",
            b"max-age=\xff",
        ] {
            hsts.learn("h.example", value);
            assert!(!hsts.knows("h.example"), "{value:?}");
        }
        hsts.learn("h.example", b"max-age=99999999999999999999999");
        assert!(hsts.knows("h.example"));
    }

    #[test]
    fn a_file_goes_there_and_back_and_what_is_over_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hsts");
        let hsts = Hsts::new();
        hsts.load(&path).unwrap();
        hsts.learn("one.example", b"max-age=100");
        hsts.learn("two.example", b"max-age=31536000; includeSubDomains");
        hsts.save(&path).unwrap();
        let again = Hsts::new();
        again.load(&path).unwrap();
        assert_eq!(*again.lock(), *hsts.lock());
        std::fs::write(
            &path,
            "# note\nold.example \"20200101 00:00:00\"\nbad\n.x.example \"unlimited\"\n",
        )
        .unwrap();
        let read = Hsts::new();
        read.load(&path).unwrap();
        assert!(!read.knows("old.example") && read.knows("a.x.example"));
        assert_eq!(seconds("19700102 00:00:01"), Some(86_401));
        assert_eq!(stamp(86_401), "19700102 00:00:01");
    }
}
