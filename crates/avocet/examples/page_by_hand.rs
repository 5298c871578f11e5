//! Downloads a page step by step: `page_by_hand HOST[:PORT] PATH`.
#![forbid(unsafe_code)]

use avocet::client::RawConnection;
use http::Method;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [host, path] = &words[..] else { return Err("usage: page_by_hand HOST PATH".into()) };
    let mut connection = RawConnection::new(&format!("http://{host}/"))?;
    connection.put_request(&Method::GET, path)?;
    connection.put_header("User-Agent", &["by hand"])?;
    connection.end_headers(b"")?;
    let mut response = connection.get_response()?;
    println!("{} {}", response.status().as_u16(), String::from_utf8_lossy(response.reason()));
    print!("{}", response.text(1 << 20)?);
    Ok(())
}
