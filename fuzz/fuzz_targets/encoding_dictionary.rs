#![no_main]

//! Any stream behind the right head ends within its bound, and what is encoded comes back.

use avocet_encoding::{Dictionary, DictionaryCoding, Level, decode_with, encode_with};
use libfuzzer_sys::fuzz_target;

const MOST: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Some((&[coding, cut], rest)) = data.split_first_chunk() else { return };
    let coding = DictionaryCoding::ALL[usize::from(coding % 2)];
    let (dictionary, content) = rest.split_at(usize::from(cut).min(rest.len()));
    // Nothing compares the digest with the bytes, which the caller vouches for.
    let dictionary = Dictionary::new(dictionary, [7; 32]);
    // Content of every byte may be refused, in one way.
    let coded = encode_with(coding, Level::Fast, &dictionary, content);
    if let Ok(coded) = &coded {
        assert_eq!(decode_with(coding, &dictionary, coded, content.len()).as_deref(), Ok(content));
    }
    let head_len = 32 + if coding == DictionaryCoding::Dcb { 4 } else { 8 };
    let empty = encode_with(coding, Level::Fast, &dictionary, b"").expect("nothing to refuse");
    let stream = [&empty[..head_len], content].concat();
    if let Ok(decoded) = decode_with(coding, &dictionary, &stream, MOST) {
        assert!(decoded.len() <= MOST);
    }
});
