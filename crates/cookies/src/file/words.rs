//! Attributes as LWP files hold them: `name=value; path="/"; secure`, with values in quotation
//! marks where they are more than one word.

/// One attribute: its name, and its value where it has one.
pub(super) type Word = (Vec<u8>, Option<Vec<u8>>);

/// Takes a line apart. With `ours` names may be quoted and `\xHH` stands for an octet, as
/// [`Writer`] writes them for lines that other programs pass over. `None` where a quotation mark
/// is not closed.
pub(super) fn split(line: &[u8], ours: bool) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let name;
        (name, rest) = match rest.strip_prefix(b"\"") {
            Some(quoted) if ours => unquote(quoted, true)?,
            _ => until(rest, b"=;"),
        };
        rest = rest.trim_ascii_start();
        let mut value = None;
        if let Some(after) = rest.strip_prefix(b"=") {
            let after = after.trim_ascii_start();
            let (taken, left) = match after.strip_prefix(b"\"") {
                Some(quoted) => unquote(quoted, ours)?,
                None => until(after, b";"),
            };
            value = Some(taken);
            rest = left.trim_ascii_start();
        }
        words.push((name, value));
        rest = match rest {
            [] => rest,
            [b';', left @ ..] => left.trim_ascii_start(),
            _ => return None,
        };
    }
    Some(words)
}

fn until<'t>(text: &'t [u8], ends: &[u8]) -> (Vec<u8>, &'t [u8]) {
    let at = text.iter().position(|octet| ends.contains(octet)).unwrap_or(text.len());
    (text[..at].trim_ascii_end().to_vec(), &text[at..])
}

/// What stands before the closing quotation mark, and what after it.
fn unquote(text: &[u8], hex: bool) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        rest = match rest {
            [b'"', after @ ..] => return Some((out, after)),
            [b'\\', b'x', high, low, after @ ..] if hex => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                after
            }
            [b'\\', escaped, after @ ..] => {
                out.push(*escaped);
                after
            }
            [plain, after @ ..] => {
                out.push(*plain);
                after
            }
            [] => return None,
        };
    }
}

/// Builds a line that [`split`] takes apart.
pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    hex: bool,
    first: bool,
}

impl<'o> Writer<'o> {
    /// With `hex`, tabs and what is not ASCII are written as `\xHH`.
    pub(super) fn new(out: &'o mut Vec<u8>, hex: bool) -> Self {
        Self { out, hex, first: true }
    }

    pub(super) fn flag(&mut self, name: &str) {
        self.part();
        self.out.extend_from_slice(name.as_bytes());
    }

    pub(super) fn pair(&mut self, name: &[u8], value: &[u8]) {
        self.part();
        if is_name(name) {
            self.out.extend_from_slice(name);
        } else {
            self.quote(name);
        }
        self.out.push(b'=');
        self.value(value);
    }

    /// A value alone, for a cookie without a name.
    pub(super) fn lone(&mut self, value: &[u8]) {
        self.part();
        self.out.extend_from_slice(value);
    }

    fn part(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.extend_from_slice(b"; ");
        }
    }

    fn value(&mut self, value: &[u8]) {
        let word = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'_';
        if !value.is_empty() && value.iter().all(word) {
            self.out.extend_from_slice(value);
        } else {
            self.quote(value);
        }
    }

    fn quote(&mut self, text: &[u8]) {
        self.out.push(b'"');
        for octet in text {
            match octet {
                b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', *octet]),
                0x20..=0x7e => self.out.push(*octet),
                _ if self.hex => self.out.extend_from_slice(format!("\\x{octet:02x}").as_bytes()),
                _ => self.out.push(*octet),
            }
        }
        self.out.push(b'"');
    }
}

/// Whether every program that reads these lines takes `name` for one name.
pub(super) fn is_name(name: &[u8]) -> bool {
    let plain = |octet: &u8| octet.is_ascii_graphic() && !b"=;,\"\\".contains(octet);
    !name.is_empty() && name.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(name: &str, value: Option<&str>) -> Word {
        (name.into(), value.map(Into::into))
    }

    #[test]
    fn splits_what_python_joins() {
        let line = br#"sess="x=y \"q\" \\;"; path="/"; secure; HttpOnly=None; version=0"#;
        let want = [
            word("sess", Some(r#"x=y "q" \;"#)),
            word("path", Some("/")),
            word("secure", None),
            word("HttpOnly", Some("None")),
            word("version", Some("0")),
        ];
        assert_eq!(split(line, false).unwrap(), want);
    }

    #[test]
    fn hexadecimal_octets_are_ours_only() {
        let line = br#"a="\x41\x09""#;
        assert_eq!(split(line, true).unwrap(), [word("a", Some("A\t"))]);
        assert_eq!(split(line, false).unwrap(), [word("a", Some("x41x09"))]);
        assert_eq!(split(br#"a="\xzz""#, true), None);
    }

    #[test]
    fn unclosed_quotes_and_junk_after_them_are_refused() {
        for line in [&b"a=\"1"[..], b"a=\"1\\", b"a=\"1\"2", b"a=\"1\" 2; b"] {
            assert_eq!(split(line, true), None, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn every_octet_survives_in_our_own_lines() {
        let all: Vec<u8> = (0..=255).collect();
        let mut line = Vec::new();
        let mut writer = Writer::new(&mut line, true);
        writer.pair(&all, &all);
        writer.pair(b"b", b"");
        assert!(line.is_ascii() && !line.iter().any(u8::is_ascii_control));
        assert_eq!(split(&line, true).unwrap(), [(all.clone(), Some(all)), word("b", Some(""))]);
    }
}
