//! Uploads by PUT and by form.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;

use avocet_files::{Changes, Folder};

use crate::site::{Answer, Site, request};

pub(crate) fn changing(files: &[(&str, &str)], set: impl FnOnce(Changes) -> Changes) -> Site {
    let changes = set(Changes::new().name("h"));
    Site::with(files, |folder: Folder| folder.changes(changes))
}

fn site(files: &[(&str, &str)]) -> Site {
    changing(files, |changes| changes.upload(true))
}

/// The names in a folder, hidden ones too.
pub(crate) fn names(site: &Site, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(site.root().join(folder)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn form(name: &str, content: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{content}\r\n"
    )
}

fn post(site: &Site, target: &str, form: &str, fields: &[(&str, &str)]) -> Answer {
    let mut all = vec![("Content-Type", "multipart/form-data; boundary=b")];
    all.extend(fields);
    site.send_content("POST", target, &all, format!("{form}--b--\r\n").as_bytes())
}

#[test]
fn put_makes_a_file_and_replaces_it_where_that_is_allowed() {
    let site = changing(&[("dir/old", "old")], |changes| changes.upload(true).overwrite(true));
    let made = site.send_content("PUT", "/dir/new%20file.txt", &[], b"content");
    assert_eq!((made.status, made.field("Location")), (201, Some("/dir/new%20file.txt")));
    let got = site.get("/dir/new%20file.txt");
    assert_eq!((got.text(), got.field("ETag")), ("content", made.field("ETag")));
    let replaced = site.send_content("PUT", "/dir/old", &[], b"");
    assert_eq!((replaced.status, replaced.field("Location")), (204, None));
    assert_eq!(site.get("/dir/old").text(), "");
    assert_eq!(names(&site, "dir"), ["new file.txt", "old"], "nothing else stays");
}

#[test]
fn large_and_chunked_content_is_streamed() {
    let site = site(&[]);
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    assert_eq!(site.send_content("PUT", "/large", &[], &content).status, 201);
    assert!(fs::read(site.root().join("large")).unwrap() == content);
    let mut stream = site.connect();
    let fields = [("Transfer-Encoding", "chunked")];
    stream.write_all(request("PUT", "/chunked", &fields).as_bytes()).unwrap();
    stream.write_all(b"3\r\nabc\r\n").unwrap();
    stream.write_all(b"2\r\nde\r\n0\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(Answer::parse(&bytes).status, 201);
    assert_eq!(site.get("/chunked").text(), "abcde");
}

#[test]
fn nothing_is_changed_unless_it_is_allowed() {
    let site = Site::new(&[("a", "a")]);
    for method in ["PUT", "POST", "DELETE", "PATCH", "MKCOL"] {
        let refused = site.send_content(method, "/a", &[], b"x");
        assert_eq!((refused.status, refused.field("Allow")), (405, Some("GET, HEAD, OPTIONS")));
    }
    let site = changing(&[("a", "a")], |changes| changes.folders(true));
    for method in ["PUT", "DELETE", "PATCH"] {
        assert_eq!(site.send_content(method, "/a", &[], b"x").status, 405, "{method}");
    }
    let refused = post(&site, "/", &form("b", "x"), &[]);
    assert_eq!((refused.status, names(&site, "").len()), (415, 1));
}

#[test]
fn a_name_that_is_taken_is_409() {
    let site = site(&[("file", "old"), ("dir/x", "")]);
    symlink("file", site.root().join("link")).unwrap();
    for target in ["/file", "/dir", "/dir/", "/link", "/none/file", "/file/below", "/"] {
        assert_eq!(site.send_content("PUT", target, &[], b"new").status, 409, "{target}");
    }
    assert_eq!(post(&site, "/", &form("file", "new"), &[]).status, 409);
    assert_eq!(site.get("/file").text(), "old");
    assert_eq!(names(&site, ""), ["dir", "file", "link"]);
}

#[test]
fn content_that_is_not_what_it_was_is_refused() {
    let site = changing(&[], |changes| changes.upload(true));
    let good = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    let content = b"{\"hello\": \"world\"}\n";
    let wrong = site.send_content("PUT", "/a.json", &[("Repr-Digest", good)], &content[1..]);
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("is not that of Repr-Digest"), "{}", wrong.text());
    let broken = [("Repr-Digest", "sha-256=:AAAA:")];
    assert_eq!(site.send_content("PUT", "/a.json", &broken, content).status, 400);
    assert_eq!(names(&site, "").len(), 0, "nothing stays of it");
    let right = site.send_content("PUT", "/a.json", &[("Repr-Digest", good)], content);
    assert_eq!(right.status, 201);
    assert_eq!(site.get("/a.json").body, content);
}

#[test]
fn conditions_hold_on_put() {
    let site = changing(&[], |changes| changes.upload(true).overwrite(true));
    site.write_old("file", "old");
    let tag = site.get("/file").field("ETag").unwrap().to_owned();
    let put = |target: &str, field: (&str, &str), content: &str| {
        site.send_content("PUT", target, &[field], content.as_bytes()).status
    };
    assert_eq!(put("/file", ("If-None-Match", "*"), "new"), 412);
    assert_eq!(put("/file", ("If-Match", "\"other\""), "new"), 412);
    assert_eq!(put("/none", ("If-Match", "*"), "new"), 412);
    assert_eq!(site.get("/file").text(), "old");
    assert_eq!(put("/file", ("If-Match", &tag), "new"), 204);
    assert_eq!(put("/file", ("If-Match", &tag), "newer"), 412, "it is another state now");
    assert_eq!(put("/none", ("If-None-Match", "*"), "first"), 201);
    assert_eq!((site.get("/file").text(), site.get("/none").text()), ("new", "first"));
}

#[test]
fn requests_that_would_store_something_else_are_refused() {
    let site = site(&[]);
    let put = |field| site.send_content("PUT", "/file", &[field], b"x");
    assert_eq!(put(("Content-Range", "bytes 0-0/9")).status, 400);
    let coded = put(("Content-Encoding", "gzip"));
    assert_eq!((coded.status, coded.field("Accept-Encoding")), (415, Some("identity")));
    assert_eq!(names(&site, "").len(), 0);
}

#[test]
fn security_uploads_are_bounded() {
    let site = changing(&[("held", "12345")], |changes| {
        changes.upload(true).overwrite(true).largest(10).quota(20)
    });
    let put = |name: &str, len| site.send_content("PUT", name, &[], "x".repeat(len).as_bytes());
    let refused = put("/a", 11);
    assert_eq!((refused.status, refused.field("Upload-Limit")), (413, Some("max-size=10")));
    assert_eq!(put("/a", 10).status, 201);
    assert_eq!(put("/b", 6).status, 507, "15 of 20 are held");
    assert_eq!(put("/b", 5).status, 201);
    assert_eq!(put("/a", 1).status, 507, "the old content is there until the new one is");
    assert_eq!(names(&site, ""), ["a", "b", "held"]);
    // The same where the length is not told before.
    let chunked = |name: &str, chunk: &str| {
        let mut stream = site.connect();
        let fields = [("Transfer-Encoding", "chunked")];
        stream.write_all(request("PUT", name, &fields).as_bytes()).unwrap();
        let content = format!("{:x}\r\n{chunk}\r\n0\r\n\r\n", chunk.len());
        stream.write_all(content.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes).status
    };
    assert_eq!(chunked("/c", "0123456789x"), 413);
    assert_eq!(chunked("/c", "1"), 507);
    assert_eq!(post(&site, "/", &form("c", "0123456789x"), &[]).status, 413);
    assert_eq!(post(&site, "/", &form("c", "x"), &[]).status, 507);
    assert_eq!(names(&site, ""), ["a", "b", "held"]);
}

#[test]
fn security_an_upload_that_is_cut_off_leaves_nothing() {
    let site = site(&[]);
    let mut stream = site.connect();
    stream.write_all(request("PUT", "/file", &[("Content-Length", "9")]).as_bytes()).unwrap();
    stream.write_all(b"half").unwrap();
    // The temporary file is there, and not served.
    let draft = loop {
        if let Some(name) = names(&site, "").pop() {
            break name;
        }
    };
    assert_eq!(site.get(&format!("/{draft}")).status, 404);
    assert!(!site.get("/").text().contains("upload-"));
    drop(stream);
    while !names(&site, "").is_empty() {
        std::thread::yield_now();
    }
    let cut = format!("{}--b", form("a", "x"));
    let fields = [("Content-Type", "multipart/form-data; boundary=b")];
    assert_eq!(site.send_content("POST", "/", &fields, cut.as_bytes()).status, 400);
    assert_eq!(names(&site, "").len(), 0);
}

#[test]
fn security_names_of_uploads_stay_in_their_folder_and_are_safe() {
    let site = site(&[("dir/x", "")]);
    fs::create_dir(site.around().join("out")).unwrap();
    symlink("../out", site.root().join("leaving")).unwrap();
    for target in ["/../a", "/%2e%2e/a", "/..%2fa", "/leaving/a", "/a%00", "/dir/%2e%2e/%2e%2e/a"] {
        let status = site.send_content("PUT", target, &[], b"x").status;
        assert!(matches!(status, 400 | 404 | 409), "{target} gives {status}");
    }
    for target in
        ["/.hidden", "/.avocet-upload-x", "/a%0ab", "/a%1b", "/%ff", "/-rf", "/a:b", "/nul"]
    {
        let status = site.send_content("PUT", target, &[], b"x").status;
        assert!(matches!(status, 400 | 404), "{target} gives {status}");
    }
    let long = format!("/{}", "x".repeat(256));
    assert_eq!(site.send_content("PUT", &long, &[], b"x").status, 400);
    for (given, made) in [
        ("../../a.txt", "a.txt"),
        ("..\\\\b.txt", "b.txt"),
        (".bashrc", "bashrc"),
        ("/etc/passwd", "passwd"),
        ("c\u{202e}d", "cd"),
    ] {
        assert_eq!(post(&site, "/dir/", &form(given, "x"), &[]).status, 201, "{given}");
        assert!(names(&site, "dir").iter().any(|name| name == made), "{given}");
    }
    assert_eq!(post(&site, "/dir/", &form("..", "x"), &[]).status, 400);
    assert_eq!(names(&site, ""), ["dir", "leaving"]);
    assert_eq!(fs::read_dir(site.around().join("out")).unwrap().count(), 0);
}

#[test]
fn security_an_upload_never_writes_through_a_link() {
    let site = changing(&[("target", "old")], |changes| changes.upload(true).overwrite(true));
    fs::write(site.around().join("outside"), "old").unwrap();
    symlink("target", site.root().join("inside")).unwrap();
    symlink("../outside", site.root().join("out")).unwrap();
    for target in ["/inside", "/out"] {
        assert_eq!(site.send_content("PUT", target, &[], b"new").status, 409, "{target}");
    }
    assert_eq!(fs::read_to_string(site.around().join("outside")).unwrap(), "old");
    assert_eq!(site.get("/target").text(), "old");
}

#[test]
fn security_pages_of_other_sites_change_nothing() {
    let site = changing(&[("a", "")], |changes| changes.upload(true).folders(true).delete(true));
    let foreign: [(&str, &str); 6] = [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Origin", "http://h:81"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "sideways"),
    ];
    for field in foreign {
        assert_eq!(post(&site, "/", &form("b", "x"), &[field]).status, 403, "{field:?}");
        for method in ["PUT", "DELETE", "MKCOL"] {
            assert_eq!(site.send_content(method, "/a", &[field], b"").status, 403, "{field:?}");
        }
    }
    assert_eq!(names(&site, ""), ["a"]);
    let own =
        [("Origin", "http://h"), ("Origin", "http://H:80"), ("Sec-Fetch-Site", "same-origin")];
    for (number, field) in own.into_iter().enumerate() {
        let form = form(&format!("b{number}"), "x");
        assert_eq!(post(&site, "/", &form, &[field]).status, 201, "{field:?}");
    }
}

#[test]
fn security_a_name_that_leads_to_this_machine_is_not_this_machine() {
    let site = Site::with(&[("a", "")], |folder| {
        folder.changes(Changes::new().upload(true).name("known.example"))
    });
    let put = |name: &str, host: &str, fields: &[(&str, &str)]| {
        let fields = [fields, &[("Host", host)]].concat();
        site.send_content("PUT", &format!("/{name}"), &fields, b"x").status
    };
    for fields in [[("Origin", "http://evil.example:8080")], [("Sec-Fetch-Site", "same-origin")]] {
        assert_eq!(put("b", "evil.example:8080", &fields), 403, "{fields:?}");
    }
    assert_eq!(put("c", "localhost:8080", &[("Origin", "http://localhost:8080")]), 201);
    assert_eq!(put("d", "known.example", &[("Sec-Fetch-Site", "same-origin")]), 201);
    assert_eq!(put("e", "evil.example", &[]), 201, "no browser is led astray");
    assert_eq!(names(&site, ""), ["a", "c", "d", "e"]);
}

#[test]
fn a_form_of_several_files_is_stored_together() {
    let site = site(&[("dir/x", "")]);
    let text = "--b\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\nhello\r\n";
    let all = form("a", "one") + text + &form("", "") + &form("b \u{e9}", "two");
    let made = post(&site, "/dir", &all, &[]);
    assert_eq!(made.field("Content-Type"), Some("application/json"));
    let expected = "{\"files\":[\n{\"name\":\"a\",\"href\":\"./a\",\"size\":3},\n\
                    {\"name\":\"b \u{e9}\",\"href\":\"./b%20%C3%A9\",\"size\":3}\n]}\n";
    assert_eq!((made.status, made.text()), (201, expected));
    assert_eq!(names(&site, "dir"), ["a", "b \u{e9}", "x"]);
    let page = post(&site, "/dir/", &form("c", ""), &[("Accept", "text/html,*/*;q=0.8")]);
    assert_eq!((page.status, page.field("Location")), (303, Some("/dir/")));
    assert_eq!(post(&site, "/dir/", text, &[]).status, 400, "no file was chosen");
    let half = form("d", "x") + &form("a", "x");
    assert_eq!(post(&site, "/dir/", &half, &[]).status, 409);
    assert!(!names(&site, "dir").contains(&"d".to_owned()), "all or nothing");
    let twice = form("e", "one") + &form("e", "two");
    assert_eq!(post(&site, "/dir/", &twice, &[]).status, 409);
    assert!(!names(&site, "dir").contains(&"e".to_owned()), "nor is there the first of two");
    assert_eq!(post(&site, "/none/", &form("d", "x"), &[]).status, 404);
    let broken = [("Content-Type", "multipart/form-data")];
    assert_eq!(site.send_content("POST", "/", &broken, b"--b--").status, 400);
}

#[test]
fn the_listing_shows_the_forms_that_are_allowed() {
    let page = |site: &Site| site.get("/").text().to_owned();
    let none = page(&Site::new(&[("a", "")]));
    assert!(!none.contains("method=\"post\"") && !none.contains("\"checkbox\""));
    let uploads = page(&site(&[("a", "")]));
    assert!(uploads.contains("enctype=\"multipart/form-data\"") && !uploads.contains("mkdir"));
    let all = changing(&[("a b", "")], |changes| changes.folders(true).delete(true));
    let all = page(&all);
    assert!(all.contains("value=\"mkdir\"") && all.contains("value=\"delete\""));
    assert!(all.contains("name=\"name\" aria-label=\"Choose\" value=\"a%20b\""));
    assert!(!all.contains("multipart/form-data"));
}

#[test]
fn a_client_that_waits_to_be_asked_is_refused_before_it_sends() {
    let site = site(&[("taken", "old")]);
    let mut stream = site.connect();
    let fields = [("Content-Length", "3"), ("Expect", "100-continue")];
    stream.write_all(request("PUT", "/taken", &fields).as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(Answer::parse(&bytes).status, 409, "without 100 before it");
    let mut stream = site.connect();
    stream.write_all(request("PUT", "/new", &fields).as_bytes()).unwrap();
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"new").unwrap();
    bytes.clear();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(Answer::parse(&bytes).status, 201);
}

#[test]
fn security_links_exchanged_while_files_are_uploaded() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let site = changing(&[("switch/x", "")], |changes| changes.upload(true).delete(true));
    let outside = site.around().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("x"), "").unwrap();
    let (switch, aside) = (site.root().join("switch"), site.root().join("aside"));
    symlink("../outside", &aside).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            while !over.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(rustix::fs::CWD, &switch, rustix::fs::CWD, &aside, flags)
                    .unwrap();
            }
        });
        let mut made = 0;
        for number in 0..200 {
            let target = format!("/switch/{number}");
            made += usize::from(site.send_content("PUT", &target, &[], b"x").status == 201);
            site.send("DELETE", "/switch/x", &[]);
        }
        over.store(true, Ordering::Relaxed);
        assert!((1..200).contains(&made), "the link was not exchanged: {made}");
    });
    let left: Vec<_> = fs::read_dir(&outside).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing was made or deleted outside: {left:?}");
}

