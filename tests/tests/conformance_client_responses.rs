//! Raw responses to the client: what it has to take, what it has to refuse, and how it goes on.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use avocet_client::{Client, Error};
use avocet_tests::corpus;
use serde_json::Value;

/// Every case is asked for twice by one client, so that what one response leaves behind on a connection
/// would show in the next.
#[test]
fn conformance_client_responses() {
    let corpus = corpus::read("client_responses.json");
    let cases: Arc<Vec<Value>> = Arc::new(corpus["cases"].as_array().expect("cases").clone());
    assert!(cases.len() >= 51, "{} cases", cases.len());
    let address = serve(cases.clone());
    let failures: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> =
            cases.iter().map(|case| scope.spawn(move || failure(case, address))).collect();
        runs.into_iter().filter_map(|run| run.join().expect("no run panics")).collect()
    });
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

fn failure(case: &Value, address: SocketAddr) -> Option<String> {
    let client = Client::new();
    let id = case["id"].as_str().expect("an id");
    let got: Vec<_> = (0..2).map(|_| ask(&client, case, address)).collect();
    let wrong = got.iter().find(|got| !is_right(got, &case["expect"]))?;
    let expected = case["expect"].to_string();
    let wrong = format!("{wrong:?}");
    Some(format!("{id}: expected {expected:.200}, got {wrong:.200}"))
}

type Got = Result<(u16, Vec<u8>, Vec<(String, Vec<u8>)>), Error>;

fn ask(client: &Client, case: &Value, address: SocketAddr) -> Got {
    let method = case["method"].as_str().expect("a method").parse().expect("a known method");
    let url = format!("http://{address}/{}", case["id"].as_str().expect("an id"));
    let mut response = client.request(method, &url).send()?;
    let content = response.content(1 << 20)?;
    let fields = response.fields().iter();
    let fields = fields.map(|(name, value)| (name.to_lowercase(), value.to_vec())).collect();
    Ok((response.status().as_u16(), content, fields))
}

fn is_right(got: &Got, expect: &Value) -> bool {
    let kind = expect["kind"].as_str().expect("a kind");
    let Ok((status, content, fields)) = got else { return kind != "ok" };
    let empty = serde_json::Map::new();
    let mut wanted = expect["headers"].as_object().unwrap_or(&empty).iter();
    kind != "error"
        && Some(u64::from(*status)) == expect["status"].as_u64()
        && *content == latin1(expect["body"].as_str().expect("a body"))
        && wanted.all(|(name, value)| {
            let value = value.as_str().expect("a value");
            fields.iter().any(|field| field.0 == *name && squeezed(&field.1) == value)
        })
}

/// RFC 9112 §5.2: a folded line stands for "one or more SP octets", how many is left open.
fn squeezed(value: &[u8]) -> String {
    let text: String = value.iter().copied().map(char::from).collect();
    text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Each code point is one byte.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("no code point above 255")).collect()
}

fn serve(cases: Arc<Vec<Value>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let cases = cases.clone();
            // A client that has seen enough hangs up, which ends the answer and not the test.
            thread::spawn(move || drop(answer(stream, &cases)));
        }
    });
    address
}

fn answer(mut stream: TcpStream, cases: &[Value]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head);
        let path = head.split(' ').nth(1).unwrap_or_default();
        let case = cases.iter().find(|case| case["id"].as_str() == path.strip_prefix('/'));
        let case = case.expect("only cases are asked for");
        let pieces = case["expect"]["split"].as_u64().map_or(usize::MAX, |size| size as usize);
        for piece in response(case).chunks(pieces) {
            stream.write_all(piece)?;
            if pieces != usize::MAX {
                thread::sleep(Duration::from_millis(2));
            }
        }
        if case["close_after"] == true {
            stream.shutdown(Shutdown::Write)?;
            std::io::copy(&mut stream, &mut std::io::sink())?;
            return Ok(());
        }
    }
}

fn response(case: &Value) -> Vec<u8> {
    if let Some(text) = case["response"].as_str() {
        return latin1(text);
    }
    let mut text = case["response_template"].as_str().expect("a response");
    let mut bytes = Vec::new();
    while let Some((before, rest)) = text.split_once("{{REP:") {
        let (repeated, after) = rest.split_once("}}").expect("a closed placeholder");
        let (what, count) = repeated.split_once('*').expect("what and how often");
        bytes.extend(latin1(before));
        bytes.extend(latin1(what).repeat(count.parse().expect("a number")));
        text = after;
    }
    bytes.extend(latin1(text));
    bytes
}
