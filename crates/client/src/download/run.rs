//! The run of a download: ask, decide, write, try again.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use http::Method;
use http::header::{IF_RANGE, RANGE};
use url::Url;

use super::checksum::Checksum;
use super::journal::LEAST_PIECE;
use super::naming::Names;
use super::part::Part;
use super::tries::{may_pass, pause};
use super::{Download, DownloadError, Downloaded, Progress, Split};
use crate::TransferId;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Phase};
use crate::multi::{Multi, TransferEvent};
use crate::request::Request;

/// Downloads.
pub(super) fn run(
    download: &Download,
    config: Config,
    progress: &mut dyn FnMut(Progress),
) -> Result<Downloaded, DownloadError> {
    let times = &config.timeouts;
    let patience = times.connect.saturating_add(times.tls).saturating_add(times.head);
    let patience = times.total.map_or(patience, |total| total.min(patience));
    let multi = Multi::new(config).map_err(DownloadError::Transfer)?;
    let mut run = Run {
        download,
        multi,
        progress,
        names: Names::new(download),
        there: None,
        part: None,
        resumed: false,
        fetched: 0,
        modified: None,
        promised: None,
        ranges: true,
        patience,
        began: Instant::now(),
    };
    if let Some(target) = &run.names.target {
        refuse_special(target)?;
    }
    if let Some(done) = run.is_there()? {
        return Ok(done);
    }
    run.part = run.names.find_left(&download.mirrors)?;
    run.resumed = run.part.is_some();
    let mut last = None;
    for url in &download.mirrors {
        match run.try_mirror(url) {
            Ok(()) => return run.finish(),
            // What is wrong with the disk is wrong with every mirror.
            Err(
                error @ (DownloadError::File { .. }
                | DownloadError::Checksum { .. }
                | DownloadError::Busy { .. }),
            ) => return Err(error),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| DownloadError::Nameless(download.mirrors[0].clone())))
}

pub(super) struct Run<'a> {
    pub(super) download: &'a Download,
    pub(super) multi: Multi,
    pub(super) progress: &'a mut dyn FnMut(Progress),
    pub(super) names: Names,
    /// The size of the file that was found under the name that the server gives.
    pub(super) there: Option<u64>,
    pub(super) part: Option<Part>,
    /// Whether the part is an earlier run's and was not agreed upon with the server yet.
    pub(super) resumed: bool,
    fetched: u64,
    pub(super) modified: Option<SystemTime>,
    /// The checksum that the server promises.
    pub(super) promised: Option<Checksum>,
    /// Whether several ranges may be asked for at once: until a server gave the whole instead.
    pub(super) ranges: bool,
    /// How long the server may take to tell about the file.
    pub(super) patience: Duration,
    began: Instant,
}

/// A range that is being fetched.
struct Fetch {
    id: TransferId,
    /// The piece of the journal; `None` before the first answer.
    piece: Option<usize>,
}

