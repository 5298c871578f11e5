#[cfg(feature = "brotli")]
mod brotli;
#[cfg(any(feature = "brotli", feature = "zstd"))]
mod growth;
#[cfg(feature = "zstd")]
mod zstd;

use std::fmt;

use crate::accept::explicit_weights;
use crate::{Coding, DecodeError, EncodeError, Level};

/// A content coding that refers to another content, the dictionary, which both sides have: an
/// earlier version of the same file, most of the time.
///
/// These are no [`Coding`]s, because no side can use them with what a message says alone.
///
/// *Spec*: RFC 9842 §4 (`dcb`), §5 (`dcz`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DictionaryCoding {
    /// A head of 36 bytes and Brotli with a window of at most 16 MiB.
    Dcb,
    /// A head of 40 bytes, which is a skippable frame to others, and Zstandard.
    Dcz,
}

/// The content that a [`DictionaryCoding`] refers to, and the digest by which messages name it.
#[derive(Clone, Copy)]
pub struct Dictionary<'d> {
    bytes: &'d [u8],
    sha256: [u8; 32],
}

impl DictionaryCoding {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Dcb, Self::Dcz];

    /// The registered name, as it is written in `Content-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dcb => "dcb",
            Self::Dcz => "dcz",
        }
    }

    /// Whether the features of this build include the encoder and the decoder.
    pub const fn is_built_in(self) -> bool {
        self.inner().is_built_in()
    }

    /// The coding of the stream behind the head, by which errors are told.
    pub const fn inner(self) -> Coding {
        match self {
            Self::Dcb => Coding::Br,
            Self::Dcz => Coding::Zstd,
        }
    }

    /// What a coded content begins with; the digest of the dictionary follows it.
    const fn magic(self) -> &'static [u8] {
        match self {
            Self::Dcb => &[0xFF, b'D', b'C', b'B'],
            Self::Dcz => &[0x5E, 0x2A, 0x4D, 0x18, 0x20, 0, 0, 0],
        }
    }

    /// Tells the stream from its head, which must name this dictionary.
    fn stream<'c>(
        self,
        dictionary: &Dictionary<'_>,
        coded: &'c [u8],
    ) -> Result<&'c [u8], DecodeError> {
        let (coding, magic) = (self.inner(), self.magic());
        let head_len = magic.len() + dictionary.sha256.len();
        let known = coded.len().min(magic.len());
        if coded[..known] != magic[..known] {
            let reason = "it does not begin as a coding with a dictionary";
            return Err(DecodeError::Corrupt { coding, offset: 0, reason });
        }
        let Some((head, stream)) = coded.split_at_checked(head_len) else {
            return Err(DecodeError::Truncated { coding, offset: coded.len() as u64 });
        };
        if head[magic.len()..] != dictionary.sha256 {
            return Err(DecodeError::DictionaryNeeded { coding, offset: head_len as u64 });
        }
        Ok(stream)
    }
}

impl fmt::Display for DictionaryCoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<'d> Dictionary<'d> {
    /// A dictionary of these bytes, with their SHA-256, which the caller has at hand since messages
    /// name dictionaries by it. A digest of other bytes makes content that no recipient takes.
    pub const fn new(bytes: &'d [u8], sha256: [u8; 32]) -> Self {
        Self { bytes, sha256 }
    }
}

