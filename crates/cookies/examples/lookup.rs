//! Work for counting: `lookup header|set ROUNDS SITES` fills a jar with 30 cookies for each of
//! SITES sites, then asks for one request's cookies, or sets one cookie again, ROUNDS times.
//!
//! Two runs under `valgrind --tool=callgrind` with different ROUNDS give the instructions of one.

#![forbid(unsafe_code)]

use std::{error::Error, time::SystemTime};

use avocet_cookies::{Context, Jar};
use url::Url;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, rounds, sites] = &arguments[..] else {
        return Err("usage: lookup header|set ROUNDS SITES".into());
    };
    let (rounds, sites): (usize, usize) = (rounds.parse()?, sites.parse()?);
    let (context, now) = (Context::new(), SystemTime::now());
    let mut jar = Jar::new();
    for site in 0..sites {
        let url = Url::parse(&format!("https://www.site{site}.example/"))?;
        for index in 0..30 {
            // A third is for the whole site, a third for this path, a third for another.
            let line = match index % 3 {
                0 => format!("c{index}=value-{index}; Domain=site{site}.example; Secure"),
                1 => format!("c{index}=value-{index}; Path=/"),
                _ => format!("c{index}=value-{index}; Path=/elsewhere"),
            };
            jar.set(&url, line.as_bytes(), &context, now)?;
        }
    }
    let url = Url::parse("https://www.site0.example/shop/cart")?;
    let line = b"c0=another value; Domain=site0.example; Secure; HttpOnly; Max-Age=3600; Path=/";
    let mut octets = 0;
    for _ in 0..rounds {
        match what.as_str() {
            "header" => octets += jar.header_for(&url, &context, now).map_or(0, |sent| sent.len()),
            "set" => octets += usize::from(jar.set(&url, line, &context, now).is_ok()),
            other => return Err(format!("neither header nor set: {other}").into()),
        }
    }
    println!("{} cookies, {octets} octets", jar.len());
    Ok(())
}
