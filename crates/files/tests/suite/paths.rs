//! Which file a path gets, and which none.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::site::Site;

#[test]
fn a_file_is_sent_with_what_is_known_of_it() {
    let site = Site::new(&[]);
    site.write_old("dir/a.txt", "content");
    let answer = site.get("/dir/a.txt");
    assert_eq!((answer.status, answer.text()), (200, "content"));
    assert_eq!(answer.field("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.field("Content-Length"), Some("7"));
    assert_eq!(answer.field("Last-Modified"), Some("Thu, 02 Jan 2020 03:04:05 GMT"));
    let head = site.send("HEAD", "/dir/a.txt", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.fields(), answer.fields());
}

#[test]
fn an_empty_file_and_a_large_one() {
    let site = Site::new(&[("empty", "")]);
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
    site.write("large.bin", &large);
    assert_eq!(site.get("/empty").field("Content-Length"), Some("0"));
    assert!(site.get("/large.bin").body == large);
}

#[test]
fn other_methods_are_told_which_are_allowed() {
    let site = Site::new(&[("a", "x")]);
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE"] {
        let answer = site.send(method, "/a", &[]);
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.field("Allow"), Some("GET, HEAD, OPTIONS"));
    }
    let options = site.send("OPTIONS", "/a", &[]);
    assert_eq!((options.status, options.field("Allow")), (204, Some("GET, HEAD, OPTIONS")));
    assert_eq!(site.send("OPTIONS", "*", &[]).status, 204);
    assert_eq!(site.send("FROB", "/a", &[]).status, 501);
}

#[test]
fn parity_f3_index_html_comes_before_index_htm() {
    let site =
        Site::new(&[("a/index.html", "html"), ("a/index.htm", "htm"), ("b/index.htm", "htm")]);
    assert_eq!(site.get("/a/").text(), "html");
    assert_eq!(site.get("/b/").text(), "htm");
    assert_eq!(site.get("/b/").field("Content-Type"), Some("text/html; charset=utf-8"));
    let site = Site::with(&[("a/index.html", "html"), ("a/home", "home")], |folder| {
        folder.index(["home"])
    });
    assert_eq!(site.get("/a/").text(), "home");
}

#[test]
fn parity_f5_a_folder_without_slash_is_redirected_with_its_query() {
    let site = Site::new(&[("a b/x", ""), ("\\evil/x", "")]);
    let answer = site.get("/a%20b?q=1&r=%2f");
    assert_eq!((answer.status, answer.field("Location")), (301, Some("/a%20b/?q=1&r=%2f")));
    let answer = site.get("//a%20b");
    assert_eq!(answer.field("Location"), Some("/a%20b/"));
}

#[test]
fn parity_f10_what_is_not_there() {
    let site = Site::with(&[("file", "x"), ("dir/x", "")], |folder| folder.listing(false));
    for target in ["/none", "/file/", "/file/x", "/dir/", "/dir/none/"] {
        assert_eq!(site.get(target).status, 404, "{target}");
    }
}

#[test]
fn security_traversal_spellings() {
    let site = Site::new(&[("dir/sub/x", ""), ("file.txt", "file")]);
    fs::write(site.around().join("secret"), "leak").unwrap();
    let spellings = [
        "/../secret",
        "/dir/../../secret",
        "/%2e%2e/secret",
        "/%2E%2E/secret",
        "/.%2e/secret",
        "/%2e%2e%2fsecret",
        "/..%2fsecret",
        "/%252e%252e/secret",
        "/..%5csecret",
        "/..%5c..%5csecret",
        "/dir/..%2f..%2fsecret",
        "/.../secret",
        "/..;/secret",
        "/..%00/secret",
        "/dir//../../secret",
        "//../secret",
        "/%2fetc/passwd",
        "//etc/passwd",
        "/etc/passwd",
        "/..%c0%afsecret",
        "/..%ef%bc%8fsecret",
        "/dir/sub/../../../secret",
        "/%2e%2e%5csecret",
        "/dir/%2e%2e/%2e%2e/secret",
        "/c:/secret",
        "/file.txt%00.html",
        "/~/secret",
        "/..%252fsecret",
    ];
    for target in spellings {
        let answer = site.get(target);
        assert!(matches!(answer.status, 400 | 404), "{target} is {}", answer.status);
        assert!(!answer.text().contains("leak") && !answer.text().contains("root:"), "{target}");
    }
    assert_eq!(site.get("/dir/../file.txt").text(), "file");
    assert_eq!(site.get("http://h/dir/%2e%2E/%66ile.txt").text(), "file");
}

#[test]
fn security_links_that_leave_the_root() {
    let site = Site::new(&[("dir/inside", "inside")]);
    fs::write(site.around().join("secret"), "leak").unwrap();
    symlink("../secret", site.root().join("out")).unwrap();
    symlink("..", site.root().join("up")).unwrap();
    symlink("/etc", site.root().join("etc")).unwrap();
    symlink("dir/inside", site.root().join("in")).unwrap();
    for target in ["/out", "/up/secret", "/up/", "/etc/passwd", "/etc/", "/up"] {
        assert_eq!(site.get(target).status, 404, "{target}");
    }
    assert_eq!(site.get("/in").text(), "inside");
}

