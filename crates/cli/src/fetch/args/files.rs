//! The options about files that are written.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::placed::{Placed, placed_path, placed_switch};

/// The files that are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Files")]
pub(crate) struct Files {
    /// Write to FILE instead of standard output; once per URL. `#1` in it stands for what the first
    /// braces or brackets of the URL stand for
    #[arg(short, long, value_name = "FILE", value_parser = placed_path())]
    pub(crate) output: Vec<Placed<PathBuf>>,
    /// Write to a file named like the last part of the URL; once per URL
    #[arg(short = 'O', long, action = ArgAction::Append, num_args = 0, default_missing_value = "", value_parser = placed_switch)]
    pub(crate) remote_name: Vec<Placed<()>>,
    /// The same for every URL that has no -o of its own
    #[arg(long)]
    pub(crate) remote_name_all: bool,
    /// With -O, take the name that the server suggests
    #[arg(short = 'J', long, conflicts_with = "include")]
    pub(crate) remote_header_name: bool,
    /// Folder for files
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Make the folders that are not there
    #[arg(long)]
    pub(crate) create_dirs: bool,
    /// Leave a file that is there as it is, and write to FILE.1, FILE.2 and so on up to FILE.100
    #[arg(long, conflicts_with = "continue_at", overrides_with = "clobber")]
    pub(crate) no_clobber: bool,
    /// Write over a file that is there, also by -OJ; without this -OJ leaves it
    #[arg(long, overrides_with = "no_clobber")]
    pub(crate) clobber: bool,
    /// Remove the file when its transfer fails
    #[arg(long, conflicts_with = "continue_at")]
    pub(crate) remove_on_error: bool,
    /// Give files the time that the server says
    #[arg(short = 'R', long)]
    pub(crate) remote_time: bool,
    /// Continue an output file from an offset; `-` finds it
    #[arg(short = 'C', long, value_name = "OFFSET")]
    pub(crate) continue_at: Option<String>,
}
