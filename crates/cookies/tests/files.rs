//! Cookie files: those that curl, wget and Python write, every cookie there and back, and what
//! happens to files that are none.

#![expect(clippy::unwrap_used, reason = "broken test data should fail where it shows")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use avocet_cookies::{
    Context, Cookie, ErrorKind, Fault, Format, Jar, JarFile, Refusal, SameSite, SharedJar,
};
use url::Url;

const FORMATS: [Format; 3] = [Format::Netscape, Format::Lwp, Format::Json];

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn cookie(name: &str, value: &str) -> Cookie {
    Cookie::builder(name, value, "example.com").build(now()).unwrap()
}

/// A new folder with a file of this name and text in it.
fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn load(path: &Path) -> Jar {
    let mut jar = Jar::new();
    JarFile::new(path).load(&mut jar, now()).unwrap();
    jar
}

fn header(jar: &mut Jar, url: &str) -> String {
    let sent = jar.header_for(&Url::parse(url).unwrap(), &Context::new(), now());
    String::from_utf8(sent.unwrap_or_default()).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The files in `tests/fixtures` were written by curl 7.88.1, Wget 1.21.3 and Python 3.11 after
/// one response that set these cookies.
#[test]
fn files_of_curl_and_python() {
    for (name, order) in [
        ("curl.txt", "ho=3; samesite=1; empty=; q=\"x y\"; dom=2; pers=1; sess=plain"),
        ("python_mozilla.txt", "ho=3; sess=plain; pers=1; q=\"x y\"; empty=; samesite=1; dom=2"),
        ("python_lwp.txt", "ho=3; sess=plain; pers=1; q=\"x y\"; empty=; samesite=1; dom=2"),
    ] {
        let mut jar = load(&fixture(name));
        assert_eq!(header(&mut jar, "http://www.example.com/deep/x"), order, "{name}");
        assert_eq!(header(&mut jar, "http://other.example.com/"), "dom=2", "{name}");
        let by_name = |name: &[u8]| jar.iter().find(|cookie| cookie.name() == name).unwrap();
        assert_eq!(by_name(b"dom").expires_seconds(), Some(2_000_000_000), "{name}");
        assert!(by_name(b"sess").expires().is_none(), "{name}");
        if name == "python_lwp.txt" {
            assert_eq!(by_name(b"samesite").same_site(), SameSite::Lax);
            assert!(by_name(b"ho").is_http_only());
        }
        // Python knows localhost as localhost.local.
        if name != "curl.txt" {
            assert_eq!(
                header(&mut jar, "http://localhost/"),
                "sess=plain; pers=1; q=\"x y\"; empty=; samesite=1"
            );
        }
    }
}

#[test]
fn files_of_wget() {
    let mut jar = load(&fixture("wget.txt"));
    let all = "samesite=1; empty=; q=\"x y\"; pers=1; sess=plain";
    assert_eq!(header(&mut jar, "http://127.0.0.1/"), all);
}

#[test]
fn python_writes_the_same_in_both_formats() {
    let path = format!("{}/tests/data/cookie_files.json", env!("CARGO_MANIFEST_DIR"));
    let data: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let text = |index: usize| data["cases"][index]["text"].as_str().unwrap().as_bytes();
    let (mozilla, lwp) = (text(0), text(1));
    let from_mozilla = Format::Netscape.read(mozilla, now()).unwrap();
    let from_lwp = Format::Lwp.read(lwp, now()).unwrap();
    assert_eq!(from_mozilla.cookies.len(), 3);
    assert!(from_mozilla.refused.is_empty() && from_lwp.refused.is_empty());
    // Only LWP says that the first one is HttpOnly; otherwise the two are the same jar.
    let without_http_only = String::from_utf8_lossy(lwp).replace(" HttpOnly=None;", "");
    for (reading, want) in
        [(&from_mozilla, without_http_only.into()), (&from_lwp, String::from_utf8_lossy(lwp))]
    {
        let mut out = Vec::new();
        Format::Lwp.write(&reading.cookies, &[], &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}

#[test]
fn tab_or_newline_never_forges_a_line() {
    let mut jar = Jar::new();
    let url = Url::parse("http://example.com/").unwrap();
    let forged = "example.org\tTRUE\t/\tFALSE\t2000000000\tevil\t1";
    for line in [
        format!("a=x\n{forged}"),
        format!("a=x\r{forged}"),
        format!("a=1; Path=/\n{forged}"),
        format!("a\n{forged}=1"),
    ] {
        let verdict = jar.set(&url, line.as_bytes(), &Context::new(), now());
        assert_eq!(verdict, Err(Refusal::ControlOctet));
        assert_eq!(
            Cookie::builder("a", line.as_str(), "example.com").build(now()),
            Err(Refusal::ControlOctet)
        );
    }
    // A tab is allowed in a value; it must not become the end of a field.
    jar.set(&url, format!("a=x\t{forged}").as_bytes(), &Context::new(), now()).unwrap();
    jar.set(&url, b"t\tab=1; Path=/\t/x", &Context::new(), now()).unwrap();
    let before: Vec<Cookie> = jar.in_order().into_iter().cloned().collect();
    for format in FORMATS {
        let mut out = Vec::new();
        format.write(&before, &[], &mut out).unwrap();
        let reading = format.read(&out, now()).unwrap();
        assert!(reading.refused.is_empty());
        let pairs = |cookies: &[Cookie]| -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
            let parts = |cookie: &Cookie| {
                (cookie.name().to_vec(), cookie.value().to_vec(), cookie.path().to_vec())
            };
            cookies.iter().map(parts).collect()
        };
        assert_eq!(pairs(&reading.cookies), pairs(&before), "{format:?}");
        if format == Format::Netscape {
            let lines = String::from_utf8(out).unwrap();
            assert!(lines.lines().all(|line| line.is_empty() || line.starts_with('#')), "{lines}");
        }
    }
}

#[test]
fn unknown_lines_are_kept() {
    let text = "# Netscape HTTP Cookie File\n# my note\nexample.com\tFALSE\t/\tFALSE\t0\ta\t1\n\
                not a cookie\n.co.uk\tTRUE\t/\tFALSE\t2000000000\tsuper\t1\n";
    let (_folder, path) = file("jar", text);
    let mut jar = Jar::new();
    let mut jar_file = JarFile::new(&path);
    let loaded = jar_file.load(&mut jar, now()).unwrap();
    assert_eq!(loaded.refused, [(4, Fault::Syntax), (5, Fault::Refused(Refusal::PublicSuffix))]);
    assert_eq!(jar.len(), 1);
    jar_file.save(&mut jar, now()).unwrap();
    let after = fs::read_to_string(&path).unwrap();
    for line in ["# my note", "not a cookie", ".co.uk\tTRUE\t/\tFALSE\t2000000000\tsuper\t1"] {
        assert_eq!(after.lines().filter(|held| *held == line).count(), 1, "{line}: {after}");
    }
    // Once more, and nothing piles up.
    jar_file.save(&mut jar, now()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), after);
}

#[test]
fn foreign_files_are_an_error_and_stay_as_they_are() {
    for (name, text) in [
        ("jar", "dear diary\n"),
        ("jar", "a,b,c\n1,2,3\n"),
        ("jar", "# only a comment\n"),
        ("jar", "\u{0}\u{1}\u{2}"),
        ("jar", "SQLite format 3\u{0}rest"),
        ("jar.json", "{\"name\": 1}"),
        ("jar.json", "[1, 2]"),
        ("jar.json", "[{\"name\":\"a\"}"),
        ("jar.json", "\"text\""),
    ] {
        let (folder, path) = file(name, text);
        let mut jar = Jar::new();
        jar.insert(cookie("a", "1"), now()).unwrap();
        let mut jar_file = JarFile::new(&path);
        for error in [
            jar_file.load(&mut jar, now()).map(|_| ()).unwrap_err(),
            jar_file.revert(&mut jar, now()).map(|_| ()).unwrap_err(),
            jar_file.save(&mut jar, now()).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Foreign, "{text:?}");
            assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), text.as_bytes());
        assert_eq!(jar.len(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}

#[test]
fn things_that_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut jar = Jar::new();
    let kind = |error: avocet_cookies::Error| error.kind();
    let mut named = JarFile::new(folder.path());
    assert_eq!(named.load(&mut jar, now()).map_err(kind), Err(ErrorKind::NotRegular));
    assert_eq!(named.save(&mut jar, now()).map_err(kind), Err(ErrorKind::NotRegular));
    let mut absent = JarFile::new(folder.path().join("no/such/jar"));
    assert_eq!(absent.load(&mut jar, now()).map_err(kind), Err(ErrorKind::NotFound));
    assert_eq!(absent.save(&mut jar, now()).map_err(kind), Err(ErrorKind::NotFound));
    assert_eq!(absent.load_if_there(&mut jar, now()).unwrap().cookies, 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn devices_can_be_read_but_not_replaced() {
    let mut jar = Jar::new();
    let mut null = JarFile::new("/dev/null");
    assert_eq!(null.load(&mut jar, now()).unwrap().cookies, 0);
    assert_eq!(null.save(&mut jar, now()).unwrap_err().kind(), ErrorKind::NotRegular);
}

#[test]
fn jar_file_named_none_is_a_file_like_any() {
    // CVE-2023-38546 of curl: a copied handle loaded cookies from a file called "none".
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("none"),
        "# Netscape HTTP Cookie File\nexample.com\tFALSE\t/\tFALSE\t0\ta\t1\n",
    )
    .unwrap();
    let original = JarFile::new(folder.path().join("jar"));
    let mut copy = original.clone();
    assert_eq!(copy.path(), original.path());
    let mut jar = Jar::new();
    copy.load_if_there(&mut jar, now()).unwrap();
    assert!(jar.is_empty());
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, path) = file("jar", "");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    for path in [path, folder.path().join("new")] {
        JarFile::new(&path).save(&mut Jar::new(), now()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn links_stay_links() {
    let (folder, path) = file("jar", "");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut jar = Jar::new();
    jar.insert(cookie("a", "1"), now()).unwrap();
    JarFile::new(&link).save(&mut jar, now()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(load(&path).len(), 1);
}

#[test]
fn parallel_savers_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jar");
    std::thread::scope(|scope| {
        for saver in 0..6 {
            let path = &path;
            scope.spawn(move || {
                let mut jar = Jar::new();
                let mut jar_file = JarFile::new(path);
                for round in 0..10 {
                    jar.insert(cookie(&format!("c{saver}_{round}"), "1"), now()).unwrap();
                    jar_file.save(&mut jar, now()).unwrap();
                }
            });
        }
    });
    assert_eq!(load(&path).len(), 60);
}

#[test]
fn what_others_saved_comes_in_and_what_they_removed_goes() {
    let (_folder, path) = file("jar", "");
    let (mut one, mut two) = (Jar::new(), Jar::new());
    let (mut file_one, mut file_two) = (JarFile::new(&path), JarFile::new(&path));
    for name in ["a", "b"] {
        one.insert(cookie(name, "1"), now()).unwrap();
    }
    file_one.save(&mut one, now()).unwrap();
    file_two.load(&mut two, now()).unwrap();
    two.remove("example.com", b"/", b"a");
    two.insert(cookie("b", "2"), now()).unwrap();
    file_two.save(&mut two, now()).unwrap();
    one.insert(cookie("c", "3"), now()).unwrap();
    file_one.save(&mut one, now()).unwrap();
    for mut jar in [one, load(&path)] {
        assert_eq!(header(&mut jar, "http://example.com/"), "b=2; c=3");
    }
}

#[test]
fn revert_starts_over_and_session_cookies_stay_out_on_request() {
    let (_folder, path) = file("jar", "");
    let mut jar = Jar::new();
    jar.insert(cookie("session", "1"), now()).unwrap();
    let lasting = Cookie::builder("lasting", "1", "example.com");
    let lasting = lasting.expires(now() + Duration::from_secs(60)).build(now()).unwrap();
    jar.insert(lasting, now()).unwrap();
    let mut jar_file = JarFile::new(&path).with_session_cookies(false);
    jar_file.save(&mut jar, now()).unwrap();
    assert_eq!(jar.len(), 2);
    assert_eq!(load(&path).len(), 1);
    jar_file.revert(&mut jar, now()).unwrap();
    assert_eq!(header(&mut jar, "http://example.com/"), "lasting=1");
    let later = now() + Duration::from_secs(61);
    let loaded = jar_file.revert(&mut jar, later).unwrap();
    assert_eq!((loaded.expired, jar.len()), (1, 0));
}

#[test]
fn a_file_keeps_its_format_unless_told() {
    let folder = tempfile::tempdir().unwrap();
    for (name, format) in
        [("a.txt", Format::Netscape), ("a.lwp", Format::Lwp), ("a.json", Format::Json)]
    {
        let path = folder.path().join(name);
        let mut jar = Jar::new();
        jar.insert(cookie("a", "1"), now()).unwrap();
        JarFile::new(&path).save(&mut jar, now()).unwrap();
        assert_eq!(Format::detect(&fs::read(&path).unwrap()), format);
        let renamed = folder.path().join("renamed.json");
        fs::rename(&path, &renamed).unwrap();
        JarFile::new(&renamed).save(&mut jar, now()).unwrap();
        assert_eq!(Format::detect(&fs::read(&renamed).unwrap()), format);
        JarFile::new(&renamed).with_format(Format::Lwp).save(&mut jar, now()).unwrap();
        assert_eq!(Format::detect(&fs::read(&renamed).unwrap()), Format::Lwp);
        assert_eq!(load(&renamed).len(), 1);
    }
}

#[test]
fn playwright_state_is_read_and_not_overwritten() {
    let text = r#"{"cookies":[{"name":"a","value":"1","domain":".example.com","path":"/",
        "expires":-1,"httpOnly":true,"secure":true,"sameSite":"Strict"},{"name":"b","value":"2",
        "domain":"www.example.com","path":"/","expires":1900000000.5,"httpOnly":false,
        "secure":false,"sameSite":"Lax"}],"origins":[{"origin":"https://example.com"}]}"#;
    let (_folder, path) = file("state.json", text);
    let mut jar = load(&path);
    assert_eq!(header(&mut jar, "https://www.example.com/"), "a=1; b=2");
    let error = JarFile::new(&path).save(&mut jar, now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_full_jar_leaves_the_rest_in_the_file() {
    let mut text = "# Netscape HTTP Cookie File\n".to_owned();
    for index in 0..250 {
        text += &format!("example.com\tFALSE\t/\tFALSE\t2000000000\tc{index}\t1\n");
    }
    let (_folder, path) = file("jar", &text);
    let mut jar = Jar::new();
    let mut jar_file = JarFile::new(&path);
    let loaded = jar_file.load(&mut jar, now()).unwrap();
    assert_eq!((loaded.cookies, loaded.no_room, jar.len()), (180, 70, 180));
    jar_file.save(&mut jar, now()).unwrap();
    let reading = Format::Netscape.read(&fs::read(&path).unwrap(), now()).unwrap();
    assert_eq!(reading.cookies.len(), 250);
}

#[test]
fn shared_jars_are_saved_without_losing_what_happens_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jar");
    let shared = SharedJar::default();
    let url = Url::parse("http://example.com/").unwrap();
    std::thread::scope(|scope| {
        let setter = scope.spawn(|| {
            for index in 0..100 {
                let line = format!("c{index}=1");
                shared.store(&url, [line.as_bytes()], &Context::new(), now());
            }
        });
        let mut jar_file = JarFile::new(&path);
        while !setter.is_finished() {
            jar_file.save_shared(&shared, now()).unwrap();
        }
        jar_file.save_shared(&shared, now()).unwrap();
    });
    assert_eq!(shared.with(|jar| jar.len()), 100);
    assert_eq!(load(&path).len(), 100);
    let again = SharedJar::default();
    assert_eq!(JarFile::new(&path).load_shared(&again, now()).unwrap().cookies, 100);
}
