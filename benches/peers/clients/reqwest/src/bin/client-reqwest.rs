//! reqwest on a runtime of one thread.
#![forbid(unsafe_code)]

use client_options::{Mode, Options};
use reqwest::{Client, Url};
use tokio::task::JoinSet;

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Fault> {
    let options = Options::from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let client = Client::builder().gzip(options.mode == Mode::Gz).build()?;
        let url = Url::parse(&options.url)?;
        let mut total = 0;
        match options.mode {
            Mode::Seq => total = small(client, url, options.count).await?,
            Mode::Par => {
                let mut tasks = JoinSet::new();
                for share in options.shares() {
                    tasks.spawn(small(client.clone(), url.clone(), share));
                }
                while let Some(each) = tasks.join_next().await {
                    total += each??;
                }
            }
            Mode::Dl | Mode::Gz => {
                for _ in 0..options.count {
                    let mut response = client.get(url.clone()).send().await?;
                    while let Some(piece) = response.chunk().await? {
                        total += piece.len();
                    }
                }
            }
        }
        println!("{total}");
        Ok(())
    })
}

async fn small(client: Client, url: Url, count: usize) -> Result<usize, Fault> {
    let mut total = 0;
    for _ in 0..count {
        total += client.get(url.clone()).send().await?.bytes().await?.len();
    }
    Ok(total)
}
