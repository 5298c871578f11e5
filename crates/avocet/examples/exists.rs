//! Tells whether pages exist, all at once: `exists URL...`.
#![forbid(unsafe_code)]

use std::collections::HashMap;

use avocet::client::{Config, Multi, Request, TransferEvent};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut multi, mut urls) = (Multi::new(Config::default())?, HashMap::new());
    for url in std::env::args().skip(1) {
        urls.insert(multi.start(Request::new(http::Method::HEAD, &url)?)?, url);
    }
    while !multi.is_empty() {
        multi.turn(None)?;
        while let Some((id, event)) = multi.next_event() {
            match event {
                TransferEvent::Head(head) => println!("{}: {}", urls[&id], head.status()),
                TransferEvent::Failed(error) => println!("{error}"),
                _ => {}
            }
        }
    }
    Ok(())
}
