//! Runs the transfers of one call.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use avocet::client::{Config, Error, Multi, Report, TransferEvent, TransferId};
use avocet::wire::OwnedResponseHead;
use http::Method;

use super::again::{self, Try};
use super::args::{Fetch, Format};
use super::dry;
use super::explain::explain;
use super::given;
use super::har::Har;
use super::json;
use super::plan;
use super::progress::Progress;
use super::sink::Sink;
use super::targets::Target;
use super::trace::Trace;
use super::write_out::{self, Facts};
use super::{Part, Parts, Row};
use crate::amount::Limit;
use crate::exit;
use crate::failure::Failure;
use crate::output;
use crate::secure::Remembered;

/// One URL on its way.
struct Job {
    tag: u64,
    target: Target,
    url: String,
    method: Method,
    sink: Sink,
    failed: u32,
    begun: Instant,
    /// Whether what it failed by within its content may pass.
    may_pass: bool,
    head: Option<Box<OwnedResponseHead>>,
    progress: Progress,
    /// When the content began to come, and when a pause for the limit on the rate ends.
    began: Option<Instant>,
    resume: Option<Instant>,
}

/// Gets every URL; the failure of the last that failed is that of the call. `call` says what holds
/// for all: cookies and logs; the parts have the URLs.
pub(super) fn run(
    call: &Fetch,
    parts: &mut Parts<'_>,
    verbose: bool,
    quiet: bool,
) -> Result<(), Failure> {
    let mut cookies = plan::cookies(call, parts.first_url().as_ref())?;
    let trace = Trace::new(call, verbose)?;
    let remembered = call.hsts.as_deref().map(Remembered::read).transpose()?;
    let har = call.har.as_ref().map(|path| (path, Arc::new(Har::default())));
    let mut last = Ok(());
    let mut note = |outcome: Result<(), Failure>| -> bool {
        if let Err(failure) = outcome {
            if !quiet && (!call.silent || call.show_error) {
                output::error(&failure);
            }
            last = Err(failure.told());
            return !call.fail_early;
        }
        true
    };
    while let Some(mut row) = parts.next_row()? {
        let options = &row.part.options;
        let mut config = plan::config(options, cookies.as_ref(), trace.clone())?;
        if let Some(remembered) = &remembered {
            remembered.set(&mut config, &options.secure);
        }
        if let Some((_, har)) = &har {
            config.hooks.push(har.clone());
        }
        if call.dry_run {
            dry::prepare(&mut config);
        }
        if !get(&mut row, config, &trace, &mut note)? {
            break;
        }
    }
    if call.dry_run {
        return ended(call, last);
    }
    if let Some((path, har)) = har {
        note(har.save(path));
    }
    if let Some(cookies) = &mut cookies {
        note(cookies.save(call));
    }
    if let Some(remembered) = &remembered {
        note(remembered.save());
    }
    ended(call, last)
}

/// With --fail-early what stands behind `--next` is not tried either.
fn ended(call: &Fetch, last: Result<(), Failure>) -> Result<(), Failure> {
    last.map_err(|failure| if call.fail_early { failure.last() } else { failure })
}

