//! What is fetched: the URLs of the call, each with its own file to write and to send.

use std::path::{Path, PathBuf};

use super::args::{Fetch, Placed};
use super::glob::Glob;
use crate::failure::Failure;

/// One URL to fetch.
#[derive(Debug)]
pub(super) struct Target {
    /// The place of its pattern among those of the call.
    pub(super) index: usize,
    pub(super) url: String,
    pub(super) output: Output,
    /// The file to send.
    pub(super) upload: Option<PathBuf>,
}

/// Where content goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Nobody has said.
    Unsaid,
    /// Where -o says, which may be `-`.
    File(PathBuf),
    /// A file named like the last part of the URL.
    RemoteName,
}

/// The URLs one after the other. What a pattern stands for is made when its turn comes.
pub(super) struct Targets {
    /// What is assumed without a scheme.
    scheme: String,
    wanted: Vec<Wanted>,
    at: usize,
    number: u64,
}

/// A URL as it was written. As with curl the first URL has the first -o or -O and the first -T, the
/// second the second, however they are mixed.
struct Wanted {
    url: Glob,
    upload: Option<Glob>,
    output: Output,
    count: u64,
}

impl Targets {
    /// Reads the patterns of a call.
    ///
    /// *Errors*: those of a pattern, 3.
    pub(super) fn new(options: &Fetch) -> Result<Self, Failure> {
        let mut urls: Vec<&Placed> = options.urls.iter().chain(&options.url).collect();
        urls.sort_by_key(|url| url.place);
        let files = &options.files;
        let named = files.output.iter().map(|o| (o.place, Output::File(o.value.clone())));
        let unnamed = files.remote_name.iter().map(|o| (o.place, Output::RemoteName));
        let mut outputs: Vec<(usize, Output)> = named.chain(unnamed).collect();
        outputs.sort_by_key(|(place, _)| *place);
        if outputs.len() > urls.len() {
            log::warn!("there are more of -o and -O than URLs");
        }
        let rest = if files.remote_name_all { Output::RemoteName } else { Output::Unsaid };
        let mut outputs = outputs.into_iter().map(|(_, output)| output);
        let mut uploads = options.sent.upload_file.iter();
        let mut wanted = Vec::new();
        for url in urls {
            let glob = |pattern: &str| match options.globoff {
                true => Ok(Glob::literal(pattern)),
                false => Glob::parse(pattern).map_err(|wrong| Failure::with_status(3, wrong)),
            };
            let url = glob(&url.value)?;
            let upload = uploads.next().filter(|file| !file.value.is_empty());
            let upload = upload.map(|file| glob(&file.value)).transpose()?;
            let files = upload.as_ref().map_or(1, Glob::count);
            let count = url.count().checked_mul(files);
            let count =
                count.ok_or_else(|| Failure::usage("-T has more files than can be counted"))?;
            let output = outputs.next().unwrap_or_else(|| rest.clone());
            wanted.push(Wanted { url, upload, output, count });
        }
        Ok(Self { scheme: options.proto_default.clone(), wanted, at: 0, number: 0 })
    }
}

impl Iterator for Targets {
    type Item = Target;

    fn next(&mut self) -> Option<Target> {
        let mut wanted = self.wanted.get(self.at)?;
        if self.number == wanted.count {
            (self.at, self.number) = (self.at + 1, 0);
            wanted = self.wanted.get(self.at)?;
        }
        let (file, number) = (self.number / wanted.url.count(), self.number % wanted.url.count());
        self.number += 1;
        let output = match &wanted.output {
            Output::File(path) => Output::File(named(&wanted.url, path, number)),
            other => other.clone(),
        };
        let upload = wanted.upload.as_ref().map(|files| PathBuf::from(files.text(file)));
        let mut url = wanted.url.text(number);
        if !url.contains("://") {
            url = format!("{}://{url}", self.scheme);
        }
        Some(Target { index: self.at, url, output, upload })
    }
}

/// A name that is no text has nothing to put in.
fn named(url: &Glob, path: &Path, number: u64) -> PathBuf {
    path.to_str().map_or_else(|| path.to_owned(), |name| url.named(name, number).into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::{Arguments, Verb};

    fn targets(line: &str) -> Vec<(String, Output, Option<PathBuf>)> {
        let words = ["avocet", "fetch"].into_iter().chain(line.split(' '));
        let Verb::Fetch(fetch) = Arguments::try_parse_from(words).unwrap().verb else { panic!() };
        let targets = Targets::new(&fetch).unwrap();
        targets.map(|target| (target.url, target.output, target.upload)).collect()
    }

    fn file(name: &str) -> Output {
        Output::File(name.into())
    }

    #[test]
    fn each_url_has_its_own_files() {
        let got = targets("-O u1 -o f u2 u3 --url u4 -T sent");
        let urls: Vec<&str> = got.iter().map(|(url, ..)| url.as_str()).collect();
        assert_eq!(urls, ["http://u1", "http://u2", "http://u3", "http://u4"]);
        let outputs: Vec<Output> = got.iter().map(|(_, output, _)| output.clone()).collect();
        assert_eq!(outputs, [Output::RemoteName, file("f"), Output::Unsaid, Output::Unsaid]);
        assert_eq!(got[0].2, Some("sent".into()));
        assert!(got[1..].iter().all(|(.., upload)| upload.is_none()));
        let got = targets("--remote-name-all u1 -sOo f u2 u3");
        assert_eq!(got[2].1, Output::RemoteName);
        assert_eq!(got[1].1, file("f"));
    }

    #[test]
    fn patterns_name_files_and_are_sent_many() {
        let got = targets("-o #2-#1 u{a,b}[1-2] v");
        let outputs: Vec<Output> = got.iter().map(|(_, output, _)| output.clone()).collect();
        assert_eq!(outputs[..4], ["1-a", "2-a", "1-b", "2-b"].map(file));
        assert_eq!((got[4].0.as_str(), &got[4].1), ("http://v", &Output::Unsaid));
        let got = targets("-T {x,y} --proto-default https u[1-2]");
        let pairs: Vec<String> = got
            .iter()
            .map(|(url, _, upload)| format!("{url}{}", upload.as_ref().unwrap().display()))
            .collect();
        assert_eq!(pairs, ["u1x", "u2x", "u1y", "u2y"].map(|pair| format!("https://{pair}")));
        assert_eq!(targets("-g -o #1 x://u{a,b}"), [("x://u{a,b}".to_owned(), file("#1"), None)]);
    }
}
