#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use avocet_cookies::{Format, Reading};
use libfuzzer_sys::fuzz_target;

fn written(format: Format, reading: &Reading) -> Vec<u8> {
    let mut out = Vec::new();
    format.write(&reading.cookies, &reading.kept, &mut out).expect("every format is built in");
    out
}

// What was read once and written is the same when read again, whatever the file was.
fuzz_target!(|data: &[u8]| {
    let now = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    let Some((pick, text)) = data.split_first() else { return };
    let format = [Format::Netscape, Format::Lwp, Format::Json][usize::from(pick % 3)];
    let Ok(first) = format.read(text, now) else { return };
    let text = written(format, &first);
    let second = format.read(&text, now).expect("a file of ours");
    assert_eq!(second.cookies.len(), first.cookies.len());
    for (second, first) in second.cookies.iter().zip(&first.cookies) {
        assert_eq!(format!("{second:?}"), format!("{first:?}"));
        assert_eq!(second.value(), first.value());
    }
    assert_eq!(second.kept, first.kept);
    assert_eq!(written(format, &second), text);
});
