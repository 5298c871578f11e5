use crate::Coding;
use crate::content_codings::{list_items, trim};

/// What a response may be coded with, as the request's `Accept-Encoding` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Send the content without a coding.
    Identity,
    /// Send the content in this coding.
    Coding(Coding),
    /// Neither identity nor any coding on offer is acceptable. RFC 9110 §12.5.3 leaves the server
    /// to answer 406 or to disregard the field.
    NotAcceptable,
}

/// Chooses a coding for a response from those `offered`, the server's favourite first.
///
/// `lines` are all `Accept-Encoding` field lines of the request; none at all (and an empty value)
/// gives [`Choice::Identity`]: a client that does not ask is not sent coded content.
///
/// The highest weight wins; of equal weights the earliest in `offered`, and a coding before
/// identity. `*` stands for everything that is not listed, identity too. Identity needs no
/// mention: it is acceptable unless `identity;q=0` or, without an own entry, `*;q=0` refuses it,
/// and comes after everything that is listed. Of a name listed more than once the higher weight
/// counts. A coding whose weight is malformed is not used; other malformed members say nothing.
///
/// *Spec*: RFC 9110 §12.4.2 (weights), §12.5.3.
///
/// ```
/// use avocet_encoding::{Choice, Coding, negotiate};
/// let offered = [Coding::Zstd, Coding::Br, Coding::Gzip];
/// let choose = |line: &str| negotiate([line.as_bytes()], &offered);
/// assert_eq!(choose("gzip, deflate, br"), Choice::Coding(Coding::Br));
/// assert_eq!(choose("br;q=0.5, gzip;q=0.8"), Choice::Coding(Coding::Gzip));
/// assert_eq!(choose("gzip;q=0"), Choice::Identity);
/// assert_eq!(choose("identity;q=0, *;q=0"), Choice::NotAcceptable);
/// ```
pub fn negotiate<'a>(lines: impl IntoIterator<Item = &'a [u8]>, offered: &[Coding]) -> Choice {
    let mut wishes = Wishes::default();
    for member in lines.into_iter().flat_map(list_items) {
        wishes.note(member);
    }
    let mut best: Option<(Coding, u16)> = None;
    for &coding in offered {
        let weight = wishes.weight_of(coding);
        if weight > best.map_or(0, |(_, weight)| weight) {
            best = Some((coding, weight));
        }
    }
    let identity = wishes.identity.or(wishes.any);
    match best {
        Some((coding, weight)) if identity.is_none_or(|other| weight >= other) => {
            Choice::Coding(coding)
        }
        _ if identity == Some(0) => Choice::NotAcceptable,
        _ => Choice::Identity,
    }
}

/// The value of `Accept-Encoding` that asks for every coding this build can decode.
///
/// `identity` when it can decode none, so that a server is told not to code.
pub const fn accept_encoding() -> &'static str {
    match (cfg!(feature = "gzip"), cfg!(feature = "brotli"), cfg!(feature = "zstd")) {
        (true, true, true) => "gzip, deflate, br, zstd",
        (true, true, false) => "gzip, deflate, br",
        (true, false, true) => "gzip, deflate, zstd",
        (true, false, false) => "gzip, deflate",
        (false, true, true) => "br, zstd",
        (false, true, false) => "br",
        (false, false, true) => "zstd",
        (false, false, false) => "identity",
    }
}

/// Weights in thousandths, `None` for what the field does not mention.
#[derive(Default)]
struct Wishes {
    codings: [Option<u16>; Coding::ALL.len()],
    identity: Option<u16>,
    any: Option<u16>,
}

impl Wishes {
    fn note(&mut self, member: &[u8]) {
        let (name, weight) = parse_member(member);
        // A weight that cannot be read must not turn a coding on, nor identity off.
        let (place, weight) = if name == b"*" {
            (&mut self.any, weight)
        } else if name.eq_ignore_ascii_case(b"identity") {
            (&mut self.identity, weight)
        } else if let Some(coding) = Coding::parse(name) {
            (&mut self.codings[coding as usize], weight.or(Some(0)))
        } else {
            return;
        };
        // `None` is below every `Some`, so that an unreadable weight leaves the place as it was.
        *place = (*place).max(weight);
    }

    fn weight_of(&self, coding: Coding) -> u16 {
        self.codings[coding as usize].or(self.any).unwrap_or(0)
    }
}

/// The names in the field lines of a request with their weights in thousandths; 0 for a weight that
/// cannot be read.
pub(crate) fn explicit_weights<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> impl Iterator<Item = (&'a [u8], u16)> {
    lines.into_iter().flat_map(list_items).map(|member| {
        let (name, weight) = parse_member(member);
        (name, weight.unwrap_or(0))
    })
}

/// A name and its weight; `None` for one that cannot be read.
fn parse_member(member: &[u8]) -> (&[u8], Option<u16>) {
    let mut parts = member.splitn(2, |&byte| byte == b';');
    let name = trim(parts.next().unwrap_or_default());
    let weight = match parts.next() {
        None => Some(1000),
        Some(parameter) => parse_weight(trim(parameter)),
    };
    (name, weight)
}

