//! `avocet config`: what is set, and by whom.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, CommandFactory, Subcommand};
use serde_json::Value;

use crate::failure::Failure;
use crate::settings::{self, File, Place, Settings, Source};
use crate::{Arguments, output, usage};

/// Look at the file of settings and at what is set
#[derive(Args)]
#[command(after_help = "Settings are options by their names, in a table for each verb: \
    [serve], [fetch], [download] ...; [host.\"NAME\"] holds for requests to a host, \
    [serve.host.\"NAME\"] is a virtual host. A flag goes before the variable AVOCET_LISTEN, or \
    AVOCET_FETCH_USER_AGENT for verbs other than serve, and a variable before the file, which is \
    that of --config or AVOCET_CONFIG, or avocet/config.toml below XDG_CONFIG_HOME or ~/.config. \
    Exit status: 0 done, 2 something is wrong")]
pub(crate) struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Look for mistakes in the file and among the variables
    Check {
        /// The file, instead of the usual one
        file: Option<PathBuf>,
    },
    /// Print every setting of a verb and where it comes from
    Show {
        /// The verb, and arguments as if it were called with them
        #[arg(
            required = true,
            num_args = 1..,
            value_names = ["VERB", "ARGUMENT"],
            trailing_var_arg = true,
            allow_hyphen_values = true
        )]
        call: Vec<OsString>,
    },
}

impl Config {
    pub(crate) fn run(self, quiet: bool) -> Result<(), Failure> {
        match self.verb {
            Verb::Check { file } => check(file, quiet),
            Verb::Show { call } => show(call),
        }
    }
}

fn check(named: Option<PathBuf>, quiet: bool) -> Result<(), Failure> {
    let command = built();
    let file = match named.map_or_else(settings::place, Place::Named) {
        Place::None => None,
        Place::Named(path) => Some(File::read(&path)?),
        Place::Usual(path) => File::read_if_there(&path)?,
    };
    let strange = settings::strange_variables(&command).into_iter().map(|(name, guess)| {
        let hint = guess.map(|guess| format!("; did you mean {guess}?")).unwrap_or_default();
        Failure::usage(format_args!("the variable {name} sets nothing{hint}"))
    });
    let mut faults: Vec<Failure> = strange.collect();
    if let Some(file) = &file {
        faults.extend(file.faults(&command));
    }
    // What is spelt wrong has no value to look at.
    if faults.is_empty() {
        faults.extend(settings::wrong_values(&command, file.as_ref()));
    }
    for fault in &faults {
        output::error(fault);
    }
    match (faults.is_empty(), file) {
        (false, _) => Err(Failure::usage("").told()),
        (true, _) if quiet => Ok(()),
        (true, Some(file)) => output::answer(format_args!("{}: good", file.path().display())),
        (true, None) => output::answer("there is no file; what is set in the environment is good"),
    }
}

fn show(call: Vec<OsString>) -> Result<(), Failure> {
    let given: Vec<OsString> = std::iter::once("avocet".into()).chain(call).collect();
    let settings = Settings::read(built(), given)?;
    let none = || Failure::usage("there is no such verb with settings");
    let first = settings.first_section().cloned();
    let layers = settings.layers(first.as_ref())?.ok_or_else(none)?;
    let command = built();
    // What the verb is about need not be there for its settings to be shown.
    let matches = command
        .clone()
        .ignore_errors(true)
        .try_get_matches_from(layers.arguments())
        .map_err(|error| Failure::usage(usage::line(&error)))?;
    let (verb, matches) = matches.subcommand().ok_or_else(none)?;
    let options = command.find_subcommand(verb).ok_or_else(none)?;
    for arg in settings::settable(options) {
        let Some(value) = value(arg, matches) else { continue };
        let source = match (layers.source(arg.get_id().as_str()), is_default(arg, matches)) {
            (Some(source), _) => source.to_string(),
            (None, true) => "default".to_owned(),
            (None, false) => Source::Flag.to_string(),
        };
        output::answer(format_args!("{} = {value}  # {source}", settings::key(arg)))?;
    }
    Ok(())
}

/// The value of an option as TOML; `None` where there is none.
fn value(arg: &Arg, matches: &ArgMatches) -> Option<String> {
    let id = arg.get_id().as_str();
    if !matches.ids().any(|known| known.as_str() == id) {
        return None;
    }
    if !arg.get_action().takes_values() {
        return Some(matches.get_flag(id).to_string());
    }
    let text = |raw: &std::ffi::OsStr| match settings::is_secret(settings::key(arg)) {
        true => Value::from("(kept back)"),
        false => plain(&raw.to_string_lossy()),
    };
    let mut values: Vec<Value> = matches.get_raw(id)?.map(text).collect();
    match arg.get_action() {
        ArgAction::Append => Some(Value::Array(values).to_string()),
        // An option that may stand without its value.
        _ if values.is_empty() => Some("true".to_owned()),
        _ => values.pop().map(|value| value.to_string()),
    }
}

/// Numbers without quotes.
fn plain(text: &str) -> Value {
    let number = text.parse::<u64>().map(Value::from);
    number.unwrap_or_else(|_| Value::from(text))
}

fn is_default(arg: &Arg, matches: &ArgMatches) -> bool {
    matches.value_source(arg.get_id().as_str()) == Some(ValueSource::DefaultValue)
}

fn built() -> Command {
    let mut command = Arguments::command();
    command.build();
    command
}
