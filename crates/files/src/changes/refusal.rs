//! Why a change was not made, as an answer.

use avocet_server::Response;
use http::StatusCode;
use http::header::RETRY_AFTER;
use rustix::io::Errno;

use super::UPLOAD_LIMIT;
use crate::outcome::Outcome;
use crate::service::{failure, or_500};

/// The answer to whoever wanted a change that was not made. It is in a box because functions that rarely
/// fail should not pay for it.
pub(crate) struct Refused(Box<Response>);

impl Refused {
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status()
    }
}

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl From<Refused> for Response {
    fn from(refused: Refused) -> Self {
        *refused.0
    }
}

/// What an error of the system means to whoever wanted something changed.
pub(crate) fn of_error(error: Errno) -> Refused {
    let (status, explanation) = match error {
        // "A PUT that would result in the creation of a resource without an appropriately scoped
        // parent collection MUST fail with a 409" (RFC 4918 §9.7.1).
        Errno::NOENT | Errno::NOTDIR | Errno::XDEV | Errno::LOOP => {
            (StatusCode::CONFLICT, "There is no such folder.")
        }
        Errno::EXIST | Errno::ISDIR => (StatusCode::CONFLICT, "The name is taken."),
        Errno::NOTEMPTY => {
            (StatusCode::CONFLICT, "The folder is not empty; it may hold files that are not shown.")
        }
        Errno::NAMETOOLONG | Errno::INVAL | Errno::ILSEQ => {
            (StatusCode::BAD_REQUEST, "The file system does not take this name.")
        }
        Errno::ACCESS | Errno::PERM | Errno::ROFS => {
            (StatusCode::FORBIDDEN, "The server may not change this folder.")
        }
        Errno::NOSPC | Errno::DQUOT => (StatusCode::INSUFFICIENT_STORAGE, "The disk is full."),
        Errno::FBIG => {
            (StatusCode::PAYLOAD_TOO_LARGE, "The file is larger than the file system takes.")
        }
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN => {
            log::warn!("a change could not be made: {error}");
            return failure(&Outcome::Busy(error)).into();
        }
        error => {
            log::error!("a change could not be made: {error}");
            return plain(StatusCode::INTERNAL_SERVER_ERROR);
        }
    };
    because(status, explanation)
}

/// The same for an error of the standard library.
pub(crate) fn of_io(error: &std::io::Error) -> Refused {
    match Errno::from_io_error(error) {
        Some(error) => of_error(error),
        None => {
            log::error!("a change could not be made: {error}");
            plain(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

pub(crate) fn because(status: StatusCode, explanation: impl Into<String>) -> Refused {
    Response::error_because(status, explanation).into()
}

/// With the usual explanation.
pub(crate) fn plain(status: StatusCode) -> Refused {
    Response::error(status).into()
}

/// An earlier request for the same upload does not come to its end.
pub(crate) fn busy() -> Refused {
    let busy = Response::error(StatusCode::SERVICE_UNAVAILABLE);
    or_500(busy.with_field(&RETRY_AFTER, "1")).into()
}

/// The content is larger than uploads may be.
pub(crate) fn too_large(largest: u64) -> Refused {
    let explanation = format!("A file that is uploaded may have {largest} bytes at most.");
    let response = Response::error_because(StatusCode::PAYLOAD_TOO_LARGE, explanation);
    // "A server responding with a 413 Content Too Large status code as a result of its upload limits
    // MUST include the Upload-Limit header in this response" (draft-ietf-httpbis-resumable-upload).
    or_500(response.with_field(&UPLOAD_LIMIT, format!("max-size={largest}"))).into()
}

/// The folder would hold more than it may.
pub(crate) fn over_quota() -> Refused {
    because(StatusCode::INSUFFICIENT_STORAGE, "The folder may not hold so much.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_have_a_meaning() {
        for (error, status) in [
            (Errno::NOENT, 409),
            (Errno::EXIST, 409),
            (Errno::NOTEMPTY, 409),
            (Errno::NAMETOOLONG, 400),
            (Errno::ROFS, 403),
            (Errno::NOSPC, 507),
            (Errno::DQUOT, 507),
            (Errno::FBIG, 413),
            (Errno::MFILE, 503),
            (Errno::IO, 500),
        ] {
            assert_eq!(of_error(error).status().as_u16(), status, "{error}");
            assert_eq!(of_io(&error.into()).status().as_u16(), status, "{error}");
        }
    }
}
