/// The bounds within which a message is read. Each has a default and an answer at the bound.
///
/// | field | unit | server | client | at the bound |
/// |---|---|---|---|---|
/// | `request_line` | bytes with CRLF | 8,192 | 8,192 | 414; 400 if no method ends within it |
/// | `head` | bytes with the empty line | 32,768 | 262,144 | 431 |
/// | `fields` | lines | 100 | 100 | 431 |
/// | `chunk_line` | bytes with CRLF | 4,096 | 4,096 | 400 |
/// | `extensions` | bytes of chunk extensions in one message | 16,384 | 16,384 | 400 |
/// | `trailers` | bytes with the empty line | 16,384 | 16,384 | 431 |
/// | `trailer_fields` | lines | 100 | 100 | 431 |
/// | `interim` | 1xx responses before one final response | 16 | 16 | error |
///
/// `head` and `trailers` count at most as 4 GiB, `fields` and `trailer_fields` at most as 65,534,
/// because positions are kept in 32 bits and numbers of lines in 16; `interim` counts at most as 254.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest request line in bytes, its CRLF included.
    pub request_line: usize,
    /// Longest head in bytes, from the first line to the empty line, both included.
    pub head: usize,
    /// Most field lines in a head.
    pub fields: usize,
    /// Longest chunk-size line in bytes, extensions and CRLF included.
    pub chunk_line: usize,
    /// Most bytes of chunk extensions over all chunks of one message.
    pub extensions: u64,
    /// Longest trailer section in bytes, the empty line included.
    pub trailers: usize,
    /// Most field lines in a trailer section.
    pub trailer_fields: usize,
    /// Most interim responses before a final one.
    pub interim: u32,
}

impl Limits {
    /// The defaults for a server.
    #[must_use]
    pub const fn server() -> Self {
        Self {
            request_line: 8192,
            head: 32_768,
            fields: 100,
            chunk_line: 4096,
            extensions: 16_384,
            trailers: 16_384,
            trailer_fields: 100,
            interim: 16,
        }
    }

    /// The defaults for a client, which differ in the longest head only.
    #[must_use]
    pub const fn client() -> Self {
        Self { head: 262_144, ..Self::server() }
    }
}

/// Deviations from the grammar that are accepted when their switch is on.
///
/// Everything is off in [`Leniency::strict`], which is what a server wants: where two readers of one
/// message disagree on its end, a request can be smuggled. [`Leniency::client`] turns on what servers in
/// the wild make necessary; a response is read by one reader only, and the connection is closed wherever
/// its framing was in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with its own name")]
pub struct Leniency {
    /// Accept a request of HTTP/1.1 without `Host`. For readers of recorded requests; RFC 9112 §3.2 asks
    /// a server to answer 400.
    pub missing_host: bool,
    /// In a response head, accept LF alone as the end of a line (RFC 9112 §2.2 allows it). Never in
    /// chunk lines and never in requests.
    pub bare_lf_in_response: bool,
    /// In a response head, replace each obs-fold by blanks (RFC 9112 §5.2 asks a user agent to).
    pub fold_in_response: bool,
    /// In a response head, drop blanks between a field name and its colon (RFC 9112 §5.1).
    pub blank_before_colon_in_response: bool,
    /// Accept a status line that ends after the status code, without the blank that must follow it.
    pub missing_reason: bool,
    /// Skip empty lines before a status line, as RFC 9112 §2.2 asks of servers before a request line.
    pub empty_lines_before_response: bool,
    /// In a response, fold several equal `Content-Length` values into one (RFC 9112 §6.3, 5).
    pub equal_lengths_in_response: bool,
    /// In a response with both `Transfer-Encoding` and `Content-Length` let the first win and close the
    /// connection after it (RFC 9112 §6.3, 3).
    pub length_beside_chunked_in_response: bool,
}

impl Leniency {
    /// No deviation is accepted.
    #[must_use]
    pub const fn strict() -> Self {
        Self {
            missing_host: false,
            bare_lf_in_response: false,
            fold_in_response: false,
            blank_before_colon_in_response: false,
            missing_reason: false,
            empty_lines_before_response: false,
            equal_lengths_in_response: false,
            length_beside_chunked_in_response: false,
        }
    }

    /// What a client needs for servers in the wild: every switch that concerns responses.
    #[must_use]
    pub const fn client() -> Self {
        Self {
            missing_host: false,
            bare_lf_in_response: true,
            fold_in_response: true,
            blank_before_colon_in_response: true,
            missing_reason: true,
            empty_lines_before_response: true,
            equal_lengths_in_response: true,
            length_beside_chunked_in_response: true,
        }
    }
}
