use http::{StatusCode, Version};
use memchr::memchr;

use crate::error::{Fault, Limit, ReadError};
use crate::fields::Fields;
use crate::line::{over_limit, version};
use crate::section::{self, Progress, Rules};
use crate::table::{FieldTable, Lines, Scan, scan_end};
use crate::unfinished::Unfinished;
use crate::{Leniency, Limits};

/// The head of a response, borrowed from the input and the field table.
///
/// *Spec*: RFC 9112 §4.
#[derive(Clone, Debug)]
pub struct ResponseHead<'b> {
    /// The status code, 100 to 999.
    pub status: StatusCode,
    /// The reason phrase as sent, often empty: visible bytes, blanks and bytes above 0x7F.
    pub reason: &'b [u8],
    /// HTTP/1.0, or HTTP/1.1 for every later minor version.
    pub version: Version,
    /// The field lines.
    pub fields: Fields<'b>,
}

/// The first line of a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusLine<'b> {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'b [u8],
    pub(crate) version: Version,
}

/// A head that was read: its first line, its length, and whether its fields point into the unfolded copy.
pub(crate) struct Parsed<'b> {
    pub(crate) line: StatusLine<'b>,
    pub(crate) end: usize,
    pub(crate) unfolded: bool,
}

/// Reads a head from the start of `head` if it is whole and right and has no folded line, as nearly every
/// head is.
pub(crate) fn parse_fresh<'b>(head: &'b [u8], table: &mut FieldTable) -> Option<Parsed<'b>> {
    parse(head, table, Folds::AreLeft).ok()?
}

/// What to do about folded lines that are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folds {
    /// Unfold them. Every line was checked before by itself: a fold stands behind a colon, for only values
    /// can be folded. To look at the unfolded head alone would let names be folded too.
    AreUnfolded,
    /// Give up.
    AreLeft,
}

/// Reads a whole head from the start of `head`; `None` while its end has not come.
#[inline]
fn parse<'b>(
    head: &'b [u8],
    table: &mut FieldTable,
    folds: Folds,
) -> Result<Option<Parsed<'b>>, ReadError> {
    table.lines.clear();
    let window = head.get(..table.limits.head).unwrap_or(head);
    let rules = rules(&table.limits, &table.leniency);
    let Some((line, start)) = parse_line(window, &table.leniency)? else { return Ok(None) };
    let (end, unfolded) = match section::parse(window, start, &mut table.lines, rules)? {
        Progress::Complete(end) => (end, false),
        Progress::Partial => return Ok(None),
        Progress::Folded if folds == Folds::AreLeft => return Ok(None),
        Progress::Folded => {
            let Scan::Stop(end) = scan_end(window, start, rules.bare_lf) else {
                return Ok(None);
            };
            unfold(window.get(..end).unwrap_or_default(), start, &mut table.unfolded);
            table.lines.clear();
            match parse_unfolded(&table.unfolded, start, &mut table.lines, rules)? {
                Some(end) => (end, true),
                None => return Ok(None),
            }
        }
    };
    Ok(Some(Parsed { line, end, unfolded }))
}

/// Reads any other head: `None` while its end has not come.
#[cold]
#[inline(never)]
pub(crate) fn parse_pieces<'b>(
    head: &'b [u8],
    table: &mut FieldTable,
    unfinished: &mut Unfinished,
) -> Result<Option<Parsed<'b>>, ReadError> {
    if check_unfinished(head, table, unfinished)? {
        let parsed = parse(head, table, Folds::AreUnfolded)?;
        debug_assert!(parsed.is_some(), "a head that has come whole is parsed whole");
        return Ok(parsed);
    }
    match over_limit(head.len(), table.limits.head) {
        Some(error) => Err(error),
        None => Ok(None),
    }
}

fn rules(limits: &Limits, leniency: &Leniency) -> Rules {
    Rules {
        bare_lf: leniency.bare_lf_in_response,
        fold: leniency.fold_in_response,
        blank_before_colon: leniency.blank_before_colon_in_response,
        ..Rules::strict(limits.fields, Limit::Fields)
    }
}

