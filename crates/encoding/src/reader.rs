use std::io::{self, BufRead, BufReader, Read};

use crate::{ContentCodings, DecodeError, Decoder, Limits, Next};

/// Reads decoded content from a reader of coded content.
///
/// The end of the inner reader is the end of the message: content that is cut short is an error of
/// kind [`io::ErrorKind::UnexpectedEof`], never a quiet end. Errors of decoding hold a
/// [`DecodeError`].
///
/// *Bounds*: reads of less than 64 KiB go through a buffer, which is of 8 KiB and for longer content
/// of 64 KiB, because in small steps gzip and deflate decode a quarter slower.
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
    buffer: Vec<u8>,
    /// The part of the buffer that is decoded and not yet read.
    start: usize,
    end: usize,
}

impl<R: BufRead> DecodeReader<R> {
    /// Decodes what `inner` holds, straight from its buffer.
    ///
    /// *Errors*: as [`Decoder::new`].
    pub fn new(inner: R, codings: &ContentCodings, limits: Limits) -> Result<Self, DecodeError> {
        let decoder = Decoder::new(codings, limits)?;
        Ok(Self { inner, decoder, buffer: Vec::new(), start: 0, end: 0 })
    }

    /// Decodes until there is some content in `out`, which is not empty; 0 is the end.
    fn decode(inner: &mut R, decoder: &mut Decoder, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let input = inner.fill_buf()?;
            let is_end = input.is_empty();
            let progress = decoder.decode(input, out)?;
            inner.consume(progress.read);
            if progress.written > 0 {
                return Ok(progress.written);
            }
            if is_end && progress.next == Next::Input {
                decoder.finish()?;
                return Ok(0);
            }
        }
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
        if self.start == self.end && out.len() >= LONG_STEP {
            return Self::decode(&mut self.inner, &mut self.decoder, out);
        }
        let mut content = self.fill_buf()?;
        let read = content.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for DecodeReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            // A buffer that was filled to its end shows that there is more.
            let len = if self.end < self.buffer.len() { self.buffer.len() } else { LONG_STEP };
            let len = if self.buffer.is_empty() { FIRST_STEP } else { len };
            self.buffer.resize(len, 0);
            (self.start, self.end) = (0, 0);
            self.end = Self::decode(&mut self.inner, &mut self.decoder, &mut self.buffer)?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.start = self.end.min(self.start + amount);
    }
}

/// What the buffer for an inner reader without one takes at a time.
const BUFFER_LEN: usize = 16 << 10;

/// The first length of the buffer for content, enough for small messages.
const FIRST_STEP: usize = 8 << 10;

/// Steps in which gzip and deflate decode at their speed.
const LONG_STEP: usize = 64 << 10;
