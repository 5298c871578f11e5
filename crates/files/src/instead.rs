//! What is sent where there is no file.

use std::fmt;

use crate::path::FilePath;

/// The files that are tried, in this order, for a path that names none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Instead {
    tried: Vec<Template>,
    /// The page of an application that knows its paths itself.
    single_page: Option<Vec<u8>>,
    /// The page that goes with a 404.
    pub(crate) not_found: Option<Vec<u8>>,
}

/// A path in which `{path}` stands for what was asked for.
#[derive(Clone, Debug)]
struct Template {
    before: Vec<u8>,
    /// What stands behind the placeholder; nothing where there is none.
    after: Option<Vec<u8>>,
}

/// A setting that is no path of a file below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoFile(String);

impl Instead {
    pub(crate) fn new(
        tried: &[String],
        single_page: Option<&str>,
        not_found: Option<&str>,
    ) -> Result<Self, NoFile> {
        Ok(Self {
            tried: tried.iter().map(|text| Template::parse(text)).collect::<Result<_, _>>()?,
            single_page: single_page.map(file).transpose()?,
            not_found: not_found.map(file).transpose()?,
        })
    }

    /// The paths to look at for one that named nothing. Hidden paths have no substitute.
    pub(crate) fn of(&self, path: &FilePath<'_>) -> impl Iterator<Item = FilePath<'static>> {
        let is_visible = !path.is_hidden();
        let tried = self.tried.iter().map(|template| template.fill(path));
        // A name with an ending is that of a file, and one that is missing should be seen to be.
        let is_page = !path.is_folder() && path.name().contains(&b'.');
        let single_page = self.single_page.iter().filter(move |_| !is_page).cloned();
        tried.chain(single_page).filter(move |_| is_visible).filter_map(FilePath::from_clean)
    }
}

impl Template {
    fn parse(text: &str) -> Result<Self, NoFile> {
        // With a name in its place the placeholder leads to a path that can be checked.
        file(&text.replace(PLACE, "x")).map_err(|_| NoFile(text.to_owned()))?;
        let relative = text.strip_prefix('/').unwrap_or(text);
        let (before, after) = match relative.split_once(PLACE) {
            Some((before, after)) => (before, Some(after.as_bytes().to_vec())),
            None => (relative, None),
        };
        // `/{path}` and `{path}` are the same, since paths begin at the root.
        Ok(Self { before: before.as_bytes().to_vec(), after })
    }

    fn fill(&self, path: &FilePath<'_>) -> Vec<u8> {
        match &self.after {
            Some(after) => [&self.before, path.as_bytes(), after].concat(),
            None => self.before.clone(),
        }
    }
}

/// A path of a file, as a person writes it, with or without a slash before it.
fn file(text: &str) -> Result<Vec<u8>, NoFile> {
    let relative = text.strip_prefix('/').unwrap_or(text).as_bytes().to_vec();
    match FilePath::from_clean(relative.clone()) {
        Some(path) if !path.is_folder() => Ok(relative),
        _ => Err(NoFile(text.to_owned())),
    }
}

impl fmt::Display for NoFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not the path of a file in the folder", self.0)
    }
}

impl std::error::Error for NoFile {}

const PLACE: &str = "{path}";

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(instead: &Instead, path: &str) -> Vec<String> {
        let path = FilePath::parse(path).unwrap();
        let text = |path: FilePath<'_>| String::from_utf8(path.key().to_vec()).unwrap();
        instead.of(&path).map(text).collect()
    }

    #[test]
    fn templates_are_tried_in_order() {
        let templates = ["{path}.html".to_owned(), "/x/{path}/y".to_owned(), "last".to_owned()];
        let instead = Instead::new(&templates, None, None).unwrap();
        assert_eq!(tried(&instead, "/a/b"), ["a/b.html", "x/a/b/y", "last"]);
        assert_eq!(tried(&instead, "/a/b/"), ["a/b.html", "x/a/b/y", "last"]);
        assert_eq!(tried(&instead, "/a/.b"), [""; 0]);
    }

    #[test]
    fn a_single_page_stands_for_names_without_ending() {
        let instead = Instead::new(&[], Some("/app/index.html"), None).unwrap();
        for path in ["/users/7", "/a.b/c", "/a.b/"] {
            assert_eq!(tried(&instead, path), ["app/index.html"], "{path}");
        }
        assert_eq!(tried(&instead, "/missing.js"), [""; 0]);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        for text in ["", "/", "a/", "../a", "a/../b", "a//b", "/./a", "a\0b"] {
            assert!(Instead::new(&[], Some(text), None).is_err(), "{text:?}");
            assert!(Instead::new(&[], None, Some(text)).is_err(), "{text:?}");
            assert!(Instead::new(&[text.to_owned()], None, None).is_err(), "{text:?}");
        }
    }
}
