//! `cargo xtask bench files`: whole file servers side by side.
//!
//! As `bench server`: the server has one core and the load the other, every round lets each server run
//! in turn, and a ratio is the median over the rounds of the ratios within a round. The floor is a loop
//! that sends one file for whatever is asked, from memory or by sendfile.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::compare::{self, Rounds};
use super::file_servers;
use super::process::{Launch, Priority, Server, free_port};
use super::{contenders, load};
use crate::args::Args;
use crate::{Outcome, shell};

/// A way of asking.
pub(super) struct Mode {
    name: &'static str,
    about: &'static str,
    path: &'static str,
    /// Of the load generator.
    args: &'static [&'static str],
    /// The coding that is asked for; a server that sends another, or none, is left out.
    coding: Option<&'static str>,
    /// How the floor answers; `None` where there is no floor.
    floor: Option<&'static str>,
    /// What ours may cost at most, of the floor.
    goal: Option<f64>,
    /// Peers that ours may not be above.
    ahead_of: &'static [&'static str],
}

const ALL: &[&str] =
    &["nginx", "nginx-cached", "lighttpd", "h2o", "static-web-server", "miniserve", "dufs"];

const PLAIN: Mode = Mode {
    name: "1k",
    about: "a file of 1 KiB, 64 connections",
    path: "/1k.html",
    args: &[],
    coding: None,
    floor: Some("memory"),
    goal: None,
    ahead_of: ALL,
};

const MODES: &[Mode] = &[
    PLAIN,
    Mode {
        name: "100k",
        about: "a file of 100 KiB, 64 connections",
        path: "/100k.bin",
        floor: Some("sendfile"),
        ..PLAIN
    },
    Mode {
        name: "100m",
        about: "a file of 100 MiB, 4 connections",
        path: "/100m.bin",
        args: &["--connections", "4"],
        floor: Some("sendfile"),
        goal: Some(1.05),
        ahead_of: &[],
        ..PLAIN
    },
    Mode {
        name: "head",
        about: "HEAD of a file of 1 KiB",
        args: &["--method", "HEAD"],
        floor: Some("head"),
        ..PLAIN
    },
    Mode {
        name: "range",
        about: "1 KiB out of a file of 100 MiB",
        path: "/100m.bin",
        args: &["--status", "206", "--fields", "Range: bytes=1000000-1001023"],
        floor: None,
        ..PLAIN
    },
    Mode {
        name: "304",
        about: "a file of 1 KiB that has not changed",
        args: &["--status", "304"],
        floor: Some("head"),
        ..PLAIN
    },
    Mode {
        name: "gzip",
        about: "100 KiB of HTML that is asked for in gzip again and again",
        path: "/100k.html",
        args: &["--connections", "16", "--fields", "Accept-Encoding: gzip"],
        coding: Some("gzip"),
        floor: None,
        ..PLAIN
    },
    Mode {
        name: "br",
        about: "the same in br",
        path: "/100k.html",
        args: &["--connections", "16", "--fields", "Accept-Encoding: br"],
        coding: Some("br"),
        floor: None,
        ..PLAIN
    },
    Mode {
        name: "zstd",
        about: "the same in zstd",
        path: "/100k.html",
        args: &["--connections", "16", "--fields", "Accept-Encoding: zstd"],
        coding: Some("zstd"),
        floor: None,
        ..PLAIN
    },
    Mode {
        name: "precompressed",
        about: "100 KiB of HTML with a compressed file beside it",
        path: "/beside.html",
        args: &["--connections", "16", "--fields", "Accept-Encoding: gzip"],
        coding: Some("gzip"),
        floor: None,
        ..PLAIN
    },
];

const FLOOR: &str = "floor";
const OURS: &str = "avocet";

