//! The value of a Set-Cookie field, taken apart by the algorithm of RFC 6265bis §5.6.

use std::borrow::Cow;

use crate::{
    cookie::SameSite,
    dates,
    limits::{MAX_ATTRIBUTE, MAX_EXTENSION_OCTETS, MAX_EXTENSIONS, MAX_PAIR},
    octets::{has_control, split_once, trim},
    verdict::{Note, Refusal},
};

/// A Set-Cookie line taken apart. Nothing is decoded, quotation marks are part of the value, and
/// of an attribute that is there twice the last one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetCookieLine<'a> {
    /// The name; empty where the line has none.
    pub name: &'a [u8],
    /// The value.
    pub value: &'a [u8],
    /// Max-Age in seconds, held within `i64`; zero and less mean that the cookie has expired.
    pub max_age: Option<i64>,
    /// Expires in seconds since 1970.
    pub expires: Option<i64>,
    /// Domain in lower case, without its leading dot, never empty.
    pub domain: Option<Cow<'a, [u8]>>,
    /// Whether the line names a path, be it one that means the default path.
    pub names_path: bool,
    /// The path, where the line names one that begins with a slash.
    pub path: Option<&'a [u8]>,
    /// Secure.
    pub secure: bool,
    /// HttpOnly.
    pub http_only: bool,
    /// SameSite; [`SameSite::Default`] where it is missing or unknown.
    pub same_site: SameSite,
    /// Partitioned.
    pub partitioned: bool,
    /// Attributes with names that the specification does not know, 16 of 1,024 octets at most.
    pub extensions: Vec<(&'a [u8], &'a [u8])>,
}

/// Takes a Set-Cookie line apart (RFC 6265bis §5.6), without line end and field name.
///
/// *Errors*: [`Refusal::ControlOctet`], [`Refusal::TooLong`] and [`Refusal::Empty`]; nothing else
/// makes a line unreadable.
///
/// ```
/// let line = avocet_cookies::parse_set_cookie(b"a=1; Path=/x; Secure; Max-Age=60").unwrap();
/// assert_eq!((line.name, line.value), (&b"a"[..], &b"1"[..]));
/// assert_eq!(line.path, Some(&b"/x"[..]));
/// assert_eq!(line.max_age, Some(60));
/// assert!(line.secure);
/// ```
pub fn parse_set_cookie(line: &[u8]) -> Result<SetCookieLine<'_>, Refusal> {
    parse_with_notes(line, &mut |_| {})
}

/// [`parse_set_cookie`], and tells `note` of everything that was ignored or changed.
pub(crate) fn parse_with_notes<'a>(
    line: &'a [u8],
    note: &mut dyn FnMut(Note),
) -> Result<SetCookieLine<'a>, Refusal> {
    if has_control(line) {
        return Err(Refusal::ControlOctet);
    }
    let (pair, attributes) = match split_once(line, b';') {
        Some((pair, attributes)) => (pair, Some(attributes)),
        None => (line, None),
    };
    // Without "=" the whole pair is the value and the name is empty.
    let (name, value) = split_once(pair, b'=').unwrap_or((b"", pair));
    let mut parsed = SetCookieLine { name: trim(name), value: trim(value), ..Default::default() };
    if parsed.name.len() + parsed.value.len() > MAX_PAIR {
        return Err(Refusal::TooLong);
    }
    if parsed.name.is_empty() && parsed.value.is_empty() {
        return Err(Refusal::Empty);
    }
    for attribute in attributes.into_iter().flat_map(|rest| rest.split(|octet| *octet == b';')) {
        let (name, value) = split_once(attribute, b'=').unwrap_or((attribute, b""));
        let (name, value) = (trim(name), trim(value));
        if value.len() > MAX_ATTRIBUTE {
            note(Note::AttributeTooLong);
            continue;
        }
        take_attribute(&mut parsed, name, value, note);
    }
    Ok(parsed)
}

fn take_attribute<'a>(
    parsed: &mut SetCookieLine<'a>,
    name: &'a [u8],
    value: &'a [u8],
    note: &mut dyn FnMut(Note),
) {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    if is("Expires") {
        match dates::cookie(value) {
            Some(date) => parsed.expires = Some(date),
            None => note(Note::BadExpires),
        }
    } else if is("Max-Age") {
        match delta_seconds(value) {
            Some(seconds) => parsed.max_age = Some(seconds),
            None => note(Note::BadMaxAge),
        }
    } else if is("Domain") {
        let domain = value.strip_prefix(b".").unwrap_or(value);
        if domain.is_empty() {
            // The algorithm would let an empty Domain void an earlier foreign one, so that a
            // line refused by one rule is let in by another; RFC 6265 §5.2.3 and browsers pass
            // over it.
            note(Note::EmptyDomain);
        } else {
            parsed.domain = Some(lower_case(domain));
        }
    } else if is("Path") {
        parsed.names_path = true;
        parsed.path = value.starts_with(b"/").then_some(value);
        if parsed.path.is_none() {
            note(Note::DefaultPath);
        }
    } else if is("Secure") {
        parsed.secure = true;
    } else if is("HttpOnly") {
        parsed.http_only = true;
    } else if is("SameSite") {
        parsed.same_site = SameSite::parse(value);
        if parsed.same_site == SameSite::Default {
            note(Note::UnknownSameSite);
        }
    } else if is("Partitioned") {
        parsed.partitioned = true;
    } else if !name.is_empty() {
        keep_extension(parsed, name, value, note);
    }
}

