//! tiny_http: a pool of threads that read, and two for each worker that answer; it adds Server and
//! Date itself.
#![forbid(unsafe_code)]

use std::error::Error;
use std::sync::Arc;
use std::thread;

use peer_options::{CONTENT, Options};
use tiny_http::{Response, Server};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let options = Options::from_args();
    let server = Arc::new(Server::http(options.address)?);
    let threads: Vec<_> = (0..options.workers * 2)
        .map(|_| {
            let server = Arc::clone(&server);
            thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    let answer = Response::from_string(CONTENT);
                    let known = request.url() == "/plaintext";
                    let answer = if known { answer } else { answer.with_status_code(404) };
                    // A connection that breaks is the load generator's to report.
                    drop(request.respond(answer));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a thread of the server panicked")?;
    }
    Ok(())
}
