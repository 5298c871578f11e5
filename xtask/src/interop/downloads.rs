//! `avocet fetch` and `avocet download` from nginx, apache and Python's http.server.

use std::fs;

use super::lab::{Lab, Running, check, logs, same};
use super::noise::Noise;
use super::servers;
use crate::Outcome;

/// More than one piece of anybody's buffers, and no power of two.
const LEN: usize = 9_000_017;

pub(super) fn run(lab: &Lab) -> Outcome {
    let file = lab.write_old("www/file", Noise::seeded()?.bytes(LEN))?;
    lab.write_old("www/empty", "")?;
    let text = "One line of many, all alike.\n".repeat(4000);
    lab.write_old("www/text.txt", &text)?;
    let nginx = servers::nginx(lab)?;
    let apache = servers::apache(lab)?;
    let python = servers::http_server(lab)?;
    for (name, server) in [("nginx", &nginx), ("apache", &apache), ("python", &python)] {
        plain(lab, name, server)?;
        resumed(lab, name, server)?;
        let got = lab.path(&format!("{name}-split"));
        let output = got.to_string_lossy();
        lab.avocet(&["download", "--split", "4", "-o", &output, &server.url("/file")])?.ended(0)?;
        same(lab, &file, &got)?;
        println!("{name}: plain, resumed and split downloads");
    }
    ranges_were_used(lab)?;
    compressed(lab, &nginx, text.as_bytes())?;
    several(lab, &nginx)
}

/// A page, an empty one, one that is not there, and a file that is there already.
fn plain(lab: &Lab, name: &str, server: &Running) -> Outcome {
    let file = lab.path("www/file");
    lab.avocet(&["fetch", &server.url("/file")])?.ended(0)?.printed(&lab.read("www/file")?)?;
    lab.avocet(&["fetch", &server.url("/empty")])?.ended(0)?.printed(b"")?;
    let ran = lab.avocet(&["fetch", "--fail", &server.url("/missing")])?.ended(22)?;
    ran.printed(b"")?;
    let ran = lab.avocet(&["fetch", "-I", &server.url("/file")])?.ended(0)?;
    let head = ran.text().to_ascii_lowercase();
    check(head.contains(&format!("content-length: {LEN}")), || format!("{name}: HEAD: {head}"))?;
    let got = lab.path(&format!("{name}-plain"));
    let call = ["download", "-o", &got.to_string_lossy(), &server.url("/file")];
    lab.avocet(&call)?.ended(0)?;
    same(lab, &file, &got)?;
    lab.avocet(&call)?.ended(0)?.printed(b"File already downloaded!\n")
}

/// A transfer cut by a bound on time, and gone on with by another run.
fn resumed(lab: &Lab, name: &str, server: &Running) -> Outcome {
    let got = lab.path(&format!("{name}-resumed"));
    let half = lab.read("www/file")?[..LEN / 2].to_vec();
    fs::write(&got, half).map_err(|error| error.to_string())?;
    let output = got.to_string_lossy();
    let ran = lab.avocet(&["fetch", "-C", "-", "-o", &output, &server.url("/file")])?;
    if name == "python" {
        // It knows no ranges; what stands in the file must not be doubled, as with curl.
        check(ran.status == 33, || format!("{name}: status {} for no ranges", ran.status))?;
        return check(fs::metadata(&got).is_ok_and(|file| file.len() == LEN as u64 / 2), || {
            format!("{name}: {output} was changed")
        });
    }
    ran.ended(0)?;
    same(lab, &lab.path("www/file"), &got)
}

/// What the logs of the servers say: both were asked for parts and sent them.
fn ranges_were_used(lab: &Lab) -> Outcome {
    for name in ["nginx", "apache"] {
        let parts =
            |log: &str| log.lines().filter(|line| line.starts_with("206 GET /file")).count();
        let log = || lab.text(&format!("{name}/access.log"));
        logs(log, |log| parts(log) >= 4, &format!("{name} sent too few parts"))?;
    }
    Ok(())
}

fn compressed(lab: &Lab, nginx: &Running, text: &[u8]) -> Outcome {
    let url = nginx.url("/gzip/text.txt");
    lab.avocet(&["fetch", "--compressed", &url])?.ended(0)?.printed(text)?;
    lab.avocet(&["fetch", &url])?.ended(0)?.printed(text)?;
    let ran = lab.avocet(&["fetch", "-s", "-H", "Accept-Encoding: gzip", &url])?.ended(0)?;
    check(ran.out.starts_with(&[0x1f, 0x8b]) && ran.out.len() < text.len() / 10, || {
        format!("{} bytes, not compressed", ran.out.len())
    })?;
    println!("nginx: gzip decoded, and kept where it was asked for by hand");
    Ok(())
}

/// Many at once, redirects, and the verdicts of `check`.
fn several(lab: &Lab, nginx: &Running) -> Outcome {
    let urls: Vec<String> =
        (0..20).map(|number| nginx.url(&format!("/text.txt?{number}"))).collect();
    let mut call = vec!["fetch", "-s", "-Z"];
    call.extend(urls.iter().map(String::as_str));
    let ran = lab.avocet(&call)?.ended(0)?;
    let expected = lab.read("www/text.txt")?.len() * urls.len();
    check(ran.out.len() == expected, || format!("{} of {expected} bytes", ran.out.len()))?;
    let moved = nginx.url("/moved/text.txt");
    lab.avocet(&["fetch", "-L", &moved])?.ended(0)?.printed(&lab.read("www/text.txt")?)?;
    let missing = nginx.url("/missing");
    let ran = lab.avocet(&["check", &moved, &missing])?.ended(1)?;
    let expected = format!("Server: {moved} status is OK\nServer: {missing} status is NOT OK!\n");
    ran.printed(expected.as_bytes())?;
    println!("nginx: twenty at once, redirects, checks");
    Ok(())
}
