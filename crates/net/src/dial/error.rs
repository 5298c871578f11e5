//! Why there is no connection.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::Target;
use super::race::{Attempt, Outcome};
use crate::resolver::ResolveError;

/// Why there is no connection.
#[derive(Debug)]
pub struct DialError(Box<Failure>);

/// The kind of a [`DialError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DialErrorKind {
    /// The name was not found.
    Resolve,
    /// It has no address of a family that may be used.
    NoAddress,
    /// Every attempt failed.
    Connect,
    /// Time ran out.
    TimedOut,
}

#[derive(Debug)]
struct Failure {
    kind: DialErrorKind,
    target: Target,
    timeout: Duration,
    attempts: Vec<(SocketAddr, io::Error)>,
    cause: Cause,
}

#[derive(Debug)]
pub(super) enum Cause {
    Resolve(ResolveError),
    Families,
    Attempts,
    Io(io::Error),
    Time { resolving: bool },
    Over,
}

impl DialError {
    pub(super) fn new(
        kind: DialErrorKind,
        target: &Target,
        timeout: Duration,
        attempts: &[Attempt],
        cause: Cause,
    ) -> Self {
        let failed = attempts.iter().filter_map(|attempt| match &attempt.outcome {
            Outcome::Failed(error) => Some((attempt.address, copy_of(error))),
            _ => None,
        });
        let (target, attempts) = (target.clone(), failed.collect());
        Self(Box::new(Failure { kind, target, timeout, attempts, cause }))
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> DialErrorKind {
        self.0.kind
    }

    /// Whether the name was the matter, and not a connection.
    pub fn is_of_name(&self) -> bool {
        matches!(self.0.cause, Cause::Resolve(_) | Cause::Time { resolving: true })
    }

    fn last(&self) -> Option<&io::Error> {
        match &self.0.cause {
            Cause::Io(error) => Some(error),
            _ => self.0.attempts.last().map(|(_, error)| error),
        }
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { target, timeout, attempts, cause, .. } = &*self.0;
        match cause {
            Cause::Resolve(error) => return error.fmt(f),
            Cause::Families => {
                return write!(f, "{target} has no address of a family that may be used");
            }
            Cause::Time { resolving: true } => {
                return write!(f, "{target} was not found within {timeout:?}");
            }
            Cause::Io(error) => return write!(f, "cannot connect to {target}: {error}"),
            Cause::Over => return write!(f, "the dialing of {target} is over already"),
            Cause::Time { .. } => write!(f, "no connection to {target} within {timeout:?}")?,
            Cause::Attempts => write!(f, "cannot connect to {target}")?,
        }
        if let [(_, error)] = &attempts[..] {
            return write!(f, ": {error}");
        }
        for (index, (address, error)) in attempts.iter().enumerate() {
            write!(f, "{} {address}: {error}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl Error for DialError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.cause {
            Cause::Resolve(error) => Some(error),
            _ => self.last().map(|error| error as _),
        }
    }
}

/// An error of the system is its number; of others the kind and the text are kept.
fn copy_of(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
