//! Checksums of files, as people write them and as servers send them (RFC 9530).

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use avocet_semantics::base64;
use sha2::{Digest, Sha256, Sha512};

/// A checksum: `sha-256=...` or `sha-512=...`, in hexadecimal or base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Checksum {
    kind: ChecksumKind,
    bytes: Vec<u8>,
}

/// The function of a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumKind {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Checksum {
    /// A checksum of this kind from its hexadecimal form; `None` if it is none.
    pub fn from_hex(kind: ChecksumKind, text: &str) -> Option<Self> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
        if text.len() != kind.len() * 2 {
            return None;
        }
        let bytes = text.as_bytes().chunks(2);
        let bytes: Option<Vec<u8>> =
            bytes.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
        Some(Self { kind, bytes: bytes? })
    }

    /// The strongest checksum of a Repr-Digest field that is known here.
    ///
    /// *Spec*: RFC 9530 §3.
    pub fn from_repr_digest(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let mut found: Option<Self> = None;
        for member in text.split(',') {
            let Some((name, value)) = member.trim().split_once('=') else { continue };
            let inner = value.strip_prefix(':').and_then(|rest| rest.split_once(':'));
            let (Some(kind), Some((coded, _))) = (ChecksumKind::named(name), inner) else {
                continue;
            };
            let Some(checksum) = Self::from_base64(kind, coded) else { continue };
            if found.as_ref().is_none_or(|other| other.bytes.len() < checksum.bytes.len()) {
                found = Some(checksum);
            }
        }
        found
    }

    fn from_base64(kind: ChecksumKind, text: &str) -> Option<Self> {
        let bytes = base64::decode(text.as_bytes())?;
        (bytes.len() == kind.len()).then_some(Self { kind, bytes })
    }

    /// The checksum of this kind of a file.
    ///
    /// *Blocking*: reads it whole.
    pub fn of_file(kind: ChecksumKind, path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = match kind {
            ChecksumKind::Sha256 => digest::<Sha256>(file)?,
            ChecksumKind::Sha512 => digest::<Sha512>(file)?,
        };
        Ok(Self { kind, bytes })
    }

    /// Its kind.
    pub fn kind(&self) -> ChecksumKind {
        self.kind
    }
}

fn digest<D: Digest>(mut file: File) -> io::Result<Vec<u8>> {
    let mut hasher = D::new();
    let mut buf = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buf) {
            Ok(0) => return Ok(hasher.finalize().to_vec()),
            Ok(count) => hasher.update(&buf[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl ChecksumKind {
    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "sha-256" | "sha256" => Some(Self::Sha256),
            "sha-512" | "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
        }
    }
}

impl FromStr for Checksum {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is no checksum: use sha-256=HEX or sha-512=HEX");
        let (name, value) = text.split_once(['=', ':']).ok_or_else(wrong)?;
        let kind = ChecksumKind::named(name).ok_or_else(wrong)?;
        Self::from_hex(kind, value).or_else(|| Self::from_base64(kind, value)).ok_or_else(wrong)
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.kind.name())?;
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of `{"hello": "world"}` and a line feed, of RFC 9530 appendix B.
    const HELLO: &str = "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=";

    #[test]
    fn all_ways_of_writing_agree() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "{\"hello\": \"world\"}\n").unwrap();
        let real = Checksum::of_file(ChecksumKind::Sha256, &path).unwrap();
        assert_eq!(format!("sha-256={HELLO}").parse(), Ok(real.clone()));
        assert_eq!(real.to_string().parse(), Ok(real.clone()));
        let field = format!("id-x=:AA==:, sha-256=:{HELLO}:");
        assert_eq!(Checksum::from_repr_digest(field.as_bytes()), Some(real));
        for bad in ["", "sha-256", "sha-256=00", "md5=00", "sha-256=zz"] {
            assert!(bad.parse::<Checksum>().is_err(), "{bad}");
        }
    }
}
