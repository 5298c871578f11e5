//! `cargo xtask bench tls`: servers of https side by side.
//!
//! As with `bench server` the server has one core and the load the other, and each round lets every
//! server run in turn. The floor is rustls in an epoll loop with canned answers: the same provider, the
//! same version of everything and the same settings as ours, and no HTTP. The load offers one version,
//! one suite and one group, so that all do the same sums; what was negotiated stands below each table.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::compare::{self, Rounds};
use super::process::{Launch, Priority, Server, free_port};
use super::{contenders, debian, load};
use crate::args::Args;
use crate::{Outcome, shell, tools};

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The example `hello` of `avocet-server`.
    Ours,
    /// The program `avocet serve`, on a folder.
    Program,
    /// The program `tls_floor` of `avocet-benches`.
    Floor,
    /// The same, which reads the large content from its file.
    FileFloor,
    Nginx,
    StaticWebServer,
}

const OURS: &str = "avocet";
const PROGRAM: &str = "serve";
const FLOOR: &str = "rustls";
const FILE_FLOOR: &str = "rustls-file";

const KNOWN: &[(&str, Origin)] = &[
    (OURS, Origin::Ours),
    (FLOOR, Origin::Floor),
    (FILE_FLOOR, Origin::FileFloor),
    (PROGRAM, Origin::Program),
    ("nginx", Origin::Nginx),
    ("static-web-server", Origin::StaticWebServer),
];

/// Peers that may not need less than ours.
const PEERS: &[&str] = &["nginx", "static-web-server"];

struct Mode {
    name: &'static str,
    about: &'static str,
    certificate: &'static str,
    args: &'static [&'static str],
    /// Requests of each server in a round.
    requests: u32,
    /// Who cannot do it.
    without: &'static [&'static str],
    /// Who has to come how near to which floor.
    goals: &'static [(&'static str, &'static str, f64)],
}

/// A fixed line is no file, so the program, which looks for one, is held to the peers and not to the
/// floor where answers are small; and to a floor that reads the file where they are large.
const MODES: &[Mode] = &[
    Mode {
        name: "full-ec",
        about: "full handshakes and one request each, EC P-256",
        certificate: "ec",
        args: &["--mode", "full"],
        requests: 400,
        without: &[FILE_FLOOR],
        goals: &[(OURS, FLOOR, 1.15)],
    },
    Mode {
        name: "full-rsa",
        about: "full handshakes and one request each, RSA-2048",
        certificate: "rsa",
        args: &["--mode", "full"],
        requests: 300,
        without: &[FILE_FLOOR],
        goals: &[(OURS, FLOOR, 1.15)],
    },
    Mode {
        name: "full-pq",
        about: "full handshakes and one request each, EC P-256, keys by X25519MLKEM768",
        certificate: "ec",
        args: &["--mode", "full", "--groups", "default"],
        requests: 400,
        without: &[FILE_FLOOR, "nginx", "static-web-server"],
        goals: &[(OURS, FLOOR, 1.15)],
    },
    Mode {
        name: "resumed",
        about: "resumed handshakes and one request each",
        certificate: "ec",
        args: &["--mode", "resumed"],
        requests: 400,
        without: &[FILE_FLOOR],
        goals: &[(OURS, FLOOR, 1.15)],
    },
    Mode {
        name: "keep-alive",
        about: "small requests on 64 connections",
        certificate: "ec",
        args: &["--mode", "keep-alive"],
        requests: 12_800,
        without: &[FILE_FLOOR],
        goals: &[(OURS, FLOOR, 1.15)],
    },
    Mode {
        name: "bulk",
        about: "content of 100 MiB, by the GB (10^9 bytes)",
        certificate: "ec",
        args: &["--mode", "bulk"],
        requests: 4,
        without: &[OURS],
        goals: &[(PROGRAM, FILE_FLOOR, 1.15)],
    },
];

/// Content of one answer in the mode `bulk`, in GB.
const LARGE_GB: f64 = (100 << 20) as f64 / 1e9;

