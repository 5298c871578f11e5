#![no_main]

use avocet_encoding::{Coding, ContentCodings};
use libfuzzer_sys::fuzz_target;

#[path = "shared/encoding.rs"]
mod shared;

// The first byte chooses two codings; what follows is coded by them, or not.
fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let coding = |index: u8| Coding::ALL[usize::from(index) % Coding::ALL.len()];
    let mut codings = ContentCodings::from(coding(choice & 0x0F));
    codings.push(coding(choice >> 4)).expect("two are not too many");
    shared::check(&codings, data);
});
