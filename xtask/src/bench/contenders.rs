//! Who is measured: our server, the floor, the peers from crates.io and those from Debian.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::process::{Launch, Priority, Server, free_port};
use super::{debian, load};
use crate::{Outcome, shell, tools};

/// Where a contender comes from.
#[derive(Clone, PartialEq, Eq)]
enum Origin {
    /// The example `hello` of `avocet-server`.
    Ours,
    /// The program `avocet`, as `serve --text`.
    Program,
    /// The program `floor` of `avocet-benches`.
    Floor,
    /// A package of `benches/peers`.
    Peer(&'static str),
    /// A package of Debian and the program in it.
    Debian,
    /// A command from the command line, with `{port}` and `{workers}` in it.
    Command(String),
}

#[derive(Clone)]
pub(crate) struct Contender {
    pub(crate) name: String,
    origin: Origin,
}

/// The name of our own server.
pub(crate) const OURS: &str = "avocet";
/// The name of the program, which unlike the example ends gracefully when told to.
pub(crate) const PROGRAM: &str = "serve";
/// The name of what all ratios are against.
pub(crate) const FLOOR: &str = "floor";

/// Workers of a server: it has one core.
const WORKERS: u32 = 1;

/// How a server is started beyond its own arguments.
pub(crate) struct Setting {
    /// The most descriptors it may have.
    pub(crate) descriptors: u32,
    pub(crate) priority: Priority,
    /// A program, with its arguments, that runs the server.
    pub(crate) under: Vec<String>,
}

impl Default for Setting {
    /// More descriptors than the largest crowd needs.
    fn default() -> Self {
        Self { descriptors: 16_000, priority: Priority::Normal, under: Vec::new() }
    }
}

/// All known ones, in the order in which they take turns.
const KNOWN: &[(&str, Origin)] = &[
    (OURS, Origin::Ours),
    (FLOOR, Origin::Floor),
    (PROGRAM, Origin::Program),
    ("hyper", Origin::Peer("peer-hyper")),
    ("may_minihttp", Origin::Peer("peer-may-minihttp")),
    ("actix", Origin::Peer("peer-actix")),
    ("ntex", Origin::Peer("peer-ntex")),
    ("tiny_http", Origin::Peer("peer-tiny-http")),
    ("nginx", Origin::Debian),
    ("lighttpd", Origin::Debian),
    ("haproxy", Origin::Debian),
];

/// The contenders of these names; all if there are none.
pub(crate) fn chosen(names: Option<&str>) -> Result<Vec<Contender>, String> {
    let all = || KNOWN.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let names = names.map_or_else(all, |names| names.split(',').collect());
    names
        .into_iter()
        .map(|name| {
            let (_, origin) = KNOWN
                .iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| format!("no server is called {name:?}: {}", all().join(", ")))?;
            Ok(Contender { name: name.to_owned(), origin: origin.clone() })
        })
        .collect()
}

impl Contender {
    /// One that is started by a command: `NAME=COMMAND`.
    pub(crate) fn from_command(text: &str) -> Result<Self, String> {
        let (name, command) = text.split_once('=').ok_or("--also needs NAME=COMMAND")?;
        Ok(Self { name: name.to_owned(), origin: Origin::Command(command.to_owned()) })
    }

    /// Starts it on a free port of its own, with one core.
    pub(crate) fn start(&self) -> Result<Server, String> {
        self.start_as(&Setting::default())
    }

    pub(crate) fn start_as(&self, setting: &Setting) -> Result<Server, String> {
        let folder = folder().join(&self.name);
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let port = free_port()?;
        let (program, args) = self.command(&folder, port, WORKERS)?;
        let mut words: Vec<String> = setting.under.clone();
        words.push(program);
        words.extend(args);
        let launch = Launch {
            program: words.remove(0),
            args: words,
            descriptors: setting.descriptors,
            priority: setting.priority,
        };
        Server::start(&launch, port, &folder.join("log"))
            .map_err(|reason| format!("{}: {reason}", self.name))
    }

    /// Whether it is one process that does everything itself, as what is built here is.
    pub(crate) fn is_one_process(&self) -> bool {
        self.origin != Origin::Debian
    }

