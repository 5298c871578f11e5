//! The layers on top of each other: flag, environment, section of a host, section of the verb.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::file::{Entry, File, Section, Value};
use super::options;
use crate::failure::Failure;
use crate::usage;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Flag,
    Variable(String),
    File { path: PathBuf, line: usize },
}

/// The settings of one call.
pub(crate) struct Layers {
    given: Vec<OsString>,
    /// How many of the arguments stand before the options of the verb.
    start: usize,
    set: Vec<Setting>,
}

/// What a layer says about an option.
type Said = Option<(Value, Source)>;

/// One option that a layer below the command line has set.
struct Setting {
    id: String,
    tokens: Vec<OsString>,
    /// What stands in a place of its own comes behind everything.
    place: Option<OsString>,
    source: Source,
}

impl Layers {
    /// Asks every layer about every option.
    ///
    /// *Errors*: values that the options do not take, each with the place where it stands.
    pub(super) fn of(
        command: &Command,
        given: &[OsString],
        verb: &str,
        file: Option<&File>,
        section: Option<&Section>,
    ) -> Result<Self, Failure> {
        let start =
            given.iter().position(|argument| argument == verb).map_or(given.len(), |at| at + 1);
        let mut layers = Self { given: given.to_vec(), start, set: Vec::new() };
        let Some(options) = command.find_subcommand(verb) else { return Ok(layers) };
        let read = command.clone().ignore_errors(true).try_get_matches_from(given);
        let matches = read.ok().and_then(|matches| matches.subcommand().map(|(_, m)| m.clone()));
        let mut spoken: HashSet<String> = HashSet::new();
        for arg in options.get_arguments().filter(|arg| is_given(matches.as_ref(), arg)) {
            spoken.insert(arg.get_id().to_string());
        }
        let of_verb = Section::Verb { verb: verb.to_owned() };
        let from_file = |section: &Section, arg: &Arg| {
            let (file, entry) = (file?, file?.entry(section, options::key(arg))?);
            Some((value_of(entry)?, Source::File { path: file.path.clone(), line: entry.line }))
        };
        let lookups: [&dyn Fn(&Arg) -> Said; 3] =
            [&|arg| from_environment(verb, arg), &|arg| from_file(section?, arg), &|arg| {
                from_file(&of_verb, arg)
            }];
        for (number, lookup) in lookups.into_iter().enumerate() {
            let mut said = Vec::new();
            for arg in options::settable(options) {
                let Some((value, source)) = lookup(arg) else { continue };
                if number == OF_SECTION && matches!(section, Some(Section::Site { .. })) {
                    check_site(options, arg, &source, &spoken)?;
                }
                if !spoken.contains(arg.get_id().as_str()) && !is_excluded(options, arg, &spoken) {
                    let setting = setting(arg, value, source)?;
                    setting.check(command, verb, arg)?;
                    said.push(setting);
                }
            }
            // Only now: what one layer says together it must mean together.
            spoken.extend(said.iter().map(|setting| setting.id.clone()));
            layers.set.extend(said);
        }
        Ok(layers)
    }

    /// The arguments as they would be if everything had been typed; what was typed comes last.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut all = self.given[..self.start].to_vec();
        all.extend(self.set.iter().flat_map(|setting| setting.tokens.iter().cloned()));
        all.extend_from_slice(&self.given[self.start..]);
        let places: Vec<&OsString> =
            self.set.iter().filter_map(|setting| setting.place.as_ref()).collect();
        if !places.is_empty() && !self.given.iter().any(|argument| argument == "--") {
            all.push("--".into());
        }
        all.extend(places.into_iter().cloned());
        all
    }

    /// Who has set an option; `None` if nobody below the command line has.
    pub(crate) fn source(&self, id: &str) -> Option<&Source> {
        self.set.iter().find(|setting| setting.id == id).map(|setting| &setting.source)
    }
}

/// The place of the section of a host among the layers below the command line.
const OF_SECTION: usize = 1;

