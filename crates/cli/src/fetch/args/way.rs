//! The options about the way to a host.

use std::path::PathBuf;

use clap::Args;

/// The way to a host.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Way")]
pub(crate) struct Way {
    /// Proxy for everything: [SCHEME://][USER:PASSWORD@]HOST[:PORT] with http, socks4, socks4a,
    /// socks5 or socks5h; empty for none. Otherwise http_proxy, all_proxy and no_proxy of the
    /// environment hold
    #[arg(short = 'x', long, value_name = "PROXY", overrides_with_all = SOCKS)]
    proxy: Option<String>,
    /// The same as -x socks4://PROXY; the name is looked up here
    #[arg(long, value_name = "PROXY", overrides_with_all = SOCKS)]
    socks4: Option<String>,
    /// The same as -x socks4a://PROXY; the proxy looks the name up
    #[arg(long, value_name = "PROXY", overrides_with_all = SOCKS)]
    socks4a: Option<String>,
    /// The same as -x socks5://PROXY; the name is looked up here
    #[arg(long, value_name = "PROXY", overrides_with_all = SOCKS)]
    socks5: Option<String>,
    /// The same as -x socks5h://PROXY; the proxy looks the name up
    #[arg(long, value_name = "PROXY", overrides_with_all = SOCKS)]
    socks5_hostname: Option<String>,
    /// Reach the proxy through this one, of SOCKS; socks4:// is assumed without a scheme
    #[arg(long, value_name = "PROXY")]
    pub(crate) preproxy: Option<String>,
    /// Ask proxies of http for a tunnel, also for URLs of http
    #[arg(short = 'p', long)]
    pub(crate) proxytunnel: bool,
    /// One more field for the proxy alone, `Name: value`
    #[arg(long, value_name = "LINE")]
    pub(crate) proxy_header: Vec<String>,
    /// User and password for the proxy
    #[arg(short = 'U', long, value_name = "USER[:PASSWORD]")]
    pub(crate) proxy_user: Option<String>,
    /// Hosts, domains and networks that are reached without a proxy, parted by commas
    #[arg(long, value_name = "LIST")]
    pub(crate) noproxy: Option<String>,
    /// Addresses of a host, instead of asking for them: HOST:PORT:ADDRESS[,ADDRESS]...
    #[arg(long, value_name = "RULE")]
    pub(crate) resolve: Vec<String>,
    /// Connect elsewhere: HOST1:PORT1:HOST2:PORT2, each of which may be empty
    #[arg(long, value_name = "RULE")]
    pub(crate) connect_to: Vec<String>,
    /// IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,
    /// Head start of the first address over the second, in milliseconds, between 10 and 2000
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 250, value_parser = clap::value_parser!(u16).range(10..=2000))]
    pub(crate) happy_eyeballs_timeout_ms: u16,
    /// Connect from this address or network interface
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub(crate) interface: Option<String>,
    /// Ask after this many seconds of silence whether the other end is still there
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=32767))]
    pub(crate) keepalive_time: u32,
    /// Never ask that
    #[arg(long)]
    pub(crate) no_keepalive: bool,
    /// Connect to this socket in the file system
    #[arg(long, value_name = "PATH")]
    pub(crate) unix_socket: Option<PathBuf>,
}

impl Way {
    /// The proxy that was named, as a URL; empty for none.
    pub(crate) fn proxy(&self) -> Option<String> {
        let socks = [
            ("socks4", &self.socks4),
            ("socks4a", &self.socks4a),
            ("socks5", &self.socks5),
            ("socks5h", &self.socks5_hostname),
        ];
        let named = socks.iter().find_map(|(scheme, place)| Some((scheme, place.as_ref()?)));
        match named {
            Some((scheme, place)) => Some(format!("{scheme}://{place}")),
            None => self.proxy.clone(),
        }
    }
}

/// The last of those that name a proxy counts.
const SOCKS: [&str; 5] = ["proxy", "socks4", "socks4a", "socks5", "socks5_hostname"];
