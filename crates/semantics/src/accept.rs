//! The Accept field: which of the types on offer a client prefers.
//!
//! *Spec*: RFC 9110 §12.5.1.
//!
//! ```
//! use avocet_semantics::accept;
//!
//! let offers = ["text/html", "application/json"];
//! assert_eq!(accept::preferred(b"application/*, text/html;q=0.8", &offers), Some(1));
//! assert_eq!(accept::preferred(b"image/png", &offers), None);
//! ```

use crate::media_types::MediaType;
use crate::parameters::Parameter;
use crate::quality::{Quality, weighted};

/// How much a client wants a media type.
///
/// The most specific range that matches decides: a type with parameters before one without, that
/// before `type/*`, and that before `*/*`. What no range matches is not acceptable. A field without
/// any readable range says nothing, and everything is welcome.
pub fn quality(accept: &[u8], offer: &MediaType<'_>) -> Quality {
    let mut is_silent = true;
    let mut best: Option<(Precision, Quality)> = None;
    for element in weighted(accept) {
        let Ok(range) = MediaType::parse(element.value) else { continue };
        is_silent = false;
        let Some(precision) = precision(&range, offer) else { continue };
        if best.is_none_or(|(known, _)| precision > known) {
            best = Some((precision, element.quality));
        }
    }
    match best {
        Some((_, quality)) => quality,
        None if is_silent => Quality::MAX,
        None => Quality::ZERO,
    }
}

/// The index of the offer that the client wants most, `None` if it wants none of them.
///
/// Among equals the first offer is taken, so the server's preference is their order. An offer that
/// is no media type is never taken.
pub fn preferred(accept: &[u8], offers: &[&str]) -> Option<usize> {
    let mut best: Option<(Quality, usize)> = None;
    for (index, offer) in offers.iter().enumerate() {
        let Ok(offer) = MediaType::parse(offer.as_bytes()) else { continue };
        let quality = quality(accept, &offer);
        if !quality.is_zero() && best.is_none_or(|(known, _)| quality > known) {
            best = Some((quality, index));
        }
    }
    best.map(|(_, index)| index)
}

/// How closely a range describes a type; more parameters are closer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Anything,
    Kind,
    Type { parameters: usize },
}

/// `None` where the range does not match.
fn precision(range: &MediaType<'_>, offer: &MediaType<'_>) -> Option<Precision> {
    match (range.kind(), range.subtype()) {
        ("*", "*") => Some(Precision::Anything),
        ("*", _) => None,
        (kind, "*") => offer.kind().eq_ignore_ascii_case(kind).then_some(Precision::Kind),
        (kind, subtype) => {
            // The parameter met in practice is charset, whose value has no case.
            let same = |wanted: Parameter<'_>| {
                let offered = offer.parameter(wanted.name);
                offered
                    .is_some_and(|value| value.bytes().eq_ignore_ascii_case(&wanted.value.bytes()))
            };
            let matches = offer.is(kind, subtype) && range.parameters().all(same);
            matches.then(|| Precision::Type { parameters: range.parameters().count() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thousandths(accept: &str, offer: &str) -> u16 {
        quality(accept.as_bytes(), &MediaType::parse(offer.as_bytes()).unwrap()).thousandths()
    }

    /// The example of RFC 9110 §12.5.1.
    #[test]
    fn the_most_specific_range_decides() {
        let accept = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, \
             */*;q=0.5";
        let table = [
            ("text/plain;format=flowed", 1_000),
            ("text/plain", 700),
            ("text/html", 300),
            ("image/jpeg", 500),
            ("text/plain;format=fixed", 400),
            ("text/html;level=3", 300),
        ];
        for (offer, expected) in table {
            assert_eq!(thousandths(accept, offer), expected, "{offer}");
        }
    }

    #[test]
    fn what_is_not_named_is_not_wanted() {
        assert_eq!(thousandths("text/html", "text/plain"), 0);
        assert_eq!(thousandths("text/html, */*;q=0", "text/plain"), 0);
        assert_eq!(thousandths("*/html", "text/html"), 0);
    }

    #[test]
    fn silence_welcomes_everything() {
        assert_eq!(thousandths("", "text/plain"), 1_000);
        assert_eq!(thousandths("junk", "text/plain"), 1_000);
    }

    #[test]
    fn a_browser_gets_a_page_and_a_script_its_data() {
        let offers = ["text/html; charset=utf-8", "application/json"];
        let browser = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(preferred(browser, &offers), Some(0));
        assert_eq!(preferred(b"application/json", &offers), Some(1));
        assert_eq!(preferred(b"*/*", &offers), Some(0));
        assert_eq!(preferred(b"text/html;q=0.5, application/json;q=0.5", &offers), Some(0));
        assert_eq!(preferred(b"*/*;q=0", &offers), None);
        assert_eq!(preferred(b"*/*", &["no type"]), None);
    }
}
