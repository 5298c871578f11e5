//! `avocet cookies`: look into files of cookies and change them.

mod show;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use avocet::cookies::{Context, Cookie, ErrorKind, Format, Jar, JarFile, escape, import};
use clap::{Args, Subcommand, ValueEnum};
use url::Url;

use crate::failure::Failure;
use crate::output;
use crate::target::with_scheme;

/// Look into files of cookies and change them: those of curl, wget and Python, LWP's, and JSON
#[derive(Args)]
#[command(after_help = "Exit status: 0 done, 1 refused or nothing found, 2 usage, or a file that \
    cannot be read or is no file of cookies; such a file stays as it is")]
pub(crate) struct Cookies {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show the cookies of a file
    List {
        /// File of cookies
        file: PathBuf,
        /// Only those of this domain
        #[arg(short, long, value_name = "NAME")]
        domain: Option<String>,
        #[command(flatten)]
        shape: Shape,
    },
    /// Tell which cookies a request to URL carries and why others stay, or what would become of
    /// cookies that URL sets
    Explain {
        /// File of cookies
        file: PathBuf,
        /// Where the request goes
        url: String,
        /// Value of a Set-Cookie field to judge instead, any number of times; nothing is stored
        #[arg(long, value_name = "LINE")]
        set: Vec<String>,
        #[command(flatten)]
        shape: Shape,
    },
    /// Store a cookie as if URL had set it; a file that is not there is made
    Set {
        /// File of cookies
        file: PathBuf,
        /// Who sets it
        url: String,
        /// Value of a Set-Cookie field, as `name=value; Path=/; Max-Age=3600`
        line: String,
    },
    /// Remove cookies by name
    Rm {
        /// File of cookies
        file: PathBuf,
        /// Name of the cookies; all that the other options leave without one
        #[arg(required_unless_present_any = ["domain", "path"])]
        name: Option<String>,
        /// Only those of this domain
        #[arg(short, long, value_name = "NAME")]
        domain: Option<String>,
        /// Only those of this path
        #[arg(short, long, value_name = "PATH")]
        path: Option<String>,
    },
    /// Take cookies over from a browser's profile or from another file; a file that is not there is
    /// made
    Import {
        /// File of cookies
        file: PathBuf,
        /// Profile folder or cookie store of a browser, or a file of cookies
        source: PathBuf,
    },
    /// Print the cookies of a file in a format
    Export {
        /// File of cookies
        file: PathBuf,
        /// The format
        #[arg(long, value_name = "FORMAT", default_value = "netscape")]
        to: FileFormat,
        /// Write to FILE instead of standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// How answers are printed.
#[derive(Args, Clone, Copy)]
struct Shape {
    /// How the answer is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Answers,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Answers {
    /// A table
    Text,
    /// A JSON array
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileFormat {
    /// cookies.txt, as curl, wget and Python read it
    Netscape,
    /// LWP's
    Lwp,
    /// A JSON array
    Json,
}

impl Cookies {
    pub(crate) fn run(self, quiet: bool) -> Result<(), Failure> {
        let now = SystemTime::now();
        match self.verb {
            Verb::List { file, domain, shape } => {
                let (_, jar) = load(&file, now)?;
                let wanted = |cookie: &&Cookie| {
                    domain
                        .as_deref()
                        .is_none_or(|domain| cookie.domain().eq_ignore_ascii_case(domain))
                };
                let cookies: Vec<&Cookie> = jar.in_order().into_iter().filter(wanted).collect();
                match shape.format {
                    Answers::Text => show::table(&cookies),
                    Answers::Json => output::json(&cookies.into_iter().map(show::object).collect()),
                }
            }
            Verb::Explain { file, url, set, shape } => {
                let (_, jar) = load(&file, now)?;
                let url = parse(&url)?;
                if set.is_empty() {
                    show::sent(&jar.explain_send(&url, &Context::new(), now), shape.format)
                } else {
                    let judge = |line: &String| {
                        jar.explain_set(&url, line.as_bytes(), &Context::new(), now)
                    };
                    let judged: Vec<_> = set.iter().map(judge).collect();
                    show::judged(&set, &judged, shape.format)
                }
            }
            Verb::Set { file, url, line } => {
                let (mut file, mut jar) = load_or_begin(&file, now)?;
                let stored = jar.set(&parse(&url)?, line.as_bytes(), &Context::new(), now);
                let accepted = stored.map_err(|refusal| {
                    Failure::failed(format_args!("the cookie is refused: {refusal}"))
                })?;
                save(&mut file, &mut jar, now)?;
                tell(quiet, accepted)
            }
            Verb::Rm { file, name, domain, path } => {
                let (mut file, mut jar) = load(&file, now)?;
                let bytes = |text: &Option<String>| text.clone().map(String::into_bytes);
                let (path, name) = (bytes(&path), bytes(&name));
                let gone = jar.clear(domain.as_deref(), path.as_deref(), name.as_deref());
                if gone == 0 {
                    return Err(Failure::failed("there is no such cookie"));
                }
                save(&mut file, &mut jar, now)?;
                tell(quiet, format_args!("{gone} removed"))
            }
            Verb::Import { file, source } => take_over(&file, &source, now, quiet),
            Verb::Export { file, to, output } => {
                let (_, jar) = load(&file, now)?;
                export(&jar, to, output.as_deref(), now)
            }
        }
    }
}

/// A browser's store is tried first; a file that is none may be one of cookies.
fn take_over(file: &Path, source: &Path, now: SystemTime, quiet: bool) -> Result<(), Failure> {
    let (mut file, mut jar) = load_or_begin(file, now)?;
    let (found, whose) = match import(source, now) {
        Ok(imported) => {
            for left in &imported.left_out {
                let name = escape(&left.name);
                log::warn!("{name} of {}: {}", left.domain, left.why);
            }
            (imported.cookies, imported.browser.to_string())
        }
        Err(error) if error.kind() == ErrorKind::Foreign && source.is_file() => {
            let (_, other) = load(source, now)?;
            (other.in_order().into_iter().cloned().collect(), source.display().to_string())
        }
        Err(error) => return Err(Failure::usage(error)),
    };
    let mut taken = 0;
    for cookie in found {
        let name = escape(cookie.name());
        match jar.insert(cookie, now) {
            Ok(_) => taken += 1,
            Err(refusal) => log::warn!("{name}: {refusal}"),
        }
    }
    save(&mut file, &mut jar, now)?;
    tell(quiet, format_args!("{taken} from {whose}"))
}

fn export(jar: &Jar, to: FileFormat, path: Option<&Path>, now: SystemTime) -> Result<(), Failure> {
    let format = match to {
        FileFormat::Netscape => Format::Netscape,
        FileFormat::Lwp => Format::Lwp,
        FileFormat::Json => Format::Json,
    };
    let Some(path) = path else {
        let mut text = Vec::new();
        format.write(jar.in_order(), &[], &mut text).map_err(Failure::usage)?;
        return output::exact(&output::for_stdout(&text));
    };
    // What stands in the file would be merged with; an export is the jar and nothing else.
    if fs::exists(path)
        .map_err(|error| Failure::usage(format_args!("{}: {error}", path.display())))?
    {
        return Err(Failure::usage(format_args!("{} is there already", path.display())));
    }
    save(&mut JarFile::new(path).with_format(format), &mut jar.clone(), now)
}

fn load(path: &Path, now: SystemTime) -> Result<(JarFile, Jar), Failure> {
    let (mut file, mut jar) = (JarFile::new(path), Jar::new());
    let loaded = file.load(&mut jar, now).map_err(Failure::usage)?;
    tell_refused(path, &loaded);
    Ok((file, jar))
}

fn load_or_begin(path: &Path, now: SystemTime) -> Result<(JarFile, Jar), Failure> {
    let (mut file, mut jar) = (JarFile::new(path), Jar::new());
    let loaded = file.load_if_there(&mut jar, now).map_err(Failure::usage)?;
    tell_refused(path, &loaded);
    Ok((file, jar))
}

fn tell_refused(path: &Path, loaded: &avocet::cookies::Loaded) {
    for (line, fault) in &loaded.refused {
        log::warn!("{}, entry {line}: {fault}", path.display());
    }
    if loaded.no_room > 0 {
        log::warn!("{}: {} cookies find no room", path.display(), loaded.no_room);
    }
}

fn save(file: &mut JarFile, jar: &mut Jar, now: SystemTime) -> Result<(), Failure> {
    file.save(jar, now).map_err(Failure::usage)
}

fn parse(url: &str) -> Result<Url, Failure> {
    Url::parse(&with_scheme(url)).map_err(|error| Failure::usage(format_args!("`{url}`: {error}")))
}

fn tell(quiet: bool, text: impl std::fmt::Display) -> Result<(), Failure> {
    if quiet { Ok(()) } else { output::answer(text) }
}
