//! What every verb that serves has in common: where it listens, what it logs, how it goes on with other
//! settings, how it stops.

mod announce;
mod figures;
mod log_file;
mod secure;
mod swap;
mod systemd;

use std::io;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use avocet::net::{ListenAddress, Signal, on_signals};
use avocet::server::{Bound, Config, Grace, Handle, Handler, LineLog, LogFormat, Server};
use avocet::tls::ServerTls;
use clap::{Args, Command, ValueEnum};

pub(crate) use self::announce::Reached;

use self::announce::announce;
use self::figures::Figures;
use self::log_file::LogFile;
use self::secure::Secure;
use self::swap::Swap;
use crate::failure::Failure;
use crate::settings;

/// Options of verbs that serve.
#[derive(Args)]
#[command(next_help_heading = "Serving")]
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
    /// What a line of the access log, on standard error or in --log-file, looks like
    #[arg(long, value_name = "FORMAT", default_value = "common")]
    log_format: LogChoice,
    /// Add the access log to FILE; SIGHUP opens it anew
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Address to tell figures on, at /metrics for Prometheus, and whether requests are taken, at
    /// /health
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<ListenAddress>,
    /// The Server field of responses; `off` sends none
    #[arg(long, value_name = "NAME", default_value = "avocet")]
    server_header: String,
    /// File of settings, instead of avocet/config.toml below ~/.config; SIGHUP reads it anew
    #[arg(long = "config", value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    secure: Secure,
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

/// What is served.
pub(crate) struct Service {
    /// What the person is told, as `Serving /srv`.
    pub(crate) what: String,
    pub(crate) handler: Arc<dyn Handler>,
    /// Puts the handler together anew, by settings that may have changed.
    pub(crate) again: Option<Again>,
    /// What is to be done when the server listens, for each of its addresses.
    pub(crate) ready: Box<dyn Fn(Reached)>,
    /// What is to be done when it begins to stop.
    pub(crate) on_stop: Box<dyn Fn() + Send>,
}

impl Service {
    pub(crate) fn new(what: String, handler: Arc<dyn Handler>) -> Self {
        Self { what, handler, again: None, ready: Box::new(|_| {}), on_stop: Box::new(|| {}) }
    }
}

/// Makes a handler for the settings of the moment.
pub(crate) type Again = Box<dyn Fn() -> Result<Arc<dyn Handler>, Failure> + Send>;

impl Serving {
    /// Serves until a signal comes.
    pub(crate) fn run(self, service: Service, quiet: bool) -> Result<(), Failure> {
        let tls = self.secure.open()?;
        raise_descriptor_limit();
        let Service { what, handler, again, ready, on_stop } = service;
        let file = self.log_file.as_deref().map(|path| {
            LogFile::open(path).map_err(|error| {
                Failure::with_status(23, format_args!("cannot write {}: {error}", path.display()))
            })
        });
        let file = file.transpose()?;
        let log = self.log(quiet, file.clone())?;
        let swap = again.is_some().then(|| Arc::new(Swap::new(handler.clone())));
        let bound = match swap.clone() {
            Some(swap) => self.bind(swap, &log, tls.as_ref())?,
            // Nothing will be exchanged.
            None => self.bind(handler, &log, tls.as_ref())?,
        };
        let stopping = Arc::new(AtomicBool::new(false));
        let figures = self.metrics.as_ref();
        let figures = figures.map(|at| Figures::start(at, bound.handle(), stopping.clone()));
        let figures = figures.transpose()?;
        let redirecting = self.secure.redirecting(bound.addresses())?;
        let is_secure = tls.is_some();
        if let Some(tls) = &tls {
            secure::watch(tls.clone()).map_err(Failure::failed)?;
        }
        let reload = Reload { swap, again, file, tls };
        answer_signals(bound.handle(), stopping, reload, on_stop).map_err(Failure::failed)?;
        if !quiet {
            for address in bound.addresses() {
                announce(&what, address, is_secure);
            }
            if let Some(figures) = &figures {
                announce("Telling figures", &figures.address, false);
            }
            for address in redirecting.iter().flat_map(|redirecting| &redirecting.addresses) {
                announce("Redirecting to https", address, false);
            }
        }
        for address in bound.addresses() {
            ready(Reached::at(address, is_secure));
        }
        systemd::notify("READY=1");
        let result = bound.run().map_err(Failure::failed);
        if let Some(figures) = figures {
            figures.stop();
        }
        if let Some(redirecting) = redirecting {
            redirecting.stop();
        }
        if let Some(log) = log {
            log.flush();
        }
        result
    }

