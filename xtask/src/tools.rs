//! Programs that a task needs beside the toolchain: found, or installed, or the task fails.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, shell};

/// A program from crates.io at the one version that the tasks were tried with.
pub(crate) struct Tool {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
}

pub(crate) const CARGO_DENY: Tool = Tool { package: "cargo-deny", version: "0.20.2" };
pub(crate) const CARGO_FUZZ: Tool = Tool { package: "cargo-fuzz", version: "0.13.1" };

impl Tool {
    /// The path of the program; it is built once per machine, below cargo's home, so that neither
    /// the user's own `~/.cargo/bin` is touched nor a fresh clone pays for it again.
    ///
    /// The build is unoptimized: it takes a third of the time, and none of these programs works long.
    pub(crate) fn path(&self) -> Result<PathBuf, String> {
        let folder = cache()?.join(format!("{}-{}", self.package, self.version));
        let program = folder.join("bin").join(self.package);
        if shell::present(&program) {
            return Ok(program);
        }
        println!("{} {} is missing here and is installed", self.package, self.version);
        let build = folder.join("build");
        shell::run(
            shell::cargo()
                .args(["install", "--locked", "--debug", "--version", self.version, "--root"])
                .arg(&folder)
                .args(["--target-dir"])
                .arg(&build)
                .arg(self.package),
        )?;
        // What was compiled on the way is hundreds of megabytes, and nothing asks for it again.
        std::fs::remove_dir_all(&build)
            .map_err(|error| format!("cannot remove {}: {error}", build.display()))?;
        if shell::present(&program) {
            return Ok(program);
        }
        Err(format!("{} was installed and still does not start", program.display()))
    }
}

/// Makes sure that rustfmt and clippy are there, which a minimal toolchain leaves out.
pub(crate) fn components() -> Outcome {
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let there = shell::cargo()
            .args([command, "--version"])
            .output()
            .is_ok_and(|output| output.status.success());
        if !there {
            println!("{component} is missing here and is installed");
            shell::run(Command::new("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}

/// A program of Debian and the package that brings it.
pub(crate) struct Package {
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
}

/// Makes sure that a program of Debian is there, by `apt-get install` if it is not.
pub(crate) fn debian(program: &str, package: &str) -> Outcome {
    if on_path(program) {
        return Ok(());
    }
    install(&[package])?;
    if on_path(program) {
        return Ok(());
    }
    Err(format!("the package {package} was installed and brought no {program}"))
}

/// Makes sure that programs of Debian are there; what is missing is installed in one go.
pub(crate) fn debian_all(wanted: &[Package]) -> Outcome {
    let missing: Vec<&str> =
        wanted.iter().filter(|one| !on_path(one.program)).map(|one| one.package).collect();
    install(&missing)?;
    match wanted.iter().find(|one| !on_path(one.program)) {
        None => Ok(()),
        Some(one) => {
            Err(format!("the package {} was installed and brought no {}", one.package, one.program))
        }
    }
}

/// Installs packages of Debian, and keeps their servers from being started by the system: they are
/// here to be started by us, on ports of ours.
pub(crate) fn install(packages: &[&str]) -> Outcome {
    if packages.is_empty() {
        return Ok(());
    }
    println!("missing here and installed: {}", packages.join(", "));
    let _no_services = NoServices::begin()?;
    let install = || {
        shell::run(
            Command::new("apt-get")
                .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
                .args(packages)
                .env("RUNLEVEL", "1")
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
    };
    if install().is_err() {
        // A fresh machine has no package lists, and old lists name packages that are gone.
        shell::run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
        install()?;
    }
    Ok(())
}

/// While this lives the scripts of packages are denied to start services. A machine that has a policy
/// of its own keeps it.
struct NoServices {
    made: Option<&'static Path>,
}

impl NoServices {
    fn begin() -> Result<Self, String> {
        let policy = Path::new("/usr/sbin/policy-rc.d");
        if policy.exists() {
            return Ok(Self { made: None });
        }
        let failed = |error| format!("cannot make {}: {error}", policy.display());
        std::fs::write(policy, "#!/bin/sh\nexit 101\n").map_err(failed)?;
        let guard = Self { made: Some(policy) };
        std::fs::set_permissions(policy, Permissions::from_mode(0o755)).map_err(failed)?;
        Ok(guard)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(policy) = self.made
            && let Err(error) = std::fs::remove_file(policy)
        {
            println!("{} stays behind: {error}", policy.display());
        }
    }
}

/// Looks in `PATH` and in the folders of system programs, which a plain user's path leaves out.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}

fn cache() -> Result<PathBuf, String> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => {
            let home = std::env::var_os("HOME").ok_or("neither CARGO_HOME nor HOME is set")?;
            Path::new(&home).join(".cargo")
        }
    };
    Ok(home.join("avocet-tools"))
}
