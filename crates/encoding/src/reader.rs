use std::io::{self, BufRead, BufReader, Read};

use crate::{ContentCodings, DecodeError, Decoder, Limits, Next};

/// Reads decoded content from a reader of coded content.
///
/// The end of the inner reader is the end of the message: content that is cut short is an error of
/// kind [`io::ErrorKind::UnexpectedEof`], never a quiet end. Errors of decoding hold a
/// [`DecodeError`].
///
/// *Blocking*: as the inner reader. [`io::ErrorKind::Interrupted`] is passed on.
///
/// ```
/// use std::io::Read;
/// use avocet_encoding::{ContentCodings, DecodeReader, Limits};
/// # #[cfg(feature = "gzip")] {
/// let coded = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xcbH\xcd\xc9\xc9\x07\0\x86\xa6\x106\x05\0\0\0";
/// let codings = ContentCodings::parse([&b"gzip"[..]])?;
/// let mut content = String::new();
/// DecodeReader::new(&coded[..], &codings, Limits::default())?.read_to_string(&mut content)?;
/// assert_eq!(content, "hello");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DecodeReader<R> {
    inner: R,
    decoder: Decoder,
}

impl<R: BufRead> DecodeReader<R> {
    /// Decodes what `inner` holds, straight from its buffer.
    ///
    /// *Errors*: as [`Decoder::new`].
    pub fn new(inner: R, codings: &ContentCodings, limits: Limits) -> Result<Self, DecodeError> {
        Ok(Self { inner, decoder: Decoder::new(codings, limits)? })
    }
}

impl<R: Read> DecodeReader<BufReader<R>> {
    /// Decodes what a reader without a buffer gives, through a buffer of 16 KiB.
    ///
    /// *Errors*: as [`Decoder::new`].
    pub fn buffered(
        inner: R,
        codings: &ContentCodings,
        limits: Limits,
    ) -> Result<Self, DecodeError> {
        Self::new(BufReader::with_capacity(BUFFER_LEN, inner), codings, limits)
    }
}

impl<R> DecodeReader<R> {
    /// The decoder, for its counts.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// The inner reader.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// The inner reader; bytes taken from it are lost to the decoder.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Gives the inner reader back.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: BufRead> Read for DecodeReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let input = self.inner.fill_buf()?;
            let is_end = input.is_empty();
            let progress = self.decoder.decode(input, out)?;
            self.inner.consume(progress.read);
            if progress.written > 0 {
                return Ok(progress.written);
            }
            if is_end && progress.next == Next::Input {
                self.decoder.finish()?;
                return Ok(0);
            }
        }
    }
}

const BUFFER_LEN: usize = 16 << 10;
