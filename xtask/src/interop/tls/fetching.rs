//! `avocet fetch` asks `openssl s_server` and nginx.

use std::process::Command;
use std::thread;

use super::super::lab::{Lab, Ran, Running, check, is_root, logs};
use super::{PAGE, page, says};
use crate::Outcome;

/// Servers with something wrong about them: the certificate, options of ours, and what is told.
const DISTRUSTED: &[(&str, &[&str], &str)] = &[
    ("birds", &[], "is not for localhost: it is for birds.example"),
    ("unnamed", &[], "is not for localhost: it names nobody"),
    ("expired", &[], "expired 2021-01-01"),
    ("early", &[], "is not valid before 2090-01-01"),
    ("self", &[], "is signed by itself and by nobody who is trusted here"),
    ("foreign", &[], "was issued by nobody who is trusted here: CN=Another CA"),
    ("purpose", &[], "is not for this purpose"),
    ("revoked", &["--crlfile", "crl.pem"], "was revoked"),
];

pub(super) fn run(lab: &Lab) -> Outcome {
    versions(lab)?;
    names_and_protocols(lab)?;
    distrusted(lab)?;
    renegotiation(lab)?;
    nginx(lab)
}

/// OpenSSL's own server, on the folder of pages.
fn s_server(lab: &Lab, name: &str, more: &[&str]) -> Result<Running, String> {
    lab.start("s_server", |port| {
        let file = lab.path(&format!("{name}.pem"));
        let mut command = Command::new("sh");
        command.args(["-c", "cd www && exec openssl s_server \"$@\"", "sh", "-WWW", "-accept"]);
        command.arg(port.to_string()).arg("-cert").arg(&file).arg("-key").arg(&file).args(more);
        Ok(command)
    })
}

fn fetch(lab: &Lab, more: &[&str]) -> Result<Ran, String> {
    lab.avocet(&[&["fetch", "--fail", "--cacert", "ca.crt"], more].concat())
}

fn versions(lab: &Lab) -> Outcome {
    for (flag, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let server = s_server(lab, "localhost", &[flag])?;
        let url = page(&server);
        // Each answer of this server ends its connection.
        let ran = fetch(lab, &["--explain", &url, &url])?.ended(0)?;
        ran.printed(PAGE.repeat(2).as_bytes())?;
        says(&ran, &[version, "certificate: checked; for localhost"])?;
        let resumed = ran.err.matches(", resumed").count();
        check(resumed == 1, || format!("{version}: {resumed} sessions resumed\n{}", ran.err))?;
    }
    for flag in ["-tls1", "-tls1_1"] {
        let server = s_server(lab, "localhost", &[flag, "-cipher", "DEFAULT@SECLEVEL=0"])?;
        let ran = fetch(lab, &[&page(&server)])?.ended(35)?;
        says(&ran, &["speaks no version of TLS that is spoken here"])?;
    }
    let server = s_server(lab, "localhost", &["-tls1_2"])?;
    let ran = fetch(lab, &["--tlsv1.3", &page(&server)])?.ended(35)?;
    says(&ran, &["speaks no version of TLS that is spoken here"])?;
    println!(
        "s_server: TLS 1.2 and 1.3, each resumed; 1.0, 1.1 and less than was asked for refused"
    );
    Ok(())
}

fn names_and_protocols(lab: &Lab) -> Outcome {
    let birds = lab.path("birds.pem");
    let birds = birds.to_string_lossy();
    let named = ["-servername", "birds.example", "-cert2", &birds, "-key2", &birds];
    let server = s_server(lab, "localhost", &named)?;
    let there = format!("birds.example:{}:127.0.0.1", server.port);
    let other = page(&server).replace("localhost", "birds.example");
    let ran = fetch(lab, &["--explain", "--resolve", &there, &other])?.ended(0)?;
    says(&ran, &["checked; for birds.example"])?;
    let by_address = page(&server).replace("localhost", "127.0.0.1");
    fetch(lab, &[&by_address])?.ended(0)?.printed(PAGE.as_bytes())?;
    let server = s_server(lab, "localhost", &["-alpn", "h2,http/1.1"])?;
    says(&fetch(lab, &["--explain", &page(&server)])?.ended(0)?, &["TLS: http/1.1 inside"])?;
    let server = s_server(lab, "localhost", &["-alpn", "h2"])?;
    let ran = fetch(lab, &[&page(&server)])?.ended(35)?;
    says(&ran, &["speaks none of the protocols that are offered"])?;
    println!("s_server: a certificate by name, one for an address, ALPN with and without a match");
    Ok(())
}

