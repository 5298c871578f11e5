//! The way to a host: proxies, addresses, families, interfaces, sockets in the file system.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use avocet::client::{
    ChooseProxy, ConnectTo, Dialer, Error, ErrorKind, Hook, Hop, HostPatterns, Phase, Proxies,
    Proxy,
};
use avocet::net::{Families, Local};
use avocet::wire::FieldBuf;
use url::Url;

use super::args::Fetch;
use super::fields::own_fields;
use crate::failure::Failure;

/// The proxies: those of -x, else those of the environment, except for the hosts of --noproxy.
///
/// *Errors*: what names no proxy.
pub(super) fn proxies(options: &Fetch) -> Result<Arc<dyn ChooseProxy>, Failure> {
    let failed = |error: Error| {
        // As curl ends for a proxy that cannot be found.
        Failure::with_status(5, format_args!("proxy: {}", error.message()))
    };
    let proxies = match options.way.proxy().as_deref() {
        None => Proxies::from_env().map_err(failed)?,
        Some("") => Proxies::none(),
        Some(text) => Proxies::all(text.parse().map_err(failed)?),
    };
    let proxies = match &options.way.noproxy {
        Some(hosts) => proxies.except(HostPatterns::parse(hosts)),
        None => proxies,
    };
    let login = options.way.proxy_user.as_ref().map(|login| {
        let (name, password) = login.split_once(':').unwrap_or((login, ""));
        (name.to_owned(), password.to_owned())
    });
    let before = match options.way.preproxy.as_deref() {
        None | Some("") => None,
        Some(text) if text.contains("://") => Some(text.parse().map_err(failed)?),
        Some(text) => Some(format!("socks4://{text}").parse().map_err(failed)?),
    };
    Ok(Arc::new(Told { before, proxies, login, tunnel: options.way.proxytunnel }))
}

/// Proxies with what -U and -p say for them, wherever they come from.
struct Told {
    /// The one that leads to the others, or to the host where there are none.
    before: Option<Proxy>,
    proxies: Proxies,
    login: Option<(String, String)>,
    tunnel: bool,
}

impl ChooseProxy for Told {
    fn choose(&self, url: &Url) -> Result<Vec<Proxy>, Error> {
        let mut chosen = self.proxies.choose(url)?;
        for proxy in &mut chosen {
            if let Some(login) = &self.login {
                proxy.credentials = Some(login.clone());
            }
            proxy.tunnel |= self.tunnel;
        }
        chosen.splice(0..0, self.before.clone());
        Ok(chosen)
    }
}

/// What makes the connections.
///
/// *Errors*: options that cannot be understood.
pub(super) fn dialer(options: &Fetch) -> Result<Dialer, Failure> {
    let mut dialer = Dialer::new();
    for text in &options.way.resolve {
        let wrong =
            || Failure::usage(format_args!("`{text}` is not HOST:PORT:ADDRESS[,ADDRESS]..."));
        // Nothing that was said here is forgotten with time, which is what curl's + asks for.
        let rule = text.strip_prefix('+').unwrap_or(text);
        let (host, port, addresses) = resolution(rule).ok_or_else(wrong)?;
        dialer = match (host, addresses.first()) {
            ("*", Some(IpAddr::V6(address))) => anywhere(dialer, port, &format!("[{address}]"))?,
            ("*", Some(address)) => anywhere(dialer, port, &address.to_string())?,
            _ => dialer.resolve(host, Some(port), &addresses),
        };
    }
    for text in &options.way.connect_to {
        let instead = ConnectTo::parse(text).map_err(|error| Failure::usage(error.message()))?;
        dialer = dialer.connect_to(instead);
    }
    if options.way.ipv4 {
        dialer = dialer.families(Families::V4);
    } else if options.way.ipv6 {
        dialer = dialer.families(Families::V6);
    }
    let mut local = Local::default();
    if !options.way.no_keepalive {
        local.keepalive = Some(Duration::from_secs(u64::from(options.way.keepalive_time)));
    }
    if let Some(name) = &options.way.interface {
        let plain = name.strip_prefix("if!").or_else(|| name.strip_prefix("host!"));
        match plain.unwrap_or(name).parse::<IpAddr>() {
            Ok(address) => local.address = Some(address),
            Err(_) => local.interface = Some(interface(plain.unwrap_or(name))?),
        }
    }
    dialer = dialer.local(local);
    let delay = Duration::from_millis(u64::from(options.way.happy_eyeballs_timeout_ms));
    dialer = dialer.attempt_delay(delay);
    if let Some(path) = &options.way.unix_socket {
        dialer = dialer.path(path.as_path());
    }
    dialer = dialer.tunnel_fields(proxy_fields(options)?);
    options.secure.dialer(dialer)
}

