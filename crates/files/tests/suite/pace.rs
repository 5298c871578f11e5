//! A bound on bytes per second.

use std::time::{Duration, Instant};

use crate::site::Site;

#[test]
fn responses_leave_no_faster_than_they_may() {
    let content = "0123456789".repeat(30_000);
    let site = Site::with(&[], |folder| folder.rate(400_000));
    site.write("file", &content);
    site.write("small", "small");
    let time = |target: &str, fields: &[(&str, &str)]| {
        let begin = Instant::now();
        let answer = site.get_with(target, fields);
        (begin.elapsed(), answer)
    };
    let (took, whole) = time("/file", &[]);
    assert!(whole.body == content.as_bytes() && whole.field("Content-Length") == Some("300000"));
    // The last piece leaves at once, so six of seven eighths of a second pass.
    assert!(took > Duration::from_millis(600), "it took {took:?}");
    let (took, part) = time("/file", &[("Range", "bytes=100000-299999")]);
    assert!(part.status == 206 && part.body == content.as_bytes()[100_000..]);
    assert!(took > Duration::from_millis(350), "it took {took:?}");
    let (_, small) = time("/small", &[]);
    assert_eq!(small.text(), "small");
    assert_eq!(site.send("HEAD", "/file", &[]).field("Content-Length"), Some("300000"));
    // Each has its own pace: twelve at a time take no longer than one by itself, and not nine seconds.
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| assert_eq!(site.get("/file").body.len(), 300_000));
        }
    });
    assert!(begin.elapsed() < Duration::from_millis(7_000), "together {:?}", begin.elapsed());
}
