//! What happens to a file server that runs short, from outside.
#![expect(clippy::unwrap_used, reason = "a test fails where something fails")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use avocet_tests::program::Target;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

const FILES: usize = 40;

/// Asks for a file and reads no more than the status.
fn ask(stream: &mut TcpStream, path: impl std::fmt::Display) -> u16 {
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
}

fn connect(target: &Target) -> TcpStream {
    let stream = TcpStream::connect(target.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Each unread download holds a file. Where descriptors run out the answer is 503, not 500 and not
/// silence, and all is well again once they are back.
#[test]
fn security_unread_downloads_use_up_descriptors() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..FILES {
        let path = folder.path().join(number.to_string());
        fs::File::create(path).unwrap().set_len(64 * 1024 * 1024).unwrap();
    }
    let root = folder.path().to_str().unwrap();
    let target = Target::start(&["serve", root, "--listen", "127.0.0.1:0", "--workers", "1"]);
    let id = target.id().unwrap();
    let mut streams: Vec<TcpStream> = (0..FILES).map(|_| connect(&target)).collect();
    for stream in &mut streams {
        assert_eq!(ask(stream, "none"), 404);
        // The rest of the answer, so that the next one is read from its beginning.
        let mut rest = Vec::new();
        while !rest.ends_with(b"</html>\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            rest.extend(byte);
        }
    }
    let open = fs::read_dir(format!("/proc/{id}/fd")).unwrap().count() as u64;
    let few = Rlimit { current: Some(open + 10), maximum: Some(open + 10) };
    prlimit(Pid::from_raw(id.cast_signed()), Resource::Nofile, few).unwrap();
    let statuses: Vec<u16> =
        streams.iter_mut().enumerate().map(|(number, stream)| ask(stream, number)).collect();
    let served = statuses.iter().filter(|&&status| status == 200).count();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
    assert!((5..FILES).contains(&served), "{statuses:?}");
    drop(streams);
    for number in 0..FILES {
        let mut tries = 0;
        // The server learns of the closed connections in its own time.
        while ask(&mut connect(&target), number) != 200 {
            tries += 1;
            assert!(tries < 1_000, "{number} stays unavailable");
        }
    }
}
