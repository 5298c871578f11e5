//! Properties of lists, tags and words.

use avocet_semantics::entity_tags::{EntityTag, entity_tags};
use avocet_semantics::{grammar, lists};
use proptest::prelude::*;

proptest! {
    #[test]
    fn what_is_joined_comes_apart(
        words in proptest::collection::vec("[ -~]{0,12}", 0..8),
        blanks in proptest::collection::vec("[ \t,]{0,3}", 9),
    ) {
        let mut value = blanks[0].clone().into_bytes();
        let mut expected = Vec::new();
        for (word, blank) in words.iter().zip(&blanks[1..]) {
            let mut element = Vec::new();
            grammar::write_word(word.as_bytes(), &mut element).unwrap();
            value.extend_from_slice(&element);
            value.extend_from_slice(format!(",{blank}").as_bytes());
            expected.push(element);
        }
        let found: Vec<&[u8]> = lists::elements(&value).collect();
        prop_assert_eq!(&found, &expected);
        for (element, word) in found.iter().zip(&words) {
            let read = grammar::unquote(element).unwrap_or_else(|| (*element).into());
            prop_assert_eq!(&*read, word.as_bytes());
        }
    }

    #[test]
    fn elements_are_never_empty_and_never_blank_at_the_ends(
        value in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        for element in lists::elements(&value) {
            prop_assert!(!element.is_empty());
            prop_assert_eq!(grammar::trim(element), element);
        }
    }

    #[test]
    fn tags_of_any_bytes_survive_a_list(
        tags in proptest::collection::vec((any::<bool>(), "[!#-~\u{80}-\u{2ff}]{0,12}"), 0..8),
        separator in "[ \t]{0,2},[ \t,]{0,3}",
    ) {
        let mut value = Vec::new();
        for (weak, opaque) in &tags {
            let make = if *weak { EntityTag::weak } else { EntityTag::strong };
            make(opaque.as_bytes()).unwrap().write(&mut value);
            value.extend_from_slice(separator.as_bytes());
        }
        let found: Vec<EntityTag<'_>> =
            entity_tags(&value).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(found.len(), tags.len());
        for (found, (weak, opaque)) in found.iter().zip(&tags) {
            prop_assert_eq!((found.is_weak(), found.opaque()), (*weak, opaque.as_bytes()));
        }
    }

    #[test]
    fn any_bytes_can_be_read_as_tags(value in proptest::collection::vec(any::<u8>(), 0..60)) {
        for tag in entity_tags(&value).flatten() {
            prop_assert!(EntityTag::strong(tag.opaque()).is_some());
        }
    }

    #[test]
    fn comparing_tags_is_symmetric(
        left in "[ab]{0,2}", right in "[ab]{0,2}", weak: (bool, bool),
    ) {
        let make = |weak, opaque| if weak { EntityTag::weak(opaque) } else { EntityTag::strong(opaque) };
        let left = make(weak.0, left.as_bytes()).unwrap();
        let right = make(weak.1, right.as_bytes()).unwrap();
        prop_assert_eq!(left.strong_eq(&right), right.strong_eq(&left));
        prop_assert_eq!(left.weak_eq(&right), right.weak_eq(&left));
        prop_assert!(!left.strong_eq(&right) || left.weak_eq(&right));
    }
}
