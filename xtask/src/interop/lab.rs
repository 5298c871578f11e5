//! Where a part works: a folder of its own, programs that run to their end, and servers that live as
//! long as the part.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::bench::process::{free_port, signal};
use crate::{Outcome, shell};

/// Debian's own: another one on the path may lack what was installed by packages.
pub(super) const PYTHON: &str = "/usr/bin/python3";

/// How long a program may take to its end, and a server until it listens, on a slow machine.
const PATIENCE_SECS: &str = "120";
const STARTING: Duration = Duration::from_secs(30);
const ENDING: Duration = Duration::from_secs(5);

/// A folder of one part; it goes when the part is over.
pub(super) struct Lab {
    folder: PathBuf,
}

/// What a program left behind.
pub(super) struct Ran {
    /// The exit status; -1 where a signal ended it.
    pub(super) status: i32,
    pub(super) out: Vec<u8>,
    pub(super) err: String,
    line: String,
}

/// A server, ended when this is dropped.
pub(super) struct Running {
    child: Child,
    pub(super) port: u16,
    log: PathBuf,
}

impl Lab {
    pub(super) fn new(name: &str) -> Result<Self, String> {
        let name = format!("avocet-interop-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let failed = |error| format!("cannot make {}: {error}", folder.display());
        fs::create_dir(&folder).map_err(failed)?;
        // Servers that were started by root read it as somebody else.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        Ok(Self { folder })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a folder in it.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.path(name);
        fs::create_dir_all(&path)
            .map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(path)
    }

    /// Writes a file, with the folder that it is in.
    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf, String> {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        }
        fs::write(&path, content)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(path)
    }

    /// Writes a file as if an hour ago: what is younger than a second or two has no strong validator.
    pub(super) fn write_old(
        &self,
        name: &str,
        content: impl AsRef<[u8]>,
    ) -> Result<PathBuf, String> {
        let path = self.write(name, content)?;
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        fs::File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_modified(hour_ago))
            .map_err(|error| format!("cannot date {}: {error}", path.display()))?;
        Ok(path)
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.path(name);
        fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    }

    /// A log as text.
    pub(super) fn text(&self, name: &str) -> Result<String, String> {
        self.read(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Runs our program in the folder, without settings of the environment.
    pub(super) fn avocet(&self, arguments: &[&str]) -> Result<Ran, String> {
        self.run(&program().to_string_lossy(), arguments)
    }

    /// Runs our program with variables in its environment.
    pub(super) fn avocet_with(
        &self,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> Result<Ran, String> {
        self.run_with(variables, &program().to_string_lossy(), arguments)
    }

    /// Runs any program in the folder.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> Result<Ran, String> {
        self.run_with(&[], program, arguments)
    }

    fn run_with(
        &self,
        variables: &[(&str, &str)],
        program: &str,
        arguments: &[&str],
    ) -> Result<Ran, String> {
        let mut command = self.command(program, arguments);
        command.stdin(Stdio::null()).envs(variables.iter().copied());
        let output =
            command.output().map_err(|error| format!("cannot start {program}: {error}"))?;
        Ok(Ran::new(output, program, arguments))
    }

    /// Runs a program with something on its standard input, which has to be short.
    pub(super) fn fed(
        &self,
        program: &str,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Ran, String> {
        let failed = |error| format!("cannot run {program}: {error}");
        let mut command = self.command(program, arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends early says why by itself.
            let _not_read = stdin.write_all(input);
        }
        let output = child.wait_with_output().map_err(failed)?;
        Ok(Ran::new(output, program, arguments))
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", PATIENCE_SECS, program]).args(arguments);
        self.bare(&mut command).current_dir(&self.folder);
        command
    }

    /// Runs a script of Python with arguments.
    pub(super) fn python(&self, script: &str, arguments: &[&str]) -> Result<Ran, String> {
        let mut ran = self.run(PYTHON, &[&["-I", "-c", script], arguments].concat())?;
        ran.line = format!("a script of Python with {}", arguments.join(" "));
        Ok(ran)
    }

    /// Takes the settings of whoever runs the task away: proxies, files of passwords.
    pub(super) fn bare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", &self.folder).env("LC_ALL", "C.UTF-8")
    }

    /// Starts a server on a free port and waits until it listens; `command` is told the port.
    pub(super) fn start(
        &self,
        name: &str,
        command: impl FnOnce(u16) -> Result<Command, String>,
    ) -> Result<Running, String> {
        let port = free_port()?;
        let mut command = command(port)?;
        let log = self.path(&format!("{name}.log"));
        let file = fs::File::create(&log)
            .map_err(|error| format!("cannot make {}: {error}", log.display()))?;
        let copy = file.try_clone().map_err(|error| error.to_string())?;
        let command = self.bare(&mut command).current_dir(&self.folder);
        let child = command
            .stdin(Stdio::null())
            .stdout(copy)
            .stderr(file)
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let mut running = Running { child, port, log };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Ok(Some(status)) = running.child.try_wait() {
                return Err(format!("{name} ended at once: {status}"));
            }
            if begun.elapsed() > STARTING {
                return Err(format!("{name} does not listen on port {port}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(running)
    }

    /// Starts our server on a folder.
    pub(super) fn serve(&self, arguments: &[&str]) -> Result<Running, String> {
        self.start("avocet", |port| {
            let mut command = Command::new(program());
            command.arg("serve").args(arguments).args(["--port", &port.to_string()]);
            Ok(command)
        })
    }

    /// Prints the ends of all logs, for whoever has to find out what went wrong.
    pub(super) fn print_logs(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "log")
                && let Ok(text) = fs::read(&path)
            {
                let text = String::from_utf8_lossy(&text);
                let lines: Vec<&str> = text.lines().collect();
                println!("{}:", entry.file_name().display());
                for line in &lines[lines.len().saturating_sub(15)..] {
                    println!("    {line}");
                }
            }
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            println!("{} stays behind: {error}", self.folder.display());
        }
    }
}

impl Ran {
    fn new(output: Output, program: &str, arguments: &[&str]) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            line: format!("{program} {}", arguments.join(" ")),
        }
    }

    /// What was typed.
    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// Fails unless the program ended with this status.
    pub(super) fn ended(self, status: i32) -> Result<Self, String> {
        if self.status == status {
            return Ok(self);
        }
        let Self { line, err, out, status: got } = &self;
        let out = String::from_utf8_lossy(out);
        let out: String = out.chars().take(300).collect();
        Err(format!("{line}\n  ended with {got} instead of {status}\n  {out}\n  {err}"))
    }

    /// Standard output as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Fails unless standard output is this.
    pub(super) fn printed(&self, expected: &[u8]) -> Outcome {
        if self.out == expected {
            return Ok(());
        }
        let short = |bytes: &[u8]| {
            let text: String = String::from_utf8_lossy(bytes).chars().take(300).collect();
            format!("{} bytes {text:?}", bytes.len())
        };
        let (got, wanted) = (short(&self.out), short(expected));
        Err(format!("{}\n  printed {got}\n  instead of {wanted}\n  {}", self.line, self.err))
    }
}

