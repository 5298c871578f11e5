//! `{a,b}`, `[1-10]` and `[a-z:2]` in URLs: one that stands for several.

mod reading;

use std::fmt;

use self::reading::pieces;

/// A text with places at which one of several pieces stands.
///
/// What it stands for is counted, never listed: each text is made when its turn comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    pieces: Vec<Piece>,
    count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Set(Vec<String>),
    Numbers {
        first: u64,
        step: u64,
        count: u64,
        /// Digits that are written at least, zeros before the others.
        width: usize,
    },
    Letters {
        first: u8,
        step: u8,
        count: u8,
    },
}

/// What is wrong with a pattern, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    why: &'static str,
    pattern: String,
    /// `None` if it is the whole.
    at: Option<usize>,
}

impl Glob {
    /// Reads a pattern as curl does. An address of IPv6 in brackets, and brackets around nothing, stand
    /// for themselves, as do braces and brackets behind a backslash.
    ///
    /// *Errors*: braces and brackets without their other half, ranges that run backwards or whose step
    /// leads beyond their end, and more texts than can be counted.
    pub(super) fn parse(pattern: &str) -> Result<Self, Wrong> {
        let pieces = pieces(pattern)?;
        let mut count = 1_u64;
        for piece in &pieces {
            let product = count.checked_mul(piece.count());
            count = product.filter(|count| *count <= MOST).ok_or_else(|| Wrong {
                why: "that is more than can be counted",
                pattern: pattern.to_owned(),
                at: None,
            })?;
        }
        Ok(Self { pieces, count })
    }

    /// A text that stands for itself.
    pub(super) fn literal(text: &str) -> Self {
        Self { pieces: vec![Piece::Text(text.to_owned())], count: 1 }
    }

    /// How many texts it stands for.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The text of this number, from 0; the last place changes first.
    pub(super) fn text(&self, number: u64) -> String {
        let mut chosen = self.chosen(number).into_iter();
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(fixed) => text.push_str(fixed),
                _ => text.push_str(&chosen.next().unwrap_or_default()),
            }
        }
        text
    }

    /// A name in which `#1` stands for what the first place has in the text of this number, `#2` for
    /// the second, and so on. A number without a place stays what it is.
    pub(super) fn named(&self, name: &str, number: u64) -> String {
        let chosen = self.chosen(number);
        let mut parts = name.split('#');
        let mut named = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let place = part[..digits].parse::<usize>().ok().and_then(|place| place.checked_sub(1));
            match place.and_then(|place| chosen.get(place)) {
                Some(piece) => {
                    named.push_str(piece);
                    named.push_str(&part[digits..]);
                }
                None => {
                    named.push('#');
                    named.push_str(part);
                }
            }
        }
        named
    }

    /// What stands at each place.
    fn chosen(&self, number: u64) -> Vec<String> {
        let mut rest = number;
        let places = self.pieces.iter().filter(|piece| !matches!(piece, Piece::Text(_)));
        let mut chosen: Vec<String> = places
            .rev()
            .map(|piece| {
                let count = piece.count();
                let index = rest % count;
                rest /= count;
                piece.at(index)
            })
            .collect();
        chosen.reverse();
        chosen
    }
}

impl Piece {
    fn count(&self) -> u64 {
        match self {
            Self::Text(_) => 1,
            Self::Set(texts) => texts.len() as u64,
            Self::Numbers { count, .. } => *count,
            Self::Letters { count, .. } => u64::from(*count),
        }
    }

    /// The text of this number, which is below the count.
    fn at(&self, index: u64) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Set(texts) => {
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                texts.get(index).cloned().unwrap_or_default()
            }
            Self::Numbers { first, step, width, .. } => {
                format!("{:0width$}", first + index * step, width = *width)
            }
            Self::Letters { first, step, .. } => {
                let index = u8::try_from(index).unwrap_or(u8::MAX);
                char::from(first.saturating_add(step.saturating_mul(index))).to_string()
            }
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { why, pattern, at } = self;
        // What stands before an `@` may be a password.
        let behind_login = |text| str::rsplit_once(text, '@').map_or(text, |(_, behind)| behind);
        let start = |text: &str| text.chars().take(SHOWN).collect::<String>();
        match at {
            None => write!(f, "{why}: `{}`", start(behind_login(pattern)))?,
            Some(at) => {
                let place = pattern[..*at].chars().count() + 1;
                let (before, after) = pattern.split_at(*at);
                // The mistake may stand in the password itself.
                let host = pattern.find("://").map_or(0, |at| at + 3);
                let end = pattern[host..].find('/').map_or(pattern.len(), |at| host + at);
                let in_login = pattern.get(*at..end).is_some_and(|rest| rest.contains('@'));
                let before = if in_login { &pattern[..host] } else { behind_login(before) };
                let after = start(behind_login(after));
                let skipped = before.chars().count().saturating_sub(SHOWN);
                let before: String = before.chars().skip(skipped).collect();
                write!(f, "{why}, at letter {place} of the URL: `{before}` --> `{after}`")?;
            }
        }
        f.write_str("; -g takes braces and brackets as they are")
    }
}

