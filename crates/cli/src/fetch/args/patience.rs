//! The options about time: how long, how fast, how often.

use std::time::Duration;

use clap::Args;

use crate::amount::{self, Limit};

/// How long, how fast, how often.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Time")]
pub(crate) struct Patience {
    /// The longest time for everything, in seconds; 0 for no bound
    #[arg(short, long, value_name = "SECONDS")]
    pub(crate) max_time: Option<f64>,
    /// The longest time for connecting, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) connect_timeout: Option<f64>,
    /// How long content waits for the server to ask for it, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expect100_timeout: Option<f64>,
    /// Give up below this many bytes per second
    #[arg(short = 'Y', long, value_name = "RATE", value_parser = amount::limit)]
    pub(crate) speed_limit: Option<Limit>,
    /// The time over which the speed is measured, in seconds
    #[arg(short = 'y', long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) speed_time: u32,
    /// At most this many bytes per second for each URL, as 500k or 2M
    #[arg(long, value_name = "RATE", value_parser = amount::limit)]
    pub(crate) limit_rate: Option<Limit>,
    /// Begin at most so many transfers in a second, minute, hour or day: 2/s, 5/m, 100/h, 1000/d. Not
    /// with -Z
    #[arg(long, value_name = "N/UNIT", value_parser = pace)]
    pub(crate) rate: Option<Duration>,
    /// Try again up to N times after failures that may pass, where that is safe
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) retry: u32,
    /// Pause before each further try, in seconds; by default about 1 and doubled each time
    #[arg(long, value_name = "SECONDS")]
    pub(crate) retry_delay: Option<f64>,
    /// Begin no further try later than this, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) retry_max_time: Option<f64>,
    /// Try again after failures of every kind and with every method
    #[arg(long)]
    pub(crate) retry_all_errors: bool,
}

/// The time from one beginning to the next; without a unit N is for an hour, as curl has it.
fn pace(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_once('/').unwrap_or((text, "h"));
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(format!("`{unit}` is none of s, m, h and d")),
    };
    match number.parse::<u32>() {
        Ok(number) if number > 0 => Ok(Duration::from_secs(seconds) / number),
        _ => Err(format!("`{number}` is no number above 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paces_as_curl_reads_them() {
        for (text, milliseconds) in
            [("2/s", 500), ("3/m", 20_000), ("12/h", 300_000), ("12", 300_000), ("1/d", 86_400_000)]
        {
            assert_eq!(pace(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for wrong in ["", "0/s", "1/w", "x/s", "1/", "-1/s"] {
            assert!(pace(wrong).is_err(), "{wrong}");
        }
    }
}
