//! Runs the transfers of one call.

use std::collections::HashMap;
use std::io::Write;
use std::time::SystemTime;

use avocet::client::{Error, Multi, Request, Times, TransferEvent, TransferId};
use avocet::wire::OwnedResponseHead;

use super::args::Fetch;
use super::plan;
use super::sink::Sink;
use super::trace::Trace;
use super::write_out::{Facts, render};
use crate::exit;
use crate::failure::Failure;
use crate::output;

/// One URL on its way.
struct Job {
    url: String,
    method: String,
    sink: Sink,
    head: Option<Box<OwnedResponseHead>>,
}

/// Gets every URL; the failure of the last that failed is that of the call.
pub(crate) fn run(options: &Fetch, verbose: bool, quiet: bool) -> Result<(), Failure> {
    let mut cookies = plan::cookies(options)?;
    let trace = Trace::new(options, verbose)?;
    let config = plan::config(options, cookies.as_ref(), trace)?;
    let mut multi = Multi::new(config).map_err(Failure::failed)?;
    let mut jobs = HashMap::new();
    let mut waiting = options.urls.iter().enumerate();
    let most = if options.parallel { options.parallel_max.max(1) } else { 1 };
    let mut last = Ok(());
    let mut note = |outcome: Result<(), Failure>| {
        if let Err(failure) = outcome {
            if !quiet && (!options.silent || options.show_error) {
                output::error(&failure);
            }
            last = Err(failure.told());
        }
    };
    loop {
        while jobs.len() < most
            && let Some((index, url)) = waiting.next()
        {
            match start(options, &mut multi, index, url) {
                Ok(Some((id, job))) => {
                    jobs.insert(id, job);
                }
                Ok(None) => {}
                Err(failure) => note(Err(failure)),
            }
        }
        if jobs.is_empty() {
            break;
        }
        multi.turn(None).map_err(Failure::failed)?;
        while let Some((id, event)) = multi.next_event() {
            let Some(job) = jobs.get_mut(&id) else { continue };
            let ended = match step(options, job, event) {
                Ok(false) => continue,
                Ok(true) => Ok(()),
                Err(failure) => Err(failure),
            };
            let times = multi.times(id);
            multi.cancel(id);
            if let Some(mut job) = jobs.remove(&id) {
                note(finish(options, &mut job, times.as_ref(), ended));
            }
        }
    }
    if let Some(plan::Cookies { jar, save: Some(file) }) = &mut cookies {
        let saved = file.save_shared(jar, SystemTime::now());
        note(saved.map_err(|error| Failure::failed(format_args!("cannot save cookies: {error}"))));
    }
    last
}

fn start(
    options: &Fetch,
    multi: &mut Multi,
    index: usize,
    url: &str,
) -> Result<Option<(TransferId, Job)>, Failure> {
    let sink = Sink::new(options, index, url)?;
    let request = plan::request(options, url, sink.offset())?;
    if options.dry_run {
        describe(&request);
        return Ok(None);
    }
    let (url, method) = (request.url().to_string(), request.method().to_string());
    let id = multi.start(request).map_err(|error| failed(&error))?;
    Ok(Some((id, Job { url, method, sink, head: None })))
}

/// True when the transfer has ended.
fn step(options: &Fetch, job: &mut Job, event: TransferEvent) -> Result<bool, Failure> {
    match event {
        TransferEvent::Head(head) => {
            job.sink.begin(options, &head)?;
            job.head = Some(head);
            Ok(false)
        }
        TransferEvent::Data(bytes) => {
            let most = options.max_filesize.unwrap_or(u64::MAX);
            if job.sink.written + bytes.len() as u64 > most {
                let message = format!("{}: the content is larger than {most} bytes", job.url);
                return Err(Failure::with_status(63, message));
            }
            job.sink.write(&bytes)?;
            Ok(false)
        }
        TransferEvent::End(_) => Ok(true),
        TransferEvent::Failed(error) => Err(failed(&error)),
        _ => Ok(false),
    }
}

fn finish(
    options: &Fetch,
    job: &mut Job,
    times: Option<&Times>,
    ended: Result<(), Failure>,
) -> Result<(), Failure> {
    let head = job.head.as_deref();
    let outcome = ended.and_then(|()| {
        let status = head.map_or(0, |head| head.status().as_u16());
        if options.fail && status >= 400 {
            return Err(Failure::with_status(22, format_args!("{}: status {status}", job.url)));
        }
        job.sink.finish(options, head)
    });
    if let Some(format) = &options.write_out {
        let error = outcome.as_ref().err().map(ToString::to_string);
        let facts = Facts {
            url: &job.url,
            method: &job.method,
            head,
            times,
            size: job.sink.written,
            redirects: 0,
            exit: outcome.as_ref().err().map_or(0, Failure::status),
            error: error.as_deref(),
        };
        let mut out = std::io::stdout().lock();
        let text = render(format, &facts);
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            return outcome.and_then(|()| Err(Failure::with_status(23, error)));
        }
    }
    outcome
}

fn failed(error: &Error) -> Failure {
    Failure::with_status(exit::status(error), error)
}

fn describe(request: &Request) {
    output::line(format_args!("{} {}", request.method(), request.url()));
    for (name, value) in request.fields().iter() {
        output::line(format_args!("{name}: {}", String::from_utf8_lossy(value)));
    }
}
