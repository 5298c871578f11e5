//! The options of `fetch`.

use std::convert::Infallible;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{ArgAction, Args, ValueEnum};

use crate::amount;
use crate::secure::Secure;

/// Get URLs and print what comes: curl's letters with curl's meanings
#[derive(Args, Clone, Debug)]
#[command(
    args_override_self = true,
    after_help = "Exit status: 0 done, 2 usage, 3 malformed URL, 6 host not found, 7 no \
    connection, 18 cut short, 22 HTTP error with --fail, 23 cannot write, 28 time-out, 35, 58, 60, \
    77, 82, 90 and 98 TLS, 47 too many redirects, 52 no answer, 56 broken connection, 61 damaged coding, 63 too large"
)]
pub(crate) struct Fetch {
    /// URL to get; http:// is assumed without a scheme
    #[arg(value_name = "URL", required_unless_present_any = ["config", "host", "url"])]
    pub(crate) urls: Vec<String>,
    /// One more URL, for files of options
    #[arg(long, value_name = "URL")]
    pub(crate) url: Vec<String>,

    /// Host, and port, of a URL of http that needs not be written out
    #[arg(long, value_name = "HOST", conflicts_with = "urls")]
    pub(crate) host: Option<String>,
    /// Path of that URL
    #[arg(long, value_name = "PATH", default_value = "/", requires = "host")]
    pub(crate) path: String,

    /// Write to FILE instead of standard output; once per URL
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// Write to a file named like the last part of the URL
    #[arg(short = 'O', long)]
    pub(crate) remote_name: bool,
    /// The same for every URL that has no -o of its own
    #[arg(long)]
    pub(crate) remote_name_all: bool,
    /// With -O, take the name that the server suggests
    #[arg(short = 'J', long)]
    pub(crate) remote_header_name: bool,
    /// Folder for files
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Give files the time that the server says
    #[arg(short = 'R', long)]
    pub(crate) remote_time: bool,
    /// Continue an output file from an offset; `-` finds it
    #[arg(short = 'C', long, value_name = "OFFSET")]
    pub(crate) continue_at: Option<String>,

    /// Follow redirects
    #[arg(short = 'L', long)]
    pub(crate) location: bool,
    /// At most N redirects
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) max_redirs: u32,

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
    /// With -s, error messages all the same
    #[arg(short = 'S', long)]
    pub(crate) show_error: bool,
    /// Print nothing and end with 22 when the status is 400 or above
    #[arg(short, long)]
    pub(crate) fail: bool,

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

    /// Content of a form, `name=value`, or `@FILE`; makes it a POST
    #[arg(short, long, value_name = "DATA", allow_hyphen_values = true, value_parser = placed)]
    pub(crate) data: Vec<Placed>,
    /// The same without a meaning for `@`
    #[arg(long, value_name = "DATA", allow_hyphen_values = true, value_parser = placed)]
    pub(crate) data_raw: Vec<Placed>,
    /// The same with line ends of a file kept
    #[arg(long, value_name = "DATA", allow_hyphen_values = true, value_parser = placed)]
    pub(crate) data_binary: Vec<Placed>,
    /// The same, percent-encoded: `text`, `name=text`, `name@FILE`
    #[arg(long, value_name = "DATA", allow_hyphen_values = true, value_parser = placed)]
    pub(crate) data_urlencode: Vec<Placed>,
    /// JSON, or `@FILE`, with its types in Content-Type and Accept
    #[arg(long, value_name = "DATA", allow_hyphen_values = true)]
    pub(crate) json: Vec<String>,
    /// Part of a form: `name=value`, `name=@FILE`, `name=<FILE`, with `;type=TYPE` and
    /// `;filename=NAME` behind
    #[arg(short = 'F', long, value_name = "PART", conflicts_with_all = ["data", "data_raw", "data_binary", "data_urlencode", "json", "get", "upload_file"], value_parser = placed)]
    pub(crate) form: Vec<Placed>,
    /// The same without a meaning for `@`, `<` and `;`
    #[arg(long, value_name = "PART", conflicts_with_all = ["data", "data_raw", "data_binary", "data_urlencode", "json", "get", "upload_file"], value_parser = placed)]
    pub(crate) form_string: Vec<Placed>,
    /// Put the data of -d into the query of the URL
    #[arg(short = 'G', long)]
    pub(crate) get: bool,
    /// Send FILE, or `-` for standard input, by PUT
    #[arg(short = 'T', long, value_name = "FILE")]
    pub(crate) upload_file: Option<PathBuf>,

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
    /// The same from FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) netrc_file: Option<PathBuf>,

    /// Proxy for everything: [SCHEME://][USER:PASSWORD@]HOST[:PORT] with http, socks4, socks4a,
    /// socks5 or socks5h; empty for none. Otherwise http_proxy, all_proxy and no_proxy of the
    /// environment hold
    #[arg(short = 'x', long, value_name = "PROXY")]
    pub(crate) proxy: Option<String>,
    /// User and password for the proxy
    #[arg(short = 'U', long, value_name = "USER[:PASSWORD]")]
    pub(crate) proxy_user: Option<String>,
    /// Hosts, domains and networks that are reached without a proxy, parted by commas
    #[arg(long, value_name = "LIST")]
    pub(crate) noproxy: Option<String>,
    /// Addresses of a host, instead of asking for them: HOST:PORT:ADDRESS[,ADDRESS]...
    #[arg(long, value_name = "RULE")]
    pub(crate) resolve: Vec<String>,
    /// Connect elsewhere: HOST1:PORT1:HOST2:PORT2, each of which may be empty
    #[arg(long, value_name = "RULE")]
    pub(crate) connect_to: Vec<String>,
    /// IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,
    /// Connect from this address or network interface
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub(crate) interface: Option<String>,
    /// Connect to this socket in the file system
    #[arg(long, value_name = "PATH")]
    pub(crate) unix_socket: Option<PathBuf>,
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
    /// Ask for a compressed answer and decode it
    #[arg(long)]
    pub(crate) compressed: bool,

    /// The longest time for everything, in seconds
    #[arg(short, long, value_name = "SECONDS")]
    pub(crate) max_time: Option<f64>,
    /// The longest time for connecting, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) connect_timeout: Option<f64>,
    /// Refuse content larger than this, as 500k or 2M
    #[arg(long, value_name = "BYTES", value_parser = amount::parse)]
    pub(crate) max_filesize: Option<NonZeroU64>,

    /// Give up below this many bytes per second
    #[arg(short = 'Y', long, value_name = "RATE", value_parser = amount::parse)]
    pub(crate) speed_limit: Option<NonZeroU64>,
    /// The time over which the speed is measured, in seconds
    #[arg(short = 'y', long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) speed_time: u32,
    /// At most this many bytes per second for each URL, as 500k or 2M
    #[arg(long, value_name = "RATE", value_parser = amount::parse)]
    pub(crate) limit_rate: Option<NonZeroU64>,
    /// Try again up to N times after failures that may pass, where that is safe
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) retry: u32,
    /// Pause before each further try, in seconds; by default 1 and doubled each time
    #[arg(long, value_name = "SECONDS")]
    pub(crate) retry_delay: Option<f64>,

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
    pub(crate) secure: Secure,
}

/// A value with its place among those of all options: data is joined in the order of the line.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) place: usize,
    pub(crate) text: String,
}

/// The values are read in the order in which they stand there.
fn placed(text: &str) -> Result<Placed, Infallible> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    Ok(Placed { place: NEXT.fetch_add(1, Ordering::Relaxed), text: text.to_owned() })
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
