//! Downloads a page through a tunnel, which a proxy cannot look into or change: `tunnel PROXY URL`.
#![forbid(unsafe_code)]

use std::sync::Arc;

use avocet::client::{Client, Config, Proxies, Proxy};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [proxy, url] = &words[..] else { return Err("usage: tunnel PROXY URL".into()) };
    let mut proxy: Proxy = proxy.parse()?;
    // Without this only https is tunneled.
    proxy.tunnel = true;
    let mut config = Config::default();
    config.proxies = Arc::new(Proxies::all(proxy));
    let mut response = Client::with_config(config).get(url).send()?.error_for_status()?;
    response.copy_to(&mut std::io::stdout())?;
    Ok(())
}
