//! Settings: flags, variables, files, in this order; `avocet config`.
#![expect(clippy::unwrap_used, reason = "a test fails where something fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use avocet_tests::program::program;
use avocet_tests::run::{Ran, run_in};
use avocet_tests::scripted::{Scripted, response};

/// Runs the program with variables, in a folder that is its home too.
fn run_with(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = Command::new(program());
    command.env_clear().env("HOME", folder).envs(variables.iter().copied());
    let output = command.current_dir(folder).args(arguments).output().expect("it starts");
    Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A home with a file of settings.
fn home(text: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/avocet");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), text).unwrap();
    home
}

/// The line about an option.
fn line<'a>(shown: &'a str, key: &str) -> Option<&'a str> {
    shown.lines().find(|line| line.starts_with(&format!("{key} = ")))
}

#[test]
fn a_flag_goes_before_a_variable_and_that_before_the_file() {
    let home = home("[serve]\nport = 7001\nworkers = 3\nindex = [\"a\", \"b\"]\ncors = true\n");
    let path = home.path().join(".config/avocet/config.toml");
    let path = path.display();
    let variables = [("AVOCET_WORKERS", "4"), ("AVOCET_CORS", "off"), ("AVOCET_INDEX", "x\ny z\n")];
    let ran = run_with(home.path(), &variables, &["config", "show", "serve", "--workers", "5"]);
    assert_eq!((ran.status, &*ran.err), (0, ""));
    for (key, expected) in [
        ("port", format!("port = 7001  # {path}, line 2")),
        ("workers", "workers = 5  # flag".to_owned()),
        ("cors", "cors = false  # AVOCET_CORS".to_owned()),
        ("index", "index = [\"x\",\"y z\"]  # AVOCET_INDEX".to_owned()),
        ("hidden", "hidden = false  # default".to_owned()),
    ] {
        assert_eq!(line(&ran.out, key), Some(&*expected), "{}", ran.out);
    }
    // A flag is not contradicted by what a lower layer says of another option.
    let ran = run_with(home.path(), &[], &["config", "show", "serve", "--listen", "127.0.0.1:1"]);
    assert_eq!(line(&ran.out, "listen"), Some("listen = [\"127.0.0.1:1\"]  # flag"));
    assert_eq!(line(&ran.out, "port"), Some("port = 8080  # default"), "{}", ran.out);
}

#[test]
fn the_file_is_found_where_it_is_said_to_be() {
    let home = home("[fetch]\nuser-agent = \"home\"\n");
    let agent = |variables: &[(&str, &str)]| {
        let ran = run_with(home.path(), variables, &["config", "show", "fetch"]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        let line = line(&ran.out, "user-agent")?;
        Some(line.split('"').nth(1)?.to_owned())
    };
    assert_eq!(agent(&[]).as_deref(), Some("home"));
    let other = home.path().join("other");
    fs::create_dir_all(other.join("avocet")).unwrap();
    fs::write(other.join("avocet/config.toml"), "[fetch]\nuser-agent = \"xdg\"\n").unwrap();
    fs::write(other.join("named"), "[fetch]\nuser-agent = \"named\"\n").unwrap();
    let other_text = other.to_str().unwrap();
    let named = other.join("named");
    let named = named.to_str().unwrap();
    assert_eq!(agent(&[("XDG_CONFIG_HOME", other_text)]).as_deref(), Some("xdg"));
    let both = [("XDG_CONFIG_HOME", other_text), ("AVOCET_CONFIG", named)];
    assert_eq!(agent(&both).as_deref(), Some("named"));
    assert_eq!(agent(&[("AVOCET_CONFIG", "")]), None);
    let missing = run_with(home.path(), &[("AVOCET_CONFIG", "/no/such")], &["config", "check"]);
    assert_eq!((missing.status, &*missing.err), (2, "avocet: /no/such: no such file\n"));
    let ran = run_with(home.path(), &[], &["serve", "--config", "/no/such"]);
    assert_eq!((ran.status, &*ran.err), (2, "avocet: /no/such: no such file\n"));
}

#[test]
fn mistakes_are_errors_with_their_line_and_a_guess() {
    let home =
        home("[serve]\nlisten = [\"127.0.0.1:0\"]\n\n[fetch]\nuser-agnt = \"x\"\nnonsense = 1\n");
    let first =
        "config.toml, line 5: unknown key `user-agnt` in [fetch]; did you mean `user-agent`?\n";
    for call in [&["fetch", "http://127.0.0.1:1/"][..], &["serve"], &["config", "check"]] {
        let ran = run_with(home.path(), &[], call);
        assert_eq!((ran.status, &*ran.out), (2, ""), "{call:?}");
        assert!(ran.err.contains(first), "{}", ran.err);
    }
    let all = run_with(home.path(), &[], &["config", "check"]);
    assert_eq!(all.err.lines().count(), 2, "{}", all.err);
    assert!(all.err.ends_with("line 6: unknown key `nonsense` in [fetch]\n"), "{}", all.err);
    for (text, expected) in [
        ("[serve]\nport = 70000\n", "line 2: `port`: invalid value '70000'"),
        ("[serve]\ncors = 1\n", "line 2: `cors`: it is true or false"),
        ("[serve]\nport = true\n", "line 2: `port`: it wants a value"),
        ("[serve]\nport = [1, 2]\n", "line 2: `port`: it takes one value, not a list"),
        ("[serve]\nindex = [[1]]\n", "line 2: `index`: a list does not stand in a list"),
        ("[serv]\n", "line 1: there is no verb `serv`; did you mean `serve`?"),
        ("[host.a]\nlisten = \"x\"\n", "line 2: unknown key `listen` in [host.\"a\"]"),
        ("[fetch.host.a]\n", "line 1: only [serve] has virtual hosts"),
        ("port = 1\n", "line 1: `port` stands outside of a table such as [serve]"),
        ("[serve\n", "line 1: "),
    ] {
        fs::write(home.path().join("f"), text).unwrap();
        let ran = run_in(home.path(), &["config", "check", "f"], "");
        assert_eq!(ran.status, 2, "{text}: {}", ran.out);
        assert!(
            ran.err.starts_with("avocet: f, ") && ran.err.contains(expected),
            "{text}: {}",
            ran.err
        );
    }
    fs::write(home.path().join("f"), "[serve]\nport = 1\n[host.\"*.x\"]\nmax-time = 2\n").unwrap();
    let ran = run_in(home.path(), &["config", "check", "f"], "");
    assert_eq!((ran.status, &*ran.out, &*ran.err), (0, "f: good\n", ""));
}

#[test]
fn variables_that_set_nothing_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("AVOCET_LISTN", "x"), ("AVOCET_SOMETHING_ELSE", "y")];
    let ran = run_with(folder.path(), &variables, &["config", "check"]);
    assert_eq!(ran.status, 2);
    let misspelt = "the variable AVOCET_LISTN sets nothing; did you mean AVOCET_LISTEN?\n";
    assert!(ran.err.contains(misspelt) && ran.err.lines().count() == 2, "{}", ran.err);
    let ran = run_with(folder.path(), &variables, &["check", "http://127.0.0.1:1/"]);
    assert!(ran.err.starts_with(&format!("avocet: warn: {misspelt}")), "{}", ran.err);
    assert!(!ran.err.contains("SOMETHING"), "{}", ran.err);
    let ran =
        run_with(folder.path(), &[("AVOCET_FETCH_MAX_TIME", "soon")], &["fetch", "http://h/"]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.err.contains("AVOCET_FETCH_MAX_TIME: `max-time`: invalid value 'soon'"),
        "{}",
        ran.err
    );
}

