//! `cargo xtask bench client`: whole clients side by side.
//!
//! Each client is a program that is told a mode, a URL and a number, and prints the bytes of content
//! that it got. The server has one core and the client the other; every round lets each client run in
//! turn, and a ratio is the median over the rounds of the ratios within a round. What it costs to start
//! is taken away: a short run is subtracted from a long one.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::compare::{self, Rounds};
use super::contenders;
use super::process::{LOAD_CPU, Launch, Priority, Server, free_port};
use super::{counts, debian, load, table};
use crate::args::Args;
use crate::{Outcome, shell, tools};

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The example `drive` of `avocet-client`.
    Ours,
    /// The program `client_floor` of `avocet-benches`.
    Floor,
    /// A program of `benches/peers/clients`.
    Peer(&'static str),
    /// Debian's curl.
    Curl,
}

const OURS: &str = "avocet";
const FLOOR: &str = "floor";

const KNOWN: &[(&str, Origin)] = &[
    (OURS, Origin::Ours),
    (FLOOR, Origin::Floor),
    ("hyper", Origin::Peer("client-hyper")),
    ("ureq", Origin::Peer("client-ureq")),
    ("reqwest", Origin::Peer("client-reqwest")),
    ("reqwest-blocking", Origin::Peer("client-reqwest-blocking")),
    ("curl-crate", Origin::Peer("client-curl")),
    ("curl", Origin::Curl),
];

struct Mode {
    name: &'static str,
    about: &'static str,
    /// Requests of the short run and of the long one. Where the short one is 0, a single small request
    /// stands for what it costs to start.
    requests: [u64; 2],
    /// Who cannot do it.
    without: &'static [&'static str],
    goal: Goal,
}

/// What our own client has to reach: `--check` fails where it does not.
struct Goal {
    floor: Option<f64>,
    ahead_of: &'static [&'static str],
}

const PEERS: &[&str] = &["hyper", "ureq", "reqwest", "reqwest-blocking", "curl-crate", "curl"];

const MODES: &[Mode] = &[
    Mode {
        name: "seq",
        about: "small GETs in turn on one connection",
        requests: [1, 20_001],
        without: &[],
        goal: Goal { floor: Some(1.2), ahead_of: PEERS },
    },
    Mode {
        name: "par",
        about: "small GETs, 64 in flight",
        requests: [64, 10_064],
        without: &[],
        goal: Goal { floor: None, ahead_of: PEERS },
    },
    Mode {
        name: "dl",
        about: "a download of 1 GiB",
        requests: [0, 1],
        without: &[],
        goal: Goal { floor: Some(1.1), ahead_of: &[] },
    },
    Mode {
        name: "gz",
        about: "text in gzip, decoded",
        requests: [0, 2],
        without: &[FLOOR, "hyper"],
        goal: Goal { floor: None, ahead_of: &["ureq"] },
    },
];

/// Content of each request in a mode.
const SMALL: u64 = 13;
const LARGE: u64 = 1 << 30;
const TEXT_LINES: u64 = 1_400_000;

/// Everything that answers, as long as this lives.
struct Servers {
    small: Server,
    large: Server,
    gzip: Server,
    text: u64,
    coded: u64,
}

pub(super) fn run(args: &mut Args) -> Outcome {
    let against = args.value("--against")?;
    let rounds = args.number("--rounds", 5)?;
    let modes = args.value("--modes")?;
    let check = args.flag("--check");
    args.finish()?;
    let clients = chosen(against.as_deref())?;
    let modes = wanted_modes(modes.as_deref())?;
    prepare(&clients)?;
    let servers = Servers::start()?;
    println!("\nserver on CPU 0, client on CPU {LOAD_CPU}; {rounds} rounds, each client in turn");
    let mut misses = Vec::new();
    for mode in MODES.iter().filter(|mode| modes.contains(&mode.name)) {
        let able = clients.iter().filter(|(name, _)| !mode.without.contains(name));
        let able: Vec<_> = able.copied().collect();
        let mut measured = Rounds::new();
        for _ in 0..rounds {
            for (name, origin) in &able {
                let each = cost(*origin, mode, &servers).map_err(|why| format!("{name}: {why}"))?;
                measured.entry((*name).to_owned()).or_default().push(each);
            }
        }
        print(mode, &measured, &servers);
        misses.extend(goals_missed(mode, &measured));
    }
    if modes.contains(&"counts") {
        count(&clients, &servers)?;
    }
    compare::conclude(&misses, check)
}

