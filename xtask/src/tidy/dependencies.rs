//! Every third-party crate that the workspace names is used, and has its line in DESIGN.md.

use super::tree::File;

pub(super) fn check(files: &[File], faults: &mut Vec<String>) {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| &*file.text);
    let (Some(root), Some(design)) = (text("Cargo.toml"), text("DESIGN.md")) else { return };
    let manifests: Vec<&str> = files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .map(|file| file.text.as_str())
        .collect();
    let named = third_party(root);
    for name in explained(design).filter(|name| !named.contains(name)) {
        faults.push(format!("DESIGN.md: the workspace has no dependency {name}"));
    }
    for name in named {
        if !explained(design).any(|explained| explained == name) {
            faults.push(format!("DESIGN.md: the dependency {name} has no line"));
        }
        if !manifests.iter().any(|manifest| uses(manifest, name)) {
            faults.push(format!("Cargo.toml: no crate uses the dependency {name}"));
        }
    }
}

/// The names in the first column of the table of dependencies; a note may follow a name.
fn explained(design: &str) -> impl Iterator<Item = &str> {
    design
        .lines()
        .skip_while(|line| *line != "## Dependencies")
        .filter_map(|line| line.strip_prefix("| "))
        .skip(1)
        .filter_map(|row| row.split(" |").next())
        .flat_map(|names| names.split(", "))
        .filter_map(|name| name.split(' ').next())
}

/// The names in `[workspace.dependencies]` that are not crates of the workspace.
fn third_party(root: &str) -> Vec<&str> {
    root.lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = "))
        .filter(|(_, value)| !value.contains("path = \""))
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with('#'))
        .collect()
}

fn uses(manifest: &str, name: &str) -> bool {
    manifest.lines().any(|line| {
        line.strip_prefix(name).is_some_and(|rest| {
            rest.starts_with(".workspace")
                || (rest.starts_with(" = {") && rest.contains("workspace = true"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unused_and_an_unexplained_dependency_are_found() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [
            file(
                "Cargo.toml",
                "[workspace.dependencies]\n# Some.\na-b = \"1\"\nc = { version = \"1\" }\n\
                 own = { path = \"crates/own\" }\nd = \"1\"\n\n[profile.release]\nlto = \"fat\"\n",
            ),
            file(
                "DESIGN.md",
                "## Dependencies\n\n| crate | why |\n|---|---|\n| a-b, d | why |\n\
                 | e with f | why |\nc stands in prose\n",
            ),
            file("crates/x/Cargo.toml", "a-b.workspace = true\nc = { workspace = true }\n"),
        ];
        let mut faults = Vec::new();
        check(&files, &mut faults);
        assert_eq!(
            faults,
            [
                "DESIGN.md: the workspace has no dependency e",
                "DESIGN.md: the dependency c has no line",
                "Cargo.toml: no crate uses the dependency d",
            ]
        );
    }
}
