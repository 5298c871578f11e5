//! The rules, each a function from a text to faults.

use super::tree::File;

/// The most lines of a file, its tests not counted: nobody holds more in the head.
const LINES: usize = 600;
/// The most lines of a file with its tests.
const LINES_WITH_TESTS: usize = 900;

/// Documents that stand at the top.
const DOCUMENTS: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "ARCHITECTURE.md",
    "DESIGN.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "deny.toml",
    "rustfmt.toml",
];

/// Words that must not stand in a source file, and why. They are written in two pieces here so that
/// this file does not offend against itself.
const WORDS: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "finish it or leave it out"),
    (concat!("FIX", "ME"), "fix it"),
    (concat!("XX", "X"), "say what is meant"),
    (concat!("todo", "!("), "finish it or leave it out"),
    (concat!("unimplemented", "!("), "finish it or leave it out"),
    (concat!("dbg", "!("), "left over from a hunt"),
    (concat!("#[al", "low("), "use #[expect(lint, reason = \"...\")]"),
    (concat!("#![al", "low("), "use #![expect(lint, reason = \"...\")]"),
    (concat!("#[ign", "ore]"), "a test that does not run tests nothing"),
];

/// Paths of one person's machine.
const PRIVATE: &[&str] = &[concat!("/wo", "rk/"), concat!("/Us", "ers/")];

/// The crate attribute without which a crate root is not complete.
const FORBID: &str = concat!("#![forbid(un", "safe_code)]");
const KEYWORD: &str = concat!("un", "safe");

/// Checks one file alone.
pub(super) fn check(file: &File, faults: &mut Vec<String>) {
    let path = &file.path;
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        faults.push(format!("{path}: the last line has no end"));
    }
    for (number, line) in file.text.lines().enumerate() {
        let at = format!("{path}:{}", number + 1);
        if line.ends_with([' ', '\t', '\r']) {
            faults.push(format!("{at}: white space at the end of the line"));
        }
        if let Some(word) = PRIVATE.iter().find(|word| line.contains(**word)) {
            faults.push(format!("{at}: {word} is a path of one machine"));
        }
        if path.ends_with(".rs") {
            check_line(&at, line, faults);
        }
    }
    if path.ends_with(".rs") {
        check_length(file, faults);
        if is_crate_root(path) && !file.text.contains(FORBID) {
            faults.push(format!("{path}: a crate root needs {FORBID}"));
        }
    }
    if path.ends_with(".md") {
        // A table or a sentence of a document may be long; what it points at must be there.
        check_fences(file, faults);
    }
}

/// Checks what must be there, given all files.
pub(super) fn check_presence(files: &[File], faults: &mut Vec<String>) {
    let has = |path: &str| files.iter().any(|file| file.path == path);
    for document in DOCUMENTS {
        if !has(document) {
            faults.push(format!("{document} is missing"));
        }
    }
    for file in files {
        let Some(folder) = file.path.strip_suffix("/Cargo.toml") else { continue };
        if folder.starts_with("crates/") && !has(&format!("{folder}/README.md")) {
            faults.push(format!("{folder}: a crate needs a README.md"));
        }
        if folder.starts_with("crates/") && !file.text.contains("[lints]\nworkspace = true") {
            faults.push(format!("{}: a crate takes the lints of the workspace", file.path));
        }
    }
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        for target in links(&file.text) {
            let path = joined(&file.path, target);
            if !has(&path)
                && !files.iter().any(|other| other.path.starts_with(&format!("{path}/")))
                && !path.starts_with("LICENSE-")
            {
                faults.push(format!("{}: the link to {target} leads nowhere", file.path));
            }
        }
    }
}

fn check_line(at: &str, line: &str, faults: &mut Vec<String>) {
    for (word, advice) in WORDS {
        if contains_word(line, word) {
            faults.push(format!("{at}: {word}: {advice}"));
        }
    }
    let code = line.split("//").next().unwrap_or(line);
    if contains_word(code, KEYWORD) {
        faults.push(format!("{at}: the keyword {KEYWORD} is not used here"));
    }
}

fn check_length(file: &File, faults: &mut Vec<String>) {
    let all = file.text.lines().count();
    let before_tests =
        file.text.lines().position(|line| line.starts_with("mod tests {")).unwrap_or(all);
    let path = &file.path;
    // A file of tests alone is a list of cases; its own length is not what makes it hard to read.
    let bound = if path.contains("tests/") { LINES_WITH_TESTS } else { LINES };
    if before_tests > bound {
        faults.push(format!("{path}: {before_tests} lines without tests, more than {bound}"));
    }
    if all > LINES_WITH_TESTS {
        faults.push(format!("{path}: {all} lines, more than {LINES_WITH_TESTS}"));
    }
}

