//! Commands that are printed before they run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;

/// The top of the workspace, wherever the task was started.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies one level below the root")
}

/// The cargo that started this task, so that its toolchain is used for everything else too.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// Prints and runs `command`; anything but exit status 0 is an error.
pub(crate) fn run(command: &mut Command) -> Outcome {
    println!("$ {}", line_of(command));
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{} failed ({status})", line_of(command)))
}

/// Prints and runs `command` and returns what it wrote to standard output.
pub(crate) fn read(command: &mut Command) -> Result<String, String> {
    println!("$ {}", line_of(command));
    read_quietly(command)
}

/// Like [`read`] without the line that says so: for questions asked many times over.
pub(crate) fn read_quietly(command: &mut Command) -> Result<String, String> {
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        return Err(format!("{} failed ({})", line_of(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{} wrote no UTF-8", line_of(command)))
}

/// Whether the program can be started and answers `--version` with status 0.
pub(crate) fn present(program: &Path) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start {}: {error}", command.get_program().display())
}

/// The command as a person would type it: variables set for it first, the path of cargo shortened.
fn line_of(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.display(), quoted(&value.to_string_lossy())));
        }
    }
    let program = Path::new(command.get_program());
    let short = match program.file_name() {
        Some(name) if name == "cargo" => "cargo".to_owned(),
        _ => program.display().to_string(),
    };
    words.push(short);
    words.extend(command.get_args().map(|word| quoted(&word.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains([' ', '"', '\'', '$', '*', ';']) {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_printed_as_typed() {
        let mut command = Command::new("/usr/local/bin/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(line_of(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn a_failing_command_is_an_error() {
        assert!(run(Command::new("false").arg("x")).is_err());
        assert!(run(&mut Command::new("/nonexistent/program")).is_err());
        assert_eq!(read(Command::new("printf").arg("x")), Ok("x".to_owned()));
    }
}
