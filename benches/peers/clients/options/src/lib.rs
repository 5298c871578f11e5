//! What every client takes on its command line: `seq|par|dl|gz URL N [CONCURRENCY]`.
//!
//! `seq` asks N times in turn, `par` with so many in flight, `dl` downloads N times, `gz` does so with
//! gzip. Each prints the bytes of content that it got.
#![forbid(unsafe_code)]

/// How content is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In turn.
    Seq,
    /// With many in flight.
    Par,
    /// Large content, read piece by piece.
    Dl,
    /// Large content in gzip, decoded.
    Gz,
}

/// The command line of a client.
pub struct Options {
    /// How.
    pub mode: Mode,
    /// Where.
    pub url: String,
    /// How often.
    pub count: usize,
    /// How many in flight.
    pub most: usize,
}

impl Options {
    /// Reads the command line; a fault ends the program with status 2.
    pub fn from_args() -> Self {
        let words: Vec<String> = std::env::args().skip(1).collect();
        Self::parse(&words).unwrap_or_else(|| {
            eprintln!("usage: seq|par|dl|gz URL N [CONCURRENCY]");
            std::process::exit(2)
        })
    }

    fn parse(words: &[String]) -> Option<Self> {
        let [mode, url, count, rest @ ..] = words else { return None };
        let mode = match mode.as_str() {
            "seq" => Mode::Seq,
            "par" => Mode::Par,
            "dl" => Mode::Dl,
            "gz" => Mode::Gz,
            _ => return None,
        };
        let most = rest.first().map_or(Some(64), |most| most.parse().ok())?;
        Some(Self { mode, url: url.clone(), count: count.parse().ok()?, most })
    }

    /// How many of the requests each of those in flight makes.
    pub fn shares(&self) -> impl Iterator<Item = usize> + use<> {
        let (count, most) = (self.count, self.most);
        (0..most).map(move |index| count / most + usize::from(index < count % most))
    }
}