/// A code block of a document that is opened is closed too.
fn check_fences(file: &File, faults: &mut Vec<String>) {
    if file.text.lines().filter(|line| line.trim_start().starts_with("```")).count() % 2 == 1 {
        faults.push(format!("{}: a code block is not closed", file.path));
    }
}

fn is_crate_root(path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let in_src = folder == "src" || folder.ends_with("/src");
    (in_src && (name == "lib.rs" || name == "main.rs"))
        || folder.ends_with("src/bin")
        || folder.ends_with("/examples")
}

/// Whether `word` stands in `line` with no letter, digit or underscore glued to its ends.
fn contains_word(line: &str, word: &str) -> bool {
    let glued = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let opens = word.ends_with('(');
    line.match_indices(word).any(|(at, _)| {
        let bytes = line.as_bytes();
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !glued(before) && (opens || !glued(bytes.get(at + word.len())))
    })
}

/// The targets of links inside the project: `[text](path)`, without a fragment.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("](") {
        let rest = &text[at + 2..];
        let Some(end) = rest.find([')', '\n']) else { continue };
        let target = rest[..end].split('#').next().unwrap_or_default();
        if !target.is_empty() && !target.contains("://") && rest[end..].starts_with(')') {
            found.push(target);
        }
    }
    found
}

/// `target` as seen from the folder of `document`, from the top.
fn joined(document: &str, target: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        check(&File { path: path.to_owned(), text: text.to_owned() }, &mut faults);
        faults
    }

    #[test]
    fn a_clean_file_has_no_fault() {
        assert_eq!(faults("crates/a/src/b.rs", "// A comment.\nfn b() {}\n"), [""; 0]);
        assert_eq!(faults("crates/a/src/lib.rs", &format!("{FORBID}\n")), [""; 0]);
    }

    #[test]
    fn words_are_found_whole_only() {
        let line = format!("fn a() {{ {}x) }}\n", concat!("dbg", "!("));
        assert_eq!(faults("a/src/b.rs", &line).len(), 1);
        assert_eq!(faults("a/src/b.rs", &format!("{KEYWORD} {{}}\n")).len(), 1);
        assert_eq!(faults("a/src/b.rs", &format!("// {KEYWORD}\n{KEYWORD}_code\n")), [""; 0]);
        assert_eq!(faults("a/src/b.rs", &format!("// {}\n", concat!("TO", "DO"))).len(), 1);
    }

    #[test]
    fn a_crate_root_without_the_attribute_is_a_fault() {
        for path in ["crates/a/src/lib.rs", "xtask/src/main.rs", "benches/src/bin/a.rs"] {
            assert_eq!(faults(path, "//! Docs.\n").len(), 1, "{path}");
        }
    }

    #[test]
    fn long_files_are_faults() {
        let long = "x\n".repeat(LINES + 1);
        assert_eq!(faults("a/src/b.rs", &long).len(), 1);
        let tested = format!("{}mod tests {{\n{}", "x\n".repeat(10), "x\n".repeat(LINES));
        assert_eq!(faults("a/src/b.rs", &tested), [""; 0]);
    }

    #[test]
    fn white_space_private_paths_and_open_blocks_are_faults() {
        assert_eq!(faults("a.md", "a \n").len(), 1);
        assert_eq!(faults("a.md", "a").len(), 1);
        assert_eq!(faults("a.md", &format!("see {}x\n", PRIVATE[0])).len(), 1);
        assert_eq!(faults("a.md", "```\na\n").len(), 1);
    }

    #[test]
    fn links_are_followed() {
        let text = "[a](../b.md#part), [c](https://example.org/) and [d](./e/f.md)";
        assert_eq!(links(text), ["../b.md", "./e/f.md"]);
        assert_eq!(joined("docs/a.md", "../b.md"), "b.md");
        assert_eq!(joined("docs/a.md", "./e/f.md"), "docs/e/f.md");
        let mut found = Vec::new();
        let file = File { path: "docs/a.md".to_owned(), text: text.to_owned() };
        check_presence(&[file], &mut found);
        assert_eq!(found.iter().filter(|fault| fault.contains("leads nowhere")).count(), 2);
    }
}
