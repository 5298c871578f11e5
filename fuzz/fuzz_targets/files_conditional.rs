//! Any combination of preconditions against the order of RFC 9110 §13.2.2.
#![no_main]
#![expect(dead_code, reason = "the shared files serve other targets too")]

use std::cell::RefCell;

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/files/tests/suite/oracle.rs"]
mod oracle;

use oracle::conditional::{Date, Given, Guarded, Tag, Validator};

thread_local! {
    static FILE: RefCell<Guarded> = RefCell::new({
        let root = std::env::temp_dir().join(format!("avocet-fuzz-cond-{}", std::process::id()));
        std::fs::create_dir(&root).expect("a folder can be made");
        Guarded::new(&root)
    });
}

#[derive(Debug)]
struct Wanted(Given);

impl<'a> Arbitrary<'a> for Wanted {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let tags = |input: &mut Unstructured<'a>| -> Result<Vec<Tag>> {
            (0..input.int_in_range(0..=4)?).map(|_| tag(input)).collect()
        };
        Ok(Self(Given {
            is_head: input.arbitrary()?,
            if_match: tags(input)?,
            if_none_match: tags(input)?,
            if_modified_since: if input.arbitrary()? { Some(date(input)?) } else { None },
            if_unmodified_since: if input.arbitrary()? { Some(date(input)?) } else { None },
            if_range: match input.int_in_range(0..=2)? {
                0 => None,
                1 => Some(Validator::Tag(tag(input)?)),
                _ => Some(Validator::Date(date(input)?)),
            },
            range: input.arbitrary()?,
        }))
    }
}

fn tag(input: &mut Unstructured<'_>) -> Result<Tag> {
    let all = [Tag::Current, Tag::CurrentWeak, Tag::Other, Tag::OtherWeak, Tag::Star, Tag::Junk];
    input.choose(&all).copied()
}

fn date(input: &mut Unstructured<'_>) -> Result<Date> {
    input.choose(&[Date::Before, Date::Same, Date::After, Date::Junk]).copied()
}

fuzz_target!(|wanted: Wanted| {
    FILE.with_borrow_mut(|file| file.check(&wanted.0));
});
