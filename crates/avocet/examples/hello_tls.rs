//! Serves a line over https: `hello_tls --cert FILE --key FILE [--port N]`.
#![forbid(unsafe_code)]

use avocet::https;
use avocet::net::ListenAddress;
use avocet::server::{Response, Server, respond};
use avocet::tls::ServerTls;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let value = |name| words.iter().skip_while(|word| *word != name).nth(1);
    let certificate = value("--cert").ok_or("usage: hello_tls --cert FILE [--key FILE]")?;
    let settings = https::server_settings().files(certificate, value("--key").map(Into::into));
    let address = ListenAddress::loopback(value("--port").map_or(Ok(4443), |port| port.parse())?);
    let hello = Server::new(respond(|_| Response::text("Hello, World!"))).listen(address);
    let server = https::secure(hello.workers(1), &ServerTls::open(settings)?).bind()?;
    println!("Serving HTTPS Server on {} ...", server.addresses()[0]);
    Ok(server.run()?)
}
