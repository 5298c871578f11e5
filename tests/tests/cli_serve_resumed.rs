//! `avocet serve --upload`: uploads that outlive the program, and the settings.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::fs;
use std::time::Duration;

use avocet_testkit::{Random, rounds};
use avocet_tests::program::Target;
use avocet_tests::raw::{Answer, Connection, ask};
use rustix::process::{Pid, Signal, kill_process};

/// Content in which every piece of some bytes is there once.
fn content() -> String {
    (0..300_000).map(|number| format!("{number:06}\n")).collect()
}

fn head(target: &Target, place: &str) -> Answer {
    let mut connection = Connection::open(target);
    connection.send(format!("HEAD {place} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    connection.answer_to_head()
}

fn offset(answer: &Answer) -> usize {
    let offset = answer.field("Upload-Offset").unwrap_or_else(|| panic!("no offset: {answer:?}"));
    offset.parse().unwrap()
}

/// Sends the last of an upload.
fn finish(target: &Target, place: &str, content: &str, from: usize) -> Answer {
    let rest = &content[from..];
    let request = format!(
        "PATCH {place} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/partial-upload\r\nUpload-Offset: {from}\r\n\
         Upload-Complete: ?1\r\n\r\n{rest}",
        rest.len()
    );
    ask(target, request)
}

/// Begins to upload, and goes on until a part is known to be on the disk; the place of the upload and
/// the length of that part.
fn begin(target: &Target, content: &str) -> (Connection, String, usize) {
    let mut connection = Connection::open(target);
    connection.send(format!(
        "PUT /big.txt HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\nUpload-Complete: ?1\r\n\
         Upload-Draft-Interop-Version: 8\r\n\r\n",
        content.len()
    ));
    let told = connection.answer();
    assert_eq!(told.status, 104);
    let place = told.field("Location").unwrap().to_owned();
    connection.send(&content[..700_000]);
    // Progress is told once a second, so that some is due with what comes after this.
    std::thread::sleep(Duration::from_millis(1_100));
    connection.send(&content[700_000..900_000]);
    let progress = connection.answer();
    assert_eq!((progress.status, progress.field("Location")), (104, None));
    let safe = offset(&progress);
    assert!((1..=900_000).contains(&safe), "{safe}");
    (connection, place, safe)
}

#[test]
fn an_upload_goes_on_after_the_program_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["serve", folder.path().to_str().unwrap(), "--listen", "127.0.0.1:0", "--upload"];
    let content = content();
    let target = Target::start(&arguments);
    let (connection, place, safe) = begin(&target, &content);
    // By SIGKILL: nothing is tidied up.
    drop(target);
    drop(connection);
    let target = Target::start(&arguments);
    let told = head(&target, &place);
    assert_eq!((told.status, told.field("Upload-Complete")), (204, Some("?0")));
    assert_eq!(told.field("Upload-Length"), Some(content.len().to_string().as_str()));
    let from = offset(&told);
    assert!((safe..=900_000).contains(&from), "{safe} were safe, {from} are there");
    let listing = ask(&target, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert!(!listing.text().contains(".avocet"), "{}", listing.text());
    let wrong = finish(&target, &place, &content, from + 1);
    assert_eq!((wrong.status, offset(&wrong)), (409, from));
    let short = finish(&target, &place, &content[..content.len() - 1], from);
    assert_eq!(short.status, 400, "the length is the one that was promised before");
    // Once more, at another moment.
    drop(target);
    let target = Target::start(&arguments);
    assert_eq!(offset(&head(&target, &place)), from);
    let last = finish(&target, &place, &content, from);
    assert_eq!((last.status, last.field("Upload-Complete")), (201, Some("?1")));
    assert!(fs::read_to_string(folder.path().join("big.txt")).unwrap() == content);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

/// Appends from an offset on, and kills the program at some moment while it takes that.
fn append_until_killed(
    target: Target,
    place: &str,
    content: &str,
    from: usize,
    random: &mut Random,
) {
    let mut connection = Connection::open(&target);
    connection.send(format!(
        "PATCH {place} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\nUpload-Offset: {from}\r\n\
         Content-Type: application/partial-upload\r\nUpload-Complete: ?1\r\n\r\n",
        content.len() - from
    ));
    // Not the last byte, so that it is never whole.
    let end = from + random.below((content.len() - from) as u64) as usize;
    let mut sent = from;
    while sent < end {
        let next = (sent + random.size(1..=200_000)).min(end);
        connection.send(&content[sent..next]);
        sent = next;
        if random.one_in(8) {
            std::thread::sleep(random.duration(&(Duration::ZERO..=Duration::from_millis(40))));
        }
    }
    drop(target);
}

/// Whenever the program is killed: no offset is ever below one that a client was told before, and the
/// bytes below it are those that were sent.
#[test]
fn kills_at_any_moment_lose_nothing_that_was_told() {
    let content = content();
    rounds(3, |seed| {
        let mut random = Random::new(seed);
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        let arguments = ["serve", root, "--listen", "127.0.0.1:0", "--upload"];
        let mut target = Target::start(&arguments);
        let begun = ask(
            &target,
            "PUT /big.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 7\r\n\
             Upload-Complete: ?0\r\n\r\n000000\n",
        );
        let place = begun.field("Location").unwrap().to_owned();
        let mut told = offset(&begun);
        for _ in 0..random.size(1..=6) {
            append_until_killed(target, &place, &content, told, &mut random);
            target = Target::start(&arguments);
            let now = offset(&head(&target, &place));
            assert!(now >= told, "{told} were there, {now} are");
            if random.one_in(2) {
                // One that ends by itself has all that came.
                let most = (content.len() - now).min(50_000);
                let part = &content[now..now + random.below(most as u64) as usize];
                let answer = ask(
                    &target,
                    format!(
                        "PATCH {place} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
                         Content-Length: {}\r\nUpload-Offset: {now}\r\nUpload-Complete: ?0\r\n\
                         Content-Type: application/partial-upload\r\n\r\n{part}",
                        part.len()
                    ),
                );
                assert_eq!((answer.status, offset(&answer)), (204, now + part.len()));
                drop(target);
                target = Target::start(&arguments);
                assert_eq!(offset(&head(&target, &place)), now + part.len());
            }
            told = offset(&head(&target, &place));
        }
        assert_eq!(finish(&target, &place, &content, told).status, 201);
        assert!(fs::read_to_string(folder.path().join("big.txt")).unwrap() == content);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    });
}

#[test]
fn an_upload_goes_on_when_the_settings_are_read_anew() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("in");
    fs::create_dir(&folder).unwrap();
    let settings = around.path().join("config.toml");
    fs::write(&settings, "[serve]\nupload = true\n").unwrap();
    let config = settings.to_str().unwrap();
    let listen = ["--listen", "127.0.0.1:0", "--config", config];
    let target = Target::start(&[&["serve", folder.to_str().unwrap()][..], &listen].concat());
    let content = content();
    let (mut connection, place, safe) = begin(&target, &content);
    fs::write(&settings, "[serve]\nupload = true\nheader = [\"X-New: yes\"]\n").unwrap();
    let id = i32::try_from(target.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::HUP).unwrap();
    let begin = std::time::Instant::now();
    let ask_again = || ask(&target, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    while ask_again().field("X-New").is_none() {
        assert!(begin.elapsed().as_secs() < 20, "the settings are not read");
    }
    // The request that hangs is of the handler before; the new one ends it.
    let told = head(&target, &place);
    assert_eq!((told.status, told.field("X-New")), (204, Some("yes")));
    let from = offset(&told);
    assert!((safe..=900_000).contains(&from), "{safe} were safe, {from} are there");
    let mut ended = connection.answer();
    while ended.status == 104 {
        ended = connection.answer();
    }
    assert_eq!(ended.status, 409);
    assert_eq!(finish(&target, &place, &content, from).status, 201);
    assert!(fs::read_to_string(folder.join("big.txt")).unwrap() == content);
}
