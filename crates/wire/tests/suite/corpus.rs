//! The corpora in `tests/corpus`, or in the folder that `AVOCET_CORPUS` names: cases of other parsers, as data.

use std::path::PathBuf;
use std::{env, fs};

use serde_json::Value;

/// The cases of one file. A file that is missing, or holds no case, is an error.
pub(crate) fn load(file: &str) -> Vec<Value> {
    let folder = env::var_os("AVOCET_CORPUS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpus")),
        PathBuf::from,
    );
    let path = folder.join(file);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut file: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let Some(Value::Array(cases)) = file.get_mut("cases").map(Value::take) else {
        panic!("{} has no cases", path.display());
    };
    assert!(!cases.is_empty(), "{} has no cases", path.display());
    cases
}

/// A text field of a case; empty if there is none.
pub(crate) fn text<'c>(case: &'c Value, name: &str) -> &'c str {
    case.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A truth field of a case; false if there is none.
pub(crate) fn flag(case: &Value, name: &str) -> bool {
    case.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// A list field of a case; empty if there is none.
pub(crate) fn list<'c>(case: &'c Value, name: &str) -> &'c [Value] {
    case.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The bytes that a text of the corpora stands for: each character is one byte.
pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("the corpora are latin-1")).collect()
}

/// Name and value of a field as the corpora write it.
pub(crate) fn field(pair: &Value) -> (String, Vec<u8>) {
    let part = |at: usize| pair.get(at).and_then(Value::as_str).unwrap_or_default();
    (part(0).to_owned(), latin1(part(1)))
}

/// Runs `check` on every case and reports all that fail, by their ids.
pub(crate) fn check_all(cases: &[Value], mut check: impl FnMut(&Value) -> Result<(), String>) {
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|why| format!("{}: {why}", text(case, "id"))))
        .collect();
    assert!(failures.is_empty(), "{} cases:\n{}", failures.len(), failures.join("\n"));
}
