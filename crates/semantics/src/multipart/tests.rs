use proptest::prelude::*;

use super::*;

/// The parts of a form: their names and contents.
type Parts = Vec<(PartHead, Vec<u8>)>;

/// Parses input that comes in pieces, as a caller does.
fn parse(pieces: &[&[u8]]) -> Result<Option<Parts>, Error> {
    let mut parser = Parser::new(b"b")?;
    let mut parts: Parts = Vec::new();
    let mut waiting = Vec::new();
    let mut is_open = false;
    for piece in pieces {
        waiting.extend_from_slice(piece);
        loop {
            let step = parser.read(&waiting)?;
            let mut ends = false;
            match step.event {
                Event::Part(head) => {
                    assert!(!std::mem::replace(&mut is_open, true), "no part within another");
                    parts.push((head, Vec::new()));
                }
                Event::Data(bytes) => {
                    assert!(is_open && !bytes.is_empty());
                    parts.last_mut().unwrap().1.extend_from_slice(bytes);
                }
                Event::PartEnd => assert!(std::mem::replace(&mut is_open, false)),
                Event::End | Event::NeedMore => ends = true,
            }
            waiting.drain(..step.used);
            if ends {
                break;
            }
        }
    }
    Ok(parser.is_complete().then_some(parts))
}

fn contents(form: &str) -> Option<Vec<String>> {
    let parts = parse(&[form.as_bytes()]).ok().flatten()?;
    let text = |(_, content): (PartHead, Vec<u8>)| String::from_utf8(content).unwrap();
    Some(parts.into_iter().map(text).collect())
}

const HEAD: &str = "Content-Disposition: form-data; name=\"n\"\r\n";

#[test]
fn parts_have_the_bytes_between_the_delimiters() {
    let form = format!("--b\r\n{HEAD}\r\none\r\n--b\r\n{HEAD}\r\n\r\n--b\r\n{HEAD}\r\n--b--\r\n");
    assert_eq!(contents(&form).unwrap(), ["one", "", ""]);
    let form = format!("\r\n--b\r\n{HEAD}\r\n\r\n\r\n-\r--b\r\n--\r\r\n--b--");
    assert_eq!(contents(&form).unwrap(), ["\r\n\r\n-\r--b\r\n--\r"]);
    assert_eq!(contents("--b--\r\n").unwrap(), [""; 0]);
}

#[test]
fn a_form_that_is_cut_off_is_not_complete() {
    let form = format!("--b\r\n{HEAD}\r\none\r\n--b--");
    for end in 0..form.len() {
        assert_eq!(parse(&[&form.as_bytes()[..end]]).unwrap(), None, "{end}");
    }
    assert!(parse(&[form.as_bytes()]).unwrap().is_some());
}

#[test]
fn security_forms_that_could_be_read_in_two_ways_are_refused() {
    for form in [
        format!("preamble\r\n--b\r\n{HEAD}\r\none\r\n--b--\r\n"),
        format!("--b\n{HEAD}\r\none\r\n--b--\r\n"),
        format!("--b \r\n{HEAD}\r\none\r\n--b--\r\n"),
        format!("--b\r\n{HEAD}\r\none\r\n--bx\r\n--b--\r\n"),
        format!("--b\r\n{HEAD}\r\none\r\n--b--\r\nepilogue"),
        format!("--b\r\n{HEAD}\r\none\r\n--b--\r\n\r\n"),
        "--b\r\n\r\nno head\r\n--b--\r\n".to_owned(),
        "--b\r\nX: y\r\n\r\nno name\r\n--b--\r\n".to_owned(),
    ] {
        assert!(parse(&[form.as_bytes()]).is_err(), "{form:?}");
    }
}

#[test]
fn security_heads_and_parts_are_bounded() {
    let long = format!("--b\r\n{HEAD}X: {}", "x".repeat(LONGEST_HEAD));
    assert!(matches!(parse(&[long.as_bytes()]), Err(Error::TooMany { .. })));
    let part = format!("--b\r\n{HEAD}\r\n\r\n");
    let many = part.repeat(MOST_PARTS) + "--b--";
    assert_eq!(contents(&many).unwrap().len(), MOST_PARTS);
    let more = part.repeat(MOST_PARTS + 1) + "--b--";
    assert!(matches!(parse(&[more.as_bytes()]), Err(Error::TooMany { .. })));
}

#[test]
fn boundaries() {
    let form = |value: &str| Parser::for_form(value.as_bytes()).is_ok();
    assert!(
        form("multipart/form-data; boundary=\"a b\"") && form("Multipart/Form-Data;Boundary=x")
    );
    for value in [
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"x \"",
        "multipart/form-data; boundary=x*y",
        &format!("multipart/form-data; boundary={}", "x".repeat(71)),
    ] {
        assert!(!form(value), "{value}");
    }
}

proptest! {
    /// Wherever the input is cut, the parts are the same.
    #[test]
    fn any_cut_gives_the_same_parts(
        contents in proptest::collection::vec("[b\\r\\n-]{0,12}", 0..4),
        cuts in proptest::collection::vec(0..200_usize, 0..6),
    ) {
        prop_assume!(contents.iter().all(|content| !format!("\r\n{content}").contains("\r\n--b")));
        let mut form = String::new();
        for content in &contents {
            form += &format!("--b\r\n{HEAD}\r\n{content}\r\n");
        }
        form += "--b--\r\n";
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(form.len())).collect();
        cuts.extend([0, form.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|two| &form.as_bytes()[two[0]..two[1]]).collect();
        let parts = parse(&pieces).unwrap().unwrap();
        let found: Vec<&[u8]> = parts.iter().map(|(_, content)| content.as_slice()).collect();
        let given: Vec<&[u8]> = contents.iter().map(String::as_bytes).collect();
        prop_assert_eq!(found, given);
    }
}
