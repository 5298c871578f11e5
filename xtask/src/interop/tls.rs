//! TLS with OpenSSL, curl, nginx, Python and Chromium on the other side, both ways round.

mod clients;
mod fetching;
mod hostile;
mod identities;
mod pki;
mod serving;

use super::lab::{Lab, Ran, Running, check};
use crate::Outcome;

/// What everybody asks for.
const PAGE: &str = "<p>Said in private.</p>\n";

pub(super) fn run(lab: &Lab) -> Outcome {
    pki::make(lab)?;
    lab.write_old("www/page.html", PAGE)?;
    serving::run(lab)?;
    clients::run(lab)?;
    identities::run(lab)?;
    fetching::run(lab)?;
    hostile::run(lab)
}

/// Our server, which says why it refuses.
fn serve(lab: &Lab, arguments: &[&str]) -> Result<Running, String> {
    lab.serve(&[&["www", "-vv"], arguments].concat())
}

/// The page of a server that answers for `localhost`.
fn page(server: &Running) -> String {
    format!("https://localhost:{}/page.html", server.port)
}

/// Asks our server with `openssl s_client`, which shows the handshake and then the answer.
fn s_client(lab: &Lab, server: &Running, more: &[&str]) -> Result<Ran, String> {
    let to = format!("127.0.0.1:{}", server.port);
    let common = ["s_client", "-connect", &to, "-CAfile", "ca.crt", "-verify_return_error"];
    let request = b"GET /page.html HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    lab.fed("openssl", &[&common[..], &["-ign_eof"], more].concat(), request)
}

/// Fails unless what a program said, on either output, has all of these in it.
fn says(ran: &Ran, words: &[&str]) -> Outcome {
    let text = format!("{}{}", ran.text(), ran.err);
    let missing: Vec<_> = words.iter().filter(|word| !text.contains(**word)).collect();
    check(missing.is_empty(), || format!("{}\n  does not say {missing:?}:\n{text}", ran.line()))
}
