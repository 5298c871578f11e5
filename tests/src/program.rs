//! The program under test.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A server to send requests to; one that was started here ends when this is dropped.
#[derive(Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    child: Option<Child>,
}

impl Target {
    /// The server that the variable `AVOCET_TARGET` names as `HOST:PORT`, or `avocet echo` on a
    /// free port of the loopback interface.
    ///
    /// # Panics
    ///
    /// If the name cannot be resolved, the program does not build, or prints no address within
    /// ten seconds.
    pub fn echo() -> Self {
        Self::named().unwrap_or_else(|| Self::start(&["echo", "--listen", "127.0.0.1:0"]))
    }

    /// The number of the process, of a server that was started here.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The server that `AVOCET_TARGET` names.
    pub fn named() -> Option<Self> {
        let name = std::env::var("AVOCET_TARGET").ok()?;
        let address = name
            .to_socket_addrs()
            .unwrap_or_else(|error| panic!("AVOCET_TARGET={name} is no HOST:PORT: {error}"))
            .next()
            .unwrap_or_else(|| panic!("AVOCET_TARGET={name} has no address"));
        Some(Self { address, child: None })
    }

    /// Starts the program with arguments and waits for the address that it prints.
    ///
    /// # Panics
    ///
    /// As [`echo`](Self::echo).
    pub fn start(arguments: &[&str]) -> Self {
        let program = program();
        let mut child = Command::new(program)
            .args(arguments)
            // What a person has set for the program is not what is tested.
            .env("AVOCET_CONFIG", "")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let (sender, receiver) = mpsc::channel();
        // Both pipes are read to their ends, so that a program that logs is never held up.
        if let Some(stdout) = child.stdout.take() {
            drain(stdout, sender.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            drain(stderr, sender);
        }
        let mut said = String::new();
        // The senders go when both pipes end, so a program that dies is noticed at once.
        while let Ok(line) = receiver.recv_timeout(START_TIMEOUT) {
            if let Some(address) = address_in(&line) {
                return Self { address, child: Some(child) };
            }
            said.push_str(&line);
            said.push('\n');
        }
        stop(&mut child);
        panic!("avocet {} printed no address but:\n{said}", arguments.join(" "));
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            stop(child);
        }
    }
}

fn stop(child: &mut Child) {
    // It may have ended by itself, which is for the test to notice and no reason to fail here.
    let _ = child.kill();
    let _ = child.wait();
}

fn drain(pipe: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            // Once the address is known nobody listens any more.
            let _ = lines.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

/// The address of the first `http://` or `https://` URL in a line.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://").or_else(|| line.split_once("https://"))?;
    let end = rest.find(|letter: char| letter == '/' || letter.is_whitespace());
    rest[..end.unwrap_or(rest.len())].parse().ok()
}

/// The program: the one that `AVOCET_PROGRAM` names, or this workspace's, built when it is needed.
///
/// Cargo gives an integration test the path of a program of its own package only, so the test asks
/// cargo, which builds it in the same folder and with the same profile.
///
/// # Panics
///
/// If it does not build.
pub fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one = BUILDING.lock();
    PROGRAM.get_or_init(|| std::env::var_os("AVOCET_PROGRAM").map_or_else(build, PathBuf::from))
}

/// An example of the crate `avocet`; all are built when the first is needed.
///
/// # Panics
///
/// If one does not build, or there is none of this name.
pub fn example(name: &str) -> &'static PathBuf {
    static EXAMPLES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let examples = EXAMPLES.get_or_init(|| {
        built(&[
            "--package",
            "avocet",
            "--no-default-features",
            "--features",
            FEATURES,
            "--examples",
        ])
    });
    let found = examples.iter().find(|path| path.file_name().is_some_and(|file| file == name));
    found.unwrap_or_else(|| panic!("no example is called {name}"))
}

/// The example `hello` of the crate `avocet-server`.
///
/// # Panics
///
/// If it does not build.
pub fn server_example() -> PathBuf {
    let built = built(&["--package", "avocet-server", "--example", "hello"]);
    built.into_iter().next_back().expect("cargo names the executable that it has built")
}

fn build() -> PathBuf {
    let programs = built(&["--package", "avocet-cli", "--bin", "avocet"]);
    programs.into_iter().next_back().expect("cargo names the executable that it has built")
}

/// Builds something and tells the executables.
fn built(what: &[&str]) -> Vec<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .arg("build")
        .args(what)
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().unwrap_or_else(|error| panic!("cannot start cargo: {error}"));
    assert!(output.status.success(), "cargo could not build {what:?}");
    let messages = String::from_utf8_lossy(&output.stdout);
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    };
    messages.lines().filter_map(executable).collect()
}

/// Every feature of the crate `avocet` but those for other cryptography, which no test needs.
const FEATURES: &str = "certs,client,cookies,digest,download,encoding,files,server,signals,tls";
const START_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_the_program_says() {
        let expected: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        for line in [
            "listening on http://127.0.0.1:8080",
            "http://127.0.0.1:8080/ echoes requests",
            "Serving on http://127.0.0.1:8080 (Ctrl-C ends)",
        ] {
            assert_eq!(address_in(line), Some(expected), "{line}");
        }
        assert_eq!(address_in("nothing here"), None);
        assert_eq!(address_in("http://[::1]:80/").unwrap().port(), 80);
    }
}
