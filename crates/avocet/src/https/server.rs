//! Servers of https.

use avocet_net::Transport;
use avocet_server::{Handler, Reply, Request, Response, Server};
use avocet_tls::{ServerSettings, ServerTls};
use http::header::HOST;
use http::{Method, StatusCode};

/// Settings for https: HTTP/1.1 inside, and an answer for those who speak it outside.
pub fn server_settings() -> ServerSettings {
    ServerSettings::new().protocols(super::PROTOCOLS).to_plaintext(WITHOUT_TLS)
}

/// Lets a server speak TLS on all of its addresses.
///
/// ```no_run
/// use avocet::https;
/// use avocet::server::{Response, Server, respond};
/// use avocet::tls::ServerTls;
///
/// let tls = ServerTls::open(https::server_settings().files("server.pem", None))?;
/// https::secure(Server::new(respond(|_| Response::text("Hello\n"))), &tls).bind()?.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Handlers find what the handshake has made sure of, a client's certificate among it, in
/// [`PeerInfo::secured`](avocet_net::PeerInfo::secured) of [`Request::peer`].
pub fn secure(server: Server, tls: &ServerTls) -> Server {
    let tls = tls.clone();
    server.wrap(move |transport| Box::new(tls.wrap(transport)) as Box<dyn Transport>)
}

/// Sends everybody from http to https on the same host: 301, or 308 where the method has to stay.
#[derive(Clone, Copy, Debug)]
pub struct ToHttps {
    port: u16,
}

impl ToHttps {
    /// To https on this port.
    pub fn new(port: u16) -> Self {
        Self { port }
    }

    /// The place of a request on the other side; `None` without a host.
    fn place(self, request: &Request<'_>) -> Option<String> {
        let host = std::str::from_utf8(request.field(&HOST)?).ok()?;
        let name = match host.rfind(':') {
            Some(colon) if !host[colon..].contains(']') => &host[..colon],
            _ => host,
        };
        if name.is_empty() {
            return None;
        }
        let port = if self.port == 443 { String::new() } else { format!(":{}", self.port) };
        let path = if request.path().starts_with('/') { request.path() } else { "/" };
        let query = request.query().map(|query| format!("?{query}")).unwrap_or_default();
        Some(format!("https://{name}{port}{path}{query}"))
    }
}

impl Handler for ToHttps {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        let status = match *request.method() {
            Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
            _ => StatusCode::PERMANENT_REDIRECT,
        };
        let response = match self.place(request) {
            Some(place) => Response::redirect(status, &place),
            None => Ok(Response::error(StatusCode::BAD_REQUEST)),
        };
        reply.send(response.unwrap_or_else(|_| Response::error(StatusCode::BAD_REQUEST)));
    }
}

/// RFC 9110 §15.5.1, for a client that speaks http where https is spoken.
const WITHOUT_TLS: &str = "HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 62\r\n\
    Connection: close\r\n\r\n\
    This port speaks https: put https:// in front of the address.\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_http_has_the_length_that_it_says() {
        let (head, content) = WITHOUT_TLS.split_once("\r\n\r\n").expect("a head");
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", content.len())),
            "{}",
            content.len()
        );
    }
}
