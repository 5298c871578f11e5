//! What every verb that serves has in common: where it listens, what it logs, how it stops.

use std::io;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use avocet::net::{Address, ListenAddress, Signal, on_signals};
use avocet::server::{Config, Grace, Handle, Handler, LineLog, LogFormat, Server};
use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::output;

/// Options of verbs that serve.
#[derive(Args)]
pub(crate) struct Serving {
    /// Port to listen on, of this machine only
    #[arg(short, long, value_name = "N", default_value_t = 8080, conflicts_with = "listen")]
    port: u16,
    /// Address to listen on, any number of times: PORT, :PORT (every interface), HOST:PORT,
    /// [IPV6]:PORT or unix:PATH; port 0 takes any free one
    #[arg(short, long, value_name = "ADDRESS")]
    listen: Vec<ListenAddress>,
    /// Let other machines in too: listen on every interface
    #[arg(long, conflicts_with = "listen")]
    public: bool,
    /// Threads that serve; one per core by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// What a line of the access log, on standard error, looks like
    #[arg(long, value_name = "FORMAT", default_value = "common")]
    log_format: LogChoice,
    /// The Server field of responses; `off` sends none
    #[arg(long, value_name = "NAME", default_value = "avocet")]
    server_header: String,
    /// File of settings, instead of avocet/config.toml below ~/.config
    #[arg(long = "config", value_name = "FILE")]
    settings: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogChoice {
    /// host - - [time] "request" status bytes
    Common,
    /// common, and the Referer and User-Agent fields
    Combined,
    /// One JSON object per line
    Json,
    /// No access log
    Off,
}

impl Serving {
    /// Serves until a signal comes. `announce` is told each address once all are bound.
    pub(crate) fn run(
        self,
        handler: impl Handler + 'static,
        quiet: bool,
        announce: impl Fn(&Address),
    ) -> Result<(), Failure> {
        raise_descriptor_limit();
        let mut config = Config::default();
        config.server_name = (self.server_header != "off").then(|| self.server_header.clone());
        let mut server = Server::new(handler).config(config);
        if let Some(workers) = self.workers {
            server = server.workers(usize::from(workers));
        }
        for address in self.addresses() {
            server = server.listen(address);
        }
        let log = self.log(quiet)?;
        if let Some(log) = &log {
            server = server.access_log(log.clone());
        }
        let bound = server.bind().map_err(Failure::failed)?;
        stop_on_signals(bound.handle()).map_err(Failure::failed)?;
        for address in bound.addresses() {
            announce(address);
        }
        let result = bound.run().map_err(Failure::failed);
        if let Some(log) = log {
            log.flush();
        }
        result
    }

    fn addresses(&self) -> Vec<ListenAddress> {
        match (self.listen.is_empty(), self.public) {
            (false, _) => self.listen.clone(),
            (true, true) => vec![ListenAddress::public(self.port)],
            (true, false) => vec![ListenAddress::loopback(self.port)],
        }
    }

    fn log(&self, quiet: bool) -> Result<Option<Arc<LineLog>>, Failure> {
        let format = match self.log_format {
            _ if quiet => return Ok(None),
            LogChoice::Off => return Ok(None),
            LogChoice::Common => LogFormat::Common,
            LogChoice::Combined => LogFormat::Combined,
            LogChoice::Json => LogFormat::Json,
        };
        LineLog::new(format, io::stderr()).map(Some).map_err(Failure::failed)
    }
}

/// The URL of an address, as a browser takes it.
pub(crate) fn url(address: &Address) -> String {
    match address {
        Address::Ip(address) if address.ip().is_unspecified() => {
            format!("http://localhost:{}/", address.port())
        }
        Address::Ip(address) => format!("http://{address}/"),
        other => other.to_string(),
    }
}

/// The first SIGINT or SIGTERM lets what is under way finish, the second ends at once. A person who
/// presses Ctrl-C waits at most 4 s, a supervisor 30 s.
fn stop_on_signals(handle: Handle) -> io::Result<()> {
    let mut asked = false;
    on_signals(move |signal| {
        let deadline = match signal {
            Signal::HangUp => return,
            Signal::Interrupt => Duration::from_secs(4),
            Signal::Terminate => Duration::from_secs(30),
        };
        if asked {
            process::exit(1);
        }
        asked = true;
        let live = handle.totals().live;
        if live > 0 {
            log::info!("stopping; {live} connections may finish");
        }
        handle.stop(Grace { deadline, ..Grace::default() });
    })
}

/// Takes as many descriptors as the system lets us have: the usual soft limit of 1,024 is there for
/// programs that use `select`.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            log::info!("the limit on descriptors stays: {error}");
        }
    }
}

/// Tells that a verb is ready.
pub(crate) fn announce(quiet: bool, what: &str, address: &Address) {
    if !quiet {
        output::line(format_args!("{what} on {}", url(address)));
    }
}
