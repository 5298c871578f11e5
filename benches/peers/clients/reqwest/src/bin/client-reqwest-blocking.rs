//! reqwest's blocking face; each of those in flight has its own thread.
#![forbid(unsafe_code)]

use std::io::Read;
use std::thread;

use client_options::{Mode, Options};
use reqwest::Url;
use reqwest::blocking::Client;

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Fault> {
    let options = Options::from_args();
    let client = Client::builder().timeout(None).gzip(options.mode == Mode::Gz).build()?;
    let url = &Url::parse(&options.url)?;
    let mut total = 0;
    match options.mode {
        Mode::Seq => total = small(&client, url, options.count)?,
        Mode::Par => {
            let mut threads = Vec::new();
            for share in options.shares() {
                let (client, url) = (client.clone(), url.clone());
                threads.push(thread::spawn(move || small(&client, &url, share)));
            }
            for thread in threads {
                total += thread.join().map_err(|_| "a thread panicked")??;
            }
        }
        Mode::Dl | Mode::Gz => {
            let mut piece = vec![0; 64 * 1024];
            for _ in 0..options.count {
                let mut response = client.get(url.clone()).send()?;
                loop {
                    match response.read(&mut piece)? {
                        0 => break,
                        len => total += len,
                    }
                }
            }
        }
    }
    println!("{total}");
    Ok(())
}

fn small(client: &Client, url: &Url, count: usize) -> Result<usize, Fault> {
    let mut total = 0;
    for _ in 0..count {
        total += client.get(url.clone()).send()?.bytes()?.len();
    }
    Ok(total)
}