/// Gets URLs that have their options in common; false when the rest is not to be tried.
fn get(
    row: &mut Row<'_, '_>,
    config: Config,
    trace: &Trace,
    note: &mut dyn FnMut(Result<(), Failure>) -> bool,
) -> Result<bool, Failure> {
    let mut multi = Multi::new(config).map_err(Failure::failed)?;
    let mut jobs = HashMap::new();
    let part = row.part;
    let options = &part.options;
    let most = if options.parallel { options.parallel_max.max(1) } else { 1 };
    let mut last: Option<Instant> = None;
    let mut tags = 0..;
    let mut waiting: Vec<Try> = Vec::new();
    loop {
        while jobs.len() + waiting.len() < most
            && let Some(target) = row.next_target()
        {
            // One transfer runs at a time then, so that nobody waits for this thread.
            if let Some((every, last)) = options.patience.rate.zip(last).filter(|_| most == 1) {
                thread::sleep(every.saturating_sub(last.elapsed()));
            }
            let now = Instant::now();
            last = Some(now);
            match Sink::new(options, &target) {
                Ok(sink) => waiting.push(Try { target, sink, at: now, failed: 0, begun: now }),
                Err(failure) => {
                    if !note(Err(failure)) {
                        return Ok(false);
                    }
                }
            }
        }
        let now = Instant::now();
        while let Some(place) = waiting.iter().position(|next| next.at <= now) {
            let next = waiting.remove(place);
            match start(part, &mut multi, next, tags.next().unwrap_or_default()) {
                Ok((id, job)) => {
                    jobs.insert(id, job);
                }
                Err(failure) => {
                    if !note(Err(failure)) {
                        return Ok(false);
                    }
                }
            }
        }
        let next = waiting.iter().map(|next| next.at.saturating_duration_since(now)).min();
        if jobs.is_empty() {
            match next {
                Some(pause) => thread::sleep(pause),
                None if waiting.is_empty() && !row.has_more() => return Ok(true),
                None => {}
            }
            continue;
        }
        let wait = [resume(&mut multi, &mut jobs), next].into_iter().flatten().min();
        multi.turn(wait).map_err(Failure::failed)?;
        while let Some((id, event)) = multi.next_event() {
            let Some(job) = jobs.get_mut(&id) else { continue };
            let ended = match step(options, trace, job, event) {
                Ok(false) => {
                    hold_rate(options, &mut multi, id, job);
                    continue;
                }
                Ok(true) => Ok(()),
                Err(failure) => Err(failure),
            };
            let report = multi.report(id);
            multi.cancel(id);
            let Some(mut job) = jobs.remove(&id) else { continue };
            if let Err(failure) = &ended
                && let Some(pause) = next_try(options, &mut job, report.as_ref())?
            {
                log::warn!("{failure}; trying again in {:.1} s", pause.as_secs_f64());
                let Job { target, sink, failed, begun, .. } = job;
                waiting.push(Try { target, sink, at: Instant::now() + pause, failed, begun });
            } else if !note(finish(options, &mut job, report.as_ref(), ended)) {
                return Ok(false);
            }
        }
    }
}

/// The pause before content that had begun to come is asked for once more; `None` if it is not.
fn next_try(
    options: &Fetch,
    job: &mut Job,
    report: Option<&Report>,
) -> Result<Option<Duration>, Failure> {
    if !job.may_pass {
        return Ok(None);
    }
    let failed = job.failed + report.map_or(0, |report| report.retries);
    let Some(pause) = again::pause(&options.patience, failed, job.begun) else { return Ok(None) };
    job.failed = failed + 1;
    Ok(job.sink.restart()?.then_some(pause))
}

fn start(
    part: &Part,
    multi: &mut Multi,
    next: Try,
    tag: u64,
) -> Result<(TransferId, Job), Failure> {
    let Try { target, sink, failed, begun, .. } = next;
    let mut request = plan::request(part, &target, sink.offset())?;
    request.options_mut().tag = tag;
    let left = part.options.patience.retry.saturating_sub(failed);
    request.options_mut().retries = Some(left);
    let (url, method) = (request.url().to_string(), request.method().clone());
    let id = multi.start(request).map_err(|error| self::failed(&error))?;
    let job = Job {
        tag,
        target,
        url,
        method,
        sink,
        failed,
        begun,
        may_pass: false,
        head: None,
        progress: Progress::default(),
        began: None,
        resume: None,
    };
    Ok((id, job))
}

