//! What an answer is good for.

use std::io;
use std::path::Path;

use avocet_wire::OwnedResponseHead;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, HeaderName, LAST_MODIFIED};
use url::Url;

use super::answer::{content_range, date, number, unsatisfied_size, validator};
use super::checksum::Checksum;
use super::journal::Journal;
use super::naming::place;
use super::part::Part;
use super::run::Run;
use super::{DownloadError, Progress};

impl Run<'_> {
    /// Decides what an answer is good for: the piece that it fills, or `None` when nothing is missing.
    pub(super) fn on_head(
        &mut self,
        url: &Url,
        head: &OwnedResponseHead,
        piece: Option<usize>,
    ) -> Result<Option<usize>, DownloadError> {
        let wrong = |reason: &str| {
            Err(DownloadError::Answer { url: url.clone(), reason: reason.to_owned() })
        };
        match head.status() {
            StatusCode::OK if piece.is_some() => {
                self.ranges = false;
                wrong("the whole was given where a range was asked for")
            }
            StatusCode::OK => self.start_over(url, head),
            StatusCode::PARTIAL_CONTENT => {
                let Some((first, size)) = content_range(head) else {
                    return wrong("a range without a Content-Range that makes sense");
                };
                let Some(part) = &self.part else { return wrong("a range that was not asked for") };
                let index = match piece {
                    Some(index) => index,
                    None => {
                        let open = part.journal.pieces.iter().position(|p| p.at < p.end);
                        let Some(open) = open else { return wrong("a range beyond the end") };
                        open
                    }
                };
                if first != part.journal.pieces[index].at {
                    return wrong("a range that begins elsewhere than was asked for");
                }
                if size.is_some() && part.journal.size.is_some() && size != part.journal.size {
                    return wrong("a range of a file of another size");
                }
                if std::mem::take(&mut self.resumed) {
                    let (size, present) = (part.journal.size, part.journal.present());
                    self.begun(size, present);
                }
                self.note_facts(head);
                Ok(Some(index))
            }
            StatusCode::RANGE_NOT_SATISFIABLE if piece.is_none() => {
                let size = unsatisfied_size(head);
                match &mut self.part {
                    // All of it is there: the run before was killed after its last byte.
                    Some(part) if size == Some(part.journal.present()) => {
                        part.journal.size = size;
                        if let Some(last) = part.journal.pieces.last_mut() {
                            last.end = last.at;
                        }
                        Ok(None)
                    }
                    _ => {
                        if let Some(part) = self.part.take() {
                            part.discard()?;
                        }
                        wrong("what is here is no part of that file; it was thrown away")
                    }
                }
            }
            status => Err(DownloadError::Status { url: url.clone(), status: status.as_u16() }),
        }
    }

    /// The whole comes: whatever was there is not part of it. `None` if it need not come, since it is
    /// there under the name that the server gives only now.
    fn start_over(
        &mut self,
        url: &Url,
        head: &OwnedResponseHead,
    ) -> Result<Option<usize>, DownloadError> {
        let suggestion = self.names.suggestion(head);
        self.names.suggest(suggestion.as_deref());
        let Some(target) = self.names.target.clone() else {
            return Err(DownloadError::Nameless(url.clone()));
        };
        if self.names.suggested && self.is_there_by_suggestion(&target, head)? {
            return Ok(None);
        }
        if self.part.as_ref().is_some_and(|part| part.journal.present() > 0) {
            (self.progress)(Progress::Restarted);
        }
        self.resumed = false;
        let size = number(head, &CONTENT_LENGTH);
        let journal = Journal::new(place(url), validator(head), size, suggestion);
        // It is locked, against this run's next one too.
        self.part = None;
        self.part = Some(Part::fresh(&self.names.base, journal)?);
        self.note_facts(head);
        self.begun(size, 0);
        Ok(Some(0))
    }

    /// Whether the file of the name that the server gives is the one that it would send.
    ///
    /// *Errors*: it is another one, which a server's name does not replace unless that was asked for.
    fn is_there_by_suggestion(
        &mut self,
        target: &Path,
        head: &OwnedResponseHead,
    ) -> Result<bool, DownloadError> {
        let failed = |error| DownloadError::file(target, error);
        let metadata = match std::fs::symlink_metadata(target) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        let current = match &self.download.checksum {
            Some(checksum) => {
                Checksum::of_file(checksum.kind(), target).map_err(failed)? == *checksum
            }
            None => self.is_current(head, &metadata),
        };
        if current {
            self.there = Some(metadata.len());
            return Ok(true);
        }
        if self.download.sync {
            return Ok(false);
        }
        Err(failed(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "another file is there, and the name is the server's",
        )))
    }

    fn begun(&mut self, size: Option<u64>, resumed: u64) {
        let path = self.names.target.clone().unwrap_or_else(|| self.names.base.clone());
        (self.progress)(Progress::Begun { path, size, resumed });
    }

    fn note_facts(&mut self, head: &OwnedResponseHead) {
        self.modified = date(head, &LAST_MODIFIED).or(self.modified);
        let field = head.fields().get(&REPR_DIGEST);
        self.promised = field.and_then(Checksum::from_repr_digest).or_else(|| self.promised.take());
    }
}

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
