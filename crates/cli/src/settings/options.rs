//! The options that can be set, out of the table that the command line is parsed by.

use clap::{Arg, ArgAction, Command};

/// The options of a verb that can be set anywhere.
pub(crate) fn settable(verb: &Command) -> impl Iterator<Item = &Arg> {
    verb.get_arguments().filter(|arg| {
        let several = arg.get_num_args().is_some_and(|count| count.max_values() > 1)
            || matches!(arg.get_action(), ArgAction::Append);
        // What stands in a place of its own several times is what the verb is about: URLs.
        let is_subject = arg.is_positional() && several;
        let is_left_out = is_subject || arg.is_global_set() || NEVER.contains(&key(arg));
        !is_left_out
    })
}

/// The name of an option in a file.
pub(crate) fn key(arg: &Arg) -> &str {
    arg.get_long().unwrap_or_else(|| arg.get_id().as_str())
}

/// The variable of an option. Those of `serve` go without the verb: they are what images and unit
/// files set.
pub(super) fn variable(verb: &str, arg: &Arg) -> String {
    let name = match verb {
        "serve" => format!("avocet_{}", key(arg)),
        verb => format!("avocet_{verb}_{}", key(arg)),
    };
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    name.to_ascii_uppercase().chars().map(plain).collect()
}

/// The verbs that have settings: those that are not split into verbs of their own.
pub(super) fn verbs(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|verb| !verb.has_subcommands() && !NEVER.contains(&verb.get_name()))
}

/// Whether a verb has settings.
pub(super) fn is_settable(command: &Command, verb: &str) -> bool {
    verbs(command).any(|known| known.get_name() == verb)
}

/// Whether sections for hosts hold for a verb.
pub(super) fn has_hosts(verb: &str) -> bool {
    HOSTS.contains(&verb)
}

/// Whether the value of an option lets others in.
pub(crate) fn is_secret(key: &str) -> bool {
    SECRET.contains(&key)
}

/// The argument that names a file of settings.
pub(super) const FILE: &str = "settings";

/// The verbs to which sections for hosts apply.
pub(super) const HOSTS: [&str; 2] = ["fetch", "download"];

/// What makes one site another.
pub(super) const WHAT_IS_SERVED: [&str; 3] = ["folder", "text", "archive"];

/// What is about one call and no setting.
const NEVER: [&str; 16] = [
    // These belong to the URLs beside which they stand.
    "output",
    "remote-name",
    "upload-file",
    "help",
    "version",
    "config",
    "next",
    "dry-run",
    "input",
    "host",
    "path",
    "completions",
    "man",
    "sign",
    "expires",
    "hash-password",
];

/// What is shown to nobody.
const SECRET: [&str; 8] =
    ["user", "proxy-user", "oauth2-bearer", "auth", "sign-key", "header", "proxy-header", "cookie"];

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use clap::CommandFactory;

    use super::*;

    /// A variable that two options share would set both; a virtual host is no option.
    #[test]
    fn every_option_has_a_variable_of_its_own() {
        let mut command = crate::Arguments::command();
        command.build();
        let mut known: HashMap<String, String> = HashMap::new();
        for verb in verbs(&command) {
            for arg in settable(verb) {
                let whose = format!("{} {}", verb.get_name(), key(arg));
                assert_ne!(key(arg), "host", "{whose}");
                let other = known.insert(variable(verb.get_name(), arg), whose.clone());
                assert_eq!(other, None, "{whose}");
            }
        }
        assert_eq!(known["AVOCET_LISTEN"], "serve listen");
        assert_eq!(known["AVOCET_FETCH_USER_AGENT"], "fetch user-agent");
    }
}
