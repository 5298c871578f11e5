//! The files of a call.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use avocet::client::{Checksum, ChecksumKind, Config, Download, Request};
use avocet::semantics::file_names;
use http::Method;
use url::Url;

use super::Download as Options;
use crate::addresses::Addresses;
use crate::failure::Failure;
use crate::settings::{Section, Settings};
use crate::target::with_scheme;

/// One file.
pub(super) struct Job {
    /// What it is called before the server has named it.
    pub(super) name: String,
    pub(super) download: Download,
    pub(super) config: Config,
}

/// What every file must be.
enum Expected {
    Nothing,
    One(Checksum),
    Listed { list: PathBuf, by_name: HashMap<String, Checksum> },
}

/// Puts the files of a call together.
///
/// *Errors*: malformed URLs, options that contradict each other, lists that cannot be read.
pub(super) fn jobs(options: &Options, settings: &Settings) -> Result<Vec<Job>, Failure> {
    let mut urls = Vec::new();
    let mut addresses = Addresses::open(&options.urls, options.input.as_deref())?;
    while let Some(address) = addresses.next_address()? {
        urls.push(parse(&address)?);
    }
    let expected = expected(options)?;
    let several = urls.len() > 1 && !options.mirrors;
    for (given, option) in [
        (options.output.is_some(), "--output"),
        (!options.mirror.is_empty(), "--mirror"),
        (matches!(expected, Expected::One(_)), "--checksum with one value"),
    ] {
        if several && given {
            return Err(Failure::usage(format_args!("{option} is for one file, not for several")));
        }
    }
    if urls.is_empty() {
        return Err(Failure::usage("there is no URL"));
    }
    let mut mirrors = if options.mirrors { urls.split_off(1) } else { Vec::new() };
    for mirror in &options.mirror {
        mirrors.push(parse(mirror)?);
    }
    // Files that are fetched at the same time share the rate.
    let share = usize::from(options.parallel).min(urls.len()) as u64;
    let rate = options.limit_rate.map(|rate| NonZeroU64::get(rate) / share);
    let mut taken: HashMap<String, Url> = HashMap::new();
    let mut jobs = Vec::new();
    let mut known: HashMap<&Section, Options> = HashMap::new();
    for url in urls {
        // What is about the call as a whole was read above and is no host's to change.
        let options = match settings.section_of_url(&url) {
            None => options,
            Some(section) => match known.entry(section) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(settings.parse(Some(section))?),
            },
        };
        let name = name(options, &url);
        if let Some(name) = &name
            && let Some(other) = taken.insert(name.clone(), url.clone())
        {
            return Err(Failure::usage(format_args!("{other} and {url} would both be {name}")));
        }
        let mut download = Download::new(url.clone())
            .folder(&options.dir)
            .tries(options.tries)
            .sync(options.sync)
            .split(options.split);
        if let Some(file) = &options.output {
            download = download.file(options.dir.join(file));
        }
        if let Some(rate) = rate {
            download = download.rate(rate);
        }
        if let Some(checksum) = expected.of(name.as_deref(), &url)? {
            download = download.checksum(checksum);
        }
        download = mirrors.iter().cloned().fold(download, Download::mirror);
        let name = name.unwrap_or_else(|| url.to_string());
        jobs.push(Job { name, download, config: options.config()? });
    }
    Ok(jobs)
}

/// *Errors*: what is no URL of http or https, told without a password that stands in it.
fn parse(address: &str) -> Result<Url, Failure> {
    let request = Request::new(Method::GET, &with_scheme(address));
    request.map(|request| request.url().clone()).map_err(|error| Failure::with_status(3, error))
}

/// The name as far as it is known before the server has said another.
fn name(options: &Options, url: &Url) -> Option<String> {
    match &options.output {
        Some(file) => Some(file.file_name()?.to_string_lossy().into_owned()),
        None => file_names::safe(url.path_segments()?.next_back()?),
    }
}

fn expected(options: &Options) -> Result<Expected, Failure> {
    let Some(text) = &options.checksum else { return Ok(Expected::Nothing) };
    let path = Path::new(text);
    match text.parse() {
        Ok(checksum) => return Ok(Expected::One(checksum)),
        Err(error) if !path.is_file() => return Err(Failure::usage(error)),
        Err(_) => {}
    }
    let list = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format_args!("cannot read {text}: {error}")))?;
    let mut by_name = HashMap::new();
    for (number, line) in (1..).zip(list.lines()) {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, checksum) = entry(line).ok_or_else(|| {
            Failure::usage(format_args!("{text}, line {number}: no checksum with a name"))
        })?;
        by_name.insert(name.to_owned(), checksum);
    }
    Ok(Expected::Listed { list: path.to_owned(), by_name })
}

/// A line of sha256sum or sha512sum: the checksum, a blank, a blank or a star, the name.
fn entry(line: &str) -> Option<(&str, Checksum)> {
    let (hex, name) = line.split_once(' ')?;
    let name = name.strip_prefix([' ', '*']).unwrap_or(name);
    let kind = match hex.len() {
        64 => ChecksumKind::Sha256,
        128 => ChecksumKind::Sha512,
        _ => return None,
    };
    let checksum = Checksum::from_hex(kind, hex)?;
    let name = Path::new(name).file_name()?.to_str()?;
    Some((name, checksum))
}

impl Expected {
    /// *Errors*: a file that the list does not name: it would go unchecked.
    fn of(&self, name: Option<&str>, url: &Url) -> Result<Option<Checksum>, Failure> {
        match self {
            Self::Nothing => Ok(None),
            Self::One(checksum) => Ok(Some(checksum.clone())),
            Self::Listed { list, by_name } => {
                let found = name.and_then(|name| by_name.get(name));
                let missing = || {
                    let shown = name.unwrap_or(url.as_str());
                    Failure::usage(format_args!("{} does not name {shown}", list.display()))
                };
                found.cloned().ok_or_else(missing).map(Some)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_lists() {
        let hex = "ab".repeat(32);
        for line in [format!("{hex}  dir/f"), format!("{hex} *f"), format!("{hex} f")] {
            let (name, checksum) = entry(&line).unwrap();
            assert_eq!((name, checksum.to_string()), ("f", format!("sha-256={hex}")));
        }
        for wrong in ["", &hex, "abc  f", &format!("{}  f", "zz".repeat(32))] {
            assert!(entry(wrong).is_none(), "{wrong}");
        }
    }
}
