//! Serves the current folder: `cargo run -p avocet-files --example serve`.
#![forbid(unsafe_code)]

use std::error::Error;

use avocet_files::Folder;
use avocet_server::Server;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let files = Folder::new(folder).open()?;
    let server = Server::new(files).listen("8080".parse()?).bind()?;
    println!("serving on http://{}/", server.addresses()[0]);
    Ok(server.run()?)
}
