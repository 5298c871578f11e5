//! Makes one request and prints one line of JSON, as conformance runners for clients want it:
//! `once URL METHOD` prints `{"status":200,"body":"..."}` or `{"error":"..."}`.

#![forbid(unsafe_code)]

use avocet_client::{Client, Error};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_default();
    let method = arguments.next().unwrap_or_else(|| "GET".to_owned());
    match once(&url, &method) {
        Ok((status, body)) => println!(r#"{{"status":{status},"body":"{}"}}"#, escape(&body)),
        Err(error) => println!(r#"{{"error":"{}"}}"#, escape(error.to_string().as_bytes())),
    }
}

fn once(url: &str, method: &str) -> Result<(u16, Vec<u8>), Error> {
    let method = method.parse().unwrap_or(http::Method::GET);
    let mut response = Client::new().request(method, url).send()?;
    let body = response.bytes(1 << 20)?;
    Ok((response.status().as_u16(), body))
}

/// Each byte as the character of its number.
fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            0x20..=0x7e => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\u{:04x}", byte)),
        }
    }
    text
}
