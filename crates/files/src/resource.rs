//! A file with its codings, as it was found under one path.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use avocet_encoding::{Choice, Coding, DictionaryCoding, negotiate};
use avocet_server::Request;
use http::header::{ACCEPT_ENCODING, IF_MATCH, IF_RANGE, RANGE};
use rustix::fs::{AtFlags, statat};

use crate::cache::Weight;
use crate::compress::{KEPT, Shape};
use crate::dictionaries::{Delta, Noted};
use crate::form::Form;
use crate::metadata::{Kind, Metadata};
use crate::outcome::Opened;
use crate::representation::{Content, Described, LoadError, Representation};
use crate::root::Root;
use crate::settings::Settings;

/// Everything that one path can be answered with.
pub(crate) struct Resource {
    /// The file's path below the root.
    path: Vec<u8>,
    pub(crate) plain: Representation,
    /// The codings that a client may get instead, best first; none for types that do not compress.
    coded: Vec<Coded>,
    /// Whether those could lie beside the file.
    looks_beside: bool,
    /// When the tags must be made again because the file has settled by then.
    settles: Option<Instant>,
    /// When it was found, and when after that, in microseconds, the open files were last seen to be as
    /// they were then.
    found: Instant,
    looked: AtomicU64,
    /// The value of Use-As-Dictionary, where the file may be one.
    as_dictionary: Option<String>,
    /// Whether it is kept as one.
    pub(crate) noted: Mutex<Noted>,
    /// What was made of it with dictionaries, or is to be; the latest last.
    deltas: Mutex<Vec<Arc<Delta>>>,
}

/// One coding of a file: lying beside it, or made here.
pub(crate) struct Coded {
    pub(crate) coding: Coding,
    path: Vec<u8>,
    /// What lay beside the file when it was found, used or not.
    beside: Option<Metadata>,
    sibling: Option<Representation>,
    /// What is made of the file here.
    pub(crate) form: Form,
}

