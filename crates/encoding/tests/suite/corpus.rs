//! The cases of `tests/corpus/encodings.json`: own ones, and test data of google/brotli (MIT) and
//! facebook/zstd (BSD); each case names its source.
//!
//! `AVOCET_CORPUS` names another folder with a file of that name and form.

use std::path::PathBuf;
use std::{env, fs};

use avocet_encoding::{Coding, ContentCodings, DecodeError, Limits};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::pieces::{Random, decode_any_cut};

#[test]
fn corpus_of_encodings_whole_by_bytes_and_in_random_pieces() {
    let mut random = Random::from_environment();
    let folder = env::var_os("AVOCET_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus"),
        PathBuf::from,
    );
    let text = fs::read(folder.join("encodings.json")).expect("the corpus can be read");
    let corpus: Value = serde_json::from_slice(&text).expect("the corpus is JSON");
    let cases = corpus["cases"].as_array().expect("the corpus has cases");
    assert!(!cases.is_empty());

    let mut failures = Vec::new();
    let mut run = 0;
    for case in cases {
        let id = case["id"].as_str().expect("a case has an id");
        let coding = case["coding"].as_str().expect("a case has a coding");
        let input = case["input_b64"].as_str().expect("a case has input");
        let input = STANDARD.decode(input).expect("the input is base64");
        println!("{id}: {coding}, {} bytes", input.len());
        let outcome = match ContentCodings::parse([coding.as_bytes()]) {
            Ok(codings) if !codings.as_slice().iter().all(|coding| coding.is_built_in()) => {
                continue;
            }
            Ok(codings) => decode_any_cut(&codings, Limits::default(), &input, &mut random),
            Err(error) => Err(error),
        };
        run += 1;
        check(case, &outcome).unwrap_or_else(|why| failures.push(format!("{id}: {why}")));
    }
    assert!(failures.is_empty(), "{failures:#?}");
    let has_all = Coding::ALL.iter().all(|coding| coding.is_built_in());
    assert!(!has_all || run == cases.len(), "only {run} of {} cases were run", cases.len());
}

fn check(case: &Value, outcome: &Result<Vec<u8>, DecodeError>) -> Result<(), String> {
    match (case["expect"].as_str(), outcome) {
        (Some("either"), Err(_)) => Ok(()),
        (Some("either"), Ok(_)) if case["out_sha256"].is_null() => Ok(()),
        (Some("error"), Err(_)) => Ok(()),
        (Some("error"), Ok(content)) => Err(format!("{} bytes instead of an error", content.len())),
        (Some("ok" | "either"), Ok(content)) => {
            let digest: String =
                Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
            if case["out_len"].as_u64() != Some(content.len() as u64) {
                Err(format!("{} bytes instead of {}", content.len(), case["out_len"]))
            } else if case["out_sha256"].as_str() != Some(&digest) {
                Err(format!("digest {digest} instead of {}", case["out_sha256"]))
            } else {
                Ok(())
            }
        }
        (Some("ok"), Err(error)) => Err(error.to_string()),
        (other, _) => Err(format!("the case expects {other:?}")),
    }
}
