use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::{Note, SameSite, Withheld};

mod accept;
mod room;
mod send;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

fn set(jar: &mut Jar, from: &str, line: &str) -> Result<Accepted, Refusal> {
    jar.set(&url(from), line.as_bytes(), &Context::new(), at(0))
}

fn verdict(from: &str, line: &str) -> Result<Accepted, Refusal> {
    set(&mut Jar::new(), from, line)
}

fn sent(jar: &mut Jar, to: &str) -> String {
    let header = jar.header_for(&url(to), &Context::new(), at(0));
    String::from_utf8(header.unwrap_or_default()).unwrap()
}
