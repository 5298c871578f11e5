//! A listing as a page of HTML that needs no script.

use std::fs::File;
use std::os::unix::fs::FileExt;

use maud::{DOCTYPE, PreEscaped, html};

use super::Extras;
use super::entries::{Entries, Entry, MOST};
use super::query::{Order, Query, Sort};
use super::text;
use crate::metadata::{Kind, Metadata};
use crate::path::{FilePath, encode};
use crate::root::Root;

/// The frame of a page; its rows come one by one.
pub(super) struct Page {
    /// The names of the folders from the root to this one.
    above: Vec<String>,
    query: Query,
    extras: Extras,
}

/// A text that tells of its folder.
pub(super) struct Readme {
    name: String,
    text: String,
}

impl Readme {
    /// The first file of the usual names that can be read, cut off at 64 KiB.
    pub(super) fn find(root: &Root, path: &FilePath<'_>, entries: &Entries) -> Option<Self> {
        for wanted in READMES {
            let is_it = |entry: &Entry<'_>| {
                !entry.is_folder && entry.name.eq_ignore_ascii_case(wanted.as_bytes())
            };
            let Some(entry) = entries.iter().find(is_it) else { continue };
            let Ok(file) = root.open_below(&path.join(entry.name)) else { continue };
            if Metadata::of(&file).is_ok_and(|metadata| metadata.kind == Kind::File) {
                let mut bytes = vec![0; README_MOST];
                let Ok(count) = File::from(file).read_at(&mut bytes, 0) else { continue };
                bytes.truncate(count);
                let (name, text) = (text::shown(entry.name), String::from_utf8_lossy(&bytes));
                return Some(Self { name, text: text.into_owned() });
            }
        }
        None
    }
}

impl Page {
    pub(super) fn new(path: &FilePath<'_>, query: Query, extras: Extras) -> Self {
        Self { above: path.segments().map(text::shown).collect(), query, extras }
    }

