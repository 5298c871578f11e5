//! The byte classes of RFC 9110 §5.6 and RFC 3986 §3, as tables built at compile time.

/// `tchar` of RFC 9110 §5.6.2: the bytes of methods, field names and other tokens.
const TOKEN: u8 = 1;
/// A byte that may stand in a request target as it comes from the wild; see [`is_target`].
const TARGET: u8 = 2;
/// A byte of a registered name (RFC 3986 §3.2.2), less the comma; see [`is_reg_name`].
const REG_NAME: u8 = 4;
/// A byte of [`TARGET`] that may stand before the query.
const PATH: u8 = 8;
/// A byte of [`REG_NAME`] other than `%`.
const PLAIN_NAME: u8 = 16;

const fn class(byte: u8) -> u8 {
    let mut class = 0;
    let alphanumeric = byte.is_ascii_alphanumeric();
    if alphanumeric
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
    {
        class |= TOKEN;
    }
    if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>') {
        class |= TARGET;
        if byte != b'\\' {
            class |= PATH;
        }
    }
    if alphanumeric
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b';'
                | b'='
                | b'%'
        )
    {
        class |= REG_NAME;
        if byte != b'%' {
            class |= PLAIN_NAME;
        }
    }
    class
}

static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0u8;
    loop {
        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
        {
            table[byte as usize] = class(byte);
        }
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

#[inline]
fn has(byte: u8, class: u8) -> bool {
    #[expect(clippy::indexing_slicing, reason = "a table of 256 entries is indexed by a byte")]
    let entry = CLASSES[usize::from(byte)];
    entry & class != 0
}

/// Whether `byte` is a `tchar`.
#[inline]
pub(crate) fn is_token(byte: u8) -> bool {
    has(byte, TOKEN)
}

/// Whether `byte` may stand in a request target: visible ASCII without `"`, `#`, `<` and `>`.
///
/// Wider than RFC 3986, because browsers send `[`, `]`, `^`, backquote, `{`, `|` and `}` as they are
/// (WHATWG URL, query and path percent-encode sets); none of these changes how a target is split.
#[inline]
pub(crate) fn is_target(byte: u8) -> bool {
    has(byte, TARGET)
}

/// Whether `byte` may stand in a registered name: unreserved, `%` and sub-delims, less the comma.
///
/// The comma is legal in RFC 3986 but is how two merged `Host` lines look, so it is refused.
#[inline]
pub(crate) fn is_reg_name(byte: u8) -> bool {
    has(byte, REG_NAME)
}

/// The number of leading token bytes.
#[inline]
pub(crate) fn token_len(bytes: &[u8]) -> usize {
    leading(bytes, TOKEN)
}

/// The number of leading bytes of a registered name without escapes.
#[inline]
pub(crate) fn plain_name_len(bytes: &[u8]) -> usize {
    leading(bytes, PLAIN_NAME)
}

/// The number of leading bytes that are target bytes and no backslash.
#[inline]
pub(crate) fn target_len(bytes: &[u8]) -> usize {
    leading(bytes, PATH)
}

/// The number of leading bytes of a class. Eight at a time and written out, which saves the check for the end
/// and the counting.
#[inline]
fn leading(bytes: &[u8], class: u8) -> usize {
    let mut length = 0;
    let mut rest = bytes;
    while let Some((&[a, b, c, d, e, f, g, h], after)) = rest.split_first_chunk::<8>() {
        if !has(a, class) {
            return length;
        }
        if !has(b, class) {
            return length + 1;
        }
        if !has(c, class) {
            return length + 2;
        }
        if !has(d, class) {
            return length + 3;
        }
        if !has(e, class) {
            return length + 4;
        }
        if !has(f, class) {
            return length + 5;
        }
        if !has(g, class) {
            return length + 6;
        }
        if !has(h, class) {
            return length + 7;
        }
        length += 8;
        rest = after;
    }
    for &byte in rest {
        if !has(byte, class) {
            return length;
        }
        length += 1;
    }
    length
}

/// Whether `bytes` is a token: one `tchar` at least and nothing else.
pub(crate) fn is_token_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token(byte))
}

