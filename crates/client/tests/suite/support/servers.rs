//! Servers and proxies on loopback sockets, written with the standard library alone.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server whose connections are handled by a function, each on a thread of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// What its connections have noted.
    pub(crate) notes: Notes,
}

#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(crate) fn add(&self, note: impl Into<String>) {
        self.0.lock().unwrap().push(note.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Server {
    pub(crate) fn new(handle: impl Fn(TcpStream, &Notes) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (notes, handle) = (Notes::default(), Arc::new(handle));
        let told = notes.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (handle, told) = (handle.clone(), told.clone());
                thread::spawn(move || handle(stream, &told));
            }
        });
        Self { address, notes }
    }

    /// A server of HTTP: a function of the request, head and content, gives the response.
    pub(crate) fn http(respond: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::new(move |stream, notes| {
            let (mut reader, mut writer) = (stream.try_clone().unwrap(), stream);
            serve_http(&mut reader, &mut writer, notes, &respond);
        })
    }

    /// One that says what it was asked: the request line and the value of Host.
    pub(crate) fn echo() -> Self {
        Self::http(|request| ok(&summary(request)))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

pub(crate) fn ok(content: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{content}", content.len())
}

pub(crate) fn status(line: &str, fields: &str) -> String {
    format!("HTTP/1.1 {line}\r\n{fields}Content-Length: 0\r\n\r\n")
}

/// The value of a field of a request.
pub(crate) fn field<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    request.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

pub(crate) fn summary(request: &str) -> String {
    let line = request.lines().next().unwrap_or_default();
    format!("{line} for {}", field(request, "Host").unwrap_or("nobody"))
}

/// Answers requests until the connection ends.
pub(crate) fn serve_http(
    reader: &mut impl Read,
    writer: &mut impl Write,
    notes: &Notes,
    respond: &dyn Fn(&str) -> String,
) {
    while let Some(request) = read_request(reader) {
        notes.add(request.clone());
        if writer.write_all(respond(&request).as_bytes()).is_err() {
            return;
        }
    }
}

/// A head and as much content as its Content-Length or its chunks say, as it is on the wire.
pub(crate) fn read_request(reader: &mut impl Read) -> Option<String> {
    let head = read_head(reader)?;
    let length = field(&head, "Content-Length").map_or(0, |length| length.parse().unwrap());
    let mut content = vec![0; length];
    reader.read_exact(&mut content).ok()?;
    if field(&head, "Transfer-Encoding").is_some() {
        while !content.ends_with(b"0\r\n\r\n") {
            let mut byte = [0];
            reader.read_exact(&mut byte).ok()?;
            content.push(byte[0]);
        }
    }
    Some(head + &String::from_utf8_lossy(&content))
}

pub(crate) fn read_head(reader: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        reader.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// A proxy of HTTP that opens tunnels and answers absolute-form itself, by a summary.
pub(crate) fn http_proxy(password: Option<&'static str>) -> Server {
    Server::new(move |stream, notes| {
        let (mut reader, mut writer) = (stream.try_clone().unwrap(), stream);
        proxy_http(&mut reader, &mut writer, notes, password, |reader, writer, far| {
            pipe(reader, writer, far);
        });
    })
}

/// Serves as a proxy on any kind of stream; `tunnel` joins it with the far end.
pub(crate) fn proxy_http<R: Read, W: Write>(
    reader: &mut R,
    writer: &mut W,
    notes: &Notes,
    password: Option<&str>,
    tunnel: impl Fn(&mut R, &mut W, TcpStream),
) {
    while let Some(head) = read_head(reader) {
        notes.add(head.clone());
        let given = field(&head, "Proxy-Authorization");
        let target = head.split(' ').nth(1).unwrap_or_default();
        let answer = if password.is_some_and(|password| given != Some(password)) {
            let challenge = "Proxy-Authenticate: Basic realm=p\r\n";
            status("407 Proxy Authentication Required", challenge)
        } else if !head.starts_with("CONNECT ") {
            ok(&format!("proxy: {}", summary(&head)))
        } else if let Ok(far) = TcpStream::connect(target) {
            writer.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            return tunnel(reader, writer, far);
        } else {
            status("502 Bad Gateway", "")
        };
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Copies both ways between sockets until both have ended.
pub(crate) fn pipe(near: &TcpStream, _: &TcpStream, far: TcpStream) {
    let (mut near_in, mut far_out) = (near.try_clone().unwrap(), far.try_clone().unwrap());
    let (mut near_out, mut far_in) = (near.try_clone().unwrap(), far);
    let there = thread::spawn(move || {
        drop(std::io::copy(&mut near_in, &mut far_out));
        drop(far_out.shutdown(Shutdown::Write));
    });
    drop(std::io::copy(&mut far_in, &mut near_out));
    drop(near_out.shutdown(Shutdown::Write));
    there.join().unwrap();
}

/// A proxy of SOCKS 4, 4a and 5; it notes what it was asked for. Names below `test` are loopback.
pub(crate) fn socks_proxy(login: Option<(&'static str, &'static str)>) -> Server {
    Server::new(move |mut stream, notes| {
        let Some(far) = socks(&mut stream, notes, login) else { return };
        pipe(&stream, &stream, far);
    })
}

fn socks(stream: &mut TcpStream, notes: &Notes, login: Option<(&str, &str)>) -> Option<TcpStream> {
    match byte(stream)? {
        4 => {
            byte(stream).filter(|command| *command == 1)?;
            let port = port(stream)?;
            let address = Ipv4Addr::from(bytes::<4>(stream)?);
            let user = until_zero(stream)?;
            let host = if address.octets()[..3] == [0; 3] {
                until_zero(stream)?
            } else {
                address.to_string()
            };
            notes.add(format!("4 {user}@{host}"));
            let far = connect(&host, port);
            let code = if far.is_some() { 90 } else { 91 };
            stream.write_all(&[0, code, 0, 0, 0, 0, 0, 0]).ok()?;
            far
        }
        5 => {
            let mut methods = vec![0; usize::from(byte(stream)?)];
            stream.read_exact(&mut methods).ok()?;
            let method = if login.is_some() { 2 } else { 0 };
            if !methods.contains(&method) {
                stream.write_all(&[5, 0xff]).ok()?;
                return None;
            }
            stream.write_all(&[5, method]).ok()?;
            let mut user = String::new();
            if let Some(login) = login {
                byte(stream)?;
                let given = (short(stream)?, short(stream)?);
                let right = (given.0.as_str(), given.1.as_str()) == login;
                stream.write_all(&[1, u8::from(!right)]).ok()?;
                user = given.0;
                if !right {
                    return None;
                }
            }
            let [_, _, _, kind] = bytes::<4>(stream)?;
            let host = match kind {
                1 => Ipv4Addr::from(bytes::<4>(stream)?).to_string(),
                3 => short(stream)?,
                _ => Ipv6Addr::from(bytes::<16>(stream)?).to_string(),
            };
            let port = port(stream)?;
            notes.add(format!("5 {user}@{host}"));
            let far = connect(&host, port);
            let reply = if far.is_some() { 0 } else { 5 };
            stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
            far
        }
        _ => None,
    }
}

fn connect(host: &str, port: u16) -> Option<TcpStream> {
    let address = match host.parse::<IpAddr>() {
        Ok(address) => address,
        Err(_) if host.ends_with(".test") => Ipv4Addr::LOCALHOST.into(),
        Err(_) => return None,
    };
    TcpStream::connect((address, port)).ok()
}

fn byte(stream: &mut TcpStream) -> Option<u8> {
    bytes::<1>(stream).map(|[byte]| byte)
}

fn bytes<const N: usize>(stream: &mut TcpStream) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).ok().map(|()| bytes)
}

fn port(stream: &mut TcpStream) -> Option<u16> {
    bytes(stream).map(u16::from_be_bytes)
}

fn short(stream: &mut TcpStream) -> Option<String> {
    let mut text = vec![0; usize::from(byte(stream)?)];
    stream.read_exact(&mut text).ok()?;
    String::from_utf8(text).ok()
}

fn until_zero(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    loop {
        match byte(stream)? {
            0 => return String::from_utf8(text).ok(),
            byte => text.push(byte),
        }
    }
}
