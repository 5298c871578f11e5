//! Answers that come late and piece by piece, from other threads: a ticket, and the channel of a body.
//!
//! `cargo run -p avocet-server --example late`, then `curl -N http://127.0.0.1:8080/count/5`.

#![forbid(unsafe_code)]

use std::error::Error;
use std::thread;
use std::time::Duration;

use avocet_server::{Reply, Request, Response, Router, Server, channel};
use avocet_wire::FieldBuf;
use http::StatusCode;

fn main() -> Result<(), Box<dyn Error>> {
    let count = |request: &Request<'_>, reply: Reply<'_>| {
        let Some(most) = request.param("most").and_then(|most| most.parse::<u32>().ok()) else {
            return reply.send(Response::error_because(StatusCode::BAD_REQUEST, "no number"));
        };
        // The ticket is the right to answer, and may go to any thread.
        let ticket = reply.defer();
        thread::spawn(move || {
            let (mut sender, body) = channel(1024, None);
            ticket.send(Response::text(body));
            for number in 1..=most {
                thread::sleep(Duration::from_secs(1));
                // An error says that the client has gone.
                if sender.send(format!("{number}\n").into()).is_err() {
                    return;
                }
            }
            sender.finish(FieldBuf::new());
        });
    };
    let server = Server::new(Router::new().get("/count/{most}", count)?)
        .listen("127.0.0.1:8080".parse()?)
        .bind()?;
    println!("serving on {}", server.addresses()[0]);
    server.run()?;
    Ok(())
}
