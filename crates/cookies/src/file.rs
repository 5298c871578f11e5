//! Jars in files: loading, saving without losing what others saved, and starting over.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use self::{
    merge::{Agreed, merge},
    replace::Claim,
};
use crate::{
    cookie::Cookie,
    error::{Error, ErrorKind},
    jar::Jar,
    shared::SharedJar,
};

mod format;
mod json;
mod lwp;
mod merge;
mod netscape;
mod replace;
mod words;

pub use self::format::{Fault, Format, Reading};

/// The file of a jar.
///
/// Saving is loading, merging and writing in one: under a lock the file is read again, what
/// changed in the jar since it was last loaded or saved is put in, and the result takes the place
/// of the file at once. Processes that share a file so lose nothing to each other, and a crash
/// leaves the old file or the new one. The file is readable by its owner only.
///
/// *Blocking*: everything here reads or writes files; [`save`](Self::save) waits up to 10 seconds
/// for other processes to finish.
///
/// ```
/// use std::time::SystemTime;
/// use avocet_cookies::{Context, Jar, JarFile};
/// use url::Url;
///
/// let folder = tempfile::tempdir()?;
/// let now = SystemTime::now();
/// let mut file = JarFile::new(folder.path().join("cookies.txt"));
/// let mut jar = Jar::new();
/// file.load_if_there(&mut jar, now)?;
/// jar.set(&Url::parse("http://example.com/")?, b"a=1", &Context::new(), now)?;
/// file.save(&mut jar, now)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct JarFile {
    path: PathBuf,
    format: Option<Format>,
    session: bool,
    agreed: Vec<Agreed>,
}

/// What [`JarFile::load`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded {
    /// How many cookies came into the jar.
    pub cookies: usize,
    /// How many had expired and stayed out.
    pub expired: usize,
    /// How many found no room in the jar; they stay in the file.
    pub no_room: usize,
    /// What looks like a cookie and is none, by line (JSON: by entry) from 1; it stays in the
    /// file as it is.
    pub refused: Vec<(usize, Fault)>,
}