/// How a request is to be answered.
pub(crate) enum Chosen<'r> {
    Ready(&'r Representation),
    /// The coding has to be made first.
    Making(&'r Coded),
}

impl Resource {
    /// Loads a file that was opened, and the codings of it that lie beside. `as_dictionary` is what
    /// would be said of it if it may be a dictionary.
    pub(crate) fn load(
        root: &Root,
        settings: &Settings,
        opened: Opened,
        as_dictionary: Option<String>,
        now: Instant,
    ) -> Result<Self, LoadError> {
        let Opened { file, metadata, path, .. } = opened;
        let media_type = settings.types.of(&path);
        let varies = settings.compresses(&media_type);
        let lengths = settings.least_to_compress..=KEPT;
        let as_dictionary = as_dictionary.filter(|_| varies && lengths.contains(&metadata.size));
        let fields = settings.fields_of(&path);
        let described = Described {
            media_type: &media_type,
            coding: None,
            has_ranges: true,
            varies,
            cache_control: settings.cache_control(&path),
            as_dictionary: as_dictionary.as_deref(),
            extra: &fields,
        };
        let plain = Representation::load(file, metadata, &described)?;
        let mut coded = Vec::new();
        if varies {
            for (coding, ending) in CODINGS {
                let path = [&path, ending].concat();
                let one = Coded::new(coding, path);
                let looks = settings.uses_siblings;
                coded.push(if looks { one.load(root, &plain, &described)? } else { one });
            }
        }
        let stamps = coded.iter().filter_map(|coded| coded.sibling.as_ref());
        let stamps = stamps.chain([&plain]).map(|found| &found.about.stamp);
        let settles = stamps.filter_map(|stamp| stamp.unsettled_for()).max();
        let settles = settles.and_then(|rest| now.checked_add(rest));
        let (noted, deltas, looked) = Default::default();
        let looks_beside = settings.uses_siblings;
        Ok(Self {
            path,
            plain,
            coded,
            looks_beside,
            settles,
            found: now,
            looked,
            as_dictionary,
            noted,
            deltas,
        })
    }

    /// The file's path below the root.
    pub(crate) fn path(&self) -> &[u8] {
        &self.path
    }

    /// What a coding of it that is made here is told to have.
    pub(crate) fn shape<'s>(&'s self, settings: &'s Settings) -> Shape<'s> {
        Shape {
            cache_control: settings.cache_control(&self.path),
            as_dictionary: self.as_dictionary(),
            extra: settings.fields_of(&self.path),
        }
    }

    /// The value of Use-As-Dictionary; none for what is no dictionary and is sent with none.
    pub(crate) fn as_dictionary(&self) -> Option<&str> {
        self.as_dictionary.as_deref()
    }

    /// The form of it in a coding with the dictionary of this digest, made or to be made.
    ///
    /// *Bounds*: the [`DELTAS`] latest are kept. What is being made when it goes is made to its end.
    pub(crate) fn delta(&self, coding: DictionaryCoding, sha256: &[u8; 32]) -> Arc<Delta> {
        let mut deltas = self.deltas();
        if let Some(delta) = deltas.iter().find(|delta| delta.is_of(coding, sha256)) {
            return delta.clone();
        }
        if deltas.len() == DELTAS {
            deltas.remove(0);
        }
        let delta = Arc::new(Delta::new(coding, *sha256));
        deltas.push(delta.clone());
        delta
    }

    fn deltas(&self) -> MutexGuard<'_, Vec<Arc<Delta>>> {
        self.deltas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The length of the shortest form that is there already.
    pub(crate) fn shortest(&self) -> u64 {
        let ready = self.coded.iter().filter_map(Coded::ready).map(Representation::len);
        ready.chain([self.plain.len()]).min().unwrap_or_default()
    }

    /// Whether another look at the disk would find the same. Paths are looked at without opening
    /// anything: what is the very same file in the same state may be sent again.
    pub(crate) fn is_current(&self, root: &Root, now: Instant) -> bool {
        let state = |path: &[u8]| {
            let stat = statat(root.folder(), path, AtFlags::empty()).ok()?;
            Some(Metadata::from_stat(&stat))
        };
        !self.is_unsettled(now)
            && state(&self.path) == Some(self.plain.metadata)
            && (!self.looks_beside
                || self.coded.iter().all(|coded| state(&coded.path) == coded.beside))
    }

    /// Whether what is open is as it was when it was found, or was so [`JUST_NOW`]. What was exchanged
    /// under its path since is not seen.
    pub(crate) fn is_unchanged(&self) -> bool {
        if self.settles.is_some() {
            return false;
        }
        let siblings = self.coded.iter().filter_map(|coded| coded.sibling.as_ref());
        let mut files = siblings.chain([&self.plain]).filter_map(|found| match &found.content {
            Content::Memory(_) => None,
            Content::File(place) => Some((&place.file, found.metadata)),
        });
        let Some(first) = files.next() else { return true };
        let now = self.found.elapsed();
        let looked = Duration::from_micros(self.looked.load(Ordering::Relaxed));
        if now.saturating_sub(looked) < JUST_NOW {
            return true;
        }
        let unchanged =
            files.chain([first]).all(|(file, state)| Metadata::of(&**file) == Ok(state));
        if unchanged {
            let micros = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
            self.looked.store(micros, Ordering::Relaxed);
        }
        unchanged
    }

    /// Whether the tags are no longer what they should be.
    fn is_unsettled(&self, now: Instant) -> bool {
        self.settles.is_some_and(|settles| now >= settles)
    }

    /// What the cache has to account for.
    pub(crate) fn weight(&self) -> Weight {
        let codings =
            self.coded.iter().flat_map(|coded| [coded.sibling.as_ref(), coded.form.made()]);
        let files: Weight =
            codings.flatten().chain([&self.plain]).map(Representation::weight).sum();
        let deltas = self.deltas();
        let deltas = deltas.iter().filter_map(|delta| delta.form.made());
        deltas.map(Representation::weight).chain([files]).sum()
    }

    /// Chooses by Accept-Encoding: the highest weight, and of equal ones what lies beside the file
    /// before what has to be made.
    pub(crate) fn choose(&self, settings: &Settings, request: &Request<'_>) -> Chosen<'_> {
        if self.coded.is_empty() || !request.fields().contains(&ACCEPT_ENCODING) {
            return Chosen::Ready(&self.plain);
        }
        let can_make = OnceCell::new();
        let can_make = || *can_make.get_or_init(|| self.can_make(settings, request));
        let mut offered = [Coding::Gzip; CODINGS.len()];
        let mut count = 0;
        for wanted in [true, false] {
            for coded in &self.coded {
                let is_beside = coded.sibling.is_some();
                if is_beside == wanted && (is_beside || coded.is_worth_making() && can_make()) {
                    offered[count] = coded.coding;
                    count += 1;
                }
            }
        }
        let lines = request.fields().get_all(&ACCEPT_ENCODING);
        let Choice::Coding(coding) = negotiate(lines, &offered[..count]) else {
            return Chosen::Ready(&self.plain);
        };
        self.coding(coding).map_or(Chosen::Ready(&self.plain), |coded| match coded.ready() {
            Some(ready) => Chosen::Ready(ready),
            None => Chosen::Making(coded),
        })
    }

    pub(crate) fn coding(&self, coding: Coding) -> Option<&Coded> {
        self.coded.iter().find(|coded| coded.coding == coding)
    }

    fn can_make(&self, settings: &Settings, request: &Request<'_>) -> bool {
        settings.makes_codings
            && self.plain.len() >= settings.least_to_compress
            && !wants_lasting_bytes(request)
    }
}

impl Coded {
    fn new(coding: Coding, path: Vec<u8>) -> Self {
        Self { coding, path, beside: None, sibling: None, form: Form::default() }
    }

    /// The same with what lies beside the file, if it can be used.
    fn load(
        mut self,
        root: &Root,
        plain: &Representation,
        described: &Described<'_>,
    ) -> Result<Self, LoadError> {
        // Whatever keeps a sibling from being opened, the file itself is still there.
        let Ok(file) = root.open_below(&self.path) else { return Ok(self) };
        let metadata = Metadata::of(&file)?;
        self.beside = Some(metadata);
        if metadata.kind != Kind::File || is_outdated(&metadata, &plain.metadata) {
            log::debug!("{} is not used", self.path.escape_ascii());
            return Ok(self);
        }
        let described = Described { coding: Some(self.coding.name()), ..*described };
        self.sibling = Some(Representation::load(file, metadata, &described)?);
        Ok(self)
    }

    pub(crate) fn ready(&self) -> Option<&Representation> {
        self.sibling.as_ref().or_else(|| self.form.made())
    }

    fn is_worth_making(&self) -> bool {
        self.coding.is_built_in() && self.form.is_worth_making()
    }
}

/// A coding that is made here has no lasting bytes: ranges of it cannot be joined, and its tag is weak.
/// Who asks for such gets the file as it is.
pub(crate) fn wants_lasting_bytes(request: &Request<'_>) -> bool {
    [RANGE, IF_RANGE, IF_MATCH].iter().any(|name| request.fields().contains(name))
}

/// Whether a sibling is older than what it was made from. A little older is let pass, because tools
/// write files in any order.
fn is_outdated(sibling: &Metadata, plain: &Metadata) -> bool {
    sibling.modified.0.saturating_add(2) < plain.modified.0
}

/// The state of an open file that is asked for often is not asked for twice within this. The clocks of
/// most file systems tell no shorter times apart: they tick every millisecond to every fourth.
const JUST_NOW: Duration = Duration::from_millis(1);

/// How many forms with dictionaries are kept of a file: those of the versions that visitors have.
const DELTAS: usize = 4;

/// The codings that are offered, best first, and the endings of files that hold them.
pub(crate) const CODINGS: [(Coding, &[u8]); 3] =
    [(Coding::Zstd, b".zst"), (Coding::Br, b".br"), (Coding::Gzip, b".gz")];
