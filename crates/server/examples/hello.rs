//! Answers `GET /plaintext` with `Hello, World!`: what benchmarks of servers ask for.
//!
//! `cargo run --release -p avocet-server --example hello -- --port 8080 --workers 1`

#![forbid(unsafe_code)]

use std::error::Error;

use avocet_server::{Body, Methods, Reply, Request, Router, Server};
use avocet_wire::FieldBuf;
use http::StatusCode;
use http::header::CONTENT_TYPE;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut port, mut workers) = (8080, 1);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => port = value.parse()?,
            "--workers" => workers = value.parse()?,
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    let mut fields = FieldBuf::new();
    fields.push(&CONTENT_TYPE, "text/plain")?;
    let hello = move |_: &Request<'_>, reply: Reply<'_>| {
        reply.send_parts(StatusCode::OK, &fields, Body::Static(b"Hello, World!"));
    };
    let server = Server::new(Router::new().route("/plaintext", Methods::new().get(hello))?)
        .listen(avocet_net::ListenAddress::loopback(port))
        .workers(workers)
        .bind()?;
    eprintln!("listening on {}", server.addresses()[0]);
    server.run()?;
    Ok(())
}
