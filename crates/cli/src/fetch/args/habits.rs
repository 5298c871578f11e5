//! Options that people give to curl, and that say here what holds anyhow.

use clap::Args;

/// What holds anyhow.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "What holds anyhow")]
pub(crate) struct Habits {
    /// Show no progress: `avocet download` does
    #[arg(long)]
    no_progress_meter: bool,
    /// Log in by Basic
    #[arg(long, overrides_with_all = ["digest", "anyauth"])]
    basic: bool,
    /// Log in to proxies by Basic
    #[arg(long)]
    proxy_basic: bool,
    /// Speak HTTP/1.1
    #[arg(long = "http1.1", overrides_with = "http10")]
    http11: bool,
    /// Send small packets at once
    #[arg(long)]
    tcp_nodelay: bool,
    /// Try again when a connection is refused, too, as --retry does
    #[arg(long)]
    retry_connrefused: bool,
    /// Open a connection for each transfer of -Z
    #[arg(long)]
    parallel_immediate: bool,
    /// At least TLS 1.0; nothing older than 1.2 is spoken
    #[arg(short = '1', long, alias = "tlsv1.0", alias = "tlsv1.1")]
    tlsv1: bool,
}
