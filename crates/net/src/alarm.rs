//! What ends a sleep in the kernel when a timer is due.
//!
//! A time-out given to poll costs the kernel a timer set and taken back for each sleep, 1 to 3 % of an
//! exchange on a quiet connection. On Linux a timer of the loop's own is set once and stays: a loop whose
//! next deadline only moves on, as with most requests, leaves it where it is and is woken too early once
//! in a while. Elsewhere poll has its time-out.

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use descriptor::Alarm;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use timeout::Alarm;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod descriptor {
    use std::io;
    use std::os::fd::AsRawFd;
    use std::time::{Duration, Instant};

    use mio::unix::SourceFd;
    use mio::{Interest, Registry, Token};
    use rustix::fd::OwnedFd;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    /// A timer of the kernel that the loop's poll watches.
    pub(crate) struct Alarm {
        timer: OwnedFd,
        /// When it fires, if it is set.
        set: Option<Instant>,
    }

    impl Alarm {
        /// *Errors*: when the system has no descriptor for it.
        pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
            let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
            Ok(Self { timer, set: None })
        }

        /// Sees to it that a sleep ends at `at`, if not before; gives the time-out that it needs beside.
        pub(crate) fn set(&mut self, at: Instant) -> io::Result<Option<Duration>> {
            if self.set.is_none_or(|set| set > at) {
                // Zero would take the timer back.
                let wait =
                    at.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
                let value = Timespec {
                    tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: i64::from(wait.subsec_nanos()),
                };
                let never = Timespec { tv_sec: 0, tv_nsec: 0 };
                let once = Itimerspec { it_interval: never, it_value: value };
                timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
                self.set = Some(at);
            }
            Ok(None)
        }

        /// Notes that it has fired. Nothing is read from it: poll tells of each time it fires, and
        /// setting it again takes back what it had to say.
        pub(crate) fn fired(&mut self) {
            self.set = None;
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod timeout {
    use std::io;
    use std::time::{Duration, Instant};

    use mio::{Registry, Token};

    /// No more than the time-out of the sleep.
    pub(crate) struct Alarm;

    impl Alarm {
        /// *Errors*: none.
        pub(crate) fn new(_: &Registry, _: Token) -> io::Result<Self> {
            Ok(Self)
        }

        /// The time-out of a sleep that has to end at `at`.
        pub(crate) fn set(&mut self, at: Instant) -> io::Result<Option<Duration>> {
            Ok(Some(at.saturating_duration_since(Instant::now())))
        }

        /// Nothing to note.
        pub(crate) fn fired(&mut self) {}
    }
}