    /// The program and its arguments.
    fn command(
        &self,
        folder: &Path,
        port: u16,
        workers: u32,
    ) -> Result<(String, Vec<String>), String> {
        let target = shell::target_dir();
        let by_options = |program: PathBuf| {
            let args = ["--port", &port.to_string(), "--workers", &workers.to_string()];
            (program.to_string_lossy().into_owned(), args.map(str::to_owned).to_vec())
        };
        let command = match &self.origin {
            Origin::Ours => by_options(target.join("release/examples/hello")),
            Origin::Program => {
                let (program, mut args) = by_options(target.join("release/avocet"));
                let how = ["serve", "--log-format", "off", "--text", "Hello, World!"];
                args.splice(0..0, how.map(str::to_owned));
                (program, args)
            }
            Origin::Floor => by_options(load::program("floor")),
            Origin::Peer(package) => by_options(target.join("peers/release").join(package)),
            Origin::Debian => self.debian(folder, port, workers)?,
            Origin::Command(command) => {
                let command = command
                    .replace("{port}", &port.to_string())
                    .replace("{workers}", &workers.to_string());
                ("sh".to_owned(), vec!["-c".to_owned(), format!("exec {command}")])
            }
        };
        Ok(command)
    }

    fn debian(
        &self,
        folder: &Path,
        port: u16,
        workers: u32,
    ) -> Result<(String, Vec<String>), String> {
        let config = folder.join("config");
        let flags: &[&str] = match self.name.as_str() {
            "nginx" => {
                debian::write(&config, &debian::nginx(folder, port, workers))?;
                &["-c"]
            }
            "lighttpd" => {
                debian::write(&folder.join("www/plaintext"), "Hello, World!")?;
                debian::write(&config, &debian::lighttpd(folder, port, workers))?;
                &["-D", "-f"]
            }
            _ => {
                debian::write(&config, &debian::haproxy(port, workers))?;
                &["-db", "-f"]
            }
        };
        let mut args: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        args.push(config.to_string_lossy().into_owned());
        // Debian keeps servers where a plain user's path does not look.
        let program = ["/usr/sbin", "/usr/bin"]
            .map(|folder| format!("{folder}/{}", self.name))
            .into_iter()
            .find(|program| Path::new(program).is_file());
        Ok((program.ok_or_else(|| format!("{} is not installed", self.name))?, args))
    }
}

/// Builds or installs everything that the contenders need, and the load generator.
pub(crate) fn prepare(contenders: &[Contender]) -> Outcome {
    load::build()?;
    if contenders.iter().any(|contender| contender.origin == Origin::Program) {
        shell::run(shell::cargo().args(["build", "--release", "--package", "avocet-cli"]))?;
    }
    if contenders.iter().any(|contender| contender.origin == Origin::Ours) {
        shell::run(shell::cargo().args([
            "build",
            "--release",
            "--package",
            "avocet-server",
            "--example",
            "hello",
        ]))?;
    }
    let peers: BTreeSet<&str> = contenders
        .iter()
        .filter_map(|contender| match &contender.origin {
            Origin::Peer(package) => Some(*package),
            _ => None,
        })
        .collect();
    if !peers.is_empty() {
        let mut build = shell::cargo();
        build.args(["build", "--release", "--locked", "--manifest-path"]);
        build.arg("benches/peers/Cargo.toml").arg("--target-dir");
        build.arg(shell::target_dir().join("peers"));
        for peer in peers {
            build.args(["--package", peer]);
        }
        shell::run(&mut build)?;
    }
    for contender in contenders.iter().filter(|contender| contender.origin == Origin::Debian) {
        tools::debian(&contender.name, &contender.name)?;
    }
    Ok(())
}

/// Where configurations and logs of the servers go.
pub(crate) fn folder() -> PathBuf {
    shell::target_dir().join("bench")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contenders_are_chosen_by_name() {
        assert_eq!(chosen(None).unwrap().len(), KNOWN.len());
        let names: Vec<String> =
            chosen(Some("floor,nginx")).unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["floor", "nginx"]);
        assert!(chosen(Some("other")).is_err());
        assert!(Contender::from_command("no sign").is_err());
    }
}
