//! Encoders: flushes, declared lengths, reuse and misuse.

use avocet_encoding::{
    Coding, ContentCodings, Decoder, EncodeError, Encoder, Level, Limits, decode_all, encode_all,
};

use crate::samples::{built_in, drain, encode, encode_piece, noise, page, stack};

const LEVELS: [Level; 3] = [Level::Fast, Level::Default, Level::Best];

#[test]
fn a_flush_gives_out_all_content_so_far_into_rooms_of_any_size() {
    let pieces = [page(1000), noise(333), Vec::new(), page(20)];
    for coding in built_in() {
        for room_len in [1, 2, 5, 7, 15, 16, 17, 64, 65, 4096] {
            let mut encoder = Encoder::new(coding, Level::Default).unwrap();
            let mut decoder = Decoder::new(&coding.into(), Limits::default()).unwrap();
            for piece in &pieces {
                let mut coded = Vec::new();
                encode_piece(&mut encoder, piece, room_len, &mut coded).unwrap();
                drain(room_len, &mut coded, |room| encoder.flush(room)).unwrap();
                let mut content = vec![0; piece.len() + 1];
                let progress = decoder.decode(&coded, &mut content).unwrap();
                assert_eq!(progress.read, coded.len());
                assert!(content[..progress.written] == piece[..], "{coding} by {room_len}");
                assert!(coded.len() < piece.len() + 100, "{coding}: {} bytes", coded.len());
            }
            let mut coded = Vec::new();
            drain(room_len, &mut coded, |room| encoder.finish(room)).unwrap();
            let progress = decoder.decode(&coded, &mut [0; 1]).unwrap();
            assert_eq!(progress.written, 0);
            decoder.finish().unwrap();
        }
    }
}

#[test]
fn a_flush_passes_through_a_stack() {
    for outer in built_in() {
        for inner in built_in() {
            let codings = stack(&[inner, outer], b"").0;
            let mut encoder = Encoder::stacked(&codings, Level::Fast).unwrap();
            let mut decoder = Decoder::new(&codings, Limits::default()).unwrap();
            let content = noise(100_000);
            let mut coded = Vec::new();
            encode_piece(&mut encoder, &content, 100, &mut coded).unwrap();
            drain(100, &mut coded, |room| encoder.flush(room)).unwrap();
            let mut decoded = vec![0; content.len() + 1];
            let progress = decoder.decode(&coded, &mut decoded).unwrap();
            assert!(decoded[..progress.written] == content[..], "{codings}");
            coded.clear();
            drain(100, &mut coded, |room| encoder.finish(room)).unwrap();
            assert_eq!(decoder.decode(&coded, &mut [0; 1]).unwrap().written, 0);
            decoder.finish().unwrap();
        }
    }
}

#[test]
fn a_flush_left_before_its_end_is_ended_by_what_comes_next() {
    for coding in built_in() {
        let content = noise(5000);
        let mut encoder = Encoder::new(coding, Level::Default).unwrap();
        let mut coded = Vec::new();
        encode_piece(&mut encoder, &content, 64, &mut coded).unwrap();
        let mut room = [0; 64];
        let drained = encoder.flush(&mut room).unwrap();
        assert!(!drained.is_done, "{coding}");
        coded.extend_from_slice(&room[..drained.written]);
        encode_piece(&mut encoder, &content, 64, &mut coded).unwrap();
        let drained = encoder.flush(&mut room).unwrap();
        coded.extend_from_slice(&room[..drained.written]);
        drain(64, &mut coded, |room| encoder.finish(room)).unwrap();
        let decoded = decode_all(&coding.into(), &coded, 10_000).unwrap();
        assert!(decoded == content.repeat(2), "{coding}");
    }
}

