//! `--format json`: an answer as one object.

use avocet::semantics::base64;
use serde_json::{Value, json};

use super::write_out::{self, Facts};

/// The variables of -w, and with them the fields, the redirects and the content: as text, or coded
/// where it is none.
pub(super) fn object(facts: &Facts<'_>, content: Option<&[u8]>) -> Value {
    let mut object = write_out::json(facts);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some(head) = facts.head {
        let fields: Vec<Value> =
            head.fields().iter().map(|(name, value)| json!([name, text(value)])).collect();
        object["fields"] = fields.into();
        object["reason"] = text(head.reason()).into();
    }
    if let Some(report) = facts.report {
        let redirects = report
            .history
            .iter()
            .map(|past| json!({ "url": past.url.as_str(), "status": past.status.as_u16() }));
        object["redirects"] = redirects.collect();
    }
    match content.map(|bytes| std::str::from_utf8(bytes).map_err(|_| base64::encode(bytes))) {
        None => {}
        Some(Ok(text)) => object["content"] = text.into(),
        Some(Err(coded)) => object["content_base64"] = coded.into(),
    }
    object
}