impl Run<'_> {
    /// Fetches from one mirror, with pauses between tries; progress gives the tries back.
    fn try_mirror(&mut self, url: &Url) -> Result<(), DownloadError> {
        let (mut failures, mut most) = (0, 0);
        loop {
            let ranges = self.ranges;
            let error = match self.fetch(url) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let mut present = 0;
            if let Some(part) = &mut self.part {
                part.note()?;
                present = part.journal.present();
            }
            if ranges && !self.ranges {
                // The server has not failed: it gives the whole, and is asked for that at once.
                continue;
            }
            // Bytes that had been there before are no progress: a server that cuts the whole off
            // at the same place each time would be asked for ever.
            failures = if present > most { 1 } else { failures + 1 };
            most = most.max(present);
            if !may_pass(&error) || failures >= self.download.tries {
                return Err(error);
            }
            let pause = pause(self.download.first_pause, failures);
            let reason = error.to_string();
            (self.progress)(Progress::Failed { url: url.clone(), reason, pause });
            std::thread::sleep(pause);
        }
    }

    /// Fetches what is missing from one mirror.
    fn fetch(&mut self, url: &Url) -> Result<(), DownloadError> {
        self.began = Instant::now();
        let mut started = self.fetched;
        let mut fetches = vec![Fetch { id: self.start_first(url)?, piece: None }];
        let result = loop {
            match self.turn(url, &mut fetches, &mut started) {
                Ok(()) if fetches.is_empty() => break Ok(()),
                Ok(()) => {}
                Err(error) => break Err(error),
            }
        };
        for fetch in fetches {
            self.multi.cancel(fetch.id);
        }
        result
    }

    /// Asks for the first piece that is missing, or for everything.
    fn start_first(&mut self, url: &Url) -> Result<TransferId, DownloadError> {
        let mut request = plain(Request::to(Method::GET, url.clone()))?;
        if let Some(part) = &self.part {
            let open = part.journal.pieces.iter().find(|piece| piece.at < piece.end);
            let at = open.map_or_else(|| part.journal.present(), |piece| piece.at);
            if let Some(validator) = &part.journal.validator
                && (at > 0 || part.journal.pieces.len() > 1)
            {
                let end = open.map_or(u64::MAX, |piece| piece.end);
                set_range(&mut request, at, end, validator)?;
            }
        }
        self.multi.start(request).map_err(DownloadError::Transfer)
    }

    fn turn(
        &mut self,
        url: &Url,
        fetches: &mut Vec<Fetch>,
        started: &mut u64,
    ) -> Result<(), DownloadError> {
        self.multi.turn(None).map_err(DownloadError::Transfer)?;
        while let Some((id, event)) = self.multi.next_event() {
            let Some(index) = fetches.iter().position(|fetch| fetch.id == id) else { continue };
            match event {
                TransferEvent::Head(head) => {
                    let first = fetches[index].piece.is_none();
                    match self.on_head(url, &head, fetches[index].piece)? {
                        None => {
                            self.multi.cancel(id);
                            fetches.remove(index);
                        }
                        Some(piece) => {
                            fetches[index].piece = Some(piece);
                            if first {
                                self.start_others(url, piece, fetches)?;
                            }
                        }
                    }
                }
                TransferEvent::Data(bytes) => {
                    self.on_data(url, fetches[index].piece, &bytes)?;
                    if self.is_cut(fetches[index].piece) {
                        self.multi.cancel(id);
                        fetches.remove(index);
                    }
                }
                TransferEvent::End(_) => {
                    let fetch = fetches.remove(index);
                    self.on_end(url, fetch.piece)?;
                }
                TransferEvent::Failed(error) => {
                    fetches.remove(index);
                    return Err(DownloadError::Transfer(error));
                }
            }
        }
        self.hold_rate(started);
        Ok(())
    }

    /// Fetches further pieces over connections of their own, where that pays and can be resumed.
    fn start_others(
        &mut self,
        url: &Url,
        first: usize,
        fetches: &mut Vec<Fetch>,
    ) -> Result<(), DownloadError> {
        let Some(part) = self.part.as_mut().filter(|_| self.ranges) else { return Ok(()) };
        let (Some(size), Some(validator)) = (part.journal.size, part.journal.validator.clone())
        else {
            return Ok(());
        };
        let count = match self.download.split {
            Split::Into(count) => count.clamp(1, MOST_PIECES) as usize,
            Split::Auto if size - part.journal.present() >= WORTH_SPLITTING => {
                usize::try_from(size / (WORTH_SPLITTING / 2)).unwrap_or(4).min(4)
            }
            Split::Auto => 1,
        };
        if count > 1 {
            part.journal.split(count);
            part.note()?;
        }
        for index in 0..part.journal.pieces.len() {
            let piece = part.journal.pieces[index];
            if index == first || piece.at >= piece.end {
                continue;
            }
            let mut request = plain(Request::to(Method::GET, url.clone()))?;
            set_range(&mut request, piece.at, piece.end, &validator)?;
            let id = self.multi.start(request).map_err(DownloadError::Transfer)?;
            fetches.push(Fetch { id, piece: Some(index) });
        }
        Ok(())
    }

    fn on_data(
        &mut self,
        url: &Url,
        piece: Option<usize>,
        bytes: &[u8],
    ) -> Result<(), DownloadError> {
        let (Some(part), Some(index)) = (&mut self.part, piece) else {
            let reason = "content without a head".to_owned();
            return Err(DownloadError::Answer { url: url.clone(), reason });
        };
        // The whole was asked for and then split: what lies beyond the piece is another's.
        let piece = part.journal.pieces[index];
        let room = usize::try_from(piece.end - piece.at).unwrap_or(usize::MAX);
        part.write(index, &bytes[..bytes.len().min(room)])?;
        self.fetched += bytes.len() as u64;
        let present = part.journal.present();
        (self.progress)(Progress::Bytes(present));
        Ok(())
    }

    /// Whether a piece is complete though its answer goes on.
    fn is_cut(&self, piece: Option<usize>) -> bool {
        let piece = self.part.as_ref().zip(piece).map(|(part, index)| part.journal.pieces[index]);
        piece.is_some_and(|piece| piece.at == piece.end)
    }

    fn on_end(&mut self, url: &Url, piece: Option<usize>) -> Result<(), DownloadError> {
        let (Some(part), Some(index)) = (&mut self.part, piece) else { return Ok(()) };
        let piece = &mut part.journal.pieces[index];
        if piece.end == u64::MAX {
            piece.end = piece.at;
            part.journal.size = Some(piece.at);
        }
        if piece.at < piece.end {
            let missing = piece.end - piece.at;
            let reason = format!("the answer ended {missing} bytes early");
            return Err(DownloadError::Answer { url: url.clone(), reason });
        }
        part.note()
    }

    /// Sleeps as long as it takes to stay below the rate. The connections' buffers fill meanwhile, and
    /// the servers wait.
    fn hold_rate(&self, started: &mut u64) {
        let Some(rate) = self.download.rate else { return };
        let allowed = (self.fetched - *started) as f64 / rate as f64;
        let ahead = allowed - self.began.elapsed().as_secs_f64();
        if ahead > 0.0 {
            std::thread::sleep(Duration::from_secs_f64(ahead.min(1.0)));
        }
    }

    /// Everything is there: checks it and gives it its name.
    fn finish(mut self) -> Result<Downloaded, DownloadError> {
        let nameless = || DownloadError::Nameless(self.download.mirrors[0].clone());
        let path = self.names.target.clone().ok_or_else(nameless)?;
        if let Some(size) = self.there {
            return Ok(Downloaded { path, size, was_there: true, fetched: self.fetched });
        }
        let part = self.part.take().ok_or_else(nameless)?;
        let size = part.journal.present();
        if !part.journal.is_complete() {
            let (url, reason) =
                (self.download.mirrors[0].clone(), "the file is not complete".to_owned());
            return Err(DownloadError::Answer { url, reason });
        }
        for wanted in [&self.download.checksum, &self.promised].into_iter().flatten() {
            let found = Checksum::of_file(wanted.kind(), part.path())
                .map_err(|error| DownloadError::file(part.path(), error))?;
            if found != *wanted {
                let (expected, found) = (wanted.to_string(), found.to_string());
                part.discard()?;
                return Err(DownloadError::Checksum { path, expected, found });
            }
        }
        let anew = self.names.suggested && !self.download.sync;
        part.finish(&path, self.modified, anew)?;
        Ok(Downloaded { path, size, was_there: false, fetched: self.fetched })
    }
}

