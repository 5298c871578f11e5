//! Which file a path names.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::memory::{Memory, Reply};

/// A folder with files of all kinds, and something beside it that must never be sent.
pub(crate) struct Tree {
    root: PathBuf,
    memory: Memory,
}

impl Tree {
    pub(crate) fn new(around: &Path) -> Self {
        let root = around.join("www");
        fs::create_dir_all(root.join("a/b")).expect("a folder can be made");
        fs::create_dir_all(root.join("c d")).expect("a folder can be made");
        fs::create_dir_all(root.join(".h")).expect("a folder can be made");
        fs::create_dir_all(around.join("www-evil")).expect("a folder can be made");
        let names: [&[u8]; 14] = [
            b"f",
            b"a/f",
            b"a/b/f",
            b"a/index.html",
            b"c d/f",
            b".h/f",
            b".f",
            b"%66",
            b"a/\xff",
            b"...",
            b"..f",
            b"a\\f",
            b"a/.f",
            b"a/b/index.htm",
        ];
        for name in names {
            let content = [b"content of ", name].concat();
            fs::write(root.join(OsStr::from_bytes(name)), content).expect("a file can be made");
        }
        fs::write(around.join("secret"), SECRET).expect("a file can be made");
        fs::write(around.join("www-evil/f"), SECRET).expect("a file can be made");
        let links = [
            ("in", "a/f"),
            ("up", "../secret"),
            ("far", "/etc/passwd"),
            ("a/out", "../../www-evil/f"),
            ("around", "../www/f"),
            ("dir", "a/b"),
            ("turn", "turn"),
            ("a/b/top", "../../f"),
        ];
        for (name, target) in links {
            symlink(target, root.join(name)).expect("a link can be made");
        }
        let memory = Memory::new(&root);
        Self { root, memory }
    }

    /// Asks for a path and compares the answer with what the path means.
    pub(crate) fn check(&mut self, path: &str) {
        let reply = self.memory.ask("GET", path, b"");
        let holds = |secret: &[u8]| reply.content.windows(secret.len()).any(|part| part == secret);
        assert!(!holds(SECRET) && !holds(b"root:"), "{path} leaks");
        match self.meaning(path) {
            Meaning::File(content) => {
                assert_eq!((reply.status, &reply.content), (200, &content), "{path}");
            }
            Meaning::Folder(location) => {
                assert_eq!(
                    (reply.status, reply.field("location")),
                    (301, Some(&*location)),
                    "{path}"
                );
            }
            Meaning::Nothing => assert_eq!(reply.status, 404, "{path}"),
            Meaning::NoPath if path.to_ascii_lowercase().contains("%2f") => {
                // It is wrong in two ways, and either answer is right.
                assert!(matches!(reply.status, 400 | 404), "{path}");
            }
            Meaning::NoPath => assert_eq!(reply.status, 400, "{path}"),
        }
        self.check_head(path, &reply);
    }

    fn check_head(&mut self, path: &str, reply: &Reply) {
        let head = self.memory.ask("HEAD", path, b"");
        assert_eq!((head.status, &head.fields), (reply.status, &reply.fields), "{path}");
        assert!(head.content.is_empty());
    }

    /// What the path means, with the help of the standard library.
    fn meaning(&self, path: &str) -> Meaning {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut has_separator = false;
        let mut ends_in_slash = true;
        for segment in path[1..].split('/') {
            let Some(name) = decoded(segment) else { return Meaning::NoPath };
            has_separator |= name.contains(&b'/');
            ends_in_slash = false;
            match name.as_slice() {
                b"" | b"." => ends_in_slash = true,
                b".." => {
                    ends_in_slash = true;
                    if names.pop().is_none() {
                        return Meaning::NoPath;
                    }
                }
                _ => names.push(name),
            }
        }
        if has_separator || names.iter().any(|name| name.starts_with(b".")) {
            return Meaning::Nothing;
        }
        let mut found = self.root.clone();
        found.extend(names.iter().map(|name| OsStr::from_bytes(name)));
        if !ends_in_slash {
            return match self.inside(&found) {
                Some(real) if real.is_dir() => Meaning::Folder(url(&names)),
                Some(real) => Meaning::File(fs::read(real).expect("it was just there")),
                None => Meaning::Nothing,
            };
        }
        let index = ["index.html", "index.htm"].map(|name| self.inside(&found.join(name)));
        match index.into_iter().flatten().find(|real| real.is_file()) {
            Some(real) => Meaning::File(fs::read(real).expect("it was just there")),
            None => Meaning::Nothing,
        }
    }

    /// The real path, if every link on the way leads on inside the root.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let relative = path.strip_prefix(&self.root).ok()?;
        let mut real = self.root.clone();
        let mut ahead: Vec<Vec<u8>> =
            relative.components().rev().map(|part| part.as_os_str().as_bytes().to_vec()).collect();
        let mut links = 0;
        while let Some(name) = ahead.pop() {
            if name == b".." {
                if real == self.root {
                    return None;
                }
                real.pop();
                continue;
            }
            real.push(OsStr::from_bytes(&name));
            if let Ok(target) = fs::read_link(&real) {
                links += 1;
                if links > 40 || target.is_absolute() {
                    return None;
                }
                real.pop();
                let parts = target.components().rev();
                ahead.extend(parts.map(|part| part.as_os_str().as_bytes().to_vec()));
            }
        }
        real.exists().then_some(real)
    }
}

enum Meaning {
    File(Vec<u8>),
    /// With the place to which a client is sent.
    Folder(String),
    Nothing,
    NoPath,
}

/// One segment, decoded; `None` for a broken escape or a NUL.
fn decoded(segment: &str) -> Option<Vec<u8>> {
    let mut parts = segment.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte == 0 {
            return None;
        }
        bytes.push(byte);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    Some(bytes)
}

fn url(names: &[Vec<u8>]) -> String {
    let mut url = String::from("/");
    for name in names {
        for &byte in name {
            let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            url += &if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        }
        url.push('/');
    }
    url
}

const SECRET: &[u8] = b"what nobody may read";
