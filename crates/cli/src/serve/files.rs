//! How files are served.

use avocet::files::{Folder, Links, Types};
use clap::Args;
use http::HeaderName;

/// Options about files.
#[derive(Args)]
#[command(next_help_heading = "Files")]
pub(super) struct Files {
    /// File that stands for its folder, any number of times, best first
    #[arg(long, value_name = "NAME", default_values = ["index.html", "index.htm"])]
    index: Vec<String>,
    /// Answer 404 for folders without such a file, and list none
    #[arg(long)]
    no_listing: bool,
    /// Show files and folders whose names begin with a dot
    #[arg(long)]
    hidden: bool,
    /// Follow symbolic links that lead out of the folder
    #[arg(long)]
    follow_symlinks: bool,
    /// Send the page PATH for every path that names no file and has no ending: for applications
    /// that know their paths themselves. No folder is listed then
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "index.html")]
    spa: Option<String>,
    /// Path to try where there is no file, any number of times; {path} is what was asked for
    #[arg(long, value_name = "PATH")]
    try_files: Vec<String>,
    /// Page to send with 404
    #[arg(long = "404", value_name = "PATH")]
    not_found: Option<String>,
    /// Media type of files by the ending of their names, as .gmi=text/gemini, any number of times
    #[arg(long, alias = "type", value_name = "EXT=TYPE", value_parser = pair)]
    mime: Vec<(String, String)>,
    /// Charset of text; `off` says none
    #[arg(long, value_name = "NAME", default_value = "utf-8")]
    charset: String,
    /// Send files as they are: no compression, unless a compressed file lies beside
    #[arg(long)]
    no_compress: bool,
    /// Keep what is compressed here beside its file, and make it anew when the file changes
    #[arg(long, conflicts_with_all = ["no_compress", "no_precompressed"])]
    sidecars: bool,
    /// Send files as their difference from a version that the browser has (dcz, dcb of RFC 9842):
    /// over https and on localhost, for files that may be kept by their Cache-Control or their age
    #[arg(long, conflicts_with = "no_compress")]
    dictionaries: bool,
    /// Ignore compressed files (.zst, .br, .gz) that lie beside others
    #[arg(long)]
    no_precompressed: bool,
    /// Field of every response, any number of times; with a pattern and a blank before it, as
    /// '*.wasm X-A: b' or '/app/* X-A: b', of what matches that
    #[arg(long, value_name = "[PATTERN ]NAME: VALUE", value_parser = field)]
    header: Vec<Field>,
    /// Tell browsers not to guess types, and keep pages of other sites from framing what is served,
    /// from loading it (unless --cors) and from reaching its windows
    #[arg(long)]
    security_headers: bool,
    /// Cache-Control of files that match a pattern, as *.css=max-age=3600, any number of times; the
    /// first that matches counts
    #[arg(long, value_name = "PATTERN=VALUE", value_parser = pair)]
    cache_control: Vec<(String, String)>,
    /// Send folders as zip or tar when they are asked for with ?archive=zip or ?archive=tar
    #[arg(long)]
    download_folders: bool,
    /// Let scripts of every origin read what is served
    #[arg(long)]
    cors: bool,
}

impl Files {
    /// Nothing is sent compressed.
    pub(super) fn as_they_are(&mut self) {
        self.no_compress = true;
        self.no_precompressed = true;
    }

    pub(super) fn set(self, folder: Folder) -> Folder {
        let mut folder = folder
            .types(self.types())
            .index(self.index)
            .listing(!self.no_listing && self.spa.is_none())
            .hidden(self.hidden)
            .try_files(self.try_files)
            .compress(!self.no_compress)
            .precompressed(!self.no_precompressed)
            .sidecars(self.sidecars)
            .dictionaries(self.dictionaries)
            .archives(self.download_folders)
            .security_fields(self.security_headers)
            .cors(self.cors);
        if self.follow_symlinks {
            folder = folder.links(Links::Anywhere);
        }
        if let Some(page) = self.spa {
            folder = folder.single_page(page);
        }
        if let Some(page) = self.not_found {
            folder = folder.not_found(page);
        }
        for Field { pattern, name, value } in self.header {
            folder = match pattern {
                Some(pattern) => folder.field_at(pattern, name, value),
                None => folder.field(name, value),
            };
        }
        for (pattern, value) in self.cache_control {
            folder = folder.cache_control(pattern, value);
        }
        folder
    }

    fn types(&self) -> Types {
        let charset = (self.charset != "off").then_some(self.charset.as_str());
        let types = Types::default().with_charset(charset);
        let add =
            |types: Types, (ending, name): &(String, String)| types.with(ending, name.as_str());
        let types = self.mime.iter().fold(types, add);
        match std::fs::read_to_string(TABLE) {
            Ok(table) => types.with_table(&table),
            // Few systems have one, and the built-in table knows what is common.
            Err(_) => types,
        }
    }
}

/// Two parts around the first equals sign.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (left, right) = text.split_once('=').ok_or("there is no = in it")?;
    if left.is_empty() || right.is_empty() {
        return Err("one side of the = is empty".to_owned());
    }
    Ok((left.to_owned(), right.to_owned()))
}

/// A field, and what has it: everything, or what matches a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    pattern: Option<String>,
    name: HeaderName,
    value: String,
}

/// No name of a field has a blank in it, so that what stands before one is a pattern. A pattern may hold
/// a colon.
fn field(text: &str) -> Result<Field, String> {
    let first = text.find([' ', '\t', ':']).ok_or("there is no colon in it")?;
    let is_plain = text[first..].starts_with(':') && !text[..first].contains(['/', '*']);
    let (pattern, rest) = if is_plain {
        (None, text)
    } else {
        let (pattern, rest) = text.split_once([' ', '\t']).ok_or("no field follows the pattern")?;
        if pattern.is_empty() {
            return Err("it begins with a blank".to_owned());
        }
        (Some(pattern.to_owned()), rest.trim_start())
    };
    let (name, value) = rest.split_once(':').ok_or("there is no colon in it")?;
    let name = name.parse::<HeaderName>().map_err(|error| error.to_string())?;
    Ok(Field { pattern, name, value: value.trim().to_owned() })
}

/// Where systems keep their table of media types.
const TABLE: &str = "/etc/mime.types";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_fields_have_two_sides() {
        let both = |left: &str, right: &str| Ok((left.to_owned(), right.to_owned()));
        assert_eq!(pair("*.css=max-age=60"), both("*.css", "max-age=60"));
        assert!(pair("none").is_err() && pair("=x").is_err() && pair("x=").is_err());
        let fits = |text: &str, pattern: Option<&str>| {
            let pattern = pattern.map(str::to_owned);
            let expected =
                Field { pattern, name: HeaderName::from_static("x-set"), value: "a: b".to_owned() };
            assert_eq!(field(text), Ok(expected), "{text}");
        };
        fits("X-Set:  a: b ", None);
        fits("*.css X-Set: a: b", Some("*.css"));
        fits("/a:b/*  X-Set:a: b", Some("/a:b/*"));
        for text in ["none", "", "*.css", "*.css X-Set", "a b c: d", " X-Set: x", "X-Set : a"] {
            assert!(field(text).is_err(), "{text}");
        }
    }
}
