//! Downloads that are killed at moments chosen by chance, and started again until they are whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::lab::{Lab, check, program, same};
use super::noise::Noise;
use super::servers;
use crate::Outcome;

/// Each round is a download from nothing to the whole file.
const ROUNDS: usize = 100;
/// Rounds at the same time; they mostly wait for the limit on their rate.
const AT_ONCE: usize = 4;
/// Several times what the journal goes without being written.
const LEN: usize = 13_000_033;
/// Bytes per second, so that a run takes about a third of a second.
const RATE: &str = "40M";
const WHOLE: Duration = Duration::from_millis(330);
/// A round is not killed more often: it has to end some time.
const KILLS: u64 = 3;
/// A run that is not killed must end within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the kills hit.
#[derive(Default)]
struct Tally {
    kills: usize,
    /// Kills that left a part which the next run could go on with.
    midway: usize,
}

pub(super) fn run(lab: &Lab) -> Outcome {
    let mut noise = Noise::seeded()?;
    let file = lab.write_old("www/file", noise.bytes(LEN))?;
    let server = servers::nginx(lab)?;
    let url = server.url("/file");
    let rounds: Vec<(usize, Noise)> =
        (0..ROUNDS).map(|round| (round, Noise::new(noise.next()))).collect();
    let rounds = Mutex::new(rounds);
    let tally = Mutex::new(Tally::default());
    let failed = Mutex::new(Vec::new());
    let work = || {
        while let Some((round, mut noise)) = rounds.lock().ok().and_then(|mut left| left.pop()) {
            let got = lab.path(&format!("got-{round}"));
            let outcome = one(lab, round, &url, &got, &mut noise, &tally)
                .and_then(|()| same(lab, &file, &got))
                .and_then(|()| nothing_left(&got));
            if let Err(reason) = outcome
                && let Ok(mut failed) = failed.lock()
            {
                failed.push(format!("round {round}: {reason}"));
            }
            // Absent after a failure, and then there is nothing to clear.
            let _absent = fs::remove_file(&got);
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().map_err(|error| error.to_string())?;
    if let Some(first) = failed.first() {
        return Err(format!("{} of {ROUNDS} rounds failed: {first}", failed.len()));
    }
    let tally = tally.into_inner().map_err(|error| error.to_string())?;
    let log = lab.text("nginx/access.log")?;
    let parts = log.lines().filter(|line| line.starts_with("206 GET /file range=bytes=")).count();
    println!(
        "{ROUNDS} rounds, {} kills, {} of them midway; nginx sent {parts} parts; all files alike",
        tally.kills, tally.midway
    );
    check(tally.midway >= ROUNDS / 4, || "too few kills hit a download midway".to_owned())?;
    check(parts >= ROUNDS / 4, || "too few downloads were resumed".to_owned())
}

/// Starts a download and kills it, some times over, and then lets one run to its end.
fn one(
    lab: &Lab,
    round: usize,
    url: &str,
    got: &Path,
    noise: &mut Noise,
    tally: &Mutex<Tally>,
) -> Outcome {
    // Every other round in pieces.
    let split = if round.is_multiple_of(2) { "1" } else { "3" };
    let start = || {
        let mut command = Command::new(program());
        command.args(["download", "--quiet", "--limit-rate", RATE, "--split", split, "-o"]);
        command.arg(got).arg(url).current_dir(lab.path(""));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        lab.bare(&mut command).spawn().map_err(|error| format!("cannot start: {error}"))
    };
    for _ in 0..=noise.below(KILLS) {
        let mut child = start()?;
        thread::sleep(WHOLE.mul_f64(noise.below(1000) as f64 / 1000.0));
        // It may have come to its end; the next run then finds the file whole.
        let _ended_already = child.kill();
        child.wait().map_err(|error| error.to_string())?;
        let part = fs::metadata(part_of(got)).map_or(0, |part| part.len());
        let mut tally = tally.lock().map_err(|error| error.to_string())?;
        tally.kills += 1;
        tally.midway += usize::from(part > 0 && !got.exists());
        check(
            !got.exists() || fs::metadata(got).is_ok_and(|file| file.len() == LEN as u64),
            || "a part got the name of the whole".to_owned(),
        )?;
    }
    let mut child = start()?;
    let begun = Instant::now();
    while child.try_wait().map_err(|error| error.to_string())?.is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().map_err(|error| error.to_string())?;
            return Err(format!("did not end within {PATIENCE:?}"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    check(output.status.success(), || {
        format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))
    })
}

/// Neither the part nor its journal stays.
fn nothing_left(got: &Path) -> Outcome {
    let (Some(folder), Some(name)) = (got.parent(), got.file_name()) else { return Ok(()) };
    let prefix = format!("{}.", name.to_string_lossy());
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with(&prefix)).collect();
    check(left.is_empty(), || format!("left behind: {left:?}"))
}

fn part_of(got: &Path) -> PathBuf {
    let mut path = got.as_os_str().to_owned();
    path.push(".part");
    path.into()
}
