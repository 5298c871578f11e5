//! No bytes make a function panic, and what is read from any bytes keeps its promises.

use avocet_semantics::content_disposition::{self, ContentDisposition, extended};
use avocet_semantics::media_types::MediaType;
use avocet_semantics::quality::{Quality, weighted};
use avocet_semantics::{
    accept, auth, base64, file_names, forwarded, grammar, hop_by_hop::HopByHop, parameters,
    retry_after,
};
use proptest::prelude::*;

/// Bytes that look like a field value often enough to get past the first token.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "[a-z*]{1,4}".prop_map(String::into_bytes),
        "[-0-9.]{1,4}".prop_map(String::into_bytes),
        prop::sample::select(vec![
            "=",
            "; ",
            ", ",
            "\"",
            "\\",
            "/",
            " ",
            "q=0.5",
            "''",
            "%41",
            "for=",
            "[::1]",
            ":80",
            "realm=\"a, b\"",
            "abc==",
            "\t",
            "_x",
            "UTF-8''",
            "filename=",
            "Digest ",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 1..3),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_reader_takes_every_value(value in value(), now: i64) {
        if let Ok(media_type) = MediaType::parse(&value) {
            prop_assert!(grammar::is_token(media_type.kind().as_bytes()));
            prop_assert!(grammar::is_token(media_type.subtype().as_bytes()));
            prop_assert!(accept::quality(&value, &media_type) <= Quality::MAX);
        }
        for element in weighted(&value) {
            prop_assert!(!element.value.is_empty() && element.quality <= Quality::MAX);
        }
        for parameter in parameters::parameters(&value).flatten() {
            prop_assert!(grammar::is_token(parameter.name.as_bytes()));
        }
        if let Ok(schemes) = auth::challenges(&value) {
            prop_assert!(schemes.len() <= 32);
            for scheme in schemes {
                prop_assert!(grammar::is_token(scheme.name.as_bytes()));
                let _ = auth::digest::Challenge::from_scheme(&scheme);
                if let Some(read) = auth::digest::Credentials::from_scheme(&scheme) {
                    prop_assert!(read.to_field().is_ok() || read.username.contains(&0));
                }
            }
        }
        if let Ok(scheme) = auth::credentials(&value) {
            let login = auth::basic::Login::from_scheme(&scheme);
            prop_assert!(login.is_none_or(|login| !login.name().contains(&b':')));
        }
        let _ = extended::decode(&value);
        let _ = retry_after::parse(&value, now);
    }

    #[test]
    fn hops_are_written_as_they_were_read(value in value()) {
        if let Ok(hops) = forwarded::parse(&value) {
            for hop in hops {
                let mut out = Vec::new();
                hop.write(&mut out).unwrap();
                let again = forwarded::parse(&out).unwrap();
                prop_assert!(again == [hop.clone()] || (out.is_empty() && again.is_empty()));
            }
        }
    }

    #[test]
    fn connection_never_drops_what_the_message_means(value in value()) {
        if let Ok(hop) = HopByHop::from_fields([("Connection", value.as_slice())]) {
            prop_assert!(hop.keeps("Host") && hop.keeps("content-length") && hop.keeps("Cookie"));
        }
    }

    #[test]
    fn a_safe_name_is_one_component(name in any::<String>()) {
        if let Some(safe) = file_names::safe(&name) {
            prop_assert!(!safe.is_empty() && safe.len() <= file_names::MAX_LEN);
            prop_assert!(!safe.contains(['/', '\\', ':', '\0']));
            prop_assert!(!safe.chars().any(char::is_control));
            prop_assert!(!safe.starts_with(['.', '-', ' ']));
            prop_assert_eq!(file_names::safe(&safe), Some(safe));
        }
    }

    #[test]
    fn a_name_goes_through_the_field(name in any::<String>()) {
        let value = content_disposition::attachment(&name);
        let read = ContentDisposition::parse(value.as_bytes()).unwrap();
        prop_assert_eq!(read.filename, Some(name));
    }

    #[test]
    fn base64_goes_both_ways(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let text = base64::encode(&bytes);
        prop_assert_eq!(base64::decode(text.as_bytes()), Some(bytes));
    }

    #[test]
    fn base64_has_one_spelling(text in "[A-Za-z0-9+/=]{0,12}") {
        if let Some(bytes) = base64::decode(text.as_bytes()) {
            prop_assert_eq!(base64::encode(&bytes), text);
        }
    }
}
