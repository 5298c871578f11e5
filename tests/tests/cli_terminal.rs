//! The program and its person: colors, questions, manual pages, completions.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::fs;
use std::process::Command;

use avocet_tests::program::program;
use avocet_tests::run::{run, run_in};
use avocet_tests::scripted::{Scripted, response};
use avocet_tests::terminal::Terminal;

/// What is shown on a terminal by a call with these variables.
fn shown(variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut command = Command::new(program());
    command.env_clear().env("TERM", "xterm-256color").envs(variables.iter().copied());
    command.args(arguments);
    let mut terminal = Terminal::around(&mut command);
    let mut child = command.spawn().unwrap();
    drop(command);
    let shown = terminal.read_until("");
    child.wait().unwrap();
    shown
}

#[test]
fn colors_are_for_terminals_that_want_them() {
    assert!(shown(&[], &["--help"]).contains('\u{1b}'), "help has colors on a terminal");
    assert!(!shown(&[("NO_COLOR", "1")], &["--help"]).contains('\u{1b}'));
    assert!(!run(&["--help"]).out.contains('\u{1b}'), "and none elsewhere");
    for variables in [&[][..], &[("NO_COLOR", "1")]] {
        for call in [&["serve", "--prt"][..], &["fetch", "http://127.0.0.1:1/"]] {
            let shown = shown(variables, call);
            assert!(shown.starts_with("avocet: ") && !shown.contains('\u{1b}'), "{shown:?}");
        }
    }
}

#[test]
fn progress_moves_on_a_terminal_and_keeps_what_a_peer_says_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let name = "Content-Disposition: attachment; filename=\"a\u{9b}31mb\"\r\n";
    let server = Scripted::start(move |_| response("200 OK", name, "content"));
    let dir = folder.path().to_str().unwrap();
    let shown = shown(&[("NO_COLOR", "1")], &["download", "-d", dir, &server.url("/f")]);
    assert!(shown.contains("7 bytes") && !shown.contains('\u{9b}'), "{shown:?}");
    // Lines that move take cursor movements; colors would end with an m.
    let colors = shown.split("\u{1b}[").skip(1).filter(|rest| {
        let end = rest.find(|letter: char| letter.is_ascii_alphabetic());
        end.is_some_and(|end| rest[end..].starts_with('m') && end > 0 && !rest.starts_with('0'))
    });
    assert_eq!(colors.count(), 0, "{shown:?}");
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let server = Scripted::start(|_| response("200 OK", "", "in\n"));
    // A session of its own, whose terminal is this one.
    let mut command = Command::new("setsid");
    command.args(["--ctty", "--wait"]).arg(program()).args(["fetch", "-u", "me"]);
    command.arg(server.url("/")).env("AVOCET_CONFIG", "");
    let mut terminal = Terminal::around(&mut command);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut shown = terminal.read_until("Password of me: ");
    terminal.type_in("secret\n");
    shown.push_str(&terminal.read_until(""));
    assert!(child.wait().unwrap().success(), "{shown}");
    assert!(shown.contains("in\r\n") && !shown.contains("secret"), "{shown:?}");
    let request = server.requests().remove(0);
    assert!(request.contains("Basic bWU6c2VjcmV0\r\n"), "{request}");
}

#[test]
fn a_bar_is_shown_to_who_wants_it_and_can_see_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|_| response("200 OK", "", &"x".repeat(100_000)));
    let url = server.url("/");
    let ran = run_in(folder.path(), &["fetch", "-#", "-o", "f", &url], "");
    assert_eq!((ran.status, &*ran.out, &*ran.err), (0, "", ""));
    for (more, bar) in [(&["-#", "-o", "f"][..], true), (&["-o", "f"], false), (&["-#"], false)] {
        let mut command = Command::new(program());
        command.current_dir(folder.path()).arg("fetch").args(more).arg(&url);
        // A terminal that cannot move its lines shows none.
        command.env("AVOCET_CONFIG", "").env("TERM", "xterm");
        let mut terminal = Terminal::around(&mut command);
        let mut child = command.spawn().unwrap();
        drop(command);
        let shown = terminal.read_until("");
        assert!(child.wait().unwrap().success());
        assert_eq!(shown.contains("100%"), bar, "{more:?}: {shown:.300}");
    }
    assert_eq!(fs::metadata(folder.path().join("f")).unwrap().len(), 100_000);
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run(&["completions", shell]);
        assert_eq!((ran.status, &*ran.err), (0, ""), "{shell}");
        for word in ["serve", "download", "listen", "write-out"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("avocet");
    fs::write(&path, run(&["completions", "bash"]).out).unwrap();
    let script = format!(
        "set -u; COMPREPLY=(); source '{}'; COMP_WORDS=(avocet serve --lis); COMP_CWORD=2; \
         _avocet avocet --lis serve; echo \"${{COMPREPLY[@]}}\"",
        path.display()
    );
    let output = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "--listen\n");
    assert_eq!(run(&["completions", "cobol"]).status, 2);
}

#[test]
fn there_is_a_page_for_the_program_and_for_each_verb() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run_in(folder.path(), &["man", "pages"], "");
    assert_eq!((ran.status, &*ran.out, &*ran.err), (0, "", ""));
    let page = |name: &str| fs::read_to_string(folder.path().join("pages").join(name)).unwrap();
    for (name, word) in [
        ("avocet.1", "avocet\\-fetch(1)"),
        ("avocet-serve.1", "\\-\\-listen"),
        ("avocet-fetch.1", "\\-\\-write\\-out"),
        ("avocet-cookies-explain.1", "\\-\\-set"),
        ("avocet-config-show.1", "VERB"),
    ] {
        let page = page(name);
        assert!(page.contains(".TH avocet") && page.contains(word), "{name}: {page}");
    }
    assert_eq!(run_in(folder.path(), &["man"], "").out, page("avocet.1"));
    let ran = run_in(folder.path(), &["man", "/dev/null/x"], "");
    assert_eq!((ran.status, ran.err.lines().count()), (23, 1), "{}", ran.err);
}
