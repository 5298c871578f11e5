//! The pages of error responses.

use std::collections::HashMap;

use avocet_semantics::status;
use http::StatusCode;

/// Makes the content of error responses from templates. `{code}`, `{message}` and `{explain}` are
/// replaced; what is put in for them is escaped for HTML when the type of the page is HTML.
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
}

#[derive(Clone, Debug)]
struct Template {
    content_type: String,
    text: String,
}

impl ErrorPages {
    /// One template for every error.
    pub fn template(content_type: impl Into<String>, text: impl Into<String>) -> Self {
        let usual = Template { content_type: content_type.into(), text: text.into() };
        Self { usual, by_status: HashMap::new() }
    }

    /// Another template for one status.
    #[must_use]
    pub fn with_status(
        mut self,
        status: StatusCode,
        content_type: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        let template = Template { content_type: content_type.into(), text: text.into() };
        self.by_status.insert(status.as_u16(), template);
        self
    }

    /// The media type of the page of a status.
    pub fn content_type(&self, status: StatusCode) -> &str {
        &self.of(status).content_type
    }

    /// The page of a status, with the usual explanation unless another is given.
    pub fn render(&self, status: StatusCode, explanation: Option<&str>) -> String {
        let template = self.of(status);
        let html = template.content_type.contains("html");
        let explanation = explanation.unwrap_or_else(|| status::explanation(status));
        let mut page = String::with_capacity(template.text.len() + explanation.len() + 32);
        let mut rest = template.text.as_str();
        while let Some(start) = rest.find('{') {
            page.push_str(&rest[..start]);
            rest = &rest[start..];
            let (value, marker) = if rest.starts_with("{code}") {
                (status.as_str(), "{code}")
            } else if rest.starts_with("{message}") {
                (status::reason(status), "{message}")
            } else if rest.starts_with("{explain}") {
                (explanation, "{explain}")
            } else {
                ("{", "{")
            };
            if html && marker.len() > 1 {
                escape_html(value, &mut page);
            } else {
                page.push_str(value);
            }
            rest = &rest[marker.len()..];
        }
        page.push_str(rest);
        page
    }

    fn of(&self, status: StatusCode) -> &Template {
        self.by_status.get(&status.as_u16()).unwrap_or(&self.usual)
    }
}

impl Default for ErrorPages {
    fn default() -> Self {
        Self::template("text/html; charset=utf-8", PAGE)
    }
}

fn escape_html(text: &str, page: &mut String) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            _ => page.push(character),
        }
    }
}

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
    fn a_status_may_have_its_own_page() {
        let pages = ErrorPages::default().with_status(StatusCode::NOT_FOUND, "text/plain", "gone");
        assert_eq!(pages.render(StatusCode::NOT_FOUND, None), "gone");
        assert_eq!(pages.content_type(StatusCode::NOT_FOUND), "text/plain");
        assert!(pages.render(StatusCode::FORBIDDEN, None).contains("<h1>403 Forbidden</h1>"));
    }
}
