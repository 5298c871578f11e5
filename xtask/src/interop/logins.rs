//! Passwords: Basic before nginx, Digest before apache.

use super::examples;
use super::lab::{Lab, check, logs};
use super::servers;
use crate::Outcome;

pub(super) fn run(lab: &Lab) -> Outcome {
    lab.write_old("www/secret", "the nest is in the reeds\n")?;
    let content = lab.read("www/secret")?;
    let nginx = servers::nginx(lab)?;
    let url = nginx.url("/private/secret");
    lab.avocet(&["fetch", "--fail", &url])?.ended(22)?.printed(b"")?;
    lab.avocet(&["fetch", "--fail", "-u", "me:wrong", &url])?.ended(22)?.printed(b"")?;
    lab.avocet(&["fetch", "--fail", "-u", "me:secret", &url])?.ended(0)?.printed(&content)?;
    // The redirect stays with the origin, and so does the password.
    let moved = nginx.url("/moved/private/secret");
    lab.avocet(&["fetch", "--fail", "-L", "-u", "me:secret", &moved])?
        .ended(0)?
        .printed(&content)?;
    lab.write("netrc", "machine 127.0.0.1 login me password secret\n")?;
    let call = ["fetch", "--fail", "--netrc-file", "netrc", &url];
    lab.avocet(&call)?.ended(0)?.printed(&content)?;
    println!("nginx: Basic, by an option and by netrc");
    let apache = servers::apache(lab)?;
    let url = apache.url("/digest/secret");
    lab.avocet(&["fetch", "--fail", &url])?.ended(22)?;
    lab.avocet(&["fetch", "--fail", "-u", "me:secret", &url])?.ended(22)?;
    let by_digest = ["fetch", "--fail", "--digest", "-u", "me:secret", &url];
    lab.avocet(&by_digest)?.ended(0)?.printed(&content)?;
    let wrong = ["fetch", "--fail", "--digest", "-u", "me:wrong", &url];
    lab.avocet(&wrong)?.ended(22)?.printed(b"")?;
    let program = examples::path("digest");
    let program = program.to_string_lossy();
    let ran = lab.run(&program, &["me", "secret", &url])?.ended(0)?;
    ran.printed(format!("200 OK\n{}", String::from_utf8_lossy(&content)).as_bytes())?;
    let ran = lab.run(&program, &["me", "wrong", &url])?.ended(0)?;
    check(ran.text().starts_with("401 Unauthorized\n"), || format!("wrong: {}", ran.text()))?;
    let log = || lab.text("apache/access.log");
    let known = "200 GET /digest/secret range=- user=me";
    logs(log, |log| log.contains(known), "apache knew nobody")?;
    println!("apache: Digest, by the program and by the library");
    Ok(())
}
