use std::io::{self, Write};

use crate::{Coding, ContentCodings, Drained, EncodeError, Encoder, Level, Next};

/// Encodes what is written to it and writes that to an inner writer.
///
/// [`EncodeWriter::finish`] must be called at the end: a writer that is dropped leaves the message
/// without its end, so that its reader sees that it was cut short.
///
/// *Blocking*: as the inner writer.
///
/// ```
/// use std::io::Write;
/// use avocet_encoding::{Coding, EncodeWriter, Level, decode_all};
/// # #[cfg(feature = "gzip")] {
/// let mut writer = EncodeWriter::new(Vec::new(), Coding::Gzip, Level::Default)?;
/// write!(writer, "hello, {}", "world")?;
/// let coded = writer.finish()?;
/// assert_eq!(decode_all(&Coding::Gzip.into(), &coded, 100)?, b"hello, world");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EncodeWriter<W> {
    inner: W,
    encoder: Encoder,
    buffer: Box<[u8]>,
    /// The part of the buffer that is coded and not yet written.
    start: usize,
    end: usize,
}

impl<W: Write> EncodeWriter<W> {
    /// Encodes into `inner` through a buffer of 16 KiB.
    ///
    /// *Errors*: as [`Encoder::new`].
    pub fn new(inner: W, coding: Coding, level: Level) -> Result<Self, EncodeError> {
        Ok(Self::with_encoder(inner, Encoder::new(coding, level)?))
    }

    /// Encodes with an encoder that is fresh: new, reset, or with a declared length.
    pub fn with_encoder(inner: W, encoder: Encoder) -> Self {
        Self { inner, encoder, buffer: vec![0; BUFFER_LEN].into(), start: 0, end: 0 }
    }

    /// Ends the coded message and gives the inner writer back, which is not flushed.
    ///
    /// *Errors*: those of the inner writer, and [`EncodeError`] as [`Encoder::finish`] has it.
    pub fn finish(mut self) -> io::Result<W> {
        self.drain(Encoder::finish)?;
        Ok(self.inner)
    }

    /// The encoder, for its counts.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The codings that the written content has.
    pub fn codings(&self) -> &ContentCodings {
        self.encoder.codings()
    }

    /// The inner writer.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    /// The inner writer; what is written to it stands between pieces of coded content.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Writes out the buffer. What was written before an error is not written again.
    fn empty(&mut self) -> io::Result<()> {
        while self.start < self.end {
            match self.inner.write(&self.buffer[self.start..self.end]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.start += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        (self.start, self.end) = (0, 0);
        Ok(())
    }

    fn drain(
        &mut self,
        drain: fn(&mut Encoder, &mut [u8]) -> Result<Drained, EncodeError>,
    ) -> io::Result<()> {
        loop {
            self.empty()?;
            let drained = drain(&mut self.encoder, &mut self.buffer)?;
            self.end = drained.written;
            if drained.is_done {
                return self.empty();
            }
        }
    }
}

impl<W: Write> Write for EncodeWriter<W> {
    /// Takes at least one byte of `content`, and writes when the buffer is full.
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        loop {
            if self.end == self.buffer.len() {
                self.empty()?;
            }
            let progress = self.encoder.encode(content, &mut self.buffer[self.end..])?;
            self.end += progress.written;
            if progress.read > 0 || content.is_empty() || progress.next == Next::Input {
                return Ok(progress.read);
            }
        }
    }

    /// Makes everything written so far readable at the other end.
    fn flush(&mut self) -> io::Result<()> {
        self.drain(Encoder::flush)?;
        self.inner.flush()
    }
}

const BUFFER_LEN: usize = 16 << 10;