    pub(super) fn start(&self, entries: &Entries, out: &mut String) {
        let title = self.above.last().map_or("/", String::as_str);
        let depth = self.above.len();
        let count = entries.len();
        let head = html! {
            (DOCTYPE)
            html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            (PreEscaped("<body>"))
            (PreEscaped("<main>"))
            h1 {
                nav aria-label="Folders" {
                    @if depth == 0 { b { "/" } } @else { a href=(up(depth)) title="The top" { "/" } }
                    @for (level, name) in self.above.iter().enumerate() {
                        @if level + 1 == depth { b { (name) } } @else { a href=(up(depth - 1 - level)) { (name) } i { "/" } }
                    }
                }
            }
            form role="search" {
                @if self.query.sort != Sort::Name { input type="hidden" name="sort" value=(self.query.sort.name()); }
                @if self.query.order != Order::Up { input type="hidden" name="order" value=(self.query.order.name()); }
                input type="search" name="q" value=(self.query.search) placeholder="Search in this folder" aria-label="Search in this folder";
                button { "Search" }
                output { (count) @if count == 1 { " entry" } @else { " entries" } @if !self.query.search.is_empty() { " found" } }
            }
            @if entries.is_cut() {
                p.note role="status" { "The folder has more than " (MOST) " entries; these are some of them." }
            }
            @if self.extras.archives {
                p.note { "Download the folder as " a href="?archive=zip" download { "zip" } " or " a href="?archive=tar" download { "tar" } }
            }
            @if self.extras.changes.uploads || self.extras.changes.folders { (self.tools()) }
            @if self.extras.changes.deletes {
                (PreEscaped("<form class=\"entries\" method=\"post\" action=\"./\">"))
            }
            (PreEscaped("<table>"))
            thead { tr {
                (self.column(Sort::Name, "Name"))
                (self.column(Sort::Size, "Size"))
                (self.column(Sort::Time, "Modified"))
            } }
            (PreEscaped("<tbody>"))
            @if depth > 0 { tr.up { td { a href="../" { ".." } } td {} td {} } }
            }
        };
        // The tags that the rows go into are closed by `end`.
        let head = head.into_string();
        out.push_str(head.strip_suffix("</html>").unwrap_or(&head));
    }

    /// A row. There may be very many, so they are written without a detour, and without the tags that
    /// HTML lets one leave out.
    pub(super) fn entry(&self, entry: &Entry<'_>, out: &mut String) {
        out.push_str("<tr><td>");
        if self.extras.changes.deletes {
            // The name as its link has it, so that it comes back whatever its bytes are.
            out.push_str("<input type=\"checkbox\" name=\"name\" aria-label=\"Choose\" value=\"");
            encode(entry.name, out);
            out.push_str("\">");
        }
        out.push_str(if entry.is_folder { "<a class=\"folder\" href=\"" } else { "<a href=\"" });
        // The dot before it keeps a colon in a name from making a scheme of what stands before.
        out.push_str("./");
        encode(entry.name, out);
        out.push_str(if entry.is_folder { "/\">" } else { "\">" });
        text::write_shown(entry.name, out);
        if entry.is_folder {
            out.push('/');
        }
        if entry.is_link {
            out.push_str("<span title=\"A link\">@</span>");
        }
        if entry.is_folder {
            out.push_str("</a><td>");
        } else {
            text::write(out, format_args!("</a><td title=\"{} bytes\">", entry.size));
            text::write_size(entry.size, out);
        }
        out.push_str("<td><time datetime=\"");
        text::write_time(entry.modified, out);
        out.push_str("\">");
        text::write_date(entry.modified, out);
        out.push_str("</time>\n");
    }

    pub(super) fn end(&self, entries: &Entries, out: &mut String) {
        let nothing = entries.len() == 0;
        let tail = html! {
            (PreEscaped("</tbody></table>"))
            @if self.extras.changes.deletes {
                @if !nothing { p { button name="action" value="delete" { "Delete what is chosen" } } }
                (PreEscaped("</form>"))
            }
            @if nothing {
                p.note { @if self.query.search.is_empty() { "The folder is empty." } @else { "Nothing of this name is in the folder." } }
            }
            @if let Some(readme) = &self.extras.readme {
                section { h2 { (readme.name) } pre { (readme.text) } }
            }
            (PreEscaped("</main></body></html>\n"))
        };
        out.push_str(&tail.into_string());
    }

    /// The forms by which something is added.
    fn tools(&self) -> maud::Markup {
        html! {
            div.tools {
                @if self.extras.changes.uploads {
                    form method="post" action="./" enctype="multipart/form-data" {
                        input type="file" name="file" multiple required aria-label="Files to upload";
                        button { "Upload" }
                    }
                }
                @if self.extras.changes.folders {
                    form method="post" action="./" {
                        input name="name" required placeholder="Name of a new folder" aria-label="Name of a new folder" maxlength="255";
                        button name="action" value="mkdir" { "Make folder" }
                    }
                }
            }
        }
    }

    /// The head of a column; its link sorts by it, and the other way round when it does already.
    fn column(&self, sort: Sort, title: &str) -> maud::Markup {
        let is_current = self.query.sort == sort;
        let is_up = self.query.order == Order::Up;
        let order = if is_current && is_up { Order::Down } else { Order::Up };
        let state = is_current.then_some(if is_up { "ascending" } else { "descending" });
        let mut href = format!("?sort={}&order={}", sort.name(), order.name());
        if !self.query.search.is_empty() {
            href.push_str("&q=");
            encode(self.query.search.as_bytes(), &mut href);
        }
        html! {
            th scope="col" aria-sort=[state] { a href=(href) { (title) } }
        }
    }
}

/// The way up by so many folders.
fn up(levels: usize) -> String {
    if levels == 0 { "./".to_owned() } else { "../".repeat(levels) }
}

const READMES: [&str; 3] = ["README.md", "README.txt", "README"];

const README_MOST: usize = 64 * 1024;

/// Nothing may be loaded or run by the page; its style is named by its hash.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'sha256-5867eQj9/Sg2BShmj+iBwcd7BGef6FvsehHaMmW0n3E='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("page.css");

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_names_the_style() {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        let named = format!("style-src 'sha256-{hash}'");
        assert!(POLICY.contains(&named), "the hash is {hash}");
    }
}
