//! Routes with parameters, JSON, uploads, an access log on standard error, and an end in good order
//! on Ctrl-C.
//!
//! `cargo run -p avocet-server --example birds`, then
//! `curl http://127.0.0.1:8080/birds/avocet` and `curl -d 'a wader' http://127.0.0.1:8080/birds`.

#![forbid(unsafe_code)]

use std::error::Error;
use std::sync::{Arc, Mutex};

use avocet_net::on_signals;
use avocet_server::{
    Grace, LineLog, LogFormat, Methods, Reply, Request, Response, Router, Server, respond,
};
use http::StatusCode;

fn main() -> Result<(), Box<dyn Error>> {
    let seen = Arc::new(Mutex::new(vec!["avocet".to_owned(), "puffin".to_owned()]));

    let known = seen.clone();
    let list = respond(move |_| match known.lock() {
        Ok(birds) => Response::text(birds.join("\n") + "\n"),
        Err(_) => Response::error(StatusCode::INTERNAL_SERVER_ERROR),
    });
    let add = move |_: &Request<'_>, reply: Reply<'_>| {
        let seen = seen.clone();
        // At most 100 bytes; beyond that the library answers 413.
        reply.collect(100, move |_, content, reply| {
            match (String::from_utf8(content), seen.lock()) {
                (Ok(bird), Ok(mut birds)) => {
                    birds.push(bird);
                    reply.send(Response::new(StatusCode::CREATED));
                }
                _ => reply.send(Response::error_because(StatusCode::BAD_REQUEST, "no bird's name")),
            }
        });
    };
    let show = respond(|request| {
        // A path is checked and not decoded, so that it holds neither quotes nor backslashes.
        let name = request.param("name").unwrap_or("bird");
        Response::json(format!("{{\"name\":\"{name}\"}}\n"))
    });
    let router = Router::new()
        .route("/birds", Methods::new().get(list).post(add))?
        .get("/birds/{name}", show)?;

    let server = Server::new(router)
        .listen("127.0.0.1:8080".parse()?)
        .access_log(LineLog::new(LogFormat::Combined, std::io::stderr())?)
        .bind()?;
    println!("serving on {}", server.addresses()[0]);
    let handle = server.handle();
    let mut grace = Grace::default();
    on_signals(move |_| {
        handle.stop(grace);
        // A second signal ends at once.
        grace = Grace::NONE;
    })?;
    server.run()?;
    Ok(())
}
