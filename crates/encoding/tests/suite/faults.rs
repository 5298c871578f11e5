//! Damaged input: each fault has its own error, the same at any cut, and none of them a panic.

use avocet_encoding::{Coding, ContentCodings, DecodeError, Decoder, Level, Limits, Next};
use avocet_encoding::{decode_all, encode_all};

use crate::pieces::{Random, decode_any_cut};
use crate::samples::{built_in, page, stack};

fn outcome(codings: &ContentCodings, input: &[u8]) -> Result<Vec<u8>, DecodeError> {
    decode_all(codings, input, 1 << 20)
}

#[test]
fn every_cut_is_truncated_and_says_where() {
    let content = page(600);
    for coding in built_in() {
        let coded = encode_all(coding, Level::Default, &content).unwrap();
        for cut in 0..coded.len() {
            let error = outcome(&coding.into(), &coded[..cut]).unwrap_err();
            assert_eq!(error, DecodeError::Truncated { coding, offset: cut as u64 });
        }
        assert_eq!(outcome(&coding.into(), &coded).unwrap(), content);
    }
}

#[test]
fn what_follows_the_end_is_trailing_data_after_all_content() {
    let mut random = Random::from_environment();
    let content = page(600);
    for coding in built_in() {
        let coded = encode_all(coding, Level::Default, &content).unwrap();
        for tail in [&b"\0"[..], b"x", b"\x1f\x00", b"<html>", &[0; 512]] {
            let input = [&coded[..], tail].concat();
            let limits = Limits::default();
            let error = decode_any_cut(&coding.into(), limits, &input, &mut random).unwrap_err();
            assert!(matches!(error, DecodeError::TrailingData { .. }), "{coding}: {error}");
            assert_eq!(error.status_hint(), 400);

            let mut decoder = Decoder::new(&coding.into(), limits).unwrap();
            let mut room = vec![0; 1000];
            let progress = decoder.decode(&input, &mut room).unwrap();
            assert_eq!((&room[..progress.written], progress.next), (&content[..], Next::Room));
            let error = decoder.decode(&input[progress.read..], &mut room).unwrap_err();
            assert!(matches!(error, DecodeError::TrailingData { .. }), "{coding}: {error}");
        }
    }
}

#[test]
fn trailing_data_is_not_said_of_content_that_is_cut_further_in() {
    for outer in built_in() {
        for inner in built_in() {
            let (_, coded) = stack(&[inner], &page(600));
            let (_, coded) = stack(&[outer], &coded[..coded.len() - 1]);
            let mut codings = ContentCodings::from(inner);
            codings.push(outer).unwrap();
            let error = outcome(&codings, &[&coded[..], b"x"].concat()).unwrap_err();
            assert!(
                matches!(error, DecodeError::Truncated { coding, .. } if coding == inner),
                "{codings}: {error}"
            );
        }
    }
}

