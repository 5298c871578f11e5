//! Sending a file as its difference from a version that the client has (RFC 9842).

mod answering;
pub(crate) mod family;
mod table;

use avocet_encoding::DictionaryCoding;
use http::HeaderName;

use crate::form::Form;

pub(crate) use answering::Answering;
pub(crate) use table::{Dictionaries, Known, Noted};

/// A form of a file in a coding with a dictionary.
pub(crate) struct Delta {
    coding: DictionaryCoding,
    /// The digest of the dictionary.
    sha256: [u8; 32],
    pub(crate) form: Form,
}

impl Delta {
    pub(crate) fn new(coding: DictionaryCoding, sha256: [u8; 32]) -> Self {
        Self { coding, sha256, form: Form::default() }
    }

    pub(crate) fn is_of(&self, coding: DictionaryCoding, sha256: &[u8; 32]) -> bool {
        self.coding == coding && self.sha256 == *sha256
    }

    /// What makes its tag another than that of the same file with another dictionary.
    fn tag(&self) -> String {
        let [a, b, c, d, e, f, g, h, ..] = self.sha256;
        format!("{}-{:016x}", self.coding, u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// What a response says of itself that may be a dictionary.
pub(crate) const USE_AS_DICTIONARY: HeaderName = HeaderName::from_static("use-as-dictionary");

/// What a client says that has one.
const AVAILABLE_DICTIONARY: HeaderName = HeaderName::from_static("available-dictionary");
