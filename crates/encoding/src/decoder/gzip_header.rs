use flate2::Crc;

use super::stage::Fault;

/// Reads a gzip member's header over any number of pieces and keeps none of it.
///
/// *Bounds*: the file name, the comment and the extra field are skipped as they pass, so that
/// their length costs no memory.
///
/// *Spec*: RFC 1952 §2.3.
#[derive(Debug)]
pub(crate) struct HeaderReader {
    field: Field,
    flags: u8,
    crc: Crc,
}

/// The field that the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// The ten bytes that every header has, with the index of the next one.
    Fixed(u8),
    ExtraLen {
        low: Option<u8>,
    },
    Extra {
        left: u16,
    },
    Name,
    Comment,
    HeaderCrc {
        low: Option<u8>,
    },
    Done,
}

impl HeaderReader {
    pub(crate) fn new() -> Self {
        Self { field: Field::Fixed(0), flags: 0, crc: Crc::new() }
    }

    /// Takes the header's bytes off `input`; returns how many, and the fault that stopped it.
    pub(crate) fn read(&mut self, input: &[u8]) -> (usize, Result<(), Fault>) {
        let mut used = 0;
        while used < input.len() && self.field != Field::Done {
            match self.read_field(&input[used..]) {
                Ok(taken) => used += taken,
                Err(fault) => return (used, Err(fault)),
            }
        }
        (used, Ok(()))
    }

    pub(crate) fn is_done(&self) -> bool {
        self.field == Field::Done
    }

    /// Whether not a byte has been read.
    pub(crate) fn is_at_start(&self) -> bool {
        self.field == Field::Fixed(0)
    }

    /// Whether not even the two bytes that mark a member have been seen.
    pub(crate) fn is_in_magic(&self) -> bool {
        matches!(self.field, Field::Fixed(0 | 1))
    }

    /// Takes bytes of the current field only. `input` is not empty.
    fn read_field(&mut self, input: &[u8]) -> Result<usize, Fault> {
        let first = input[0];
        let (taken, next) = match self.field {
            Field::Fixed(index) => (1, self.read_fixed(index, first)?),
            Field::ExtraLen { low: None } => (1, Field::ExtraLen { low: Some(first) }),
            Field::ExtraLen { low: Some(low) } => {
                (1, self.skip_extra(u16::from_le_bytes([low, first])))
            }
            Field::Extra { left } => {
                let taken = input.len().min(usize::from(left));
                // `taken` is at most `left`, so that it fits.
                (taken, self.skip_extra(left - taken as u16))
            }
            Field::Name | Field::Comment => match input.iter().position(|&byte| byte == 0) {
                Some(end) => (end + 1, self.after(self.field)),
                None => (input.len(), self.field),
            },
            Field::HeaderCrc { low: None } => {
                // The checksum covers what stands before it and not itself (§2.3.1, FHCRC).
                self.field = Field::HeaderCrc { low: Some(first) };
                return Ok(1);
            }
            Field::HeaderCrc { low: Some(low) } => {
                if self.crc.sum() & 0xFFFF != u32::from(u16::from_le_bytes([low, first])) {
                    return Err(Fault::Checksum);
                }
                (1, Field::Done)
            }
            Field::Done => (0, Field::Done),
        };
        self.crc.update(&input[..taken]);
        self.field = next;
        Ok(taken)
    }

    fn read_fixed(&mut self, index: u8, byte: u8) -> Result<Field, Fault> {
        match (index, byte) {
            (0, 0x1F) | (1, 0x8B) | (2, METHOD_DEFLATE) | (4..=8, _) => {}
            (0 | 1, _) => return Err(Fault::Corrupt("no gzip signature")),
            (2, _) => return Err(Fault::Corrupt("unknown compression method")),
            (3, flags) if flags & RESERVED != 0 => {
                return Err(Fault::Corrupt("reserved header flag"));
            }
            (3, flags) => self.flags = flags,
            _ => return Ok(self.after(Field::Fixed(index))),
        }
        Ok(Field::Fixed(index + 1))
    }

    fn skip_extra(&self, left: u16) -> Field {
        match left {
            0 => self.after(Field::Extra { left }),
            _ => Field::Extra { left },
        }
    }

    /// The field that follows a finished one, as the flags have it.
    fn after(&self, field: Field) -> Field {
        let place = match field {
            Field::Fixed(_) => 0,
            Field::ExtraLen { .. } | Field::Extra { .. } => 1,
            Field::Name => 2,
            Field::Comment => 3,
            Field::HeaderCrc { .. } | Field::Done => 4,
        };
        let optional = [
            (EXTRA, Field::ExtraLen { low: None }),
            (NAME, Field::Name),
            (COMMENT, Field::Comment),
            (HEADER_CRC, Field::HeaderCrc { low: None }),
        ];
        let present = optional.into_iter().skip(place).find(|(flag, _)| self.flags & flag != 0);
        present.map_or(Field::Done, |(_, field)| field)
    }
}

const METHOD_DEFLATE: u8 = 8;

// The flag bits of §2.3.1; bit 0, FTEXT, says nothing that a decoder needs.
const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

#[cfg(test)]
mod tests {
    use super::*;

    fn header(flags: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x1F, 0x8B, 8, flags, 1, 2, 3, 4, 0, 255];
        bytes.extend_from_slice(rest);
        if flags & HEADER_CRC != 0 {
            let mut crc = Crc::new();
            crc.update(&bytes);
            bytes.extend_from_slice(&crc.sum().to_le_bytes()[..2]);
        }
        bytes
    }

    fn read_in_pieces(bytes: &[u8], piece: usize) -> (usize, Result<bool, Fault>) {
        let mut reader = HeaderReader::new();
        let mut used = 0;
        for piece in bytes.chunks(piece) {
            let (taken, result) = reader.read(piece);
            used += taken;
            if let Err(fault) = result {
                return (used, Err(fault));
            }
            if reader.is_done() {
                break;
            }
        }
        (used, Ok(reader.is_done()))
    }

    #[test]
    fn every_set_of_optional_fields_is_skipped_exactly_and_in_any_pieces() {
        for flags in 0..32 {
            let mut rest = Vec::new();
            if flags & EXTRA != 0 {
                rest.extend_from_slice(b"\x03\x00abc");
            }
            if flags & NAME != 0 {
                rest.extend_from_slice(b"name\0");
            }
            if flags & COMMENT != 0 {
                rest.extend_from_slice(b"\0");
            }
            let mut bytes = header(flags, &rest);
            let len = bytes.len();
            bytes.extend_from_slice(b"body");
            for piece in [1, 2, 3, 7, bytes.len()] {
                assert_eq!(read_in_pieces(&bytes, piece), (len, Ok(true)), "{flags} by {piece}");
            }
            for cut in 0..len {
                assert_eq!(read_in_pieces(&bytes[..cut], 1), (cut, Ok(false)), "{flags} to {cut}");
            }
        }
    }

    #[test]
    fn an_empty_extra_field_ends_at_once() {
        let bytes = header(EXTRA, b"\0\0");
        assert_eq!(read_in_pieces(&bytes, 1), (12, Ok(true)));
    }

    #[test]
    fn a_wrong_header_checksum_is_found() {
        let mut bytes = header(HEADER_CRC | NAME, b"n\0");
        *bytes.last_mut().unwrap() ^= 1;
        let len = bytes.len();
        assert_eq!(read_in_pieces(&bytes, 1), (len - 1, Err(Fault::Checksum)));
    }
}
