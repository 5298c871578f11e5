//! A folder, a server on it and a client.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use avocet_files::Folder;
use avocet_net::Address;
use avocet_server::{Grace, Handle, Handler, Server};
use tempfile::TempDir;

/// A server on a new folder `www`, beside which other things can lie.
pub(crate) struct Site {
    around: TempDir,
    address: std::net::SocketAddr,
    handle: Handle,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

/// A response, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Site {
    /// A site with these files, each with its path and content.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, |folder| folder)
    }

    pub(crate) fn with(files: &[(&str, &str)], set: impl FnOnce(Folder) -> Folder) -> Self {
        let around = TempDir::new().unwrap();
        let root = around.path().join("www");
        fs::create_dir(&root).unwrap();
        for (path, content) in files {
            write(&root.join(path), content);
        }
        let service = set(Folder::new(&root)).open().unwrap();
        Self::start(around, service)
    }

    /// Whatever this handler serves, beside this folder.
    pub(crate) fn start(around: TempDir, handler: impl Handler + 'static) -> Self {
        let bound = Server::new(handler).workers(1).bind().unwrap();
        let Address::Ip(address) = bound.addresses()[0] else { panic!("a port was asked for") };
        let handle = bound.handle();
        let thread = Some(std::thread::spawn(move || bound.run()));
        Self { around, address, handle, thread }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.around.path().join("www")
    }

    pub(crate) fn around(&self) -> &Path {
        self.around.path()
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.root().join(path), content);
    }

    /// Writes a file that was last changed long ago.
    pub(crate) fn write_old(&self, path: &str, content: impl AsRef<[u8]>) {
        self.write(path, content);
        self.age(path);
    }

    /// Makes a file one that was last changed at 2020-01-02T03:04:05Z.
    pub(crate) fn age(&self, path: &str) {
        let file = fs::File::open(self.root().join(path)).unwrap();
        let time = std::time::UNIX_EPOCH + Duration::from_secs(1_577_934_245);
        file.set_modified(time).unwrap();
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[])
    }

    pub(crate) fn get_with(&self, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.send("GET", target, fields)
    }

    pub(crate) fn send(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request(method, target, fields).as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes)
    }
}

impl Site {
    /// Sends a request with content. The server may answer and close before it has read all of it.
    pub(crate) fn send_content(
        &self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        content: &[u8],
    ) -> Answer {
        let mut stream = self.connect();
        let length = content.len().to_string();
        let mut all = vec![("Content-Length", length.as_str())];
        all.extend(fields);
        stream.write_all(request(method, target, &all).as_bytes()).unwrap();
        let sent = stream.write_all(content);
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        assert!(sent.is_ok() && read.is_ok() || !bytes.is_empty(), "{sent:?} {read:?}");
        Answer::parse(&bytes)
    }
}

/// A request to `h`, unless the fields name another host, after which the connection ends.
pub(crate) fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> String {
    let mut request = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    if fields.iter().all(|(name, _)| *name != "Host") {
        request += "Host: h\r\n";
    }
    for (name, value) in fields {
        request += &format!("{name}: {value}\r\n");
    }
    request + "\r\n"
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

impl Drop for Site {
    fn drop(&mut self) {
        self.handle.stop(Grace::NONE);
        let thread = self.thread.take().unwrap();
        let ended = thread.join();
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let split = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let split = split.unwrap_or_else(|| panic!("no head in {:?}", bytes.escape_ascii()));
        let head = String::from_utf8(bytes[..split + 2].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Self { status, head, body: bytes[split + 4..].to_vec() };
        if answer.field("Transfer-Encoding") == Some("chunked") && !answer.body.is_empty() {
            answer.body = unchunk(&answer.body);
        }
        answer
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    /// The fields but for Date.
    pub(crate) fn fields(&self) -> Vec<&str> {
        self.head.lines().skip(1).filter(|line| !line.starts_with("Date:")).collect()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk's size");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        rest = &rest[end + 2..];
        if size == 0 {
            assert_eq!(rest, b"\r\n", "the end of the last chunk");
            return content;
        }
        content.extend_from_slice(&rest[..size]);
        assert_eq!(&rest[size..size + 2], b"\r\n");
        rest = &rest[size + 2..];
    }
}
