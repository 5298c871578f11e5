//! Cookies and verdicts as text and as JSON.

use std::fmt::Display;

use avocet::cookies::{Cookie, Explanation, SameSite, Withheld, dates, escape};
use serde_json::{Value, json};

use super::Answers;
use crate::failure::Failure;
use crate::output;

/// A table with a line per cookie.
pub(super) fn table(cookies: &[&Cookie]) -> Result<(), Failure> {
    let mut rows = vec![["DOMAIN", "PATH", "NAME", "VALUE", "EXPIRES", "FLAGS"].map(str::to_owned)];
    for cookie in cookies {
        let domain = if cookie.is_host_only() { "" } else { "." };
        rows.push([
            format!("{domain}{}", cookie.domain()),
            escape(cookie.path()),
            escape(cookie.name()),
            escape(cookie.value()),
            cookie.expires_seconds().map_or_else(|| "session".to_owned(), dates::iso),
            flags(cookie),
        ]);
    }
    columns(&rows)
}

/// What each cookie of a jar does with a request.
pub(super) fn sent(
    verdicts: &[(&Cookie, Result<(), Withheld>)],
    format: Answers,
) -> Result<(), Failure> {
    let why = |verdict: &Result<(), Withheld>| match verdict {
        Ok(()) => "sent".to_owned(),
        Err(withheld) => format!("withheld: {withheld}"),
    };
    if format == Answers::Json {
        let objects = verdicts.iter().map(|(cookie, verdict)| {
            let mut object = object(cookie);
            object["sent"] = verdict.is_ok().into();
            object["reason"] = reason(verdict.as_ref().err());
            object
        });
        return output::json(&objects.collect());
    }
    let mut rows = vec![["NAME", "VALUE", "VERDICT"].map(str::to_owned)];
    for (cookie, verdict) in verdicts {
        rows.push([escape(cookie.name()), escape(cookie.value()), why(verdict)]);
    }
    columns(&rows)
}

/// What would become of each Set-Cookie line.
pub(super) fn judged(
    lines: &[String],
    judged: &[Explanation],
    format: Answers,
) -> Result<(), Failure> {
    let both = || lines.iter().zip(judged);
    if format == Answers::Json {
        let objects = both().map(|(line, explanation)| {
            json!({
                "line": line,
                "accepted": explanation.verdict.is_ok(),
                "reason": reason(explanation.verdict.as_ref().err()),
                "notes": explanation.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "cookie": explanation.cookie.as_ref().map(object),
            })
        });
        return output::json(&objects.collect());
    }
    for (line, explanation) in both() {
        let verdict = match &explanation.verdict {
            Ok(accepted) => accepted.to_string(),
            Err(refusal) => format!("refused: {refusal}"),
        };
        output::answer(format_args!("{}: {verdict}", escape(line.as_bytes())))?;
        for note in &explanation.notes {
            output::answer(format_args!("  {note}"))?;
        }
    }
    Ok(())
}

/// A cookie as JSON. Octets that are no text are replaced by U+FFFD.
pub(super) fn object(cookie: &Cookie) -> Value {
    json!({
        "name": String::from_utf8_lossy(cookie.name()),
        "value": String::from_utf8_lossy(cookie.value()),
        "domain": cookie.domain(),
        "hostOnly": cookie.is_host_only(),
        "path": String::from_utf8_lossy(cookie.path()),
        "secure": cookie.is_secure(),
        "httpOnly": cookie.is_http_only(),
        "sameSite": cookie.same_site().as_str(),
        "partition": cookie.partition(),
        "expires": cookie.expires_seconds(),
    })
}

fn reason(why: Option<&impl Display>) -> Value {
    why.map(ToString::to_string).into()
}

fn flags(cookie: &Cookie) -> String {
    let mut flags = Vec::new();
    if cookie.is_secure() {
        flags.push("Secure".to_owned());
    }
    if cookie.is_http_only() {
        flags.push("HttpOnly".to_owned());
    }
    if cookie.same_site() != SameSite::Default {
        flags.push(format!("SameSite={}", cookie.same_site().as_str()));
    }
    if cookie.partition().is_some() {
        flags.push("Partitioned".to_owned());
    }
    flags.join(" ")
}

/// Rows with their columns under each other.
fn columns<const N: usize>(rows: &[[String; N]]) -> Result<(), Failure> {
    for line in aligned(rows) {
        output::answer(line)?;
    }
    Ok(())
}

fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let rows =
            [["A", "LONG", "C"], ["\u{e9}\u{e9}", "x", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows), ["A   LONG  C", "\u{e9}\u{e9}  x"]);
    }
}
