//! What the tests of attacks share: what a server, which reads strictly, makes of the bytes.

use crate::drive::{self, Seen, Transcript};

pub(crate) fn read(input: &str) -> Transcript {
    drive::server(input.as_bytes(), &[])
}

/// The status of the refusal. No byte behind it may have been taken for a message.
pub(crate) fn refused(input: &str) -> u16 {
    let transcript = read(input);
    let error = transcript.error().unwrap_or_else(|| panic!("{input:?} gave {transcript:?}"));
    assert!(matches!(transcript.seen.last(), Some(Seen::Error(_))), "nothing follows an error");
    error.status_hint().as_u16()
}

pub(crate) fn post(fields: &str, content: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{content}")
}

pub(crate) fn chunked(content: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", content)
}

/// The requests that were seen, as `method target`.
pub(crate) fn requests(transcript: &Transcript) -> Vec<String> {
    let line = |seen: &Seen| match seen {
        Seen::Request { method, target, .. } => Some(format!("{method} {target}")),
        _ => None,
    };
    transcript.seen.iter().filter_map(line).collect()
}
