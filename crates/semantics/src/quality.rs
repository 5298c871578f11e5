//! Preferences with weights, as in Accept-Encoding and Accept-Language.
//!
//! *Spec*: RFC 9110 §12.4.2.
//!
//! ```
//! use avocet_semantics::quality::{Quality, of_token};
//!
//! let accept = b"gzip;q=0.5, br, *;q=0.1";
//! assert_eq!(of_token(accept, "br"), Some(Quality::MAX));
//! assert_eq!(of_token(accept, "zstd"), Quality::parse(b"0.1"));
//! assert_eq!(of_token(b"gzip", "br"), None);
//! ```

use crate::lists::{self, Elements};
use crate::{grammar, parameters};

/// A weight between 0, which means "not at all", and 1, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quality(u16);

impl Quality {
    /// Weight 1, which an element without one has.
    pub const MAX: Self = Self(1_000);

    /// Weight 0: not acceptable.
    pub const ZERO: Self = Self(0);

    /// Reads `0`, `1` or one of them with up to three digits after the point.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (whole, fraction) = match value {
            [whole] => (whole, &[][..]),
            [whole, b'.', fraction @ ..] => (whole, fraction),
            _ => return None,
        };
        if fraction.len() > 3 || !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let digit = |index: usize| u16::from(fraction.get(index).map_or(0, |digit| digit - b'0'));
        let thousandths = digit(0) * 100 + digit(1) * 10 + digit(2);
        match whole {
            b'0' => Some(Self(thousandths)),
            b'1' if thousandths == 0 => Some(Self::MAX),
            _ => None,
        }
    }

    /// The weight in thousandths, 0 to 1,000.
    pub fn thousandths(self) -> u16 {
        self.0
    }

    /// Whether the weight is 0.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// One element of a weighted list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighted<'v> {
    /// The element without its weight.
    pub value: &'v [u8],
    /// How much it is wanted.
    pub quality: Quality,
}

/// The elements of a weighted list in their order.
///
/// The weight is the parameter `q`; what follows it belongs to no value any more and is dropped.
/// An element with a weight that is none is passed over, as one that the recipient cannot read.
pub fn weighted(value: &[u8]) -> WeightedList<'_> {
    WeightedList { elements: lists::elements(value) }
}

/// The iterator that [`weighted`] gives.
#[derive(Clone, Debug)]
pub struct WeightedList<'v> {
    elements: Elements<'v>,
}

impl<'v> Iterator for WeightedList<'v> {
    type Item = Weighted<'v>;

    fn next(&mut self) -> Option<Weighted<'v>> {
        self.elements.find_map(split_weight)
    }
}

/// The weight of a token in a list of tokens, where `*` stands for those not named.
///
/// `None` where the list says nothing about it. Letter case does not matter; of several elements
/// for one token the first counts.
pub fn of_token(value: &[u8], token: &str) -> Option<Quality> {
    let mut others = None;
    for element in weighted(value) {
        if element.value.eq_ignore_ascii_case(token.as_bytes()) {
            return Some(element.quality);
        }
        if element.value == b"*" {
            others = others.or(Some(element.quality));
        }
    }
    others
}

/// Cuts an element before its `q` parameter.
fn split_weight(element: &[u8]) -> Option<Weighted<'_>> {
    let mut at = lists::end_of_element(element, b';');
    let first = at;
    while at < element.len() {
        let after = &element[at + 1..];
        let len = lists::end_of_element(after, b';');
        let parameter = grammar::trim(&after[..len]);
        if let [b'q' | b'Q', b'=', weight @ ..] = parameter {
            let value = grammar::trim(&element[..at]);
            let quality = Quality::parse(weight)?;
            return (!value.is_empty()).then_some(Weighted { value, quality });
        }
        at += 1 + len;
    }
    // Without a weight all parameters belong to the value, and they must be whole.
    let whole = parameters::parameters(&element[first..]).all(|parameter| parameter.is_ok());
    whole.then_some(Weighted { value: element, quality: Quality::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights() {
        for (text, thousandths) in
            [("0", 0), ("1", 1_000), ("0.", 0), ("0.5", 500), ("0.012", 12), ("1.000", 1_000)]
        {
            let quality = Quality::parse(text.as_bytes()).unwrap();
            assert_eq!(quality.thousandths(), thousandths);
            assert_eq!(quality.is_zero(), thousandths == 0);
        }
        for bad in ["", ".5", "2", "1.001", "0.0000", "0,5", "-0", "01", "0.x", "1.5", "+1"] {
            assert_eq!(Quality::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn elements_and_their_weights() {
        let value = b"a, b;q=0.2 , c ; Q=1.0;ext=1, d;x=\"q=0;\";q=0.3, e;q=7, ;q=1, f;x";
        let found: Vec<(&[u8], u16)> =
            weighted(value).map(|item| (item.value, item.quality.thousandths())).collect();
        assert_eq!(
            found,
            [(&b"a"[..], 1_000), (b"b", 200), (b"c", 1_000), (b"d;x=\"q=0;\"", 300)],
            "e has no valid weight, the next no value, f a broken parameter"
        );
    }

    #[test]
    fn a_name_outweighs_the_star() {
        assert_eq!(of_token(b"*;q=0.5, gzip;q=0", "GZIP"), Some(Quality::ZERO));
        assert_eq!(of_token(b"*;q=0.5, gzip;q=0", "br"), Quality::parse(b"0.5"));
        assert_eq!(of_token(b"*;q=0", "br"), Some(Quality::ZERO));
        assert_eq!(of_token(b"", "br"), None);
    }
}
