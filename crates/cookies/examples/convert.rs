//! Turns a cookie file of any known format into another: `convert IN netscape|lwp|json OUT`.

#![forbid(unsafe_code)]

use std::{error::Error, time::SystemTime};

use avocet_cookies::{Format, Jar, JarFile};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, format, to] = &arguments[..] else {
        return Err("usage: convert IN netscape|lwp|json OUT".into());
    };
    let format = Format::by_name(format).ok_or("the format is netscape, lwp or json")?;
    let now = SystemTime::now();
    let mut jar = Jar::new();
    let loaded = JarFile::new(from).load(&mut jar, now)?;
    for (line, fault) in &loaded.refused {
        eprintln!("{from}:{line}: {fault}");
    }
    JarFile::new(to).with_format(format).save(&mut jar, now)?;
    eprintln!("{} cookies, {} expired", loaded.cookies, loaded.expired);
    Ok(())
}
