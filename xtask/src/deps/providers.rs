//! One provider of the cryptography in each build: the one that it names.

use std::collections::BTreeSet;

use super::{crates, name_of};
use crate::{features, shell};

/// The crates of each provider, the one that does the sums first.
const PROVIDERS: &[&[&str]] =
    &[&["aws-lc-rs", "aws-lc-sys", "aws-lc-fips-sys"], &["ring"], &["graviola", "rustls-graviola"]];

/// A build, and the provider that it has.
struct Build {
    what: &'static str,
    provider: &'static str,
    words: Vec<String>,
}

/// What the trees of these builds have that they should not have, or lack.
pub(super) fn check() -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    for build in builds()? {
        let text = shell::read_quietly(
            shell::cargo()
                .args(["tree", "--locked", "--prefix", "none", "--no-dedupe", "--target", "all"])
                .args(&build.words),
        )?;
        faults.extend(faults_of(build.what, build.provider, &crates(&text)));
    }
    Ok(faults)
}

fn builds() -> Result<Vec<Build>, String> {
    let build = |what, provider, words: &[&str]| Build {
        what,
        provider,
        words: words.iter().map(|&word| word.to_owned()).collect(),
    };
    let avocet = ["--package", "avocet", "--edges", "normal,build", "--features"];
    let tests = ["--workspace", "--edges", "normal,build,dev", "--features"];
    let own = ["--package", "avocet-tls", "--edges", "normal,build,dev", "--no-default-features"];
    Ok(vec![
        build(
            "the workspace with its tests",
            "aws-lc-rs",
            &[&tests[..], &[&features::of_workspace()?]].concat(),
        ),
        build(
            "avocet with tls-ring",
            "ring",
            &[&avocet[..], &["tls-ring,certs,client,server"]].concat(),
        ),
        build(
            "avocet with tls-graviola",
            "graviola",
            &[&avocet[..], &["tls-graviola,client,server"]].concat(),
        ),
        build(
            "avocet-tls with ring and its tests",
            "ring",
            &[&own[..], &["--features", "ring,native-roots,issue"]].concat(),
        ),
    ])
}

fn faults_of(what: &str, provider: &str, tree: &BTreeSet<String>) -> Vec<String> {
    let there: BTreeSet<&str> = tree.iter().map(|id| name_of(id)).collect();
    let mut faults = Vec::new();
    if !there.contains(provider) {
        faults.push(format!("{what}: {provider} is not there"));
    }
    let others = PROVIDERS.iter().filter(|names| names[0] != provider).copied().flatten();
    for name in others.filter(|name| there.contains(**name)) {
        faults.push(format!("{what}: {name} is there, and the provider is {provider}"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_provider_and_a_missing_one_are_found() {
        let tree = crates("rustls v0.23.46\nring v0.17.14\naws-lc-sys v0.33.0\n");
        assert_eq!(
            faults_of("here", "ring", &tree),
            ["here: aws-lc-sys is there, and the provider is ring"]
        );
        assert_eq!(
            faults_of("here", "graviola", &tree),
            [
                "here: graviola is not there",
                "here: aws-lc-sys is there, and the provider is graviola",
                "here: ring is there, and the provider is graviola",
            ]
        );
    }
}
