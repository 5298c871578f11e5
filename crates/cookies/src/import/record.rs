//! Rows of an SQLite database: variable-length integers and the record format.

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'r> {
    Null,
    Integer(i64),
    Real(f64),
    /// Text or a blob; databases mix the two.
    Octets(&'r [u8]),
}

impl<'r> Value<'r> {
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn octets(&self) -> Option<&'r [u8]> {
        match self {
            Self::Octets(octets) => Some(octets),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&'r str> {
        std::str::from_utf8(self.octets()?).ok()
    }
}

/// A big-endian integer of 1 to 9 octets, seven bits each but for a ninth, and what follows it.
pub(super) fn varint(octets: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, octet) in octets.iter().take(9).enumerate() {
        if index == 8 {
            return Some((value << 8 | u64::from(*octet), &octets[9..]));
        }
        value = value << 7 | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            return Some((value, &octets[index + 1..]));
        }
    }
    None
}

/// The values of a record: a header with the type of each, then their octets.
pub(super) fn record(payload: &[u8]) -> Option<Vec<Value<'_>>> {
    let (header_len, after) = varint(payload)?;
    let header_len = usize::try_from(header_len).ok()?;
    let mut types = payload.get(payload.len() - after.len()..header_len)?;
    let mut body = payload.get(header_len..)?;
    let mut values = Vec::new();
    while !types.is_empty() {
        let (kind, rest) = varint(types)?;
        types = rest;
        let len = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            // 10 and 11 never stand in a file.
            10 | 11 => return None,
            // Even for blobs, odd for text.
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let (octets, rest) = body.split_at_checked(len)?;
        body = rest;
        values.push(match kind {
            0 => Value::Null,
            1..=6 => Value::Integer(integer(octets)),
            7 => Value::Real(f64::from_be_bytes(octets.try_into().ok()?)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            _ => Value::Octets(octets),
        });
    }
    Some(values)
}

/// Two's complement of 1 to 8 octets, big end first.
fn integer(octets: &[u8]) -> i64 {
    let negative = octets.first().is_some_and(|first| first & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    octets.iter().fold(start, |value, octet| value << 8 | i64::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_length_integers() {
        assert_eq!(varint(&[0x7f, 9]), Some((127, &[9][..])));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, &[][..])));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
        assert_eq!(varint(&[0xff; 8]), None);
        assert_eq!(varint(&[]), None);
    }

    #[test]
    fn records_of_every_type() {
        let mut payload = vec![12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17];
        payload.extend_from_slice(&[0xff]);
        payload.extend_from_slice(&[1, 0]);
        payload.extend_from_slice(&[0xff, 0, 0]);
        payload.extend_from_slice(&[0, 0, 0, 7]);
        payload.extend_from_slice(&[0, 0, 0, 0, 1, 0]);
        payload.extend_from_slice(&i64::MIN.to_be_bytes());
        payload.extend_from_slice(&0.5_f64.to_be_bytes());
        payload.extend_from_slice(b"ab");
        let want = [
            Value::Null,
            Value::Integer(-1),
            Value::Integer(256),
            Value::Integer(-65_536),
            Value::Integer(7),
            Value::Integer(256),
            Value::Integer(i64::MIN),
            Value::Real(0.5),
            Value::Integer(0),
            Value::Integer(1),
            Value::Octets(b"ab"),
        ];
        assert_eq!(record(&payload).unwrap(), want);
        for end in 0..payload.len() {
            assert_eq!(record(&payload[..end]), None, "{end}");
        }
    }

    #[test]
    fn impossible_records_are_refused() {
        for payload in [&[0][..], &[9, 1], &[2, 10], &[2, 11], &[10, 0xff], &[2, 0x81]] {
            assert_eq!(record(payload), None, "{payload:?}");
        }
        assert_eq!(record(&[1]).unwrap(), []);
    }
}
