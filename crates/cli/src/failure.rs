//! Why the program ends with an error.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// A message for a person and the exit status that goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    status: u8,
    last: bool,
}

impl Failure {
    /// What was wanted could not be done: status 1.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::with_status(1, message)
    }

    /// What was asked for cannot be meant: status 2.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::with_status(2, message)
    }

    /// With a status of its own.
    pub(crate) fn with_status(status: u8, message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), status, last: false }
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        self.status
    }

    /// The same, with nothing left to say: the person has been told.
    pub(crate) fn told(self) -> Self {
        Self { message: String::new(), ..self }
    }

    /// The same, after which nothing more is tried.
    pub(crate) fn last(self) -> Self {
        Self { last: true, ..self }
    }

    /// Whether nothing more is tried.
    pub(crate) fn is_last(&self) -> bool {
        self.last
    }

    /// Whether there is something left to say.
    pub(crate) fn is_told(&self) -> bool {
        self.message.is_empty()
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.status)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}
