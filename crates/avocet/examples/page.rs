//! Downloads a page: `page URL` prints its status and its content.
#![forbid(unsafe_code)]

use avocet::client::Client;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: page URL")?;
    let mut response = Client::new().get(&url).send()?;
    println!("{}", response.status());
    response.copy_to(&mut std::io::stdout())?;
    Ok(())
}
