//! Amounts of bytes as people write them.

use std::num::NonZeroU64;

/// A number with an optional ending: k, M, G, T by 1,024 each, as curl has it.
///
/// *Errors*: a message for the person.
pub(crate) fn parse(text: &str) -> Result<NonZeroU64, String> {
    let wrong = || format!("`{text}` is no amount of bytes: use a number, or one as 500k or 2M");
    let (digits, power) = match text.chars().last() {
        Some(ending) if ending.is_ascii_alphabetic() => {
            let power = "kmgt".find(ending.to_ascii_lowercase()).ok_or_else(wrong)?;
            (&text[..text.len() - 1], 10 * (power + 1))
        }
        _ => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let bytes = number.checked_mul(1 << power).ok_or_else(wrong)?;
    NonZeroU64::new(bytes).ok_or_else(wrong)
}

/// A bound that 0 takes away, as curl has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(Option<NonZeroU64>);

impl Limit {
    /// The bound, if there is one.
    pub(crate) fn get(self) -> Option<NonZeroU64> {
        self.0
    }
}

/// An amount, or 0 for no bound.
///
/// *Errors*: a message for the person.
pub(crate) fn limit(text: &str) -> Result<Limit, String> {
    if text == "0" { Ok(Limit(None)) } else { parse(text).map(Some).map(Limit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_multiply_and_nonsense_is_refused() {
        let bytes = |text| parse(text).map(NonZeroU64::get).ok();
        assert_eq!(bytes("100"), Some(100));
        assert_eq!(bytes("2k"), Some(2048));
        assert_eq!(bytes("3M"), Some(3 * 1024 * 1024));
        assert_eq!(bytes("1T"), Some(1 << 40));
        for wrong in ["", "k", "0", "-1", "1x", "1kk", "99999999999T", "1\u{e9}"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
        assert_eq!(limit("0"), Ok(Limit(None)));
        assert_eq!(limit("1k").map(Limit::get), Ok(NonZeroU64::new(1024)));
        assert!(limit("00x").is_err());
    }
}
