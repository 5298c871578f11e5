//! The arguments as they were meant: groups parted by `--next`, and options out of files of `-K`.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use crate::Arguments;
use crate::failure::Failure;

/// Parts the arguments of `fetch` at each `--next`; those of other verbs stay as they are. What stands
/// before the verb holds for every group.
pub(crate) fn groups(arguments: Vec<OsString>) -> Vec<Vec<OsString>> {
    let Some(verb) = verb(&arguments).filter(|at| arguments[*at] == "fetch") else {
        return vec![arguments];
    };
    let (start, rest) = arguments.split_at(verb + 1);
    let parts = rest.split(|argument| argument == "--next" || argument == "-:");
    parts.map(|part| [start, part].concat()).collect()
}

/// The arguments with those of the files of `-K` put in behind the verb, so that the others come
/// later and win.
///
/// *Errors*: files that cannot be read, lines that cannot be understood.
pub(crate) fn with_files(arguments: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    let files = files(&arguments);
    if files.is_empty() {
        return Ok(arguments);
    }
    let at = verb(&arguments).map_or(arguments.len(), |verb| verb + 1);
    let mut all = arguments[..at].to_vec();
    for file in files {
        all.extend(in_file(&file)?);
    }
    all.extend_from_slice(&arguments[at..]);
    Ok(all)
}

/// The files that `-K` names. What else is wrong with the arguments is found later.
fn files(arguments: &[OsString]) -> Vec<PathBuf> {
    let command = Arguments::command().ignore_errors(true);
    let Ok(matches) = command.try_get_matches_from(arguments) else { return Vec::new() };
    match matches.subcommand() {
        Some(("fetch", fetch)) => {
            fetch.get_many::<PathBuf>("config").into_iter().flatten().cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// The options before a verb take no values, so it is the first word.
fn verb(arguments: &[OsString]) -> Option<usize> {
    let is_word = |argument: &OsStr| !argument.as_encoded_bytes().starts_with(b"-");
    arguments.iter().skip(1).position(|argument| is_word(argument)).map(|at| at + 1)
}

fn in_file(path: &Path) -> Result<Vec<OsString>, Failure> {
    let name = path.display();
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|error| Failure::with_status(26, format_args!("cannot read {name}: {error}")))?;
    let mut arguments = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why| Failure::usage(format_args!("{name}, line {number}: {why}"));
        arguments.extend(option(line).map_err(wrong)?.into_iter().map(OsString::from));
    }
    Ok(arguments)
}

/// A line: `name`, `name value`, `name = value` or `name: value`, with or without dashes before the
/// name and quotes around the value.
fn option(line: &str) -> Result<Vec<String>, &'static str> {
    let end = line.find(|c: char| c.is_whitespace() || matches!(c, '=' | ':'));
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start();
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start();
    let name = if name.starts_with('-') { name.to_owned() } else { format!("--{name}") };
    let value = value(rest)?;
    Ok(match (name.as_str(), value) {
        ("--config" | "-K", _) => return Err("a file cannot name another"),
        ("--url", Some(url)) => vec![url],
        (_, None) => vec![name],
        (_, Some(value)) if name.starts_with("--") => vec![format!("{name}={value}")],
        (_, Some(value)) => vec![name, value],
    })
}

fn value(text: &str) -> Result<Option<String>, &'static str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        let rest = rest.trim_start();
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err("a value with blanks needs quotes");
        }
        return Ok((!value.is_empty()).then(|| value.to_owned()));
    };
    let mut value = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok(Some(value)),
            '\\' => value.push(match letters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('v') => '\u{b}',
                Some(other) => other,
                None => return Err("the quotes are not closed"),
            }),
            _ => value.push(letter),
        }
    }
    Err("the quotes are not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn next_parts_what_belongs_to_fetch() {
        let parts = groups(words("avocet -q fetch -d a u1 --next u2"));
        assert_eq!(parts, [words("avocet -q fetch -d a u1"), words("avocet -q fetch u2")]);
        let one = words("avocet check --next fetch");
        assert_eq!(groups(one.clone()), [one]);
    }

    #[test]
    fn lines_of_files_as_curl_reads_them() {
        for (line, expected) in [
            ("-s", vec!["-s"]),
            ("silent", vec!["--silent"]),
            ("url = http://h/", vec!["http://h/"]),
            ("user-agent \"a \\\"b\\\"\"", vec!["--user-agent=a \"b\""]),
            ("data: x=y # and more", vec!["--data=x=y"]),
            ("-H = \"X: 1\"", vec!["-H", "X: 1"]),
        ] {
            assert_eq!(option(line).unwrap(), expected, "{line}");
        }
        for line in ["data a b", "data \"open", "config = x"] {
            assert!(option(line).is_err(), "{line}");
        }
    }
}
