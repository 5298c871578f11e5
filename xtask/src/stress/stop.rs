//! SIGTERM while questions are in flight.

use std::time::{Duration, Instant};

use crate::bench::contenders::Contender;
use crate::bench::load;
use crate::shell;

/// Stops in a row; each hits another moment.
const STOPS: usize = 10;
/// Connections that the kernel took after the signal and nobody served, on average of a stop: there
/// is a moment between the last accept and the close of the listener that no server can see into.
const TURNED_AWAY: f64 = 1.0;
/// With nothing but short exchanges in flight a stop has no reason to take longer.
const ENDING: Duration = Duration::from_secs(5);

pub(super) fn run(contender: &Contender) -> Result<Vec<String>, String> {
    let mut misses = Vec::new();
    let mut turned_away = 0.0;
    for round in 0..STOPS {
        let mut server = contender.start()?;
        let pid = server.pid().to_string();
        // Not always the same moment of the server's turn.
        let after = 200 + 7 * round;
        let text = shell::read_quietly(
            load::command("stop")
                .args(["--port", &server.port.to_string(), "--pid", &pid])
                .args(["--after-ms", &after.to_string()]),
        )?;
        let begun = Instant::now();
        let status = server.wait(ENDING);
        println!("{}; ended {status:?} {} ms later", text.trim(), begun.elapsed().as_millis());
        let count = |name| {
            load::pair(&text, name).ok_or_else(|| format!("no {name} was printed: {text:?}"))
        };
        for name in ["lost", "cut"] {
            if count(name)? > 0.0 {
                misses.push(format!("stop {round}: {name} {}", count(name)?));
            }
        }
        if count("before")? == 0.0 {
            return Err("nothing was answered before the signal".to_owned());
        }
        if !status.is_some_and(|status| status.success()) {
            misses.push(format!("stop {round}: the server ended with {status:?}"));
        }
        turned_away += count("turned_away")?;
    }
    let each = turned_away / STOPS as f64;
    println!("{STOPS} stops: {each:.1} fresh connections turned away in each, bar {TURNED_AWAY}");
    if each > TURNED_AWAY {
        misses.push(format!("{each:.1} fresh connections turned away in a stop"));
    }
    Ok(misses)
}