fn chosen(names: Option<&str>) -> Result<Vec<(&'static str, Origin)>, String> {
    Ok(compare::named(names, KNOWN, |(name, _)| name, "client")?.into_iter().copied().collect())
}

fn wanted_modes(names: Option<&str>) -> Result<Vec<&'static str>, String> {
    let known: Vec<&'static str> = MODES.iter().map(|mode| mode.name).chain(["counts"]).collect();
    Ok(compare::named(names, &known, |name| name, "mode")?.into_iter().copied().collect())
}

fn prepare(clients: &[(&str, Origin)]) -> Outcome {
    load::build()?;
    contenders::prepare(&contenders::chosen(Some(contenders::FLOOR))?)?;
    tools::debian("nginx", "nginx")?;
    if clients.iter().any(|(_, origin)| *origin == Origin::Ours) {
        let example = ["build", "--release", "--package", "avocet-client", "--example", "drive"];
        shell::run(shell::cargo().args(example).arg("--all-features"))?;
    }
    if clients.iter().any(|(_, origin)| *origin == Origin::Curl) {
        tools::debian("curl", "curl")?;
    }
    if clients.iter().any(|(_, origin)| matches!(origin, Origin::Peer(_))) {
        let mut build = shell::cargo();
        build.args(["build", "--release", "--locked", "--manifest-path"]);
        build.arg("benches/peers/Cargo.toml").arg("--target-dir");
        build.arg(shell::target_dir().join("peers"));
        for package in ["client-hyper", "client-ureq", "client-reqwest", "client-curl"] {
            build.args(["--package", package]);
        }
        shell::run(&mut build)?;
    }
    Ok(())
}

impl Servers {
    fn start() -> Result<Self, String> {
        let folder = contenders::folder().join("client");
        let www = folder.join("www");
        std::fs::create_dir_all(&www).map_err(|error| error.to_string())?;
        let (text, coded) = content(&www)?;
        let [floor] = &contenders::chosen(Some(contenders::FLOOR))?[..] else {
            return Err("the floor is one server".to_owned());
        };
        let small = floor.start()?;
        let port = free_port()?;
        let config = folder.join("config");
        debian::write(&config, &debian::nginx_for_clients(&folder, port))?;
        let launch = Launch {
            program: "/usr/sbin/nginx".to_owned(),
            args: vec!["-c".to_owned(), config.to_string_lossy().into_owned()],
            descriptors: 1024,
            priority: Priority::Normal,
        };
        let gzip = Server::start(&launch, port, &folder.join("log"))?;
        let large = download(&folder, &www)?;
        Ok(Self { small, large, gzip, text, coded })
    }

    fn url(&self, mode: &str) -> String {
        let (port, path) = match mode {
            "dl" => (self.large.port, "large"),
            "gz" => (self.gzip.port, "text"),
            _ => (self.small.port, "plaintext"),
        };
        format!("http://127.0.0.1:{port}/{path}")
    }
}

/// What is downloaded comes from memory: by sendfile the same client costs up to twice as much from one run
/// to the next.
fn download(folder: &Path, www: &Path) -> Result<Server, String> {
    let port = free_port()?;
    let file = www.join("large");
    let words = ["--port", &port.to_string(), "--how", "memory", "--file", &file.to_string_lossy()];
    let launch = Launch {
        program: load::program("file_floor").to_string_lossy().into_owned(),
        args: words.map(str::to_owned).to_vec(),
        descriptors: 1024,
        priority: Priority::Normal,
    };
    Server::start(&launch, port, &folder.join("download.log"))
}

