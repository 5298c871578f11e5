//! Where we refuse on purpose what another parser lets pass. Each rule looks at the bytes alone, and its cases
//! are checked to be refused: a rule that no longer holds fails its test.

use super::naive::{Chunked, chunked, field, find, is_authority, values};

/// A rule by which a message is refused, and why.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    applies: fn(&Message) -> bool,
}

/// A message taken apart no further than the rules need.
struct Message {
    is_request: bool,
    line: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
    head: Vec<u8>,
    content: Vec<u8>,
}

/// The rule by which the first message of `input` is refused.
pub(crate) fn difference(is_request: bool, input: &[u8]) -> Option<&'static Difference> {
    let start = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let input = &input[start..];
    let (head, content) = match find(input, b"\r\n\r\n") {
        Some(end) => (&input[..end], &input[end + 4..]),
        None => (input, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let line = lines.next().unwrap_or_default().to_vec();
    let fields = lines.filter_map(field).collect();
    let message =
        Message { is_request, line, fields, head: head.to_vec(), content: content.to_vec() };
    DIFFERENCES.iter().find(|difference| (difference.applies)(&message))
}

static DIFFERENCES: [Difference; 9] = [
    Difference {
        name: "no version",
        why: "RFC 9112 knows no simple request of HTTP/0.9",
        applies: |message| message.is_request && message.parts().len() == 2,
    },
    Difference {
        name: "blanks in the first line",
        why: "RFC 9112 §3 and §4: single blanks; readers that disagree on where the target ends can be \
              played off against each other",
        applies: |message| {
            find(&message.line, b"  ").is_some_and(|at| message.is_request || at < 12)
        },
    },
    Difference {
        name: "bytes of the target",
        why: "RFC 9112 §3.2, RFC 3986: no fragment, quotes, angle brackets, bytes above 0x7F, nor a \
              backslash in the path",
        applies: |message| {
            let target = message.target();
            let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
            target.iter().any(|byte| b"#\"<>".contains(byte) || *byte > 0x7f)
                || path.contains(&b'\\')
        },
    },
    Difference {
        name: "form of the target",
        why: "RFC 9112 §3.2.4: `*` is for OPTIONS; RFC 9110 §4.2.4: no user information",
        applies: |message| match message.target() {
            b"*" => !message.line.starts_with(b"OPTIONS "),
            target => find(target, b"://").is_some_and(|at| {
                let rest = &target[at + 3..];
                let end = rest.iter().position(|b| b"/?".contains(b)).unwrap_or(rest.len());
                !is_authority(&String::from_utf8_lossy(&rest[..end]), false)
            }),
        },
    },
    Difference {
        name: "line feed alone",
        why: "RFC 9112 §2.2 allows it in heads; we refuse it, for a proxy before us may not see the line \
              end; §7.1 allows it nowhere in chunks",
        applies: |message| {
            message.has_bare_lf(&message.head)
                || (message.is_chunked()
                    && message.has_bare_lf(&message.content)
                    && chunked(&[&message.content, &b"\r\n\r\n"[..]].concat()) == Chunked::Bad)
        },
    },
    Difference {
        name: "folded line",
        why: "RFC 9112 §5.2: a server may refuse it",
        applies: |message| {
            message.is_request
                && [b"\n ", b"\n\t"].iter().any(|fold| find(&message.head, *fold).is_some())
        },
    },
    Difference {
        name: "transfer codings but `chunked`",
        why: "RFC 9112 §6.1: 501 for codings that are not understood; content under them is not content",
        applies: |message| {
            values(&message.fields, "transfer-encoding")
                .join(&b", "[..])
                .to_ascii_lowercase()
                .as_slice()
                .trim_ascii()
                .ne(b"chunked")
                && !values(&message.fields, "transfer-encoding").is_empty()
        },
    },
    Difference {
        name: "content of CONNECT",
        why: "RFC 9110 §9.3.6: a CONNECT request has no content; one that declares some is ambiguous",
        applies: |message| {
            let declares = |name| values(&message.fields, name).iter().any(|value| *value != b"0");
            message.line.starts_with(b"CONNECT ")
                && (declares("content-length") || declares("transfer-encoding"))
        },
    },
    Difference {
        name: "invalid host",
        why: "RFC 9112 §3.2: 400 for an invalid Host",
        applies: |message| {
            let hosts = values(&message.fields, "host");
            let valid = |host: &&[u8]| is_authority(&String::from_utf8_lossy(host), false);
            message.is_request && (hosts.len() > 1 || !hosts.iter().all(valid))
        },
    },
];

impl Message {
    fn parts(&self) -> Vec<&[u8]> {
        self.line.split(|byte| *byte == b' ').collect()
    }

    fn target(&self) -> &[u8] {
        match self.parts().as_slice() {
            [_, target, ..] if self.is_request => target,
            _ => b"",
        }
    }

    fn is_chunked(&self) -> bool {
        !values(&self.fields, "transfer-encoding").is_empty()
    }

    fn has_bare_lf(&self, bytes: &[u8]) -> bool {
        bytes.iter().enumerate().any(|(at, byte)| {
            *byte == b'\n' && at.checked_sub(1).and_then(|at| bytes.get(at)) != Some(&b'\r')
        })
    }
}
