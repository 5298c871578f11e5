//! ntex on tokio; it adds Date itself.
#![forbid(unsafe_code)]

use ntex::http::header::{CONTENT_TYPE, SERVER};
use ntex::web::{self, App, HttpResponse};
use peer_options::{BACKLOG, CONTENT, Options};

#[ntex::main]
async fn main() -> std::io::Result<()> {
    let options = Options::from_args();
    web::server(async || App::new().service(web::resource("/plaintext").to(hello)))
        .backlog(BACKLOG as i32)
        .workers(options.workers)
        .bind(options.address)?
        .run()
        .await
}

async fn hello() -> HttpResponse {
    HttpResponse::Ok().header(SERVER, "ntex").header(CONTENT_TYPE, "text/plain").body(CONTENT)
}
