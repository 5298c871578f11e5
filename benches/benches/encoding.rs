//! What the codings cost at their levels, on a page as servers send them.

use std::fmt::Write;

use avocet_encoding::{Coding, ContentCodings, Decoder, Encoder, Level, Limits, Next};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const LEVELS: [(Coding, &[u8]); 3] =
    [(Coding::Gzip, &[1, 6, 9]), (Coding::Br, &[2, 4, 5, 11]), (Coding::Zstd, &[1, 3, 9])];

fn encode(criterion: &mut Criterion) {
    let page = page(100 << 10);
    let mut room = vec![0; 128 << 10];
    let mut group = criterion.benchmark_group("encode 100 KiB of HTML");
    group.throughput(Throughput::Bytes(page.len() as u64));
    for (coding, levels) in LEVELS {
        for &level in levels {
            let mut encoder =
                Encoder::new(coding, Level::Exact(level)).expect("the level is in range");
            let len = encode_whole(&mut encoder, &page, &mut room);
            group.bench_function(
                BenchmarkId::new(format!("{coding} to {len} bytes"), level),
                |b| {
                    b.iter(|| encode_whole(&mut encoder, &page, &mut room));
                },
            );
        }
    }
    group.finish();
}

fn decode(criterion: &mut Criterion) {
    let page = page(100 << 10);
    let mut room = vec![0; 128 << 10];
    let mut group = criterion.benchmark_group("decode 100 KiB of HTML");
    group.throughput(Throughput::Bytes(page.len() as u64));
    for coding in Coding::ALL {
        let mut encoder = Encoder::new(coding, Level::Default).expect("the coding is built in");
        let len = encode_whole(&mut encoder, &page, &mut room);
        let coded = room[..len].to_vec();
        let codings = ContentCodings::from(coding);
        let mut decoder =
            Decoder::new(&codings, Limits::default()).expect("the coding is built in");
        group.bench_function(coding.name(), |b| {
            b.iter(|| {
                decoder.reset().expect("a decoder can be reset");
                let progress = decoder.decode(&coded, &mut room).expect("the content is whole");
                assert_eq!((progress.written, progress.next), (page.len(), Next::Input));
                decoder.finish().expect("the content is whole");
            });
        });
    }
    group.finish();
}

/// Encodes into a room that is large enough for all; gives the coded length.
fn encode_whole(encoder: &mut Encoder, page: &[u8], room: &mut [u8]) -> usize {
    encoder.reset().expect("an encoder can be reset");
    encoder.declare_length(page.len() as u64).expect("nothing was encoded yet");
    let progress = encoder.encode(page, room).expect("content can be encoded");
    assert_eq!(progress.read, page.len());
    let drained = encoder.finish(&mut room[progress.written..]).expect("content can be encoded");
    assert!(drained.is_done, "the room is too small");
    progress.written + drained.written
}

/// A listing of files: markup that repeats around names, dates and sizes that do not.
fn page(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % bound
    };
    let words =
        ["report", "heron", "draft", "final", "photo", "minutes", "budget", "plan", "notes"];
    let endings = ["pdf", "html", "txt", "jpg", "tar.gz", "csv"];
    let mut page = String::from("<!doctype html><html><head><title>Files</title></head><body>\n");
    while page.len() < len {
        let first = words[random(words.len() as u64) as usize];
        let second = words[random(words.len() as u64) as usize];
        let ending = endings[random(endings.len() as u64) as usize];
        let (number, year, month) = (random(1000), 2000 + random(27), 1 + random(12));
        let (day, size) = (1 + random(28), random(10_000_000));
        writeln!(
            page,
            "<tr><td><a href=\"./{first}-{second}-{number}.{ending}\">{first} {second} {number}</a>\
             </td><td class=\"date\">{year}-{month:02}-{day:02}</td>\
             <td class=\"size\">{size}</td></tr>"
        )
        .expect("a string takes all");
    }
    page.truncate(len);
    page.into_bytes()
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
