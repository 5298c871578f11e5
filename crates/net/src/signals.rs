//! Signals of the operating system as calls on a thread of their own.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A signal that servers answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    HangUp,
}

/// Calls `answer` for each SIGINT, SIGTERM and SIGHUP, on a thread that lives as long as the
/// process. Their default effects are gone from then on. A panic in `answer` is logged, and the next
/// signal is answered again.
///
/// *Errors*: those of the system, which gives a pipe and a thread.
pub fn on_signals(mut answer: impl FnMut(Signal) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let signal = match signal {
                SIGINT => Signal::Interrupt,
                SIGTERM => Signal::Terminate,
                _ => Signal::HangUp,
            };
            if catch_unwind(AssertUnwindSafe(|| answer(signal))).is_err() {
                log::error!("answering {signal:?} panicked");
            }
        }
    })?;
    Ok(())
}
