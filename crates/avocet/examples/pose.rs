//! Poses as a browser and prints the fields of the answer in their order: `pose URL`.
#![forbid(unsafe_code)]

use avocet::client::Client;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: pose URL")?;
    let client = Client::new();
    let request = client.get(&url).field("User-Agent", FIREFOX);
    let response = request.field("Accept-Language", "en-US,en;q=0.5").send()?;
    for (name, value) in response.fields() {
        println!("{name}: {}", String::from_utf8_lossy(value));
    }
    Ok(())
}
