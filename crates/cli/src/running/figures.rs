//! Figures for monitors, on a listener of their own.

use std::fmt::Write;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use avocet::net::{Address, ListenAddress};
use avocet::server::{Grace, Handle, Response, Server, Totals, respond};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};

use crate::failure::Failure;

/// A small server that runs beside the other one.
pub(super) struct Figures {
    pub(super) address: Address,
    handle: Handle,
    thread: JoinHandle<io::Result<()>>,
}

impl Figures {
    /// Serves the counters of `of` at `/metrics`, and whether it takes requests at `/health`.
    ///
    /// *Errors*: the address cannot be had.
    pub(super) fn start(
        address: &ListenAddress,
        of: Handle,
        stopping: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let handler = respond(move |request| match (request.method(), request.path()) {
            (&Method::GET | &Method::HEAD, "/metrics") => page(text(&of.totals())),
            (&Method::GET | &Method::HEAD, "/health") if stopping.load(Ordering::Relaxed) => {
                Response::text("stopping\n").with_status(StatusCode::SERVICE_UNAVAILABLE)
            }
            (&Method::GET | &Method::HEAD, "/health") => Response::text("ok\n"),
            (_, "/metrics" | "/health") => Response::error(StatusCode::METHOD_NOT_ALLOWED),
            _ => Response::error(StatusCode::NOT_FOUND),
        });
        let bound = Server::new(handler).workers(1).listen(address.clone()).bind();
        let bound = bound.map_err(Failure::failed)?;
        let (address, handle) = (bound.addresses()[0].clone(), bound.handle());
        let thread = thread::Builder::new()
            .name("metrics".into())
            .spawn(move || bound.run())
            .map_err(Failure::failed)?;
        Ok(Self { address, handle, thread })
    }

    /// Ends it, when the other server has ended.
    pub(super) fn stop(self) {
        self.handle.stop(Grace::NONE);
        match self.thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("the listener for metrics failed: {error}"),
            Err(_) => log::warn!("the listener for metrics panicked"),
        }
    }
}

fn page(text: String) -> Response {
    let page = Response::text(text);
    match page.with_field(&CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8") {
        Ok(page) => page,
        Err(error) => Response::error_because(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// The counters in Prometheus's text format, 0.0.4.
fn text(totals: &Totals) -> String {
    let mut text = String::new();
    let mut add = |name: &str, kind: &str, help: &str, samples: &[(&str, u64)]| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP avocet_{name} {help}\n# TYPE avocet_{name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "avocet_{name}{labels} {value}");
        }
    };
    let counter = "counter";
    add("connections_total", counter, "Connections accepted.", &[("", totals.connections)]);
    add("connections", "gauge", "Connections open now.", &[("", totals.live)]);
    add("requests_total", counter, "Requests whose head was read.", &[("", totals.requests)]);
    let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| format!("{{class=\"{class}\"}}"));
    let responses: Vec<(&str, u64)> =
        classes.iter().map(String::as_str).zip(totals.responses).collect();
    add("responses_total", counter, "Final responses by class of status.", &responses);
    add("received_bytes_total", counter, "Bytes read from connections.", &[("", totals.bytes_in)]);
    add("sent_bytes_total", counter, "Bytes handed to connections.", &[("", totals.bytes_out)]);
    let help = "Requests refused as malformed or beyond a limit, and connections without room.";
    add("refused_total", counter, help, &[("", totals.refused)]);
    let help = "Connections ended by a time-out or a least rate.";
    add("timeouts_total", counter, help, &[("", totals.timeouts)]);
    add("panics_total", counter, "Handlers that panicked.", &[("", totals.panics)]);
    let help = "Responses that could not be completed.";
    add("aborted_total", counter, help, &[("", totals.aborted)]);
    let version = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    add("build_info", "gauge", "Always 1; the label is what matters.", &[(version, 1)]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_help_type_and_value() {
        let mut totals = Totals::default();
        (totals.requests, totals.responses[1]) = (3, 2);
        let text = text(&totals);
        assert!(text.contains("# TYPE avocet_requests_total counter\navocet_requests_total 3\n"));
        assert!(text.contains("\navocet_responses_total{class=\"2xx\"} 2\n"));
        assert_eq!(text.matches("# HELP").count(), text.matches("# TYPE").count());
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("avocet_") && value.parse::<u64>().is_ok(), "{line}");
        }
    }
}