/// A file in the end takes the place of what has its name; that a device or a folder must not lose.
///
/// *Errors*: something is there that is no regular file.
fn refuse_special(target: &Path) -> Result<(), DownloadError> {
    match std::fs::metadata(target) {
        Ok(metadata) if !metadata.is_file() => {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file");
            Err(DownloadError::file(target, error))
        }
        // What else is wrong with it shows where it is used.
        _ => Ok(()),
    }
}

/// Content must come as it is: a coded form has other ranges.
pub(super) fn plain(request: Result<Request, Error>) -> Result<Request, DownloadError> {
    let mut request = request.map_err(DownloadError::Transfer)?;
    request.options_mut().decode = false;
    request.with_field("Accept-Encoding", "identity").map_err(DownloadError::Transfer)
}

fn set_range(
    request: &mut Request,
    at: u64,
    end: u64,
    validator: &str,
) -> Result<(), DownloadError> {
    let range = match end {
        u64::MAX => format!("bytes={at}-"),
        end => format!("bytes={at}-{}", end.saturating_sub(1)),
    };
    let fields = request.fields_mut();
    let pushed = fields.push(&RANGE, range).and_then(|()| fields.push(&IF_RANGE, validator));
    pushed.map_err(|error| {
        let error = Error::new(ErrorKind::Request, Phase::Prepare, error);
        DownloadError::Transfer(error)
    })
}

const MOST_PIECES: u32 = 16;

/// Below this one connection is as fast as several.
const WORTH_SPLITTING: u64 = 16 * LEAST_PIECE;
