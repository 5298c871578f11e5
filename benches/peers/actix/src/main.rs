//! actix-web 4: one runtime per worker; it adds Date itself.
#![forbid(unsafe_code)]

use actix_web::http::header::{CONTENT_TYPE, SERVER};
use actix_web::{App, HttpResponse, HttpServer, web};
use peer_options::{BACKLOG, CONTENT, Options};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let options = Options::from_args();
    HttpServer::new(|| App::new().route("/plaintext", web::get().to(hello)))
        .backlog(BACKLOG)
        .workers(options.workers)
        .bind(options.address)?
        .run()
        .await
}

async fn hello() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((SERVER, "actix"))
        .insert_header((CONTENT_TYPE, "text/plain"))
        .body(CONTENT)
}