/// Checks what has come of a head since the last call. Says whether the head has come whole.
fn check_unfinished(
    head: &[u8],
    table: &mut FieldTable,
    unfinished: &mut Unfinished,
) -> Result<bool, ReadError> {
    let FieldTable { limits, leniency, lines, .. } = table;
    let window = head.get(..limits.head).unwrap_or(head);
    let rules = rules(limits, leniency);
    let whole = unfinished.advance(window, |line, number| match number.checked_sub(1) {
        None => parse_line(line, leniency).map(|_| false),
        Some(before) => section::check_line(line, before, lines, rules),
    })?;
    if unfinished.lines == 0 {
        check_protocol(window)?;
    }
    Ok(whole)
}

/// A peer that speaks another protocol is told apart before it has sent a whole line.
fn check_protocol(head: &[u8]) -> Result<(), ReadError> {
    let common = head.iter().zip(b"HTTP/").take_while(|(sent, due)| sent == due).count();
    if common < head.len().min(5) {
        return Err(ReadError::malformed(Fault::Version, 0));
    }
    Ok(())
}

/// `status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF`.
fn parse_line<'b>(
    head: &'b [u8],
    leniency: &Leniency,
) -> Result<Option<(StatusLine<'b>, usize)>, ReadError> {
    check_protocol(head)?;
    let Some(lf) = memchr(b'\n', head) else { return Ok(None) };
    let line = match head.get(..lf) {
        Some([line @ .., b'\r']) => line,
        Some(line) if leniency.bare_lf_in_response => line,
        _ => return Err(ReadError::malformed(Fault::BareLf, lf)),
    };
    let Some((first, rest)) = line.split_first_chunk::<8>() else {
        return Err(ReadError::malformed(Fault::Version, 0));
    };
    let version = version(first, 0)?;
    let (code, reason): (&[u8; 3], &[u8]) = match rest {
        [b' ', rest @ ..] => match rest.split_first_chunk::<3>() {
            Some((code, [b' ', reason @ ..])) => (code, reason),
            Some((code, [])) if leniency.missing_reason => (code, &[]),
            Some(_) => return Err(ReadError::malformed(Fault::StatusLine, 12)),
            None => return Err(ReadError::malformed(Fault::Status, 9)),
        },
        _ => return Err(ReadError::malformed(Fault::StatusLine, 8)),
    };
    if !code.iter().all(u8::is_ascii_digit) {
        return Err(ReadError::malformed(Fault::Status, 9));
    }
    let status =
        StatusCode::from_bytes(code).map_err(|_| ReadError::malformed(Fault::Status, 9))?;
    if let Some(at) = crate::bytes::invalid_in_value(reason) {
        return Err(ReadError::malformed(Fault::Reason, 13 + at));
    }
    Ok(Some((StatusLine { status, reason, version }, lf + 1)))
}

/// Copies `head` to `out` with the line end before each continuation line replaced by blanks.
///
/// RFC 9112 §5.2: "A user agent that receives an obs-fold in a response message [...] MUST replace each
/// received obs-fold with one or more SP octets prior to interpreting the field value." The copy has the
/// length of the original, so that positions hold in both.
fn unfold(head: &[u8], start: usize, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(head);
    for at in start..head.len() {
        // A blank right after the status line was refused before.
        let folds = matches!(head.get(at..), Some([b'\n', b' ' | b'\t', ..]));
        if !folds {
            continue;
        }
        let from = if head.get(at.wrapping_sub(1)) == Some(&b'\r') { at - 1 } else { at };
        if let Some(line_end) = out.get_mut(from..=at) {
            line_end.fill(b' ');
        }
    }
}

fn parse_unfolded(
    bytes: &[u8],
    start: usize,
    lines: &mut Lines,
    rules: Rules,
) -> Result<Option<usize>, ReadError> {
    match section::parse(bytes, start, lines, rules)? {
        Progress::Complete(end) => Ok(Some(end)),
        Progress::Partial | Progress::Folded => Ok(None),
    }
}