impl Running {
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it has written so far.
    pub(super) fn log(&self) -> Result<String, String> {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .map_err(|error| format!("cannot read {}: {error}", self.log.display()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        signal("TERM", &[self.child.id()]);
        let begun = Instant::now();
        while !matches!(self.child.try_wait(), Ok(Some(_))) {
            if begun.elapsed() > ENDING {
                signal("KILL", &[self.child.id()]);
                // Nothing outlives SIGKILL for long, and nobody is left to tell.
                let _ended = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Our program, as it was built for tests.
pub(super) fn program() -> PathBuf {
    shell::target_dir().join("debug/avocet")
}

/// Whether this is root, whose servers have to say whom they become.
pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Fails with a sentence unless something holds.
pub(super) fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Fails unless a log comes to say something; it may be written after the answer has left.
pub(super) fn logs(
    log: impl Fn() -> Result<String, String>,
    says: impl Fn(&str) -> bool,
    otherwise: &str,
) -> Outcome {
    let begun = Instant::now();
    loop {
        let text = log()?;
        if says(&text) {
            return Ok(());
        }
        if begun.elapsed() > ENDING {
            return Err(format!("{otherwise}:\n{text}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Fails unless two files hold the same bytes; `sha256sum` names what they hold.
pub(super) fn same(lab: &Lab, one: &Path, other: &Path) -> Outcome {
    let digest = |path: &Path| -> Result<String, String> {
        let text = lab.run("sha256sum", &[&path.to_string_lossy()])?.ended(0)?.text();
        text.split_whitespace().next().map(str::to_owned).ok_or_else(|| "no checksum".to_owned())
    };
    let (left, right) = (digest(one)?, digest(other)?);
    check(left == right, || {
        let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        let (one_len, other_len) = (size(one), size(other));
        format!(
            "{} ({one_len} bytes, {left}) is not {} ({other_len} bytes, {right})",
            one.display(),
            other.display()
        )
    })
}
