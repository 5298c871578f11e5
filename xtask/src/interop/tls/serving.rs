//! `openssl s_client` asks our server.

use super::super::lab::{Lab, Running, check, logs};
use super::{PAGE, s_client, says, serve};
use crate::Outcome;

pub(super) fn run(lab: &Lab) -> Outcome {
    let server = serve(lab, &["--tls-pem", "localhost.pem", "--tls-pem", "birds.pem"])?;
    versions(lab, &server)?;
    names_and_protocols(lab, &server)?;
    resumption(lab, &server)?;
    renegotiation(lab, &server)
}

fn versions(lab: &Lab, server: &Running) -> Outcome {
    for (flag, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let ran = s_client(lab, server, &[flag, "-verify_hostname", "localhost"])?.ended(0)?;
        let new = format!("New, {version}");
        says(&ran, &[&new, "Verify return code: 0 (ok)", "HTTP/1.1 200 OK", PAGE])?;
    }
    for (times, flag) in ["-tls1", "-tls1_1"].into_iter().enumerate() {
        // Without this OpenSSL itself would refuse.
        let ran = s_client(lab, server, &[flag, "-cipher", "DEFAULT@SECLEVEL=0"])?.ended(1)?;
        // The hello of an old version lacks an extension, which is noticed before the version is.
        says(&ran, &["alert handshake failure"])?;
        let reason = "as is the way of versions of TLS before 1.2";
        let logged = |log: &str| log.matches(reason).count() > times;
        logs(|| server.log(), logged, &format!("{flag} was refused without a reason"))?;
    }
    println!("s_client: TLS 1.2 and 1.3 with the chain checked; 1.0 and 1.1 refused by an alert");
    Ok(())
}

fn names_and_protocols(lab: &Lab, server: &Running) -> Outcome {
    for (name, subject) in [
        (&["-servername", "birds.example"][..], "subject=CN = birds.example"),
        (&["-servername", "localhost"], "subject=CN = localhost"),
        (&["-servername", "other.example"], "subject=CN = localhost"),
        (&["-noservername"], "subject=CN = localhost"),
    ] {
        says(&s_client(lab, server, name)?.ended(0)?, &[subject])?;
    }
    for (offered, chosen) in [("h2,http/1.1", "ALPN protocol: http/1.1"), ("http/1.1", "http/1.1")]
    {
        says(&s_client(lab, server, &["-alpn", offered])?.ended(0)?, &[chosen])?;
    }
    says(&s_client(lab, server, &[])?.ended(0)?, &["No ALPN negotiated"])?;
    let ran = s_client(lab, server, &["-alpn", "h2"])?.ended(1)?;
    says(&ran, &["no application protocol"])?;
    let reason = "the client speaks none of the protocols that are offered inside TLS";
    logs(|| server.log(), |log| log.contains(reason), "h2 was refused without a reason")?;
    println!("s_client: certificates by name, ALPN chosen, left out and without a match");
    Ok(())
}

fn resumption(lab: &Lab, server: &Running) -> Outcome {
    for (flag, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let first = s_client(lab, server, &[flag, "-sess_out", "session"])?.ended(0)?;
        says(&first, &[&format!("New, {version}")])?;
        let second = s_client(lab, server, &[flag, "-sess_in", "session"])?.ended(0)?;
        says(&second, &[&format!("Reused, {version}"), PAGE])?;
    }
    // What came from another server is not taken, and costs nothing but a whole handshake.
    let other = serve(lab, &["--tls-pem", "localhost.pem"])?;
    let ran = s_client(lab, &other, &["-tls1_3", "-sess_in", "session"])?.ended(0)?;
    says(&ran, &["New, TLSv1.3", PAGE])?;
    println!("s_client: sessions resumed in both versions, and not with another server");
    Ok(())
}

/// The letter R, typed into `s_client`, asks for new keys within a connection of TLS 1.2.
fn renegotiation(lab: &Lab, server: &Running) -> Outcome {
    let to = format!("127.0.0.1:{}", server.port);
    let ran =
        lab.fed("openssl", &["s_client", "-connect", &to, "-tls1_2", "-CAfile", "ca.crt"], b"R\n")?;
    says(&ran, &["RENEGOTIATING", "no renegotiation"])?;
    check(ran.status == 1, || format!("renegotiation was not refused: {}", ran.status))?;
    println!("s_client: renegotiation refused");
    Ok(())
}
