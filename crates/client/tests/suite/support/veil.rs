//! Something in the place of TLS: a handshake of one byte each way, then every byte is changed.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use avocet_client::{Error, Peer, Secure};
use avocet_net::{Established, Front, Outbox, PeerInfo, Registration, Transport};

/// Puts veils on.
pub(crate) struct Veils;

struct Veil {
    inner: Box<dyn Transport>,
    out: Outbox,
    name: String,
    said: bool,
    done: bool,
}

const MASK: u8 = 0x55;

impl Secure for Veils {
    fn wrap(
        &self,
        inner: Box<dyn Transport>,
        peer: &Peer<'_>,
    ) -> Result<Box<dyn Transport>, Error> {
        let name = format!("{}{}", if peer.is_proxy { "proxy:" } else { "" }, peer.host);
        Ok(Box::new(Veil { inner, out: Outbox::new(), name, said: false, done: false }))
    }
}

impl Transport for Veil {
    /// Says the name of the peer, which has to say it back.
    fn establish(&mut self) -> io::Result<Established> {
        if !std::mem::replace(&mut self.said, true) {
            self.out.push_slice(&[self.name.len() as u8]);
            self.out.push_slice(self.name.as_bytes());
        }
        self.inner.write(&mut self.out)?;
        if !self.done {
            let mut answer = [0];
            match self.inner.read(&mut answer) {
                Ok(1) if answer == [self.name.len() as u8] => self.done = true,
                Ok(_) => return Err(io::Error::other("the peer has another name")),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Established::Pending);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Established::Done)
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        buf[..count].iter_mut().for_each(|byte| *byte ^= MASK);
        Ok(count)
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        while let Some(Front::Bytes(bytes)) = out.front() {
            let veiled: Vec<u8> = bytes.iter().map(|byte| byte ^ MASK).collect();
            out.consume(veiled.len() as u64);
            self.out.push_slice(&veiled);
        }
        self.inner.write(&mut self.out)
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.inner.close_write()
    }

    fn reset(&mut self) -> io::Result<()> {
        self.inner.reset()
    }

    fn info(&self) -> &PeerInfo {
        self.inner.info()
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        self.inner.register(registration)
    }
}

/// The server's side over a socket.
pub(crate) struct Unveiled(TcpStream);

impl Unveiled {
    /// Makes the handshake; the name that the client has said.
    pub(crate) fn accept(mut stream: TcpStream, expected: &str) -> Option<Self> {
        let mut len = [0];
        stream.read_exact(&mut len).ok()?;
        let mut name = vec![0; usize::from(len[0])];
        stream.read_exact(&mut name).ok()?;
        let right = name == expected.as_bytes();
        stream.write_all(&[if right { len[0] } else { 0 }]).ok()?;
        right.then_some(Self(stream))
    }

    pub(crate) fn try_clone(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }
}

impl Read for Unveiled {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buf)?;
        buf[..count].iter_mut().for_each(|byte| *byte ^= MASK);
        Ok(count)
    }
}

impl Write for Unveiled {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let veiled: Vec<u8> = buf.iter().map(|byte| byte ^ MASK).collect();
        self.0.write_all(&veiled)?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
