//! Which features the tasks of the workspace turn on: all but those that name another provider of the
//! cryptography. Tests, clippy and documentation then compile one provider and not three; what the
//! others need is tried by `cargo xtask providers`.

use crate::shell;

/// Package and feature of what is left off.
const OTHER_PROVIDERS: &[(&str, &str)] = &[
    ("avocet", "tls-graviola"),
    ("avocet", "tls-ring"),
    ("avocet-tls", "graviola"),
    ("avocet-tls", "ring"),
];

/// The features of all packages, as `--workspace --features` takes them.
pub(crate) fn of_workspace() -> Result<String, String> {
    let words: Vec<_> =
        chosen()?.into_iter().map(|(package, feature)| format!("{package}/{feature}")).collect();
    Ok(words.join(","))
}

/// The features of one package, as `--package NAME --features` takes them.
pub(crate) fn of(package: &str) -> Result<String, String> {
    let chosen = chosen()?.into_iter();
    let words: Vec<_> = chosen.filter(|(name, _)| name == package).map(|(_, word)| word).collect();
    Ok(words.join(","))
}

fn chosen() -> Result<Vec<(String, String)>, String> {
    without_others(listed(&metadata()?)?)
}

/// What cargo knows of the packages of the workspace, as JSON.
fn metadata() -> Result<String, String> {
    let mut command = shell::cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    shell::read_quietly(&mut command)
}

/// A name above that no package has any more is a mistake: it would leave nothing off.
fn without_others(all: Vec<(String, String)>) -> Result<Vec<(String, String)>, String> {
    let is = |(package, feature): &(String, String), other: &(&str, &str)| {
        package == other.0 && feature == other.1
    };
    for other in OTHER_PROVIDERS {
        if !all.iter().any(|known| is(known, other)) {
            return Err(format!("the package {} has no feature {}", other.0, other.1));
        }
    }
    let wanted = |known: &(String, String)| !OTHER_PROVIDERS.iter().any(|other| is(known, other));
    Ok(all.into_iter().filter(wanted).collect())
}

/// Each package with each of its features. Of JSON only as much is read as cargo writes here: packages
/// and dependencies begin with their names, and packages alone go on with a version; the features of a
/// package are an object, and those that a dependency asks for are a list.
fn listed(metadata: &str) -> Result<Vec<(String, String)>, String> {
    let (mut package, mut found) = ("", Vec::new());
    for part in metadata.split("{\"name\":\"").skip(1) {
        let Some((name, rest)) = part.split_once('"') else { continue };
        if rest.starts_with(",\"version\":") {
            package = name;
        }
        let Some((_, rest)) = rest.split_once("\"features\":{") else { continue };
        let (features, _) = rest.split_once('}').ok_or("cargo metadata: an object without end")?;
        // Each ends with the list of what it turns on.
        let names = features.split(']').filter_map(|feature| feature.split('"').nth(1));
        found.extend(names.map(|name| (package.to_owned(), name.to_owned())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = "{\"packages\":[{\"name\":\"avocet\",\"version\":\"0.1.0\",\
        \"dependencies\":[{\"name\":\"x\",\"source\":null,\"features\":[\"y\"]}],\
        \"targets\":[{\"kind\":[\"lib\"],\"name\":\"avocet\"}],\
        \"features\":{\"tls\":[\"dep:x\",\"z/a\"],\"none\":[]},\"manifest_path\":\"/m\"},\
        {\"name\":\"xtask\",\"version\":\"0.1.0\",\"dependencies\":[],\"features\":{}}]}";

    #[test]
    fn packages_and_their_features_are_read() {
        let expected = [("avocet", "tls"), ("avocet", "none")];
        let expected = expected.map(|(package, feature)| (package.to_owned(), feature.to_owned()));
        assert_eq!(listed(METADATA).unwrap(), expected);
    }

    #[test]
    fn other_providers_are_left_off_and_have_to_be_there() {
        let pair = |(package, feature): (&str, &str)| (package.to_owned(), feature.to_owned());
        let mut all: Vec<_> = OTHER_PROVIDERS.iter().copied().map(pair).collect();
        all.push(pair(("avocet", "tls")));
        assert_eq!(without_others(all.clone()), Ok(vec![pair(("avocet", "tls"))]));
        all.remove(0);
        assert!(without_others(all).is_err());
    }
}
