//! What a certificate says, for people and logs.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::der::{self, Malformed, Reader, Value};
use crate::{oids, when};

/// What stands in a certificate (RFC 5280 §4.1). It is for showing: whether a certificate is to be
/// trusted is decided by others, on their own reading of the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// Whom it is for, as `CN=localhost, O=Example`; empty if it does not say.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Whether subject and issuer are the same.
    pub is_self_issued: bool,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// The first second at which it is valid, since 1970.
    pub not_before: i64,
    /// The last one.
    pub not_after: i64,
    /// The names, addresses, mail boxes and URIs that it is for, in their order.
    pub names: Vec<String>,
    /// The kind of key, as `EC P-256` or `RSA 2048`.
    pub key: String,
    /// How it was signed.
    pub signature: String,
    /// Whether it may issue others.
    pub is_authority: bool,
    /// What it is for, as `servers`; empty where that is left open.
    pub purposes: Vec<String>,
    /// The key as it stands there, DER; what pins are made of.
    pub public_key: Vec<u8>,
}

/// The bytes are no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedCertificate;

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// *Errors*: bytes that are none. *Bounds*: work and memory are linear in the bytes.
    pub fn parse(der: &[u8]) -> Result<Self, MalformedCertificate> {
        parse(der).map_err(|Malformed| MalformedCertificate)
    }

    /// Its first and last second as text.
    pub fn validity(&self) -> (String, String) {
        (when::text(self.not_before), when::text(self.not_after))
    }
}

impl fmt::Display for MalformedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a certificate in DER")
    }
}

impl std::error::Error for MalformedCertificate {}

fn parse(bytes: &[u8]) -> Result<Certificate, Malformed> {
    let mut signed = Reader::new(bytes).expect(der::SEQUENCE)?.inside();
    let mut body = signed.expect(der::SEQUENCE)?.inside();
    let signature = algorithm(&signed.expect(der::SEQUENCE)?)?;
    body.optional(VERSION)?;
    let serial = hex(body.expect(der::INTEGER)?.content);
    body.expect(der::SEQUENCE)?;
    let issuer = body.expect(der::SEQUENCE)?;
    let mut validity = body.expect(der::SEQUENCE)?.inside();
    let (not_before, not_after) = (time(&validity.next()?)?, time(&validity.next()?)?);
    let subject = body.expect(der::SEQUENCE)?;
    let public_key = body.expect(der::SEQUENCE)?;
    let mut certificate = Certificate {
        subject: distinguished_name(&subject)?,
        issuer: distinguished_name(&issuer)?,
        is_self_issued: subject.whole == issuer.whole,
        serial,
        not_before,
        not_after,
        names: Vec::new(),
        key: key(&public_key)?,
        signature,
        is_authority: false,
        purposes: Vec::new(),
        public_key: public_key.whole.to_vec(),
    };
    while !body.is_empty() {
        let part = body.next()?;
        if part.tag == EXTENSIONS {
            let mut extensions = part.inside().expect(der::SEQUENCE)?.inside();
            while !extensions.is_empty() {
                extension(&extensions.expect(der::SEQUENCE)?, &mut certificate)?;
            }
        }
    }
    Ok(certificate)
}

fn extension(value: &Value<'_>, certificate: &mut Certificate) -> Result<(), Malformed> {
    let mut parts = value.inside();
    let oid = parts.expect(der::OID)?.content;
    parts.optional(der::BOOLEAN)?;
    let mut content = parts.expect(der::OCTET_STRING)?.inside();
    match oid {
        SUBJECT_ALT_NAME => {
            let mut names = content.expect(der::SEQUENCE)?.inside();
            while !names.is_empty() {
                certificate.names.push(general_name(&names.next()?));
            }
        }
        BASIC_CONSTRAINTS => {
            let authority = content.expect(der::SEQUENCE)?.inside().optional(der::BOOLEAN)?;
            certificate.is_authority = authority.is_some_and(|value| value.content == [0xff]);
        }
        EXTENDED_KEY_USAGE => {
            let mut purposes = content.expect(der::SEQUENCE)?.inside();
            while !purposes.is_empty() {
                certificate.purposes.push(oids::name(purposes.expect(der::OID)?.content));
            }
        }
        _ => {}
    }
    Ok(())
}

fn general_name(value: &Value<'_>) -> String {
    let address = match (value.tag, value.content.len()) {
        (IP_ADDRESS, 4) => {
            <[u8; 4]>::try_from(value.content).ok().map(|octets| Ipv4Addr::from(octets).to_string())
        }
        (IP_ADDRESS, 16) => <[u8; 16]>::try_from(value.content)
            .ok()
            .map(|octets| Ipv6Addr::from(octets).to_string()),
        (MAIL_BOX | DNS_NAME | URI, _) => Some(text(value.content)),
        _ => None,
    };
    address.unwrap_or_else(|| format!("other:{}", hex(value.content)))
}