/// The first byte that a field value cannot hold: a control character other than HTAB.
///
/// RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous";
/// the other control characters are invalid too.
pub(crate) fn invalid_in_value(bytes: &[u8]) -> Option<usize> {
    let is_invalid = |byte: u8| is_control(byte) & (byte != b'\t');
    // Looked through to the end first, which compilers turn into vector code.
    if !bytes.iter().fold(false, |any, &byte| any | is_invalid(byte)) {
        return None;
    }
    bytes.iter().position(|&byte| is_invalid(byte))
}

/// Whether `byte` is a control character (RFC 5234 CTL).
#[inline]
pub(crate) fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

/// `bytes` without optional white space (SP and HTAB) at both ends.
#[inline]
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    trim_end(trim_start(bytes))
}

/// `bytes` without optional white space at the start. Most values have one blank there.
#[inline]
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b' ', rest @ ..] if !matches!(rest, [b' ' | b'\t', ..]) => rest,
        [b' ' | b'\t', ..] => {
            let blanks = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            bytes.get(blanks..).unwrap_or_default()
        }
        _ => bytes,
    }
}

/// `bytes` without optional white space at the end. Most values have none there.
#[inline]
pub(crate) fn trim_end(bytes: &[u8]) -> &[u8] {
    match bytes {
        [.., b' ' | b'\t'] => {
            let blanks = bytes.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
            bytes.get(..bytes.len() - blanks).unwrap_or_default()
        }
        _ => bytes,
    }
}

/// Whether `token`, of which every byte is a `tchar`, spells `lower`, compared without case.
///
/// Setting one bit makes a capital small and leaves the hyphen; no other `tchar` becomes a letter by it.
#[inline]
pub(crate) fn spells<const N: usize>(token: &[u8], lower: &[u8; N]) -> bool {
    let Some(token) = token.first_chunk::<N>().filter(|_| token.len() == N) else { return false };
    token.iter().zip(lower).fold(0, |differ, (sent, due)| differ | ((sent | 0x20) ^ due)) == 0
}

/// `1*DIGIT` as a number; `None` for anything else and for what does not fit.
pub(crate) fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Appends `number` in decimal.
pub(crate) fn push_decimal(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends `number` in lower-case hexadecimal.
pub(crate) fn push_hex(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 16];
    let mut from = digits.len();
    for (at, slot) in digits.iter_mut().enumerate().rev() {
        let digit = u8::try_from(number % 16).unwrap_or(0);
        *slot = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        number /= 16;
        from = at;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_the_grammar() {
        let tokens: Vec<u8> = (0..=255).filter(|&b| is_token(b)).collect();
        assert_eq!(tokens.len(), 62 + 15);
        assert!(!is_token(b':') && !is_token(b' ') && !is_token(b'(') && !is_token(0x80));
        assert!((0..=255u8).filter(|&b| is_target(b)).all(|b| b.is_ascii_graphic()));
        assert_eq!((0..=255u8).filter(|&b| is_target(b)).count(), 94 - 4);
        for byte in b"@/?#[]:, \\\"" {
            assert!(!is_reg_name(*byte), "{byte:?}");
        }
    }

    #[test]
    fn decimal_is_digits_only_and_checked() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"0200"), Some(200));
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for bad in ["", "+5", "-0", "0x5", "1 0", "5,5", "18446744073709551616", "1_0", "٣"] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_written_as_std_writes_them() {
        for number in [0, 1, 9, 10, 15, 16, 255, 4096, 123_456_789, u64::MAX] {
            let (mut decimal, mut hex) = (Vec::new(), Vec::new());
            push_decimal(&mut decimal, number);
            push_hex(&mut hex, number);
            assert_eq!(decimal, number.to_string().as_bytes());
            assert_eq!(hex, format!("{number:x}").as_bytes());
        }
    }

    #[test]
    fn trim_takes_blanks_only() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\x0ba"), b"\x0ba");
    }
}
