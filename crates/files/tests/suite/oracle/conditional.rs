//! Which answer preconditions lead to.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::memory::Memory;

/// A file that is asked for under conditions.
pub(crate) struct Guarded {
    memory: Memory,
    tag: String,
}

/// One value of a field about tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Current,
    CurrentWeak,
    Other,
    OtherWeak,
    Star,
    Junk,
}

/// One value of a field about dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Date {
    Before,
    Same,
    After,
    Junk,
}

/// A validator of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validator {
    Tag(Tag),
    Date(Date),
}

/// The fields of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) is_head: bool,
    pub(crate) if_match: Vec<Tag>,
    pub(crate) if_none_match: Vec<Tag>,
    pub(crate) if_modified_since: Option<Date>,
    pub(crate) if_unmodified_since: Option<Date>,
    pub(crate) if_range: Option<Validator>,
    pub(crate) range: bool,
}

impl Guarded {
    pub(crate) fn new(root: &Path) -> Self {
        let path = root.join("file");
        std::fs::write(&path, CONTENT).expect("a file can be made");
        let file = std::fs::File::options().append(true).open(&path).expect("it is there");
        file.set_modified(UNIX_EPOCH + Duration::from_secs(1_577_934_245)).expect("a date");
        let mut memory = Memory::new(root);
        let tag = memory.ask("GET", "/file", b"").field("etag").expect("a tag").to_owned();
        assert!(tag.starts_with('"'), "the file is old");
        Self { memory, tag }
    }

    pub(crate) fn check(&mut self, given: &Given) {
        let method = if given.is_head { "HEAD" } else { "GET" };
        let reply = self.memory.ask(method, "/file", self.lines(given).as_bytes());
        let status = expected(given);
        assert_eq!(reply.status, status, "{given:?}");
        let content: &[u8] = match status {
            412 => return,
            304 => b"",
            _ if given.is_head => b"",
            206 => &CONTENT[1..3],
            _ => CONTENT,
        };
        assert_eq!(reply.content, content, "{given:?}");
        assert_eq!(reply.field("etag"), Some(self.tag.as_str()), "{given:?}");
    }

    fn lines(&self, given: &Given) -> String {
        let mut lines = String::new();
        for (name, tags) in [("If-Match", &given.if_match), ("If-None-Match", &given.if_none_match)]
        {
            if !tags.is_empty() {
                let tags: Vec<String> = tags.iter().map(|&tag| self.tag(tag)).collect();
                lines += &format!("{name}: {}\r\n", tags.join(", "));
            }
        }
        let dates = [
            ("If-Modified-Since", given.if_modified_since),
            ("If-Unmodified-Since", given.if_unmodified_since),
        ];
        for (name, value) in dates {
            if let Some(value) = value {
                lines += &format!("{name}: {}\r\n", date(value));
            }
        }
        match given.if_range {
            Some(Validator::Tag(value)) => lines += &format!("If-Range: {}\r\n", self.tag(value)),
            Some(Validator::Date(value)) => lines += &format!("If-Range: {}\r\n", date(value)),
            None => {}
        }
        if given.range {
            lines += "Range: bytes=1-2\r\n";
        }
        lines
    }

    fn tag(&self, tag: Tag) -> String {
        match tag {
            Tag::Current => self.tag.clone(),
            Tag::CurrentWeak => format!("W/{}", self.tag),
            Tag::Other => "\"other,with,commas\"".to_owned(),
            Tag::OtherWeak => "W/\"other\"".to_owned(),
            Tag::Star => "*".to_owned(),
            Tag::Junk => "junk".to_owned(),
        }
    }
}

fn date(date: Date) -> &'static str {
    match date {
        Date::Before => "Thu, 02 Jan 2020 03:04:04 GMT",
        Date::Same => "Thu, 02 Jan 2020 03:04:05 GMT",
        Date::After => "Thu, 02 Jan 2020 03:04:06 GMT",
        Date::Junk => "yesterday",
    }
}

/// RFC 9110 §13.2.2, step by step.
fn expected(given: &Given) -> u16 {
    // "The origin server MUST evaluate ... in the following order".
    if !given.if_match.is_empty() {
        if !listed(&given.if_match, &[Tag::Current]) {
            return 412;
        }
    } else if given.if_unmodified_since == Some(Date::Before) {
        return 412;
    }
    if !given.if_none_match.is_empty() {
        if listed(&given.if_none_match, &[Tag::Current, Tag::CurrentWeak]) {
            return 304;
        }
    } else if matches!(given.if_modified_since, Some(Date::Same | Date::After)) {
        return 304;
    }
    let counts = match given.if_range {
        None => true,
        Some(Validator::Tag(tag)) => tag == Tag::Current,
        Some(Validator::Date(date)) => date == Date::Same,
    };
    if given.range && !given.is_head && counts { 206 } else { 200 }
}

/// Whether a list names the state: `*` does only alone, and what stands behind junk does not count.
fn listed(tags: &[Tag], same: &[Tag]) -> bool {
    if tags == [Tag::Star] {
        return true;
    }
    let good = tags.iter().take_while(|tag| !matches!(tag, Tag::Star | Tag::Junk));
    good.into_iter().any(|tag| same.contains(tag))
}

const CONTENT: &[u8] = b"abcdefghij";
