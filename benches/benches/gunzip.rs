//! Decoding gzip, in turn with flate2's own loops over the same backend, so that the noise of the
//! machine falls on all of them. Prints each loop's best processor time, and the median over the
//! rounds of its ratio to the best of flate2 in the same round.
//!
//! `cargo bench -p avocet-benches --bench gunzip -- [MIB [ROUNDS]]`

use std::io::{BufReader, Read, Write};

use avocet_encoding::{Coding, ContentCodings, DecodeReader, Decoder, Limits, Next};
use flate2::{Compression, Decompress, FlushDecompress, Status, bufread, write};
use rustix::time::{ClockId, clock_gettime};

/// A loop that decodes pieces of a length into a room and counts the content.
type Loop = fn(&[u8], usize, &mut [u8]) -> usize;

const LOOPS: [(&str, Loop); 5] = [
    ("avocet Decoder", push),
    ("avocet DecodeReader", reader),
    ("flate2 GzDecoder", flate2_single),
    ("flate2 MultiGzDecoder", flate2_multi),
    ("flate2 Decompress", flate2_raw),
];

fn main() {
    let mut numbers = std::env::args().filter_map(|arg| arg.parse::<usize>().ok());
    let (mib, rounds) = (numbers.next().unwrap_or(64), numbers.next().unwrap_or(9));
    let text = text(mib << 20);
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(&text).expect("memory takes all");
    let coded = encoder.finish().expect("memory takes all");
    println!("{} bytes from {}, {rounds} rounds in turn", text.len(), coded.len());
    for room_len in [8 << 10, 16 << 10, 64 << 10, 256 << 10] {
        let mut room = vec![0; room_len];
        let mut best = [f64::MAX; LOOPS.len()];
        let mut ratios = [const { Vec::new() }; LOOPS.len()];
        for _ in 0..rounds {
            let times = LOOPS.map(|(_, decode)| {
                let start = processor_seconds();
                assert_eq!(decode(&coded, 32 << 10, &mut room), text.len());
                processor_seconds() - start
            });
            let flate2 = times[2..].iter().copied().fold(f64::MAX, f64::min);
            for (i, time) in times.into_iter().enumerate() {
                best[i] = time.min(best[i]);
                ratios[i].push(time / flate2);
            }
        }
        println!("room of {} KiB:", room_len >> 10);
        for (((name, _), best), mut ratios) in LOOPS.iter().zip(best).zip(ratios) {
            ratios.sort_by(f64::total_cmp);
            let per_gib = best * 1024.0 * 1000.0 / mib as f64;
            println!("  {name:22} {per_gib:6.0} ms per GiB  {:.3}", ratios[rounds / 2]);
        }
    }
}

fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn push(coded: &[u8], piece_len: usize, room: &mut [u8]) -> usize {
    let codings = ContentCodings::from(Coding::Gzip);
    let mut decoder = Decoder::new(&codings, Limits::default()).expect("gzip is built in");
    let mut len = 0;
    for mut piece in coded.chunks(piece_len) {
        loop {
            let progress = decoder.decode(piece, room).expect("the content is whole");
            piece = &piece[progress.read..];
            len += progress.written;
            if progress.next == Next::Input {
                break;
            }
        }
    }
    decoder.finish().expect("the content is whole");
    len
}

fn reader(coded: &[u8], piece_len: usize, room: &mut [u8]) -> usize {
    let inner = BufReader::with_capacity(piece_len, coded);
    let reader = DecodeReader::new(inner, &Coding::Gzip.into(), Limits::default());
    read_all(reader.expect("gzip is built in"), room)
}

fn flate2_single(coded: &[u8], piece_len: usize, room: &mut [u8]) -> usize {
    read_all(bufread::GzDecoder::new(BufReader::with_capacity(piece_len, coded)), room)
}

fn flate2_multi(coded: &[u8], piece_len: usize, room: &mut [u8]) -> usize {
    read_all(bufread::MultiGzDecoder::new(BufReader::with_capacity(piece_len, coded)), room)
}

fn flate2_raw(coded: &[u8], piece_len: usize, room: &mut [u8]) -> usize {
    let mut stream = Decompress::new_gzip(15);
    for mut piece in coded.chunks(piece_len) {
        loop {
            let (read, written) = (stream.total_in(), stream.total_out());
            let status = stream.decompress(piece, room, FlushDecompress::None);
            piece = &piece[(stream.total_in() - read) as usize..];
            if status.expect("the content is whole") == Status::StreamEnd {
                return stream.total_out() as usize;
            }
            if piece.is_empty() && stream.total_out() - written < room.len() as u64 {
                break;
            }
        }
    }
    panic!("the content is cut short");
}

fn read_all(mut reader: impl Read, room: &mut [u8]) -> usize {
    let mut len = 0;
    loop {
        match reader.read(room).expect("the content is whole") {
            0 => return len,
            read => len += read,
        }
    }
}

/// Text of repeated words and numbers, that gzip makes about a quarter of.
fn text(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % bound
    };
    let words =
        ["<div class=\"row\">", "</div>", "the ", "value ", "of ", "heron ", "price ", "is "];
    let mut text = Vec::with_capacity(len + 32);
    while text.len() < len {
        text.extend_from_slice(words[random(words.len() as u64) as usize].as_bytes());
        if random(4) == 0 {
            text.extend_from_slice(random(1_000_000).to_string().as_bytes());
        }
    }
    text.truncate(len);
    text
}
