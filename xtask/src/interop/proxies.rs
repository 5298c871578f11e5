//! Through proxies of others: HTTP with a password, as a forwarder and as a tunnel, and SOCKS.

use super::examples;
use super::lab::{Lab, Ran, check, logs};
use super::noise::Noise;
use super::servers;
use crate::Outcome;

pub(super) fn run(lab: &Lab) -> Outcome {
    lab.write_old("www/file", Noise::new(1).bytes(500_000))?;
    let content = lab.read("www/file")?;
    let nginx = servers::nginx(lab)?;
    let url = nginx.url("/file");
    let through = |proxy: &str| lab.avocet(&["fetch", "--fail", "-x", proxy, &url]);

    let http = servers::tinyproxy(lab)?;
    let named = format!("http://me:secret@127.0.0.1:{}", http.port);
    through(&named)?.ended(0)?.printed(&content)?;
    let bare = format!("127.0.0.1:{}", http.port);
    let user = ["fetch", "--fail", "-x", &bare, "-U", "me:secret", &url];
    lab.avocet(&user)?.ended(0)?.printed(&content)?;
    let by_variable =
        lab.avocet_with(&[("http_proxy", &named), ("no_proxy", "example.org")], &["fetch", &url])?;
    by_variable.ended(0)?.printed(&content)?;
    let access = || lab.text("nginx/access.log");
    let forwarded = |log: &str| log.matches("via=1.1 interop").count() == 3;
    logs(access, forwarded, "not by the proxy")?;
    let direct =
        lab.avocet_with(&[("http_proxy", &named), ("no_proxy", "127.0.0.0/8")], &["fetch", &url])?;
    direct.ended(0)?.printed(&content)?;
    let straight = |log: &str| log.matches("via=-").count() == 1;
    logs(access, straight, "by the proxy in spite of no_proxy")?;
    asks_for_a_password(&through(&bare)?)?;
    println!(
        "tinyproxy: a password in the URL, in an option and in the environment; none; no_proxy"
    );

    let folder = lab.folder("got")?;
    let downloaded = ["download", "-d", &folder.to_string_lossy(), &url];
    lab.avocet_with(&[("http_proxy", &named)], &downloaded)?.ended(0)?;
    check(lab.read("got/file")? == content, || "the download differs".to_owned())?;
    let tunnel = examples::path("tunnel");
    let ran = lab.run(&tunnel.to_string_lossy(), &[&named, &url])?;
    ran.ended(0)?.printed(&content)?;
    let asked = format!("CONNECT 127.0.0.1:{}", nginx.port);
    logs(|| http.log(), |log| log.contains(&asked), "no tunnel was asked for")?;
    println!("tinyproxy: a download, a tunnel by CONNECT");

    let dante = servers::dante(lab)?;
    for scheme in ["socks4", "socks4a", "socks5", "socks5h"] {
        let proxy = format!("{scheme}://127.0.0.1:{}", dante.port);
        through(&proxy)?
            .ended(0)
            .and_then(|ran| ran.printed(&content))
            .map_err(|reason| format!("{scheme}: {reason}"))?;
    }
    let four = |log: &str| log.matches("connect").count() >= 4;
    logs(|| dante.log(), four, "not by the proxy")?;
    let microsocks = servers::microsocks(lab)?;
    let named = format!("socks5h://me:secret@127.0.0.1:{}", microsocks.port);
    through(&named)?.ended(0)?.printed(&content)?;
    let wrong = format!("socks5h://me:wrong@127.0.0.1:{}", microsocks.port);
    let ran = through(&wrong)?;
    check(ran.status != 0 && ran.out.is_empty(), || format!("a wrong password: {}", ran.status))?;
    let connected = |log: &str| log.contains("connected to 127.0.0.1");
    logs(|| microsocks.log(), connected, "not by the proxy")?;
    println!("dante: SOCKS 4, 4a, 5 and 5 with names; microsocks: SOCKS 5 with a password");
    Ok(())
}

/// Status 407 is told in words, and its page is not taken for the content.
fn asks_for_a_password(ran: &Ran) -> Outcome {
    check(ran.status != 0 && ran.err.contains("the proxy") && ran.err.contains("password"), || {
        format!("without a password: {} {}", ran.status, ran.err)
    })
}
