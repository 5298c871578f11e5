//! Forms and other content as it arrives.

use std::io::Write;

use avocet_client::{Client, Content, Multipart, Part};
use avocet_wire::FieldBuf;

use crate::support::Server;
use crate::support::servers::{field, ok};

/// Says the type, the length, and the content it was sent.
fn mirror() -> Server {
    Server::http(|request| {
        let kind = field(request, "Content-Type").unwrap_or("none");
        let (head, content) = request.split_once("\r\n\r\n").unwrap();
        let line = head.lines().next().unwrap();
        ok(&format!("{line}|{kind}|{content}"))
    })
}

fn said(request: avocet_client::RequestBuilder<'_>) -> String {
    request.send().unwrap().text(1 << 20).unwrap()
}

#[test]
fn recipe_4_a_form_and_a_query() {
    let (server, client) = (mirror(), Client::new());
    let pairs = [("k", "a b&c=+%"), ("\u{e9}", "\u{4e2d}")];
    assert_eq!(
        said(client.post(&server.url("/")).form(pairs)),
        "POST / HTTP/1.1|application/x-www-form-urlencoded|k=a+b%26c%3D%2B%25&%C3%A9=%E4%B8%AD"
    );
    assert_eq!(
        said(client.get(&server.url("/?x=1")).query([("q", "a b")])),
        "GET /?x=1&q=a+b HTTP/1.1|none|"
    );
    assert_eq!(
        said(client.put(&server.url("/")).json_text("{\"a\":1}")),
        "PUT / HTTP/1.1|application/json|{\"a\":1}"
    );
    let own = client.post(&server.url("/")).field("content-type", "text/x").form([("a", "b")]);
    assert_eq!(said(own), "POST / HTTP/1.1|text/x|a=b");
}

#[test]
fn a_form_with_files_is_streamed_with_its_length_or_in_chunks() {
    let (server, client) = (mirror(), Client::new());
    let mut file = tempfile::NamedTempFile::with_suffix(".png").unwrap();
    file.write_all(&[b'p'; 100_000]).unwrap();
    let name = file.path().file_name().unwrap().to_str().unwrap().to_owned();
    for chunked in [false, true] {
        let mut form = Multipart::new().text("title", "Lake").file("pic", file.path()).unwrap();
        if chunked {
            let content = Content::Reader {
                size: None,
                reader: Box::new(&b"read"[..]),
                trailers: FieldBuf::new(),
            };
            form = form.part(Part::new("r", content));
        }
        let answer = said(client.post(&server.url("/")).multipart(form));
        let (kind, content) = answer.split_once("boundary=").unwrap();
        assert_eq!(kind, "POST / HTTP/1.1|multipart/form-data; ");
        let (boundary, content) = content.split_once('|').unwrap();
        let start = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nLake\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"pic\"; filename=\"{name}\"\r\n\
             Content-Type: image/png\r\n\r\n"
        );
        if chunked {
            assert!(content.ends_with(&format!("\r\n--{boundary}--\r\n\r\n0\r\n\r\n")));
            assert!(content.contains("read") && content.contains("name=\"r\""));
        } else {
            let end = format!("\r\n--{boundary}--\r\n");
            assert_eq!(content, start + &"p".repeat(100_000) + &end);
        }
    }
}
