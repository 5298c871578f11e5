//! Field sections: the lines of a head or of trailers (RFC 9112 §5).

use memchr::memchr;

use crate::bytes::{self, token_len};
use crate::error::{Fault, Limit, ReadError};
use crate::table::{Line, Lines};

/// What a section may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) most: usize,
    pub(crate) too_many: Limit,
    pub(crate) bare_lf: bool,
    pub(crate) fold: bool,
    pub(crate) blank_before_colon: bool,
}

impl Rules {
    /// No deviation, and at most `most` lines.
    pub(crate) const fn strict(most: usize, too_many: Limit) -> Self {
        Self { most, too_many, bare_lf: false, fold: false, blank_before_colon: false }
    }
}

/// How far a section was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It ends before this position.
    Complete(usize),
    /// More bytes are needed.
    Partial,
    /// It has a folded line, which the rules allow: unfold and read again.
    Folded,
}

/// Reads the lines of `bytes[start..]` into `lines` up to and with the empty line.
///
/// Control characters in values are not looked for here but over the whole section at once, by
/// [`check`], which is cheaper than line by line.
pub(crate) fn parse(
    bytes: &[u8],
    start: usize,
    lines: &mut Lines,
    rules: Rules,
) -> Result<Progress, ReadError> {
    let mut at = start;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let name = token_len(rest);
        let mut colon = at + name;
        match rest.get(name) {
            None => return Ok(Progress::Partial),
            Some(b':') if name > 0 => {}
            Some(b'\r') if name == 0 => {
                return match rest.get(1) {
                    None => Ok(Progress::Partial),
                    Some(b'\n') => Ok(Progress::Complete(at + 2)),
                    Some(_) => Err(ReadError::malformed(Fault::BareCr, at)),
                };
            }
            Some(b'\n') if name == 0 && rules.bare_lf => return Ok(Progress::Complete(at + 1)),
            Some(b' ' | b'\t') if name == 0 => {
                // RFC 9112 §2.2: "A recipient that receives whitespace between the start-line and the
                // first header field MUST either reject the message as invalid or [...]".
                if at == start {
                    return Err(ReadError::malformed(Fault::LeadingBlank, at));
                }
                if rules.fold {
                    return Ok(Progress::Folded);
                }
                // RFC 9112 §5.2: "A server that receives an obs-fold in a request message [...] MUST
                // either reject the message [...] or replace each received obs-fold".
                return Err(ReadError::malformed(Fault::Fold, at));
            }
            Some(b' ' | b'\t') if rules.blank_before_colon => {
                let blanks = rest
                    .iter()
                    .skip(name)
                    .position(|byte| !matches!(byte, b' ' | b'\t'))
                    .map(|blanks| name + blanks);
                match blanks.and_then(|end| rest.get(end).map(|byte| (end, byte))) {
                    None => return Ok(Progress::Partial),
                    Some((end, b':')) => colon = at + end,
                    Some((end, _)) => {
                        return Err(ReadError::malformed(Fault::FieldName, at + end));
                    }
                }
            }
            // RFC 9112 §5.1: "A server MUST reject, with a response status code of 400 (Bad Request), any
            // received request message that contains whitespace between a header field name and colon."
            Some(b' ' | b'\t') => {
                return Err(ReadError::malformed(Fault::BlankBeforeColon, at + name));
            }
            Some(b'\n') => return Err(ReadError::malformed(Fault::BareLf, at + name)),
            Some(_) => return Err(ReadError::malformed(Fault::FieldName, at + name)),
        }
        if lines.spans.len() >= rules.most {
            return Err(ReadError::LimitExceeded { limit: rules.too_many, position: at });
        }
        let after_colon = bytes.get(colon + 1..).unwrap_or_default();
        let Some(length) = memchr(b'\n', after_colon) else { return Ok(Progress::Partial) };
        let value = match after_colon.get(..length) {
            Some([value @ .., b'\r']) => value,
            Some(value) if rules.bare_lf => value,
            _ => return Err(ReadError::malformed(Fault::BareLf, colon + 1 + length)),
        };
        let blanks = value.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let value_start = colon + 1 + blanks;
        let value_end = value_start + bytes::trim(value.get(blanks..).unwrap_or_default()).len();
        lines.push(
            Line {
                name_start: position(at),
                name_end: position(at + name),
                value_start: position(value_start),
                value_end: position(value_end),
            },
            bytes,
        );
        at = colon + 1 + length + 1;
    }
}

/// Looks for control characters that nothing before has refused: all but HTAB in values, and CR that no
/// LF follows.
///
/// `section` ends with the line feed of the empty line.
pub(crate) fn check(section: &[u8]) -> Result<(), ReadError> {
    let following = section.get(1..).unwrap_or_default();
    let mut wrong = false;
    for (&byte, &next) in section.iter().zip(following) {
        wrong |= is_wrong(byte, next);
    }
    if !wrong {
        return Ok(());
    }
    let position =
        section.iter().zip(following).position(|(&byte, &next)| is_wrong(byte, next)).unwrap_or(0);
    let fault = match section.get(position) {
        Some(b'\r') => Fault::BareCr,
        _ => Fault::FieldValue,
    };
    Err(ReadError::malformed(fault, position))
}

#[inline]
fn is_wrong(byte: u8, next: u8) -> bool {
    let control = (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    control | (byte == 0x7f) | ((byte == b'\r') & (next != b'\n'))
}

/// A position as the table keeps it. [`FieldTable::new`](crate::FieldTable::new) clamps the limits, so
/// that every position fits.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
