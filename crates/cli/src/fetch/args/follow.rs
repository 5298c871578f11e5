//! The options about redirects.

use clap::Args;

/// Which redirects are followed, and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Redirects")]
pub(crate) struct Follow {
    /// Follow redirects
    #[arg(short = 'L', long)]
    pub(crate) location: bool,
    /// Follow redirects, and show passwords and cookies of one's own to every host that they lead to
    #[arg(long)]
    pub(crate) location_trusted: bool,
    /// At most N redirects; -1 for any number
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-1..=i64::from(u32::MAX)))]
    pub(crate) max_redirs: i64,
    /// POST again after 301
    #[arg(long)]
    pub(crate) post301: bool,
    /// POST again after 302
    #[arg(long)]
    pub(crate) post302: bool,
    /// POST again after 303
    #[arg(long)]
    pub(crate) post303: bool,
    /// Use only these schemes: `=https`, `-http`, parted by commas
    #[arg(long, value_name = "SCHEMES", allow_hyphen_values = true)]
    pub(crate) proto: Option<String>,
    /// Follow redirects only to these schemes
    #[arg(long, value_name = "SCHEMES", allow_hyphen_values = true)]
    pub(crate) proto_redir: Option<String>,
    /// Refuse URLs with a user in them, also those of redirects
    #[arg(long)]
    pub(crate) disallow_username_in_url: bool,
}
