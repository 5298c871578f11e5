//! Which cryptography is used, and what it can do.

use avocet_net::Transport;
use avocet_tls::{ClientSettings, ClientTls, Provider, ServerSettings, ServerTls};

use crate::support::{Authority, connected};

/// Every provider that is compiled in, in the order of choice, and whether it has an exchange of keys
/// that resists quantum computers. One that cannot work on this machine fails the test.
fn compiled_in() -> Vec<(Provider, &'static str, bool)> {
    vec![
        #[cfg(feature = "aws-lc")]
        (Provider::aws_lc(), "AWS-LC", true),
        #[cfg(feature = "graviola")]
        (Provider::graviola().unwrap(), "Graviola", true),
        #[cfg(feature = "ring")]
        (Provider::ring(), "ring", false),
    ]
}

#[test]
fn the_first_that_is_compiled_in_is_taken() {
    let (_, name, _) = compiled_in().remove(0);
    assert!(format!("{:?}", Provider::built_in().unwrap()).contains(name), "not {name}");
}

#[test]
fn the_exchange_of_keys_resists_quantum_computers_where_the_provider_can() {
    for (provider, name, resists) in compiled_in() {
        let groups = provider.groups();
        assert_eq!(groups[0] == "X25519MLKEM768", resists, "{name}: {groups:?}");
        assert_eq!(groups.iter().any(|group| group.contains("MLKEM")), resists, "{name}");
        assert!(groups.iter().any(|group| group == "X25519"), "{name}: {groups:?}");
    }
}

#[test]
fn each_talks_to_each() {
    let authority = Authority::new("Test CA");
    let credentials = authority.issue(&["localhost"]).credentials();
    for (one, name, resists) in compiled_in() {
        for (other, other_name, other_resists) in compiled_in() {
            let settings = ServerSettings::new().credentials(credentials.clone());
            let server = ServerTls::open(settings.provider(one.clone())).unwrap();
            let settings = ClientSettings::new(authority.roots()).provider(other);
            let client = ClientTls::open(settings).unwrap();
            for resumed in [false, true] {
                let (mut here, _there) = connected(&server, &client);
                drop(here.read(&mut [0; 1]));
                let secured = here.info().secured.clone().unwrap();
                assert_eq!(secured.resumed, resumed, "{name}, {other_name}");
                let group = secured.group.as_deref().unwrap();
                let both = resists && other_resists;
                assert_eq!(group.contains("MLKEM"), both, "{name}, {other_name}: {group}");
            }
        }
    }
}
