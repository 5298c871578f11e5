//! `avocet fetch --retry`: what had begun to come is begun anew where it can be taken back.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use avocet_tests::run::run_in;
use avocet_tests::scripted::{Scripted, response};

/// Cuts its first answers off in the middle.
fn cutting(cuts: u32) -> Scripted {
    let served = AtomicU32::new(0);
    Scripted::start(move |_| {
        let mut answer = response("200 OK", "", "0123456789");
        if served.fetch_add(1, Ordering::Relaxed) < cuts {
            answer.truncate(answer.len() - 4);
        }
        answer
    })
}

#[test]
fn what_was_cut_off_comes_whole_into_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |call: &[&str]| run_in(folder.path(), &[&["fetch"], call].concat(), "");
    let file = || fs::read_to_string(folder.path().join("f")).unwrap();
    let all = ["--retry", "2", "--retry-delay", "0.01", "--retry-all-errors"];
    let server = cutting(2);
    let call = ["-o", "f", "-w", "%{num_retries} %{size_download}", &server.url("/")];
    let ran = inside(&[&all[..], &call].concat());
    assert_eq!((ran.status, &*ran.out, &*file()), (0, "2 10", "0123456789"), "{}", ran.err);
    assert_eq!(ran.err.matches("trying again in").count(), 2, "{}", ran.err);
    let ran = inside(&[&all[..], &["-sS", "-i", "-o", "f", &cutting(1).url("/")]].concat());
    assert_eq!((ran.status, &*ran.err), (0, ""));
    assert_eq!(file(), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
    // Enough is enough, and without --retry-all-errors it is no failure that passes.
    let server = cutting(3);
    assert_eq!(inside(&[&all[..], &["-o", "f", &server.url("/")]].concat()).status, 18);
    assert_eq!(server.requests().len(), 3);
    assert_eq!(inside(&["--retry", "2", "-o", "f", &cutting(1).url("/")]).status, 18);
    // What was printed cannot be taken back; what was kept for JSON can.
    let ran = inside(&[&all[..], &[&cutting(1).url("/")]].concat());
    assert_eq!((ran.status, &*ran.out), (18, "012345"), "{}", ran.err);
    let ran = inside(&[&all[..], &["--format", "json", &cutting(1).url("/")]].concat());
    assert!(ran.status == 0 && ran.out.contains("\"content\":\"0123456789\""), "{}", ran.out);
    // The file keeps what it had before.
    fs::write(folder.path().join("f"), "before ").unwrap();
    let served = AtomicU32::new(0);
    let server = Scripted::start(move |_| {
        let range = "Content-Range: bytes 7-16/17\r\n";
        let mut answer = response("206 Partial Content", range, "0123456789");
        if served.fetch_add(1, Ordering::Relaxed) == 0 {
            answer.truncate(answer.len() - 4);
        }
        answer
    });
    let ran = inside(&[&all[..], &["-C", "-", "-o", "f", &server.url("/")]].concat());
    assert_eq!((ran.status, &*file()), (0, "before 0123456789"), "{}", ran.err);
}

#[test]
fn what_stood_still_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let answer = response("200 OK", "", "0123456789");
        let mut open = Vec::new();
        for length in [answer.len() - 4, answer.len()] {
            let mut stream = listener.accept().unwrap().0;
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(&answer[..length]).unwrap();
            open.push(stream);
        }
        thread::sleep(Duration::from_secs(60));
    });
    let call = ["fetch", "--retry", "1", "--retry-delay", "0", "-m", "2", "-o", "f", &url];
    let ran = run_in(folder.path(), &call, "");
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(fs::read_to_string(folder.path().join("f")).unwrap(), "0123456789");
}
