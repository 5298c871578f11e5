//! The texts that belong to the project.

use std::path::Path;

/// A text of the project.
pub(super) struct File {
    /// Its path from the top, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// Folders whose content is built, fetched or data that must keep the bytes it has.
const LEFT_OUT: &[&str] =
    &["target", ".git", "corpus", "artifacts", "coverage", "proptest-regressions"];

/// Endings of the files that people write here.
const ENDINGS: &[&str] = &["rs", "md", "toml", "sh", "yml", "yaml"];

pub(super) fn files(root: &Path) -> Result<Vec<File>, String> {
    let mut found = Vec::new();
    walk(root, "", &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            if !LEFT_OUT.contains(&name.as_str()) {
                walk(&entry.path(), &format!("{path}/"), found)?;
            }
            continue;
        }
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        let is_ours = ending.is_some_and(|ending| ENDINGS.contains(&ending));
        if kind.is_file() && (is_ours || path == ".ci/run") {
            let text = std::fs::read_to_string(entry.path())
                .map_err(|error| format!("cannot read {path}: {error}"))?;
            found.push(File { path, text });
        }
    }
    Ok(())
}
