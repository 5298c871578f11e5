//! The conditions of rules.

use std::ops::RangeInclusive;

use avocet_semantics::dates;
use regex_lite::Regex;
use serde_json::Value;

use super::case::{Case, Normalization};
use super::exchange::{Outcome, State};
use super::response::Response;

/// What must hold of the outcome of a step.
#[derive(Debug)]
pub(super) enum Condition {
    /// All of several conditions, which may be about different steps.
    All(Vec<Self>),
    /// All of several tests of one step.
    Step {
        /// Counted from 0.
        index: usize,
        tests: Vec<Test>,
    },
}

#[derive(Debug)]
pub(super) enum Test {
    Executed(bool),
    HasResponse(bool),
    State(Vec<State>),
    StatusLinesAtLeast(usize),
    StatusLinesAtMost(usize),
    /// The others need a response.
    Response(ResponseTest),
}

#[derive(Debug)]
pub(super) enum ResponseTest {
    Status(Vec<RangeInclusive<u16>>),
    Field(String),
    NoField(String),
    FieldHas(String, String),
    FieldIs(String, String),
    ContentEmpty(bool),
    ContentIs(Vec<String>),
    ContentHas(Vec<String>),
    ContentHasAny(Vec<String>),
    /// The two above without regard to letter case.
    ContentHasIgnoringCase(Vec<String>),
    ContentHasAnyIgnoringCase(Vec<String>),
    RawHas(Vec<String>),
    RawSequence(Vec<String>),
    RawMatches(Regex),
    DateField(String),
    Spelling(Option<Spelling>),
}

/// What became of the spelling of a field name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    Normalized,
    Preserved,
}

impl Condition {
    pub(super) fn read(value: &Value, id: &str) -> Self {
        if let Some(all) = value["all"].as_array() {
            return Self::All(all.iter().map(|value| Self::read(value, id)).collect());
        }
        let object = value.as_object().unwrap_or_else(|| panic!("{id}: {value} is no condition"));
        let index = value["step"].as_u64().unwrap_or(1) - 1;
        let ignores_case = value["icase"].as_bool().unwrap_or(false);
        let tests = object
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "step" | "icase"))
            .map(|(key, value)| Test::read(key, value, ignores_case, id))
            .collect();
        Self::Step { index: usize::try_from(index).expect("steps are few"), tests }
    }

    pub(super) fn holds(&self, outcomes: &[Outcome], case: &Case) -> bool {
        match self {
            Self::All(all) => all.iter().all(|condition| condition.holds(outcomes, case)),
            Self::Step { index, tests } => {
                let outcome = outcomes.get(*index);
                tests.iter().all(|test| test.holds(outcome, case))
            }
        }
    }

    /// Whether the condition says that silence is what it is about.
    pub(super) fn expects_silence(&self) -> bool {
        let Self::Step { tests, .. } = self else { return false };
        let is = |wanted: &dyn Fn(&Test) -> bool| tests.iter().any(wanted);
        is(&|test| matches!(test, Test::HasResponse(false)))
            && is(&|test| matches!(test, Test::State(states) if states.contains(&State::Silent)))
    }
}

