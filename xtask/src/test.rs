//! `cargo xtask test`: the test command of the README.

use crate::args::Args;
use crate::{Outcome, features, shell};

/// Runs the unit and integration tests, builds the examples and runs those of the documentation.
///
/// Every feature is on but those for other cryptography, since a test behind one that is off is no
/// test. Plain `cargo test` is
/// enough here: it alone runs documentation tests, and it needs nothing beside the toolchain. A test
/// that fails does not keep those behind it from telling theirs.
pub(crate) fn run(args: &mut Args) -> Outcome {
    let rest = args.rest();
    shell::run(
        shell::cargo()
            .args([
                "test",
                "--workspace",
                "--no-fail-fast",
                "--features",
                &features::of_workspace()?,
            ])
            .args(&rest),
    )
}