/// The parts in their order, escaped so that no value can look like another part (RFC 4514 §2.4).
fn distinguished_name(value: &Value<'_>) -> Result<String, Malformed> {
    let mut name = String::new();
    let mut sets = value.inside();
    while !sets.is_empty() {
        let mut set = sets.expect(der::SET)?.inside();
        while !set.is_empty() {
            let mut pair = set.expect(der::SEQUENCE)?.inside();
            let kind = oids::name(pair.expect(der::OID)?.content);
            let value = pair.next()?;
            let value = if value.tag == der::BMP_STRING {
                let units = value.content.chunks_exact(2);
                let units = units.map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
                String::from_utf16_lossy(&units.collect::<Vec<_>>())
            } else {
                text(value.content)
            };
            if !name.is_empty() {
                name.push_str(", ");
            }
            name.push_str(&kind);
            name.push('=');
            for character in value.chars() {
                if matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=') {
                    name.push('\\');
                }
                name.push(character);
            }
        }
    }
    Ok(name)
}

/// Text of a certificate, whose control characters are shown and not done.
fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    clean
}

fn algorithm(value: &Value<'_>) -> Result<String, Malformed> {
    Ok(oids::name(value.inside().expect(der::OID)?.content))
}

fn key(value: &Value<'_>) -> Result<String, Malformed> {
    let mut parts = value.inside();
    let mut algorithm = parts.expect(der::SEQUENCE)?.inside();
    let kind = oids::name(algorithm.expect(der::OID)?.content);
    let bits = parts.expect(der::BIT_STRING)?;
    Ok(match kind.as_str() {
        "EC" => match algorithm.optional(der::OID)? {
            Some(curve) => format!("EC {}", oids::name(curve.content)),
            None => kind,
        },
        "RSA" => {
            let mut numbers = Reader::new(bits.content.get(1..).ok_or(Malformed)?)
                .expect(der::SEQUENCE)?
                .inside();
            let modulus = numbers.expect(der::INTEGER)?.content;
            let digits = modulus.iter().position(|&byte| byte != 0).map(|zeros| &modulus[zeros..]);
            let length =
                digits.map_or(0, |digits| digits.len() * 8 - digits[0].leading_zeros() as usize);
            format!("RSA {length}")
        }
        _ => kind,
    })
}

/// Times in UTC only, as RFC 5280 §4.1.2.5 wants them.
fn time(value: &Value<'_>) -> Result<i64, Malformed> {
    let digits = value.content.strip_suffix(b"Z").ok_or(Malformed)?;
    let number = |at: usize, count: usize| {
        let digits = digits.get(at..at + count).ok_or(Malformed)?;
        digits.iter().try_fold(0_i64, |number, digit| match digit {
            b'0'..=b'9' => Ok(number * 10 + i64::from(digit - b'0')),
            _ => Err(Malformed),
        })
    };
    let (year, at) = match (value.tag, digits.len()) {
        (der::UTC_TIME, 12) => {
            let year = number(0, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, 2)
        }
        (der::GENERALIZED_TIME, 14) => (number(0, 4)?, 4),
        _ => return Err(Malformed),
    };
    let of_day = number(at + 4, 2)? * 3600 + number(at + 6, 2)? * 60 + number(at + 8, 2)?;
    Ok(when::seconds(year, number(at, 2)?, number(at + 2, 2)?, of_day))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// Kinds of general names (RFC 5280 §4.2.1.6).
const MAIL_BOX: u8 = 0x81;
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;
const IP_ADDRESS: u8 = 0x87;

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
        date_time_ymd,
    };

    use super::*;

    fn sample() -> Vec<u8> {
        let names = ["localhost", "*.example.org", "127.0.0.1", "::1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).expect("the names are valid");
        params.distinguished_name.push(DnType::CommonName, "a, CN=b\n");
        params.distinguished_name.push(DnType::OrganizationName, "Ex\u{e4}mple");
        params.not_before = date_time_ymd(1999, 12, 31);
        params.not_after = date_time_ymd(2051, 1, 2);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn all_that_is_shown() {
        let certificate = Certificate::parse(&sample()).expect("it is one");
        assert_eq!(certificate.names, ["localhost", "*.example.org", "127.0.0.1", "::1"]);
        let subject = "CN=a\\, CN\\=b\\\\n, O=Ex\u{e4}mple";
        assert_eq!((certificate.subject.as_str(), certificate.is_self_issued), (subject, true));
        assert_eq!(certificate.issuer, subject);
        let (from, to) = certificate.validity();
        assert_eq!(
            (from.as_str(), to.as_str()),
            ("1999-12-31 00:00:00 UTC", "2051-01-02 00:00:00 UTC")
        );
        assert_eq!(certificate.key, "EC P-256");
        assert_eq!(certificate.signature, "ECDSA with SHA-256");
        assert!(certificate.is_authority);
        assert_eq!(certificate.purposes, ["servers"]);
    }

    #[test]
    fn a_changed_or_cut_certificate_never_panics() {
        let whole = sample();
        for end in 0..whole.len() {
            assert!(Certificate::parse(&whole[..end]).is_err());
        }
        for at in 0..whole.len() {
            for change in [0x00, 0x01, 0x7f, 0x80, 0x84, 0xff] {
                let mut changed = whole.clone();
                changed[at] = change;
                drop(Certificate::parse(&changed));
            }
        }
    }
}
