//! Content codings for the client, from `avocet-encoding`.

use avocet_client::{Decoding, Error, ErrorKind, Filter, Phase};
use avocet_encoding::{Coding, ContentCodings, DecodeError, Decoder, Limits, Next};

/// Lets a client ask for and decode the codings that were compiled in.
///
/// ```
/// use std::sync::Arc;
///
/// let mut config = avocet::client::Config::default();
/// config.decoding = Some(Arc::new(avocet::Codings::default()));
/// ```
#[derive(Clone, Debug)]
pub struct Codings {
    limits: Limits,
    accepts: String,
}

struct DecodeFilter {
    decoder: Decoder,
    room: Box<[u8]>,
}

impl Codings {
    /// Every coding that was compiled in, within these limits.
    pub fn new(limits: Limits) -> Self {
        let names: Vec<&str> = Coding::ALL
            .into_iter()
            .filter(|coding| coding.is_built_in())
            .map(Coding::name)
            .collect();
        Self { limits, accepts: names.join(", ") }
    }
}

impl Default for Codings {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Decoding for Codings {
    fn accepts(&self) -> &str {
        &self.accepts
    }

    fn filter(&self, codings: &[&[u8]]) -> Result<Option<Box<dyn Filter>>, String> {
        let parsed = ContentCodings::parse(codings.iter().copied());
        let parsed = parsed.map_err(|error| error.to_string())?;
        if parsed.is_empty() {
            return Ok(None);
        }
        let decoder = Decoder::new(&parsed, self.limits).map_err(|error| error.to_string())?;
        Ok(Some(Box::new(DecodeFilter { decoder, room: vec![0; ROOM].into() })))
    }
}

impl Filter for DecodeFilter {
    fn push(
        &mut self,
        mut input: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            let progress = self.decoder.decode(input, &mut self.room).map_err(undecodable)?;
            input = &input[progress.read..];
            if progress.written > 0 {
                out(&self.room[..progress.written])?;
            }
            if progress.next == Next::Input {
                return Ok(());
            }
        }
    }

    fn finish(&mut self, _out: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        // Content of no bytes is taken for empty content, coded or not: servers send it that way.
        if self.decoder.bytes_read() == 0 {
            return Ok(());
        }
        self.decoder.finish().map_err(undecodable)
    }
}

fn undecodable(error: DecodeError) -> Error {
    Error::new(ErrorKind::Decode, Phase::Content, error.to_string()).caused_by(error)
}

/// Decoded bytes per step.
const ROOM: usize = 64 * 1024;
