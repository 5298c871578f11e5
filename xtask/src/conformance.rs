//! `cargo xtask conformance [SUITE]`: the suites are the test targets of `avocet-tests` whose names
//! start with `conformance_`.

use std::path::Path;

use crate::args::Args;
use crate::{Outcome, shell};

const PREFIX: &str = "conformance_";

pub(crate) fn run(args: &mut Args) -> Outcome {
    let wanted = args.positional();
    args.finish()?;
    let suites = suites(&shell::root().join("tests/tests"))?;
    let chosen: Vec<&String> = match &wanted {
        None => suites.iter().collect(),
        Some(name) => suites.iter().filter(|suite| *suite == name).collect(),
    };
    if chosen.is_empty() {
        let known = if suites.is_empty() { "none".to_owned() } else { suites.join(", ") };
        return Err(format!(
            "no conformance suite {}(there are: {known})",
            wanted.map(|name| format!("is called {name:?} ")).unwrap_or_default()
        ));
    }
    let mut command = shell::cargo();
    command.args(["test", "--package", "avocet-tests"]);
    for suite in chosen {
        command.args(["--test", &format!("{PREFIX}{suite}")]);
    }
    shell::run(&mut command)
}

/// The names of the suites below `folder`, without their prefix, sorted.
fn suites(folder: &Path) -> Result<Vec<String>, String> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        let path = entry.path();
        let is_target = path.extension().is_some_and(|extension| extension == "rs")
            || path.join("main.rs").exists();
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if let Some(name) = stem.strip_prefix(PREFIX)
            && is_target
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
