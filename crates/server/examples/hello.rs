//! Answers `GET /plaintext` with `Hello, World!`: what benchmarks of servers ask for.
//!
//! `cargo run --release -p avocet-server --example hello -- --port 8080 --workers 1`, and with
//! `--cert FILE --key FILE` behind it over https.

#![forbid(unsafe_code)]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use avocet_server::{Body, Methods, Reply, Request, Router, Server};
use avocet_tls::{ServerSettings, ServerTls};
use avocet_wire::FieldBuf;
use http::StatusCode;
use http::header::CONTENT_TYPE;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hello: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    let (mut port, mut workers) = (8080, 1);
    let (mut cert, mut key) = (None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => port = value.parse()?,
            "--workers" => workers = value.parse()?,
            "--cert" => cert = Some(PathBuf::from(value)),
            "--key" => key = Some(PathBuf::from(value)),
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    let tls = match (cert, key) {
        (None, None) => None,
        (Some(cert), Some(key)) => {
            let settings = ServerSettings::new().protocols(&["http/1.1"]).files(cert, Some(key));
            Some(ServerTls::open(settings)?)
        }
        (Some(_), None) => return Err("--cert needs --key, the file of its key".into()),
        (None, Some(_)) => return Err("--key needs --cert, the file of its certificate".into()),
    };
    let mut fields = FieldBuf::new();
    fields.push(&CONTENT_TYPE, "text/plain")?;
    let hello = move |_: &Request<'_>, reply: Reply<'_>| {
        reply.send_parts(StatusCode::OK, &fields, Body::Static(b"Hello, World!"));
    };
    let mut server = Server::new(Router::new().route("/plaintext", Methods::new().get(hello))?)
        .listen(avocet_net::ListenAddress::loopback(port))
        .workers(workers);
    if let Some(tls) = tls {
        server = server.wrap(move |transport| Box::new(tls.wrap(transport)));
    }
    let server = server.bind()?;
    eprintln!("listening on {}", server.addresses()[0]);
    server.run()?;
    Ok(())
}
