//! The cases of h1spec against `avocet echo`, or against the server of `AVOCET_TARGET`.

use std::time::Duration;

use avocet_tests::probe::{self, Settings};
use avocet_tests::{corpus, program::Target};

#[test]
fn conformance_h1spec() {
    let target = Target::echo();
    // Half of the cases are unfinished requests that a server must wait for: no need to wait long.
    let settings = Settings { timeout: Duration::from_millis(1_500), ..Settings::default() };
    probe::run(&corpus::read("h1spec.json"), target.address, &settings);
}
