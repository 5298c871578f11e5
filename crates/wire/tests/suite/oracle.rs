//! Right requests with random damage, held against the grammar written plainly. The fuzz targets do the same with
//! guided input; this runs everywhere.

use proptest::prelude::*;

use crate::drive::{self, Seen};
use crate::naive::{self, Body, Chunked, Verdict};

/// Parts from which requests are put together, right ones and wrong ones.
fn line() -> impl Strategy<Value = String> {
    prop::sample::select(
        [
            "GET / HTTP/1.1\r\n",
            "GET /a?b=c HTTP/1.0\r\n",
            "POST http://a:1/b HTTP/1.1\r\n",
            "OPTIONS * HTTP/1.1\r\n",
            "CONNECT a:443 HTTP/1.1\r\n",
            "GET /a\\b HTTP/1.1\r\n",
            "GET /?a\\b HTTP/1.1\r\n",
            "GET  / HTTP/1.1\r\n",
            "GET / HTTP/2.0\r\n",
            "GET / HTTP/1.7\r\n",
            "GET /",
            "\r\n",
            "Host: a\r\n",
            "Host: [::1]:80\r\n",
            "host:a:b\r\n",
            "Content-Length: 5\r\n",
            "Content-Length: 05\r\n",
            "Content-Length: 5,5\r\n",
            "Content-Length: 18446744073709551616\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "TRANSFER-ENCODING:\tCHUNKED \r\n",
            "X: a long value of more than sixty-four bytes, which is looked at in another way than short ones\r\n",
            "X-Caf: \u{e9}\t\u{e9}\r\n",
            "X: y\r\n z\r\n",
            "X : y\r\n",
            ": y\r\n",
            "X\r\n",
            "X: \0\r\n",
            "X: y\n",
            "X: y\rz\r\n",
            "\r\n\r\n",
        ]
        .map(str::to_owned)
        .to_vec(),
    )
}

fn chunk() -> impl Strategy<Value = String> {
    prop::sample::select(
        [
            "5\r\nhello\r\n",
            "5;a=b\r\nhello\r\n",
            "5 ;a=\"b;c\\\"\"\r\nhello\r\n",
            "A\r\n0123456789\r\n",
            "5\r\nhello",
            "5 \r\nhello\r\n",
            "5;\r\nhello\r\n",
            "5\nhello\r\n",
            "+5\r\nhello\r\n",
            "10000000000000005\r\nhello\r\n",
            "ffffffffffffffff\r\n",
            "0\r\n",
            "000;x\r\n",
            "X-Sum: 1\r\n",
            "Content-Length: 5\r\n",
            "X: \u{1}\r\n",
            "X : y\r\n",
            "\r\n",
            "\n",
        ]
        .map(str::to_owned)
        .to_vec(),
    )
}

/// Lines of a response head as broken servers send them.
fn response_line() -> impl Strategy<Value = String> {
    prop::sample::select(
        [
            "X: y\r\n",
            "X: y\n",
            "X : y\r\n",
            "X:\r\n",
            " folded\r\n",
            "\t: folded\n",
            " \r\n",
            "NoColon\r\n",
            "NoColon\n",
            ": y\r\n",
            "Content-Length: 2\r\n",
            "Content-Length:\r\n",
            "\r\n",
            "\n",
            "\r",
            "HTTP/1.1 103 \r\n",
        ]
        .map(str::to_owned)
        .to_vec(),
    )
}

/// Bytes to change, by place and new value.
fn damage() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((0..300usize, any::<u8>()), 0..3)
}