/// More are refused: nobody waits for so many.
const MOST: u64 = i64::MAX as u64;
/// Letters shown on both sides of the place of a mistake.
const SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pattern: &str) -> Vec<String> {
        let glob = Glob::parse(pattern).unwrap_or_else(|wrong| panic!("{wrong}"));
        (0..glob.count()).map(|number| glob.text(number)).collect()
    }

    #[test]
    fn patterns_stand_for_what_curl_takes_them_for() {
        for (pattern, expected) in [
            ("a{b,c}d", &["abd", "acd"][..]),
            ("a[1-3]", &["a1", "a2", "a3"]),
            ("a[01-10:3]", &["a01", "a04", "a07", "a10"]),
            ("a[001-2]", &["a001", "a002"]),
            ("a[a-z:5]", &["aa", "af", "ak", "ap", "au", "az"]),
            ("a{b,c}[1-2]", &["ab1", "ab2", "ac1", "ac2"]),
            ("a[1-1]", &["a1"]),
            ("a[a-a]", &["aa"]),
            ("a[1- 3]", &["a1", "a2", "a3"]),
            ("a{,b}", &["a", "ab"]),
            ("a{b,}", &["ab", "a"]),
            ("a\\{b\\}\\[\\]\\x", &["a{b}[]\\x"]),
            ("a{b\\,c,d\\}}", &["ab,c", "ad}"]),
            ("http://[::1]:80/[]", &["http://[::1]:80/[]"]),
            (
                "http://[fe80::1%25lo]/[1-2]",
                &["http://[fe80::1%25lo]/1", "http://[fe80::1%25lo]/2"],
            ),
            ("\u{fc}{\u{e4},b}", &["\u{fc}\u{e4}", "\u{fc}b"]),
            ("", &[""]),
        ] {
            assert_eq!(all(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_told_with_its_place() {
        for (pattern, at) in [
            ("a[c-a]", 1),
            ("a[3-1]", 1),
            ("a[1-1:2]", 1),
            ("a[1-3:5]", 1),
            ("a[1-3:0]", 1),
            ("a[1-3:-1]", 1),
            ("a[1-3:+1]", 1),
            ("a[1-", 1),
            ("a[1-3", 1),
            ("a{b", 1),
            ("a{b,{c}}", 4),
            ("a{b,[1-2]}", 4),
            ("a{}", 1),
            ("\u{fc}}b", 2),
            ("a]b", 1),
            ("a[x]", 1),
            ("a[-1-3]", 1),
            ("a[A-c]", 1),
            ("a[a-c:3]", 1),
            ("a{b,c]", 5),
            ("a[1-99999999999999999999]", 1),
            ("a[000000000000000000000-1]", 1),
            ("a{b\\", 1),
        ] {
            let wrong = Glob::parse(pattern).expect_err(pattern);
            assert_eq!(wrong.at, Some(at), "{pattern}: {wrong}");
            assert_eq!(wrong.to_string().lines().count(), 1, "{wrong}");
        }
    }

    #[test]
    fn what_stands_for_very_much_is_counted_and_not_listed() {
        let glob = Glob::parse("{a,b}[0-1000000000000000000]").unwrap();
        assert_eq!(glob.count(), 2_000_000_000_000_000_002);
        assert_eq!(glob.text(1_999_999_999_999_999_999), "b999999999999999998");
        assert!(Glob::parse("[0-18446744073709551615]").is_err());
        let wrong = Glob::parse("http://me:secret@h/[0-9223372036854775807]").unwrap_err();
        assert!(!wrong.to_string().contains("secret") && wrong.at.is_none(), "{wrong}");
        for pattern in ["http://me:sec[ret@h/", "me:sec[ret@h", "http://me:secret@h/["] {
            let wrong = Glob::parse(pattern).unwrap_err().to_string();
            assert!(!wrong.contains("sec") && !wrong.contains("ret"), "{wrong}");
        }
        assert!(Glob::parse("[0-9223372036854775807]").is_err());
        assert!(Glob::parse("[1-9000000000][1-9000000000]").is_err());
        assert!(Glob::parse(&"{a,b}".repeat(101)).is_err());
    }

    #[test]
    fn names_take_what_stands_at_their_places() {
        let glob = Glob::parse("http://h/{a,b}/[01-02]").unwrap();
        assert_eq!(glob.named("f_#1-#2.txt", 3), "f_b-02.txt");
        assert_eq!(glob.named("#0#3##1#x#", 0), "#0#3#a#x#");
        assert_eq!(Glob::literal("http://h/[1-2]").named("#1", 0), "#1");
        assert_eq!(Glob::literal("http://h/[1-2]").text(0), "http://h/[1-2]");
    }
}
