//! Cookies out of heads that were written down by -D: -b takes those, too.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use avocet::cookies::{Context, Jar};
use url::Url;

/// Sets the cookies of the heads in a file as if the host of `url` had just sent them. Whether there
/// were any lines of theirs.
///
/// *Errors*: the file cannot be read, or is larger than heads are.
pub(super) fn take(jar: &mut Jar, path: &Path, url: &Url, now: SystemTime) -> io::Result<bool> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == LARGEST {
        return Err(io::Error::other("it is too large for heads"));
    }
    let mut any = false;
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some((name, value)) = line.split_at_checked(NAME.len()) else { continue };
        if !name.eq_ignore_ascii_case(NAME) {
            continue;
        }
        any = true;
        if let Err(refusal) = jar.set(url, value.trim_ascii(), &Context::new(), now) {
            log::info!("a cookie in {} is refused: {refusal}", path.display());
        }
    }
    Ok(any)
}

const NAME: &[u8] = b"set-cookie:";

/// Bytes of the largest file that is read.
const LARGEST: u64 = 4 * 1024 * 1024;
