//! Downloads a file, goes on where an earlier run stopped, and asks mirrors when the first place
//! fails: `resume FILE URL...`.
#![forbid(unsafe_code)]

use avocet::client::{Config, Download, Progress};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (file, url) = words.next().zip(words.next()).ok_or("usage: resume FILE URL...")?;
    let mut download = Download::new(url.parse()?).file(file).tries(3);
    for mirror in words {
        download = download.mirror(mirror.parse()?);
    }
    let done = download.run(Config::default(), &mut |progress| {
        if let Progress::Begun { resumed, .. } = progress {
            println!("{resumed} bytes are there");
        }
    })?;
    println!("{} bytes in {}, {} fetched", done.size, done.path.display(), done.fetched);
    Ok(())
}