pub(super) fn run(args: &mut Args) -> Outcome {
    let against = args.value("--against")?;
    let rounds = args.number("--rounds", 5)?;
    let secs = args.number("--secs", 1)?;
    let modes = args.value("--modes")?;
    let check = args.flag("--check");
    args.finish()?;
    let modes = wanted_modes(modes.as_deref())?;
    let folder = contenders::folder().join("files");
    let www = folder.join("www");
    content(&www)?;
    load::build()?;
    let mut servers = Vec::new();
    for server in file_servers::chosen(against.as_deref())? {
        match server.prepare().and_then(|()| server.start(&folder, &www)) {
            Ok(running) => servers.push((server.name(), running)),
            Err(reason) if server.name() == OURS => return Err(reason),
            Err(reason) => println!("left out: {}: {reason}", server.name()),
        }
    }
    println!("\nserver on CPU 0, load on CPU 1; {rounds} rounds of {secs} s, each server in turn");
    let mut misses = Vec::new();
    for mode in modes {
        let mut able: Vec<(&str, &Server, Vec<String>)> = Vec::new();
        for (name, server) in &servers {
            match mode.arguments(server.port) {
                Ok(arguments) => able.push((name, server, arguments)),
                Err(reason) => println!("{}: left out: {name}: {reason}", mode.name),
            }
        }
        let floor = mode.start_floor(&folder, &www)?;
        if let Some(floor) = &floor {
            able.push((FLOOR, floor, mode.plain_arguments()));
        }
        let measured = measure(mode, &able, rounds, secs)?;
        print(mode, &measured);
        misses.extend(goals_missed(mode, &measured));
    }
    compare::conclude(&misses, check)
}

fn wanted_modes(names: Option<&str>) -> Result<Vec<&'static Mode>, String> {
    compare::named(names, MODES, |mode| mode.name, "mode")
}

/// Writes what is served, an hour old: what is younger has no strong tag with some servers.
fn content(www: &Path) -> Outcome {
    let failed = |error: std::io::Error| format!("cannot write below {}: {error}", www.display());
    std::fs::create_dir_all(www).map_err(failed)?;
    let html = |len: usize| {
        let row = |number: u64| {
            let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            format!("<li><a href=\"/birds/{number}\">bird number {number}</a></li>\n")
        };
        let text: String = (0..2 * len as u64 / 50).map(row).collect();
        text.into_bytes()[..len].to_vec()
    };
    for (name, content) in [
        ("1k.html", html(1024)),
        ("100k.bin", vec![b'x'; 100 * 1024]),
        ("100m.bin", vec![b'x'; 100 * 1024 * 1024]),
        ("100k.html", html(100 * 1024)),
        ("beside.html", html(100 * 1024)),
    ] {
        let path = www.join(name);
        std::fs::write(&path, content).map_err(failed)?;
        if name == "beside.html" {
            shell::run(std::process::Command::new("gzip").args(["-f", "-k", "-9"]).arg(&path))?;
        }
        let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
        let file = std::fs::File::options().write(true).open(&path).map_err(failed)?;
        file.set_modified(hour_ago).map_err(failed)?;
    }
    Ok(())
}

impl Mode {
    fn plain_arguments(&self) -> Vec<String> {
        // The floor says 200 whatever is asked, and a head alone where that is measured.
        let mut args = vec!["--path".to_owned(), self.path.to_owned()];
        match self.name {
            "304" | "head" => args.extend(["--method", "HEAD"].map(str::to_owned)),
            _ => args.extend(self.args.iter().map(|arg| (*arg).to_owned())),
        }
        args
    }

    /// The arguments of the load generator for a server, once it has shown that it answers as it should.
    fn arguments(&self, port: u16) -> Result<Vec<String>, String> {
        let mut args = vec!["--path".to_owned(), self.path.to_owned()];
        args.extend(self.args.iter().map(|arg| (*arg).to_owned()));
        if let Some(coding) = self.coding {
            let head = head_of(port, self.path, &format!("Accept-Encoding: {coding}\r\n"))?;
            let got = field(&head, "content-encoding").unwrap_or("none");
            if got != coding {
                return Err(format!("its coding is {got}"));
            }
        }
        if self.name == "304" {
            let head = head_of(port, self.path, "")?;
            let mut fields = Vec::new();
            for (wanted, sent) in
                [("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")]
            {
                fields.extend(field(&head, wanted).map(|value| format!("{sent}: {value}")));
            }
            args.extend(["--fields".to_owned(), fields.join("|")]);
        }
        let mut once: Vec<String> = args.clone();
        once.extend(["--requests", "8", "--secs", "5"].map(str::to_owned));
        let run = file_load(port, &once)?;
        if run.done < 8.0 { Err("it does not answer as it should".to_owned()) } else { Ok(args) }
    }

