//! SOCKS 5 (RFC 1928) with name and password (RFC 1929).
//!
//! ```text
//! client: 5, count, methods             proxy: 5, method
//! client: 1, len, name, len, password   proxy: 1, 0              with method 2
//! client: 5, 1, 0, kind, address, port  proxy: 5, reply, 0, kind, address, port
//! ```

use std::net::SocketAddr;

use super::{Destination, refused, unusable};
use crate::error::Error;
use crate::proxy::Proxy;

pub(crate) struct Machine {
    proxy: Proxy,
    stage: Stage,
    /// Name and password as they go on the wire.
    login: Option<Vec<u8>>,
    request: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Fresh,
    Methods,
    Login,
    Reply,
}

impl Machine {
    pub(super) fn new(proxy: Proxy, destination: Destination) -> Result<Self, Error> {
        let mut request = vec![5, 1, 0];
        let port = match destination {
            Destination::Address(SocketAddr::V4(address)) => {
                request.push(V4);
                request.extend_from_slice(&address.ip().octets());
                address.port()
            }
            Destination::Address(SocketAddr::V6(address)) => {
                request.push(V6);
                request.extend_from_slice(&address.ip().octets());
                address.port()
            }
            Destination::Name(name, port) => {
                request.push(NAME);
                push_short(&name, &mut request)
                    .ok_or_else(|| unusable("SOCKS 5 knows no names beyond 255 bytes"))?;
                port
            }
        };
        request.extend_from_slice(&port.to_be_bytes());
        let login = match &proxy.credentials {
            None => None,
            Some((name, password)) => {
                let mut login = vec![1];
                let long = "SOCKS 5 knows no name or password beyond 255 bytes";
                push_short(name, &mut login).ok_or_else(|| unusable(long))?;
                push_short(password, &mut login).ok_or_else(|| unusable(long))?;
                Some(login)
            }
        };
        Ok(Self { proxy, stage: Stage::Fresh, login, request })
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(usize, bool), Error> {
        let mut used = 0;
        loop {
            let input = &input[used..];
            match self.stage {
                Stage::Fresh => {
                    // What is not offered cannot be asked for: a name goes to nobody who needs none.
                    let methods: &[u8] =
                        if self.login.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
                    out.extend_from_slice(methods);
                    self.stage = Stage::Methods;
                }
                Stage::Methods => {
                    self.check_version(input, 5)?;
                    let [_, method, ..] = input else { return Ok((used, false)) };
                    used += 2;
                    match (method, &self.login) {
                        (0, _) => {
                            out.extend_from_slice(&self.request);
                            self.stage = Stage::Reply;
                        }
                        (2, Some(login)) => {
                            out.extend_from_slice(login);
                            self.stage = Stage::Login;
                        }
                        (0xff, _) | (2, None) => return Err(self.proxy.wants_password()),
                        _ => return Err(self.nonsense()),
                    }
                }
                Stage::Login => {
                    self.check_version(input, 1)?;
                    let [_, status, ..] = input else { return Ok((used, false)) };
                    used += 2;
                    if *status != 0 {
                        return Err(self.proxy.wants_password());
                    }
                    out.extend_from_slice(&self.request);
                    self.stage = Stage::Reply;
                }
                Stage::Reply => {
                    self.check_version(input, 5)?;
                    let [_, reply, _, kind, rest @ ..] = input else { return Ok((used, false)) };
                    if *reply != 0 {
                        return Err(self.failed(*reply));
                    }
                    let address = match (*kind, rest.first()) {
                        (V4, _) => 4,
                        (V6, _) => 16,
                        (NAME, Some(len)) => 1 + usize::from(*len),
                        (NAME, None) => return Ok((used, false)),
                        _ => return Err(self.nonsense()),
                    };
                    let whole = 4 + address + 2;
                    if input.len() < whole {
                        return Ok((used, false));
                    }
                    return Ok((used + whole, true));
                }
            }
        }
    }

    /// What is no SOCKS is found out by its first byte, however little came.
    fn check_version(&self, input: &[u8], version: u8) -> Result<(), Error> {
        match input.first() {
            Some(first) if *first != version => Err(self.nonsense()),
            _ => Ok(()),
        }
    }

    fn nonsense(&self) -> Error {
        refused(&self.proxy, "its answer is none of SOCKS 5")
    }

    fn failed(&self, reply: u8) -> Error {
        let reason = match reply {
            1 => "it failed",
            2 => "its rules do not allow the connection",
            3 => "the network cannot be reached",
            4 => "the host cannot be reached",
            5 => "the host refused the connection",
            6 => "the connection took too many hops",
            7 => "it knows no connections",
            8 => "it does not know this kind of address",
            _ => return self.nonsense(),
        };
        refused(&self.proxy, reason)
    }
}

/// Puts a text behind its length, which is one byte.
fn push_short(text: &str, out: &mut Vec<u8>) -> Option<()> {
    out.push(u8::try_from(text.len()).ok()?);
    out.extend_from_slice(text.as_bytes());
    Some(())
}

const V4: u8 = 1;
const NAME: u8 = 3;
const V6: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::proxy::ProxyKind;

