//! Random paths, ranges and conditions against what the RFCs say of them.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::oracle::conditional::{Date, Given, Guarded, Tag, Validator};
use crate::oracle::path::Tree;
use crate::oracle::range::Ranged;

/// Segments that mean something in the tree, and others.
fn segment() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        ".",
        "..",
        "%2e",
        "%2E%2e",
        "a",
        "b",
        "f",
        "%66",
        "%2566",
        "c%20d",
        ".h",
        "%2ef",
        "in",
        "up",
        "far",
        "out",
        "around",
        "dir",
        "turn",
        "top",
        "index.html",
        "...",
        "..f",
        "%2f",
        "%5c",
        "a%5cf",
        "%00",
        "%",
        "%f",
        "%zz",
        "%ff",
        "www",
        "www-evil",
        "secret",
        "etc",
        "passwd",
        "..;",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => "[a-z.%0-9]{1,5}"]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        (0_u32..60).prop_map(|number| number.to_string()),
        (0_u32..50_000).prop_map(|number| number.to_string()),
        Just("18446744073709551615".to_owned()),
        Just("18446744073709551616".to_owned()),
        Just("99999999999999999999999".to_owned()),
        Just(String::new()),
        Just("007".to_owned()),
    ]
}

fn ranges() -> impl Strategy<Value = String> {
    let one = (number(), number()).prop_map(|(first, last)| format!("{first}-{last}"));
    let one = prop_oneof![9 => one, 1 => "[-0-9a ]{0,6}"];
    let unit = prop::sample::select(vec!["bytes", "bytes", "bytes", "BYTES", "items", ""]);
    let comma = prop::sample::select(vec![",", ", ", " ,", ",,"]);
    (unit, vec(one, 0..6), comma)
        .prop_map(|(unit, ranges, comma)| format!("{unit}={}", ranges.join(comma)))
}

fn tag() -> impl Strategy<Value = Tag> {
    let all = [Tag::Current, Tag::CurrentWeak, Tag::Other, Tag::OtherWeak, Tag::Star, Tag::Junk];
    prop::sample::select(all.to_vec())
}

fn date() -> impl Strategy<Value = Date> {
    prop::sample::select(vec![Date::Before, Date::Same, Date::After, Date::Junk])
}

fn given() -> impl Strategy<Value = Given> {
    let validator = prop_oneof![tag().prop_map(Validator::Tag), date().prop_map(Validator::Date)];
    let tags = (vec(tag(), 0..3), vec(tag(), 0..3));
    let dates = (prop::option::of(date()), prop::option::of(date()));
    (any::<bool>(), tags, dates, prop::option::of(validator), any::<bool>()).prop_map(
        |(is_head, tags, dates, if_range, range)| Given {
            is_head,
            if_match: tags.0,
            if_none_match: tags.1,
            if_modified_since: dates.0,
            if_unmodified_since: dates.1,
            if_range,
            range,
        },
    )
}

/// Many cases. A failure prints its smallest case, which then becomes a test of its own.
fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(count) }
}

#[test]
fn any_path_gets_what_it_means() {
    let around = tempfile::tempdir().unwrap();
    let tree = std::cell::RefCell::new(Tree::new(around.path()));
    proptest!(cases(2_000), |(segments in vec(segment(), 0..6))| {
        tree.borrow_mut().check(&format!("/{}", segments.join("/")));
    });
}

#[test]
fn any_range_gets_its_bytes() {
    let root = tempfile::tempdir().unwrap();
    let files = std::cell::RefCell::new(Ranged::new(root.path()));
    proptest!(cases(300), |(range in ranges())| {
        files.borrow_mut().check(&range);
    });
}

#[test]
fn any_conditions_are_evaluated_in_their_order() {
    let root = tempfile::tempdir().unwrap();
    let file = std::cell::RefCell::new(Guarded::new(root.path()));
    proptest!(cases(2_000), |(given in given())| {
        file.borrow_mut().check(&given);
    });
}
