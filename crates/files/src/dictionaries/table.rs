//! The versions that clients may have.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use avocet_encoding::Dictionary;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::path::FilePath;

/// Contents that were sent, by digest and pattern. Only what was sent gets in, so that a request can
/// name nothing that its sender could not have.
///
/// *Bounds*: [`COUNT`] contents and [`BYTES`] bytes; what was used or sent last stays.
#[derive(Default)]
pub(crate) struct Dictionaries {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The latest last.
    known: VecDeque<Arc<Known>>,
    bytes: usize,
}

/// A content that was sent.
pub(crate) struct Known {
    bytes: Bytes,
    pub(crate) sha256: [u8; 32],
    /// The value of Use-As-Dictionary that went with it.
    field: String,
    /// Where it was found.
    pub(crate) path: FilePath<'static>,
}

/// Whether a content is in the table.
#[derive(Default)]
pub(crate) enum Noted {
    #[default]
    No,
    /// It is being read.
    Underway,
    /// It was put there, and is there as long as this leads to something.
    As(Weak<Known>),
}

impl Known {
    pub(crate) fn new(bytes: Bytes, field: String, path: FilePath<'static>) -> Self {
        let sha256 = Sha256::digest(&bytes).into();
        Self { bytes, sha256, field, path }
    }

    pub(crate) fn dictionary(&self) -> Dictionary<'_> {
        Dictionary::new(&self.bytes, self.sha256)
    }

    fn is(&self, sha256: &[u8; 32], field: &str) -> bool {
        self.sha256 == *sha256 && self.field == field
    }
}

impl Dictionaries {
    /// Takes a content in, and gives back what stands for it there.
    pub(crate) fn insert(&self, known: Known) -> Arc<Known> {
        let mut kept = self.kept();
        if let Some(there) = kept.find(&known.sha256, &known.field) {
            return there;
        }
        let known = Arc::new(known);
        kept.bytes += known.bytes.len();
        kept.known.push_back(known.clone());
        while kept.known.len() > COUNT || kept.bytes > BYTES {
            let Some(oldest) = kept.known.pop_front() else { break };
            kept.bytes -= oldest.bytes.len();
        }
        known
    }

    /// The content of this digest that was sent with this field.
    pub(crate) fn find(&self, sha256: &[u8; 32], field: &str) -> Option<Arc<Known>> {
        self.kept().find(sha256, field)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Moves what is found to the end.
    fn find(&mut self, sha256: &[u8; 32], field: &str) -> Option<Arc<Known>> {
        let at = self.known.iter().position(|known| known.is(sha256, field))?;
        let known = self.known.remove(at)?;
        self.known.push_back(known.clone());
        Some(known)
    }
}

impl Noted {
    /// Whether it has to be read: true once, until it has fallen out of the table again.
    pub(crate) fn begin(&mut self) -> bool {
        let is_there = match self {
            Self::No => false,
            Self::Underway => true,
            Self::As(known) => known.strong_count() > 0,
        };
        if !is_there {
            *self = Self::Underway;
        }
        !is_there
    }
}

/// How many contents are kept.
const COUNT: usize = 256;

/// How many bytes of them.
const BYTES: usize = 32 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn known(content: impl Into<Bytes>, field: &str) -> Known {
        Known::new(content.into(), field.to_owned(), FilePath::root())
    }

    fn digest(content: impl AsRef<[u8]>) -> [u8; 32] {
        Sha256::digest(content).into()
    }

    #[test]
    fn security_the_table_of_dictionaries_is_bounded() {
        let table = Dictionaries::default();
        let content = |n: usize| n.to_string();
        table.insert(known("kept", "f"));
        for n in 0..2 * COUNT {
            table.insert(known(content(n), "f"));
            // What is used stays.
            assert!(table.find(&digest("kept"), "f").is_some(), "{n}");
        }
        let there = |n| table.find(&digest(content(n)), "f").is_some();
        assert!(!there(0) && !there(COUNT) && there(COUNT + 1) && there(2 * COUNT - 1));
        assert_eq!(table.kept().known.len(), COUNT);
        let mebibyte = vec![b'x'; 1024 * 1024];
        for n in 0..100_u8 {
            let mut content = mebibyte.clone();
            content[0] = n;
            table.insert(known(content, "f"));
            let kept = table.kept();
            let bytes: usize = kept.known.iter().map(|known| known.bytes.len()).sum();
            assert!(kept.bytes == bytes && bytes <= BYTES, "{n}: {bytes}");
        }
        assert!(table.kept().bytes > BYTES - 2 * mebibyte.len());
    }

    #[test]
    fn a_content_is_found_by_digest_and_pattern_only() {
        let table = Dictionaries::default();
        let first = table.insert(known("content", "f"));
        assert!(Arc::ptr_eq(&first, &table.insert(known("content", "f"))));
        assert!(!Arc::ptr_eq(&first, &table.insert(known("content", "g"))));
        assert_eq!(table.kept().bytes, 14);
        assert!(table.find(&digest("content"), "h").is_none());
        assert!(table.find(&digest("other"), "f").is_none());
    }

    #[test]
    fn what_fell_out_is_noted_anew() {
        let mut noted = Noted::default();
        assert!(noted.begin());
        assert!(!noted.begin());
        let there = Arc::new(known("content", "f"));
        noted = Noted::As(Arc::downgrade(&there));
        assert!(!noted.begin());
        drop(there);
        assert!(noted.begin());
    }
}
