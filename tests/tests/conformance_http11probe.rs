//! The cases of Http11Probe against `avocet echo`, or against the server of `AVOCET_TARGET`.

use avocet_tests::probe::{self, Settings};
use avocet_tests::{corpus, program::Target};

#[test]
fn conformance_http11probe() {
    let target = Target::echo();
    probe::run(&corpus::read("http11probe.json"), target.address, &Settings::default());
}
