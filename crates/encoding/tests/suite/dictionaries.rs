//! Codings with a dictionary.

use avocet_encoding::{DecodeError, Dictionary, DictionaryCoding, Level, decode_with, encode_with};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::samples::{noise, page};

fn built_in() -> impl Iterator<Item = DictionaryCoding> {
    DictionaryCoding::ALL.into_iter().filter(|coding| coding.is_built_in())
}

fn named(bytes: &[u8]) -> Dictionary<'_> {
    Dictionary::new(bytes, Sha256::digest(bytes).into())
}

/// Two versions of a script.
fn versions() -> (String, String) {
    let line =
        |n: u32| format!("function step{n}(x) {{ return x * {} + {n}; }}\n", n * 7919 % 104_729);
    let first: String = (0..60).map(line).collect();
    let second = first.replace("step31(x) { return", "step31(x, y) { return y +");
    (first, second + "export default step59;\n")
}

/// Content and dictionaries of every relation of lengths.
fn pairs() -> Vec<(Vec<u8>, Vec<u8>)> {
    let (first, second) = versions();
    let (small, large) = (page(5_000), page(900_000));
    let mut changed = large.clone();
    changed.splice(400_000..400_010, *b"something else altogether");
    vec![
        (first.into_bytes(), second.into_bytes()),
        (large.clone(), changed),
        (large.clone(), large[300_000..300_400].to_vec()),
        (small.clone(), large.clone()),
        (large.clone(), Vec::new()),
        (Vec::new(), page(5_000)),
        (b"x".to_vec(), small),
        (noise(10_000), noise(10_000)),
        // Content that goes on after the end of the dictionary as it began.
        (large.clone(), [&large[..], &large[..500]].concat()),
        (every_byte(), every_byte().repeat(3)),
        (small_tail(), small_tail().repeat(40)),
        // As a prefix it is plain content, whatever it begins with.
        ([&[0x37, 0xA4, 0x30, 0xEC][..], &large].concat(), large),
    ]
}

fn every_byte() -> Vec<u8> {
    (0..=u8::MAX).chain(0..=u8::MAX).collect()
}

fn small_tail() -> Vec<u8> {
    b"export const a = 1;\nexport ".to_vec()
}

