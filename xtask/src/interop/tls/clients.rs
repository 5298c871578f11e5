//! curl, nginx, Python and Chromium ask our server.

use std::process::Command;

use super::super::lab::{Lab, Running, check, is_root, logs};
use super::{PAGE, page, says, serve};
use crate::Outcome;

pub(super) fn run(lab: &Lab) -> Outcome {
    let server = serve(lab, &["--tls-pem", "localhost.pem"])?;
    curl(lab, &server)?;
    by_nginx(lab, &server)?;
    python(lab, &server)?;
    chromium(lab, &server)
}

fn curl(lab: &Lab, server: &Running) -> Outcome {
    let url = page(server);
    let curl = |more: &[&str]| lab.run("curl", &[&["-sS"], more].concat());
    for version in ["1.2", "1.3"] {
        let least = format!("--tlsv{version}");
        let ran = curl(&["--cacert", "ca.crt", &least, "--tls-max", version, &url])?.ended(0)?;
        ran.printed(PAGE.as_bytes())?;
    }
    let old = ["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", &url];
    says(&curl(&old)?.ended(35)?, &["alert handshake failure"])?;
    says(&curl(&[&url])?.ended(60)?, &["unable to get local issuer certificate"])?;
    let there = format!("other.example:{}:127.0.0.1", server.port);
    let other = url.replace("localhost", "other.example");
    let ran = curl(&["--cacert", "ca.crt", "--resolve", &there, &other])?.ended(60)?;
    says(&ran, &["no alternative certificate subject name matches"])?;
    let many = format!("{url}?[1-50]");
    let ran = curl(&["--cacert", "ca.crt", "-o", "/dev/null", "-w", "%{num_connects}", &many])?;
    ran.ended(0)?.printed(format!("1{}", "0".repeat(49)).as_bytes())?;
    let ran = curl(&["-w", "%{http_code}", &server.url("/page.html")])?.ended(0)?;
    says(&ran, &["This port speaks https", "400"])?;
    for (name, words) in [
        ("expired", "certificate has expired"),
        ("early", "certificate is not yet valid"),
        ("self", "self-signed certificate"),
        ("foreign", "unable to get local issuer certificate"),
    ] {
        let server = serve(lab, &["--tls-pem", &format!("{name}.pem")])?;
        says(&curl(&["--cacert", "ca.crt", &page(&server)])?.ended(60)?, &[words])?;
    }
    let revoked = serve(lab, &["--tls-pem", "revoked.pem"])?;
    let ran = curl(&["--cacert", "ca.crt", "--crlfile", "crl.pem", &page(&revoked)])?.ended(60)?;
    says(&ran, &["certificate revoked"])?;
    println!(
        "curl: versions, one connection for many, http told of https; every bad certificate noticed"
    );
    Ok(())
}

/// nginx forwards to us by https and checks whom it has before it.
fn by_nginx(lab: &Lab, server: &Running) -> Outcome {
    let nginx = lab.start("nginx-before", |port| {
        let folder = lab.folder("nginx-before")?;
        let folder = folder.display();
        let user = if is_root() { "user root;\n" } else { "" };
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("    {name}_temp_path {folder}/{name};\n"))
            .concat();
        let (ca, to) = (lab.path("ca.crt"), server.port);
        let ca = ca.display();
        let config = format!(
            "{user}daemon off;
worker_processes 1;
error_log stderr;
pid {folder}/pid;
events {{ worker_connections 128; }}
http {{
    access_log off;
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate {ca};
    proxy_ssl_protocols TLSv1.2 TLSv1.3;
    proxy_ssl_server_name on;
    proxy_http_version 1.1;
{temporary}    server {{
        listen 127.0.0.1:{port};
        proxy_ssl_name localhost;
        location /good/ {{ proxy_pass https://127.0.0.1:{to}/; }}
        location /wrong/ {{ proxy_ssl_name other.example; proxy_pass https://127.0.0.1:{to}/; }}
    }}
}}
"
        );
        let config = lab.write("nginx-before/config", config)?;
        let mut command = Command::new("/usr/sbin/nginx");
        command.arg("-e").arg("stderr").arg("-c").arg(config);
        Ok(command)
    })?;
    let curl = |path: &str| lab.run("curl", &["-sS", &nginx.url(path)])?.ended(0);
    for _ in 0..3 {
        curl("/good/page.html")?.printed(PAGE.as_bytes())?;
    }
    says(&curl("/wrong/page.html")?, &["502 Bad Gateway"])?;
    let noticed = |log: &str| log.contains("does not match \"other.example\"");
    logs(|| nginx.log(), noticed, "nginx did not check the name")?;
    println!("nginx: forwards by https with the certificate checked, and refuses a wrong name");
    Ok(())
}

fn python(lab: &Lab, server: &Running) -> Outcome {
    let port = server.port.to_string();
    let ran = lab.python(include_str!("client.py"), &[&port, "ca.crt", PAGE])?.ended(0)?;
    print!("{}", ran.text());
    Ok(())
}

/// Chromium takes a certificate by its key, since it asks only the system whom to trust.
fn chromium(lab: &Lab, server: &Running) -> Outcome {
    let key = lab.run(
        "openssl",
        &["pkey", "-in", "leaf.key", "-pubout", "-outform", "DER", "-out", "leaf.spki"],
    );
    key?.ended(0)?;
    lab.run("openssl", &["dgst", "-sha256", "-binary", "-out", "leaf.hash", "leaf.spki"])?
        .ended(0)?;
    let hash = lab.run("openssl", &["base64", "-in", "leaf.hash"])?.ended(0)?.text();
    let trust = format!("--ignore-certificate-errors-spki-list={}", hash.trim());
    let profile = format!("--user-data-dir={}", lab.folder("chromium")?.display());
    let url = page(server);
    let chromium = |more: &[&str]| {
        let common = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
        let quiet = ["--disable-extensions", "--no-first-run", "--disable-background-networking"];
        let page = [profile.as_str(), "--dump-dom", &url];
        lab.run("chromium", &[&common[..], &quiet, more, &page].concat())?.ended(0)
    };
    let ran = chromium(&[])?;
    check(!ran.text().contains(PAGE.trim()), || "Chromium trusts everybody".to_owned())?;
    says(&ran, &["ERR_CERT_AUTHORITY_INVALID"])?;
    let ran = chromium(&[&trust])?;
    check(ran.text().contains(PAGE.trim()), || format!("no page in Chromium: {}", ran.text()))?;
    let served = |log: &str| log.contains("\"GET /page.html HTTP/1.1\" 200");
    logs(|| server.log(), served, "Chromium did not ask")?;
    println!("Chromium: a page over https, and an authority that it does not know");
    Ok(())
}
