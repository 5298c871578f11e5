//! A tunnel through a proxy of HTTP: CONNECT, as a machine over bytes.

use avocet_semantics::auth::basic;
use avocet_wire::{BodySize, Client, Connection, Event, FieldBuf, FieldTable, Leniency, Limits};
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{Method, StatusCode};

use super::chain::Handshake;
use crate::error::{Error, ErrorKind, Phase};
use crate::proxy::Proxy;

/// Asks a proxy for a tunnel to a host.
///
/// *Spec*: RFC 9110 §9.3.6.
pub(super) struct Tunnel {
    proxy: Proxy,
    target: String,
    fields: FieldBuf,
    conn: Connection<Client>,
    table: FieldTable,
    asked: bool,
}

impl Tunnel {
    pub(super) fn new(proxy: Proxy, host: &str, port: u16, own: FieldBuf) -> Result<Self, Error> {
        let target =
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let unsendable =
            |error: &dyn std::fmt::Display| Error::new(ErrorKind::Request, Phase::Proxy, error);
        let mut fields = FieldBuf::new();
        fields.push(&HOST, &target).map_err(|error| unsendable(&error))?;
        fields.extend(&own);
        if let Some((name, password)) = &proxy.credentials
            && !fields.contains(&PROXY_AUTHORIZATION)
        {
            let login = basic::Login::new(name, password).map_err(|error| unsendable(&error))?;
            let value = login.to_field();
            fields.push(&PROXY_AUTHORIZATION, value).map_err(|error| unsendable(&error))?;
        }
        let limits = Limits { head: LONGEST_HEAD, ..Limits::client() };
        let table = FieldTable::new(limits, Leniency::client());
        Ok(Self { proxy, target, fields, conn: Connection::new(), table, asked: false })
    }

    fn refused(&self, status: StatusCode) -> Error {
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return self.proxy.wants_password();
        }
        let (proxy, target) = (&self.proxy, &self.target);
        let message =
            format!("the proxy {} port {} refused {target}: {status}", proxy.host, proxy.port);
        Error::new(ErrorKind::Proxy, Phase::Proxy, message).with_status(status)
    }
}

impl Handshake for Tunnel {
    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(usize, bool), Error> {
        if !std::mem::replace(&mut self.asked, true) {
            let fields = &[&self.fields];
            let sent = self.conn.send_request(
                &Method::CONNECT,
                &self.target,
                fields,
                BodySize::Empty,
                out,
            );
            sent.map_err(|error| {
                Error::new(ErrorKind::Request, Phase::Proxy, error).caused_by(error)
            })?;
        }
        let mut used = 0;
        loop {
            let step = self.conn.read(&input[used..], &mut self.table).map_err(|error| {
                let message = format!("the proxy's answer: {error}");
                Error::new(ErrorKind::Proxy, Phase::Proxy, message).caused_by(error)
            })?;
            used += step.used;
            match step.event {
                Event::NeedMore | Event::Paused => return Ok((used, false)),
                Event::Interim(_) | Event::End(_) => {}
                Event::Head { head, .. } if head.status.is_success() => {}
                Event::Head { head, .. } => {
                    let status = head.status;
                    return Err(self.refused(status));
                }
                Event::Switched => return Ok((used, true)),
                Event::Data(_) => {
                    let message = "the proxy's answer has content where a tunnel should be";
                    return Err(Error::new(ErrorKind::Proxy, Phase::Proxy, message));
                }
            }
        }
    }
}

/// More than any proxy says about a tunnel.
const LONGEST_HEAD: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::ProxyKind;

    fn tunnel(credentials: Option<(&str, &str)>) -> (Tunnel, String) {
        let mut proxy = Proxy::new(ProxyKind::Http, "p", 3128);
        proxy.credentials = credentials.map(|(name, word)| (name.to_owned(), word.to_owned()));
        let mut tunnel = Tunnel::new(proxy, "::1", 443, FieldBuf::new()).expect("it can be asked");
        let mut out = Vec::new();
        assert_eq!(tunnel.step(b"", &mut out).expect("nothing came"), (0, false));
        (tunnel, String::from_utf8(out).expect("text"))
    }

    #[test]
    fn it_names_the_host_and_logs_in_where_it_can() {
        let (_, asked) = tunnel(Some(("me", "word")));
        assert_eq!(
            asked,
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\
             Proxy-Authorization: Basic bWU6d29yZA==\r\n\r\n"
        );
        assert!(!tunnel(None).1.contains("Authorization"));
    }

    #[test]
    fn it_stands_after_2xx_whatever_the_pieces() {
        let answer = b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.0 200 Connection established\r\n\
                       Content-Length: 5\r\nX: y\r\n\r\nearly";
        let end = answer.len() - 5;
        for cut in 0..end {
            let (mut tunnel, _) = tunnel(None);
            let (used, done) = tunnel.step(&answer[..cut], &mut Vec::new()).expect("a part");
            assert!(!done && used <= cut);
            let step = tunnel.step(&answer[used..], &mut Vec::new()).expect("the rest");
            assert_eq!(step, (end - used, true));
        }
    }

    #[test]
    fn a_refusal_names_the_status_and_407_the_password() {
        for (answer, credentials, expected) in [
            (
                "HTTP/1.1 403 Forbidden\r\n\r\n",
                None,
                "the proxy p port 3128 refused [::1]:443: 403 Forbidden",
            ),
            ("HTTP/1.1 407 X\r\n\r\n", None, "the proxy p port 3128 wants a password"),
            (
                "HTTP/1.1 407 X\r\n\r\n",
                Some(("a", "b")),
                "the proxy p port 3128 wants another password",
            ),
        ] {
            let (mut tunnel, _) = tunnel(credentials);
            let error = tunnel.step(answer.as_bytes(), &mut Vec::new()).expect_err("a refusal");
            assert_eq!((error.kind(), error.message()), (ErrorKind::Proxy, expected));
            assert!(error.status().is_some());
        }
        let (mut tunnel, _) = tunnel(None);
        assert!(tunnel.step(b"SSH-2.0-x\r\n\r\n", &mut Vec::new()).is_err());
    }
}