/// True when the transfer has ended.
fn step(
    options: &Fetch,
    trace: &Trace,
    job: &mut Job,
    event: TransferEvent,
) -> Result<bool, Failure> {
    if !matches!(event, TransferEvent::Data(_)) {
        job.sink.head(&trace.take_included(job.tag))?;
    }
    match event {
        TransferEvent::Head(head) => {
            job.sink.begin(options, &job.url, &head)?;
            job.progress = Progress::begin(options, &job.sink, &head);
            job.head = Some(head);
            Ok(false)
        }
        TransferEvent::Data(bytes) => {
            let most = options.max_filesize.and_then(Limit::get).map_or(u64::MAX, NonZeroU64::get);
            if job.sink.written + bytes.len() as u64 > most {
                let message = format!("{}: the content is larger than {most} bytes", job.url);
                return Err(Failure::with_status(63, message));
            }
            job.sink.write(&bytes)?;
            job.progress.at(job.sink.written);
            Ok(false)
        }
        TransferEvent::End(_) => Ok(true),
        TransferEvent::Failed(error) if options.dry_run && dry::is_end(&error) => Ok(true),
        TransferEvent::Failed(error) => {
            let begun = job.head.is_some();
            job.may_pass = begun && again::may_pass(&options.patience, &job.method, &error);
            Err(failed(&error))
        }
        _ => Ok(false),
    }
}

fn finish(
    options: &Fetch,
    job: &mut Job,
    report: Option<&Report>,
    ended: Result<(), Failure>,
) -> Result<(), Failure> {
    if options.dry_run {
        return ended;
    }
    job.progress = Progress::default();
    let head = job.head.as_deref();
    if options.explain
        && let Some(report) = report
    {
        explain(report, head);
    }
    let outcome = ended.and_then(|()| {
        let status = head.map_or(0, |head| head.status().as_u16());
        if (options.fail || options.fail_with_body) && status >= 400 {
            if options.fail_with_body {
                job.sink.finish(options, head)?;
            }
            return Err(Failure::with_status(22, format_args!("{}: status {status}", job.url)));
        }
        job.sink.finish(options, head)
    });
    if outcome.is_err() && options.files.remove_on_error {
        job.sink.remove();
    }
    let error = outcome.as_ref().err().map(ToString::to_string);
    let facts = Facts {
        url: &job.url,
        method: job.method.as_str(),
        head,
        report,
        size: job.sink.written,
        exit: outcome.as_ref().err().map_or(0, Failure::status),
        error: error.as_deref(),
        file: job.sink.file_name(),
        index: job.target.index,
        failed: job.failed,
    };
    let said = say(options, &facts, job.sink.content());
    outcome.and(said)
}

/// Prints what is known of a transfer, as the options want it.
fn say(options: &Fetch, facts: &Facts<'_>, content: Option<&[u8]>) -> Result<(), Failure> {
    if options.format == Format::Json {
        output::json(&json::object(facts, content))?;
    }
    let Some(format) = &options.write_out else { return Ok(()) };
    let format = match format.strip_prefix('@') {
        // Lines are joined, as those of -d are; `\n` stands for an end of a line.
        Some(path) => &String::from_utf8_lossy(&given::read(path)?).replace(['\r', '\n'], ""),
        None => format,
    };
    write_out::print(format, facts)
}

/// Pauses a transfer that is ahead of its rate; the server waits as the buffers fill.
fn hold_rate(options: &Fetch, multi: &mut Multi, id: TransferId, job: &mut Job) {
    let Some(rate) = options.patience.limit_rate.and_then(Limit::get) else { return };
    let now = Instant::now();
    let began = *job.began.get_or_insert(now);
    let due = Duration::from_secs_f64(job.sink.written as f64 / rate.get() as f64);
    let ahead = due.saturating_sub(now - began);
    if ahead > SHORTEST_PAUSE {
        multi.pause(id);
        job.resume = Some(now + ahead);
    }
}

/// Ends the pauses that are over; the time until the next ends.
fn resume(multi: &mut Multi, jobs: &mut HashMap<TransferId, Job>) -> Option<Duration> {
    let now = Instant::now();
    for (id, job) in jobs.iter_mut() {
        if job.resume.is_some_and(|at| at <= now) {
            job.resume = None;
            multi.resume(*id);
        }
    }
    let next = jobs.values().filter_map(|job| job.resume).min();
    next.map(|at| at.saturating_duration_since(now))
}

fn failed(error: &Error) -> Failure {
    Failure::with_status(exit::status(error), error)
}

/// Less than this is not worth a pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
