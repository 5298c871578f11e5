//! A router with a function, and a folder beside it: `served DIR [PORT]`.
#![forbid(unsafe_code)]

use avocet::files::Folder;
use avocet::net::ListenAddress;
use avocet::server::{Response, Router, Server, respond};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let folder = words.first().ok_or("usage: served DIR [PORT]")?;
    let port = words.get(1).map_or(Ok(8080), |port| port.parse())?;
    let router = Router::new()
        .get("/hello", respond(|_| Response::text("Hello from server!\n")))?
        .get("/files/{*path}", Folder::new(folder).at("/files").open()?)?;
    let server = Server::new(router).listen(ListenAddress::loopback(port)).bind()?;
    println!("Serving on http://{}/", server.addresses()[0]);
    Ok(server.run()?)
}