/// Reads `q=` and a qvalue: `0` or `1` with at most three decimals and not above 1.
fn parse_weight(parameter: &[u8]) -> Option<u16> {
    let [b'q' | b'Q', b'=', whole @ (b'0' | b'1'), rest @ ..] = parameter else {
        return None;
    };
    let decimals = match rest {
        [] => rest,
        [b'.', decimals @ ..] if decimals.len() <= 3 => decimals,
        _ => return None,
    };
    let mut weight = u16::from(whole - b'0') * 1000;
    for (digit, unit) in decimals.iter().zip([100, 10, 1]) {
        if !digit.is_ascii_digit() {
            return None;
        }
        weight += u16::from(digit - b'0') * unit;
    }
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: [Coding; 3] = [Coding::Zstd, Coding::Br, Coding::Gzip];

    fn choose(line: &str) -> Choice {
        negotiate([line.as_bytes()], &OFFERED)
    }

    fn coded(coding: Coding) -> Choice {
        Choice::Coding(coding)
    }

    #[test]
    fn a_client_that_does_not_ask_gets_identity() {
        assert_eq!(negotiate([], &OFFERED), Choice::Identity);
        assert_eq!(choose(""), Choice::Identity);
        assert_eq!(choose(" , ,"), Choice::Identity);
        assert_eq!(choose("compress, exi"), Choice::Identity);
        assert_eq!(negotiate([&b"gzip"[..]], &[]), Choice::Identity);
    }

    #[test]
    fn the_highest_weight_wins_and_the_servers_order_breaks_ties() {
        assert_eq!(choose("gzip, br, zstd"), coded(Coding::Zstd));
        assert_eq!(choose("gzip, br"), coded(Coding::Br));
        assert_eq!(choose("gzip;q=1.0, br;q=0.999"), coded(Coding::Gzip));
        assert_eq!(choose("GZIP ; Q=0.5,br;q=0.25"), coded(Coding::Gzip));
        assert_eq!(negotiate([&b"br;q=0.1"[..], b"x-gzip"], &OFFERED), coded(Coding::Gzip));
    }

    #[test]
    fn identity_is_last_unless_it_is_given_a_weight() {
        assert_eq!(choose("gzip;q=0.001"), coded(Coding::Gzip));
        assert_eq!(choose("gzip;q=0.5, identity;q=0.6"), Choice::Identity);
        assert_eq!(choose("gzip, identity"), coded(Coding::Gzip));
        assert_eq!(choose("identity"), Choice::Identity);
    }

    #[test]
    fn weight_zero_refuses() {
        assert_eq!(choose("gzip;q=0, br;q=0.000"), Choice::Identity);
        assert_eq!(choose("gzip;q=0, identity;q=0"), Choice::NotAcceptable);
        assert_eq!(choose("identity;q=0"), Choice::NotAcceptable);
        assert_eq!(choose("*;q=0"), Choice::NotAcceptable);
        assert_eq!(choose("*;q=0, identity;q=0.1"), Choice::Identity);
        assert_eq!(choose("*;q=0, gzip"), coded(Coding::Gzip));
    }

    #[test]
    fn a_star_stands_for_what_is_not_listed() {
        assert_eq!(choose("*"), coded(Coding::Zstd));
        assert_eq!(choose("zstd;q=0, *"), coded(Coding::Br));
        assert_eq!(choose("gzip;q=0.3, *;q=0.5"), coded(Coding::Zstd));
        let only_gzip = negotiate([&b"gzip;q=0.3, *;q=0.5"[..]], &[Coding::Gzip]);
        assert_eq!(only_gzip, Choice::Identity);
    }

    #[test]
    fn malformed_members_turn_nothing_on_and_identity_not_off() {
        for bad in [
            "gzip;q=2",
            "gzip;q=1.001",
            "gzip;q=0.1234",
            "gzip;q=",
            "gzip;q=-1",
            "gzip;q",
            "gzip;",
            "gzip;q=0.5;x",
            "gzip;level=9",
            "gzip;q =1",
            "gzip;q=0,5",
            "gzip;q=.5",
            "gzip;q=1.0000",
            "g zip",
            "gzip\u{a0}",
            "gzip;q=0.\u{664}",
        ] {
            assert_eq!(choose(bad), Choice::Identity, "{bad}");
        }
        assert_eq!(choose("gzip;q=x, *"), coded(Coding::Zstd));
        assert_eq!(negotiate([&b"gzip;q=x, *"[..]], &[Coding::Gzip]), Choice::Identity);
        assert_eq!(choose("identity;q=zero"), Choice::Identity);
        assert_eq!(choose("*;q=zero"), Choice::Identity);
    }

    #[test]
    fn of_a_name_listed_twice_the_higher_weight_counts() {
        assert_eq!(choose("gzip;q=0, x-gzip;q=0.5"), coded(Coding::Gzip));
        assert_eq!(choose("gzip;q=0.5, gzip;q=bad"), coded(Coding::Gzip));
    }

    #[test]
    fn the_clients_own_value_names_what_is_built_in() {
        for coding in Coding::ALL {
            let asked = negotiate([accept_encoding().as_bytes()], &[coding]);
            let expected = if coding.is_built_in() { coded(coding) } else { Choice::Identity };
            assert_eq!(asked, expected, "{coding}");
        }
    }
}
