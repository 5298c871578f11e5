//! Field sections: the lines of a head or of trailers (RFC 9112 §5).

use crate::bytes::{token_len, trim_end, trim_start};
use crate::error::{Fault, Limit, ReadError};
use crate::table::{Line, Lines};
use crate::value::line_end;

/// What a section may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) most: usize,
    /// What an error says is the most.
    pub(crate) bound: usize,
    pub(crate) too_many: Limit,
    pub(crate) bare_lf: bool,
    pub(crate) fold: bool,
    pub(crate) blank_before_colon: bool,
    /// Whether the first line read is the first of the section, where nothing can be folded.
    pub(crate) from_start: bool,
}

impl Rules {
    /// No deviation, and at most `most` lines.
    pub(crate) const fn strict(most: usize, too_many: Limit) -> Self {
        Self {
            most,
            bound: most,
            too_many,
            bare_lf: false,
            fold: false,
            blank_before_colon: false,
            from_start: true,
        }
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
#[inline]
pub(crate) fn parse(
    bytes: &[u8],
    start: usize,
    lines: &mut Lines,
    rules: Rules,
) -> Result<Progress, ReadError> {
    let mut rest = bytes.get(start..).unwrap_or_default();
    loop {
        let at = bytes.len() - rest.len();
        let name = token_len(rest);
        let mut colon = name;
        if let [b'\r', b'\n', ..] = rest {
            return Ok(Progress::Complete(at + 2));
        }
        if name == 0 || rest.get(name) != Some(&b':') {
            match without_colon(rest, name, at == start && rules.from_start, rules)
                .map_err(|e| e.shifted(at))?
            {
                Odd::End(length) => return Ok(Progress::Complete(at + length)),
                Odd::Partial => return Ok(Progress::Partial),
                Odd::Folded => return Ok(Progress::Folded),
                Odd::Colon(later) => colon = later,
            }
        }
        if lines.spans.len() >= rules.most {
            return Err(ReadError::exceeded(rules.too_many, rules.bound, at));
        }
        let Some(after) = rest.get(colon + 1..) else { return Ok(Progress::Partial) };
        let start_of_value = at + colon + 1;
        let end = match line_end(after, rules.bare_lf) {
            Ok(Some(end)) => end,
            Ok(None) => return Ok(Progress::Partial),
            Err(error) => return Err(error.shifted(start_of_value)),
        };
        let Some(value) = after.get(..end.value) else { return Ok(Progress::Partial) };
        let trimmed = trim_start(value);
        let value_start = start_of_value + (value.len() - trimmed.len());
        let value_end = value_start + trim_end(trimmed).len();
        let Some(name) = rest.get(..name) else { return Ok(Progress::Partial) };
        lines.push(
            name,
            Line {
                name_start: position(at),
                name_end: position(at + name.len()),
                value_start: position(value_start),
                value_end: position(value_end),
            },
        );
        let Some(next) = after.get(end.next..) else { return Ok(Progress::Partial) };
        rest = next;
    }
}

/// Checks one line of a section that has not come whole, by the rules of [`parse`]. `before` is the number of
/// lines before it. Says whether it is the empty line.
pub(crate) fn check_line(
    line: &[u8],
    before: usize,
    lines: &mut Lines,
    rules: Rules,
) -> Result<bool, ReadError> {
    lines.clear();
    let most = usize::from(before < rules.most);
    let rules = Rules { most, from_start: before == 0, ..rules };
    match parse(line, 0, lines, rules)? {
        Progress::Complete(_) => Ok(true),
        Progress::Partial | Progress::Folded => Ok(false),
    }
}

/// What stands where a name and its colon are due.
enum Odd {
    /// The empty line, of this length.
    End(usize),
    /// A colon at this place after all, with blanks before it.
    Colon(usize),
    Partial,
    Folded,
}

#[cold]
#[inline(never)]
fn without_colon(rest: &[u8], name: usize, first: bool, rules: Rules) -> Result<Odd, ReadError> {
    match rest.get(name) {
        None => Ok(Odd::Partial),
        Some(b'\r') if name == 0 => match rest.get(1) {
            None => Ok(Odd::Partial),
            Some(b'\n') => Ok(Odd::End(2)),
            Some(_) => Err(ReadError::malformed(Fault::BareCr, 0)),
        },
        Some(b'\n') if name == 0 && rules.bare_lf => Ok(Odd::End(1)),
        // RFC 9112 §2.2: "A recipient that receives whitespace between the start-line and the first
        // header field MUST either reject the message as invalid or [...]".
        Some(b' ' | b'\t') if name == 0 && first => {
            Err(ReadError::malformed(Fault::LeadingBlank, 0))
        }
        Some(b' ' | b'\t') if name == 0 && rules.fold => Ok(Odd::Folded),
        // RFC 9112 §5.2: "A server that receives an obs-fold in a request message [...] MUST either
        // reject the message [...] or replace each received obs-fold".
        Some(b' ' | b'\t') if name == 0 => Err(ReadError::malformed(Fault::Fold, 0)),
        Some(b' ' | b'\t') if rules.blank_before_colon => {
            let blanks =
                rest.iter().skip(name).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            match rest.get(name + blanks) {
                None => Ok(Odd::Partial),
                Some(b':') => Ok(Odd::Colon(name + blanks)),
                Some(_) => Err(ReadError::malformed(Fault::FieldName, name + blanks)),
            }
        }
        // RFC 9112 §5.1: "A server MUST reject, with a response status code of 400 (Bad Request), any
        // received request message that contains whitespace between a header field name and colon."
        Some(b' ' | b'\t') => Err(ReadError::malformed(Fault::BlankBeforeColon, name)),
        Some(b'\n') => Err(ReadError::malformed(Fault::BareLf, name)),
        Some(_) => Err(ReadError::malformed(Fault::FieldName, name)),
    }
}

/// A position as the table keeps it. [`FieldTable::new`](crate::FieldTable::new) clamps the limits, so
/// that every position fits.
#[inline]
fn position(at: usize) -> u32 {
    debug_assert!(u32::try_from(at).is_ok(), "heads are bounded by 32 bits");
    #[expect(clippy::cast_possible_truncation, reason = "heads are bounded by 32 bits")]
    {
        at as u32
    }
}
