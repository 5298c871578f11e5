//! Proxies by scheme and host, and those that the environment names.

use url::Url;

use super::{ChooseProxy, HostPatterns, Proxy};
use crate::error::Error;

/// Proxies by scheme and host.
///
/// ```
/// use std::sync::Arc;
///
/// use avocet_client::{ChooseProxy, Config, HostPatterns, Proxies};
///
/// let proxies = Proxies::all("http://proxy.example:3128".parse()?)
///     .except(HostPatterns::parse("localhost, 10.0.0.0/8, .internal"))
///     .only(HostPatterns::parse(".onion"), vec!["socks5h://127.0.0.1:9050".parse()?]);
/// let mut config = Config::default();
/// config.proxies = Arc::new(proxies);
/// # Ok::<(), avocet_client::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Vec<Proxy>,
    https: Vec<Proxy>,
    except: HostPatterns,
    only: Vec<(HostPatterns, Vec<Proxy>)>,
}

impl Proxies {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// This one for everything.
    pub fn all(proxy: Proxy) -> Self {
        Self::chain(vec![proxy])
    }

    /// These for everything, one after the other: the first is connected to, the last asks the host.
    pub fn chain(proxies: Vec<Proxy>) -> Self {
        Self { http: proxies.clone(), https: proxies, ..Self::default() }
    }

    /// Those that the environment names, by curl's rules.
    ///
    /// | variable | for |
    /// |---|---|
    /// | `http_proxy` | http; in lower case alone, since a web server makes `HTTP_PROXY` of a field that any client can send (CVE-2016-5385) |
    /// | `https_proxy`, `HTTPS_PROXY` | https |
    /// | `all_proxy`, `ALL_PROXY` | what the others leave open |
    /// | `no_proxy`, `NO_PROXY` | hosts without a proxy; see [`HostPatterns`] |
    ///
    /// The first of two that is set counts. One that is empty says that there is no proxy.
    ///
    /// *Errors*: a variable that names no proxy.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// The same with variables from elsewhere.
    ///
    /// *Errors*: a variable that names no proxy.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let first = |names: &[&str]| names.iter().find_map(|name| variable(name));
        let read = |text: Option<String>| match text {
            Some(text) if !text.trim().is_empty() => text.trim().parse().map(|proxy| vec![proxy]),
            _ => Ok(Vec::new()),
        };
        let all = || first(&["all_proxy", "ALL_PROXY"]);
        Ok(Self {
            http: read(first(&["http_proxy"]).or_else(all))?,
            https: read(first(&["https_proxy", "HTTPS_PROXY"]).or_else(all))?,
            except: HostPatterns::parse(&first(&["no_proxy", "NO_PROXY"]).unwrap_or_default()),
            only: Vec::new(),
        })
    }

    /// The same with other proxies for http.
    #[must_use]
    pub fn for_http(mut self, proxies: Vec<Proxy>) -> Self {
        self.http = proxies;
        self
    }

    /// The same with other proxies for https.
    #[must_use]
    pub fn for_https(mut self, proxies: Vec<Proxy>) -> Self {
        self.https = proxies;
        self
    }

    /// The same with none for these hosts; they replace those that were excepted before.
    #[must_use]
    pub fn except(mut self, hosts: HostPatterns) -> Self {
        self.except = hosts;
        self
    }

    /// The same with these for some hosts; what was said first for a host counts, and more than
    /// [`Proxies::except`].
    #[must_use]
    pub fn only(mut self, hosts: HostPatterns, proxies: Vec<Proxy>) -> Self {
        self.only.push((hosts, proxies));
        self
    }
}

impl ChooseProxy for Proxies {
    fn choose(&self, url: &Url) -> Result<Vec<Proxy>, Error> {
        if let Some((_, proxies)) = self.only.iter().find(|(hosts, _)| hosts.contains(url)) {
            return Ok(proxies.clone());
        }
        let proxies = if url.scheme() == "https" { &self.https } else { &self.http };
        Ok(if proxies.is_empty() || self.except.contains(url) {
            Vec::new()
        } else {
            proxies.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(proxies: &Proxies, url: &str) -> Vec<String> {
        let url = Url::parse(url).expect("a url");
        let chosen = proxies.choose(&url).expect("a choice");
        chosen.into_iter().map(|proxy| proxy.host).collect()
    }

    fn with(variables: &[(&str, &str)]) -> Proxies {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Proxies::from_variables(find).expect("well-formed variables")
    }

    /// CVE-2016-5385
    #[test]
    fn security_proxy_variables_http_proxy_counts_in_lower_case_only() {
        let upper = with(&[("HTTP_PROXY", "evil"), ("HTTPS_PROXY", "s")]);
        assert_eq!(chosen(&upper, "http://h/"), [""; 0]);
        assert_eq!(chosen(&upper, "https://h/"), ["s"]);
        assert_eq!(chosen(&with(&[("http_proxy", "p")]), "http://h/"), ["p"]);
    }

    #[test]
    fn lower_case_goes_first_and_all_fills_the_gaps() {
        let env = with(&[
            ("https_proxy", "low"),
            ("HTTPS_PROXY", "up"),
            ("ALL_PROXY", "socks5://all"),
            ("NO_PROXY", "up.example"),
            ("no_proxy", "low.example,10.0.0.0/8"),
        ]);
        assert_eq!(chosen(&env, "https://h/"), ["low"]);
        assert_eq!(chosen(&env, "http://h/"), ["all"]);
        assert_eq!(chosen(&env, "http://low.example/"), [""; 0]);
        assert_eq!(chosen(&env, "http://up.example/"), ["all"]);
        assert_eq!(chosen(&env, "https://10.1.2.3/"), [""; 0]);
    }

    #[test]
    fn an_empty_variable_is_no_proxy_and_a_bad_one_an_error() {
        let env = with(&[("http_proxy", ""), ("all_proxy", "all")]);
        assert_eq!(chosen(&env, "http://h/"), [""; 0]);
        assert_eq!(chosen(&env, "https://h/"), ["all"]);
        let bad = |name: &str| (name == "https_proxy").then(|| "ftp://p".to_owned());
        assert!(Proxies::from_variables(bad).is_err());
    }

    #[test]
    fn hosts_may_have_proxies_of_their_own() {
        let proxy = |text: &str| text.parse::<Proxy>().expect("a proxy");
        let proxies = Proxies::chain(vec![proxy("a"), proxy("b")])
            .except(HostPatterns::parse("x"))
            .only(HostPatterns::parse("y.x"), vec![proxy("c")])
            .for_https(vec![]);
        assert_eq!(chosen(&proxies, "http://h/"), ["a", "b"]);
        assert_eq!(chosen(&proxies, "http://x/"), [""; 0]);
        assert_eq!(chosen(&proxies, "http://y.x/"), ["c"]);
        assert_eq!(chosen(&proxies, "https://h/"), [""; 0]);
    }
}
