#![no_main]

use avocet_cookies::server::{SetCookie, ValueEncoding, parse_cookie_header};
use libfuzzer_sys::fuzz_target;

// Any Cookie field is read, and what a server can set comes back as it was.
fuzz_target!(|data: &[u8]| {
    for pair in parse_cookie_header(data) {
        assert!(!pair.name.contains(&b'=') && !pair.value.contains(&b';'));
        let _ = (pair.unquoted(), pair.percent_decoded());
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (name, value) = text.split_once('\n').unwrap_or(("a", text));
    for encoding in [ValueEncoding::Plain, ValueEncoding::Percent, ValueEncoding::Quoted] {
        let Ok(cookie) = SetCookie::builder(name, value).encoding(encoding).build() else {
            continue;
        };
        assert!(!cookie.as_str().contains(['\r', '\n', '\0', ';']));
        let pair = parse_cookie_header(cookie.as_str().as_bytes()).next().expect("one cookie");
        assert_eq!(pair.name, name.as_bytes());
        match encoding {
            ValueEncoding::Plain => assert_eq!(pair.value, value.as_bytes()),
            ValueEncoding::Percent => assert_eq!(&*pair.percent_decoded(), value.as_bytes()),
            ValueEncoding::Quoted => {
                let back: String = pair.unquoted().iter().copied().map(char::from).collect();
                assert_eq!(back, value);
            }
        }
    }
});
