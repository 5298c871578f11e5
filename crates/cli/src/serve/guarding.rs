//! Who may see what, and how fast.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroU64;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use avocet::files::{Access, Folder, LinkKey, Password};
use clap::Args;

use crate::amount;
use crate::failure::Failure;
use crate::output;

/// Options about who may see what.
#[derive(Args)]
#[command(next_help_heading = "Access")]
pub(super) struct Guarding {
    /// Ask for this name and password, for everything or for the folder PATH and what is below it,
    /// any number of times; the password may be a hash that --hash-password makes. Better kept in
    /// the settings or in AVOCET_AUTH than on a command line, which others can see
    #[arg(long, value_name = "USER:PASSWORD[@/PATH]", value_parser = login)]
    auth: Vec<Login>,
    /// Let links that are signed with the key in FILE open what they name until they expire; where
    /// there is no --auth, nothing else opens anything
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    /// Print a link to PATH that is signed with the key, and serve nothing; PATH may have a query
    #[arg(long, value_name = "PATH", requires = "sign_key")]
    sign: Option<String>,
    /// How long that link is good for, as 30m, 12h or 7d
    #[arg(long, value_name = "SPAN", default_value = "1d", value_parser = span)]
    expires: Duration,
    /// Read a password from standard input, print its hash, and serve nothing
    #[arg(long)]
    hash_password: bool,
    /// Bytes a second that each response may take at most, as 500k or 2M
    #[arg(long, value_name = "SIZE", value_parser = amount::parse)]
    limit_rate: Option<NonZeroU64>,
}

/// A name and a password, and for what.
#[derive(Clone)]
struct Login {
    name: String,
    password: Password,
    path: String,
}

impl Guarding {
    /// Does what is asked for in place of serving; false where that is nothing.
    pub(super) fn act(&self) -> Result<bool, Failure> {
        if self.hash_password {
            output::line(hash_of_input()?);
            return Ok(true);
        }
        let (Some(target), Some(key)) = (&self.sign, &self.sign_key) else { return Ok(false) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let expires = now.saturating_add(self.expires).as_secs();
        let expires = i64::try_from(expires).unwrap_or(i64::MAX);
        let link = read_key(key)?.sign(target, expires).map_err(Failure::usage)?;
        output::line(link);
        Ok(true)
    }

    pub(super) fn set(self, mut folder: Folder) -> Result<Folder, Failure> {
        let mut access = Access::new();
        for Login { name, password, path } in self.auth {
            access = access.login(&path, &name, password).map_err(Failure::usage)?;
        }
        if let Some(key) = &self.sign_key {
            access = access.links(read_key(key)?);
        }
        if let Some(rate) = self.limit_rate {
            folder = folder.rate(rate.get());
        }
        Ok(folder.access(access))
    }

    /// Whether anything here asks for more than a name: a text is shown to everybody.
    pub(super) fn is_set(&self) -> bool {
        !self.auth.is_empty() || self.sign_key.is_some() || self.limit_rate.is_some()
    }
}

fn hash_of_input() -> Result<String, Failure> {
    let mut password = String::new();
    // Nobody has a password of a thousand letters.
    io::stdin().take(4096).read_to_string(&mut password).map_err(Failure::failed)?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() || password.contains(char::is_control) {
        return Err(Failure::usage("a password of one line is needed on standard input"));
    }
    Password::hash(password).map_err(Failure::failed)
}

/// The key in a file that nobody else may read.
fn read_key(path: &Path) -> Result<LinkKey, Failure> {
    let name = path.display();
    let told = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Failure::usage(format!("{name}: no such file")),
        _ => Failure::failed(format!("{name}: {error}")),
    };
    let file = File::open(path).map_err(told)?;
    let mode = file.metadata().map_err(told)?.permissions().mode();
    if mode & 0o077 != 0 {
        let why = "others may read this key; take their rights away with chmod 600";
        return Err(Failure::usage(format!("{name}: {why}")));
    }
    let mut key = Vec::new();
    file.take(LONGEST_KEY).read_to_end(&mut key).map_err(told)?;
    LinkKey::new(&key).map_err(|error| Failure::usage(format!("{name}: {error}")))
}

fn login(text: &str) -> Result<Login, String> {
    // A password may hold an at sign, and a path may not begin without its slash.
    let (login, path) = match text.rsplit_once("@/") {
        Some((login, path)) => (login, format!("/{path}")),
        None => (text, "/".to_owned()),
    };
    let (name, password) = login.split_once(':').ok_or("there is no colon between the two")?;
    if name.is_empty() || password.is_empty() {
        return Err("one side of the colon is empty".to_owned());
    }
    let password = Password::parse(password).map_err(|error| error.to_string())?;
    Ok(Login { name: name.to_owned(), password, path })
}

fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no span of time: use a number and s, m, h or d, as 12h");
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(unit).filter(|&seconds| seconds > 0).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

/// Bytes of a key that count.
const LONGEST_KEY: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_with_and_without_a_path() {
        let parts = |text| login(text).map(|login| (login.name, login.path)).ok();
        let both = |name: &str, path: &str| Some((name.to_owned(), path.to_owned()));
        assert_eq!(parts("ada:x"), both("ada", "/"));
        assert_eq!(parts("ada:x:y@z@/a/b"), both("ada", "/a/b"));
        assert_eq!(parts("ada@home:x@/"), both("ada@home", "/"));
        for wrong in ["ada", ":x", "ada:", "ada:@/x", "ada:$pbkdf2-sha256$x"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn spans() {
        let seconds = |text| span(text).ok().map(|span| span.as_secs());
        assert_eq!([seconds("90s"), seconds("30m")], [Some(90), Some(1800)]);
        assert_eq!([seconds("12h"), seconds("7d")], [Some(43_200), Some(604_800)]);
        for wrong in ["", "7", "d", "0s", "-1d", "1w", "1.5h", "99999999999999999999d"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
