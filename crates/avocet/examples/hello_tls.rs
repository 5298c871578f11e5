//! Serves a line over https: `hello_tls --cert FILE --key FILE [--port N] [--workers N]`.
#![forbid(unsafe_code)]

use avocet::net::ListenAddress;
use avocet::server::{Response, Server, respond};
use avocet::{https, tls::ServerTls};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name| arguments.iter().position(|word| word == name);
    let value = |name| option(name).and_then(|at| arguments.get(at + 1));
    let certificate = value("--cert").ok_or("usage: hello_tls --cert FILE [--key FILE]")?;
    let settings = https::server_settings().files(certificate, value("--key").map(Into::into));
    let server = https::secure(
        Server::new(respond(|_| Response::text("Hello, World!"))),
        &ServerTls::open(settings)?,
    )
    .listen(ListenAddress::loopback(value("--port").map_or(Ok(4443), |port| port.parse())?))
    .workers(value("--workers").map_or(Ok(1), |count| count.parse())?)
    .bind()?;
    println!("Serving HTTPS Server on {} ...", server.addresses()[0]);
    Ok(server.run()?)
}
