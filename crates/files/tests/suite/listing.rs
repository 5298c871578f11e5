//! The listing of a folder.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::codings::decoded;
use crate::site::Site;

/// The places of these texts, in the order of the texts.
fn places(text: &str, wanted: &[&str]) -> Vec<usize> {
    wanted.iter().map(|one| text.find(one).unwrap_or_else(|| panic!("{one} is missing"))).collect()
}

#[test]
fn parity_f4_folders_first_then_names_without_case() {
    let site = Site::new(&[("b.txt", ""), ("A.txt", ""), ("c/x", ""), ("Z/x", "")]);
    symlink("b.txt", site.root().join("link")).unwrap();
    symlink("/etc/passwd", site.root().join("out")).unwrap();
    let answer = site.get("/");
    assert_eq!(answer.field("Content-Type"), Some("text/html; charset=utf-8"));
    let found = places(answer.text(), &["./c/", "./Z/", "./A.txt", "./b.txt", "./link"]);
    assert!(found.is_sorted(), "{found:?}");
    assert!(!answer.text().contains("./out"), "a link that leads nowhere is not shown");
    assert!(answer.text().contains("5 entries"));
    let head = site.send("HEAD", "/", &[]);
    assert_eq!((head.fields(), head.body.len()), (answer.fields(), 0));
}

#[test]
fn a_listing_is_sorted_as_asked() {
    let site = Site::new(&[("big", "0123456789"), ("none", ""), ("mid", "01234")]);
    let order = |target: &str| {
        let answer = site.get(target);
        let mut names = ["./big", "./mid", "./none"];
        names.sort_by_key(|name| places(answer.text(), &[name]));
        names.map(|name| &name[2..]).join(" ")
    };
    assert_eq!(order("/"), "big mid none");
    assert_eq!(order("/?sort=name&order=desc"), "none mid big");
    assert_eq!(order("/?sort=size"), "none mid big");
    assert_eq!(order("/?sort=size&order=desc"), "big mid none");
    site.age("mid");
    assert!(order("/?sort=time").starts_with("mid"));
}

#[test]
fn a_listing_is_searched() {
    let site = Site::new(&[("Apple.txt", ""), ("pear.txt", "")]);
    let answer = site.get("/?q=APP");
    assert!(answer.text().contains("Apple.txt") && !answer.text().contains("pear.txt"));
    assert!(answer.text().contains("1 entry found"));
    let answer = site.get("/?q=%22%3E%3Cscript%3E");
    assert!(answer.text().contains("value=\"&quot;&gt;&lt;script&gt;\""));
}

