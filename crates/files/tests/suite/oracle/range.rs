//! Which bytes a Range field gets.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::memory::{Memory, Reply};

/// Files of three lengths that are asked for in ranges.
pub(crate) struct Ranged {
    memory: Memory,
    contents: [Vec<u8>; 3],
}

impl Ranged {
    pub(crate) fn new(root: &Path) -> Self {
        // None, one that is kept in memory, and one that is not.
        let contents =
            [0, 26, 40_000].map(|len| (0..len).map(|n| (n * 7 + n / 256) as u8).collect());
        for (number, content) in contents.iter().enumerate() {
            let path = root.join(number.to_string());
            let content: &Vec<u8> = content;
            std::fs::write(&path, content).expect("a file can be made");
            let file = std::fs::File::options().append(true).open(&path).expect("it is there");
            file.set_modified(UNIX_EPOCH + Duration::from_secs(1_577_934_245)).expect("a date");
        }
        Self { memory: Memory::new(root), contents }
    }

    /// Asks for each file with this Range and holds the answers against the RFC.
    pub(crate) fn check(&mut self, range: &str) {
        for number in 0..self.contents.len() {
            let lines = format!("Range: {range}\r\n");
            let reply = self.memory.ask("GET", &format!("/{number}"), lines.as_bytes());
            let content = &self.contents[number];
            let asked = asked(range.trim_matches([' ', '\t']), content.len() as u128);
            check(range, &reply, content, asked);
        }
    }
}

/// The ranges of a field that lie within a file, first and last byte, and how many it has in all.
struct Asked {
    ranges: Vec<(u128, u128)>,
    count: usize,
}

/// What a field asks of a file of this length; `None` for one that says nothing.
fn asked(range: &str, length: u128) -> Option<Asked> {
    let (unit, set) = range.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut ranges = Vec::new();
    let mut count = 0;
    for part in set.split(',').map(|part| part.trim_matches([' ', '\t'])) {
        if part.is_empty() {
            continue;
        }
        count += 1;
        let (first, last) = part.split_once('-')?;
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            // Far beyond every file one number is as good as another, but their order counts.
            digits.then(|| text.parse::<u128>().unwrap_or(u128::MAX / 2))
        };
        match (first.is_empty(), last.is_empty()) {
            (true, true) => return None,
            (true, false) => {
                let suffix = number(last)?.min(length);
                if suffix > 0 {
                    ranges.push((length - suffix, length - 1));
                }
            }
            (false, open) => {
                let first = number(first)?;
                let last = if open { u128::MAX } else { number(last)? };
                if last < first {
                    return None;
                }
                if first < length {
                    ranges.push((first, last.min(length - 1)));
                }
            }
        }
    }
    (count > 0).then_some(Asked { ranges, count })
}

fn check(range: &str, reply: &Reply, content: &[u8], asked: Option<Asked>) {
    let whole = || assert!(reply.content == content, "{range} does not give the whole");
    let Some(Asked { ranges, count }) = asked else {
        assert_eq!(reply.status, 200, "{range}");
        return whole();
    };
    if ranges.is_empty() {
        // More ranges than are looked at are an attack, whatever they ask for.
        if count > 1_000 && reply.status == 200 {
            return whole();
        }
        assert_eq!(reply.status, 416, "{range}");
        let expected = format!("bytes */{}", content.len());
        return assert_eq!(reply.field("content-range"), Some(expected.as_str()));
    }
    if reply.status == 200 {
        assert!(count > 1, "{range} is one range");
        return whole();
    }
    assert_eq!(reply.status, 206, "{range}");
    let wanted: BTreeSet<u128> = ranges.iter().flat_map(|&(first, last)| first..=last).collect();
    let mut given = BTreeSet::new();
    let mut take = |field: &str, bytes: &[u8]| {
        let numbers = field.strip_prefix("bytes ").expect("the unit");
        let (span, complete) = numbers.split_once('/').expect("the length");
        assert_eq!(complete, content.len().to_string(), "{range}");
        let (first, last) = span.split_once('-').expect("a span");
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        assert!(bytes == &content[first..=last], "{range} gives other bytes for {field}");
        let before = given.len();
        given.extend((first..=last).map(|place| place as u128));
        assert_eq!(given.len() - before, bytes.len(), "{range} gives bytes twice");
    };
    match reply.field("content-range") {
        Some(field) => take(field, &reply.content),
        None => {
            let media_type = reply.field("content-type").expect("a type");
            let boundary = media_type.strip_prefix("multipart/byteranges; boundary=");
            let delimiter = format!("\r\n--{}", boundary.expect("a boundary"));
            let mut rest = reply.content.strip_prefix(delimiter.as_bytes()).expect("a part");
            while rest != b"--\r\n" {
                let end = rest.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
                let head = std::str::from_utf8(&rest[..end]).expect("a head is text");
                let find = |line: &str| line.strip_prefix("Content-Range: ").map(str::to_owned);
                let field = head.lines().find_map(find).expect("a Content-Range");
                rest = &rest[end + 4..];
                let next =
                    rest.windows(delimiter.len()).position(|part| part == delimiter.as_bytes());
                let (bytes, after) = rest.split_at(next.expect("an end"));
                take(&field, bytes);
                rest = &after[delimiter.len()..];
            }
            assert!(reply.content.len() <= content.len() + 4 * 1024, "{range} gives too much");
        }
    }
    assert!(given == wanted, "{range} gives other ranges");
}
