//! Random content through every coding, cut at random places on both sides.

use avocet_encoding::{Coding, ContentCodings, Decoder, Encoder, Level, Limits};
use proptest::prelude::*;

use crate::pieces::decode_pieces;
use crate::samples::{built_in, drain, encode_piece};

/// Content with runs, repeats and noise.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 0..5000_usize).prop_map(|(byte, len)| vec![byte; len]),
        ("[a-z]{1,12} ?", 1..200_usize).prop_map(|(word, times)| word.repeat(times).into_bytes()),
    ];
    proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn codings() -> impl Strategy<Value = ContentCodings> {
    let coding = proptest::sample::select(built_in().collect::<Vec<Coding>>());
    proptest::collection::vec(coding, 0..4).prop_map(|items| {
        let mut codings = ContentCodings::IDENTITY;
        items.into_iter().for_each(|coding| codings.push(coding).expect("few"));
        codings
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn content_comes_back_from_any_stack_at_any_cut(
        content in content(),
        codings in codings(),
        level in prop_oneof![Just(Level::Fast), Just(Level::Default), (2..=9_u8).prop_map(Level::Exact)],
        is_declared in any::<bool>(),
        mut sizes in proptest::collection::vec((1..3000_usize, 1..3000_usize, any::<u8>()), 1..20),
    ) {
        let mut encoder = Encoder::stacked(&codings, level).unwrap();
        if is_declared {
            encoder.declare_length(content.len() as u64).unwrap();
        }
        let mut coded = Vec::new();
        let mut rest = &content[..];
        for &(piece_len, room_len, chance) in sizes.iter().cycle() {
            let (piece, later) = rest.split_at(piece_len.min(rest.len()));
            rest = later;
            encode_piece(&mut encoder, piece, room_len, &mut coded).unwrap();
            if chance < 20 {
                drain(room_len, &mut coded, |room| encoder.flush(room)).unwrap();
            }
            if rest.is_empty() {
                drain(room_len, &mut coded, |room| encoder.finish(room)).unwrap();
                break;
            }
        }
        prop_assert_eq!(encoder.bytes_written(), coded.len() as u64);

        let limits = Limits::default().with_codings(ContentCodings::MAX);
        let mut decoder = Decoder::new(&codings, limits).unwrap();
        let mut rooms: Vec<usize> = sizes.iter().map(|size| size.1).collect();
        let decoded = decode_pieces(
            &mut decoder,
            &coded,
            || { sizes.rotate_left(1); sizes[0].0 },
            || { rooms.rotate_left(1); rooms[0] },
        );
        prop_assert!(decoded.unwrap() == content);
        prop_assert_eq!(decoder.bytes_read(), coded.len() as u64);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic_or_answer_by_the_cut(
        codings in codings(),
        input in proptest::collection::vec(any::<u8>(), 0..200),
        seed in any::<u64>(),
    ) {
        let mut random = crate::pieces::Random::from_seed(seed);
        let limits = Limits::default().with_codings(ContentCodings::MAX).with_output(1 << 16);
        // The comparison of the outcomes is inside; any outcome will do.
        drop(crate::pieces::decode_any_cut(&codings, limits, &input, &mut random));
    }
}