fn distrusted(lab: &Lab) -> Outcome {
    for (name, options, reason) in DISTRUSTED {
        let server = s_server(lab, name, &[])?;
        let url = page(&server);
        let ran = fetch(lab, &[options, &[url.as_str()][..]].concat())?.ended(60)?;
        says(&ran, &[reason])?;
        check(ran.out.is_empty(), || format!("{name}: something was printed"))?;
    }
    let server = s_server(lab, "foreign", &[])?;
    let ran = lab.avocet(&["fetch", "--fail", "-k", &page(&server)])?.ended(0)?;
    ran.printed(PAGE.as_bytes())?;
    let server = s_server(lab, "localhost", &[])?;
    let pinned = ["--pin", "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", &page(&server)];
    fetch(lab, &pinned)?.ended(90)?;
    fetch(lab, &["--crlfile", "crl.pem", &page(&server)])?.ended(0)?.printed(PAGE.as_bytes())?;
    println!(
        "s_server: wrong name, no name, expired, early, self-signed, unknown authority, wrong purpose, \
         revoked, another key: each told apart"
    );
    Ok(())
}

/// OpenSSL can ask for new keys within a connection of TLS 1.2 and is refused. Where it wants nothing but
/// to have asked the page comes nevertheless; where somebody types an R it ends the connection.
fn renegotiation(lab: &Lab) -> Outcome {
    let server = lab.start("s_server", |port| {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-www", "-tls1_2", "-accept"]).arg(port.to_string());
        command.args(["-cert", "localhost.pem", "-key", "localhost.pem"]);
        Ok(command)
    })?;
    let ran = fetch(lab, &[&page(&server).replace("page.html", "reneg")])?.ended(0)?;
    says(&ran, &["s_server -www", "NoRenegotiation"])?;
    let typed = lab.start("s_server-typed", |port| {
        let mut command = Command::new("sh");
        let script = "mkfifo typed && exec openssl s_server \"$@\" <>typed";
        command.args(["-c", script, "sh", "-tls1_2", "-accept"]).arg(port.to_string());
        command.args(["-cert", "localhost.pem", "-key", "localhost.pem"]);
        Ok(command)
    })?;
    let ran = thread::scope(|scope| {
        let typist = scope.spawn(|| {
            logs(|| typed.log(), |log| log.contains("GET /"), "no request came")?;
            lab.write("typed", "R\n").map(drop)
        });
        let ran = fetch(lab, &["--max-time", "20", &page(&typed)]);
        typist.join().map_err(|_| "the typist panicked".to_owned())??;
        ran
    })?;
    says(&ran.ended(35)?, &["localhost asked to renegotiate, which is refused here"])?;
    println!("s_server: renegotiation refused, with the page after it and without");
    Ok(())
}

/// nginx with https, and with certificates of clients wanted on another port.
fn nginx(lab: &Lab) -> Outcome {
    let start = |name: &str, more: &str| {
        lab.start(name, |port| {
            let folder = lab.folder(name)?;
            let folder = folder.display();
            let user = if is_root() { "user root;\n" } else { "" };
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|name| format!("    {name}_temp_path {folder}/{name};\n"))
                .concat();
            let (www, pem) = (lab.path("www"), lab.path("localhost.pem"));
            let (www, pem) = (www.display(), pem.display());
            let config = format!(
                "{user}daemon off;
worker_processes 1;
error_log stderr;
pid {folder}/pid;
events {{ worker_connections 128; }}
http {{
    access_log off;
{temporary}    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {pem};
        ssl_certificate_key {pem};
        ssl_session_cache shared:interop:1m;
        {more}
        root {www};
    }}
}}
"
            );
            let config = lab.write(&format!("{name}/config"), config)?;
            let mut command = Command::new("/usr/sbin/nginx");
            command.arg("-e").arg("stderr").arg("-c").arg(config);
            Ok(command)
        })
    };
    let server = start("nginx-tls", "ssl_protocols TLSv1.2 TLSv1.3;")?;
    let url = page(&server);
    for version in ["1.2", "1.3"] {
        let ran = fetch(lab, &["--explain", "--tls-max", version, &url, &url])?.ended(0)?;
        ran.printed(PAGE.repeat(2).as_bytes())?;
        says(&ran, &[&format!("TLSv{version}"), "connections opened: 0"])?;
    }
    let ca = lab.path("ca.crt");
    let wants = format!("ssl_client_certificate {}; ssl_verify_client on;", ca.display());
    let server = start("nginx-mutual", &wants)?;
    let url = page(&server);
    fetch(lab, &["--cert", "client.pem", &url])?.ended(0)?.printed(PAGE.as_bytes())?;
    // This one lets the handshake pass and answers with a status of 400.
    fetch(lab, &[&url])?.ended(22)?;
    println!("nginx: TLS 1.2 and 1.3, one connection for two, our certificate shown and missed");
    Ok(())
}
