//! What a file is called, and what its part is called before that is known.

use std::path::{Path, PathBuf};

use avocet_semantics::content_disposition::ContentDisposition;
use avocet_semantics::file_names;
use avocet_wire::OwnedResponseHead;
use http::header::CONTENT_DISPOSITION;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use url::Url;

use super::part::Part;
use super::{Download, DownloadError};

/// The names of a download.
pub(super) struct Names {
    /// The file; `None` until the server has named it, where the URL does not.
    pub(super) target: Option<PathBuf>,
    /// What the part is called after. It is known before anybody is asked, so that the next run finds
    /// what this one leaves, whatever name the server gives.
    pub(super) base: PathBuf,
    folder: PathBuf,
    /// Whether the caller has said what the file is called.
    given: bool,
    /// Whether the server has.
    pub(super) suggested: bool,
}

impl Names {
    pub(super) fn new(download: &Download) -> Self {
        let folder = download.folder.clone();
        if let Some(file) = &download.file {
            let target = folder.join(file);
            return Self::of(folder, target.clone(), Some(target), true);
        }
        let url = &download.mirrors[0];
        let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
        let name = file_names::safe(&percent_decode_str(last).decode_utf8_lossy());
        let base = match &name {
            Some(name) if name.len() <= LONGEST => name.clone(),
            // There must be room for what is put behind the name of a part.
            _ => of_place(url),
        };
        let target = name.map(|name| folder.join(Path::new(&name)));
        let base = folder.join(base);
        Self::of(folder, base, target, false)
    }

    fn of(folder: PathBuf, base: PathBuf, target: Option<PathBuf>, given: bool) -> Self {
        Self { target, base, folder, given, suggested: false }
    }

    /// The name that the server wants, made safe, unless one was given.
    pub(super) fn suggestion(&self, head: &OwnedResponseHead) -> Option<String> {
        if self.given {
            return None;
        }
        let field = head.fields().get(&CONTENT_DISPOSITION)?;
        let disposition = ContentDisposition::parse(field).ok()?;
        file_names::safe(&disposition.filename?)
    }

    /// Takes the name that the server wants, now or in an earlier run.
    pub(super) fn suggest(&mut self, name: Option<&str>) {
        let Some(name) = name.filter(|_| !self.given) else { return };
        let target = Some(self.folder.join(name));
        self.suggested = target != self.target;
        self.target = target;
    }

    /// What an earlier run has left for this download. The part will be called after what it was, or
    /// after the URL alone where another download has the shorter name.
    ///
    /// *Errors*: another run has it; it cannot be read.
    pub(super) fn find_left(&mut self, mirrors: &[Url]) -> Result<Option<Part>, DownloadError> {
        let mut bases = vec![self.base.clone()];
        if !self.given {
            bases.push(self.folder.join(of_place(&mirrors[0])));
        }
        let mut free = None;
        for base in bases {
            self.base.clone_from(&base);
            match Part::left(&base) {
                Ok(Some(part)) if self.is_ours(&part.journal.place, mirrors) => {
                    self.suggest(part.journal.name.as_deref());
                    return Ok(Some(part));
                }
                Ok(Some(_)) => {}
                Ok(None) => free = free.or(Some(base)),
                Err(busy @ DownloadError::Busy { .. }) => match Part::place_of(&base)? {
                    Some(place) if !self.is_ours(&place, mirrors) => {}
                    _ => return Err(busy),
                },
                Err(error) => return Err(error),
            }
        }
        if let Some(free) = free {
            self.base = free;
        }
        Ok(None)
    }

    /// Whether what an earlier run left for these places is this download's. A file that the caller has
    /// named is one whatever place it comes from; otherwise two places may have their last part in
    /// common, and their validators, which tell versions of one place apart and no more.
    fn is_ours(&self, left: &str, mirrors: &[Url]) -> bool {
        self.given || mirrors.iter().any(|url| place(url) == left)
    }
}

/// What stands for a place where others may read it: a URL may have secrets in it.
pub(super) fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    Sha256::digest(url.as_str()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name that no other place has.
fn of_place(url: &Url) -> String {
    format!("download-{}", &place(url)[..16])
}

/// Bytes of the longest name that a part is called after.
const LONGEST: usize = 220;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(url: &str) -> Names {
        Names::new(&Download::new(url.parse().unwrap()).folder("d"))
    }

    #[test]
    fn parts_are_called_after_what_is_known_at_once() {
        let known = names("http://h/a/b%20c.txt?q");
        assert_eq!((known.target, known.base), (Some("d/b c.txt".into()), "d/b c.txt".into()));
        let mut unknown = names("http://h/?id=1");
        assert_eq!(unknown.target, None);
        assert_eq!(unknown.base, names("http://h/?id=1#f").base);
        assert_ne!(unknown.base, names("http://h/?id=2").base);
        let base = unknown.base.clone();
        unknown.suggest(Some("theirs"));
        assert_eq!((&unknown.target, unknown.suggested), (&Some("d/theirs".into()), true));
        assert_eq!(unknown.base, base);
        let long = names(&format!("http://h/{}", "x".repeat(255)));
        assert!(long.base.as_os_str().len() < 40);
    }

    #[test]
    fn what_is_left_belongs_to_its_place() {
        let url = |text: &str| Url::parse(text).unwrap();
        let (one, two) = (url("http://h/get?id=1"), url("http://h/get?id=2"));
        let implicit = names("http://h/get?id=2");
        assert!(!implicit.is_ours(&place(&one), std::slice::from_ref(&two)));
        assert!(implicit.is_ours(&place(&one), &[two.clone(), one.clone()]));
        let named = Names::new(&Download::new(two.clone()).file("f"));
        assert!(named.is_ours(&place(&one), &[two]));
    }
}
