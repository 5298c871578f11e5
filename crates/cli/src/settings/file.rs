//! A file of settings: TOML, a table for each verb, and tables for hosts.
//!
//! ```toml
//! [serve]
//! listen = ["127.0.0.1:8080"]
//!
//! [serve.host."static.example.org"]
//! folder = "/srv/static"
//!
//! [host."*.example.org"]
//! user-agent = "me"
//! ```

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Command;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::hosts::HostPattern;
use super::{guess, options};
use crate::failure::Failure;

/// A file that was read and could be understood as TOML.
#[derive(Clone)]
pub(crate) struct File {
    pub(super) path: PathBuf,
    pub(super) entries: Vec<Entry>,
    /// Sections in their order, those without entries too.
    sections: Vec<(Section, usize)>,
    /// What is no section, each with its line.
    strays: Vec<(String, usize)>,
}

/// One setting.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) section: Section,
    pub(super) key: String,
    /// `Err` says why it can be no setting.
    pub(super) value: Result<Value, &'static str>,
    pub(super) line: usize,
}

/// What a table is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Section {
    /// `[serve]`
    Verb { verb: String },
    /// `[serve.host."name"]`: a virtual host
    Site { verb: String, host: String },
    /// `[host."name"]`: a host that requests go to
    Host { host: String },
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Switch(bool),
    One(String),
    Many(Vec<String>),
}

impl File {
    /// Reads a file.
    ///
    /// *Errors*: it cannot be read or is no TOML.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        Self::read_if_there(path)?
            .ok_or_else(|| Failure::usage(format_args!("{}: no such file", path.display())))
    }

    /// The same; `None` where there is no file.
    pub(crate) fn read_if_there(path: &Path) -> Result<Option<Self>, Failure> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(Failure::usage(format_args!("cannot read {}: {error}", path.display())))
            }
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        let line = |at: usize| 1 + text[..at.min(text.len())].matches('\n').count();
        let parsed = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line(span.start));
            let why = error.message().replace('\n', ", ");
            Failure::usage(format_args!("{}, line {line}: {why}", path.display()))
        })?;
        let mut file = Self {
            path: path.to_owned(),
            entries: Vec::new(),
            sections: Vec::new(),
            strays: Vec::new(),
        };
        for (name, value) in in_order(parsed.get_ref()) {
            let at = line(name.span().start);
            let Some(table) = value.get_ref().as_table() else {
                file.strays.push((name.get_ref().to_string(), at));
                continue;
            };
            if name.get_ref() == "host" {
                for (host, value) in in_order(table) {
                    let section = Section::Host { host: host.get_ref().to_string() };
                    file.take(section, value, line(host.span().start), &line);
                }
                continue;
            }
            let verb = name.get_ref().to_string();
            file.take(Section::Verb { verb }, value, at, &line);
        }
        Ok(file)
    }

    fn take(
        &mut self,
        section: Section,
        value: &Spanned<DeValue<'_>>,
        at: usize,
        line: &dyn Fn(usize) -> usize,
    ) {
        let Some(table) = value.get_ref().as_table() else {
            self.strays.push((section.to_string(), at));
            return;
        };
        self.sections.push((section.clone(), at));
        for (key, value) in in_order(table) {
            let at = line(key.span().start);
            if let (Section::Verb { verb }, "host", Some(hosts)) =
                (&section, &**key.get_ref(), value.get_ref().as_table())
            {
                for (host, value) in in_order(hosts) {
                    let host_at = line(host.span().start);
                    let host = host.get_ref().to_string();
                    self.take(Section::Site { verb: verb.clone(), host }, value, host_at, line);
                }
                continue;
            }
            self.entries.push(Entry {
                section: section.clone(),
                key: key.get_ref().to_string(),
                value: read(value.get_ref()),
                line: at,
            });
        }
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The sections, in the order in which they stand there.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().map(|(section, _)| section)
    }

    /// The setting of an option in a section.
    pub(super) fn entry(&self, section: &Section, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.section == *section && entry.key == key)
    }

    /// Everything that no option of the program answers to.
    pub(crate) fn faults(&self, command: &Command) -> Vec<Failure> {
        let mut faults = Vec::new();
        let mut fault = |line: usize, why: &dyn fmt::Display| {
            let failure =
                Failure::usage(format_args!("{}, line {line}: {why}", self.path.display()));
            faults.push((line, failure));
        };
        let tables = || options::verbs(command).map(Command::get_name).chain(["host"]);
        for (name, line) in &self.strays {
            let hint = guess::hint(name, tables());
            fault(*line, &format_args!("`{name}` stands outside of a table such as [serve]{hint}"));
        }
        for (section, line) in &self.sections {
            if let Section::Verb { verb } = section
                && !options::is_settable(command, verb)
            {
                let hint = guess::hint(verb, tables());
                fault(*line, &format_args!("there is no verb `{verb}`{hint}"));
            }
            if let Section::Site { verb, .. } = section
                && verb != "serve"
            {
                fault(*line, &format_args!("only [serve] has virtual hosts"));
            }
        }
        for entry in &self.entries {
            let keys = keys(command, &entry.section);
            if keys.is_empty() {
                continue;
            }
            if !keys.contains(&&*entry.key) {
                let hint = guess::hint(&entry.key, keys.iter().copied());
                let (key, section) = (&entry.key, &entry.section);
                fault(entry.line, &format_args!("unknown key `{key}` in {section}{hint}"));
            } else if let Err(why) = &entry.value {
                fault(entry.line, &format_args!("`{}`: {why}", entry.key));
            }
        }
        faults.sort_by_key(|(line, _)| *line);
        faults.into_iter().map(|(_, failure)| failure).collect()
    }
}

