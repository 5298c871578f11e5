//! Names that nobody can foresee.

use std::fs::File;
use std::io::{self, Read};

/// 128 bits of the system's randomness, as 32 hexadecimal digits.
///
/// *Errors*: those of reading `/dev/urandom`.
pub(crate) fn token() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
