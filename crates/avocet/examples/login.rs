//! Cookies through a login: `login URL-OF-THE-FORM URL-OF-A-PAGE USER PASSWORD`.
#![forbid(unsafe_code)]

use std::sync::Arc;

use avocet::CookieHook;
use avocet::client::{Client, Config};
use avocet::cookies::SharedJar;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [form, page, user, password] = &words[..] else { return Err("usage: login ...".into()) };
    let (jar, mut config) = (SharedJar::default(), Config::default());
    config.hooks.push(Arc::new(CookieHook::new(jar.clone())));
    let client = Client::with_config(config);
    client.post(form).form([("id_username", user), ("id_password", password)]).send()?;
    for cookie in jar.snapshot().iter() {
        println!("{}", String::from_utf8_lossy(cookie.name()));
    }
    print!("{}", client.get(page).send()?.text(1 << 20)?);
    Ok(())
}
