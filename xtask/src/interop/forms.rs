//! Forms, JSON and uploads, taken apart by Python's standard library.

use super::lab::{Lab, program};
use super::noise::Noise;
use super::servers;
use crate::Outcome;

/// Names and values that need every kind of escaping.
const ODD: &str = "a&b=c+d %\u{e4}\u{20ac};\"q\"";

pub(super) fn run(lab: &Lab) -> Outcome {
    let picture = lab.write("picture.png", Noise::new(2).bytes(300_000))?;
    let digest = lab.run("sha256sum", &["picture.png"])?.ended(0)?.text();
    let digest = digest.split(' ').next().unwrap_or_default().to_owned();
    let pages = servers::pages(lab)?;
    let url = pages.url("/");
    let odd = format!("odd={ODD}");
    let json_odd = "a&b=c+d %\\u00e4\\u20ac;\\\"q\\\"";

    let call = ["fetch", "-d", "plain=1", "--data-urlencode", &odd, &url];
    let expected = format!(r#"[["plain", "1"], ["odd", "{json_odd}"]]"#);
    lab.avocet(&call)?.ended(0)?.printed(expected.as_bytes())?;
    let query = pages.url("/query");
    let call = ["fetch", "-G", "-d", "plain=1", "--data-urlencode", &odd, &query];
    lab.avocet(&call)?.ended(0)?.printed(expected.as_bytes())?;
    println!("urlencoded, in content and in the query");

    let path = picture.to_string_lossy();
    let field = format!("text={ODD}");
    let parts = [
        format!("picture=@{path};type=image/png"),
        format!("named=@{path};filename=\u{e4} \"b\".png"),
    ];
    let call = ["fetch", "--form-string", &field, "-F", &parts[0], "-F", &parts[1], &url];
    let ran = lab.avocet(&call)?.ended(0)?;
    let script = "
import json, sys
digest, odd = sys.argv[2:]
parts = {part['name']: part for part in json.loads(sys.argv[1])}
assert sorted(parts) == ['named', 'picture', 'text'], parts
assert parts['text']['value'] == odd and parts['text']['filename'] is None, parts
assert all(parts[name]['sha256'] == digest for name in ('picture', 'named')), parts
assert parts['picture']['filename'] == 'picture.png', parts
assert all(parts[name]['type'] == 'image/png' for name in ('picture', 'named')), parts
# Browsers write a quote in a name as %22.
assert parts['named']['filename'] == '\\u00e4 %22b%22.png', parts
";
    lab.python(script, &[&ran.text(), &digest, ODD])?.ended(0)?;
    println!("multipart/form-data with files");

    let call = ["fetch", "--json", r#"{"a": [1, "\u00e4"]}"#, &url];
    lab.avocet(&call)?.ended(0)?.printed(br#"{"a": [1, "\u00e4"]}"#)?;
    let call = ["fetch", "-T", &path, &url];
    lab.avocet(&call)?.ended(0)?.printed(digest.as_bytes())?;
    // Of a pipe nobody knows the length, so it goes in chunks.
    let piped = format!("cat {path} | {} fetch -T - {url}", program().display());
    lab.run("sh", &["-c", &piped])?.ended(0)?.printed(digest.as_bytes())?;
    println!("JSON, and files by PUT");
    Ok(())
}
