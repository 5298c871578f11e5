//! Content made to grow (as in CVE-2022-32206): it stops at the limits, whatever the coding and
//! the cut.

use avocet_encoding::{
    ContentCodings, DecodeError, Decoder, Level, Limits, Next, decode_all, encode_all,
};

use crate::pieces::{Random, decode_any_cut, decode_pieces};
use crate::samples::{built_in, noise, page, stack};

const MIB: usize = 1 << 20;

#[test]
fn a_bomb_ends_at_the_ratio_in_every_coding() {
    for coding in built_in() {
        let bomb = encode_all(coding, Level::Default, &vec![0; 4 * MIB]).unwrap();
        let mut decoder = Decoder::new(&coding.into(), Limits::default()).unwrap();
        let error = decode_pieces(&mut decoder, &bomb, || 1000, || 8192).unwrap_err();
        let DecodeError::RatioLimit { ratio: 1000, read, written } = error else {
            panic!("{coding}: {error}");
        };
        assert!(written > MIB as u64 && written > read * 1000, "{error}");
        assert!(decoder.bytes_written() < 2 * MIB as u64, "{coding}: {}", decoder.bytes_written());
        let again = decoder.decode(&bomb, &mut [0; 10]).unwrap_err();
        assert_eq!(again, error, "the error stays");
        assert_eq!(decoder.finish(), Err(error));
    }
}

#[test]
fn content_up_to_a_mebibyte_may_have_any_ratio() {
    for coding in built_in() {
        let coded = encode_all(coding, Level::Best, &vec![7; MIB]).unwrap();
        assert_eq!(decode_all(&coding.into(), &coded, MIB).unwrap().len(), MIB, "{coding}");
    }
}

#[test]
fn the_ratio_counts_from_the_wire_for_every_coding_of_a_stack() {
    for outer in built_in() {
        for inner in built_in() {
            let (codings, bomb) = stack(&[inner, outer], &vec![0; 4 * MIB]);
            let mut decoder = Decoder::new(&codings, Limits::default()).unwrap();
            let error = decode_pieces(&mut decoder, &bomb, || 100, || 4096).unwrap_err();
            assert!(matches!(error, DecodeError::RatioLimit { .. }), "{codings}: {error}");
            assert!(decoder.bytes_written() <= 2 * MIB as u64, "{codings}");
        }
    }
}

#[cfg(feature = "gzip")]
#[test]
fn what_grows_between_two_codings_and_comes_to_nothing_is_a_bomb_too() {
    use avocet_encoding::Coding;

    let empty = encode_all(Coding::Gzip, Level::Default, b"").unwrap();
    let members = empty.repeat(100_000);
    let bomb = encode_all(Coding::Gzip, Level::Best, &members).unwrap();
    let codings = ContentCodings::parse([&b"gzip, gzip"[..]]).unwrap();
    let limits = Limits::default().with_ratio(100);
    let mut decoder = Decoder::new(&codings, limits).unwrap();
    let error = decode_pieces(&mut decoder, &bomb, || 512, || 512).unwrap_err();
    assert!(matches!(error, DecodeError::RatioLimit { ratio: 100, .. }), "{error}");
    assert_eq!(decoder.bytes_written(), 0);
}

#[test]
fn the_output_limit_is_exact() {
    let mut random = Random::from_environment();
    let content = noise(10_000);
    for coding in built_in() {
        let codings = coding.into();
        let coded = encode_all(coding, Level::Fast, &content).unwrap();
        let at = |limit| Limits::default().with_output(limit);
        let whole = decode_any_cut(&codings, at(10_000), &coded, &mut random);
        assert_eq!(whole.unwrap(), content, "{coding}");
        for limit in [0, 1, 5000, 9_999] {
            let error = decode_any_cut(&codings, at(limit), &coded, &mut random).unwrap_err();
            assert_eq!(error, DecodeError::OutputLimit { limit }, "{coding}");
        }
    }
}

#[test]
fn all_that_the_output_limit_allows_is_given_out() {
    let content = page(50_000);
    for coding in built_in() {
        let coded = encode_all(coding, Level::Fast, &content).unwrap();
        let limits = Limits::default().with_output(20_001);
        let mut decoder = Decoder::new(&coding.into(), limits).unwrap();
        let mut room = vec![0; 100_000];
        let progress = decoder.decode(&coded, &mut room).unwrap();
        assert_eq!((progress.written, progress.next), (20_001, Next::Room), "{coding}");
        assert_eq!(room[..20_001], content[..20_001]);
        let error = decoder.decode(&coded[progress.read..], &mut room).unwrap_err();
        assert_eq!(error, DecodeError::OutputLimit { limit: 20_001 });
    }
}

#[test]
fn plain_content_has_an_output_limit_too() {
    let limits = Limits::default().with_output(3);
    let mut decoder = Decoder::new(&ContentCodings::IDENTITY, limits).unwrap();
    let mut room = [0; 8];
    assert_eq!(decoder.decode(b"abcd", &mut room).unwrap().written, 3);
    assert_eq!(decoder.decode(b"d", &mut room), Err(DecodeError::OutputLimit { limit: 3 }));
}

/// CVE-2023-23916: the limit of curl held for each field line by itself, and any number of lines
/// could follow.
#[test]
fn codings_are_counted_over_all_fields_before_any_byte_is_decoded() {
    let lines = ["gzip", "br, identity", "", "zstd"].map(str::as_bytes);
    let codings = ContentCodings::parse(lines).unwrap();
    let error = Decoder::new(&codings, Limits::default()).err();
    assert_eq!(error, Some(DecodeError::TooManyCodings { limit: 2 }));
    assert_eq!(error.unwrap().status_hint(), 413);
    let endless = std::iter::repeat_n(&b"gzip"[..], 1_000_000);
    let error = ContentCodings::parse(endless).unwrap_err();
    assert_eq!(error, DecodeError::TooManyCodings { limit: ContentCodings::MAX });
}
