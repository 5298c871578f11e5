//! `avocet check`: does the page exist?

mod answer;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use avocet::client::{Config, Multi, Request, TransferEvent, TransferId};
use clap::{Args, ValueEnum};
use http::header::{ACCEPT, RANGE, USER_AGENT};
use http::{Method, StatusCode};

use self::answer::{Answer, Asked};
use crate::addresses::Addresses;
use crate::failure::Failure;
use crate::output;
use crate::secure::Secure;
use crate::target::{self, AGENT, with_scheme};

/// Tell whether pages exist, one line each, without reading them
#[derive(Args)]
#[command(
    after_help = "A page exists when HEAD, or GET of one byte where HEAD is not allowed, is \
    answered 200, 206 to that GET, 301, 302, 303, 307 or 308. \
    Exit status: 0 all exist, 1 one does not, 2 usage"
)]
pub(crate) struct Check {
    /// URL to ask for; http:// is assumed without a scheme
    #[arg(value_name = "URL", required_unless_present = "input")]
    urls: Vec<String>,
    /// Take URLs from the lines of FILE, or of standard input for `-`; empty lines and those that
    /// begin with # are left out
    #[arg(short, long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// How the answers are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// The longest time for one page, in seconds
    #[arg(short, long, value_name = "SECONDS", default_value_t = 20.0)]
    max_time: f64,
    /// At most N pages at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    parallel: u16,
    #[command(flatten)]
    secure: Secure,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// `Server: URL status is OK`, or `... is NOT OK!` with the reason on standard error
    Text,
    /// One JSON object per line
    Json,
}

/// A page that is being asked for.
struct Pending {
    index: u64,
    url: String,
    asked: Asked,
    since: Instant,
}

/// The pages on their way and the answers that wait for their turn.
struct Checking<'a> {
    options: &'a Check,
    quiet: bool,
    multi: Multi,
    pending: HashMap<TransferId, Pending>,
    done: BTreeMap<u64, Answer>,
    /// The page whose answer is printed next: answers come in the order of the pages.
    next: u64,
    missing: bool,
}

impl Check {
    pub(crate) fn run(self, quiet: bool) -> Result<(), Failure> {
        let mut config = Config::default();
        config.proxies = target::proxies()?;
        self.secure.set(&mut config)?;
        config.redirects.most = 0;
        config.timeouts.total = Some(
            Duration::try_from_secs_f64(self.max_time)
                .map_err(|_| Failure::usage("--max-time wants a number of seconds"))?,
        );
        let mut addresses = Addresses::open(&self.urls, self.input.as_deref())?;
        let multi = Multi::new(config).map_err(Failure::failed)?;
        let mut checking = Checking {
            options: &self,
            quiet,
            multi,
            pending: HashMap::new(),
            done: BTreeMap::new(),
            next: 0,
            missing: false,
        };
        checking.run(&mut addresses)?;
        // The lines have said it.
        if checking.missing { Err(Failure::failed("").told()) } else { Ok(()) }
    }
}

impl Checking<'_> {
    fn run(&mut self, addresses: &mut Addresses<'_>) -> Result<(), Failure> {
        let mut index = 0;
        loop {
            while self.pending.len() < usize::from(self.options.parallel)
                && self.done.len() < AHEAD
                && let Some(url) = addresses.next_address()?
            {
                self.ask(index, url, Asked::Head, Instant::now());
                index += 1;
                self.print()?;
            }
            if self.pending.is_empty() {
                return Ok(());
            }
            self.multi.turn(None).map_err(Failure::failed)?;
            while let Some((id, event)) = self.multi.next_event() {
                self.take(id, event);
            }
            self.print()?;
        }
    }

    fn ask(&mut self, index: u64, url: String, asked: Asked, since: Instant) {
        let started = request(&url, asked).and_then(|request| self.multi.start(request));
        match started {
            Ok(id) => {
                self.pending.insert(id, Pending { index, url, asked, since });
            }
            Err(error) => {
                let reason = error.message();
                let answer = Answer::failed(shown(&url), asked, since.elapsed(), reason);
                self.done.insert(index, answer);
            }
        }
    }

    /// The head says everything; the connection of what is not read is closed.
    fn take(&mut self, id: TransferId, event: TransferEvent) {
        let Some(page) = self.pending.remove(&id) else { return };
        self.multi.cancel(id);
        let Pending { index, url, asked, since } = page;
        match event {
            TransferEvent::Head(head) => {
                let status = head.status();
                let no_head =
                    [StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_IMPLEMENTED].contains(&status);
                if asked == Asked::Head && no_head {
                    return self.ask(index, url, Asked::FirstByte, since);
                }
                self.done.insert(index, Answer::new(shown(&url), asked, since.elapsed(), status));
            }
            TransferEvent::Failed(error) => {
                let text = avocet::client::Error::to_string(&error);
                // The line names the page already.
                let reason = match error.url() {
                    Some(named) => text.strip_prefix(&format!("{named}: ")).unwrap_or(&text),
                    None => &text,
                };
                self.done
                    .insert(index, Answer::failed(shown(&url), asked, since.elapsed(), reason));
            }
            _ => {
                let reason = "the response ended before its head";
                self.done
                    .insert(index, Answer::failed(shown(&url), asked, since.elapsed(), reason));
            }
        }
    }

    fn print(&mut self) -> Result<(), Failure> {
        while let Some(answer) = self.done.remove(&self.next) {
            self.next += 1;
            self.missing |= !answer.is_good();
            if let Some(reason) = answer.reason()
                && self.options.format == Format::Text
            {
                output::error(format_args!("{}: {reason}", answer.url));
            }
            if self.quiet {
                continue;
            }
            match self.options.format {
                Format::Text => output::answer(&answer)?,
                Format::Json => output::json(&answer.to_json())?,
            }
        }
        Ok(())
    }
}

/// The page as the answer names it.
fn shown(url: &str) -> String {
    target::without_login(url).into_owned()
}

fn request(url: &str, asked: Asked) -> Result<Request, avocet::client::Error> {
    let method = match asked {
        Asked::Head => Method::HEAD,
        Asked::FirstByte => Method::GET,
    };
    let request = Request::new(method, &with_scheme(url))?
        .with_field(USER_AGENT.as_str(), AGENT)?
        .with_field(ACCEPT.as_str(), "*/*")?;
    match asked {
        Asked::Head => Ok(request),
        Asked::FirstByte => request.with_field(RANGE.as_str(), "bytes=0-0"),
    }
}

/// Answers that wait for an earlier one. Beyond this nothing new is asked, so that one late page does
/// not fill the memory.
const AHEAD: usize = 4096;
