//! Logs in by Digest: `digest USER PASSWORD URL`.
#![forbid(unsafe_code)]

use std::sync::Arc;

use avocet::client::{Client, Config, Credentials, Login, Vault};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [user, password, url] = &words[..] else { return Err("usage: digest ...".into()) };
    let vault = Vault::of_origin(&url.parse()?, Credentials::new(user, password));
    let mut config = Config::default();
    config.hooks.push(Arc::new(Login::new(vault).without_basic()));
    let mut response = Client::with_config(config).get(url).send()?;
    println!("{}\n{}", response.status(), response.text(1 << 20)?.trim_end());
    Ok(())
}
