//! SOCKS 4 and 4a.
//!
//! ```text
//! client: 4, 1, port (2), IPv4 (4), user, 0   4a: address 0.0.0.1, and after the user: name, 0
//! proxy:  0, code, port (2), IPv4 (4)         code 90: granted
//! ```

use std::net::{Ipv4Addr, SocketAddr};

use super::{Destination, refused, unusable};
use crate::error::Error;
use crate::proxy::Proxy;

pub(crate) struct Machine {
    proxy: Proxy,
    request: Option<Vec<u8>>,
}

impl Machine {
    pub(super) fn new(proxy: Proxy, destination: Destination) -> Result<Self, Error> {
        let (address, port, name) = match destination {
            Destination::Address(SocketAddr::V4(address)) => (*address.ip(), address.port(), None),
            Destination::Address(SocketAddr::V6(address)) => match address.ip().to_ipv4_mapped() {
                Some(mapped) => (mapped, address.port(), None),
                None => return Err(unusable("SOCKS 4 knows no IPv6 addresses")),
            },
            // An address that cannot be one says that a name follows.
            Destination::Name(name, port) => (Ipv4Addr::new(0, 0, 0, 1), port, Some(name)),
        };
        let user = proxy.credentials.as_ref().map_or("", |(user, _)| user.as_str());
        if user.contains('\0') || name.as_ref().is_some_and(|name| name.contains('\0')) {
            return Err(unusable("a zero byte ends names and users of SOCKS 4"));
        }
        let mut request = vec![4, 1];
        request.extend_from_slice(&port.to_be_bytes());
        request.extend_from_slice(&address.octets());
        request.extend_from_slice(user.as_bytes());
        request.push(0);
        if let Some(name) = name {
            request.extend_from_slice(name.as_bytes());
            request.push(0);
        }
        Ok(Self { proxy, request: Some(request) })
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(usize, bool), Error> {
        if let Some(request) = self.request.take() {
            out.extend_from_slice(&request);
        }
        // What is no SOCKS is found out by its first byte, however little came.
        if input.first().is_some_and(|version| *version != 0) {
            return Err(refused(&self.proxy, "its answer is none of SOCKS 4"));
        }
        let [_, code, _, _, _, _, _, _, ..] = input else { return Ok((0, false)) };
        match code {
            90 => Ok((8, true)),
            91 => Err(refused(&self.proxy, "it refused the connection, or could not make it")),
            92 => Err(refused(&self.proxy, "it could not find out who the user is")),
            93 => Err(refused(&self.proxy, "it knows the user by another name")),
            _ => Err(refused(&self.proxy, "its answer is none of SOCKS 4")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::ProxyKind;

    fn asked(user: Option<&str>, destination: Destination) -> Result<(Machine, Vec<u8>), Error> {
        let mut proxy = Proxy::new(ProxyKind::Socks4a, "p", 1080);
        proxy.credentials = user.map(|user| (user.to_owned(), String::new()));
        let mut machine = Machine::new(proxy, destination)?;
        let mut out = Vec::new();
        assert_eq!(machine.step(b"", &mut out)?, (0, false));
        Ok((machine, out))
    }

    fn address(text: &str) -> Destination {
        Destination::Address(text.parse().expect("an address"))
    }

    #[test]
    fn addresses_and_names_on_the_wire() {
        let (_, out) = asked(None, address("1.2.3.4:80")).expect("it can be asked");
        assert_eq!(out, [4, 1, 0, 80, 1, 2, 3, 4, 0]);
        let name = Destination::Name("h.x".to_owned(), 258);
        let (_, out) = asked(Some("me"), name).expect("it can be asked");
        assert_eq!(out, b"\x04\x01\x01\x02\0\0\0\x01me\0h.x\0");
        let (_, out) = asked(None, address("[::ffff:1.2.3.4]:1")).expect("it can be asked");
        assert_eq!(out, [4, 1, 0, 1, 1, 2, 3, 4, 0]);
        assert!(asked(None, address("[2001:db8::1]:80")).is_err());
        assert!(asked(Some("a\0b"), address("1.2.3.4:80")).is_err());
        assert!(asked(None, Destination::Name("a\0b".to_owned(), 1)).is_err());
    }

    #[test]
    fn answers_whatever_their_pieces() {
        let granted = [0, 90, 0, 80, 1, 2, 3, 4];
        for cut in 0..8 {
            let (mut machine, _) = asked(None, address("1.2.3.4:80")).expect("it can be asked");
            let mut out = Vec::new();
            assert_eq!(machine.step(&granted[..cut], &mut out).expect("a part"), (0, false));
            assert_eq!(machine.step(&granted, &mut out).expect("all"), (8, true));
            assert!(out.is_empty());
        }
        for (answer, part) in [
            (&[0, 91, 0, 0, 0, 0, 0, 0][..], "refused"),
            (&[0, 92, 0, 0, 0, 0, 0, 0], "who the user is"),
            (&[0, 93, 0, 0, 0, 0, 0, 0], "another name"),
            (&[0, 0, 0, 0, 0, 0, 0, 0], "none of SOCKS"),
            (b"H", "none of SOCKS"),
        ] {
            let (mut machine, _) = asked(None, address("1.2.3.4:80")).expect("it can be asked");
            let error = machine.step(answer, &mut Vec::new()).expect_err("a refusal");
            assert!(error.message().contains(part), "{error}");
        }
    }
}
