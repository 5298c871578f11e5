//! One line per exchange, in the forms that tools read.

use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use avocet_net::Address;
use http::StatusCode;

use crate::log_line::{LogFormat, format_line};

/// What is known of an exchange when it has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry<'a> {
    /// The client's address.
    pub remote: &'a Address,
    /// When the exchange ended.
    pub time: SystemTime,
    /// The request line as it was sent, without its line end; empty when none could be read.
    pub request_line: &'a [u8],
    /// The host the request was for.
    pub host: Option<&'a [u8]>,
    /// The status of the final response; `None` when the connection ended without one.
    pub status: Option<StatusCode>,
    /// Bytes of content sent.
    pub content: u64,
    /// From the end of the request's head to the end of the response.
    pub duration: Duration,
    /// The Referer field.
    pub referer: Option<&'a [u8]>,
    /// The User-Agent field.
    pub user_agent: Option<&'a [u8]>,
    /// Whether the response was cut off.
    pub aborted: bool,
}

/// Takes the entries, on the loop's thread: it must not block.
pub trait AccessLog: Send + Sync {
    /// One exchange has ended.
    fn record(&self, entry: &Entry<'_>);
}

impl<F: Fn(&Entry<'_>) + Send + Sync> AccessLog for F {
    fn record(&self, entry: &Entry<'_>) {
        self(entry);
    }
}

/// Writes lines on a thread of its own, so that a slow terminal or disk stops no connection.
///
/// Control characters and quotes are escaped; the values of query parameters that carry secrets by
/// their name (`token`, `password`, `signature` and such) are replaced by `[redacted]`, in the
/// request line and in Referer. A writer that fails is told to the program's log once and tried
/// again with the next lines.
///
/// *Bounds*: 64 KiB of lines wait beside those that are being written. Beyond that lines are
/// dropped, and their number is told to the program's log.
///
/// *Blocking*: dropping it waits for the writer, at most a second.
///
/// ```
/// use std::sync::Arc;
///
/// use avocet_server::{LineLog, LogFormat, Response, Server, respond};
///
/// let log = LineLog::new(LogFormat::Combined, std::io::stderr())?;
/// let server = Server::new(respond(|_| Response::text("hello"))).access_log(log);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct LineLog {
    format: LogFormat,
    queue: Arc<Mutex<Queue>>,
    orders: SyncSender<Order>,
}

/// Lines that wait for the writer.
#[derive(Default)]
struct Queue {
    lines: String,
    /// The writer was told that there are lines, and has not taken them yet.
    told: bool,
    dropped: u64,
}

enum Order {
    Write,
    Flush(SyncSender<()>),
}

impl LineLog {
    /// Lines in this form to this writer.
    ///
    /// *Errors*: when no thread can be started.
    pub fn new(format: LogFormat, writer: impl Write + Send + 'static) -> io::Result<Arc<Self>> {
        let (orders, inbox) = sync_channel(ORDERS);
        let queue = Arc::<Mutex<Queue>>::default();
        let waiting = queue.clone();
        thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_lines(&inbox, &waiting, writer))?;
        Ok(Arc::new(Self { format, queue, orders }))
    }

    /// Waits until everything recorded so far was handed to the writer.
    ///
    /// *Blocking*: on the writer.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.orders.send(Order::Flush(done)).is_ok() && wait.recv().is_err() {
            log::warn!("the access log ended before it was written out");
        }
    }
}

impl AccessLog for LineLog {
    fn record(&self, entry: &Entry<'_>) {
        let mut queue = lock(&self.queue);
        if queue.lines.len() >= BATCH {
            queue.dropped += 1;
            return;
        }
        format_line(self.format, entry, &mut queue.lines);
        if !queue.told {
            // A full inbox will be looked into anyway, and the lines with it.
            queue.told = self.orders.try_send(Order::Write).is_ok();
        }
    }
}

impl Drop for LineLog {
    /// Lets the last lines out, without letting a writer that is stuck hold the program.
    fn drop(&mut self) {
        let (done, wait) = sync_channel(1);
        if self.orders.try_send(Order::Flush(done)).is_err() || wait.recv_timeout(PATIENCE).is_err()
        {
            log::warn!("the access log was not written out to its end");
        }
    }
}

fn write_lines(inbox: &Receiver<Order>, queue: &Mutex<Queue>, mut writer: impl Write) {
    let mut failing = false;
    while let Ok(order) = inbox.recv() {
        let (lines, dropped) = {
            let mut queue = lock(queue);
            queue.told = false;
            (mem::take(&mut queue.lines), mem::take(&mut queue.dropped))
        };
        if dropped > 0 {
            log::warn!("{dropped} lines of the access log were dropped: its writer is too slow");
        }
        match writer.write_all(lines.as_bytes()).and_then(|()| writer.flush()) {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                log::error!("cannot write the access log: {error}");
            }
            Err(_) => {}
        }
        if let Order::Flush(done) = order
            && done.send(()).is_err()
        {
            log::debug!("nobody waits for the access log any more");
        }
    }
}

/// The queue is plain data that is never left half changed.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of lines beyond which no more are kept.
const BATCH: usize = 64 * 1024;
/// Orders that the writer has not looked at; all but one are from [`LineLog::flush`].
const ORDERS: usize = 64;
/// How long a drop waits for the writer.
const PATIENCE: Duration = Duration::from_secs(1);
