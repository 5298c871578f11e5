//! A URL as a QR code of half blocks.

use qrcodegen::{QrCode, QrCodeEcc};

/// Lines for a terminal, two rows of the code in each, with a border; `None` for a text that is too
/// long. Blocks stand for what is light, as most terminals are dark.
pub(crate) fn draw(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let is_light = |x: i32, y: i32| !code.get_module(x, y);
    let mut lines = String::new();
    for y in (-BORDER..code.size() + BORDER).step_by(2) {
        for x in -BORDER..code.size() + BORDER {
            lines.push(match (is_light(x, y), is_light(x, y + 1)) {
                (true, true) => '\u{2588}',
                (true, false) => '\u{2580}',
                (false, true) => '\u{2584}',
                (false, false) => ' ',
            });
        }
        lines.push('\n');
    }
    Some(lines)
}

/// Light rows around the code, by which a reader finds it.
const BORDER: i32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_that_of_the_text() {
        let text = "http://192.168.1.5:8080/";
        let drawn = draw(text).unwrap();
        let code = QrCode::encode_text(text, QrCodeEcc::Low).unwrap();
        let lines: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        let side = usize::try_from(code.size() + 2 * BORDER).unwrap();
        assert!(lines.len() == side.div_ceil(2) && lines.iter().all(|line| line.len() == side));
        for y in 0..code.size() {
            for x in 0..code.size() {
                let (row, column) = ((y + BORDER) as usize, (x + BORDER) as usize);
                let shown = (lines[row / 2][column], row % 2);
                let light = matches!(shown, ('\u{2588}', _) | ('\u{2580}', 0) | ('\u{2584}', 1));
                assert_eq!(light, !code.get_module(x, y), "{x} {y}");
            }
        }
        assert!(draw(&"x".repeat(5000)).is_none());
    }
}
