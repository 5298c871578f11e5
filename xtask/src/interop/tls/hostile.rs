//! Peers that stop short, dribble, or speak something else, on both sides of us.

use std::process::Command;

use super::super::lab::{Lab, PYTHON, Running, check, logs};
use super::{PAGE, page, says, serve};
use crate::Outcome;

pub(super) fn run(lab: &Lab) -> Outcome {
    at_our_server(lab)?;
    in_pieces(lab)?;
    at_our_client(lab)
}

/// Runs a bad client in Python to its end.
fn client(lab: &Lab, what: &str, server: &Running) -> Outcome {
    let port = server.port.to_string();
    lab.python(include_str!("hostile.py"), &["client", what, &port])?.ended(0).map(drop)
}

fn at_our_server(lab: &Lab) -> Outcome {
    for (what, reason) in [
        ("garbage", "sends something that is not TLS"),
        ("http", "the client does not speak TLS"),
        ("leaves", "the client closed within the handshake"),
        ("cuts", "connection closed before a whole head had come"),
        ("changes", "does not decrypt"),
    ] {
        let server = serve(lab, &["--tls-pem", "localhost.pem"])?;
        client(lab, what, &server)?;
        logs(|| server.log(), |log| log.contains(reason), &format!("{what}: no reason is logged"))?;
        // Nobody else suffers from it.
        let url = page(&server);
        lab.run("curl", &["-sS", "--cacert", "ca.crt", &url])?
            .ended(0)?
            .printed(PAGE.as_bytes())?;
    }
    println!(
        "a client with garbage, without TLS, that leaves, that cuts, that changes a byte: each logged"
    );
    Ok(())
}

/// A relay in Python, which gives its port when it listens.
fn bad_server(lab: &Lab, what: &str, more: &str) -> Result<Running, String> {
    lab.start(what, |port| {
        let mut command = Command::new(PYTHON);
        command.args(["-I", "-c", include_str!("hostile.py"), "server", what]);
        command.arg(port.to_string()).arg(more);
        Ok(command)
    })
}

fn in_pieces(lab: &Lab) -> Outcome {
    let server = serve(lab, &["--tls-pem", "localhost.pem"])?;
    let relay = bad_server(lab, "pieces", &server.port.to_string())?;
    let url = page(&relay);
    for version in ["1.2", "1.3"] {
        let asked = ["--cacert", "ca.crt", "--tls-max", version, &url];
        lab.run("curl", &[&["-sS"], &asked[..]].concat())?.ended(0)?.printed(PAGE.as_bytes())?;
        let ran = lab.avocet(&[&["fetch", "--fail"], &asked[..]].concat())?.ended(0)?;
        ran.printed(PAGE.as_bytes())?;
    }
    println!("curl and avocet: every byte of both sides in a piece of its own, in both versions");
    Ok(())
}

fn at_our_client(lab: &Lab) -> Outcome {
    for (what, status, reason) in [
        ("http", 35, "localhost does not speak TLS on this port"),
        ("garbage", 35, "localhost sends something that is not TLS"),
        ("leaves", 35, "localhost closed within the handshake"),
        ("cuts", 56, "without a close_notify"),
        ("shortens", 56, "without a close_notify"),
        ("changes", 35, "does not decrypt"),
    ] {
        let server = bad_server(lab, what, "localhost.pem")?;
        let ran = lab.avocet(&["fetch", "--fail", "--cacert", "ca.crt", &page(&server)])?;
        let ran = ran.ended(status).map_err(|error| format!("{what}: {error}"))?;
        says(&ran, &[reason])?;
        check(!ran.err.contains("panicked"), || ran.err.clone())?;
    }
    println!(
        "a server without TLS, with garbage, that leaves, that cuts, that changes a byte: each told"
    );
    Ok(())
}