impl Setting {
    /// *Errors*: a value that the option does not take.
    fn check(&self, command: &Command, verb: &str, arg: &Arg) -> Result<(), Failure> {
        let start = ["avocet".into(), verb.into()];
        let alone = start.iter().chain(&self.tokens).chain(&self.place).cloned();
        let Err(error) = command.clone().try_get_matches_from(alone.collect::<Vec<OsString>>())
        else {
            return Ok(());
        };
        match error.kind() {
            ErrorKind::InvalidValue
            | ErrorKind::ValueValidation
            | ErrorKind::InvalidUtf8
            | ErrorKind::TooManyValues
            | ErrorKind::TooFewValues
            | ErrorKind::WrongNumberOfValues
            | ErrorKind::NoEquals => {
                let (source, key) = (&self.source, options::key(arg));
                Err(Failure::usage(format_args!("{source}: `{key}`: {}", usage::line(&error))))
            }
            // What is missing may be set elsewhere; the whole is looked at later.
            _ => Ok(()),
        }
    }
}

/// What a virtual host serves is its own. What a higher layer says of that would hold for all hosts, each
/// of which would be the same site, and nobody means that.
///
/// *Errors*: an option of this kind of which a higher layer has spoken.
fn check_site(
    verb: &Command,
    arg: &Arg,
    source: &Source,
    spoken: &HashSet<String>,
) -> Result<(), Failure> {
    let is_what = |arg: &&Arg| options::WHAT_IS_SERVED.contains(&options::key(arg));
    let mut others = verb.get_arguments().filter(is_what);
    let key = options::key(arg);
    match others.find(|other| spoken.contains(other.get_id().as_str())) {
        Some(other) if is_what(&arg) => Err(Failure::usage(format_args!(
            "{source}: `{key}`: the {} of the command line or the environment would take its place; \
             put that into the section of the verb",
            options::key(other),
        ))),
        _ => Ok(()),
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
        }
    }
}

fn is_given(matches: Option<&ArgMatches>, arg: &Arg) -> bool {
    let id = arg.get_id().as_str();
    let known = matches.filter(|matches| matches.ids().any(|known| known.as_str() == id));
    known.and_then(|matches| matches.value_source(id)) == Some(ValueSource::CommandLine)
}

/// Whether a higher layer has set something that this option cannot stand beside.
fn is_excluded(verb: &Command, arg: &Arg, spoken: &HashSet<String>) -> bool {
    let excludes = |one: &Arg, other: &str| {
        verb.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other)
    };
    verb.get_arguments().filter(|other| spoken.contains(other.get_id().as_str())).any(|other| {
        excludes(arg, other.get_id().as_str()) || excludes(other, arg.get_id().as_str())
    })
}

fn value_of(entry: &Entry) -> Option<Value> {
    entry.value.as_ref().ok().cloned()
}

/// The value of a variable. Lists stand on lines, since a comma may be part of a value.
fn from_environment(verb: &str, arg: &Arg) -> Said {
    let name = options::variable(verb, arg);
    let text = std::env::var_os(&name)?.to_string_lossy().into_owned();
    let value = match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" if !arg.get_action().takes_values() => Value::Switch(true),
        "false" | "no" | "off" | "0" | "" if !arg.get_action().takes_values() => {
            Value::Switch(false)
        }
        _ if matches!(arg.get_action(), ArgAction::Append) => {
            Value::Many(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
        }
        _ => Value::One(text),
    };
    Some((value, Source::Variable(name)))
}

fn setting(arg: &Arg, value: Value, source: Source) -> Result<Setting, Failure> {
    let key = options::key(arg);
    let wrong = |why: &str| Failure::usage(format_args!("{source}: `{key}`: {why}"));
    let valued = arg.get_action().takes_values();
    // An option that may stand without a value can be switched on.
    let bare = !valued || arg.get_num_args().is_some_and(|count| count.min_values() == 0);
    let with = |value: &String| OsString::from(format!("--{key}={value}"));
    let (mut tokens, mut place) = (Vec::new(), None);
    match value {
        Value::Switch(true) if bare => tokens.push(format!("--{key}").into()),
        Value::Switch(false) if bare => {}
        Value::Switch(_) => return Err(wrong("it wants a value, not true or false")),
        _ if !valued => return Err(wrong("it is true or false")),
        Value::One(value) if arg.is_positional() => place = Some(value.into()),
        Value::One(value) => tokens.push(with(&value)),
        Value::Many(values) if matches!(arg.get_action(), ArgAction::Append) => {
            tokens.extend(values.iter().map(with));
        }
        Value::Many(_) => return Err(wrong("it takes one value, not a list")),
    }
    Ok(Setting { id: arg.get_id().to_string(), tokens, place, source })
}
