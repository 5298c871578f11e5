//! `cargo xtask dist`: what is handed to people who want the program and not its source.

use std::path::Path;
use std::process::Command;

use crate::args::Args;
use crate::{Outcome, shell};

/// What goes beside the program.
const DOCUMENTS: &[&str] = &["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Shells, and the names that their completions have where they look for them.
const SHELLS: &[(&str, &str)] = &[
    ("bash", "avocet"),
    ("zsh", "_avocet"),
    ("fish", "avocet.fish"),
    ("powershell", "avocet.ps1"),
    ("elvish", "avocet.elv"),
];

pub(crate) fn run(args: &mut Args) -> Outcome {
    args.finish()?;
    // The symbols are left out while linking, so no `strip` program is needed.
    shell::run(
        shell::cargo()
            .args(["build", "--release", "--locked", "--package", "avocet-cli"])
            .env("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
    )?;
    let version = version()?;
    let name = format!("avocet-{version}-{}", host()?);
    let target = shell::target_dir();
    let folder = target.join("dist").join(&name);
    clear(&folder)?;
    copy(&target.join("release/avocet"), &folder.join("avocet"))?;
    for document in DOCUMENTS {
        copy(&shell::root().join(document), &folder.join(document))?;
    }
    handbook(&folder)?;
    let archive = target.join("dist").join(format!("{name}.tar.gz"));
    // Fixed names, order and time make the archive the same whoever builds it.
    shell::run(
        Command::new("tar")
            .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"])
            .args(["--use-compress-program=gzip -n -9", "-cf"])
            .arg(&archive)
            .arg("-C")
            .arg(target.join("dist"))
            .arg(&name),
    )?;
    shell::run(Command::new("sha256sum").arg(&archive))?;
    let bytes = |path: &Path| path.metadata().map_or(0, |data| data.len());
    println!("program {} bytes, archive {} bytes", bytes(&folder.join("avocet")), bytes(&archive));
    Ok(())
}

/// Manual pages and completions, which the program makes of its own arguments.
fn handbook(folder: &Path) -> Outcome {
    let program = folder.join("avocet");
    shell::run(Command::new(&program).arg("man").arg(folder.join("man/man1")))?;
    let completions = folder.join("completions");
    clear(&completions)?;
    for (shell, file) in SHELLS {
        let text = shell::read_quietly(Command::new(&program).args(["completions", shell]))?;
        let path = completions.join(file);
        std::fs::write(&path, text)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

/// The version of the program as cargo understands it.
fn version() -> Result<String, String> {
    let id = shell::read_quietly(shell::cargo().args(["pkgid", "--package", "avocet-cli"]))?;
    let version = id.trim().rsplit(['#', '@']).next().unwrap_or_default();
    if version.is_empty() { Err(format!("no version in {id:?}")) } else { Ok(version.to_owned()) }
}

fn host() -> Result<String, String> {
    let text = shell::read_quietly(Command::new("rustc").arg("-vV"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| "rustc names no host".to_owned())
}

fn clear(folder: &Path) -> Outcome {
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))
}

fn copy(from: &Path, to: &Path) -> Outcome {
    std::fs::copy(from, to)
        .map(drop)
        .map_err(|error| format!("cannot copy {}: {error}", from.display()))
}