/// The digest only: the bytes may be many.
impl fmt::Debug for Dictionary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dictionary(")?;
        self.sha256.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// Encodes a whole message in memory with a dictionary.
///
/// *Bounds*: with `dcb` dictionary and content are at most 16 MiB less 16 bytes together, so that
/// all of them lies within the window; with `dcz` the window is at most 8 MiB, which every recipient
/// has to take.
///
/// *Errors*: [`EncodeError::WindowExceeded`] beyond that of `dcb`, [`EncodeError::NotBuiltIn`],
/// [`EncodeError::LevelOutOfRange`], [`EncodeError::OutOfMemory`], [`EncodeError::Failed`].
///
/// *Spec*: RFC 9842 §4, §5.
pub fn encode_with(
    coding: DictionaryCoding,
    level: Level,
    dictionary: &Dictionary<'_>,
    content: &[u8],
) -> Result<Vec<u8>, EncodeError> {
    let level = level.number(coding.inner())?;
    let mut coded = coding.magic().to_vec();
    coded.extend_from_slice(&dictionary.sha256);
    let encoded: Result<(), EncodeError> = match coding {
        #[cfg(feature = "brotli")]
        DictionaryCoding::Dcb => brotli::encode(level, dictionary.bytes, content, &mut coded),
        #[cfg(feature = "zstd")]
        DictionaryCoding::Dcz => zstd::encode(level, dictionary.bytes, content, &mut coded),
        #[cfg(not(all(feature = "brotli", feature = "zstd")))]
        coding => {
            let _ = (level, dictionary.bytes, content);
            Err(EncodeError::NotBuiltIn { coding: coding.inner() })
        }
    };
    encoded.map(|()| coded)
}

/// Decodes a whole message in memory with the dictionary that it was encoded with.
///
/// *Bounds*: the content is at most `max_len` bytes long. The window of `dcb` is at most 16 MiB; that
/// of `dcz` at most 8 MiB or, with a larger dictionary, the power of two from 1.25 times its length
/// on, and never more than 128 MiB.
///
/// *Errors*: [`DecodeError::DictionaryNeeded`] for a message that names another dictionary,
/// [`DecodeError::OutputLimit`] past `max_len`, and what the coding of the stream can have. They
/// name the coding of the stream and count offsets from its beginning, behind the head.
///
/// *Spec*: RFC 9842 §4, §5.
pub fn decode_with(
    coding: DictionaryCoding,
    dictionary: &Dictionary<'_>,
    coded: &[u8],
    max_len: usize,
) -> Result<Vec<u8>, DecodeError> {
    let stream = coding.stream(dictionary, coded)?;
    match coding {
        #[cfg(feature = "brotli")]
        DictionaryCoding::Dcb => brotli::decode(dictionary.bytes, stream, max_len),
        #[cfg(feature = "zstd")]
        DictionaryCoding::Dcz => zstd::decode(dictionary.bytes, stream, max_len),
        #[cfg(not(all(feature = "brotli", feature = "zstd")))]
        coding => {
            let _ = (stream, dictionary.bytes, max_len);
            Err(DecodeError::NotBuiltIn { coding: coding.inner() })
        }
    }
}

/// Chooses a coding with a dictionary from those `offered`, the server's favourite first, when the
/// request names a dictionary that the server has.
///
/// `lines` are all `Accept-Encoding` field lines of the request. A coding must be named there: `*`
/// is said by clients that know nothing of dictionaries. Nothing is chosen when the client likes
/// anything else better.
///
/// *Spec*: RFC 9842 §6.1, RFC 9110 §12.5.3.
///
/// ```
/// use avocet_encoding::{DictionaryCoding, negotiate_dictionary};
/// let offered = [DictionaryCoding::Dcz, DictionaryCoding::Dcb];
/// let choose = |line: &str| negotiate_dictionary([line.as_bytes()], &offered);
/// assert_eq!(choose("gzip, br, zstd, dcb, dcz"), Some(DictionaryCoding::Dcz));
/// assert_eq!(choose("gzip, *"), None);
/// assert_eq!(choose("br, dcb;q=0.5"), None);
/// ```
pub fn negotiate_dictionary<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    offered: &[DictionaryCoding],
) -> Option<DictionaryCoding> {
    let mut weights = [0; DictionaryCoding::ALL.len()];
    let mut heaviest = 1;
    for (name, weight) in explicit_weights(lines) {
        let named = DictionaryCoding::ALL
            .into_iter()
            .find(|coding| name.eq_ignore_ascii_case(coding.name().as_bytes()));
        if let Some(coding) = named {
            let place = &mut weights[coding as usize];
            *place = weight.max(*place);
        }
        heaviest = heaviest.max(weight);
    }
    offered.iter().copied().find(|&coding| weights[coding as usize] >= heaviest)
}
