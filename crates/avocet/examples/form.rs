//! Fills in a form, with a file and without: `form URL FILE`.
#![forbid(unsafe_code)]

use avocet::client::{Client, Multipart};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, file] = &words[..] else { return Err("usage: form URL FILE".into()) };
    let (client, fields) = (Client::new(), [("name", "great tit"), ("seen", "a&b=c")]);
    print!("{}", client.get(url).query(fields).send()?.text(1 << 20)?);
    print!("{}", client.post(url).form(fields).send()?.text(1 << 20)?);
    let form = Multipart::new().text("name", "great tit").file("picture", file)?;
    print!("{}", client.post(url).multipart(form).send()?.text(1 << 20)?);
    Ok(())
}
