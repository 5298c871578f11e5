//! A case as it stands in its file.

use serde_json::Value;

use super::condition::Condition;

/// One case, read and checked.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) category: String,
    pub(super) level: String,
    /// Whether a failure counts.
    pub(super) scored: bool,
    pub(super) description: String,
    /// What we want, for the report.
    pub(super) ideal: String,
    pub(super) steps: Vec<Step>,
    pub(super) rules: Vec<(Condition, Verdict)>,
    /// The verdict where no rule holds.
    pub(super) otherwise: Verdict,
    pub(super) normalization: Option<Normalization>,
}

/// What is sent before an answer is awaited.
#[derive(Debug)]
pub(super) struct Step {
    /// Templates of bytes, each with the pause in milliseconds after it.
    pub(super) parts: Vec<(String, u64)>,
    /// Whether no more is sent on this connection.
    pub(super) half_close: bool,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Warn,
    Fail,
    /// The case could not be carried out; counts as a failure.
    Error,
}

/// Which field name is watched for a change of spelling.
#[derive(Debug)]
pub(super) struct Normalization {
    pub(super) sent: String,
    pub(super) standard: String,
    pub(super) value: String,
    pub(super) case_sensitive: bool,
}

impl Case {
    /// Reads all cases of a file.
    ///
    /// # Panics
    ///
    /// With the case and the key that is missing or not known: a rule that is not understood must
    /// not be passed over.
    pub(super) fn all(file: &Value) -> Vec<Self> {
        let cases = file["cases"].as_array().expect("a file of cases has cases");
        cases.iter().map(Self::read).collect()
    }

    fn read(case: &Value) -> Self {
        let id = text(case, "id");
        let rule = |rule: &Value| (Condition::read(&rule["if"], &id), Verdict::read(&rule["then"]));
        Self {
            category: text(case, "category"),
            level: text(case, "level"),
            scored: case["scored"].as_bool().unwrap_or(true),
            description: text(case, "desc"),
            ideal: text(case, "ideal"),
            steps: list(case, "steps").iter().map(Step::read).collect(),
            rules: list(case, "rules").iter().map(rule).collect(),
            otherwise: case.get("else").map_or(Verdict::Fail, Verdict::read),
            normalization: case.get("norm").map(Normalization::read),
            id,
        }
    }
}

impl Step {
    fn read(step: &Value) -> Self {
        let part = |part: &Value| {
            let template = part[0].as_str().expect("a part has text").to_owned();
            (template, part[1].as_u64().expect("a part has a pause"))
        };
        let parts = match step.get("send_parts").and_then(Value::as_array) {
            Some(parts) => parts.iter().map(part).collect(),
            None => vec![(text(step, "send"), 0)],
        };
        Self { parts, half_close: step["half_close"].as_bool().unwrap_or(false) }
    }
}

impl Verdict {
    fn read(value: &Value) -> Self {
        match value.as_str() {
            Some("pass") => Self::Pass,
            Some("warn") => Self::Warn,
            Some("fail") => Self::Fail,
            Some("error") => Self::Error,
            _ => panic!("{value} is no verdict"),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

impl Normalization {
    fn read(value: &Value) -> Self {
        Self {
            sent: text(value, "sent"),
            standard: text(value, "standard"),
            value: text(value, "value"),
            case_sensitive: value["case_sensitive"].as_bool().unwrap_or(false),
        }
    }
}

/// The text under a key, empty where there is none.
fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    let list = value[key].as_array();
    list.unwrap_or_else(|| panic!("{} has no {key}", value["id"]))
}
