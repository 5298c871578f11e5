//! The program `avocet`.
#![forbid(unsafe_code)]

mod addresses;
mod amount;
mod certs;
mod check;
mod config;
mod cookies;
mod download;
mod echo;
mod exit;
mod failure;
mod fetch;
mod handbook;
mod output;
mod password;
mod refusal;
mod running;
mod secure;
mod serve;
mod settings;
mod target;
mod terminal;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory, Parser, Subcommand};

use crate::failure::Failure;
use crate::settings::Settings;

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
    Certs(certs::Certs),
    Config(config::Config),
    Completions(handbook::Completions),
    Man(handbook::Man),
    /// Answer requests with what they were: for trying out clients
    Echo(Box<echo::Echo>),
}

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let mut is_first = true;
    for group in fetch::groups(std::env::args_os().collect()) {
        // A file of options may have several groups, too.
        let calls = match fetch::with_files(group) {
            Ok(arguments) => fetch::groups(arguments).into_iter().map(Ok).collect(),
            Err(failure) => vec![Err(failure)],
        };
        for call in calls {
            if let Err(failure) = call.and_then(|call| one(call, is_first)) {
                if !failure.is_told() {
                    output::error(&failure);
                }
                code = failure.code();
                if failure.is_last() {
                    return code;
                }
            }
            is_first = false;
        }
    }
    code
}

/// One call, the first or one behind `--next`.
fn one(call: Vec<OsString>, is_first: bool) -> Result<(), Failure> {
    let settings = Settings::read(Arguments::command(), call)?;
    let arguments = parse(settings.arguments()?)?;
    if is_first {
        start_logging(&arguments);
        settings.warn_of_variables();
    }
    run(arguments, &settings)
}

/// *Errors*: arguments that cannot be meant; help that was asked for ends the program.
fn parse(arguments: Vec<OsString>) -> Result<Arguments, Failure> {
    Arguments::try_parse_from(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        _ => Failure::usage(format_args!("{}; see --help", usage::line(&error))),
    })
}

fn run(arguments: Arguments, settings: &Settings) -> Result<(), Failure> {
    match arguments.verb {
        Verb::Serve(serve) => serve.run(settings, arguments.quiet),
        Verb::Fetch(fetch) => fetch.run(settings, arguments.verbose > 0, arguments.quiet),
        Verb::Download(download) => download.run(settings, arguments.quiet),
        Verb::Check(check) => check.run(arguments.quiet),
        Verb::Cookies(cookies) => cookies.run(arguments.quiet),
        Verb::Certs(certs) => certs.run(arguments.quiet),
        Verb::Echo(echo) => echo.run(arguments.quiet),
        Verb::Config(config) => config.run(arguments.quiet),
        Verb::Completions(completions) => completions.run(),
        Verb::Man(man) => man.run(),
    }
}

/// The program's own messages go to standard error, by level.
fn start_logging(arguments: &Arguments) {
    let silent = matches!(&arguments.verb, Verb::Fetch(fetch) if fetch.silent);
    let level = match (arguments.quiet || silent, arguments.verbose) {
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
    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }
}