#[test]
fn a_section_holds_for_its_host_alone() {
    let server = Scripted::start(|_| response("200 OK", "", "."));
    let port = server.address.port();
    let home = home(
        "[fetch]\nuser-agent = \"all\"\nreferer = \"http://r/\"\n\
         [host.\"*.near.invalid\"]\nuser-agent = \"near\"\nresolve = \"a.near.invalid:PORT:127.0.0.1\"\n",
    );
    let path = home.path().join(".config/avocet/config.toml");
    let text = fs::read_to_string(&path).unwrap().replace("PORT", &port.to_string());
    fs::write(&path, text).unwrap();
    let (there, near) = (server.url("/one"), format!("http://a.near.invalid:{port}/two"));
    let ran = run_with(home.path(), &[], &["fetch", "-o", "o1", "-o", "o2", &there, &near, &there]);
    assert_eq!((ran.status, &*ran.out), (0, "."), "{}", ran.err);
    assert!(home.path().join("o1").is_file() && home.path().join("o2").is_file());
    let requests = server.requests();
    for (request, agent) in requests.iter().zip(["all", "near", "all"]) {
        assert!(
            request.contains(&format!("ser-Agent: {agent}\r\n"))
                || request.contains(&format!("ser-agent: {agent}\r\n")),
            "{request}"
        );
        assert!(request.contains("http://r/"), "{request}");
    }
    assert_eq!(requests.len(), 3);
    let ran = run_with(
        home.path(),
        &[("AVOCET_FETCH_USER_AGENT", "v")],
        &["config", "show", "fetch", &near],
    );
    assert_eq!(line(&ran.out, "user-agent"), Some("user-agent = \"v\"  # AVOCET_FETCH_USER_AGENT"));
    let ran = run_with(home.path(), &[], &["download", "-d", "d", &near]);
    // Nobody has told `download` where that host is: only options that it has itself apply.
    assert_eq!(ran.status, 6, "{}", ran.err);
}

#[test]
fn secrets_are_not_shown() {
    let home = home("[host.h]\nuser = \"me:hidden\"\n");
    let ran = run_with(home.path(), &[], &["config", "show", "fetch", "http://h/"]);
    let shown = line(&ran.out, "user").unwrap();
    assert!(shown.starts_with("user = \"(kept back)\"  # "), "{shown}");
    assert!(!ran.out.contains("hidden"), "{}", ran.out);
}

#[test]
fn wrong_arguments_are_told_in_one_line() {
    for call in [
        &["serve", "--prt", "3"][..],
        &["fetch"],
        &["serv"],
        &["serve", "--port", "x"],
        &["serve", "--port", "1", "--listen", "1"],
        &["config", "show", "cookies"],
    ] {
        let ran = run_in(&std::env::temp_dir(), call, "");
        assert_eq!((ran.status, &*ran.out), (2, ""), "{call:?}: {}", ran.err);
        assert!(ran.err.starts_with("avocet: ") && ran.err.lines().count() == 1, "{}", ran.err);
    }
}
