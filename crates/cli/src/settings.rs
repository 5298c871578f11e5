//! Settings: what stands on the command line, in the environment and in files.
//!
//! Every option of a verb can be set in all three, by its own name; the table of them is the one
//! that the command line is parsed by, so nothing is written twice. What a lower layer says is put
//! between the arguments as if the user had typed it, unless a higher layer has spoken about the
//! same option, or about one that excludes it.

mod file;
mod guess;
mod hosts;
mod layers;
mod options;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command, FromArgMatches};
use url::Url;

pub(crate) use self::file::{File, Section};
pub(crate) use self::hosts::HostPattern;
pub(crate) use self::layers::Source;
pub(crate) use self::options::{is_secret, key, settable};

use self::layers::Layers;
use crate::failure::Failure;
use crate::target::with_scheme;

/// What is set for one call of a verb.
#[derive(Clone)]
pub(crate) struct Settings {
    command: Command,
    given: Vec<OsString>,
    /// The verb, if it is one that has settings.
    verb: Option<String>,
    file: Option<File>,
}

impl Settings {
    /// Reads the file that the arguments, the environment or the custom of the system name.
    ///
    /// *Errors*: a file that cannot be read, or says what no option is.
    pub(crate) fn read(command: Command, given: Vec<OsString>) -> Result<Self, Failure> {
        let mut command = command;
        command.build();
        let (verb, named) = verb_of(&command, &given);
        let mut settings = Self { command, given, verb, file: None };
        if settings.verb.is_some() {
            settings.file = settings.open(named)?;
        }
        Ok(settings)
    }

    /// The arguments with everything that is set put in between.
    ///
    /// *Errors*: values that the options do not take.
    pub(crate) fn arguments(&self) -> Result<Vec<OsString>, Failure> {
        Ok(self.layers(None)?.map_or_else(|| self.given.clone(), |layers| layers.arguments()))
    }

    /// The section for the host of a URL, or the virtual host, whose name fits best: the whole name,
    /// or the longest ending with a star before it.
    pub(crate) fn section_of(&self, host: &str, port: Option<u16>) -> Option<&Section> {
        let sections = self.file.as_ref()?.sections();
        hosts::best(sections.filter(|section| self.is_of_hosts(section)), host, port)
    }

    /// Whether there is a file that could be read again.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// The same call with its file read anew.
    ///
    /// *Errors*: as [`read`](Self::read).
    pub(crate) fn again(&self) -> Result<Self, Failure> {
        Self::read(self.command.clone(), self.given.clone())
    }

    /// The virtual hosts of the verb.
    pub(crate) fn sites(&self) -> impl Iterator<Item = &Section> {
        let sections = self.file.iter().flat_map(File::sections);
        sections
            .filter(|section| matches!(section, Section::Site { .. }) && self.is_of_hosts(section))
    }

    /// The options of the verb, with those of a section if one holds too.
    ///
    /// *Errors*: as [`arguments`](Self::arguments), and options that contradict each other.
    pub(crate) fn parse<T: FromArgMatches>(&self, section: Option<&Section>) -> Result<T, Failure> {
        let arguments = match self.layers(section)? {
            Some(layers) => layers.arguments(),
            None => self.given.clone(),
        };
        let place = section.map(|section| format!("{section}: ")).unwrap_or_default();
        let wrong = |error: clap::Error| {
            Failure::usage(format_args!("{place}{}", crate::usage::line(&error)))
        };
        let matches = self.command.clone().try_get_matches_from(arguments).map_err(wrong)?;
        let (_, matches) =
            matches.subcommand().ok_or_else(|| Failure::usage("there is no verb"))?;
        T::from_arg_matches(matches).map_err(wrong)
    }

    /// The options of the verb with their values and where those come from.
    ///
    /// *Errors*: as [`arguments`](Self::arguments).
    pub(crate) fn layers(&self, section: Option<&Section>) -> Result<Option<Layers>, Failure> {
        let Some(verb) = &self.verb else { return Ok(None) };
        let section = section.filter(|section| self.is_of_hosts(section));
        Layers::of(&self.command, &self.given, verb, self.file.as_ref(), section).map(Some)
    }

    /// The section for the first URL of the call.
    pub(crate) fn first_section(&self) -> Option<&Section> {
        let command = self.command.clone().ignore_errors(true);
        let matches = command.try_get_matches_from(&self.given).ok()?;
        let (_, matches) = matches.subcommand()?;
        let url = matches.try_get_raw("urls").ok()??.next()?.to_str()?;
        self.section_of_url(&Url::parse(&with_scheme(url)).ok()?)
    }

