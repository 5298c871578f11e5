//! What protects a connection, as plain facts: whoever logs or checks them needs to know no TLS.

/// What TLS has made sure of on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Secured {
    /// The version of the protocol, as `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite by its registered name.
    pub cipher: String,
    /// The group of the key exchange; `None` where a resumed session had none.
    pub group: Option<String>,
    /// What is spoken inside, where both sides agreed on it by ALPN.
    pub protocol: Option<String>,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// Who the peer has proved to be; `None` for a client without a certificate.
    pub peer: Option<Identity>,
}

/// The peer by its certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// Whether the certificate was checked, which only the caller's order leaves out.
    pub verified: bool,
    /// The certificates as they were sent, DER, the peer's own first.
    pub chain: Vec<Vec<u8>>,
    /// The subject of the first, as `CN=alice, O=Example`; empty if it has none.
    pub subject: String,
    /// The names, addresses and mail boxes that the first is for.
    pub names: Vec<String>,
    /// The SHA-256 of the first, in hexadecimal.
    pub fingerprint: String,
}

impl Secured {
    /// A connection of this version and suite, with nothing else known of it.
    pub fn new(version: &'static str, cipher: impl Into<String>) -> Self {
        Self {
            version,
            cipher: cipher.into(),
            group: None,
            protocol: None,
            server_name: None,
            resumed: false,
            peer: None,
        }
    }
}
