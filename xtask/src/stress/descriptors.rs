//! More connections than descriptors.

use std::time::{Duration, Instant};

use super::client::Client;
use super::crowd::Crowd;
use crate::bench::contenders::{Contender, Setting};

/// Bounds on descriptors: one below what a server would like to keep back, and two above.
const BOUNDS: &[u32] = &[48, 96, 256];
/// Connections beyond each bound.
const CROWD: u32 = 600;
/// How long the lack lasts.
const LACK: Duration = Duration::from_secs(3);
/// CPU while connections wait that cannot be taken, as a part of the time: a server that polls a
/// listener it cannot serve burns all of it.
const CPU: f64 = 0.05;
/// A new client is served this soon after the crowd has gone.
const RECOVERY: Duration = Duration::from_secs(2);

pub(super) fn run(contender: &Contender) -> Result<Vec<String>, String> {
    let mut misses = Vec::new();
    for &bound in BOUNDS {
        let mut server =
            contender.start_as(&Setting { descriptors: bound, ..Setting::default() })?;
        let mut miss = |text: String| misses.push(format!("{bound} descriptors: {text}"));
        let mut client = Client::connect(server.port, RECOVERY)?;
        if let Err(reason) = client.ask() {
            miss(format!("before the crowd: {reason}"));
            continue;
        }
        let crowd = Crowd::gather_some(&server, "silent", CROWD)?;
        let before = server.usage();
        let begun = Instant::now();
        let mut slowest = Duration::ZERO;
        let mut asked = 0_u32;
        while begun.elapsed() < LACK {
            match client.ask() {
                Ok(took) => slowest = slowest.max(took),
                Err(reason) => {
                    miss(format!("during the lack: {reason}"));
                    break;
                }
            }
            asked += 1;
            std::thread::sleep(Duration::from_millis(50));
        }
        let cpu = server.usage().since(&before).as_secs_f64() / begun.elapsed().as_secs_f64();
        crowd.disperse()?;
        let released = Instant::now();
        let served = Client::connect(server.port, RECOVERY).and_then(|mut client| client.ask());
        println!(
            "{bound} descriptors, {CROWD} connections: {asked} answers to the old client, slowest \
             {slowest:.1?}; CPU {:.1} %, bar {:.0} %; a new client after {:.1?}, bar {RECOVERY:?}",
            cpu * 100.0,
            CPU * 100.0,
            released.elapsed()
        );
        if cpu > CPU {
            miss(format!("{:.1} % CPU during the lack", cpu * 100.0));
        }
        if let Err(reason) = served {
            miss(format!("after the crowd: {reason}"));
        }
        if let Some(status) = server.wait(Duration::ZERO) {
            miss(format!("the server ended: {status}"));
        }
    }
    Ok(misses)
}