impl Section {
    /// The hosts that it is about.
    pub(crate) fn pattern(&self) -> Option<HostPattern> {
        match self {
            Self::Verb { .. } => None,
            Self::Site { host, .. } | Self::Host { host } => Some(HostPattern::new(host)),
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verb { verb } => write!(f, "[{verb}]"),
            Self::Site { verb, host } => write!(f, "[{verb}.host.\"{host}\"]"),
            Self::Host { host } => write!(f, "[host.\"{host}\"]"),
        }
    }
}

/// The keys that a section may have; none for one that must not be there at all.
fn keys<'a>(command: &'a Command, section: &Section) -> Vec<&'a str> {
    let of = |verbs: &[&str]| {
        let known = options::verbs(command).filter(|verb| verbs.contains(&verb.get_name()));
        known.flat_map(|verb| options::settable(verb).map(options::key)).collect()
    };
    match section {
        Section::Verb { verb } => of(&[verb]),
        // What is about the server as a whole no host can have for itself.
        Section::Site { verb, .. } => {
            let whole = crate::running::keys();
            let mut keys = of(&[verb]);
            keys.retain(|key| whole.iter().all(|whole| whole != key));
            keys
        }
        Section::Host { .. } => of(&options::HOSTS),
    }
}

type Pair<'t, 'i> = (&'t Spanned<Cow<'i, str>>, &'t Spanned<DeValue<'i>>);

/// The pairs of a table as they stand in the file.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<Pair<'t, 'i>> {
    let mut pairs: Vec<Pair<'t, 'i>> = table.iter().collect();
    pairs.sort_by_key(|(name, _)| name.span().start);
    pairs
}

fn read(value: &DeValue<'_>) -> Result<Value, &'static str> {
    match value {
        DeValue::Boolean(on) => Ok(Value::Switch(*on)),
        DeValue::Array(values) => values
            .iter()
            .map(|value| one(value.get_ref()))
            .collect::<Result<_, _>>()
            .map(Value::Many),
        other => one(other).map(Value::One),
    }
}

fn one(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| "a number that is too large"),
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Datetime(date) => Ok(date.to_string()),
        DeValue::Boolean(_) => Err("true and false do not stand in a list"),
        DeValue::Array(_) => Err("a list does not stand in a list"),
        DeValue::Table(_) => Err("a table is no value"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keys_and_lines() {
        let text = "[serve]\nlisten = [\"a\", 1]\ncors = true\n\n[serve.host.\"x.y\"]\nfolder = \"f\"\n\
                    [host.\"*.z\"]\nmax-time = 1.5\n";
        let file = File::parse(Path::new("f"), text).unwrap();
        let serve = Section::Verb { verb: "serve".into() };
        let site = Section::Site { verb: "serve".into(), host: "x.y".into() };
        let host = Section::Host { host: "*.z".into() };
        assert_eq!(file.sections().collect::<Vec<_>>(), [&serve, &site, &host]);
        let many = Value::Many(vec!["a".into(), "1".into()]);
        for (section, key, value, line) in [
            (&serve, "listen", many, 2),
            (&serve, "cors", Value::Switch(true), 3),
            (&site, "folder", Value::One("f".into()), 6),
            (&host, "max-time", Value::One("1.5".into()), 8),
        ] {
            let entry = file.entry(section, key).unwrap();
            assert_eq!((entry.value.as_ref().unwrap(), entry.line), (&value, line), "{key}");
        }
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        for text in ["[serve]\nlisten = [", "[serve]\nport = 1\nport = 2\n", "x"] {
            let failure = File::parse(Path::new("f"), text).err().unwrap().to_string();
            assert!(failure.starts_with("f, line "), "{failure}");
            assert_eq!(failure.lines().count(), 1, "{failure}");
        }
    }
}
