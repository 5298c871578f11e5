//! Runs the program to its end.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::program;

/// What a run of the program left.
#[derive(Debug)]
pub struct Ran {
    /// The exit status; -1 where a signal ended it.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `avocet` with arguments, in this folder, with this on its standard input. No settings of the
/// environment reach it.
///
/// # Panics
///
/// If it cannot be built or started.
pub fn run_in(folder: &Path, arguments: &[impl AsRef<OsStr>], input: &str) -> Ran {
    let program = program::program();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env_clear().env("HOME", folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_owned();
        // A thread of its own, so that neither waits for the other. A program that does not read its
        // input has closed it.
        thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    }
    let output = child.wait_with_output().expect("the program ends");
    Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `avocet` with arguments in the folder for temporary files.
///
/// # Panics
///
/// As [`run_in`].
pub fn run(arguments: &[impl AsRef<OsStr>]) -> Ran {
    run_in(&std::env::temp_dir(), arguments, "")
}

/// Runs `avocet fetch` with these arguments.
///
/// # Panics
///
/// As [`run_in`].
pub fn fetch(arguments: &[&str]) -> Ran {
    run(&[&["fetch"], arguments].concat())
}
