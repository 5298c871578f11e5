//! Certificates of clients: shown, missing, and wrong, to our server and by our program.

use super::super::lab::{Lab, check, logs};
use super::{PAGE, page, s_client, says, serve};
use crate::Outcome;

/// Who is not let in: the certificate, the alert that OpenSSL is told, and what our log says.
const REFUSED: &[(&str, &str, &str)] = &[
    ("", "alert certificate required", "has no certificate, which is required here"),
    ("client-foreign", "alert unknown ca", "was issued by nobody who is trusted here"),
    ("client-expired", "alert certificate expired", "expired 2021-01-01"),
    ("client-revoked", "alert certificate revoked", "the certificate of the client was revoked"),
    ("localhost", "alert", "is not for this purpose"),
];

pub(super) fn run(lab: &Lab) -> Outcome {
    let rules = ["--tls-pem", "localhost.pem", "--tls-client-ca", "ca.crt"];
    let server = serve(lab, &[&rules[..], &["--tls-client-crl", "crl.pem"]].concat())?;
    for version in ["-tls1_2", "-tls1_3"] {
        let ran = s_client(lab, &server, &[version, "-cert", "client.pem", "-key", "client.pem"])?;
        says(&ran.ended(0)?, &[PAGE])?;
    }
    for (name, alert, reason) in REFUSED {
        let file = format!("{name}.pem");
        let shown: &[&str] = if name.is_empty() { &[] } else { &["-cert", &file, "-key", &file] };
        let ran = s_client(lab, &server, shown)?.ended(1)?;
        says(&ran, &[alert])?;
        logs(|| server.log(), |log| log.contains(reason), &format!("{name}: no reason is logged"))?;
    }
    println!(
        "s_client: let in by its certificate; without, foreign, expired, revoked, for servers: each refused"
    );

    let url = page(&server);
    let curl =
        |more: &[&str]| lab.run("curl", &[&["-sS", "--cacert", "ca.crt", &url], more].concat());
    curl(&["--cert", "client.pem"])?.ended(0)?.printed(PAGE.as_bytes())?;
    for version in ["1.2", "1.3"] {
        let ran = curl(&["--tls-max", version])?;
        // The alert comes within the handshake of TLS 1.2 and after that of 1.3.
        check(ran.status != 0, || format!("{version}: let in without a certificate"))?;
        says(&ran, &["alert certificate required"])?;
    }
    let optional = serve(lab, &[&rules[..], &["--tls-client-optional"]].concat())?;
    let url = page(&optional);
    let curl = ["-sS", "--cacert", "ca.crt", &url];
    lab.run("curl", &curl)?.ended(0)?.printed(PAGE.as_bytes())?;
    println!(
        "curl: let in by its certificate; refused without; let in without where it is optional"
    );

    let url = page(&server);
    let fetch = |more: &[&str]| {
        lab.avocet(&[&["fetch", "--fail", "--cacert", "ca.crt", &url], more].concat())
    };
    fetch(&["--cert", "client.pem"])?.ended(0)?.printed(PAGE.as_bytes())?;
    fetch(&["--cert", "client.crt", "--key", "leaf.key"])?.ended(0)?.printed(PAGE.as_bytes())?;
    says(&fetch(&[])?.ended(98)?, &["wants a certificate from us"])?;
    let foreign = fetch(&["--cert", "client-foreign.pem"])?.ended(98)?;
    says(&foreign, &["does not know who issued our certificate"])?;
    let ran = fetch(&["--cert", "client-revoked.pem"])?.ended(98)?;
    says(&ran, &["says that our certificate was revoked"])?;
    let ran = fetch(&["--cert", "client.crt", "--key", "ca.key"])?.ended(58)?;
    check(ran.err.contains("does not belong to the certificate"), || ran.err.clone())?;
    println!(
        "avocet: let in by its certificate; asked for it, refused, and a key of another, each told"
    );
    Ok(())
}
