//! hyper's low-level connection: the least that a client on it can cost. It decodes nothing.
#![forbid(unsafe_code)]

use bytes::Bytes;
use client_options::{Mode, Options};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Fault> {
    let options = Options::from_args();
    let url: Uri = options.url.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let total = match options.mode {
            Mode::Par => {
                let mut tasks = JoinSet::new();
                for share in options.shares() {
                    tasks.spawn(some(url.clone(), share));
                }
                let mut total = 0;
                while let Some(each) = tasks.join_next().await {
                    total += each??;
                }
                total
            }
            Mode::Gz => return Err("hyper decodes nothing".into()),
            _ => some(url, options.count).await?,
        };
        println!("{total}");
        Ok(())
    })
}

async fn some(url: Uri, count: usize) -> Result<usize, Fault> {
    let authority = url.authority().ok_or("no host")?.as_str().to_owned();
    let stream = TcpStream::connect(&authority).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut total = 0;
    for _ in 0..count {
        total += one(&mut sender, &url, &authority).await?;
    }
    Ok(total)
}

async fn one(
    sender: &mut SendRequest<Empty<Bytes>>,
    url: &Uri,
    authority: &str,
) -> Result<usize, Fault> {
    sender.ready().await?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path).header("host", authority).body(Empty::new())?;
    let mut response = sender.send_request(request).await?;
    let mut total = 0;
    while let Some(frame) = response.body_mut().frame().await {
        total += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(total)
}
