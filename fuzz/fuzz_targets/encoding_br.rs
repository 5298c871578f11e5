#![no_main]

use avocet_encoding::Coding;
use libfuzzer_sys::fuzz_target;

#[path = "shared/encoding.rs"]
mod shared;

fuzz_target!(|data: &[u8]| shared::check(&Coding::Br.into(), data));
