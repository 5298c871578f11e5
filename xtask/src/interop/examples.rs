//! The examples of the umbrella crate, which do what the program has no option for.

use std::path::PathBuf;

use crate::{Outcome, features, shell};

pub(super) fn build() -> Outcome {
    let features = features::of("avocet")?;
    let package = ["build", "--package", "avocet", "--examples", "--features", &features];
    shell::run(shell::cargo().args(package))
}

pub(super) fn path(name: &str) -> PathBuf {
    shell::target_dir().join("debug/examples").join(name)
}
