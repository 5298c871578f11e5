use std::fmt;

/// A content coding of the IANA registry that this crate knows.
///
/// Every variant exists whatever features are on, so that a server can offer files that were
/// compressed beforehand without carrying an encoder; [`Coding::is_built_in`] tells whether this
/// build can encode and decode it.
///
/// *Spec*: RFC 9110 §8.4.1, RFC 1952 (`gzip`), RFC 1950 (`deflate`), RFC 7932 (`br`),
/// RFC 8878 and RFC 9659 (`zstd`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coding {
    /// The gzip file format.
    Gzip,
    /// The zlib format; as a decoder also bare deflate data, which some servers send by this name.
    Deflate,
    /// Brotli.
    Br,
    /// Zstandard with a window of at most 8 MiB.
    Zstd,
}

impl Coding {
    /// Every coding, in the order of the registry's history.
    pub const ALL: [Self; 4] = [Self::Gzip, Self::Deflate, Self::Br, Self::Zstd];

    /// The registered name, as it is written in `Content-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Br => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The coding of this name in any case; `None` for `identity` and for names not known.
    ///
    /// *Spec*: RFC 9110 §8.4.1 makes names case-insensitive, §8.4.1.3 has a recipient take
    /// `x-gzip` for `gzip`.
    pub fn parse(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"x-gzip") {
            return Some(Self::Gzip);
        }
        Self::ALL.into_iter().find(|coding| name.eq_ignore_ascii_case(coding.name().as_bytes()))
    }

    /// Whether the features of this build include the encoder and the decoder.
    pub const fn is_built_in(self) -> bool {
        match self {
            Self::Gzip | Self::Deflate => cfg!(feature = "gzip"),
            Self::Br => cfg!(feature = "brotli"),
            Self::Zstd => cfg!(feature = "zstd"),
        }
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_in_any_case_and_print_as_registered() {
        for coding in Coding::ALL {
            assert_eq!(Coding::parse(coding.name().as_bytes()), Some(coding));
            assert_eq!(Coding::parse(coding.name().to_uppercase().as_bytes()), Some(coding));
            assert_eq!(coding.to_string(), coding.name());
        }
        assert_eq!(Coding::parse(b"X-GZip"), Some(Coding::Gzip));
    }

    #[test]
    fn near_names_are_not_taken() {
        for name in
            [&b""[..], b"identity", b"compress", b"x-compress", b"gzi", b"gzipp", b"g\xFFip"]
        {
            assert_eq!(Coding::parse(name), None, "{name:?}");
        }
    }
}
