//! `avocet serve` asked by curl, wget, Python's requests and aria2c.

use std::fs;

use super::lab::{Lab, Running, check, logs, same};
use super::noise::Noise;
use crate::Outcome;

const LEN: usize = 5_000_011;

pub(super) fn run(lab: &Lab) -> Outcome {
    let file = lab.write_old("www/file.bin", Noise::seeded()?.bytes(LEN))?;
    let text = "One line of many, all alike but \u{fc}.\n".repeat(4000);
    lab.write_old("www/text.txt", &text)?;
    lab.write_old("www/deep/a b.txt", "deep\n")?;
    let server = lab.serve(&["www", "--log-format", "combined"])?;
    curl(lab, &server, text.as_bytes())?;
    wget(lab, &server)?;
    requests(lab, &server)?;
    aria2(lab, &server)?;
    for name in ["curl.bin", "wget/file.bin", "aria/file.bin", "aria/resumed.bin"] {
        same(lab, &file, &lab.path(name))?;
    }
    Ok(())
}

/// Fails unless the server comes to log so many answers of a status to a program.
fn answered(server: &Running, agent: &str, status: u16, times: usize) -> Outcome {
    let (of_agent, of_status) = (format!("\"{agent}/"), format!("\" {status} "));
    let is_it = |line: &&str| line.contains(&of_agent) && line.contains(&of_status);
    let says = |log: &str| log.lines().filter(is_it).count() >= times;
    logs(|| server.log(), says, &format!("{agent} did not get status {status} {times} times"))
}

fn half(lab: &Lab, name: &str) -> Outcome {
    let content = lab.read("www/file.bin")?;
    lab.write(name, &content[..LEN / 2]).map(drop)
}

fn curl(lab: &Lab, server: &Running, text: &[u8]) -> Outcome {
    let curl = |arguments: &[&str]| lab.run("curl", &[&["-sS"], arguments].concat());
    let (file, page) = (server.url("/file.bin"), server.url("/text.txt"));
    half(lab, "curl.bin")?;
    curl(&["-C", "-", "-o", "curl.bin", &file])?.ended(0)?;
    answered(server, "curl", 206, 1)?;

    let content = lab.read("www/file.bin")?;
    curl(&["-r", "100-199", &file])?.ended(0)?.printed(&content[100..200])?;
    curl(&["-r", "-100", &file])?.ended(0)?.printed(&content[LEN - 100..])?;
    let ran = curl(&["-r", "0-9,1000-1009", "-D", "heads", &file])?.ended(0)?;
    check(lab.text("heads")?.contains("multipart/byteranges; boundary="), || {
        format!("no parts: {}", lab.text("heads").unwrap_or_default())
    })?;
    let has = |part: &[u8]| ran.out.windows(part.len()).any(|window| window == part);
    check(has(&content[..10]) && has(&content[1000..1010]), || "parts are missing".to_owned())?;
    let beyond = format!("{LEN}-");
    let ran = curl(&["-r", &beyond, "-o", "/dev/null", "-w", "%{http_code}", &file])?.ended(0)?;
    ran.printed(b"416")?;

    for condition in [["--etag-save", "tag"], ["--etag-compare", "tag"]] {
        let ran = curl(&[&condition, &["-o", "page", "-w", "%{http_code}", &page][..]].concat())?;
        let expected: &[u8] = if condition[0] == "--etag-save" { b"200" } else { b"304" };
        ran.ended(0)?.printed(expected)?;
    }
    let ran = curl(&["-z", "page", "-o", "/dev/null", "-w", "%{http_code}", &page])?.ended(0)?;
    ran.printed(b"304")?;
    curl(&["--compressed", "-D", "heads", &page])?.ended(0)?.printed(text)?;
    let heads = lab.text("heads")?.to_ascii_lowercase();
    check(heads.contains("content-encoding: ") && heads.contains("vary: accept-encoding"), || {
        format!("not compressed: {heads}")
    })?;
    let ran = curl(&["-H", "Accept-Encoding: gzip", &page])?.ended(0)?;
    check(ran.out.starts_with(&[0x1f, 0x8b]) && ran.out.len() < text.len() / 10, || {
        format!("{} bytes, not gzip", ran.out.len())
    })?;
    curl(&["-L", &server.url("/deep/a%20b.txt")])?.ended(0)?.printed(b"deep\n")?;
    let ran = curl(&[
        "-L",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{num_redirects}",
        &server.url("/deep"),
    ]);
    ran?.ended(0)?.printed(b"200 1")?;
    // A hundred files in turn over one connection.
    let many = format!("{}?[1-100]", page);
    let ran = curl(&["-o", "/dev/null", "-w", "%{num_connects}", &many])?.ended(0)?;
    let expected = format!("1{}", "0".repeat(99));
    ran.printed(expected.as_bytes())?;
    println!("curl: resumed, ranges, revalidated, compressed, kept alive");
    Ok(())
}