pub(super) fn run(args: &mut Args) -> Outcome {
    let against = args.value("--against")?;
    let modes = args.value("--modes")?;
    let rounds = args.number("--rounds", 5)?;
    let check = args.flag("--check");
    args.finish()?;
    let mut servers = chosen(against.as_deref())?;
    let modes = wanted_modes(modes.as_deref())?;
    prepare(&mut servers)?;
    let bench = Bench::new()?;
    println!("\nserver on CPU 0, load on CPU 1; {rounds} rounds, each server in turn");
    let mut misses = Vec::new();
    for certificate in ["ec", "rsa"] {
        let modes: Vec<_> = modes.iter().filter(|mode| mode.certificate == certificate).collect();
        if modes.is_empty() {
            continue;
        }
        let running = servers
            .iter()
            .map(|(name, origin)| Ok((*name, bench.start(name, *origin, certificate)?)))
            .collect::<Result<Vec<_>, String>>()?;
        for mode in modes {
            let (measured, negotiated) = bench.measure(mode, &running, rounds)?;
            print(mode, &measured, &negotiated);
            misses.extend(goals_missed(mode, &measured));
        }
    }
    compare::conclude(&misses, check)
}

fn chosen(names: Option<&str>) -> Result<Vec<(&'static str, Origin)>, String> {
    let servers = compare::named(names, KNOWN, |(name, _)| name, "server of https")?;
    Ok(servers.into_iter().copied().collect())
}

fn wanted_modes(names: Option<&str>) -> Result<Vec<&'static Mode>, String> {
    compare::named(names, MODES, |mode| mode.name, "mode")
}

