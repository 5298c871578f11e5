//! Passwords by origin, path and realm.

use url::{Origin, Url};

use super::{Credentials, Passwords};

/// Passwords that a program knows, each for an origin, and there for all paths, for those below one,
/// or for one realm.
///
/// ```
/// use avocet_client::{Credentials, Passwords, Vault};
/// use url::Url;
///
/// let mut vault = Vault::new();
/// vault.add(&Url::parse("https://h/wiki/")?, Some("wiki"), Credentials::new("me", "word"));
/// assert!(vault.find(&Url::parse("https://h/wiki/page")?, Some("wiki")).is_some());
/// assert!(vault.find(&Url::parse("https://h/wiki/page")?, Some("shop")).is_none());
/// assert!(vault.find(&Url::parse("http://h/wiki/page")?, Some("wiki")).is_none());
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Vault(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    origin: Origin,
    /// With a slash at its end.
    path: String,
    realm: Option<String>,
    credentials: Credentials,
}

impl Vault {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// One for a whole origin.
    pub fn of_origin(url: &Url, credentials: Credentials) -> Self {
        let mut vault = Self::new();
        let mut root = url.clone();
        root.set_path("/");
        vault.add(&root, None, credentials);
        vault
    }

    /// Adds one for the origin of a URL, below the folder of its path, and for one realm if there
    /// is one.
    pub fn add(&mut self, url: &Url, realm: Option<&str>, credentials: Credentials) {
        let path = url.path();
        let folder = path.rfind('/').map_or("/", |end| &path[..=end]).to_owned();
        let realm = realm.map(str::to_owned);
        self.0.push(Entry { origin: url.origin(), path: folder, realm, credentials });
    }
}

impl Passwords for Vault {
    /// The one of the longest path that fits; before the server has named its realm those for any.
    fn find(&self, url: &Url, realm: Option<&str>) -> Option<Credentials> {
        let origin = url.origin();
        let fits = |entry: &&Entry| {
            entry.origin == origin
                && url.path().starts_with(&entry.path)
                && entry.realm.as_deref().is_none_or(|wanted| Some(wanted) == realm)
        };
        let best = self
            .0
            .iter()
            .filter(fits)
            .max_by_key(|entry| (entry.path.len(), entry.realm.is_some()));
        best.map(|entry| entry.credentials.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a url")
    }

    #[test]
    fn the_longest_path_and_the_named_realm_go_first() {
        let mut vault = Vault::of_origin(&url("http://h/deep/page"), Credentials::new("all", ""));
        vault.add(&url("http://h/a/x"), None, Credentials::new("a", ""));
        vault.add(&url("http://h/a/"), Some("r"), Credentials::new("a-r", ""));
        vault.add(&url("http://h:81/"), None, Credentials::new("other", ""));
        let name = |address: &str, realm| {
            vault.find(&url(address), realm).map(|found| found.name().to_owned())
        };
        assert_eq!(name("http://h/", None).as_deref(), Some("all"));
        assert_eq!(name("http://h/ab", None).as_deref(), Some("all"));
        assert_eq!(name("http://h/a/b/c", None).as_deref(), Some("a"));
        assert_eq!(name("http://h/a/b", Some("r")).as_deref(), Some("a-r"));
        assert_eq!(name("http://h/a/b", Some("s")).as_deref(), Some("a"));
        assert_eq!(name("http://h:81/a/", None).as_deref(), Some("other"));
        assert_eq!(name("https://h/a/", None), None);
        assert_eq!(name("http://x.h/a/", None), None);
    }
}
