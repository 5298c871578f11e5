//! What several programs cost in the rounds of one run, beside each other.

use std::collections::BTreeMap;

use super::table;
use crate::Outcome;

/// What each of them cost in every round, by name.
pub(super) type Rounds = BTreeMap<String, Vec<f64>>;

/// Those of `known` that `names` lists with commas between, or all of them.
///
/// *Errors*: a name that is not known.
pub(super) fn named<'a, T>(
    names: Option<&str>,
    known: &'a [T],
    name_of: impl Fn(&T) -> &str,
    what: &str,
) -> Result<Vec<&'a T>, String> {
    let Some(names) = names else { return Ok(known.iter().collect()) };
    let find = |name: &str| {
        known.iter().find(|one| name_of(one) == name).ok_or_else(|| {
            let all: Vec<&str> = known.iter().map(&name_of).collect();
            format!("no {what} is called {name:?}: {}", all.join(", "))
        })
    };
    names.split(',').map(find).collect()
}

/// The ratio of costs in each round, if both were measured.
pub(super) fn ratios(measured: &Rounds, name: &str, base: &str) -> Option<Vec<f64>> {
    let (costs, base) = (measured.get(name)?, measured.get(base)?);
    Some(costs.iter().zip(base).map(|(cost, base)| cost / base).collect())
}

/// The middle of the ratios, and the least and the most of them.
pub(super) fn cells(ratios: Option<Vec<f64>>) -> [String; 2] {
    let Some(ratios) = ratios else { return ["-".to_owned(), "-".to_owned()] };
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    [format!("{:.3}", table::median(ratios)), format!("{least:.2}-{most:.2}")]
}

/// Prints the costs, the least first, and their ratios to each of `bases`. The middle of a program's
/// costs is shown by `show`, in `unit`.
pub(super) fn print(
    what: &str,
    unit: &str,
    measured: &Rounds,
    bases: &[&str],
    show: impl Fn(f64) -> String,
) {
    let mut rows: Vec<(f64, Vec<String>)> = Vec::new();
    for (name, costs) in measured {
        let middle = table::median(costs.iter().copied());
        let mut row = vec![name.clone(), show(middle)];
        row.extend(bases.iter().flat_map(|base| cells(ratios(measured, name, base))));
        rows.push((middle, row));
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
    let mut head = vec![what.to_owned(), unit.to_owned()];
    head.extend(bases.iter().flat_map(|base| [format!("x {base}"), "least-most".to_owned()]));
    table::print(&head.iter().map(String::as_str).collect::<Vec<_>>(), &rows);
}

/// What `name` missed: so many times the cost of the floor at most, and no more than each peer's.
pub(super) fn missed(
    mode: &str,
    measured: &Rounds,
    name: &str,
    floor: Option<(&str, f64)>,
    ahead_of: &[&str],
) -> Vec<String> {
    let bars = floor.into_iter().chain(ahead_of.iter().map(|peer| (*peer, 1.0)));
    let over = |(base, most): (&str, f64)| {
        let ratio = table::median(ratios(measured, name, base)?);
        let text = format!("{mode}: CPU {ratio:.3} of {base}, goal at most {most}");
        (ratio > most).then_some(text)
    };
    bars.filter_map(over).collect()
}

/// Says what was missed.
///
/// *Errors*: that something was, where that is asked for.
pub(super) fn conclude(misses: &[String], check: bool) -> Outcome {
    for miss in misses {
        println!("missed: {miss}");
    }
    if check && !misses.is_empty() {
        return Err(format!("{} goals missed", misses.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_a_round_and_missed_goals_are_said() {
        let at = |ours: [f64; 3]| {
            let measured = Rounds::from([
                ("ours".to_owned(), ours.to_vec()),
                ("floor".to_owned(), vec![1.0, 2.0, 10.0]),
                ("peer".to_owned(), vec![1.1, 2.2, 11.0]),
            ]);
            assert_eq!(ratios(&measured, "ours", "nobody"), None);
            missed("mode", &measured, "ours", Some(("floor", 1.2)), &["peer", "nobody"]).len()
        };
        assert_eq!((at([1.0, 2.0, 30.0]), at([1.15, 2.3, 10.0]), at([2.0, 4.0, 20.0])), (0, 1, 2));
    }

    #[test]
    fn names_are_found_or_told() {
        let known = ["a", "b"];
        assert_eq!(named(Some("b,a"), &known, |one| one, "letter"), Ok(vec![&"b", &"a"]));
        assert_eq!(named(None, &known, |one| one, "letter").map(|all| all.len()), Ok(2));
        let error = named(Some("a,c"), &known, |one| one, "letter").unwrap_err();
        assert_eq!(error, "no letter is called \"c\": a, b");
    }

    #[test]
    fn a_missed_goal_fails_only_where_that_is_asked_for() {
        let misses = ["one".to_owned()];
        assert!(conclude(&misses, true).is_err() && conclude(&misses, false).is_ok());
        assert!(conclude(&[], true).is_ok());
    }
}
