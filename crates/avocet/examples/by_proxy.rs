//! Downloads a page through a proxy: `by_proxy PROXY URL`, the proxy as `http://user:word@host:3128`
//! or `socks5h://host:1080`.
#![forbid(unsafe_code)]

use std::sync::Arc;

use avocet::client::{Client, Config, Proxies};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [proxy, url] = &words[..] else { return Err("usage: by_proxy PROXY URL".into()) };
    let mut config = Config::default();
    config.proxies = Arc::new(Proxies::all(proxy.parse()?));
    let mut response = Client::with_config(config).get(url).send()?.error_for_status()?;
    response.copy_to(&mut std::io::stdout())?;
    Ok(())
}
