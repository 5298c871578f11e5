//! The names of object identifiers that certificates hold.

/// An object identifier in dotted form; what does not end stands as `?`.
pub(crate) fn dotted(content: &[u8]) -> String {
    let mut parts: Vec<u64> = Vec::new();
    let mut number = 0_u64;
    for &byte in content {
        number = number << 7 & (u64::MAX >> 1) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            parts.push(std::mem::take(&mut number));
        }
    }
    let Some((&first, rest)) = parts.split_first() else { return "?".to_owned() };
    let head = if first < 80 { (first / 40, first % 40) } else { (2, first - 80) };
    rest.iter().fold(format!("{}.{}", head.0, head.1), |text, part| format!("{text}.{part}"))
}

/// What people call it; the dotted form if they do not.
pub(crate) fn name(content: &[u8]) -> String {
    let dotted = dotted(content);
    let known = NAMES.iter().find(|(oid, _)| *oid == dotted);
    known.map_or(dotted, |(_, name)| (*name).to_owned())
}

const NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.4", "SN"),
    ("2.5.4.42", "GN"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.2.840.10045.2.1", "EC"),
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.113549.1.1.5", "RSA with SHA-1"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.113549.1.1.11", "RSA with SHA-256"),
    ("1.2.840.113549.1.1.12", "RSA with SHA-384"),
    ("1.2.840.113549.1.1.13", "RSA with SHA-512"),
    ("1.2.840.10045.4.3.2", "ECDSA with SHA-256"),
    ("1.2.840.10045.4.3.3", "ECDSA with SHA-384"),
    ("1.2.840.10045.4.3.4", "ECDSA with SHA-512"),
    ("1.3.6.1.5.5.7.3.1", "servers"),
    ("1.3.6.1.5.5.7.3.2", "clients"),
    ("1.3.6.1.5.5.7.3.3", "code"),
    ("1.3.6.1.5.5.7.3.4", "mail"),
    ("1.3.6.1.5.5.7.3.8", "time stamps"),
    ("1.3.6.1.5.5.7.3.9", "OCSP"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_in_both_forms() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]), "1.2.840.113549");
        assert_eq!(dotted(&[0x88, 0x37, 0x03]), "2.999.3");
        assert_eq!(name(&[0x55, 0x04, 0x03]), "CN");
        assert_eq!(name(&[0x55, 0x04, 0x63]), "2.5.4.99");
        assert_eq!((dotted(&[]), dotted(&[0xff; 40])), ("?".to_owned(), "?".to_owned()));
    }
}
