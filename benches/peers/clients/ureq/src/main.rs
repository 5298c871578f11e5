//! ureq 3: an agent with a pool as large as the number of requests in flight, each on its own thread.
#![forbid(unsafe_code)]

use std::io::Read;
use std::thread;

use client_options::{Mode, Options};
use ureq::Agent;
use ureq::http::Uri;

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Fault> {
    let options = Options::from_args();
    let agent: Agent = Agent::config_builder()
        .max_idle_connections_per_host(options.most)
        .max_idle_connections(options.most)
        .build()
        .into();
    let url: &Uri = &options.url.parse()?;
    let mut total = 0;
    match options.mode {
        Mode::Seq => total = small(&agent, url, options.count)?,
        Mode::Par => {
            let mut threads = Vec::new();
            for share in options.shares() {
                let (agent, url) = (agent.clone(), url.clone());
                threads.push(thread::spawn(move || small(&agent, &url, share)));
            }
            for thread in threads {
                total += thread.join().map_err(|_| "a thread panicked")??;
            }
        }
        Mode::Dl | Mode::Gz => {
            let mut piece = vec![0; 64 * 1024];
            for _ in 0..options.count {
                let body = agent.get(url.clone()).call()?.into_body();
                let mut reader = body.into_with_config().limit(u64::MAX).reader();
                loop {
                    match reader.read(&mut piece)? {
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

fn small(agent: &Agent, url: &Uri, count: usize) -> Result<usize, Fault> {
    let mut total = 0;
    for _ in 0..count {
        total += agent.get(url.clone()).call()?.body_mut().read_to_vec()?.len();
    }
    Ok(total)
}
