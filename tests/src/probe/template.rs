//! Placeholders in what is sent.

use super::exchange::Outcome;

/// The bytes of a template: every code point of the text is one byte.
///
/// | placeholder | stands for |
/// |---|---|
/// | `{{HOST}}` | host and port of the server |
/// | `{{DEC:HOSTLEN+n}}`, `{{HEX:HOSTLEN+n}}` | the length of that plus n, decimal or hexadecimal |
/// | `{{REP:text*n}}` | the text n times |
/// | `{{HDRS:n}}` | n lines `X-H-0: value`, `X-H-1: value` and so on |
/// | `{{HDR:k:Name[:weak or :unquote]\|default}}` | a field of the answer to step k |
pub(super) fn expand(template: &str, host: &str, before: &[Outcome]) -> Vec<u8> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((plain, name, after)) = next_placeholder(rest) {
        text.push_str(plain);
        text.push_str(&replacement(name, host, before));
        rest = after;
    }
    text.push_str(rest);
    let byte = |letter| u8::try_from(u32::from(letter)).expect("templates are Latin-1");
    text.chars().map(byte).collect()
}

/// The text before a placeholder, its name, and the text after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let end = text.find("}}").filter(|end| text[..*end].contains("{{"));
    let Some(end) = end else {
        // Two closing braces before any opening ones are text.
        let start = text.find("{{")?;
        let end = start + text[start..].find("}}")?;
        return Some((&text[..start], &text[start + 2..end], &text[end + 2..]));
    };
    let start = text[..end].rfind("{{")?;
    Some((&text[..start], &text[start + 2..end], &text[end + 2..]))
}

fn replacement(name: &str, host: &str, before: &[Outcome]) -> String {
    let number = |text: &str| -> usize {
        text.parse().unwrap_or_else(|_| panic!("{{{{{name}}}}} has no number"))
    };
    match name.split_once(':') {
        None if name == "HOST" => host.to_owned(),
        Some(("DEC", rest)) => (host.len() + number(after_plus(rest))).to_string(),
        Some(("HEX", rest)) => format!("{:x}", host.len() + number(after_plus(rest))),
        Some(("REP", rest)) => {
            let (text, times) = rest.rsplit_once('*').expect("REP has a count");
            text.repeat(number(times))
        }
        Some(("HDRS", count)) => {
            (0..number(count)).map(|index| format!("X-H-{index}: value\r\n")).collect()
        }
        Some(("HDR", rest)) => field(rest, before),
        _ => panic!("{{{{{name}}}}} is no placeholder"),
    }
}

fn after_plus(text: &str) -> &str {
    text.strip_prefix("HOSTLEN+").expect("lengths are those of the host plus a number")
}

/// `k:Name[:weak|:unquote]|default`
fn field(description: &str, before: &[Outcome]) -> String {
    let (which, default) = description.split_once('|').expect("HDR has a default");
    let mut parts = which.split(':');
    let step: usize =
        parts.next().and_then(|step| step.parse().ok()).expect("HDR has the number of a step");
    let name = parts.next().expect("HDR has the name of a field");
    let response = before.get(step - 1).and_then(|outcome| outcome.response.as_ref());
    let Some(value) = response.and_then(|response| response.field(name)) else {
        return default.to_owned();
    };
    match parts.next() {
        Some("weak") if !value.starts_with("W/") => format!("W/{value}"),
        Some("unquote") => {
            let value = value.strip_prefix("W/").unwrap_or(value);
            let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            bare.unwrap_or(value).to_owned()
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(template: &str) -> String {
        String::from_utf8(expand(template, "h:80", &[])).unwrap()
    }

    #[test]
    fn placeholders() {
        assert_eq!(of("a{{HOST}}b{{HOST}}"), "ah:80bh:80");
        assert_eq!(of("{{DEC:HOSTLEN+10}} {{HEX:HOSTLEN+10}}"), "14 e");
        assert_eq!(of("{{REP:ab*3}}{{REP:**2}}"), "ababab**");
        assert_eq!(of("{{HDRS:2}}"), "X-H-0: value\r\nX-H-1: value\r\n");
        assert_eq!(of("{{HDR:1:ETag|\"x\"}}"), "\"x\"");
        assert_eq!(of("}} {a} {{HOST}}"), "}} {a} h:80");
    }

    #[test]
    fn code_points_are_bytes() {
        assert_eq!(expand("\u{ff}\u{0}", "", &[]), b"\xff\0");
    }
}
