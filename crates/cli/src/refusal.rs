//! What the program itself refuses of URLs and redirects, as the client carries it through a transfer.

use std::fmt;

use avocet::client::Error;

/// Why a URL is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The scheme is switched off.
    Scheme,
    /// There is a user in it.
    User,
    /// It is one redirect too many.
    Redirect,
}

impl Refusal {
    /// curl's status.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Scheme => 1,
            Self::User => 67,
            Self::Redirect => 47,
        }
    }

    /// The refusal that a transfer ended by.
    pub(crate) fn of(error: &Error) -> Option<Self> {
        std::error::Error::source(error)?.downcast_ref().copied()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the scheme is switched off by --proto or --proto-redir",
            Self::User => "a user in the URL, which --disallow-username-in-url refuses",
            Self::Redirect => "more than 0 redirects",
        })
    }
}

impl std::error::Error for Refusal {}
