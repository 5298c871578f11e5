//! The heads on which parsers are measured, and the parsers.

use std::mem::MaybeUninit;

use avocet_wire::{
    BodySize, Client, Connection, Event, FieldBuf, FieldTable, Leniency, Limits, Server,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header::HOST};

/// A request or a response, named by its length.
pub(crate) struct Head {
    pub(crate) name: &'static str,
    pub(crate) bytes: &'static [u8],
    pub(crate) is_request: bool,
}

const fn request(name: &'static str, bytes: &'static [u8]) -> Head {
    Head { name, bytes, is_request: true }
}

const fn response(name: &'static str, bytes: &'static [u8]) -> Head {
    Head { name, bytes, is_request: false }
}

/// What load generators, curl, a browser, a browser with many cookies, and two servers send.
pub(crate) const HEADS: [Head; 6] = [
    request("request_49", SMALL),
    request("request_68", CURL),
    request("request_703", BROWSER),
    request("request_2470", COOKIES),
    response("response_91", HELLO),
    response("response_682", PAGE),
];

const SMALL: &[u8] = b"GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

const CURL: &[u8] =
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: curl/8\r\nAccept: */*\r\n\r\n";

const BROWSER: &[u8] =
    b"GET /articles/2026/parsing-http-in-anger?ref=frontpage&page=2 HTTP/1.1\r\n\
Host: www.example.com\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
Accept-Language: en-US,en;q=0.5\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Referer: https://www.example.com/articles/2026/\r\n\
DNT: 1\r\n\
Connection: keep-alive\r\n\
Cookie: session=6f1d2c9b8a7e4f30; theme=dark; consent=2026-01-31; lang=en-US\r\n\
Upgrade-Insecure-Requests: 1\r\n\
Sec-Fetch-Dest: document\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-Site: same-origin\r\n\
If-Modified-Since: Thu, 19 Nov 2026 08:00:00 GMT\r\n\
If-None-Match: \"5f2a-63b1c0d9\"\r\n\
\r\n";

const COOKIES: &[u8] = include_bytes!("request_2470.txt");

const HELLO: &[u8] =
    b"HTTP/1.1 200 OK\r\nServer: avocet\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nAge: 360\r\n\r\n";

const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\n\
Date: Fri, 20 Nov 2026 10:54:31 GMT\r\n\
Server: nginx/1.29.3\r\n\
Content-Type: text/html; charset=utf-8\r\n\
Content-Length: 48213\r\n\
Connection: keep-alive\r\n\
Vary: Accept-Encoding, Cookie\r\n\
Cache-Control: private, max-age=0, must-revalidate\r\n\
ETag: \"6740b2c7-bc55\"\r\n\
Last-Modified: Fri, 20 Nov 2026 09:12:07 GMT\r\n\
Set-Cookie: session=6f1d2c9b8a7e4f30; Path=/; HttpOnly; Secure; SameSite=Lax\r\n\
Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n\
X-Content-Type-Options: nosniff\r\n\
Content-Security-Policy: default-src 'self'; img-src 'self' data:; object-src 'none'\r\n\
Alt-Svc: h3=\":443\"; ma=86400\r\n\
X-Cache: HIT from edge\r\n\
Referrer-Policy: strict-origin-when-cross-origin\r\n\
\r\n";

/// Our full strict read: grammar, `Host`, known fields, framing, persistence, state, and its end.
pub(crate) struct Ours {
    table: FieldTable,
    request_fields: FieldBuf,
    out: Vec<u8>,
}

impl Default for Ours {
    fn default() -> Self {
        let mut request_fields = FieldBuf::new();
        request_fields.push(&HOST, "example.com").expect("a valid line");
        Self {
            table: FieldTable::new(Limits::server(), Leniency::strict()),
            request_fields,
            out: Vec::with_capacity(256),
        }
    }
}

impl Ours {
    /// Reads the head and gives the number of its fields.
    #[inline]
    pub(crate) fn read_request(&mut self, bytes: &[u8]) -> usize {
        let mut connection = Connection::<Server>::new();
        let step = connection.read(bytes, &mut self.table).expect("a valid request");
        match step.event {
            Event::Head { head, .. } => head.fields.len(),
            other => panic!("{other:?}"),
        }
    }

    /// A client that has sent a request, ready for its response.
    pub(crate) fn asking(&mut self) -> Connection<Client> {
        let mut connection = Connection::<Client>::new();
        self.out.clear();
        connection
            .send_request(
                &Method::GET,
                "/",
                &[&self.request_fields],
                BodySize::Empty,
                &mut self.out,
            )
            .expect("a valid request");
        connection
    }

    /// Reads the head with a copy of `asking` and gives the number of its fields.
    #[inline]
    pub(crate) fn read_response(&mut self, asking: &Connection<Client>, bytes: &[u8]) -> usize {
        let mut asking = asking.clone();
        let step = asking.read(bytes, &mut self.table).expect("a valid response");
        match step.event {
            Event::Head { head, .. } => head.fields.len(),
            other => panic!("{other:?}"),
        }
    }
}

/// As many fields as our default allows.
const MOST: usize = 100;

/// httparse alone, headers not initialized.
#[inline]
pub(crate) fn httparse_request(bytes: &[u8]) -> usize {
    let mut headers = [const { MaybeUninit::uninit() }; MOST];
    let mut request = httparse::Request::new(&mut []);
    let status = request.parse_with_uninit_headers(bytes, &mut headers).expect("a valid request");
    assert!(status.is_complete());
    request.headers.len()
}

/// httparse alone, headers not initialized.
#[inline]
pub(crate) fn httparse_response(bytes: &[u8]) -> usize {
    let mut headers = [const { MaybeUninit::uninit() }; MOST];
    let mut response = httparse::Response::new(&mut []);
    let status = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut response, bytes, &mut headers)
        .expect("a valid response");
    assert!(status.is_complete());
    response.headers.len()
}

/// httparse, and what hyper 1 makes of it: method, URI, and a header map whose values share the buffer. At its
/// best: the map is reused, as on a connection that persists, and nothing is copied.
///
/// The values are plain `Bytes` and not `HeaderValue`, because hyper makes these without a check, by a
/// constructor that safe code does not have. So nothing here validates a value twice.
#[derive(Default)]
pub(crate) struct HeaderMapWay {
    map: HeaderMap<Bytes>,
}

impl HeaderMapWay {
    #[inline]
    pub(crate) fn read_request(&mut self, bytes: &Bytes) -> usize {
        let mut headers = [const { MaybeUninit::uninit() }; MOST];
        let mut request = httparse::Request::new(&mut []);
        let status =
            request.parse_with_uninit_headers(bytes, &mut headers).expect("a valid request");
        assert!(status.is_complete());
        let method = Method::from_bytes(request.method.unwrap_or_default().as_bytes());
        let target = request.path.unwrap_or_default().as_bytes();
        let uri = Uri::from_maybe_shared(bytes.slice_ref(target));
        self.fill(bytes, request.headers);
        std::hint::black_box((method.expect("a valid method"), uri.expect("a valid target")));
        self.map.len()
    }

    #[inline]
    pub(crate) fn read_response(&mut self, bytes: &Bytes) -> usize {
        let mut headers = [const { MaybeUninit::uninit() }; MOST];
        let mut response = httparse::Response::new(&mut []);
        let status = httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut response, bytes, &mut headers)
            .expect("a valid response");
        assert!(status.is_complete());
        let code = StatusCode::from_u16(response.code.unwrap_or_default());
        std::hint::black_box(code.expect("a valid status"));
        self.fill(bytes, response.headers)
    }

    #[inline]
    fn fill(&mut self, bytes: &Bytes, headers: &[httparse::Header<'_>]) -> usize {
        self.map.clear();
        self.map.reserve(headers.len());
        for header in headers {
            let name = HeaderName::from_bytes(header.name.as_bytes()).expect("a valid name");
            self.map.append(name, bytes.slice_ref(header.value));
        }
        self.map.len()
    }
}