/// Writes what is served: a file without blocks on the disk, and a text with its coded form; the
/// lengths of these two.
fn content(www: &Path) -> Result<(u64, u64), String> {
    let failed = |error: std::io::Error| format!("cannot write below {}: {error}", www.display());
    File::create(www.join("large")).and_then(|file| file.set_len(LARGE)).map_err(failed)?;
    let plain = www.join("plain");
    let mut file = std::io::BufWriter::new(File::create(&plain).map_err(failed)?);
    for line in 0..TEXT_LINES {
        // As compressible as a page of a program: numbers that change between words that do not.
        let number = line.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        writeln!(file, "<li><a href=\"/birds/{number}\">bird number {number}</a></li>")
            .map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    shell::run(Command::new("gzip").args(["--force", "--keep", "-6"]).arg(&plain))?;
    let len = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.len()).map_err(failed);
    Ok((len(&plain)?, len(&www.join("plain.gz"))?))
}

/// The program and its arguments for one run.
fn command(origin: Origin, mode: &str, url: &str, count: u64) -> (PathBuf, Vec<String>) {
    let target = shell::target_dir();
    let program = match origin {
        Origin::Ours => target.join("release/examples/drive"),
        Origin::Floor => load::program("client_floor"),
        Origin::Peer(name) => target.join("peers/release").join(name),
        Origin::Curl => return (PathBuf::from("/usr/bin/curl"), curl(mode, url, count)),
    };
    let mut args = vec![mode.to_owned(), url.to_owned(), count.to_string()];
    if mode == "par" {
        args.push("64".to_owned());
    }
    (program, args)
}

/// curl prints what it gets, or with large content how much that was. The numbers of the URLs have the
/// same length, which the floor needs.
fn curl(mode: &str, url: &str, count: u64) -> Vec<String> {
    let words: &[&str] = match mode {
        "seq" => &["-s"],
        "par" => &["-s", "-Z", "--no-progress-meter", "--parallel-max", "64"],
        "dl" => &["-s", "-o", "/dev/null", "-w", "%{size_download} "],
        _ => &["-s", "-o", "/dev/null", "-w", "%{size_download} ", "--compressed"],
    };
    let mut args: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    args.push(format!("{url}?[100000-{}]", 100_000 + count - 1));
    args
}

/// CPU seconds of one request.
fn cost(origin: Origin, mode: &Mode, servers: &Servers) -> Result<f64, String> {
    let [less, more] = mode.requests;
    let long = timed(origin, mode.name, servers, more)?;
    if less == 0 {
        return Ok((long - timed(origin, "seq", servers, 1)?) / more as f64);
    }
    Ok((long - timed(origin, mode.name, servers, less)?) / (more - less) as f64)
}

/// CPU seconds, user and system, of a whole run; what came is checked.
fn timed(origin: Origin, mode: &str, servers: &Servers, count: u64) -> Result<f64, String> {
    let (program, args) = command(origin, mode, &servers.url(mode), count);
    let output = Command::new("taskset")
        .args(["-c", &LOAD_CPU.to_string(), "bash", "-c"])
        .args(["TIMEFORMAT='%3U %3S'; time \"$@\"", "bash"])
        .arg(&program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start taskset: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{} {mode}: {said}", program.display()));
    }
    let got = match (origin, mode) {
        (Origin::Curl, "seq" | "par") => output.stdout.len() as u64,
        _ => {
            let text = String::from_utf8_lossy(&output.stdout);
            let numbers = text.split_whitespace().map(str::parse::<u64>);
            numbers.sum::<Result<u64, _>>().map_err(|error| error.to_string())?
        }
    };
    let each = match (origin, mode) {
        (_, "dl") => LARGE,
        (Origin::Curl, "gz") => servers.coded,
        (_, "gz") => servers.text,
        _ => SMALL,
    };
    if got != each * count {
        return Err(format!("{mode}: {got} bytes of content instead of {}", each * count));
    }
    let seconds =
        |line: &str| line.split(' ').map(|word| word.parse::<f64>().ok()).sum::<Option<f64>>();
    let line = said.lines().next_back().unwrap_or_default();
    seconds(line).ok_or_else(|| format!("no times in {said:?}"))
}

