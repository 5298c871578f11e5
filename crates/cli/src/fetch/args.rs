//! The options of `fetch`.

mod files;
mod follow;
mod habits;
mod patience;
mod placed;
mod sent;
mod way;

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use crate::amount::{self, Limit};
use crate::secure::Secure;

pub(crate) use files::Files;
pub(crate) use follow::Follow;
pub(crate) use patience::Patience;
pub(crate) use placed::Placed;
pub(crate) use sent::Sent;
pub(crate) use way::Way;

use habits::Habits;
use placed::placed;

/// Get URLs and print what comes: curl's letters with curl's meanings
#[derive(Args, Clone, Debug)]
#[command(
    args_override_self = true,
    after_help = "Exit status: 0 done, 1 scheme switched off, 2 usage, 3 malformed URL, 5 no such \
    proxy, 6 host not found, 7 no connection, 8 no HTTP, 18 cut short, 22 HTTP error with --fail, 23 \
    cannot write, 26 cannot read, 28 time-out, 33 no ranges, 35, 58, 60, 77, 82, 90 and 98 TLS, 45 no \
    such interface, 47 too many redirects, 52 no answer, 55 and 56 broken connection, 61 damaged \
    coding, 63 too large, 67 user in the URL"
)]
pub(crate) struct Fetch {
    /// URL to get; http:// is assumed without a scheme. `{a,b}`, `[1-10]`, `[001-100:5]` and `[a-z]`
    /// stand for several
    #[arg(value_name = "URL", value_parser = placed, required_unless_present_any = ["config", "host", "url"])]
    pub(crate) urls: Vec<Placed>,
    /// One more URL, for files of options
    #[arg(long, value_name = "URL", value_parser = placed)]
    pub(crate) url: Vec<Placed>,
    /// The scheme of URLs without one
    #[arg(long, value_name = "SCHEME", default_value = "http", value_parser = ["http", "https"])]
    pub(crate) proto_default: String,
    /// Leave `..` and `.` in paths as they are
    #[arg(long)]
    pub(crate) path_as_is: bool,
    /// Ask for this instead of the path and the query of the URL
    #[arg(long, value_name = "TEXT", conflicts_with = "path_as_is")]
    pub(crate) request_target: Option<String>,
    /// Take braces and brackets in URLs as they are
    #[arg(short, long)]
    pub(crate) globoff: bool,

    /// Host, and port, of a URL of http that needs not be written out
    #[arg(long, value_name = "HOST", conflicts_with = "urls")]
    pub(crate) host: Option<String>,
    /// Path of that URL
    #[arg(long, value_name = "PATH", default_value = "/", requires = "host")]
    pub(crate) path: String,

    /// Ask for the head only
    #[arg(short = 'I', long)]
    pub(crate) head: bool,
    /// Print the heads of responses before the content
    #[arg(short, long)]
    pub(crate) include: bool,
    /// Write the heads of responses to FILE
    #[arg(short = 'D', long, value_name = "FILE")]
    pub(crate) dump_header: Option<PathBuf>,
    /// No progress and no error messages
    #[arg(short, long)]
    pub(crate) silent: bool,
    /// Show on a terminal how far a transfer has come; not with -Z
    #[arg(short = '#', long)]
    pub(crate) progress_bar: bool,
    /// With -s, error messages all the same
    #[arg(short = 'S', long)]
    pub(crate) show_error: bool,
    /// Print nothing and end with 22 when the status is 400 or above
    #[arg(short, long, overrides_with = "fail_with_body")]
    pub(crate) fail: bool,
    /// The same, but print the content
    #[arg(long)]
    pub(crate) fail_with_body: bool,
    /// End at the first URL that fails
    #[arg(long)]
    pub(crate) fail_early: bool,
    /// Print what comes at once, not line by line
    #[arg(short = 'N', long)]
    pub(crate) no_buffer: bool,
    /// Write messages to FILE instead of standard error
    #[arg(long, value_name = "FILE")]
    pub(crate) stderr: Option<PathBuf>,

