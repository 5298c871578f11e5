//! How a pattern is read.

use std::net::Ipv6Addr;

use super::{Piece, Wrong};

/// The pieces of a pattern.
///
/// *Errors*: braces and brackets that are no pattern.
pub(super) fn pieces(pattern: &str) -> Result<Vec<Piece>, Wrong> {
    let mut reading = Reading { pattern, at: 0, pieces: Vec::new(), text: String::new() };
    reading.all()?;
    Ok(reading.pieces)
}

/// A pattern while it is read.
struct Reading<'a> {
    pattern: &'a str,
    at: usize,
    pieces: Vec<Piece>,
    text: String,
}

impl Reading<'_> {
    fn all(&mut self) -> Result<(), Wrong> {
        while let Some(letter) = self.rest().chars().next() {
            let start = self.at;
            match letter {
                '[' if literal_brackets(self.rest()).is_some() => {
                    let length = literal_brackets(self.rest()).unwrap_or_default();
                    self.text.push_str(&self.pattern[start..start + length]);
                    self.at += length;
                }
                '[' => {
                    let piece = self.range().map_err(|why| self.wrong(why, start))?;
                    self.add(piece, start)?;
                }
                '{' => {
                    let piece = self.set().map_err(|(why, at)| self.wrong(why, at))?;
                    self.add(piece, start)?;
                }
                '}' | ']' => return Err(self.wrong("nothing was opened that this closes", start)),
                '\\' if self.rest()[1..].starts_with(['{', '}', '[', ']']) => {
                    self.text.push(char::from(self.pattern.as_bytes()[start + 1]));
                    self.at += 2;
                }
                _ => {
                    self.text.push(letter);
                    self.at += letter.len_utf8();
                }
            }
        }
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        }
        Ok(())
    }

    fn add(&mut self, piece: Piece, start: usize) -> Result<(), Wrong> {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        }
        self.pieces.push(piece);
        if self.pieces.len() > MOST_PIECES {
            return Err(self.wrong("too many braces and brackets", start));
        }
        Ok(())
    }

    /// `{` and all up to its `}`.
    fn set(&mut self) -> Result<Piece, (&'static str, usize)> {
        let start = self.at;
        let (mut texts, mut text) = (Vec::new(), String::new());
        let mut letters = self.pattern[start + 1..].char_indices();
        while let Some((offset, letter)) = letters.next() {
            let at = start + 1 + offset;
            match letter {
                '}' if texts.is_empty() && text.is_empty() => {
                    return Err(("nothing is within the braces", start));
                }
                '}' => {
                    texts.push(text);
                    self.at = at + 1;
                    return Ok(Piece::Set(texts));
                }
                ',' => texts.push(std::mem::take(&mut text)),
                '{' | '[' => return Err(("braces cannot be within braces", at)),
                ']' => return Err(("nothing was opened that this closes", at)),
                '\\' => text.push(letters.next().map_or('\\', |(_, escaped)| escaped)),
                _ => text.push(letter),
            }
        }
        Err(("the brace is not closed", start))
    }

    /// `[` and all up to its `]`.
    fn range(&mut self) -> Result<Piece, &'static str> {
        let inside = &self.rest()[1..];
        let inside = &inside[..inside.find(']').ok_or("the bracket is not closed")?];
        let (ends, step) = match inside.split_once(':') {
            Some((ends, step)) => (ends, number(step).ok_or(NO_RANGE)?),
            None => (inside, 1),
        };
        let (first, last) = ends.split_once('-').ok_or(NO_RANGE)?;
        let piece = match (letter(first), letter(last)) {
            (Some(first), Some(last)) => letters(first, last, step)?,
            _ => numbers(first, last, step)?,
        };
        self.at += inside.len() + 2;
        Ok(piece)
    }

    fn rest(&self) -> &str {
        &self.pattern[self.at..]
    }

    fn wrong(&self, why: &'static str, at: usize) -> Wrong {
        Wrong { why, pattern: self.pattern.to_owned(), at: Some(at) }
    }
}

fn numbers(first: &str, last: &str, step: u64) -> Result<Piece, &'static str> {
    let width = if first.starts_with('0') { first.len() } else { 0 };
    let (first, last) = (number(first), number(last.trim_start_matches([' ', '\t'])));
    let (first, last) = first.zip(last).ok_or(NO_RANGE)?;
    if width > WIDEST {
        return Err("a number has more zeros than any has digits");
    }
    Ok(Piece::Numbers { first, step, count: steps(first, last, step)?, width })
}

fn letters(first: u8, last: u8, step: u64) -> Result<Piece, &'static str> {
    if first.is_ascii_uppercase() != last.is_ascii_uppercase() {
        return Err("a range goes from a letter to one of the same case");
    }
    let count = steps(u64::from(first), u64::from(last), step)?;
    let small = |number| u8::try_from(number).map_err(|_| NO_RANGE);
    Ok(Piece::Letters { first, step: small(step)?, count: small(count)? })
}

/// How many there are between two ends, which are among them.
fn steps(first: u64, last: u64, step: u64) -> Result<u64, &'static str> {
    if first > last {
        return Err("the range runs backwards");
    }
    if step == 0 || (step > 1 && step > last - first) {
        return Err("the step leads nowhere");
    }
    ((last - first) / step).checked_add(1).ok_or("the range has no end")
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn letter(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [letter] => Some(*letter).filter(u8::is_ascii_alphabetic),
        _ => None,
    }
}

/// The length of brackets that are no range: around an address of IPv6, with or without its zone, and
/// around nothing.
fn literal_brackets(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('[')?.split_once(']')?.0;
    let address = inside.split_once('%').map_or(inside, |(address, _)| address);
    let is_literal = inside.is_empty() || address.parse::<Ipv6Addr>().is_ok();
    is_literal.then_some(inside.len() + 2)
}

const NO_RANGE: &str = "that is no range like [1-9], [a-z] or [0-100:10]";

const MOST_PIECES: usize = 100;
/// The digits of the largest number.
const WIDEST: usize = 20;