fn print(mode: &Mode, measured: &Rounds, servers: &Servers) {
    println!("\n{}: {}", mode.name, mode.about);
    // Microseconds for a small request, milliseconds for 10^9 bytes of a large one.
    let (unit, factor) = match mode.name {
        "dl" => ("CPU ms/GB", 1e12 / LARGE as f64),
        "gz" => ("CPU ms/GB", 1e12 / servers.text as f64),
        _ => ("CPU us/req", 1e6),
    };
    let show = |seconds: f64| format!("{:.2}", seconds * factor);
    compare::print("client", unit, measured, &[FLOOR, OURS], show);
}

fn goals_missed(mode: &Mode, measured: &Rounds) -> Vec<String> {
    let floor = mode.goal.floor.map(|most| (FLOOR, most));
    compare::missed(mode.name, measured, OURS, floor, mode.goal.ahead_of)
}

/// System calls by the kernel's trace points and allocations under Valgrind, each as the difference of
/// a long and a short run.
fn count(clients: &[(&str, Origin)], servers: &Servers) -> Outcome {
    println!("\ncounts: for each small GET in turn, each of 64 in flight, and each MiB downloaded");
    let mut rows = Vec::new();
    for (name, origin) in clients {
        let difference = |counted: &dyn Fn(&str, u64) -> Result<f64, String>, mode, less, more| {
            Ok::<f64, String>((counted(mode, more)? - counted(mode, less)?) / (more - less) as f64)
        };
        let calls =
            |mode: &str, count| counts::calls(&command(*origin, mode, &servers.url(mode), count));
        let allocations = |mode: &str, count| {
            counts::allocations_of(&command(*origin, mode, &servers.url(mode), count))
        };
        let mib = (LARGE >> 20) as f64;
        rows.push(vec![
            (*name).to_owned(),
            format!("{:.2}", difference(&calls, "seq", 100, 2100)?),
            format!("{:.2}", difference(&calls, "par", 640, 10_640)?),
            format!("{:.1}", difference(&calls, "dl", 1, 2)? / mib),
            format!("{:.2}", difference(&allocations, "seq", 100, 600)?),
        ]);
    }
    table::print(&["client", "calls seq", "calls par", "calls a MiB", "allocations seq"], &rows);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_requests_are_held_against_the_floor_and_every_peer() {
        let at = |ours: [f64; 3]| {
            let measured = Rounds::from([
                (OURS.to_owned(), ours.to_vec()),
                (FLOOR.to_owned(), vec![1.0, 2.0, 10.0]),
                ("ureq".to_owned(), vec![1.1, 2.2, 11.0]),
            ]);
            goals_missed(&MODES[0], &measured).len()
        };
        assert_eq!((at([1.0, 2.0, 30.0]), at([1.15, 2.3, 10.0]), at([2.0, 4.0, 20.0])), (0, 1, 2));
    }

    #[test]
    fn numbers_of_curl_have_one_length() {
        let args = curl("seq", "http://h/p", 20_001);
        assert_eq!(args, ["-s", "http://h/p?[100000-120000]"]);
    }

    #[test]
    fn clients_and_modes_are_chosen_by_name() {
        assert_eq!(chosen(None).unwrap().len(), KNOWN.len());
        assert_eq!(chosen(Some("floor,curl")).unwrap().len(), 2);
        assert!(chosen(Some("other")).is_err());
        assert_eq!(wanted_modes(Some("gz,counts")).unwrap(), ["gz", "counts"]);
        assert!(wanted_modes(Some("other")).is_err());
    }
}
