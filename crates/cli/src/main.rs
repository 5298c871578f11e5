//! The program `avocet`.
#![forbid(unsafe_code)]

mod addresses;
mod amount;
mod check;
mod cookies;
mod download;
mod echo;
mod exit;
mod failure;
mod fetch;
mod output;
mod running;
mod serve;
mod target;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};

use crate::failure::Failure;

/// HTTP at the terminal: serve a folder, look at requests.
#[derive(Parser)]
#[command(name = "avocet", version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    /// Say more; twice, say everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve a folder, or one text, over HTTP
    Serve(Box<serve::Serve>),
    Fetch(Box<fetch::Fetch>),
    Download(Box<download::Download>),
    Check(check::Check),
    Cookies(cookies::Cookies),
    /// Answer requests with what they were: for trying out clients
    Echo(echo::Echo),
}

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for (index, group) in fetch::groups(std::env::args_os().collect()).iter().enumerate() {
        let arguments = Arguments::parse_from(group);
        if index == 0 {
            start_logging(&arguments);
        }
        if let Err(failure) = with_files(arguments, group).and_then(run) {
            if !failure.is_told() {
                output::error(&failure);
            }
            code = failure.code();
        }
    }
    code
}

/// The arguments with those that stand in files, where they name some.
fn with_files(arguments: Arguments, group: &[OsString]) -> Result<Arguments, Failure> {
    match &arguments.verb {
        Verb::Fetch(fetch) if !fetch.config.is_empty() => {
            Ok(Arguments::parse_from(fetch::with_files(group, &fetch.config)?))
        }
        _ => Ok(arguments),
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.verb {
        Verb::Serve(serve) => serve.run(arguments.quiet),
        Verb::Fetch(fetch) => fetch.run(arguments.verbose > 0, arguments.quiet),
        Verb::Download(download) => download.run(arguments.quiet),
        Verb::Check(check) => check.run(arguments.quiet),
        Verb::Cookies(cookies) => cookies.run(arguments.quiet),
        Verb::Echo(echo) => echo.run(arguments.quiet),
    }
}

/// The program's own messages go to standard error, by level.
fn start_logging(arguments: &Arguments) {
    let level = match (arguments.quiet, arguments.verbose) {
        (true, _) => log::LevelFilter::Error,
        (false, 0) => log::LevelFilter::Warn,
        (false, 1) => log::LevelFilter::Info,
        (false, 2) => log::LevelFilter::Debug,
        (false, _) => log::LevelFilter::Trace,
    };
    env_logger::Builder::new()
        .filter_level(level)
        .format(|line, record| {
            use std::io::Write;
            let message = output::printable(&record.args().to_string());
            writeln!(line, "avocet: {}: {message}", record.level().as_str().to_lowercase())
        })
        .init();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }
}
