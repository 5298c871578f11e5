//! Drives the client for benchmarks and prints the content bytes received.
//!
//! `drive seq URL N` makes N requests in turn on one connection, `drive par URL N CONCURRENCY` makes
//! them with so many in flight on one thread, `drive dl URL N` downloads N times, `drive gz URL N` does
//! so with gzip, and counts the decoded bytes.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;

use avocet_client::{
    Client, Config, Decoding, Error as ClientError, ErrorKind, Filter, Multi, Phase, Request,
    TransferEvent,
};
use avocet_encoding::{ContentCodings, Decoder, Limits, Next};
use http::Method;
use url::Url;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, url, count, rest @ ..] = &arguments[..] else {
        return Err("usage: drive seq|par|dl|gz URL N [CONCURRENCY]".into());
    };
    let (url, count): (Url, usize) = (Request::get(url)?.url().clone(), count.parse()?);
    let total = match mode.as_str() {
        "seq" => in_turn(&url, count)?,
        "par" => at_once(&url, count, rest.first().map_or(Ok(64), |text| text.parse())?)?,
        "dl" => download(&url, count, Config::default())?,
        "gz" => {
            let mut config = Config::default();
            config.decoding = Some(Arc::new(Gzip));
            download(&url, count, config)?
        }
        _ => return Err(format!("unknown mode {mode}").into()),
    };
    println!("{total}");
    Ok(())
}

fn in_turn(url: &Url, count: usize) -> Result<usize, Box<dyn Error>> {
    let client = Client::new();
    let mut total = 0;
    for _ in 0..count {
        total += client.send(get(url)?)?.bytes(usize::MAX)?.len();
    }
    Ok(total)
}

fn at_once(url: &Url, count: usize, most: usize) -> Result<usize, Box<dyn Error>> {
    let mut config = Config::default();
    config.pool.active_per_host = most;
    let mut multi = Multi::new(config)?;
    let (mut started, mut total) = (0, 0);
    while started < count || !multi.is_empty() {
        while started < count && multi.len() < most {
            multi.start(get(url)?)?;
            started += 1;
        }
        multi.turn(None)?;
        while let Some((_, event)) = multi.next_event() {
            match event {
                TransferEvent::Data(bytes) => total += bytes.len(),
                TransferEvent::Failed(error) => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(total)
}

fn download(url: &Url, count: usize, config: Config) -> Result<usize, Box<dyn Error>> {
    let mut multi = Multi::new(config)?;
    let total = Rc::new(Cell::new(0));
    for _ in 0..count {
        let sum = total.clone();
        let receive = move |bytes: &[u8]| {
            sum.set(sum.get() + bytes.len());
            Ok(())
        };
        multi.start_into(get(url)?, Box::new(receive))?;
        while !multi.is_empty() {
            multi.turn(None)?;
            while let Some((_, event)) = multi.next_event() {
                if let TransferEvent::Failed(error) = event {
                    return Err(error.into());
                }
            }
        }
    }
    Ok(total.get())
}

/// The URL is read once for all requests, as by the clients that this one is compared with.
fn get(url: &Url) -> Result<Request, ClientError> {
    Request::to(Method::GET, url.clone())
}

/// The one coding that is measured.
struct Gzip;

struct Gunzip {
    decoder: Decoder,
    room: Box<[u8]>,
}

impl Decoding for Gzip {
    fn accepts(&self) -> &str {
        "gzip"
    }

    fn filter(&self, codings: &[&[u8]]) -> Result<Option<Box<dyn Filter>>, String> {
        let codings = ContentCodings::parse(codings.iter().copied());
        let codings = codings.map_err(|error| error.to_string())?;
        let decoder = Decoder::new(&codings, Limits::default());
        let decoder = decoder.map_err(|error| error.to_string())?;
        Ok(Some(Box::new(Gunzip { decoder, room: vec![0; 64 * 1024].into() })))
    }
}

impl Filter for Gunzip {
    fn push(
        &mut self,
        mut input: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        loop {
            let progress = self.decoder.decode(input, &mut self.room).map_err(damaged)?;
            input = &input[progress.read..];
            out(&self.room[..progress.written])?;
            if progress.next == Next::Input {
                return Ok(());
            }
        }
    }

    fn finish(
        &mut self,
        _: &mut dyn FnMut(&[u8]) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        self.decoder.finish().map_err(damaged)
    }
}

fn damaged(error: avocet_encoding::DecodeError) -> ClientError {
    ClientError::new(ErrorKind::Decode, Phase::Content, error.to_string())
}
