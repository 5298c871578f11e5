//! DER, as far as certificates are told to people. Decisions about trust are never made on it.

/// A value with its tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// Tag, length and content.
    pub(crate) whole: &'a [u8],
}

/// Reads values one after the other.
///
/// *Bounds*: it borrows; lengths are checked against what is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

/// The bytes are no DER, or not of the expected form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next value.
    pub(crate) fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next value.
    pub(crate) fn next(&mut self) -> Result<Value<'a>, Malformed> {
        let (&[tag, first], rest) = self.0.split_first_chunk::<2>().ok_or(Malformed)?;
        // Tags of more than one byte do not occur in certificates.
        if tag & 0x1f == 0x1f {
            return Err(Malformed);
        }
        let (len, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (digits, rest) =
                    rest.split_at_checked(usize::from(first & 0x7f)).ok_or(Malformed)?;
                let len = digits.iter().fold(0, |len, &digit| len << 8 | usize::from(digit));
                (len, rest)
            }
            _ => return Err(Malformed),
        };
        let (content, rest) = rest.split_at_checked(len).ok_or(Malformed)?;
        let whole = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Ok(Value { tag, content, whole })
    }

    /// The next value, which has to have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Value<'a>, Malformed> {
        let value = self.next()?;
        if value.tag == tag { Ok(value) } else { Err(Malformed) }
    }

    /// The next value if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Value<'a>>, Malformed> {
        if self.tag() == Some(tag) { self.next().map(Some) } else { Ok(None) }
    }
}

impl<'a> Value<'a> {
    /// The values inside.
    pub(crate) fn inside(&self) -> Reader<'a> {
        Reader::new(self.content)
    }
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const BMP_STRING: u8 = 0x1e;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_never_believed() {
        let mut reader = Reader::new(&[0x30, 0x03, 0x02, 0x01, 0x05, 0x05, 0x00]);
        let sequence = reader.expect(SEQUENCE).expect("it is whole");
        assert_eq!(sequence.whole, [0x30, 0x03, 0x02, 0x01, 0x05]);
        assert_eq!(sequence.inside().expect(INTEGER).expect("a number").content, [5]);
        assert_eq!(reader.optional(INTEGER).expect("another tag").map(|value| value.tag), None);
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 0x01],
            &[0x30, 0x80],
            &[0x30, 0x82, 0xff],
            &[0x30, 0x83, 0xff, 0xff, 0xff, 0x00],
            &[0x30, 0x84, 0x00, 0x00, 0x00, 0x00],
            &[0x1f, 0x01, 0x00],
        ] {
            assert!(Reader::new(bad).next().is_err(), "{bad:?}");
        }
    }
}
