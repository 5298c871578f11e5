//! Sockets and epoll with no more calls than the job needs.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, accept_with, bind, connect,
    listen, recv, send, socket_with, sockopt,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a read that does not wait brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// So many bytes.
    Bytes(usize),
    /// Nothing yet.
    Nothing,
    /// The other side has ended its direction.
    End,
}

/// A listener of its own on a port that others listen on too.
///
/// # Errors
///
/// What the kernel says to socket, bind or listen.
pub fn listener(port: u16) -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    // What is accepted inherits this.
    sockopt::set_tcp_nodelay(&socket, true)?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    listen(&socket, 4096)?;
    Ok(socket)
}

/// The next connection that waits, if one does.
///
/// # Errors
///
/// What the kernel says to accept.
pub fn accept(listener: &OwnedFd) -> io::Result<Option<OwnedFd>> {
    match accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
        Ok(connection) => Ok(Some(connection)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Connects to a port of loopback. The call waits, which takes no time there unless the other side's
/// queue is full; reads and writes say each time that they don't.
///
/// # Errors
///
/// What the kernel says to socket or connect.
pub fn open(port: u16) -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    Ok(socket)
}

/// Reads what is there.
///
/// # Errors
///
/// What the kernel says to recv; that nothing is there is not an error.
pub fn receive(socket: &OwnedFd, buf: &mut [u8]) -> io::Result<Input> {
    match recv(socket, buf, RecvFlags::DONTWAIT) {
        Ok((0, _)) => Ok(Input::End),
        Ok((len, _)) => Ok(Input::Bytes(len)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Input::Nothing),
        Err(error) => Err(error.into()),
    }
}

/// Throws away at most as many bytes as `room` has, without copying them.
///
/// # Errors
///
/// As [`receive`].
pub fn discard(socket: &OwnedFd, room: &mut [u8]) -> io::Result<Input> {
    match recv(socket, room, RecvFlags::DONTWAIT | RecvFlags::TRUNC) {
        Ok((_, 0)) => Ok(Input::End),
        Ok((_, len)) => Ok(Input::Bytes(len)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Input::Nothing),
        Err(error) => Err(error.into()),
    }
}

/// Writes what the socket takes of a head, to wait for what follows it.
///
/// # Errors
///
/// As [`transmit`].
pub fn transmit_more(socket: &OwnedFd, bytes: &[u8]) -> io::Result<()> {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL | SendFlags::MORE;
    let sent = send(socket, bytes, flags)?;
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Writes all of `bytes`.
///
/// # Errors
///
/// What the kernel says to send. That its buffer is full is one: what is sent here is small, so
/// whoever does not read it has stopped.
pub fn transmit(socket: &OwnedFd, bytes: &[u8]) -> io::Result<()> {
    let sent = send(socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?;
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// An epoll instance and the events it last gave.
pub struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Poll {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// What the kernel says to epoll_create1.
    pub fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, events: Vec::with_capacity(256) })
    }

    /// Watches for input, told once per arrival if `edge`.
    ///
    /// # Errors
    ///
    /// What the kernel says to epoll_ctl.
    pub fn watch(&self, source: impl AsFd, token: u64, edge: bool) -> io::Result<()> {
        let mode = if edge { EventFlags::ET } else { EventFlags::empty() };
        epoll::add(&self.epoll, source, EventData::new_u64(token), EventFlags::IN | mode)?;
        Ok(())
    }

    /// Watches for input and for room, each told once per arrival.
    ///
    /// # Errors
    ///
    /// What the kernel says to epoll_ctl.
    pub fn watch_both(&self, source: impl AsFd, token: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::add(&self.epoll, source, EventData::new_u64(token), flags)?;
        Ok(())
    }

    /// Waits and calls `each` with the token of what is ready.
    ///
    /// # Errors
    ///
    /// What the kernel says to epoll_wait, or what `each` hands back.
    pub fn turn(
        &mut self,
        timeout: Option<Duration>,
        mut each: impl FnMut(&Self, u64) -> io::Result<()>,
    ) -> io::Result<()> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs() as i64,
            tv_nsec: i64::from(timeout.subsec_nanos()),
        });
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        let waited = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.epoll, waited, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            // Copied out, because the kernel's structure is packed.
            let data = event.data;
            each(self, data.u64())?;
        }
        self.events = events;
        Ok(())
    }
}

/// Lifts the number of open files to what the system allows, and returns it.
pub fn raise_descriptors() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Root may go beyond the hard limit; whoever may not gets what there is.
    let wanted = Rlimit { current: Some(65_536), maximum: Some(65_536) };
    if current.is_none_or(|current| current >= 65_536) {
        return current.unwrap_or(u64::MAX);
    }
    if setrlimit(Resource::Nofile, wanted).is_err() {
        let _within_bounds = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
