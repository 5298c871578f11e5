use super::stage::Fault;

/// What stands at the start of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// A frame of compressed content: the length of its header, and of its content if that says.
    Frame { header_len: usize, content_len: Option<u64> },
    /// A frame to be passed over: this many bytes follow its header of eight.
    Skippable { content_len: u32 },
    /// The header needs this many bytes in all before it tells more.
    Needs(usize),
}

/// Reads the start of a frame as far as `bytes` have it, and refuses what is not for the web.
///
/// *Spec*: RFC 8878 §3.1.1 and §3.1.2; RFC 9659 §3 (the window).
pub(crate) fn read_start(bytes: &[u8]) -> Result<Start, Fault> {
    let magic_seen = &bytes[..bytes.len().min(MAGIC.len())];
    if !MAGIC.starts_with(magic_seen) {
        return read_skippable(bytes);
    }
    let Some(&descriptor) = bytes.get(4) else {
        return Ok(Start::Needs(5));
    };
    let is_single_segment = descriptor & 1 << 5 != 0;
    let window_len = usize::from(!is_single_segment);
    let dictionary_len = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content_size_len = match descriptor >> 6 {
        0 => usize::from(is_single_segment),
        flag => 1 << flag,
    };
    let header_len = 5 + window_len + dictionary_len + content_size_len;
    let Some(fields) = bytes.get(5..header_len) else {
        return Ok(Start::Needs(header_len));
    };
    let (window, fields) = fields.split_at(window_len);
    let (dictionary, content_size) = fields.split_at(dictionary_len);
    let content_len = match content_size {
        [] => None,
        [_, _] => Some(little_endian(content_size) + 256),
        _ => Some(little_endian(content_size)),
    };
    let window_size = match window {
        [descriptor] => {
            let base = 1_u64 << (10 + (descriptor >> 3));
            base + base / 8 * u64::from(descriptor & 7)
        }
        // A single segment is its own window, and says how long it is.
        _ => content_len.unwrap_or_default(),
    };
    if window_size > MAX_WINDOW {
        return Err(Fault::Window);
    }
    if little_endian(dictionary) != 0 {
        return Err(Fault::Dictionary);
    }
    Ok(Start::Frame { header_len, content_len })
}

/// The longest header: magic number, descriptor, window, dictionary and content size.
pub(crate) const MAX_HEADER: usize = 4 + 1 + 1 + 4 + 8;

/// The length of a skippable frame's header.
const SKIPPABLE_HEADER: usize = 8;

/// The largest window of the content coding, 8 MiB.
pub(crate) const MAX_WINDOW: u64 = 8 << 20;

fn read_skippable(bytes: &[u8]) -> Result<Start, Fault> {
    for (i, &byte) in bytes.iter().take(4).enumerate() {
        // 0x184D2A50 to 0x184D2A5F.
        if byte != [byte & 0x0F | 0x50, 0x2A, 0x4D, 0x18][i] {
            return Err(Fault::Corrupt("no zstd frame"));
        }
    }
    match bytes {
        [_, _, _, _, a, b, c, d, ..] => {
            Ok(Start::Skippable { content_len: u32::from_le_bytes([*a, *b, *c, *d]) })
        }
        _ => Ok(Start::Needs(SKIPPABLE_HEADER)),
    }
}

/// A number of at most eight bytes.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(descriptor: u8, fields: &[u8]) -> Vec<u8> {
        [&MAGIC[..], &[descriptor], fields].concat()
    }

    #[test]
    fn the_length_of_the_header_follows_from_the_descriptor() {
        let cases: [(u8, &[u8], Option<u64>); 6] = [
            (0x00, &[0x68], None),
            (0x20, &[7], Some(7)),
            (0x60, &[0, 1], Some(512)),
            (0xA0, &[1, 0, 0, 0], Some(1)),
            (0xC0, &[0x68, 9, 0, 0, 0, 0, 0, 0, 0], Some(9)),
            (0xE3, &[0, 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0], Some(265)),
        ];
        for (descriptor, fields, content_len) in cases {
            let bytes = frame(descriptor, fields);
            let header_len = bytes.len();
            assert!(header_len <= MAX_HEADER);
            let start = Start::Frame { header_len, content_len };
            assert_eq!(read_start(&bytes), Ok(start), "{descriptor:02x}");
            for cut in 0..header_len {
                let needs = if cut < 5 { 5 } else { header_len };
                assert_eq!(read_start(&bytes[..cut]), Ok(Start::Needs(needs)), "{descriptor:02x}");
            }
        }
    }

    #[test]
    fn windows_are_taken_up_to_eight_mebibytes() {
        let start = Start::Frame { header_len: 6, content_len: None };
        assert_eq!(read_start(&frame(0, &[13 << 3])), Ok(start));
        assert_eq!(read_start(&frame(0, &[13 << 3 | 1])), Err(Fault::Window));
        assert_eq!(read_start(&frame(0, &[0xFF])), Err(Fault::Window));
        let single = |len: u32| read_start(&frame(0xA0, &len.to_le_bytes()));
        let start = Start::Frame { header_len: 9, content_len: Some(8 << 20) };
        assert_eq!(single(8 << 20), Ok(start));
        assert_eq!(single((8 << 20) + 1), Err(Fault::Window));
        assert_eq!(read_start(&frame(0xE0, &[0xFF; 8])), Err(Fault::Window));
    }

    #[test]
    fn a_dictionary_is_refused_unless_its_number_is_zero() {
        let start = Start::Frame { header_len: 7, content_len: None };
        assert_eq!(read_start(&frame(1, &[0, 0])), Ok(start));
        assert_eq!(read_start(&frame(1, &[0, 5])), Err(Fault::Dictionary));
    }

    #[test]
    fn skippable_frames_are_known_by_any_of_sixteen_numbers() {
        for low in 0x50..=0x5F {
            let bytes = [low, 0x2A, 0x4D, 0x18, 1, 2, 0, 0];
            assert_eq!(read_start(&bytes), Ok(Start::Skippable { content_len: 513 }));
            assert_eq!(read_start(&bytes[..7]), Ok(Start::Needs(8)));
        }
    }

    #[test]
    fn other_numbers_are_refused_at_the_first_byte_that_differs() {
        for bytes in [&[0x1F][..], &[0x28, 0xB4], &[0x50, 0x2A, 0x4D, 0x19], &[0x60, 0x2A]] {
            assert_eq!(read_start(bytes), Err(Fault::Corrupt("no zstd frame")), "{bytes:02x?}");
        }
    }
}