    fn bind(
        &self,
        handler: Arc<dyn Handler>,
        log: &Option<Arc<LineLog>>,
        tls: Option<&ServerTls>,
    ) -> Result<Bound, Failure> {
        let mut config = Config::default();
        self.secure.add_fields(&mut config)?;
        config.server_name = (self.server_header != "off").then(|| self.server_header.clone());
        let mut server = Server::new(handler).config(config);
        if let Some(workers) = self.workers {
            server = server.workers(usize::from(workers));
        }
        let handed = systemd::sockets()?;
        let is_activated = !handed.is_empty();
        for socket in handed {
            server = server.adopt(socket);
        }
        // A supervisor that hands sockets over has chosen the address; others must be asked for.
        if !is_activated || self.public || !self.listen.is_empty() {
            for address in self.addresses() {
                server = server.listen(address);
            }
        }
        if let Some(log) = log {
            server = server.access_log(log.clone());
        }
        if let Some(tls) = tls {
            server = avocet::https::secure(server, tls);
        }
        server.bind().map_err(Failure::failed)
    }

    fn addresses(&self) -> Vec<ListenAddress> {
        match (self.listen.is_empty(), self.public) {
            (false, _) => self.listen.clone(),
            (true, true) => vec![ListenAddress::public(self.port)],
            (true, false) => vec![ListenAddress::loopback(self.port)],
        }
    }

    fn log(&self, quiet: bool, file: Option<LogFile>) -> Result<Option<Arc<LineLog>>, Failure> {
        let format = match self.log_format {
            _ if quiet && file.is_none() => return Ok(None),
            LogChoice::Off => return Ok(None),
            LogChoice::Common => LogFormat::Common,
            LogChoice::Combined => LogFormat::Combined,
            LogChoice::Json => LogFormat::Json,
        };
        let log = match file {
            Some(file) => LineLog::new(format, file),
            None => LineLog::new(format, io::stderr()),
        };
        log.map(Some).map_err(Failure::failed)
    }
}

/// The names of the options that are about a server as a whole.
pub(crate) fn keys() -> Vec<String> {
    let command = Serving::augment_args(Command::new("serving"));
    command.get_arguments().map(|arg| settings::key(arg).to_owned()).collect()
}

/// What is renewed on SIGHUP.
struct Reload {
    swap: Option<Arc<Swap>>,
    again: Option<Again>,
    file: Option<LogFile>,
    tls: Option<ServerTls>,
}

impl Reload {
    /// The supervisor that asks for it waits until it is told of the end.
    fn run(&self) {
        systemd::notify_reloading();
        self.renew();
        systemd::notify("READY=1");
    }

    fn renew(&self) {
        if let Some(tls) = &self.tls {
            match tls.reload() {
                Ok(()) => log::info!("the certificates were read anew"),
                Err(error) => log::error!("the old certificates stay in use: {error}"),
            }
        }
        if let Some(file) = &self.file
            && let Err(error) = file.reopen()
        {
            log::error!("the access log stays in its file: {error}");
        }
        let (Some(swap), Some(again)) = (&self.swap, &self.again) else { return };
        match again() {
            Ok(handler) => {
                swap.exchange(handler);
                log::info!("the settings were read anew");
            }
            Err(failure) => log::error!("the settings stay as they were: {failure}"),
        }
    }
}

/// The first SIGINT or SIGTERM lets what is under way finish, the second ends at once. A person who
/// presses Ctrl-C waits at most 4 s, a supervisor 30 s.
fn answer_signals(
    handle: Handle,
    stopping: Arc<AtomicBool>,
    reload: Reload,
    on_stop: Box<dyn Fn() + Send>,
) -> io::Result<()> {
    on_signals(move |signal| {
        let deadline = match signal {
            Signal::HangUp => return reload.run(),
            Signal::Interrupt => Duration::from_secs(4),
            Signal::Terminate => Duration::from_secs(30),
        };
        if stopping.swap(true, Ordering::Relaxed) {
            process::exit(1);
        }
        systemd::notify("STOPPING=1");
        on_stop();
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
