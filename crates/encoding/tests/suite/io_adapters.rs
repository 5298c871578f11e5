//! The reader and the writer over the push core.

use std::io::{self, BufReader, ErrorKind, Read, Write};

use avocet_encoding::{
    Coding, ContentCodings, DecodeError, DecodeReader, EncodeWriter, Encoder, Level, Limits,
    decode_all, encode_all,
};

use crate::samples::{built_in, noise, page};

/// Gives or takes a byte at a time, with an interruption before each.
struct Trickle<T> {
    inner: T,
    is_interrupted: bool,
}

impl<T> Trickle<T> {
    fn new(inner: T) -> Self {
        Self { inner, is_interrupted: false }
    }

    fn interrupt(&mut self) -> io::Result<()> {
        self.is_interrupted = !self.is_interrupted;
        if self.is_interrupted { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

impl<R: Read> Read for Trickle<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.interrupt()?;
        let len = out.len().min(1);
        self.inner.read(&mut out[..len])
    }
}

impl<W: Write> Write for Trickle<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupt()?;
        self.inner.write(&bytes[..bytes.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[test]
fn a_reader_gives_the_content_and_then_the_end() {
    let content = page(70_000);
    for coding in built_in() {
        let coded = encode_all(coding, Level::Fast, &content).unwrap();
        let limits = Limits::default();
        let mut whole = Vec::new();
        let mut reader = DecodeReader::new(&coded[..], &coding.into(), limits).unwrap();
        assert_eq!(reader.read_to_end(&mut whole).unwrap(), content.len());
        assert!(whole == content, "{coding}");
        assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0, "the end stays");
        assert_eq!(reader.decoder().bytes_read(), coded.len() as u64);

        let mut bytes = Vec::new();
        let trickle = BufReader::with_capacity(7, Trickle::new(&coded[..]));
        let mut reader = DecodeReader::new(trickle, &coding.into(), limits).unwrap();
        reader.read_to_end(&mut bytes).unwrap();
        assert!(bytes == content, "{coding} by bytes");
    }
}

#[test]
fn a_cut_reader_ends_in_unexpected_eof_after_what_was_there() {
    let content = noise(5000);
    for coding in built_in() {
        let coded = encode_all(coding, Level::Fast, &content).unwrap();
        let cut = &coded[..coded.len() - 1];
        let mut reader = DecodeReader::buffered(cut, &coding.into(), Limits::default()).unwrap();
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{coding}");
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<DecodeError>());
        assert!(matches!(inner, Some(DecodeError::Truncated { .. })), "{coding}: {inner:?}");
    }
}

#[test]
fn a_writer_writes_what_decodes_to_the_content() {
    let content = page(70_000);
    for coding in built_in() {
        let mut writer =
            EncodeWriter::new(Trickle::new(Vec::new()), coding, Level::Default).unwrap();
        for piece in content.chunks(10_001) {
            writer.write_all(piece).unwrap();
        }
        assert_eq!(writer.encoder().bytes_read(), content.len() as u64);
        let coded = writer.finish().unwrap().inner;
        assert!(decode_all(&coding.into(), &coded, 70_000).unwrap() == content, "{coding}");
    }
}

#[test]
fn what_was_flushed_can_be_read_before_the_end() {
    for coding in built_in() {
        let mut writer = EncodeWriter::new(Vec::new(), coding, Level::Default).unwrap();
        writer.write_all(b"event: one\n\n").unwrap();
        assert!(writer.get_ref().len() < 12, "{coding}: nothing is out before the flush");
        writer.flush().unwrap();
        let mut reader =
            DecodeReader::new(&writer.get_ref()[..], &coding.into(), Limits::default()).unwrap();
        let mut event = [0; 12];
        reader.read_exact(&mut event).unwrap();
        assert_eq!(&event, b"event: one\n\n", "{coding}");
    }
}

#[test]
fn a_writer_that_is_full_is_an_error_and_not_a_loop() {
    for coding in built_in() {
        let mut place = [0; 100];
        let mut writer = EncodeWriter::new(&mut place[..], coding, Level::Fast).unwrap();
        let error = match writer.write_all(&noise(1 << 20)) {
            Ok(()) => writer.finish().map(drop).unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::WriteZero, "{coding}");
    }
}

#[test]
fn a_declared_length_reaches_io_as_invalid_input() {
    let mut encoder = Encoder::stacked(&ContentCodings::IDENTITY, Level::Default).unwrap();
    encoder.declare_length(3).unwrap();
    let mut writer = EncodeWriter::with_encoder(Vec::new(), encoder);
    assert_eq!(writer.write_all(b"four").unwrap_err().kind(), ErrorKind::InvalidInput);
    let unknown = ContentCodings::parse([&b"zip"[..]]).unwrap_err();
    assert_eq!(io::Error::from(unknown).kind(), ErrorKind::Unsupported);
    assert_eq!(Coding::parse(b"zip"), None);
}