#[test]
fn a_declared_length_is_held_to() {
    for coding in built_in() {
        let mut encoder = Encoder::new(coding, Level::Default).unwrap();
        encoder.declare_length(10).unwrap();
        let mut room = [0; 100];
        assert_eq!(encoder.encode(b"123456", &mut room).unwrap().read, 6);
        assert_eq!(encoder.declare_length(6), Err(EncodeError::DeclaredTooLate));
        let error = encoder.encode(b"78901", &mut room).unwrap_err();
        assert_eq!(error, EncodeError::LengthMismatch { declared: 10, given: 11 });
        let error = encoder.finish(&mut room).unwrap_err();
        assert_eq!(error, EncodeError::LengthMismatch { declared: 10, given: 6 });
        encoder.reset().unwrap();
        let coded = encode(&mut encoder, b"other", 50).unwrap();
        assert_eq!(decode_all(&coding.into(), &coded, 5).unwrap(), b"other", "{coding}");
    }
}

#[test]
fn lengths_of_every_order_can_be_declared() {
    for coding in built_in() {
        for len in [0, 1, 16, 1007, 1008, 1009, 65_536, (1 << 18) - 15, 1_500_000] {
            let content = page(len);
            let coded = encode_all(coding, Level::Fast, &content).unwrap();
            assert!(decode_all(&coding.into(), &coded, len).unwrap() == content, "{coding} {len}");
        }
    }
}

#[test]
fn a_reset_encoder_gives_the_same_bytes_as_a_new_one() {
    for coding in built_in() {
        for level in LEVELS {
            let mut encoder = Encoder::new(coding, level).unwrap();
            let first = encode(&mut encoder, &page(3000), 512).unwrap();
            encode_piece(&mut encoder, b"", 10, &mut Vec::new()).unwrap_err();
            encoder.reset().unwrap();
            let mut left = Vec::new();
            encode_piece(&mut encoder, &noise(3000), 512, &mut left).unwrap();
            encoder.reset().unwrap();
            let again = encode(&mut encoder, &page(3000), 512).unwrap();
            assert_eq!(first, again, "{coding} {level:?}");
            assert_eq!(encoder.bytes_read(), 3000);
            assert_eq!(encoder.bytes_written(), again.len() as u64);
        }
    }
}

#[test]
fn higher_levels_make_smaller_output_and_noise_grows_by_less_than_an_eighth() {
    let (text, noise) = (page(100_000), noise(100_000));
    for coding in built_in() {
        let [fast, default, best] =
            LEVELS.map(|level| encode_all(coding, level, &text).unwrap().len());
        assert!(best < default && default < fast && fast < 40_000, "{coding}: {fast} {best}");
        for level in LEVELS {
            let len = encode_all(coding, level, &noise).unwrap().len();
            assert!(len < 100_000 + 100_000 / 8, "{coding} {level:?}: {len}");
        }
    }
}

#[test]
fn nothing_can_be_given_after_the_end() {
    for coding in built_in() {
        let mut encoder = Encoder::new(coding, Level::Default).unwrap();
        let coded = encode(&mut encoder, b"", 100).unwrap();
        assert_eq!(decode_all(&coding.into(), &coded, 0).unwrap(), b"", "{coding}");
        let mut room = [0; 10];
        assert_eq!(encoder.encode(b"x", &mut room), Err(EncodeError::AfterEnd));
        assert_eq!(encoder.flush(&mut room), Err(EncodeError::AfterEnd));
        let drained = encoder.finish(&mut room).unwrap();
        assert!(drained.is_done && drained.written == 0);
    }
}

#[test]
fn identity_passes_content_on() {
    let mut encoder = Encoder::stacked(&ContentCodings::IDENTITY, Level::Best).unwrap();
    assert_eq!(encode(&mut encoder, b"plain", 2).unwrap(), b"plain");
}

#[test]
fn encoders_and_decoders_can_go_to_another_thread() {
    fn is_send<T: Send + 'static>() {}
    is_send::<Encoder>();
    is_send::<Decoder>();
    assert!(Encoder::new(Coding::Gzip, Level::Exact(99)).is_err());
}