impl Test {
    fn read(key: &str, value: &Value, ignores_case: bool, id: &str) -> Self {
        let word = |value: &Value| match value.as_str() {
            Some(word) => word.to_owned(),
            None => broken(key, value, id),
        };
        let flag = || value.as_bool().unwrap_or_else(|| broken(key, value, id));
        let count = || {
            let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
            count.unwrap_or_else(|| broken(key, value, id))
        };
        let words = || -> Vec<String> {
            let list = value.as_array().unwrap_or_else(|| broken(key, value, id));
            list.iter().map(word).collect()
        };
        let pair = || (word(&value[0]), word(&value[1]));
        let lower = || words().iter().map(|word| word.to_ascii_lowercase()).collect();
        let test = match key {
            "executed" => return Self::Executed(flag()),
            "response" => return Self::HasResponse(flag()),
            "state" => {
                return Self::State(words().iter().map(|name| State::read(name)).collect());
            }
            "status_lines_min" => return Self::StatusLinesAtLeast(count()),
            "status_lines_max" => return Self::StatusLinesAtMost(count()),
            "status" => ResponseTest::Status(words().iter().map(|word| range(word)).collect()),
            "header" => ResponseTest::Field(word(value)),
            "no_header" => ResponseTest::NoField(word(value)),
            "header_has" => ResponseTest::FieldHas(pair().0, pair().1.to_ascii_lowercase()),
            "header_is" => ResponseTest::FieldIs(pair().0, pair().1),
            "body_empty" => ResponseTest::ContentEmpty(flag()),
            "body_is" => ResponseTest::ContentIs(words()),
            "body_has" if ignores_case => ResponseTest::ContentHasIgnoringCase(lower()),
            "body_has_any" if ignores_case => ResponseTest::ContentHasAnyIgnoringCase(lower()),
            "body_has" => ResponseTest::ContentHas(words()),
            "body_has_any" => ResponseTest::ContentHasAny(words()),
            "raw_has" => ResponseTest::RawHas(words()),
            "raw_seq" => ResponseTest::RawSequence(words()),
            "raw_re" => {
                let regex = Regex::new(&format!("(?s){}", word(value)));
                ResponseTest::RawMatches(regex.unwrap_or_else(|error| panic!("{id}: {error}")))
            }
            "date_imf" => ResponseTest::DateField(word(value)),
            "norm" => ResponseTest::Spelling(match value.as_str() {
                Some("normalized") => Some(Spelling::Normalized),
                Some("preserved") => Some(Spelling::Preserved),
                Some(_) => broken(key, value, id),
                None => None,
            }),
            _ => panic!("{id}: there is no condition {key}"),
        };
        Self::Response(test)
    }

    fn holds(&self, outcome: Option<&Outcome>, case: &Case) -> bool {
        let response = outcome.and_then(|outcome| outcome.response.as_ref());
        let status_lines = response.map_or(0, Response::status_lines);
        match self {
            Self::Executed(wanted) => outcome.is_some_and(|outcome| outcome.executed) == *wanted,
            Self::HasResponse(wanted) => response.is_some() == *wanted,
            Self::State(states) => {
                states.contains(&outcome.map_or(State::Closed, |outcome| outcome.state))
            }
            Self::StatusLinesAtLeast(least) => status_lines >= *least,
            Self::StatusLinesAtMost(most) => status_lines <= *most,
            Self::Response(test) => response.is_some_and(|response| test.holds(response, case)),
        }
    }
}

impl ResponseTest {
    fn holds(&self, response: &Response, case: &Case) -> bool {
        let content = &response.content;
        let lower = || content.to_ascii_lowercase();
        let value = |name: &str| response.field(name).unwrap_or_default();
        match self {
            Self::Status(ranges) => ranges.iter().any(|range| range.contains(&response.status)),
            Self::Field(name) => response.field(name).is_some(),
            Self::NoField(name) => response.field(name).is_none(),
            Self::FieldHas(name, part) => value(name).to_ascii_lowercase().contains(part),
            Self::FieldIs(name, whole) => response.field(name) == Some(whole),
            Self::ContentEmpty(wanted) => content.is_empty() == *wanted,
            Self::ContentIs(contents) => contents.contains(&response.decoded()),
            Self::ContentHas(parts) => parts.iter().all(|part| content.contains(part)),
            Self::ContentHasAny(parts) => parts.iter().any(|part| content.contains(part)),
            Self::ContentHasIgnoringCase(parts) => parts.iter().all(|part| lower().contains(part)),
            Self::ContentHasAnyIgnoringCase(parts) => {
                parts.iter().any(|part| lower().contains(part))
            }
            Self::RawHas(parts) => parts.iter().all(|part| response.raw.contains(part)),
            Self::RawSequence(parts) => has_sequence(&response.raw, parts),
            Self::RawMatches(regex) => regex.is_match(&response.raw),
            Self::DateField(name) => is_date(value(name)),
            Self::Spelling(wanted) => {
                let watched = case.normalization.as_ref().expect("such a case watches a field");
                spelling(content, watched) == *wanted
            }
        }
    }
}