    fn start_floor(&self, folder: &Path, www: &Path) -> Result<Option<Server>, String> {
        let Some(how) = self.floor else { return Ok(None) };
        let port = free_port()?;
        let file = www.join(self.path.trim_start_matches('/'));
        let words = ["--port", &port.to_string(), "--how", how, "--file", &file.to_string_lossy()];
        let launch = Launch {
            program: load::program("file_floor").to_string_lossy().into_owned(),
            args: words.map(str::to_owned).to_vec(),
            descriptors: 1024,
            priority: Priority::Normal,
        };
        Server::start(&launch, port, &folder.join("floor.log")).map(Some)
    }
}

/// The head of an answer to GET.
fn head_of(port: u16, path: &str, fields: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("no answer: {error}");
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(failed)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\n{fields}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).map_err(failed)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn field<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

fn file_load(port: u16, args: &[String]) -> Result<load::Run, String> {
    let mut command = load::command("file_load");
    command.args(["--port", &port.to_string()]).args(args);
    load::read(&shell::read_quietly(&mut command)?)
}

fn measure(
    mode: &Mode,
    servers: &[(&str, &Server, Vec<String>)],
    rounds: u64,
    secs: u64,
) -> Result<Rounds, String> {
    let mut measured = Rounds::new();
    for (_, server, args) in servers {
        let warm = [&args[..], &["--secs", "0.3"].map(str::to_owned)].concat();
        file_load(server.port, &warm)?;
    }
    for _ in 0..rounds {
        for (name, server, args) in servers {
            let before = server.usage();
            let args = [&args[..], &["--secs".to_owned(), secs.to_string()]].concat();
            let run = file_load(server.port, &args)?;
            let cpu = server.usage().since(&before);
            if run.faults > 0.0 || run.done == 0.0 {
                return Err(format!("{}: {name} answered wrongly", mode.name));
            }
            let each = cpu.as_secs_f64() * 1e6 / run.done;
            measured.entry((*name).to_owned()).or_default().push(each);
        }
    }
    Ok(measured)
}

fn print(mode: &Mode, measured: &Rounds) {
    println!("\n{}: {}", mode.name, mode.about);
    let show = |micros: f64| format!("{micros:.2}");
    compare::print("server", "CPU us/req", measured, &[FLOOR, OURS], show);
}

fn goals_missed(mode: &Mode, measured: &Rounds) -> Vec<String> {
    let floor = mode.goal.map(|most| (FLOOR, most));
    compare::missed(mode.name, measured, OURS, floor, mode.ahead_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_heads() {
        let head = "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Encoding: br\r\n\r\n";
        assert_eq!(field(head, "etag"), Some("\"x\""));
        assert_eq!(field(head, "content-encoding"), Some("br"));
        assert_eq!(field(head, "vary"), None);
    }

    #[test]
    fn missed_goals_are_said() {
        let at = |ours: f64| {
            let costs = [(OURS, ours), (FLOOR, 1.0), ("nginx", 1.2)];
            let costs = costs.map(|(name, cost)| (name.to_owned(), vec![cost; 3]));
            let large = MODES.iter().find(|mode| mode.name == "100m").unwrap();
            (
                goals_missed(&PLAIN, &costs.clone().into()).len(),
                goals_missed(large, &costs.into()).len(),
            )
        };
        assert_eq!((at(1.0), at(1.1), at(1.3)), ((0, 0), (0, 1), (1, 1)));
    }

    #[test]
    fn modes_are_chosen_by_name() {
        assert_eq!(wanted_modes(None).unwrap().len(), MODES.len());
        assert_eq!(wanted_modes(Some("1k,304")).unwrap().len(), 2);
        assert!(wanted_modes(Some("other")).is_err());
    }
}