fn keep_extension<'a>(
    parsed: &mut SetCookieLine<'a>,
    name: &'a [u8],
    value: &'a [u8],
    note: &mut dyn FnMut(Note),
) {
    let held: usize = parsed.extensions.iter().map(|(name, value)| name.len() + value.len()).sum();
    if parsed.extensions.len() < MAX_EXTENSIONS
        && held + name.len() + value.len() <= MAX_EXTENSION_OCTETS
    {
        parsed.extensions.push((name, value));
        note(Note::UnknownAttribute);
    } else {
        note(Note::AttributeDropped);
    }
}

/// Max-Age: an optional minus sign and digits, as many as there are; the number stays within
/// `i64` (RUSTSEC-2017-0005 was an overflow here).
fn delta_seconds(value: &[u8]) -> Option<i64> {
    let (negative, digits) = match value.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, value),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits
        .iter()
        .fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -magnitude } else { magnitude })
}

fn lower_case(octets: &[u8]) -> Cow<'_, [u8]> {
    if octets.iter().any(u8::is_ascii_uppercase) {
        Cow::Owned(octets.to_ascii_lowercase())
    } else {
        Cow::Borrowed(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> SetCookieLine<'_> {
        parse_set_cookie(line.as_bytes()).unwrap()
    }

    #[test]
    fn max_age_overflow_saturates() {
        let digits = "9".repeat(300);
        assert_eq!(parse(&format!("a=1; Max-Age={digits}")).max_age, Some(i64::MAX));
        assert_eq!(parse(&format!("a=1; Max-Age=-{digits}")).max_age, Some(-i64::MAX));
        assert_eq!(parse("a=1; Max-Age=-0").max_age, Some(0));
    }

    #[test]
    fn max_age_that_is_no_number_is_ignored() {
        for bad in ["", "-", "+5", "1.5", "5s", "--5", "0x5", " - 5", "5 5", "\u{664}"] {
            assert_eq!(parse(&format!("a=1; Max-Age={bad}")).max_age, None, "{bad:?}");
        }
        assert_eq!(parse("a=1; Max-Age=7; Max-Age=junk").max_age, Some(7));
    }

    #[test]
    fn control_octets_refuse_the_whole_line() {
        // CVE-2022-35252 of curl.
        for octet in (0..=0x1f_u8).chain([0x7f]) {
            for line in [b"a\0=1".to_vec(), b"a=1\0".to_vec(), b"a=1; x=\0".to_vec()] {
                let line: Vec<u8> =
                    line.iter().map(|held| if *held == 0 { octet } else { *held }).collect();
                let verdict = parse_set_cookie(&line).map(|_| ());
                let want = if octet == b'\t' { Ok(()) } else { Err(Refusal::ControlOctet) };
                assert_eq!(verdict, want, "{octet:#x}");
            }
        }
    }

    #[test]
    fn sizes_at_and_over_the_bounds() {
        let name = "n".repeat(96);
        assert!(parse_set_cookie(format!("{name}={}", "v".repeat(4000)).as_bytes()).is_ok());
        assert_eq!(
            parse_set_cookie(format!("{name}={}", "v".repeat(4001)).as_bytes()),
            Err(Refusal::TooLong)
        );
        let path = format!("/{}", "p".repeat(1023));
        assert_eq!(parse(&format!("a=1; Path={path}")).path, Some(path.as_bytes()));
        assert_eq!(parse(&format!("a=1; Path=/x; Path={path}p")).path, Some(&b"/x"[..]));
    }

    #[test]
    fn unknown_attributes_are_kept_within_bounds() {
        let many: String = (0..40).map(|at| format!("; x{at}=y")).collect();
        assert_eq!(parse(&format!("a=1{many}")).extensions.len(), MAX_EXTENSIONS);
        let long = format!("a=1; x={0}; y={0}", "v".repeat(600));
        assert_eq!(parse(&long).extensions.len(), 1);
        let name = "n".repeat(5000);
        assert_eq!(parse(&format!("a=1; {name}=1")).extensions.len(), 0);
        assert_eq!(parse("a=1; Priority=High").extensions, [(&b"Priority"[..], &b"High"[..])]);
    }

    #[test]
    fn every_attribute_that_has_another_effect_is_noted() {
        let line = "a=1; Expires=never; Max-Age=x; Domain=; Domain=.; Path=x; SameSite=y; z";
        let mut notes = Vec::new();
        parse_with_notes(line.as_bytes(), &mut |note| notes.push(note)).unwrap();
        assert_eq!(
            notes,
            [
                Note::BadExpires,
                Note::BadMaxAge,
                Note::EmptyDomain,
                Note::EmptyDomain,
                Note::DefaultPath,
                Note::UnknownSameSite,
                Note::UnknownAttribute
            ]
        );
    }

    #[test]
    fn the_last_of_equal_attributes_counts() {
        let line = parse("a=1; Path=/x; path=y; SameSite=Lax; samesite=STRICT; domain=.A.b");
        assert_eq!((line.path, line.names_path), (None, true));
        assert_eq!(line.same_site, SameSite::Strict);
        assert_eq!(line.domain.as_deref(), Some(&b"a.b"[..]));
    }
}