fn broken<T>(key: &str, value: &Value, id: &str) -> T {
    panic!("{id}: {key} cannot be {value}")
}

/// `200` or `200-299`
fn range(text: &str) -> RangeInclusive<u16> {
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{text} is no status"));
    match text.split_once('-') {
        Some((first, last)) => number(first)..=number(last),
        None => number(text)..=number(text),
    }
}

/// Whether the parts stand in the text one after the other.
fn has_sequence(text: &str, parts: &[String]) -> bool {
    let mut rest = text;
    parts.iter().all(|part| match rest.find(part.as_str()) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

/// Whether this is an IMF-fixdate that exists, with the weekday that it had.
fn is_date(value: &str) -> bool {
    dates::parse(value.as_bytes(), 0)
        .is_some_and(|seconds| dates::format_imf(seconds) == value.as_bytes())
}

/// What an echo of the received fields says about the spelling of the watched one.
fn spelling(echo: &str, watched: &Normalization) -> Option<Spelling> {
    let lines = echo.split('\n').filter_map(|line| line.split_once(':'));
    let names: Vec<&str> = lines
        .filter(|(name, value)| {
            let value = value.trim_start().trim_end_matches('\r');
            !name.is_empty() && value.eq_ignore_ascii_case(&watched.value)
        })
        .map(|(name, _)| name)
        .collect();
    let is_standard = |name: &&str| name.eq_ignore_ascii_case(&watched.standard);
    let is_sent = |name: &&str| name.eq_ignore_ascii_case(&watched.sent);
    if watched.case_sensitive {
        return names.iter().find_map(|name| match name {
            _ if *name == watched.sent => Some(Spelling::Preserved),
            _ if is_standard(name) => Some(Spelling::Normalized),
            _ => None,
        });
    }
    let normalized = |name: &&str| {
        (*name == watched.standard && *name != watched.sent)
            || (is_standard(name) && !is_sent(name))
    };
    if names.iter().any(normalized) {
        return Some(Spelling::Normalized);
    }
    names.iter().any(is_sent).then_some(Spelling::Preserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_keep_their_order() {
        let parts = |list: &[&str]| list.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        assert!(has_sequence("a b a c", &parts(&["a", "a", "c"])));
        assert!(!has_sequence("a b c", &parts(&["b", "a"])));
    }

    #[test]
    fn a_date_needs_its_weekday() {
        assert!(is_date("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert!(!is_date("Mon, 06 Nov 1994 08:49:37 GMT"));
        assert!(!is_date("Sunday, 06-Nov-94 08:49:37 GMT"));
    }

    #[test]
    fn spellings() {
        let mut watched = Normalization {
            sent: "Content_Length".into(),
            standard: "Content-Length".into(),
            value: "99".into(),
            case_sensitive: false,
        };
        let of = |echo: &str, watched: &Normalization| spelling(echo, watched);
        assert_eq!(of("Content-Length: 99\n", &watched), Some(Spelling::Normalized));
        assert_eq!(of("content_length: 99\r\n", &watched), Some(Spelling::Preserved));
        assert_eq!(of("Content-Length: 5\n", &watched), None);
        watched.case_sensitive = true;
        assert_eq!(of("content_length: 99\n", &watched), None);
    }

    #[test]
    #[should_panic(expected = "there is no condition sttaus")]
    fn a_condition_that_is_not_known_is_no_pass() {
        Condition::read(&serde_json::json!({ "sttaus": ["200"] }), "X");
    }
}