    /// The section for the host of a URL.
    pub(crate) fn section_of_url(&self, url: &Url) -> Option<&Section> {
        self.section_of(url.host_str()?, url.port_or_known_default())
    }

    /// Warns of variables that are misspelt. Those that are like none may be somebody else's.
    pub(crate) fn warn_of_variables(&self) {
        if self.verb.is_none() {
            return;
        }
        for (name, guess) in strange_variables(&self.command) {
            if let Some(guess) = guess {
                log::warn!("the variable {name} sets nothing; did you mean {guess}?");
            }
        }
    }

    fn is_of_hosts(&self, section: &Section) -> bool {
        match section {
            Section::Host { .. } => self.verb.as_deref().is_some_and(options::has_hosts),
            Section::Site { verb, .. } => self.verb.as_deref() == Some(verb),
            Section::Verb { .. } => false,
        }
    }

    fn open(&self, named: Option<PathBuf>) -> Result<Option<File>, Failure> {
        let file = match named.map_or_else(place, Place::Named) {
            Place::None => return Ok(None),
            Place::Named(path) => File::read(&path)?,
            Place::Usual(path) => match File::read_if_there(&path)? {
                Some(file) => file,
                None => return Ok(None),
            },
        };
        match file.faults(&self.command).into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(Some(file)),
        }
    }
}

/// Where the file lies.
pub(crate) enum Place {
    /// There is to be none.
    None,
    /// The user has named it.
    Named(PathBuf),
    /// Where programs of the user keep theirs; it need not be there.
    Usual(PathBuf),
}

/// The place that the environment names: `AVOCET_CONFIG`, else below `XDG_CONFIG_HOME`, else below
/// `~/.config`.
pub(crate) fn place() -> Place {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    match set("AVOCET_CONFIG") {
        Some(path) if path.as_os_str().is_empty() => return Place::None,
        Some(path) => return Place::Named(path),
        None => {}
    }
    let configs = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let configs = configs.or_else(|| Some(set("HOME")?.join(".config")));
    match configs {
        Some(folder) => Place::Usual(folder.join(Path::new("avocet/config.toml"))),
        None => Place::None,
    }
}

/// Variables that look like settings and are none, each with what it may have meant.
pub(crate) fn strange_variables(command: &Command) -> Vec<(String, Option<String>)> {
    let known: Vec<String> = options::verbs(command)
        .flat_map(|verb| settable(verb).map(|arg| options::variable(verb.get_name(), arg)))
        .chain(["AVOCET_CONFIG".to_owned()])
        .collect();
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let mut strange: Vec<String> =
        names.filter(|name| name.starts_with("AVOCET_") && !known.contains(name)).collect();
    strange.sort();
    let words = || known.iter().map(|name| name.trim_start_matches("AVOCET_"));
    let guess = |name: String| {
        let near = guess::near(name.trim_start_matches("AVOCET_"), words());
        let near = near.map(|word| format!("AVOCET_{word}"));
        (name, near)
    };
    strange.into_iter().map(guess).collect()
}

/// Values that the options do not take, of every verb and every section.
pub(crate) fn wrong_values(command: &Command, file: Option<&File>) -> Vec<Failure> {
    let mut faults: Vec<Failure> = Vec::new();
    for verb in options::verbs(command).map(Command::get_name) {
        let given = ["avocet".into(), verb.into()];
        let sections = file.into_iter().flat_map(File::sections).filter(|section| match section {
            Section::Verb { .. } => false,
            Section::Site { verb: of, .. } => of == verb,
            Section::Host { .. } => options::has_hosts(verb),
        });
        for section in std::iter::once(None).chain(sections.map(Some)) {
            if let Err(fault) = Layers::of(command, &given, verb, file, section) {
                // The same place is asked about for several sections.
                if faults.iter().all(|known| known.to_string() != fault.to_string()) {
                    faults.push(fault);
                }
            }
        }
    }
    faults
}

/// The verb of these arguments, if it has settings, and the file that they name.
fn verb_of(command: &Command, given: &[OsString]) -> (Option<String>, Option<PathBuf>) {
    // Help and versions are asked for by errors; the real reading of the arguments answers those.
    let Ok(matches) = command.clone().ignore_errors(true).try_get_matches_from(given) else {
        return (None, None);
    };
    match matches.subcommand() {
        Some((verb, matches)) if options::is_settable(command, verb) => {
            (Some(verb.to_owned()), config_file(matches))
        }
        _ => (None, None),
    }
}

fn config_file(matches: &ArgMatches) -> Option<PathBuf> {
    matches.try_get_one::<PathBuf>(options::FILE).ok().flatten().cloned()
}
