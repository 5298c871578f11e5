//! `avocet serve --dictionaries` in Chromium: a new version of a script comes as its difference from
//! the version that the browser has, in both codings.

use super::lab::{Lab, check, program};
use super::listing::{BROWSER, driver};
use crate::Outcome;

pub(super) fn run(lab: &Lab) -> Outcome {
    lab.write("www/index.html", "<!DOCTYPE html><title>Versions</title><p>Nothing here.</p>\n")?;
    let (first, second) = (script("one"), script("second") + SEAM);
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

/// A version of a script of some 75 KiB, in which one line is its own.
fn script(version: &str) -> String {
    let line = |n: u64| match n {
        1_000 => format!("globalThis.version = \"{version}\";\n"),
        _ => format!("globalThis.value{n} = \"{:x}\";\n", n.wrapping_mul(FACTOR) % 1_000_003),
    };
    (0..2_500).map(line).collect()
}

/// Makes numbers that have nothing in common.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Goes on behind the end of a script as the script began. An encoder that knows no better then lets one
/// copy run over the end of the dictionary, which browsers refuse.
const SEAM: &str = "globalThis.added = 1;\n";