#[test]
fn security_names_cannot_become_markup() {
    let site = Site::new(&[("javascript:alert(1)", ""), ("a&b", "")]);
    let odd: [&[u8]; 4] = [
        b"<img src=x onerror=alert(1)>",
        b"\"onmouseover=\"x",
        b"line\nbreak\x1b[31m",
        b"latin \xe9 %41?#",
    ];
    for name in odd {
        fs::write(site.root().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let answer = site.get("/");
    let page = answer.text();
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;") && !page.contains("<img"));
    assert!(page.contains("href=\"./javascript%3Aalert%281%29\""));
    assert!(page.contains("a&amp;b"));
    assert!(!page.contains('\x1b') && !page.contains("onmouseover=\"x"));
    assert_eq!(answer.field("X-Content-Type-Options"), Some("nosniff"));
    let policy = answer.field("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    let hrefs = page.split("href=\"./").skip(1).map(|rest| rest.split('"').next().unwrap());
    let bodies: Vec<Vec<u8>> = hrefs.map(|href| site.get(&format!("/{href}")).body).collect();
    for name in odd {
        assert!(bodies.contains(&name.to_vec()), "{} cannot be reached", name.escape_ascii());
    }
}

#[test]
fn breadcrumbs_lead_up() {
    let site = Site::new(&[("a/b <c>/d/x", "")]);
    let answer = site.get("/a/b%20%3Cc%3E/d/");
    let page = answer.text();
    assert!(page.contains("<a href=\"../../../\" title=\"The top\">/</a>"));
    assert!(page.contains("<a href=\"../../\">a</a>"));
    assert!(page.contains("<a href=\"../\">b &lt;c&gt;</a>"));
    assert!(page.contains("<b>d</b>") && page.contains("<title>d</title>"));
}

#[test]
fn a_readme_is_shown_as_text() {
    let site = Site::new(&[("README.md", "# Title <b>\n")]);
    assert!(site.get("/").text().contains("<pre># Title &lt;b&gt;\n</pre>"));
    assert!(!site.get("/?q=none").text().contains("# Title"));
}

#[test]
fn a_listing_comes_as_json() {
    let site = Site::new(&[("dir/x", "")]);
    site.write_old("a \"b\".txt", "1234");
    let expected = "{\"path\":\"/\",\"entries\":[\n\
        {\"name\":\"dir\",\"href\":\"./dir/\",\"type\":\"folder\",\"modified\":\"TIME\"},\n\
        {\"name\":\"a \\\"b\\\".txt\",\"href\":\"./a%20%22b%22.txt\",\"type\":\"file\",\"size\":4,\
        \"modified\":\"2020-01-02T03:04:05Z\"}\n],\"complete\":true}\n";
    for answer in [site.get("/?format=json"), site.get_with("/", &[("Accept", "application/json")])]
    {
        assert_eq!(answer.field("Content-Type"), Some("application/json"));
        let time =
            answer.text().split("\"modified\":\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(answer.text(), expected.replace("TIME", time));
    }
    assert!(site.get("/").field("Vary").unwrap().contains("Accept"));
}

#[test]
fn a_large_folder_comes_in_pieces_and_whole() {
    let site = Site::new(&[]);
    for number in 0..3_000 {
        fs::File::create(site.root().join(format!("file {number:05}"))).unwrap();
    }
    let answer = site.get("/");
    assert_eq!(answer.field("Transfer-Encoding"), Some("chunked"));
    let names = answer.text().matches("href=\"./file%20").count();
    assert_eq!(names, 3_000);
    assert!(answer.text().ends_with("</html>\n"));
}

#[test]
fn a_listing_is_compressed_when_asked_for() {
    let site = Site::new(&[("d/x", "")]);
    fs::create_dir(site.root().join("many")).unwrap();
    for number in 0..3_000 {
        fs::File::create(site.root().join(format!("many/file {number:05}"))).unwrap();
    }
    for target in ["/", "/d/", "/many/", "/many/?format=json"] {
        let plain = site.get(target);
        assert_eq!(plain.field("Content-Encoding"), None);
        assert_eq!(plain.field("Vary"), Some("Accept, Accept-Encoding"));
        for coding in ["gzip", "br", "zstd"] {
            let fields = [("Accept-Encoding", coding)];
            let answer = site.get_with(target, &fields);
            assert_eq!(answer.field("Content-Encoding"), Some(coding), "{target}");
            assert!(decoded(&answer) == plain.body, "{target} {coding}");
            assert!(answer.body.len() * 2 < plain.body.len(), "{target} {coding}");
            let head = site.send("HEAD", target, &fields);
            assert_eq!((head.fields(), head.body.len()), (answer.fields(), 0), "{target}");
        }
        let refused = site.get_with(target, &[("Accept-Encoding", "gzip;q=0, other")]);
        assert!(refused.body == plain.body && refused.field("Content-Encoding").is_none());
    }
    let site = Site::with(&[("a", "")], |folder| folder.compress(false));
    let answer = site.get_with("/", &[("Accept-Encoding", "gzip")]);
    assert_eq!((answer.field("Content-Encoding"), answer.field("Vary")), (None, Some("Accept")));
}

/// More than are listed, and others are served meanwhile.
#[test]
fn a_hundred_thousand_entries_are_listed_without_stalling_others() {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};
    let site = Site::new(&[]);
    let folder = site.root().join("many");
    fs::create_dir(&folder).unwrap();
    for number in 0..100_001 {
        let name = folder.join(format!("{number:06}"));
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &name,
            rustix::fs::FileType::RegularFile,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
    }
    site.write("small", "small");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let meanwhile = scope.spawn(|| {
            let mut slowest = Duration::ZERO;
            let mut count = 0;
            while !over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                assert_eq!(site.get("/small").text(), "small");
                slowest = slowest.max(asked.elapsed());
                count += 1;
            }
            (slowest, count)
        });
        let asked = Instant::now();
        let answer = site.get("/many/");
        let took = asked.elapsed();
        over.store(true, Ordering::Relaxed);
        let (slowest, count) = meanwhile.join().unwrap();
        assert_eq!(answer.text().matches("href=\"./").count(), 100_000);
        assert!(answer.text().contains("The folder has more than 100000 entries"));
        assert!(count > 10 && slowest < took / 2, "{count} at most {slowest:?} in {took:?}");
    });
}
