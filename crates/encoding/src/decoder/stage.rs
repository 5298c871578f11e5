#[cfg(feature = "brotli")]
use super::brotli::Unbrotli;
#[cfg(feature = "zstd")]
use super::zstd::Unzstd;
#[cfg(feature = "gzip")]
use super::{deflate::Inflate, gzip::Gunzip};
use crate::progress::Step;
use crate::{Coding, DecodeError};

/// What is wrong with coded input, without the place, which the caller of a stage counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(any(feature = "zstd", all(feature = "gzip", feature = "brotli"))),
    expect(dead_code, reason = "only zstd has all the faults by itself")
)]
pub(crate) enum Fault {
    Corrupt(&'static str),
    Checksum,
    Length,
    Window,
    Dictionary,
    Trailing,
}

impl Fault {
    pub(crate) fn at(self, coding: Coding, offset: u64) -> DecodeError {
        match self {
            Self::Corrupt(reason) => DecodeError::Corrupt { coding, offset, reason },
            Self::Checksum => DecodeError::Checksum { coding, offset },
            Self::Length => DecodeError::LengthMismatch { coding, offset },
            Self::Window => DecodeError::WindowTooLarge { coding, offset },
            Self::Dictionary => DecodeError::DictionaryNeeded { coding, offset },
            Self::Trailing => DecodeError::TrailingData { coding, offset },
        }
    }
}

/// The decoder of one coding.
///
/// All of them keep one contract. `step` goes on until the input is used up, the output is full or
/// there is a fault; when it returns with room left in the output, everything that can be said
/// about the input so far has been written. On a fault `step` holds what came before it.
/// `is_complete` tells whether the input may end here.
pub(crate) enum Stage {
    #[cfg(feature = "gzip")]
    Gzip(Gunzip),
    #[cfg(feature = "gzip")]
    Deflate(Inflate),
    #[cfg(feature = "brotli")]
    Br(Unbrotli),
    #[cfg(feature = "zstd")]
    Zstd(Unzstd),
}

impl Stage {
    pub(crate) fn new(coding: Coding) -> Result<Self, DecodeError> {
        match coding {
            #[cfg(feature = "gzip")]
            Coding::Gzip => Ok(Self::Gzip(Gunzip::new())),
            #[cfg(feature = "gzip")]
            Coding::Deflate => Ok(Self::Deflate(Inflate::new())),
            #[cfg(feature = "brotli")]
            Coding::Br => Ok(Self::Br(Unbrotli::new())),
            #[cfg(feature = "zstd")]
            Coding::Zstd => Unzstd::new().map(Self::Zstd),
            #[cfg(not(all(feature = "gzip", feature = "brotli", feature = "zstd")))]
            _ => Err(DecodeError::NotBuiltIn { coding }),
        }
    }
}

/// Writes the dispatch to the coding's own decoder once for every method.
macro_rules! each {
    ($self:ident, $stage:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "gzip")]
            Self::Gzip($stage) => $call,
            #[cfg(feature = "gzip")]
            Self::Deflate($stage) => $call,
            #[cfg(feature = "brotli")]
            Self::Br($stage) => $call,
            #[cfg(feature = "zstd")]
            Self::Zstd($stage) => $call,
            #[cfg(not(any(feature = "gzip", feature = "brotli", feature = "zstd")))]
            _ => unreachable!("there is no stage without a coding"),
        }
    };
}

#[cfg_attr(
    not(any(feature = "gzip", feature = "brotli", feature = "zstd")),
    expect(unused_variables, reason = "without codings there is nothing to dispatch to")
)]
impl Stage {
    pub(crate) fn step(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        step: &mut Step,
    ) -> Result<(), Fault> {
        each!(self, stage => stage.step(input, out, step))
    }

    pub(crate) fn is_complete(&self) -> bool {
        each!(self, stage => stage.is_complete())
    }

    pub(crate) fn reset(&mut self) -> Result<(), DecodeError> {
        each!(self, stage => stage.reset())
    }
}