    fn machine(login: Option<(&str, &str)>, destination: Destination) -> Result<Machine, Error> {
        let mut proxy = Proxy::new(ProxyKind::Socks5h, "p", 1080);
        proxy.credentials = login.map(|(name, word)| (name.to_owned(), word.to_owned()));
        Machine::new(proxy, destination)
    }

    /// Talks with the proxy's bytes, cut at every place; what was said, or the error.
    fn talk(
        login: Option<(&str, &str)>,
        destination: &Destination,
        answers: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let mut said = None;
        for cut in 0..=answers.len() {
            let mut machine = machine(login, destination.clone())?;
            let mut out = Vec::new();
            let (mut used, mut done) = machine.step(b"", &mut out)?;
            for end in [cut, answers.len()] {
                assert!(!done || used == answers.len());
                if !done {
                    let step = machine.step(&answers[used..end], &mut out)?;
                    (used, done) = (used + step.0, step.1);
                }
            }
            assert!(done && used == answers.len());
            assert_eq!(*said.get_or_insert_with(|| out.clone()), out, "cut at {cut}");
        }
        Ok(said.expect("at least one cut"))
    }

    fn name() -> Destination {
        Destination::Name("h.x".to_owned(), 258)
    }

    #[test]
    fn without_and_with_a_password() {
        let reply = b"\x05\0\x05\0\0\x01\x01\x02\x03\x04\0\x50";
        let said = talk(None, &name(), reply).expect("granted");
        assert_eq!(said, b"\x05\x01\0\x05\x01\0\x03\x03h.x\x01\x02");
        let said = talk(Some(("me", "word")), &name(), reply).expect("granted without asking");
        assert_eq!(said, b"\x05\x02\0\x02\x05\x01\0\x03\x03h.x\x01\x02");
        let reply = b"\x05\x02\x01\0\x05\0\0\x03\x02ab\0\x50";
        let said = talk(Some(("me", "word")), &name(), reply).expect("granted");
        assert_eq!(said, b"\x05\x02\0\x02\x01\x02me\x04word\x05\x01\0\x03\x03h.x\x01\x02");
    }

    #[test]
    fn addresses_on_the_wire() {
        let address = |text: &str| Destination::Address(text.parse().expect("an address"));
        let mut reply = b"\x05\0\x05\0\0\x04".to_vec();
        reply.extend_from_slice(&[0; 18]);
        let said = talk(None, &address("1.2.3.4:80"), &reply).expect("granted");
        assert_eq!(said[3..], [5, 1, 0, 1, 1, 2, 3, 4, 0, 80]);
        let said = talk(None, &address("[::1]:80"), &reply).expect("granted");
        assert_eq!(said[3..7], [5, 1, 0, 4]);
        assert_eq!(said[22..], [1, 0, 80]);
    }

    #[test]
    fn refusals_say_why() {
        for (login, answers, part) in [
            (None, &b"\x05\xff"[..], "wants a password"),
            (None, b"\x05\x02", "wants a password"),
            (Some(("a", "b")), b"\x05\xff", "wants another password"),
            (Some(("a", "b")), b"\x05\x02\x01\x01", "wants another password"),
            (None, b"\x05\x03", "none of SOCKS 5"),
            (None, b"\x04", "none of SOCKS 5"),
            (None, b"HTTP/1.1 400 Bad Request", "none of SOCKS 5"),
            (None, b"\x05\0\x05\x05\0\x01", "the host refused"),
            (None, b"\x05\0\x05\x02\0\x01", "rules do not allow"),
            (None, b"\x05\0\x05\x63\0\x01", "none of SOCKS 5"),
            (None, b"\x05\0\x05\0\0\x09", "none of SOCKS 5"),
        ] {
            let mut machine = machine(login, name()).expect("it can be asked");
            let error = machine.step(answers, &mut Vec::new()).expect_err("a refusal");
            assert!(error.message().contains(part), "{answers:?}: {error}");
            assert_eq!(error.kind(), ErrorKind::Proxy);
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error_before_anything_is_said() {
        let long = "x".repeat(256);
        assert!(machine(None, Destination::Name(long.clone(), 1)).is_err());
        assert!(machine(Some((&long, "")), name()).is_err());
        assert!(machine(Some(("", &long)), name()).is_err());
        let most = "x".repeat(255);
        assert!(machine(Some((&most, &most)), Destination::Name(most.clone(), 1)).is_ok());
    }
}