/// Builds or installs what is needed. The one peer that is built from crates.io is left out, with a
/// line that says so, where it cannot be had.
fn prepare(servers: &mut Vec<(&'static str, Origin)>) -> Outcome {
    let build =
        |words: &[&str]| shell::run(shell::cargo().args(["build", "--release"]).args(words));
    let has = |origin| servers.iter().any(|(_, known)| *known == origin);
    build(&[
        "-p",
        "avocet-benches",
        "--features",
        "tls",
        "--bin",
        "tls_floor",
        "--bin",
        "tls_load",
    ])?;
    if has(Origin::Ours) {
        build(&["-p", "avocet-server", "--example", "hello"])?;
    }
    if has(Origin::Program) {
        build(&["-p", "avocet-cli"])?;
    }
    if has(Origin::Nginx) {
        tools::debian("nginx", "nginx")?;
    }
    tools::debian("openssl", "openssl")?;
    if has(Origin::StaticWebServer)
        && let Err(reason) = install_static_web_server()
    {
        println!("static-web-server is left out: {reason}");
        servers.retain(|(_, origin)| *origin != Origin::StaticWebServer);
    }
    Ok(())
}

/// The last release, with the provider that it has by default and nothing that costs beside.
const STATIC_WEB_SERVER: [&str; 6] = [
    "static-web-server",
    "--version",
    "2.44.1",
    "--no-default-features",
    "--features",
    "http2-ring",
];

fn static_web_server() -> PathBuf {
    shell::target_dir().join("peers/static-web-server")
}

fn install_static_web_server() -> Outcome {
    let folder = static_web_server();
    if shell::present(&folder.join("bin/static-web-server")) {
        return Ok(());
    }
    let mut install = shell::cargo();
    install.args(["install", "--locked", "--root"]).arg(&folder);
    install.arg("--target-dir").arg(folder.join("build")).args(STATIC_WEB_SERVER);
    shell::run(&mut install)
}

/// A folder with certificates and content.
struct Bench {
    folder: PathBuf,
}

impl Bench {
    fn new() -> Result<Self, String> {
        let folder = contenders::folder().join("tls");
        let www = folder.join("www");
        fs::create_dir_all(&www).map_err(|error| error.to_string())?;
        debian::write(&www.join("plaintext"), "Hello, World!")?;
        let content = www.join("large");
        let written = fs::File::create(&content).map_err(|error| error.to_string())?;
        shell::run(
            Command::new(load::program("tls_load")).args(["--mode", "content"]).stdout(written),
        )?;
        let bench = Self { folder };
        bench.certificates()?;
        Ok(bench)
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// An authority and a certificate of each kind.
    fn certificates(&self) -> Outcome {
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
        let issued = |kind: &[&str], name: &str, more: &[&str]| {
            let mut command = Command::new("openssl");
            command.args(["req", "-x509", "-nodes", "-days", "30", "-newkey"]).args(kind);
            command.args(["-keyout", &self.path(&format!("{name}.key"))]);
            command.args(["-out", &self.path(&format!("{name}.pem"))]).args(more);
            // It paints with dots on standard error while it looks for primes.
            let output = command.output().map_err(|error| format!("no openssl: {error}"))?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(said) }
        };
        let (ec, rsa) = (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ["rsa:2048"]);
        issued(&ec, "ca", &["-subj", "/CN=Bench CA", "-addext", "keyUsage=critical,keyCertSign"])?;
        let (ca, key) = (self.path("ca.pem"), self.path("ca.key"));
        let more = [
            &["-subj", "/CN=localhost", "-CA", &ca, "-CAkey", &key, "-addext", names][..],
            &["-addext", "basicConstraints=critical,CA:FALSE"],
        ]
        .concat();
        issued(&ec, "ec", &more)?;
        issued(&rsa, "rsa", &more)
    }

    fn start(&self, name: &str, origin: Origin, certificate: &str) -> Result<Server, String> {
        let port = free_port()?;
        let number = port.to_string();
        let (chain, key) =
            (self.path(&format!("{certificate}.pem")), self.path(&format!("{certificate}.key")));
        let (www, large) = (self.path("www"), self.path("www/large"));
        let target = shell::target_dir();
        let (program, args): (PathBuf, Vec<&str>) = match origin {
            Origin::Ours => (
                target.join("release/examples/hello"),
                vec!["--port", &number, "--workers", "1", "--cert", &chain, "--key", &key],
            ),
            Origin::Floor => (
                load::program("tls_floor"),
                vec!["--port", &number, "--cert", &chain, "--key", &key],
            ),
            Origin::FileFloor => (
                load::program("tls_floor"),
                vec!["--port", &number, "--cert", &chain, "--key", &key, "--large", &large],
            ),
            Origin::Program => (
                target.join("release/avocet"),
                vec![
                    "serve",
                    &www,
                    "--log-format",
                    "off",
                    "--workers",
                    "1",
                    "--port",
                    &number,
                    "--tls-cert",
                    &chain,
                    "--tls-key",
                    &key,
                ],
            ),
            Origin::StaticWebServer => (
                static_web_server().join("bin/static-web-server"),
                vec![
                    "-a",
                    "127.0.0.1",
                    "-p",
                    &number,
                    "-d",
                    &www,
                    "--log-level",
                    "error",
                    "--http2",
                    "true",
                    "--http2-tls-cert",
                    &chain,
                    "--http2-tls-key",
                    &key,
                ],
            ),
            Origin::Nginx => {
                let folder = self.folder.join(format!("nginx-{certificate}"));
                fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
                let config = debian::nginx_with_tls(&folder, port, Path::new(&www), &chain, &key);
                debian::write(&folder.join("config"), &config)?;
                let config = folder.join("config").to_string_lossy().into_owned();
                return self.launch(name, port, Path::new("/usr/sbin/nginx"), &["-c", &config]);
            }
        };
        self.launch(name, port, &program, &args)
    }

    fn launch(
        &self,
        name: &str,
        port: u16,
        program: &Path,
        args: &[&str],
    ) -> Result<Server, String> {
        let launch = Launch {
            program: program.to_string_lossy().into_owned(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            descriptors: 1024,
            priority: Priority::Normal,
        };
        Server::start(&launch, port, &self.folder.join(format!("{name}.log")))
            .map_err(|reason| format!("{name}: {reason}"))
    }

    /// Lets each server run in turn, once unmeasured; what each request cost, and what was negotiated.
    fn measure(
        &self,
        mode: &Mode,
        servers: &[(&'static str, Server)],
        rounds: u64,
    ) -> Result<(Rounds, BTreeSet<String>), String> {
        let (mut measured, mut negotiated) = (Rounds::new(), BTreeSet::new());
        for round in 0..=rounds {
            for (name, server) in servers.iter().filter(|(name, _)| !mode.without.contains(name)) {
                let before = server.usage();
                let text = self.ask(mode, server.port).map_err(|why| format!("{name}: {why}"))?;
                let cpu = server.usage().since(&before);
                let number = |key| load::pair(&text, key).unwrap_or(0.0);
                let (done, resumed) = (number("done"), number("resumed"));
                // The first connection of a run has nothing to resume.
                let expected = if mode.name == "resumed" { done - 1.0 } else { 0.0 };
                if done < f64::from(mode.requests) || resumed != expected {
                    return Err(format!("{name}, {}: not what was asked for: {text}", mode.name));
                }
                let of = |word: &str| word.strip_prefix("negotiated=").map(str::to_owned);
                negotiated.extend(text.split_whitespace().find_map(of));
                if round > 0 {
                    measured
                        .entry((*name).to_owned())
                        .or_default()
                        .push(cpu.as_secs_f64() * 1e6 / done);
                }
            }
        }
        Ok((measured, negotiated))
    }

    fn ask(&self, mode: &Mode, port: u16) -> Result<String, String> {
        let mut command = load::command("tls_load");
        command.args(["--port", &port.to_string(), "--ca", &self.path("ca.pem")]).args(mode.args);
        command.args(["--requests", &mode.requests.to_string()]);
        shell::read_quietly(&mut command)
    }
}

fn print(mode: &Mode, measured: &Rounds, negotiated: &BTreeSet<String>) {
    println!("\n{}: {}", mode.name, mode.about);
    let (unit, divisor) = match mode.name {
        "bulk" => ("CPU ms/GB", 1e3 * LARGE_GB),
        _ => ("CPU us each", 1.0),
    };
    let floors = if mode.name == "bulk" { &[FLOOR, FILE_FLOOR][..] } else { &[FLOOR] };
    let show = |micros: f64| format!("{:.1}", micros / divisor);
    compare::print("server", unit, measured, floors, show);
    println!("negotiated: {}", negotiated.iter().cloned().collect::<Vec<_>>().join(", "));
}

fn goals_missed(mode: &Mode, measured: &Rounds) -> Vec<String> {
    let goals = mode.goals.iter();
    let floors = goals.flat_map(|(name, floor, most)| {
        compare::missed(mode.name, measured, name, Some((floor, *most)), &[])
    });
    let peers = [OURS, PROGRAM];
    let peers =
        peers.iter().flat_map(|name| compare::missed(mode.name, measured, name, None, PEERS));
    floors.chain(peers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_goal_is_said() {
        let at = |ours: f64| {
            let measured = Rounds::from([
                (OURS.to_owned(), vec![ours, ours, 9.0 * ours]),
                (FLOOR.to_owned(), vec![1.0, 1.0, 9.0]),
                ("nginx".to_owned(), vec![1.3, 1.3, 9.0 * 1.3]),
            ]);
            goals_missed(&MODES[0], &measured).len()
        };
        assert_eq!((at(1.1), at(1.2), at(1.4)), (0, 1, 2));
    }

    #[test]
    fn servers_and_modes_are_chosen_by_name() {
        assert_eq!(chosen(Some("avocet,nginx")).unwrap().len(), 2);
        assert!(chosen(Some("other")).is_err());
        assert_eq!(wanted_modes(Some("bulk")).unwrap()[0].name, "bulk");
        assert!(wanted_modes(Some("other")).is_err());
    }
}
