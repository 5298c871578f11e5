//! The program `avocet`.
#![forbid(unsafe_code)]

fn main() {}
