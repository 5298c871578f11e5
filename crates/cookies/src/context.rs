//! What the caller knows of a request and a cookie jar cannot: who caused it, and for whom.

use url::Url;

use crate::host::schemeful_site;

/// The circumstances of a request, as SameSite, HttpOnly and Partitioned ask for them.
///
/// The default is what a program that fetches on behalf of its user does: a same-site request of
/// the top level through HTTP.
///
/// *Spec*: RFC 6265bis §5.2, §5.8.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    pub(crate) same_site: bool,
    pub(crate) top_level: bool,
    pub(crate) safe_method: bool,
    pub(crate) script: bool,
    pub(crate) top_level_site: Option<Box<str>>,
}

impl Context {
    /// A same-site request of the top level.
    pub fn new() -> Self {
        Self {
            same_site: true,
            top_level: true,
            safe_method: true,
            script: false,
            top_level_site: None,
        }
    }

    /// A request that another site caused and that is no navigation, such as an image or a frame.
    pub fn cross_site() -> Self {
        Self { same_site: false, top_level: false, ..Self::new() }
    }

    /// A navigation of the top level that another site caused, such as a followed link.
    /// `safe_method` says whether its method is safe (RFC 9110 §9.2.1); SameSite=Lax asks.
    pub fn cross_site_navigation(safe_method: bool) -> Self {
        Self { same_site: false, safe_method, ..Self::new() }
    }

    /// The context of a request for `url` that `initiator` caused. No initiator means the user.
    pub fn of_request(
        url: &Url,
        initiator: Option<&Url>,
        top_level: bool,
        safe_method: bool,
    ) -> Self {
        let same_site = initiator.is_none_or(|from| {
            let from = schemeful_site(from);
            from.is_some() && from == schemeful_site(url)
        });
        Self { same_site, top_level, safe_method, ..Self::new() }
    }

    /// The same for a script that reads or writes cookies without HTTP ("non-HTTP API").
    #[must_use]
    pub fn through_script(mut self) -> Self {
        self.script = true;
        self
    }

    /// Names the page of the top level, whose site is the key of partitioned cookies. Without it
    /// each URL is its own top level.
    #[must_use]
    pub fn under(mut self, top_level: &Url) -> Self {
        self.top_level_site = schemeful_site(top_level).map(Into::into);
        self
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, from: Option<&str>) -> bool {
        let url = Url::parse(url).unwrap();
        let from = from.map(|from| Url::parse(from).unwrap());
        Context::of_request(&url, from.as_ref(), true, true).same_site
    }

    #[test]
    fn same_site_goes_by_scheme_and_registrable_domain() {
        assert!(of("https://a.example.com/", None));
        assert!(of("https://a.example.com/", Some("https://b.example.com:8443/")));
        assert!(!of("https://a.example.com/", Some("http://a.example.com/")));
        assert!(!of("https://a.github.io/", Some("https://b.github.io/")));
        assert!(!of("https://example.com/", Some("data:,x")));
        assert!(!of("data:,y", Some("data:,x")));
    }
}
