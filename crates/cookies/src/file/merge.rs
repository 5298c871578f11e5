//! Two sides changed the same cookies: what a file holds and what a jar holds become one again.

use std::{collections::HashMap, time::SystemTime};

use crate::cookie::{Cookie, Place};

/// A cookie on which a jar and its file agreed when they last met. The file may say less of it
/// than the jar, so both forms are remembered.
#[derive(Clone, Debug)]
pub(super) struct Agreed {
    pub(super) ours: Cookie,
    pub(super) theirs: Cookie,
}

/// What both sides together want: a cookie that we changed, added or removed since they agreed is
/// as we have it; every other one is as they have it.
pub(super) fn merge(
    agreed: &[Agreed],
    ours: &[&Cookie],
    theirs: &[Cookie],
    now: SystemTime,
) -> Vec<Cookie> {
    // A cookie that has expired in the meantime is gone everywhere without anybody having
    // removed it.
    let alive = agreed.iter().filter(|agreed| !agreed.ours.is_expired(now));
    let agreed: HashMap<Place<'_>, &Agreed> =
        alive.map(|agreed| (agreed.ours.place(), agreed)).collect();
    let held: HashMap<Place<'_>, &Cookie> =
        ours.iter().map(|cookie| (cookie.place(), *cookie)).collect();
    let on_file: HashMap<Place<'_>, &Cookie> =
        theirs.iter().map(|cookie| (cookie.place(), cookie)).collect();
    let mut merged = Vec::with_capacity(held.len().max(on_file.len()));
    for cookie in theirs {
        // Of two lines for one place the last counts.
        if !std::ptr::eq(on_file[&cookie.place()], cookie) {
            continue;
        }
        let base = agreed.get(&cookie.place());
        match (held.get(&cookie.place()), base) {
            (Some(ours), Some(base)) if cookie.same_content(&base.theirs) => {
                merged.push((*ours).clone());
            }
            (Some(ours), Some(base)) if ours.same_content(&base.ours) => {
                merged.push(cookie.clone());
            }
            (Some(ours), _) => merged.push((*ours).clone()),
            // We removed it.
            (None, Some(_)) => {}
            (None, None) => merged.push(cookie.clone()),
        }
    }
    for cookie in ours.iter().filter(|cookie| !on_file.contains_key(&cookie.place())) {
        let removed_by_them =
            agreed.get(&cookie.place()).is_some_and(|base| cookie.same_content(&base.ours));
        if !removed_by_them {
            merged.push((*cookie).clone());
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn cookie(name: &str, value: &str) -> Cookie {
        Cookie::builder(name, value, "e.com").build(UNIX_EPOCH).unwrap()
    }

    /// Names and values as "a1 b2": every cookie of a side.
    fn side(text: &str) -> Vec<Cookie> {
        text.split_whitespace().map(|pair| cookie(&pair[..1], &pair[1..])).collect()
    }

    fn merged(base: &str, ours: &str, theirs: &str) -> String {
        let agreed: Vec<Agreed> = side(base)
            .into_iter()
            .map(|cookie| Agreed { ours: cookie.clone(), theirs: cookie })
            .collect();
        let (ours, theirs) = (side(ours), side(theirs));
        let ours: Vec<&Cookie> = ours.iter().collect();
        let text = |octets| String::from_utf8_lossy(octets).into_owned();
        let mut all: Vec<String> = merge(&agreed, &ours, &theirs, UNIX_EPOCH)
            .iter()
            .map(|cookie| text(cookie.name()) + &text(cookie.value()))
            .collect();
        all.sort();
        all.join(" ")
    }

    #[test]
    fn each_side_keeps_what_it_did() {
        assert_eq!(merged("", "a1", "b1"), "a1 b1");
        assert_eq!(merged("a1 b1", "a2 b1", "a1 b2"), "a2 b2");
        assert_eq!(merged("a1 b1", "b1", "a1"), "");
        assert_eq!(merged("a1 b1", "b1 c1", "a1 b1 d1"), "b1 c1 d1");
    }

    #[test]
    fn ours_wins_where_both_changed() {
        assert_eq!(merged("a1", "a2", "a3"), "a2");
        assert_eq!(merged("a1", "a2", ""), "a2");
        assert_eq!(merged("a1", "", "a2"), "");
        assert_eq!(merged("", "a1", "a2"), "a1");
    }

    #[test]
    fn of_two_lines_for_one_place_the_last_counts() {
        assert_eq!(merged("", "", "a1 a2"), "a2");
    }

    #[test]
    fn what_the_file_cannot_say_is_not_lost() {
        let ours =
            Cookie::builder("a", "1", "e.com").extension("x", "y").build(UNIX_EPOCH).unwrap();
        let theirs = cookie("a", "1");
        let agreed = [Agreed { ours: ours.clone(), theirs: theirs.clone() }];
        let merged = merge(&agreed, &[&ours], std::slice::from_ref(&theirs), UNIX_EPOCH);
        assert_eq!(merged[0].extensions().count(), 1);
    }

    #[test]
    fn expiry_is_no_removal() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let until = |seconds| {
            Cookie::builder("a", "1", "e.com").expires(at(seconds)).build(UNIX_EPOCH).unwrap()
        };
        let agreed = [Agreed { ours: until(10), theirs: until(10) }];
        // They renewed it while ours ran out.
        let merged = merge(&agreed, &[], &[until(100)], at(50));
        assert_eq!(merged.len(), 1);
    }
}