#[test]
fn security_slow_uploads_hold_no_thread() {
    let site = site(&[]);
    let mut slow = Vec::new();
    for number in 0..100 {
        let mut stream = site.connect();
        let fields = [("Content-Length", "9")];
        stream.write_all(request("PUT", &format!("/{number}"), &fields).as_bytes()).unwrap();
        stream.write_all(b"slow").unwrap();
        slow.push(stream);
    }
    assert_eq!(site.send_content("PUT", "/quick", &[], b"quick").status, 201);
    assert!(site.get("/").text().contains("quick"));
    for stream in &mut slow {
        stream.write_all(b"poke!").unwrap();
    }
    for mut stream in slow {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        assert_eq!(Answer::parse(&bytes).status, 201);
    }
    assert_eq!(names(&site, "").len(), 101);
}

#[test]
fn security_a_form_of_many_files_needs_few_descriptors() {
    let site = site(&[]);
    let all: String = (0..999).map(|number| form(&number.to_string(), "x")).collect();
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    let mut stream = site.connect();
    let fields =
        [("Content-Type", "multipart/form-data; boundary=b"), ("Content-Length", "900000")];
    stream.write_all(request("POST", "/", &fields).as_bytes()).unwrap();
    stream.write_all(all.as_bytes()).unwrap();
    // Content is taken in pieces of 64 KiB at least, which hold more than 600 of them.
    while names(&site, "").len() < 600 {
        std::thread::yield_now();
    }
    // Other tests of this process open some too, but not hundreds.
    assert!(open() < before + 400, "{} before, {} now", before, open());
    drop(stream);
    while !names(&site, "").is_empty() {
        std::thread::yield_now();
    }
}
