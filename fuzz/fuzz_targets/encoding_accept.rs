#![no_main]

use avocet_encoding::{Choice, Coding, ContentCodings, DecodeError, negotiate};
use libfuzzer_sys::fuzz_target;

// Field values: negotiation never leaves the offer, and a list of codings survives its own form.
fuzz_target!(|data: &[u8]| {
    let offered = [Coding::Br, Coding::Gzip];
    let lines = || data.split(|&byte| byte == b'\n');
    if let Choice::Coding(coding) = negotiate(lines(), &offered) {
        assert!(offered.contains(&coding));
        assert_ne!(negotiate(lines(), &[]), Choice::Coding(coding));
    }
    match ContentCodings::parse(lines()) {
        Ok(codings) => {
            let form = codings.to_string();
            assert_eq!(ContentCodings::parse([form.as_bytes()]), Ok(codings));
        }
        Err(DecodeError::UnknownCoding { name }) => {
            assert!(name.len() < 200 && name.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
        Err(DecodeError::TooManyCodings { limit }) => assert_eq!(limit, ContentCodings::MAX),
        Err(error) => panic!("{error}"),
    }
});
