//! Where content goes: standard output or a file.

mod opening;

use std::fs::File;
use std::io::{self, IsTerminal, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use avocet::semantics::content_disposition::ContentDisposition;
use avocet::semantics::{dates, file_names};
use avocet::wire::OwnedResponseHead;
use http::StatusCode;
use http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MODIFIED_SINCE, LAST_MODIFIED,
};
use url::Url;

use self::opening::{Clobber, How};
use super::args::{Fetch, Format};
use super::fields::time_condition;
use super::targets::{Output, Target};
use crate::failure::Failure;
use crate::output;
use crate::target::with_scheme;
use crate::terminal::Terminal;

/// The place of one transfer's content. A file is made when the first byte comes, so that a failure
/// before it leaves what was there.
pub(crate) struct Sink {
    place: Place,
    open: Option<Box<dyn Write>>,
    file: Option<File>,
    offset: u64,
    terminal: bool,
    /// Whether the content is not wanted.
    muted: bool,
    /// Whether everything is written at once.
    prompt: bool,
    /// Whether the file has no name of the user's.
    remote_name: bool,
    how: How,
    pub(crate) written: u64,
}

enum Place {
    Stdout,
    /// For the JSON object that is printed at the end.
    Memory(Vec<u8>),
    File(PathBuf),
}

impl Sink {
    /// The place for the content of this URL.
    pub(crate) fn new(options: &Fetch, target: &Target) -> Result<Self, Failure> {
        let place = match &target.output {
            Output::File(path) if path.as_os_str() == "-" => Place::Stdout,
            Output::File(path) => Place::File(in_folder(options, path)),
            Output::RemoteName => Place::File(in_folder(options, &last_part(&target.url)?)),
            Output::Unsaid if options.format == Format::Json => Place::Memory(Vec::new()),
            Output::Unsaid => Place::Stdout,
        };
        // Who says `-o -` wants the bytes as they are.
        let unasked = matches!(place, Place::Stdout) && target.output == Output::Unsaid;
        let mut sink = Self {
            place,
            open: None,
            file: None,
            offset: 0,
            terminal: unasked && io::stdout().is_terminal(),
            muted: false,
            prompt: options.no_buffer,
            remote_name: target.output == Output::RemoteName,
            how: How::of(&options.files),
            written: 0,
        };
        if let Some(at) = &options.files.continue_at {
            sink.offset = sink.continue_at(at)?;
        }
        Ok(sink)
    }

    /// Where a download is to go on.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The head has come: the name may be the server's, and what was asked for may not be what comes.
    pub(crate) fn begin(
        &mut self,
        options: &Fetch,
        url: &str,
        head: &OwnedResponseHead,
    ) -> Result<(), Failure> {
        if options.fail && head.status().as_u16() >= 400 {
            self.muted = true;
            return Ok(());
        }
        // What is here is the newest, or everything is there already.
        let is_current = head.status() == StatusCode::NOT_MODIFIED;
        let is_whole = self.offset > 0 && self.is_whole(head);
        if is_current || is_whole || is_refused_by_date(options, head) {
            self.muted = true;
            return Ok(());
        }
        if self.offset > 0 && !continues_at(head, self.offset) {
            let message = format!("{url}: the server does not go on at byte {}", self.offset);
            return Err(Failure::with_status(33, message));
        }
        if self.remote_name
            && options.files.remote_header_name
            && let Some(field) = head.fields().get(&CONTENT_DISPOSITION)
            && let Ok(disposition) = ContentDisposition::parse(field)
            && let Some(safe) = disposition.filename.and_then(|name| file_names::safe(&name))
        {
            self.place = Place::File(in_folder(options, Path::new(&safe)));
            self.how.found(Clobber::Refused);
        }
        if let Some(path) = &options.etag_save {
            // A tag of what was there before is none of what comes now.
            let tag = head.fields().get(&ETAG).map(|tag| [tag, b"\n"].concat());
            std::fs::write(path, tag.unwrap_or_default())
                .map_err(|error| cannot_write(path, &error))?;
        }
        Ok(())
    }