#[test]
fn every_flipped_bit_is_an_error_or_changes_nothing_that_is_checked() {
    let mut random = Random::from_environment();
    let content = page(150);
    for coding in built_in() {
        let coded = encode_all(coding, Level::Default, &content).unwrap();
        for bit in 0..coded.len() * 8 {
            let mut damaged = coded.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let limits = Limits::default().with_output(1 << 16);
            let result = decode_any_cut(&coding.into(), limits, &damaged, &mut random);
            // gzip and zlib have a checksum; br and this zstd frame do not promise to notice.
            match result {
                Ok(decoded) if matches!(coding, Coding::Gzip | Coding::Deflate) => {
                    assert_eq!(decoded, content, "bit {bit}");
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
}

#[cfg(feature = "gzip")]
mod gzip {
    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        encode_all(Coding::Gzip, Level::Default, content).expect("gzip is built in")
    }

    #[test]
    fn checksum_and_length_are_verified_each_for_itself() {
        let coded = gzip(b"some content");
        let end = coded.len();
        for (at, is_checksum) in [(end - 8, true), (end - 5, true), (end - 4, false)] {
            let mut damaged = coded.clone();
            damaged[at] ^= 0x10;
            let error = outcome(&Coding::Gzip.into(), &damaged).unwrap_err();
            let (coding, offset) = (Coding::Gzip, end as u64);
            let expected = match is_checksum {
                true => DecodeError::Checksum { coding, offset },
                false => DecodeError::LengthMismatch { coding, offset },
            };
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn members_are_joined_and_a_cut_one_is_truncated() {
        let (one, two) = (gzip(b"one, "), gzip(b"two"));
        let both = [one.clone(), two].concat();
        assert_eq!(outcome(&Coding::Gzip.into(), &both).unwrap(), b"one, two");
        for cut in one.len() + 1..both.len() {
            let error = outcome(&Coding::Gzip.into(), &both[..cut]).unwrap_err();
            assert!(matches!(error, DecodeError::Truncated { .. }), "{cut}: {error}");
        }
    }

    #[test]
    fn bare_deflate_is_taken_for_deflate_at_any_cut() {
        let mut random = Random::from_environment();
        for content in [&b""[..], b"a", &page(5000)] {
            let coded = encode_all(Coding::Deflate, Level::Default, content).unwrap();
            let bare = &coded[2..coded.len() - 4];
            let limits = Limits::default();
            let result = decode_any_cut(&Coding::Deflate.into(), limits, bare, &mut random);
            assert_eq!(result.unwrap(), content);
            let error = outcome(&Coding::Deflate.into(), &[bare, b"\0"].concat()).unwrap_err();
            assert!(matches!(error, DecodeError::TrailingData { .. }), "{error}");
        }
    }

    #[test]
    fn a_preset_dictionary_is_asked_for_and_refused() {
        // CMF 0x78 with FDICT, and the dictionary's Adler-32.
        let input = [0x78, 0xBB, 1, 2, 3, 4, 0x4B, 0x04, 0x00];
        let error = outcome(&Coding::Deflate.into(), &input).unwrap_err();
        assert!(matches!(error, DecodeError::DictionaryNeeded { .. }), "{error}");
    }
}

#[cfg(feature = "brotli")]
#[test]
fn a_large_window_of_brotli_is_refused() {
    let error = outcome(&Coding::Br.into(), &[0x11, 0x1E, 0x03]).unwrap_err();
    assert!(matches!(error, DecodeError::WindowTooLarge { coding: Coding::Br, .. }), "{error}");
}

#[cfg(feature = "zstd")]
mod zstd {
    use super::*;

    #[test]
    fn a_window_above_eight_mebibytes_is_refused_at_any_cut() {
        let mut random = Random::from_environment();
        // A frame of one run of 100 bytes, which would fit any buffer whatever its window says.
        let frame = |window: u8| [&b"\x28\xB5\x2F\xFD\x00"[..], &[window], b"\x23\x03\0a"].concat();
        let mut decode = |input: &[u8]| {
            decode_any_cut(&Coding::Zstd.into(), Limits::default(), input, &mut random)
        };
        assert_eq!(decode(&frame(13 << 3)).unwrap(), [b'a'; 100]);
        for window in [13 << 3 | 1, 14 << 3, 0xFF] {
            let error = decode(&frame(window)).unwrap_err();
            assert!(matches!(error, DecodeError::WindowTooLarge { .. }), "{window}: {error}");
        }
    }

    #[test]
    fn a_frame_that_ends_in_an_empty_block_is_held_to_its_length() {
        let mut random = Random::from_environment();
        // A single segment that says 1 or 2 bytes, a raw block of one, an empty compressed one.
        let mut decode = |len: u8| {
            let input = [&b"\x28\xB5\x2F\xFD\x20"[..], &[len], b"\x08\0\0a\x05\0\0"].concat();
            decode_any_cut(&Coding::Zstd.into(), Limits::default(), &input, &mut random)
        };
        assert_eq!(decode(1).unwrap(), b"a");
        let error = decode(2).unwrap_err();
        assert!(matches!(error, DecodeError::LengthMismatch { .. }), "{error}");
    }

    #[test]
    fn frames_that_want_a_dictionary_are_refused() {
        let input = b"\x28\xB5\x2F\xFD\x01\x58\x07\x01\0\0";
        let error = outcome(&Coding::Zstd.into(), input).unwrap_err();
        assert!(matches!(error, DecodeError::DictionaryNeeded { .. }), "{error}");
    }

    #[test]
    fn skippable_frames_may_stand_anywhere_and_must_be_whole() {
        let mut random = Random::from_environment();
        let frame = encode_all(Coding::Zstd, Level::Default, b"content").unwrap();
        let skippable = b"\x5A\x2A\x4D\x18\x03\0\0\0abc";
        let input = [&skippable[..], &frame, skippable, skippable, &frame, skippable].concat();
        let limits = Limits::default();
        let result = decode_any_cut(&Coding::Zstd.into(), limits, &input, &mut random);
        assert_eq!(result.unwrap(), b"contentcontent");
        let error = outcome(&Coding::Zstd.into(), &input[..input.len() - 1]).unwrap_err();
        assert!(matches!(error, DecodeError::Truncated { .. }), "{error}");
    }
}

#[test]
fn the_end_cannot_be_announced_while_content_waits() {
    for coding in built_in() {
        let coded = encode_all(coding, Level::Default, b"content").unwrap();
        let mut decoder = Decoder::new(&coding.into(), Limits::default()).unwrap();
        let progress = decoder.decode(&coded, &mut [0; 3]).unwrap();
        assert_eq!((progress.written, progress.next), (3, Next::Room));
        assert_eq!(decoder.finish(), Err(DecodeError::OutputPending));
    }
}

#[cfg(not(all(feature = "gzip", feature = "brotli", feature = "zstd")))]
#[test]
fn codings_that_are_not_built_in_are_refused_by_name() {
    for coding in Coding::ALL.into_iter().filter(|coding| !coding.is_built_in()) {
        let error = Decoder::new(&coding.into(), Limits::default()).err();
        assert_eq!(error, Some(DecodeError::NotBuiltIn { coding }));
        assert!(encode_all(coding, Level::Default, b"").is_err());
    }
}
