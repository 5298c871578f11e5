//! `avocet serve` in Chromium: its listing walked, sorted, searched, uploaded to and downloaded from.

use std::process::Command;

use super::lab::{Lab, Running, check, logs, program};
use crate::{Outcome, shell};

pub(super) fn run(lab: &Lab) -> Outcome {
    lab.folder("www")?;
    let server = lab.serve(&["www", "--upload", "--mkdir"])?;
    let driver = driver(lab)?;
    let shots = shell::target_dir().join("interop");
    std::fs::create_dir_all(&shots).map_err(|error| error.to_string())?;
    let words = [
        program().to_string_lossy().into_owned(),
        driver.url(""),
        server.url("/"),
        lab.path("www").to_string_lossy().into_owned(),
        shots.to_string_lossy().into_owned(),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let script = [BROWSER, include_str!("listing.py")].concat();
    let ran = lab.python(&script, &words)?.ended(0)?;
    print!("{}", ran.text());
    // The film by a range, and the sound from its beginning and from its middle.
    for (name, least) in [("film.webm", 1), ("long.wav", 2)] {
        let part = format!("\"GET /{name} HTTP/1.1\" 206 ");
        let says = |log: &str| log.matches(&part).count() >= least;
        logs(|| server.log(), says, &format!("{name} was not played by ranges"))?;
    }
    let log = server.log()?;
    let failed = log.lines().find(|line| line.contains("\" 500 "));
    check(failed.is_none(), || failed.unwrap_or_default().to_owned())?;
    println!("screenshots are in {}", shots.display());
    Ok(())
}

/// Starts the program that moves Chromium.
pub(super) fn driver(lab: &Lab) -> Result<Running, String> {
    lab.start("chromedriver", |port| {
        let mut command = Command::new("/usr/bin/chromedriver");
        command.arg(format!("--port={port}"));
        Ok(command)
    })
}

/// What scripts about Chromium go on from.
pub(super) const BROWSER: &str = include_str!("browser.py");