#[test]
fn security_a_sibling_with_the_roots_prefix() {
    let site = Site::new(&[]);
    fs::create_dir(site.around().join("www-evil")).unwrap();
    fs::write(site.around().join("www-evil/secret"), "leak").unwrap();
    symlink("../www-evil/secret", site.root().join("link")).unwrap();
    for target in ["/../www-evil/secret", "/-evil/secret", "/link"] {
        assert!(matches!(site.get(target).status, 400 | 404), "{target}");
    }
}

/// A link that is turned back and forth between a file inside and one outside never shows the one
/// outside.
#[test]
fn security_links_exchanged_while_they_are_opened() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let site = Site::new(&[("good/file", "good"), ("switch/file", "good")]);
    let outside = site.around().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "leak").unwrap();
    let (switch, aside) = (site.root().join("switch"), site.root().join("aside"));
    symlink("../outside", &aside).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            while !over.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(CWD, &switch, CWD, &aside, flags).unwrap();
            }
        });
        let mut seen = [0; 2];
        for _ in 0..400 {
            let answer = site.get("/switch/file");
            assert!(!answer.text().contains("leak"));
            seen[usize::from(answer.status == 200)] += 1;
        }
        over.store(true, Ordering::Relaxed);
        assert!(seen[0] > 0 && seen[1] > 0, "the link was not exchanged: {seen:?}");
    });
}

#[test]
fn security_special_files_neither_block_nor_serve() {
    let site = Site::new(&[("a", "a")]);
    let fifo = site.root().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let _socket = UnixListener::bind(site.root().join("socket")).unwrap();
    symlink("fifo", site.root().join("link")).unwrap();
    for target in ["/fifo", "/socket", "/link", "/fifo/"] {
        assert_eq!(site.get(target).status, 404, "{target}");
    }
    assert_eq!(site.get("/a").text(), "a");
}

#[test]
fn security_errors_of_the_system_to_statuses() {
    let site = Site::new(&[("file", "x")]);
    symlink("loop", site.root().join("loop")).unwrap();
    let long = format!("/{}", "n".repeat(300));
    let deep = "/d".repeat(2_000);
    for target in ["/loop", "/file/below", long.as_str(), deep.as_str()] {
        assert_eq!(site.get(target).status, 404);
    }
    for target in ["/%00", "/%", "/%g0"] {
        assert_eq!(site.get(target).status, 400, "{target}");
    }
}

#[test]
fn security_dotfiles_are_hidden_by_default() {
    let files =
        [(".git/config", "x"), (".env", "x"), ("a/.b/c", "x"), (".well-known/acme", "token")];
    let site = Site::new(&files);
    for target in ["/.git/config", "/.env", "/%2eenv", "/a/.b/c", "/.git/", "/.git"] {
        assert_eq!(site.get(target).status, 404, "{target}");
    }
    assert_eq!(site.get("/.well-known/acme").text(), "token");
    let listing = site.get("/");
    assert!(!listing.text().contains(".git") && !listing.text().contains(".env"));
    let site = Site::with(&files, |folder| folder.hidden(true));
    assert_eq!(site.get("/.env").text(), "x");
    assert!(site.get("/").text().contains(".git"));
}

#[test]
fn security_redirects_stay_on_the_host() {
    let site = Site::new(&[("evil.com/x", ""), ("dir/evil.com/x", ""), ("\\evil.com/x", "")]);
    let targets = [
        "//evil.com",
        "/dir/../evil.com",
        "///evil.com",
        "/%5cevil.com",
        "/./evil.com",
        "//dir//evil.com",
    ];
    for target in targets {
        let answer = site.get(target);
        assert_eq!(answer.status, 301, "{target}");
        let location = answer.field("Location").unwrap();
        assert!(location.starts_with('/'), "{location}");
        assert!(!location[1..].starts_with(['/', '\\']), "{location}");
    }
    assert_eq!(site.get("/dir%0d%0aX-Evil:1").status, 404);
    fs::create_dir(site.root().join("a\r\nX: y")).unwrap();
    assert_eq!(site.get("/a%0d%0aX:%20y").field("Location"), Some("/a%0D%0AX%3A%20y/"));
}

#[test]
fn names_that_are_no_utf_8_are_served() {
    let site = Site::new(&[]);
    fs::write(site.root().join(OsStr::from_bytes(b"caf\xe9.txt")), "latin").unwrap();
    assert_eq!(site.get("/caf%e9.txt").text(), "latin");
}

#[test]
fn files_that_may_not_be_read_are_forbidden() {
    let site = Site::new(&[("secret", "x"), ("dir/index.html", "index"), ("list/x", "")]);
    fs::set_permissions(site.root().join("secret"), Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(site.root().join("dir"), Permissions::from_mode(0o111)).unwrap();
    fs::set_permissions(site.root().join("list"), Permissions::from_mode(0o111)).unwrap();
    if fs::read(site.root().join("secret")).is_ok() {
        // For the superuser nothing is forbidden, and there is nothing to see here.
        assert_eq!(site.get("/secret").status, 200);
    } else {
        assert_eq!(site.get("/secret").status, 403);
        assert_eq!(site.get("/dir").status, 301);
        assert_eq!(site.get("/dir/").text(), "index");
        assert_eq!(site.get("/list/").status, 404);
    }
    fs::set_permissions(site.root().join("dir"), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(site.root().join("list"), Permissions::from_mode(0o755)).unwrap();
}
