//! Serves a page compressed for those who ask for it: `compressed [PORT]`.
#![forbid(unsafe_code)]

use avocet::Compress;
use avocet::net::ListenAddress;
use avocet::server::{Response, Server, respond};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    let page = respond(|_| Response::html("<p>A heron stands at the water.</p>\n".repeat(1000)));
    let server = Server::new(Compress::new(page)).listen(ListenAddress::loopback(port)).bind()?;
    println!("Serving on http://{}/", server.addresses()[0]);
    Ok(server.run()?)
}