/// The fields of --proxy-header.
///
/// *Errors*: lines that are no fields.
fn proxy_fields(options: &Fetch) -> Result<FieldBuf, Failure> {
    let mut fields = FieldBuf::new();
    own_fields(&mut fields, &options.way.proxy_header)?;
    Ok(fields)
}

/// Gives the fields of --proxy-header to a proxy that is asked for the page itself; one that is asked
/// for a tunnel has them in that request.
pub(super) struct ForProxy(FieldBuf);

impl ForProxy {
    /// `None` if there are no such fields.
    ///
    /// *Errors*: lines that are no fields.
    pub(super) fn new(options: &Fetch) -> Result<Option<Self>, Failure> {
        let fields = proxy_fields(options)?;
        Ok((!options.way.proxy_header.is_empty()).then_some(Self(fields)))
    }
}

impl Hook for ForProxy {
    fn on_request(&self, hop: &Hop<'_>, fields: &mut FieldBuf) -> Result<(), Error> {
        if !hop.route.wants_absolute_form() {
            return Ok(());
        }
        for (name, value) in self.0.iter() {
            fields.push_raw(name, value).map_err(|error| {
                Error::new(ErrorKind::Request, Phase::Prepare, format_args!("{name}: {error}"))
            })?;
        }
        Ok(())
    }
}

/// Every host with this port is at one address.
fn anywhere(dialer: Dialer, port: u16, address: &str) -> Result<Dialer, Failure> {
    let rule = format!(":{port}:{address}:{port}");
    let instead = ConnectTo::parse(&rule).map_err(|error| Failure::usage(error.message()))?;
    Ok(dialer.connect_to(instead))
}

/// *Errors*: there is none of that name.
fn interface(name: &str) -> Result<String, Failure> {
    let known = Path::new("/sys/class/net");
    if known.is_dir() && !known.join(name).exists() {
        return Err(Failure::with_status(45, format_args!("there is no interface `{name}`")));
    }
    Ok(name.to_owned())
}

/// `HOST:PORT:ADDRESS[,ADDRESS]...`; addresses of IPv6 may stand in brackets.
fn resolution(text: &str) -> Option<(&str, u16, Vec<IpAddr>)> {
    let (host, rest) = text.split_once(':')?;
    let (port, addresses) = rest.split_once(':')?;
    let plain = |address: &str| {
        let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        inner.unwrap_or(address).parse().ok()
    };
    let addresses: Option<Vec<IpAddr>> = addresses.split(',').map(plain).collect();
    (!host.is_empty()).then_some((host, port.parse().ok()?, addresses?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_are_read() {
        let (host, port, addresses) = resolution("h:80:127.0.0.1,[::1]").unwrap();
        assert_eq!((host, port, addresses.len()), ("h", 80, 2));
        for wrong in ["h", "h:80", "h:x:127.0.0.1", "h:80:", "h:80:name", ":80:127.0.0.1"] {
            assert!(resolution(wrong).is_none(), "{wrong}");
        }
    }
}