    /// One more field, `Name: value`; `Name:` takes a field away, `Name;` sends it empty; `@FILE` has
    /// one on each line
    #[arg(short = 'H', long, value_name = "LINE")]
    pub(crate) header: Vec<String>,
    /// The User-Agent field
    #[arg(short = 'A', long, value_name = "TEXT")]
    pub(crate) user_agent: Option<String>,
    /// Pose as a browser: its fields, in its order
    #[arg(long, value_name = "NAME", conflicts_with = "user_agent")]
    pub(crate) browser: Option<Browser>,
    /// The Referer field; with `;auto` behind it, redirects say where they came from
    #[arg(short = 'e', long, value_name = "URL")]
    pub(crate) referer: Option<String>,
    /// The method
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) request: Option<String>,

    /// Cookies: `name=value; ...`, or a file to read
    #[arg(short = 'b', long, value_name = "DATA|FILE")]
    pub(crate) cookie: Vec<String>,
    /// Write all cookies to FILE afterwards
    #[arg(short = 'c', long, value_name = "FILE")]
    pub(crate) cookie_jar: Option<PathBuf>,
    /// Leave session cookies of the file out
    #[arg(short = 'j', long)]
    pub(crate) junk_session_cookies: bool,
    /// Show cookies as they are sent and set, on standard error
    #[arg(long)]
    pub(crate) show_cookies: bool,

    /// User and password, by Basic; a password that is left out is asked for on the terminal
    #[arg(short, long, value_name = "USER[:PASSWORD]")]
    pub(crate) user: Option<String>,
    /// Log in by Digest, which does not show the password to the server
    #[arg(long)]
    pub(crate) digest: bool,
    /// Log in as the server wants it, by Digest or Basic
    #[arg(long, conflicts_with = "digest")]
    pub(crate) anyauth: bool,
    /// Log in with this token, by Bearer
    #[arg(long, value_name = "TOKEN", conflicts_with = "user")]
    pub(crate) oauth2_bearer: Option<String>,
    /// Take users and passwords from ~/.netrc
    #[arg(short = 'n', long)]
    pub(crate) netrc: bool,
    /// The same, if there is such a file
    #[arg(long)]
    pub(crate) netrc_optional: bool,
    /// The same from FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) netrc_file: Option<PathBuf>,

    /// Visit hosts by https only that have asked for it, and remember in FILE which have
    #[arg(long, value_name = "FILE")]
    pub(crate) hsts: Option<PathBuf>,

    /// Part of the content, as `0-499`, `500-` or `-500`
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true)]
    pub(crate) range: Option<String>,
    /// Only if modified after a date or the time of a file
    #[arg(short = 'z', long, value_name = "DATE|FILE", allow_hyphen_values = true)]
    pub(crate) time_cond: Option<String>,
    /// Write the entity tag to FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) etag_save: Option<PathBuf>,
    /// Only if the entity tag is not that in FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) etag_compare: Option<PathBuf>,
    /// Refuse content larger than this, as 500k or 2M; 0 for no bound
    #[arg(long, value_name = "BYTES", value_parser = amount::limit)]
    pub(crate) max_filesize: Option<Limit>,
    /// Ask for a compressed answer and decode it
    #[arg(long)]
    pub(crate) compressed: bool,

    /// All URLs at once
    #[arg(short = 'Z', long)]
    pub(crate) parallel: bool,
    /// At most N at once
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) parallel_max: usize,

    /// Print this afterwards, with variables as `%{http_code}`, `%{json}`; `@FILE` reads it
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) write_out: Option<String>,
    /// What is printed: the content, or one JSON object for each URL, with the variables of -w,
    /// fields, redirects and content
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Speak HTTP/1.0
    #[arg(short = '0', long = "http1.0", action = ArgAction::SetTrue)]
    pub(crate) http10: bool,
    /// Tell where the time went, the way there, what caches may do, and why each cookie was taken,
    /// refused, sent or kept back, on standard error
    #[arg(long)]
    pub(crate) explain: bool,
    /// Write all exchanges to FILE as a HAR log, without content, passwords and cookies
    #[arg(long, value_name = "FILE")]
    pub(crate) har: Option<PathBuf>,
    /// Take options from the lines of FILE, or of standard input for `-`: `name = value`
    #[arg(short = 'K', long, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,
    /// Begin anew with options and URLs: what stands before does not hold for what comes behind
    #[arg(long)]
    pub(crate) next: bool,
    /// Print the request instead of sending it
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) follow: Follow,
    #[command(flatten)]
    pub(crate) sent: Sent,
    #[command(flatten)]
    pub(crate) patience: Patience,
    #[command(flatten)]
    pub(crate) way: Way,
    #[command(flatten)]
    pub(crate) secure: Secure,
    #[command(flatten)]
    pub(crate) habits: Habits,
}

/// What is printed of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The content
    Text,
    /// One JSON object
    Json,
}

/// A browser to pose as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Browser {
    /// Firefox on Linux
    Firefox,
    /// Chrome on Linux
    Chrome,
}