    /// Heads go where the content goes, before it.
    pub(crate) fn head(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match &self.place {
            _ if bytes.is_empty() => return Ok(()),
            Place::Stdout => return output::exact(&output::for_stdout(bytes)),
            Place::Memory(_) => return Ok(()),
            Place::File(_) => {}
        }
        self.open()?;
        let written = self.open.as_mut().map_or(Ok(()), |out| out.write_all(bytes));
        written.map_err(|error| match &self.place {
            Place::File(path) => cannot_write(path, &error),
            _ => Failure::failed(error),
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let failed = |place: &Place, error: &io::Error| match place {
            Place::File(path) => cannot_write(path, error),
            _ => Failure::with_status(23, format_args!("cannot write to standard output: {error}")),
        };
        if self.muted {
            return Ok(());
        }
        if self.terminal && bytes.contains(&0) {
            return Err(Failure::with_status(
                23,
                "this is no text; use -o FILE, or `-o -` to print it all the same",
            ));
        }
        if let Place::Memory(content) = &mut self.place {
            if content.len() + bytes.len() > LARGEST {
                let message = "the content is too large to be printed as JSON; use -o FILE";
                return Err(Failure::with_status(63, message));
            }
            content.extend_from_slice(bytes);
            self.written += bytes.len() as u64;
            return Ok(());
        }
        self.open()?;
        let written = match &mut self.open {
            Some(out) => out.write_all(bytes),
            None => Ok(()),
        };
        let written = match &mut self.open {
            Some(out) if self.prompt => written.and_then(|()| out.flush()),
            _ => written,
        };
        written.map_err(|error| failed(&self.place, &error))?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Whether the content is shown on a terminal.
    pub(crate) fn is_on_terminal(&self) -> bool {
        matches!(self.place, Place::Stdout) && io::stdout().is_terminal()
    }

    /// The file that is written.
    pub(crate) fn file_name(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            _ => None,
        }
    }

    /// The content, if it is kept here.
    pub(crate) fn content(&self) -> Option<&[u8]> {
        match &self.place {
            Place::Memory(content) if !self.muted => Some(content),
            _ => None,
        }
    }

    /// Ends the content; an empty one makes its file too.
    pub(crate) fn finish(
        &mut self,
        options: &Fetch,
        head: Option<&OwnedResponseHead>,
    ) -> Result<(), Failure> {
        if !self.muted {
            self.open()?;
        }
        if let Some(out) = &mut self.open {
            out.flush().map_err(|error| {
                Failure::with_status(23, format_args!("cannot write the content: {error}"))
            })?;
        }
        if options.files.remote_time
            && let Some(file) = &self.file
            && let Some(field) = head.and_then(|head| head.fields().get(&LAST_MODIFIED))
            && let Some(time) = modified(field)
            && let Err(error) = file.set_modified(time)
        {
            log::warn!("the time of the file stays: {error}");
        }
        Ok(())
    }

    /// Takes back what was written, for the content to come once more. What has gone to standard output
    /// cannot be taken back.
    pub(crate) fn restart(&mut self) -> Result<bool, Failure> {
        match &mut self.place {
            Place::Stdout if self.open.is_some() => return Ok(false),
            Place::Stdout => {}
            Place::Memory(content) => content.clear(),
            Place::File(path) => {
                if let Some(file) = &mut self.file {
                    let back = file.set_len(self.offset);
                    back.and_then(|()| file.seek(SeekFrom::Start(self.offset)))
                        .map_err(|error| cannot_write(path, &error))?;
                }
            }
        }
        (self.written, self.muted) = (0, false);
        Ok(true)
    }

    /// Takes back what was written to a file, after a failure.
    pub(crate) fn remove(&mut self) {
        if let (Place::File(path), Some(file)) = (&self.place, self.file.take()) {
            self.open = None;
            // A device keeps its place.
            if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
                return;
            }
            if let Err(error) = std::fs::remove_file(path) {
                log::warn!("{} stays: {error}", path.display());
            }
        }
    }

    fn open(&mut self) -> Result<(), Failure> {
        if self.open.is_some() {
            return Ok(());
        }
        match &mut self.place {
            Place::Memory(_) => {}
            Place::Stdout if self.terminal => {
                self.open = Some(Box::new(Terminal::new(io::stdout())));
            }
            Place::Stdout => self.open = Some(Box::new(io::stdout())),
            Place::File(path) => {
                let mut file;
                (file, *path) = self.how.open(path, self.offset == 0)?;
                file.seek(SeekFrom::Start(self.offset))
                    .map_err(|error| cannot_write(path, &error))?;
                let copy = file.try_clone().map_err(|error| cannot_write(path, &error))?;
                self.file = Some(copy);
                self.open = Some(Box::new(file));
            }
        }
        Ok(())
    }

    /// Whether nothing is missing behind the offset: nothing is there to be given, or the server, which
    /// gives the whole to everybody, would give no more than that.
    fn is_whole(&self, head: &OwnedResponseHead) -> bool {
        let length = head.fields().get(&CONTENT_LENGTH).and_then(|v| std::str::from_utf8(v).ok());
        let length = length.and_then(|length| length.parse::<u64>().ok());
        match head.status() {
            StatusCode::RANGE_NOT_SATISFIABLE => true,
            StatusCode::OK => length == Some(self.offset),
            _ => false,
        }
    }

    fn continue_at(&self, at: &str) -> Result<u64, Failure> {
        if at != "-" {
            let wrong = || Failure::usage(format_args!("`{at}` is no offset"));
            return at.parse().map_err(|_| wrong());
        }
        match &self.place {
            Place::File(path) => match std::fs::metadata(path) {
                Ok(metadata) => Ok(metadata.len()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
                Err(error) => Err(cannot_write(path, &error)),
            },
            _ => Err(Failure::usage("`-C -` needs a file, by -o or -O")),
        }
    }
}

/// Whether the date of -z refuses what comes all the same: not every server looks at it.
fn is_refused_by_date(options: &Fetch, head: &OwnedResponseHead) -> bool {
    let Some(condition) = options.time_cond.as_deref() else { return false };
    let Some(Ok((name, date))) = head.status().is_success().then(|| time_condition(condition))
    else {
        return false;
    };
    let changed = head.fields().get(&LAST_MODIFIED).and_then(modified);
    match changed.zip(modified(&date)) {
        Some((changed, date)) if name == IF_MODIFIED_SINCE => changed <= date,
        Some((changed, date)) => changed > date,
        None => false,
    }
}

fn continues_at(head: &OwnedResponseHead, offset: u64) -> bool {
    let range = head.fields().get(&CONTENT_RANGE).map(|v| String::from_utf8_lossy(v).into_owned());
    let start = range.as_deref().and_then(|range| range.strip_prefix("bytes "));
    let start = start.and_then(|range| range.split('-').next()?.parse::<u64>().ok());
    head.status() == StatusCode::PARTIAL_CONTENT && start == Some(offset)
}

fn modified(field: &[u8]) -> Option<std::time::SystemTime> {
    let now = dates::seconds(std::time::SystemTime::now());
    dates::system_time(dates::parse(field, now)?)
}

fn in_folder(options: &Fetch, path: &Path) -> PathBuf {
    match &options.files.output_dir {
        Some(folder) => folder.join(path),
        None => path.to_owned(),
    }
}

/// The last part of the path, made safe: it names a file of ours.
fn last_part(url: &str) -> Result<PathBuf, Failure> {
    let nameless = || Failure::with_status(23, format_args!("{url} names no file; use -o FILE"));
    let parsed = Url::parse(&with_scheme(url))
        .map_err(|error| Failure::with_status(3, format_args!("`{url}`: {error}")))?;
    let name = parsed.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    file_names::safe(name).map(PathBuf::from).ok_or_else(nameless)
}

/// Content that is kept in memory is at most this large.
const LARGEST: usize = 64 * 1024 * 1024;

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::with_status(23, format_args!("cannot write {}: {error}", path.display()))
}
