#[cfg(feature = "brotli")]
use super::brotli::Brotli;
#[cfg(feature = "gzip")]
use super::deflate::Deflate;
#[cfg(feature = "zstd")]
use super::zstd::Zstd;
use crate::encoder::Drained;
use crate::progress::Step;
use crate::{Coding, EncodeError, Level};

/// The encoder of one coding.
///
/// All of them keep one contract. `step` goes on until the input is used up or the output is
/// full. `drain` gives out everything that was taken in and says whether that is done; it is called
/// until then, and nothing else is called in between.
pub(crate) enum Stage {
    #[cfg(feature = "gzip")]
    /// On the heap, as it is far larger than the others.
    Deflate(Box<Deflate>),
    #[cfg(feature = "brotli")]
    Br(Brotli),
    #[cfg(feature = "zstd")]
    Zstd(Zstd),
}

/// Up to where a stage is drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drain {
    /// To where a decoder can give out all content so far.
    Flush,
    /// To the end of the coded stream.
    Finish,
}

impl Stage {
    pub(crate) fn new(coding: Coding, level: Level) -> Result<Self, EncodeError> {
        match (coding, level.number(coding)?) {
            #[cfg(feature = "gzip")]
            (Coding::Gzip | Coding::Deflate, level) => {
                Ok(Self::Deflate(Box::new(Deflate::new(coding, level))))
            }
            #[cfg(feature = "brotli")]
            (Coding::Br, level) => Ok(Self::Br(Brotli::new(level))),
            #[cfg(feature = "zstd")]
            (Coding::Zstd, level) => Zstd::new(level).map(Self::Zstd),
            #[cfg(not(all(feature = "gzip", feature = "brotli", feature = "zstd")))]
            (coding, _) => Err(EncodeError::NotBuiltIn { coding }),
        }
    }
}

/// Writes the dispatch to the coding's own encoder once for every method.
macro_rules! each {
    ($self:ident, $stage:ident => $call:expr) => {
        match $self {
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
    /// Tells the length of the content, before any of it.
    pub(crate) fn declare_length(&mut self, len: u64) -> Result<(), EncodeError> {
        each!(self, stage => stage.declare_length(len))
    }

    pub(crate) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, EncodeError> {
        each!(self, stage => stage.step(input, out))
    }

    pub(crate) fn drain(&mut self, to: Drain, out: &mut [u8]) -> Result<Drained, EncodeError> {
        each!(self, stage => stage.drain(to, out))
    }

    pub(crate) fn reset(&mut self) -> Result<(), EncodeError> {
        each!(self, stage => stage.reset())
    }
}