fn damaged(parts: &[String], damage: &[(usize, u8)]) -> Vec<u8> {
    let mut input = parts.concat().into_bytes();
    for (at, byte) in damage {
        if let Some(place) = input.get_mut(*at) {
            *place = *byte;
        }
    }
    input
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn heads(parts in prop::collection::vec(line(), 0..7), damage in damage()) {
        let parts: Vec<String> = parts.into_iter().chain(["\r\n".to_owned()]).collect();
        let input = damaged(&parts, &damage);
        let transcript = drive::server(&input, &[]);
        match (naive::request(&input), &transcript.seen[0]) {
            (Verdict::Good(due), Seen::Request { method, target, fields, .. }) => {
                prop_assert_eq!((method, target, fields), (&due.method, &due.target, &due.fields));
                let body = naive::request_body(&due.method, due.minor, &due.fields);
                prop_assert_ne!(body, Body::Refused);
            }
            (Verdict::Good(due), Seen::Error(_)) => {
                let body = naive::request_body(&due.method, due.minor, &due.fields);
                prop_assert_eq!(body, Body::Refused, "{:?}", transcript);
            }
            (Verdict::Bad, Seen::Error(_)) | (Verdict::Unfinished, Seen::Open | Seen::Error(_)) => {}
            (due, _) => prop_assert!(false, "{due:?}, but {transcript:?}"),
        }
        let every: Vec<usize> = (1..input.len()).collect();
        prop_assert_eq!(drive::server(&input, &every), transcript);
    }

    #[test]
    fn chunks(parts in prop::collection::vec(chunk(), 0..7), damage in damage()) {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let content = damaged(&parts, &damage);
        let input = [head, &content[..]].concat();
        let transcript = drive::server(&input, &[]);
        match naive::chunked(&content) {
            Chunked::Good(due, _, used) => {
                prop_assert_eq!(&transcript.contents()[0], &due);
                prop_assert!(transcript.ends() > 0);
                // What is left over is the beginning of another request, or none.
                let alone = drive::server(&input[..head.len() + used], &[]);
                prop_assert_eq!((alone.ends(), alone.used), (1, head.len() + used));
            }
            Chunked::Bad => prop_assert!(transcript.error().is_some(), "{transcript:?}"),
            Chunked::Unfinished => prop_assert!(transcript.eof.is_err(), "{transcript:?}"),
        }
        let every: Vec<usize> = (1..input.len()).collect();
        prop_assert_eq!(drive::server(&input, &every), transcript);
    }

    #[test]
    fn lenient_responses_under_every_cut(
        parts in prop::collection::vec(response_line(), 0..8),
        damage in damage(),
    ) {
        let status = "HTTP/1.1 200 OK\r\n".to_owned();
        let parts: Vec<String> =
            [status].into_iter().chain(parts).chain(["\r\nok".to_owned()]).collect();
        let input = damaged(&parts, &damage);
        let sound = input == damaged(&parts, &[]);
        let get = http::Method::GET;
        let leniency = avocet_wire::Leniency::client();
        let whole = drive::client(leniency, &get, &input, &[]);
        let every: Vec<usize> = (1..input.len()).collect();
        prop_assert_eq!(&drive::client(leniency, &get, &input, &every), &whole);
        // A line without a colon is no field, and no fold makes it one. Damage may: it can put a
        // colon into the line, or another byte in the place of its end.
        if let (true, Some(Seen::Response { fields, .. })) = (sound, whole.seen.first()) {
            prop_assert!(fields.iter().all(|(name, _)| !name.starts_with("NoColon")), "{whole:?}");
        }
    }

    #[test]
    fn framing_of_responses(
        status in 200u16..600,
        (is_head, is_connect) in prop::sample::select(vec![(false, false), (true, false), (false, true)]),
        lines in prop::collection::vec(line().prop_filter("frames", |l| l.to_lowercase().contains("-encoding:") || l.contains("-Length:")), 0..3),
    ) {
        let input = format!("HTTP/1.1 {status} \r\n{}\r\n", lines.concat());
        let fields: Vec<_> =
            lines.iter().filter_map(|line| naive::field(line.trim_end().as_bytes())).collect();
        let due = naive::response_body(is_head, is_connect, status, &fields);
        let method = match (is_head, is_connect) {
            (true, _) => http::Method::HEAD,
            (_, true) => http::Method::CONNECT,
            _ => http::Method::GET,
        };
        let strict = avocet_wire::Leniency::strict();
        let transcript = drive::client(strict, &method, input.as_bytes(), &[]);
        let seen = match &transcript.seen[0] {
            Seen::Response { framing, .. } => match framing {
                avocet_wire::Framing::Empty => Body::None,
                avocet_wire::Framing::Length(length) => Body::Length(*length),
                avocet_wire::Framing::Chunked => Body::Chunked,
                avocet_wire::Framing::UntilClose => Body::UntilClose,
            },
            _ => Body::Refused,
        };
        prop_assert_eq!(seen, due, "{}", input);
    }
}
