//! may_minihttp: coroutines with small stacks; it adds Server and Date itself.
#![forbid(unsafe_code)]

use std::io;

use may_minihttp::{HttpServer, HttpService, Request, Response};
use peer_options::{CONTENT, Options};

#[derive(Clone)]
struct Hello;

impl HttpService for Hello {
    fn call(
        &mut self,
        request: Request<'_, '_, '_>,
        response: &mut Response<'_>,
    ) -> io::Result<()> {
        if request.path() == "/plaintext" {
            response.header("Content-Type: text/plain").body(CONTENT);
        } else {
            response.status_code(404, "Not Found");
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let options = Options::from_args();
    may::config().set_pool_capacity(1000).set_stack_size(0x1000).set_workers(options.workers);
    let server = HttpServer(Hello).start(options.address)?;
    server.join().map_err(|_| io::Error::other("the server ended"))
}
