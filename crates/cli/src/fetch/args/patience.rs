//! The options about time: how long, how fast, how often.

use std::num::NonZeroU64;

use clap::Args;

use crate::amount;

/// How long, how fast, how often.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Time")]
pub(crate) struct Patience {
    /// The longest time for everything, in seconds
    #[arg(short, long, value_name = "SECONDS")]
    pub(crate) max_time: Option<f64>,
    /// The longest time for connecting, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) connect_timeout: Option<f64>,
    /// How long content waits for the server to ask for it, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expect100_timeout: Option<f64>,
    /// Give up below this many bytes per second
    #[arg(short = 'Y', long, value_name = "RATE", value_parser = amount::parse)]
    pub(crate) speed_limit: Option<NonZeroU64>,
    /// The time over which the speed is measured, in seconds
    #[arg(short = 'y', long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) speed_time: u32,
    /// At most this many bytes per second for each URL, as 500k or 2M
    #[arg(long, value_name = "RATE", value_parser = amount::parse)]
    pub(crate) limit_rate: Option<NonZeroU64>,
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
