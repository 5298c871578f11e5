//! The pages of error responses.

use std::collections::HashMap;

use avocet_semantics::{accept, status};
use http::StatusCode;

use crate::escape::{escape_html, escape_json};

/// Makes the content of error responses from templates. `{code}`, `{message}` and `{explain}` are
/// replaced; what is put in for them is escaped for HTML or JSON when the type of the page is one
/// of these.
///
/// By default the page is HTML, and `application/problem+json` for clients whose Accept prefers it.
/// A response whose status forbids content (204, 205, 304) has none.
///
/// *Spec*: RFC 9110 §15; RFC 9457 for the JSON form.
///
/// ```
/// use avocet_server::ErrorPages;
/// use http::StatusCode;
///
/// let pages = ErrorPages::template("text/plain", "{code} {message}: {explain}\n");
/// let page = pages.render(StatusCode::NOT_FOUND, Some("no such bird"));
/// assert_eq!(page, "404 Not Found: no such bird\n");
/// ```
#[derive(Clone, Debug)]
pub struct ErrorPages {
    usual: Template,
    by_status: HashMap<u16, Template>,
    json: Option<Template>,
}

#[derive(Clone, Debug)]
struct Template {
    content_type: String,
    text: String,
    escape: fn(&str, &mut String),
}

impl ErrorPages {
    /// One template for every error and every client.
    pub fn template(content_type: impl Into<String>, text: impl Into<String>) -> Self {
        let usual = Template::new(content_type.into(), text.into());
        Self { usual, by_status: HashMap::new(), json: None }
    }

    /// Another template for one status.
    #[must_use]
    pub fn with_status(
        mut self,
        status: StatusCode,
        content_type: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        let template = Template::new(content_type.into(), text.into());
        self.by_status.insert(status.as_u16(), template);
        self
    }

    /// JSON for clients whose Accept prefers `application/problem+json` or `application/json` to
    /// the type of the usual template.
    #[must_use]
    pub fn with_json(mut self) -> Self {
        self.json = Some(Template::new(PROBLEM.into(), JSON.into()));
        self
    }

    /// The media type of the page of a status.
    pub fn content_type(&self, status: StatusCode) -> &str {
        &self.of(status).content_type
    }

    /// The page of a status, with the usual explanation unless another is given.
    pub fn render(&self, status: StatusCode, explanation: Option<&str>) -> String {
        self.of(status).render(status, explanation)
    }

    /// Whether a client with this Accept field gets JSON; `None` where the field has no say.
    pub(crate) fn prefers_json(&self, accept: Option<&[u8]>) -> Option<bool> {
        self.json.as_ref()?;
        let offers = [self.usual.content_type.as_str(), PROBLEM, "application/json"];
        let preferred = accept.and_then(|accept| accept::preferred(accept, &offers));
        Some(preferred.is_some_and(|index| index > 0))
    }

    /// The media type and the page of a status, in JSON or not.
    pub(crate) fn page(
        &self,
        status: StatusCode,
        explanation: Option<&str>,
        json: bool,
    ) -> (&str, String) {
        let template = self.json.as_ref().filter(|_| json).unwrap_or_else(|| self.of(status));
        (&template.content_type, template.render(status, explanation))
    }

    fn of(&self, status: StatusCode) -> &Template {
        self.by_status.get(&status.as_u16()).unwrap_or(&self.usual)
    }
}

impl Template {
    fn new(content_type: String, text: String) -> Self {
        let escape = if content_type.contains("html") || content_type.contains("xml") {
            escape_html
        } else if content_type.contains("json") {
            |text: &str, page: &mut String| escape_json(text.as_bytes(), page)
        } else {
            |text: &str, page: &mut String| page.push_str(text)
        };
        Self { content_type, text, escape }
    }

    fn render(&self, status: StatusCode, explanation: Option<&str>) -> String {
        let explanation = explanation.unwrap_or_else(|| status::explanation(status));
        let mut page = String::with_capacity(self.text.len() + explanation.len() + 32);
        let mut rest = self.text.as_str();
        while let Some(start) = rest.find('{') {
            page.push_str(&rest[..start]);
            rest = &rest[start..];
            let values = [
                ("{code}", status.as_str()),
                ("{message}", status::reason(status)),
                ("{explain}", explanation),
            ];
            match values.iter().find(|(marker, _)| rest.starts_with(marker)) {
                Some((marker, value)) => {
                    (self.escape)(value, &mut page);
                    rest = &rest[marker.len()..];
                }
                None => {
                    page.push('{');
                    rest = &rest[1..];
                }
            }
        }
        page.push_str(rest);
        page
    }
}

impl Default for ErrorPages {
    fn default() -> Self {
        Self::template("text/html; charset=utf-8", PAGE).with_json()
    }
}

const PROBLEM: &str = "application/problem+json";

const JSON: &str = "{\"type\":\"about:blank\",\"title\":\"{message}\",\"status\":{code},\"detail\":\"{explain}\"}\n";

const PAGE: &str = "<!DOCTYPE html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>{code} {message}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:4em auto;padding:0 1em}</style>
<h1>{code} {message}</h1>
<p>{explain}</p>
</html>
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_other_braces_kept() {
        let pages = ErrorPages::template("text/html", "<a>{explain} {other} {code}{</a>");
        let page = pages.render(StatusCode::GONE, Some("<&\"'>{code}"));
        assert_eq!(page, "<a>&lt;&amp;&quot;&#39;&gt;{code} {other} 410{</a>");
    }

    #[test]
    fn json_is_escaped_and_chosen_by_accept() {
        let pages = ErrorPages::default();
        let (content_type, page) = pages.page(StatusCode::GONE, Some("a \"b\"\n"), true);
        assert_eq!(content_type, "application/problem+json");
        let expected =
            r#"{"type":"about:blank","title":"Gone","status":410,"detail":"a \"b\"\u000a"}"#;
        assert_eq!(page.trim_end(), expected);
        let prefers = |accept: &str| pages.prefers_json(Some(accept.as_bytes()));
        assert_eq!(prefers("application/json"), Some(true));
        assert_eq!(prefers("application/problem+json, text/html;q=0.9"), Some(true));
        for html in ["*/*", "text/html, application/json;q=0.9", "image/png", "", ";;"] {
            assert_eq!(prefers(html), Some(false), "{html}");
        }
        assert_eq!(pages.prefers_json(None), Some(false));
        let plain = ErrorPages::template("text/plain", "{code}");
        assert_eq!(plain.prefers_json(Some(b"application/json")), None);
    }

    #[test]
    fn a_status_may_have_its_own_page() {
        let pages = ErrorPages::default().with_status(StatusCode::NOT_FOUND, "text/plain", "gone");
        assert_eq!(pages.render(StatusCode::NOT_FOUND, None), "gone");
        assert_eq!(pages.content_type(StatusCode::NOT_FOUND), "text/plain");
        assert!(pages.render(StatusCode::FORBIDDEN, None).contains("<h1>403 Forbidden</h1>"));
    }
}