#[test]
fn content_comes_back_and_repeats_cost_next_to_nothing() {
    for coding in built_in() {
        for (n, (dictionary, content)) in pairs().into_iter().enumerate() {
            for level in [Level::Fast, Level::Default] {
                let dictionary = named(&dictionary);
                let coded = encode_with(coding, level, &dictionary, &content).unwrap();
                let decoded = decode_with(coding, &dictionary, &coded, content.len()).unwrap();
                assert!(decoded == content, "{coding} {level:?} of pair {n}");
                assert!(n > 2 || coded.len() < 400, "{coding} of pair {n}: {}", coded.len());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Text of few letters repeats itself across every seam.
    #[test]
    fn any_text_comes_back_with_any_dictionary(
        dictionary in "([ab]{1,6}|one |two ){0,60}",
        content in "([ab]{1,6}|one |two ){0,60}",
        level in prop_oneof![Just(Level::Fast), Just(Level::Default), (2..=9_u8).prop_map(Level::Exact)],
        overlap in 0..40_usize,
    ) {
        let seam = dictionary.len().saturating_sub(overlap);
        let content = [&dictionary[seam..], &content, &dictionary[seam..], &content].concat();
        for coding in built_in() {
            let dictionary = named(dictionary.as_bytes());
            let coded = encode_with(coding, level, &dictionary, content.as_bytes()).unwrap();
            let decoded = decode_with(coding, &dictionary, &coded, content.len()).unwrap();
            prop_assert_eq!(&decoded, content.as_bytes(), "{}", coding);
        }
    }
}

#[test]
fn the_thorough_levels_come_back_too() {
    let (first, second) = versions();
    let dictionary = named(first.as_bytes());
    for coding in built_in() {
        let coded = encode_with(coding, Level::Best, &dictionary, second.as_bytes()).unwrap();
        let decoded = decode_with(coding, &dictionary, &coded, 10_000).unwrap();
        assert!(decoded == second.as_bytes(), "{coding}");
    }
}

#[test]
fn the_head_names_the_dictionary() {
    let (first, second) = versions();
    let (dictionary, other) = (named(first.as_bytes()), named(second.as_bytes()));
    for coding in built_in() {
        let coded = encode_with(coding, Level::Default, &dictionary, second.as_bytes()).unwrap();
        let magic: &[u8] = match coding.name() {
            "dcb" => b"\xFFDCB",
            _ => b"\x5E\x2A\x4D\x18\x20\0\0\0",
        };
        let head = [magic, &Sha256::digest(&first)].concat();
        assert!(coded.starts_with(&head), "{coding}");
        let error = decode_with(coding, &other, &coded, 10_000).unwrap_err();
        assert!(matches!(error, DecodeError::DictionaryNeeded { .. }), "{coding}: {error}");
    }
}

/// The frame is that of Debian's zstd 1.5.4: `zstd -19 --patch-from=first second`.
#[cfg(feature = "zstd")]
#[test]
fn a_patch_of_the_zstd_program_is_read() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let (first, second) = versions();
    let mut coded = b"\x5E\x2A\x4D\x18\x20\0\0\0".to_vec();
    coded.extend_from_slice(&Sha256::digest(&first));
    coded.extend_from_slice(&STANDARD.decode(PATCH).unwrap());
    let decoded =
        decode_with(DictionaryCoding::Dcz, &named(first.as_bytes()), &coded, 10_000).unwrap();
    assert_eq!(String::from_utf8(decoded).unwrap(), second);
}

#[test]
fn what_is_cut_changed_or_too_long_is_an_error() {
    let (first, second) = versions();
    let dictionary = named(first.as_bytes());
    for coding in built_in() {
        let coded = encode_with(coding, Level::Default, &dictionary, second.as_bytes()).unwrap();
        for len in 0..coded.len() {
            let error = decode_with(coding, &dictionary, &coded[..len], 10_000).unwrap_err();
            assert!(matches!(error, DecodeError::Truncated { .. }), "{coding} {len}: {error}");
        }
        let more = [&coded[..], b"x"].concat();
        let error = decode_with(coding, &dictionary, &more, 10_000).unwrap_err();
        assert!(matches!(error, DecodeError::TrailingData { .. }), "{coding}: {error}");
        let limit = second.len() as u64 - 1;
        let error = decode_with(coding, &dictionary, &coded, second.len() - 1).unwrap_err();
        assert_eq!(error, DecodeError::OutputLimit { limit }, "{coding}");
        // Whatever a byte is changed to, the decoder ends, within its bound.
        for at in 0..coded.len() {
            let mut broken = coded.clone();
            broken[at] ^= 0x55;
            if let Ok(decoded) = decode_with(coding, &dictionary, &broken, 10_000) {
                assert!(decoded.len() <= 10_000, "{coding} {at}");
            }
        }
    }
}

/// 16 MiB is the largest window of `dcb`; what does not fit into it together is refused, as its
/// distances would be read in another way.
#[cfg(feature = "brotli")]
#[test]
fn the_window_of_brotli_bounds_dictionary_and_content_together() {
    use avocet_encoding::EncodeError;

    let dictionary = vec![b'a'; (1 << 24) - 16 - 100];
    let encode = |len| {
        let content = vec![b'a'; len];
        let coding = DictionaryCoding::Dcb;
        let coded = encode_with(coding, Level::Fast, &named(&dictionary), &content)?;
        let decoded = decode_with(coding, &named(&dictionary), &coded, len).unwrap();
        assert!(decoded == content);
        Ok::<_, EncodeError>(coded.len())
    };
    assert!(encode(100).unwrap() < 100);
    let error = encode(101).unwrap_err();
    assert!(matches!(error, EncodeError::WindowExceeded { limit: 16_777_200, .. }), "{error}");
}

/// A frame whose window is larger than a client must take, with the dictionary that it has.
#[cfg(feature = "zstd")]
#[test]
fn the_window_of_zstd_is_bounded() {
    let dictionary = named(b"short");
    let frame = |window: u8| {
        let mut coded = b"\x5E\x2A\x4D\x18\x20\0\0\0".to_vec();
        coded.extend_from_slice(&Sha256::digest(b"short"));
        // A frame without a length, with this window, of one empty raw block.
        coded.extend_from_slice(&[0x28, 0xB5, 0x2F, 0xFD, 0, window, 1, 0, 0]);
        decode_with(DictionaryCoding::Dcz, &dictionary, &coded, 10)
    };
    assert_eq!(frame((23 - 10) << 3).unwrap(), b"");
    let error = frame((24 - 10) << 3).unwrap_err();
    assert!(matches!(error, DecodeError::WindowTooLarge { .. }), "{error}");
}

#[cfg(feature = "zstd")]
const PATCH: &str = "KLUv/WTJCU0BALhmLCB5eSArZXhwb3J0IGRlZmF1bHQ7CgQAV2WKolrBP6iKxzBX/fAKrauqpw==";
