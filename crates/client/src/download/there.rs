//! Whether there is anything to do.

use std::fs::Metadata;
use std::time::Duration;

use avocet_semantics::dates;
use avocet_wire::OwnedResponseHead;
use http::header::{CONTENT_LENGTH, LAST_MODIFIED};
use http::{Method, StatusCode};
use url::Url;

use super::answer::{date, number};
use super::checksum::Checksum;
use super::run::{Run, plain};
use super::{DownloadError, Downloaded};
use crate::multi::TransferEvent;
use crate::request::Request;

impl Run<'_> {
    /// Whether the file is there, complete: of the size that the server says, and no older; or, where it
    /// is to be the server's very version, of just that date.
    pub(super) fn is_there(&mut self) -> Result<Option<Downloaded>, DownloadError> {
        let Some(target) = self.names.target.clone() else { return Ok(None) };
        let metadata = match std::fs::metadata(&target) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DownloadError::file(&target, error)),
        };
        let there =
            Downloaded { path: target.clone(), size: metadata.len(), was_there: true, fetched: 0 };
        if let Some(checksum) = &self.download.checksum {
            let found = Checksum::of_file(checksum.kind(), &target)
                .map_err(|error| DownloadError::file(&target, error))?;
            return Ok((found == *checksum).then_some(there));
        }
        for url in &self.download.mirrors {
            let Ok(head) = self.ask(url) else { continue };
            return Ok(self.is_current(&head, &metadata).then_some(there));
        }
        Ok(None)
    }

    /// Whether a file is the one of this head.
    pub(super) fn is_current(&self, head: &OwnedResponseHead, metadata: &Metadata) -> bool {
        let size = number(head, &CONTENT_LENGTH);
        let changed = date(head, &LAST_MODIFIED);
        let same_size = head.status() == StatusCode::OK && size == Some(metadata.len());
        let is_current = match (changed, metadata.modified()) {
            (Some(changed), Ok(ours)) if self.download.sync => {
                dates::seconds(ours) == dates::seconds(changed)
            }
            (Some(changed), Ok(ours)) => ours + Duration::from_secs(1) >= changed,
            // What has no date may have changed.
            _ => !self.download.sync,
        };
        same_size && is_current
    }

    /// The head that the server gives for the file.
    fn ask(&mut self, url: &Url) -> Result<OwnedResponseHead, DownloadError> {
        let mut request = plain(Request::to(Method::HEAD, url.clone()))?;
        // It saves a download and must not hold it up: redirects and tries share the time that one
        // answer has.
        request.options_mut().total = Some(self.patience);
        let id = self.multi.start(request).map_err(DownloadError::Transfer)?;
        let mut answer = None;
        loop {
            self.multi.turn(None).map_err(DownloadError::Transfer)?;
            while let Some((of, event)) = self.multi.next_event() {
                match event {
                    _ if of != id => {}
                    TransferEvent::Head(head) => answer = Some(*head),
                    TransferEvent::Failed(error) => return Err(DownloadError::Transfer(error)),
                    TransferEvent::End(_) => {
                        let missing = || {
                            let reason = "the answer has no head".to_owned();
                            DownloadError::Answer { url: url.clone(), reason }
                        };
                        return answer.ok_or_else(missing);
                    }
                    _ => {}
                }
            }
        }
    }
}