impl JarFile {
    /// Names a file; nothing is read or written yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), format: None, session: true, agreed: Vec::new() }
    }

    /// Writes in this format. Otherwise a file keeps its format, and a new one is in
    /// [`Format::Netscape`], or in what its name ends in: `.json` or `.lwp`.
    #[must_use]
    pub fn with_format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Whether session cookies are written too, as curl does. On by default: a login is often
    /// one, and the next run of a program is often the same session to its user.
    #[must_use]
    pub fn with_session_cookies(mut self, yes: bool) -> Self {
        self.session = yes;
        self
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file into `jar`, whose cookies stay unless the file has others in their place.
    ///
    /// *Errors*: [`ErrorKind::NotFound`], [`ErrorKind::Foreign`], [`ErrorKind::TooLarge`] and
    /// what the system says; the jar is as it was then.
    pub fn load(&mut self, jar: &mut Jar, now: SystemTime) -> Result<Loaded, Error> {
        let reading = self.read(&replace::read(&self.path)?, now)?;
        Ok(self.take_in(jar, reading, now))
    }

    /// [`load`](Self::load), where a file that does not exist is an empty one.
    pub fn load_if_there(&mut self, jar: &mut Jar, now: SystemTime) -> Result<Loaded, Error> {
        match self.load(jar, now) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Loaded::default()),
            other => other,
        }
    }

    /// Empties `jar` and reads the file into it.
    ///
    /// *Errors*: as for [`load`](Self::load); the jar is as it was then.
    pub fn revert(&mut self, jar: &mut Jar, now: SystemTime) -> Result<Loaded, Error> {
        let reading = self.read(&replace::read(&self.path)?, now)?;
        jar.clear(None, None, None);
        self.agreed.clear();
        Ok(self.take_in(jar, reading, now))
    }

    /// Writes what the jar and the file hold together, see [`JarFile`]. What others saved
    /// meanwhile comes into the jar; what they removed leaves it, unless it changed in the jar.
    ///
    /// *Errors*: [`ErrorKind::Foreign`] where the file is no file of cookies,
    /// [`ErrorKind::NotRegular`], [`ErrorKind::Busy`], [`ErrorKind::Unsupported`] and what the
    /// system says; file and jar are as they were then.
    pub fn save(&mut self, jar: &mut Jar, now: SystemTime) -> Result<(), Error> {
        let claim = Claim::new(&self.path, PATIENCE)?;
        let text = claim.read()?;
        let on_file = self.read(&text, now)?;
        if on_file.more_than_cookies {
            let detail = "holds more than cookies, so it can be read but not written";
            return Err(Error::new(ErrorKind::Unsupported, detail).at(&self.path));
        }
        let format = self.format_of(&text);
        let mut held = jar.in_order();
        held.retain(|cookie| !cookie.is_expired(now));
        let merged = merge(&self.agreed, &held, &on_file.cookies, now);
        let wanted = || merged.iter().filter(|cookie| self.session || cookie.is_persistent());
        // What one format keeps apart means nothing in another.
        let converted = !text.is_empty() && Format::detect(&text) != format;
        let kept = if converted { &[][..] } else { &on_file.kept[..] };
        let mut out = Vec::new();
        format.write(wanted(), kept, &mut out)?;
        let written = format.read(&out, now)?.cookies;
        let complete = written.len() == wanted().count()
            && written.iter().zip(wanted()).all(|(written, wanted)| written.same_place(wanted));
        if !complete {
            let detail = "the cookies would not be the same when read again";
            return Err(Error::new(ErrorKind::Damaged, detail).at(&self.path));
        }
        claim.replace(&out)?;
        let pairs = wanted().cloned().zip(written);
        self.agreed = pairs.map(|(ours, theirs)| Agreed { ours, theirs }).collect();
        adopt(jar, &merged, now);
        self.agreed.retain(|agreed| jar.holds(&agreed.ours));
        Ok(())
    }

    /// [`load`](Self::load) for a jar that threads share. Its lock is not held over I/O.
    pub fn load_shared(&mut self, jar: &SharedJar, now: SystemTime) -> Result<Loaded, Error> {
        let reading = self.read(&replace::read(&self.path)?, now)?;
        Ok(jar.with(|jar| self.take_in(jar, reading, now)))
    }

    /// [`save`](Self::save) for a jar that threads share. Its lock is not held over I/O: what
    /// changes in the jar meanwhile stays and is saved the next time.
    pub fn save_shared(&mut self, shared: &SharedJar, now: SystemTime) -> Result<(), Error> {
        let before = shared.snapshot();
        let mut saved = before.clone();
        self.save(&mut saved, now)?;
        let agreed: Vec<Agreed> = before
            .iter()
            .map(|cookie| Agreed { ours: cookie.clone(), theirs: cookie.clone() })
            .collect();
        let saved: Vec<Cookie> = saved.in_order().into_iter().cloned().collect();
        shared.with(|jar| {
            jar.clear_expired(now);
            let merged = merge(&agreed, &jar.in_order(), &saved, now);
            adopt(jar, &merged, now);
        });
        Ok(())
    }

    fn read(&self, text: &[u8], now: SystemTime) -> Result<Reading, Error> {
        if text.is_empty() {
            return Ok(Reading::default());
        }
        Format::detect(text).read(text, now).map_err(|error| error.at(&self.path))
    }

    fn format_of(&self, text: &[u8]) -> Format {
        let by_name = || {
            let extension = self.path.extension()?.to_str()?;
            Format::by_name(&extension.to_ascii_lowercase())
        };
        match self.format {
            Some(format) => format,
            None if text.is_empty() => by_name().unwrap_or_default(),
            None => Format::detect(text),
        }
    }

    fn take_in(&mut self, jar: &mut Jar, reading: Reading, now: SystemTime) -> Loaded {
        let mut loaded =
            Loaded { expired: reading.expired, refused: reading.refused, ..Loaded::default() };
        let cookies = reading.cookies;
        for cookie in &cookies {
            match jar.insert(cookie.clone(), now) {
                Ok(_) => loaded.cookies += 1,
                Err(_) => loaded.no_room += 1,
            }
        }
        // What later cookies pushed out is not ours to remove from the file either.
        let agreed = cookies.into_iter().filter(|cookie| jar.holds(cookie));
        self.agreed =
            agreed.map(|cookie| Agreed { ours: cookie.clone(), theirs: cookie }).collect();
        let pushed_out = loaded.cookies.saturating_sub(self.agreed.len());
        loaded.cookies -= pushed_out;
        loaded.no_room += pushed_out;
        loaded
    }
}

/// Makes `jar` hold what was merged; cookies that say the same stay as they are.
fn adopt(jar: &mut Jar, merged: &[Cookie], now: SystemTime) {
    let wanted: std::collections::HashSet<_> = merged.iter().map(Cookie::place).collect();
    jar.remove_if(|cookie| !wanted.contains(&cookie.place()));
    for cookie in merged {
        if !jar.holds(cookie) {
            // A full jar keeps what it has; the file keeps the rest.
            let _ = jar.insert(cookie.clone(), now);
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
