//! `avocet serve --dictionaries` in Chromium: a new version of a script comes as its difference from
//! the version that the browser has, in both codings.

use super::lab::{Lab, check, program};
use super::listing::{BROWSER, driver};
use crate::Outcome;

pub(super) fn run(lab: &Lab) -> Outcome {
    lab.write("www/index.html", "<!DOCTYPE html><title>Versions</title><p>Nothing here.</p>\n")?;
    let (first, second) = (script("one", 0), script("two", 7));
    lab.write_old("www/app.11aa22bb.js", &first)?;
    lab.write_old("www/app.33cc44dd.js", &second)?;
    let kept = ["--cache-control", "*.js=max-age=3600", "--log-format", "combined"];
    let server = lab.serve(&[&["www", "--dictionaries"], &kept[..]].concat())?;
    let driver = driver(lab)?;
    let words = [
        program().to_string_lossy().into_owned(),
        driver.url(""),
        server.url("").replace("127.0.0.1", "localhost"),
        lab.path("www").to_string_lossy().into_owned(),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let script = [BROWSER, include_str!("dictionaries.py")].concat();
    print!("{}", lab.python(&script, &words)?.ended(0)?.text());
    // What left the server, as it counted itself.
    let log = server.log()?;
    let sizes: Vec<u64> = log.lines().filter_map(size_of_second).collect();
    let small = sizes.iter().filter(|&&size| size > 0 && size < 1_000).count();
    check(small >= 2, || format!("no two answers were differences: {sizes:?}"))
}

/// The bytes of an answer with the second version, by a line of the log.
fn size_of_second(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("\"GET /app.33cc44dd.js")?;
    let (_, rest) = rest.split_once("\" 200 ")?;
    rest.split(' ').next()?.parse().ok()
}

/// A version of a script of some 60 KiB, in which a few lines are its own.
fn script(version: &str, changed: u64) -> String {
    let line = |n: u64| {
        let own = if n % 500 == 250 { changed } else { 0 };
        let value = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
        format!("note({n}, \"{value:x}\", {own});\n")
    };
    let lines: String = (0..2_000).map(line).collect();
    // The end of the version before and the beginning of this one: a difference that takes both at
    // once runs over the end of the dictionary, which browsers refuse.
    let seam = if changed > 0 { [&end("one"), BEGIN].concat() } else { String::new() };
    [BEGIN, &lines, &seam, &end(version)].concat()
}

fn end(version: &str) -> String {
    format!("window.version = \"{version}\";\n")
}

const BEGIN: &str = "var sum = 0; function note(n, text, own) { sum += own; }\n";
