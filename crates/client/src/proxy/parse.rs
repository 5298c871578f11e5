//! Proxies as people write them.

use std::fmt;
use std::str::FromStr;

use super::{Proxy, ProxyKind};
use crate::authority;
use crate::error::{Error, ErrorKind, Phase};

impl FromStr for Proxy {
    type Err = Error;

    /// Reads `[SCHEME://][USER[:PASSWORD]@]HOST[:PORT]` by curl's rules: without a scheme it is http,
    /// without a port 1080, or 443 for https. User and password are percent-decoded.
    ///
    /// *Errors*: [`ErrorKind::Proxy`] before anything is sent: a scheme that no proxy speaks, a host
    /// or port that is none. The password is not in the message.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyKind::Http,
            "https" => ProxyKind::Https,
            "socks4" => ProxyKind::Socks4,
            "socks4a" => ProxyKind::Socks4a,
            "socks5" => ProxyKind::Socks5,
            "socks5h" => ProxyKind::Socks5h,
            _ => {
                let scheme = scheme.escape_debug();
                return Err(bad(format_args!("`{scheme}` is nothing that a proxy speaks")));
            }
        };
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(self::login(login)?), rest),
            None => (None, rest),
        };
        let place = rest.strip_suffix('/').unwrap_or(rest);
        let wrong = || bad(format_args!("`{}` is no host with a port", place.escape_debug()));
        let (host, port) = authority::split(place).ok_or_else(wrong)?;
        let written = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let host = match url::Host::parse(&written).map_err(|_| wrong())? {
            url::Host::Domain(name) => name,
            url::Host::Ipv4(address) => address.to_string(),
            url::Host::Ipv6(address) => address.to_string(),
        };
        let usual = if kind == ProxyKind::Https { 443 } else { 1080 };
        let port = port.unwrap_or(usual);
        Ok(Self { kind, host, port, credentials, tunnel: false })
    }
}

fn login(text: &str) -> Result<(String, String), Error> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let decode = |part: &str| {
        let bytes: Vec<u8> = percent_encoding::percent_decode_str(part).collect();
        String::from_utf8(bytes).map_err(|_| bad("its user or password is not text"))
    };
    Ok((decode(user)?, decode(password)?))
}

fn bad(message: impl fmt::Display) -> Error {
    let message = format!("the setting of the proxy cannot be understood: {message}");
    Error::new(ErrorKind::Proxy, Phase::Prepare, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Login = Option<(String, String)>;

    fn read(text: &str) -> Option<(ProxyKind, String, u16, Login)> {
        let proxy: Proxy = text.parse().ok()?;
        Some((proxy.kind, proxy.host, proxy.port, proxy.credentials))
    }

    fn login(user: &str, password: &str) -> Login {
        Some((user.to_owned(), password.to_owned()))
    }

    #[test]
    fn as_curl_reads_them() {
        let host = |name: &str| name.to_owned();
        assert_eq!(read("p"), Some((ProxyKind::Http, host("p"), 1080, None)));
        assert_eq!(read("p:3128"), Some((ProxyKind::Http, host("p"), 3128, None)));
        assert_eq!(read("HTTP://P:80/"), Some((ProxyKind::Http, host("p"), 80, None)));
        assert_eq!(read("https://p"), Some((ProxyKind::Https, host("p"), 443, None)));
        assert_eq!(read("socks4a://p"), Some((ProxyKind::Socks4a, host("p"), 1080, None)));
        assert_eq!(read("socks5h://[::1]:1"), Some((ProxyKind::Socks5h, host("::1"), 1, None)));
        let with = read("u%40x:p%3Aw%2F@127.0.0.1:8080");
        let expected = (ProxyKind::Http, host("127.0.0.1"), 8080, login("u@x", "p:w/"));
        assert_eq!(with, Some(expected));
        assert_eq!(read("u@p").map(|proxy| proxy.3), Some(login("u", "")));
        assert_eq!(read("a@b:c@p").map(|proxy| proxy.3), Some(login("a@b", "c")));
    }

    #[test]
    fn what_is_none_is_an_error_without_the_password() {
        for text in
            ["", "ftp://p", "p:0x50", "p:65536", "http://", "p/path", "a b", "u:%ff@p", "[::1"]
        {
            let error = text.parse::<Proxy>().expect_err(text);
            assert_eq!((error.kind(), error.phase()), (ErrorKind::Proxy, Phase::Prepare));
        }
        let error = "http://me:secret@a b".parse::<Proxy>().expect_err("a blank");
        assert!(!error.to_string().contains("secret"), "{error}");
        let proxy: Proxy = "http://me:secret@p".parse().expect("a proxy");
        assert!(!format!("{proxy:?}").contains("secret"));
    }
}