fn wget(lab: &Lab, server: &Running) -> Outcome {
    let wget = |arguments: &[&str]| {
        lab.run("wget", &[&["-nv", "--tries=1", "-P", "wget"], arguments].concat())
    };
    let file = server.url("/file.bin");
    half(lab, "wget/file.bin")?;
    wget(&["-c", &file])?.ended(0)?;
    answered(server, "Wget", 206, 1)?;
    // It is whole, and the server says so.
    wget(&["-c", &file])?.ended(0)?;
    let page = server.url("/text.txt");
    wget(&["-N", &page])?.ended(0)?;
    wget(&["-N", &page])?.ended(0)?;
    answered(server, "Wget", 304, 1)?;
    wget(&["--compression=gzip", "-O", "wget/unpacked.txt", &page])?.ended(0)?;
    let (got, expected) = (lab.read("wget/unpacked.txt")?, lab.read("www/text.txt")?);
    check(got == expected, || "wget unpacked something else".to_owned())?;
    // The whole tree through the listings.
    wget(&["-r", "-np", "-nH", "-l", "3", &server.url("/deep/")])?.ended(0)?;
    let got = lab.read("wget/deep/a b.txt")?;
    check(got == b"deep\n", || "wget did not walk the listing".to_owned())?;
    println!("wget: resumed, revalidated, compressed, walked the listing");
    Ok(())
}

fn requests(lab: &Lab, server: &Running) -> Outcome {
    let www = lab.path("www");
    let arguments = [server.url("/"), www.to_string_lossy().into_owned()];
    let ran = lab.python(include_str!("requests.py"), &[&arguments[0], &arguments[1]])?;
    print!("{}", ran.ended(0)?.text());
    Ok(())
}

fn aria2(lab: &Lab, server: &Running) -> Outcome {
    let aria = |arguments: &[&str]| {
        let common = ["--quiet", "--no-conf", "--dir=aria", "--file-allocation=none", "-m", "1"];
        lab.run("aria2c", &[&common, arguments].concat())
    };
    let file = server.url("/file.bin");
    aria(&["-x", "4", "-s", "4", "-k", "1M", &file])?.ended(0)?;
    answered(server, "aria2", 206, 3)?;
    half(lab, "aria/resumed.bin")?;
    aria(&["-c", "-o", "resumed.bin", &format!("{file}?resumed")])?.ended(0)?;
    let resumed = |log: &str| log.contains("\"GET /file.bin?resumed HTTP/1.1\" 206 ");
    logs(|| server.log(), resumed, "aria2c did not resume")?;
    let again = ["--conditional-get=true", "--allow-overwrite=true", &file];
    aria(&again)?.ended(0)?;
    answered(server, "aria2", 304, 1)?;
    let left = fs::read_dir(lab.path("aria")).map_err(|error| error.to_string())?.count();
    check(left == 2, || format!("{left} files of aria2c instead of 2"))?;
    println!("aria2c: over four connections, resumed, revalidated");
    Ok(())
}
