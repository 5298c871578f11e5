//! Ways through proxies, against proxies on loopback sockets.

use std::io::Write;
use std::sync::Arc;

use avocet_client::{
    Client, Config, Dialer, Error, ErrorKind, HostPatterns, Phase, Proxies, Proxy, ProxyKind,
};
use avocet_net::Resolver;

use crate::support::Server;
use crate::support::servers::{http_proxy, ok, proxy_http, serve_http, socks_proxy, summary};
use crate::support::veil::{Unveiled, Veils};

fn through(proxies: &[&str]) -> Client {
    with(proxies, Dialer::new())
}

fn with(proxies: &[&str], dialer: Dialer) -> Client {
    let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
    let mut config = Config::default();
    config.proxies = Arc::new(Proxies::chain(proxies));
    config.connector = Arc::new(dialer);
    Client::with_config(config)
}

fn text(client: &Client, url: &str) -> Result<String, Error> {
    client.get(url).send()?.text(1000)
}

fn proxy(scheme: &str, server: &Server) -> String {
    format!("{scheme}://{}", server.address)
}

/// A server that speaks behind a veil, as one with TLS would.
fn veiled(name: &'static str) -> Server {
    Server::new(move |stream, notes| {
        let Some(mut reader) = Unveiled::accept(stream, name) else { return };
        let mut writer = reader.try_clone();
        serve_http(&mut reader, &mut writer, notes, &|request| ok(&summary(request)));
    })
}

#[test]
fn plain_http_is_asked_for_by_its_whole_url_on_one_connection_for_all_hosts() {
    let server = http_proxy(None);
    let client = through(&[&proxy("http", &server)]);
    let first = text(&client, "http://me:word@a.test/p?q#f").unwrap();
    assert_eq!(first, "proxy: GET http://a.test/p?q HTTP/1.1 for a.test");
    let second = text(&client, "http://a.test:81/").unwrap();
    assert_eq!(second, "proxy: GET http://a.test:81/ HTTP/1.1 for a.test:81");
}

#[test]
fn a_tunnel_leads_to_the_host_where_one_is_wanted_or_needed() {
    let (server, host) = (http_proxy(None), Server::echo());
    let mut proxy: Proxy = proxy("http", &server).parse().unwrap();
    proxy.tunnel = true;
    let mut config = Config::default();
    config.proxies = Arc::new(Proxies::all(proxy));
    let client = Client::with_config(config);
    for _ in 0..2 {
        let said = text(&client, &host.url("/p")).unwrap();
        assert_eq!(said, format!("GET /p HTTP/1.1 for {}", host.address));
    }
    let asked = server.notes.take();
    assert_eq!(asked.len(), 1, "the tunnel is kept: {asked:?}");
    assert!(asked[0].starts_with(&format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", host.address)));
}

#[test]
fn passwords_go_to_the_proxy_and_never_to_the_host() {
    let (server, host) = (http_proxy(Some("Basic bWU6d29yZA==")), Server::echo());
    let address = format!("http://me:word@{}", server.address);
    let client = through(&[&address]);
    assert!(text(&client, "http://a.test/").unwrap().starts_with("proxy: GET "));
    let mut tunnel: Proxy = address.parse().unwrap();
    tunnel.tunnel = true;
    let mut config = Config::default();
    config.proxies = Arc::new(Proxies::all(tunnel));
    let request = Client::with_config(config);
    let request = request.get(&host.url("/")).field("Proxy-Authorization", "Basic by-hand");
    request.send().unwrap().text(100).unwrap();
    let seen = host.notes.take().concat();
    assert!(seen.starts_with("GET / ") && !seen.contains("Proxy-"), "{seen}");
    assert!(server.notes.take().iter().all(|head| head.contains("Basic bWU6d29yZA==")));
}

#[test]
fn a_proxy_that_wants_a_password_is_an_error_that_says_so() {
    let server = http_proxy(Some("Basic bWU6d29yZA=="));
    let place = format!("the proxy {} port {}", server.address.ip(), server.port());
    for (address, url, wanted) in [
        (proxy("http", &server), "http://a.test/", "wants a password"),
        (
            proxy("http://x:y@", &server).replace("://127", "127"),
            "http://a.test/",
            "wants another password",
        ),
    ] {
        let client = through(&[&address]);
        let error = text(&client, url).unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Proxy, Phase::Proxy));
        assert_eq!(error.status(), Some(http::StatusCode::PROXY_AUTHENTICATION_REQUIRED));
        assert_eq!(
            error.to_string(),
            format!("{url}: while talking to the proxy: {place} {wanted}")
        );
        let client = with(&[&address], Dialer::new().secure(Arc::new(Veils)));
        let error = text(&client, "https://a.test/").unwrap_err();
        assert!(error.message().ends_with(wanted), "{error}");
    }
}

#[test]
fn a_tunnel_that_is_refused_names_the_status() {
    let server = http_proxy(None);
    let client = with(&[&proxy("http", &server)], Dialer::new().secure(Arc::new(Veils)));
    let error = text(&client, "https://127.0.0.1:1/").unwrap_err();
    assert!(error.message().ends_with("refused 127.0.0.1:1: 502 Bad Gateway"), "{error}");
    assert_eq!(error.status(), Some(http::StatusCode::BAD_GATEWAY));
}

#[test]
fn a_dead_proxy_and_one_that_talks_nonsense() {
    let error = text(&through(&["http://127.0.0.1:1"]), "http://a.test/").unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Phase::Proxy));
    assert!(error.message().contains("127.0.0.1 port 1"), "{error}");
    let nowhere = Resolver::with_lookup(|_| Err(std::io::Error::other("no such name")));
    let client = with(&["http://nowhere.test"], Dialer::new().resolver(nowhere));
    let error = text(&client, "http://a.test/").unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Resolve, Phase::Proxy));
    let nonsense = Server::new(|mut stream, _| {
        drop(stream.write_all(b"220 smtp ready\r\n"));
        std::thread::park();
    });
    for scheme in ["http", "socks4", "socks4a", "socks5", "socks5h"] {
        let client = with(&[&proxy(scheme, &nonsense)], Dialer::new().secure(Arc::new(Veils)));
        let error = text(&client, "https://127.0.0.1/").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Proxy, "{scheme}: {error}");
    }
}

#[test]
fn socks_is_told_names_or_addresses_as_its_kind_wants() {
    let (server, host) = (socks_proxy(None), Server::echo());
    let dialer = || Dialer::new().resolve("h.test", None, &["127.0.0.1".parse().unwrap()]);
    for (scheme, told) in [
        ("socks4://me@", "4 me@127.0.0.1"),
        ("socks4a://me@", "4 me@h.test"),
        ("socks5://", "5 @127.0.0.1"),
        ("socks5h://", "5 @h.test"),
    ] {
        let client = with(&[&format!("{scheme}{}", server.address)], dialer());
        let url = format!("http://h.test:{}/p", host.port());
        let said = text(&client, &url).unwrap();
        assert_eq!(said, format!("GET /p HTTP/1.1 for h.test:{}", host.port()), "{scheme}");
        assert_eq!(server.notes.take(), [told]);
    }
    let client = through(&[&proxy("socks5", &server)]);
    let error = text(&client, "http://127.0.0.1:1/").unwrap_err();
    assert!(error.message().ends_with("the host refused the connection"), "{error}");
}

#[test]
fn socks_with_a_password() {
    let (server, host) = (socks_proxy(Some(("me", "word"))), Server::echo());
    for (login, fails) in [
        ("me:word@", None),
        ("", Some("wants a password")),
        ("me:x@", Some("wants another password")),
    ] {
        let client = through(&[&format!("socks5h://{login}{}", server.address)]);
        match (text(&client, &host.url("/")), fails) {
            (Ok(said), None) => assert!(said.starts_with("GET / ")),
            (Err(error), Some(part)) => assert!(error.message().ends_with(part), "{error}"),
            (said, _) => panic!("{said:?}"),
        }
    }
}

#[test]
fn https_goes_through_any_chain_of_proxies() {
    let host = veiled("127.0.0.1");
    let inner = Server::new(|stream, notes| {
        let Some(mut reader) = Unveiled::accept(stream, "proxy:127.0.0.1") else { return };
        let mut writer = reader.try_clone();
        proxy_http(&mut reader, &mut writer, notes, None, |near, out, far| {
            let (mut far_in, mut far_out) = (far.try_clone().unwrap(), far);
            let mut near = near.try_clone();
            let there = std::thread::spawn(move || drop(std::io::copy(&mut near, &mut far_out)));
            drop(std::io::copy(&mut far_in, out));
            drop(there.join());
        });
    });
    let (middle, outer) = (socks_proxy(None), http_proxy(None));
    let chain = [proxy("http", &outer), proxy("socks5", &middle), proxy("https", &inner)];
    let chain: Vec<&str> = chain.iter().map(String::as_str).collect();
    let client = with(&chain, Dialer::new().secure(Arc::new(Veils)));
    for _ in 0..2 {
        let said = text(&client, &format!("https://{}/p", host.address)).unwrap();
        assert_eq!(said, format!("GET /p HTTP/1.1 for {}", host.address));
    }
    assert!(outer.notes.take().concat().starts_with(&format!("CONNECT {}", middle.address)));
    assert_eq!(middle.notes.take(), ["5 @127.0.0.1"]);
    assert!(inner.notes.take().concat().starts_with(&format!("CONNECT {}", host.address)));
    assert_eq!(host.notes.take().len(), 2);
    // Plain http through the same: the last proxy is asked for the whole URL.
    let said = text(&client, "http://a.test/").unwrap();
    assert_eq!(said, "proxy: GET http://a.test/ HTTP/1.1 for a.test");
}

#[test]
fn a_host_with_another_name_fails_in_the_phase_of_tls() {
    let host = veiled("another");
    let client = with(&[], Dialer::new().secure(Arc::new(Veils)));
    let error = text(&client, &format!("https://{}/", host.address)).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Phase::Tls));
}

#[test]
fn without_tls_https_is_a_clear_error() {
    for (proxies, url, message) in [
        (&[][..], "https://h.test/", "the host h.test wants TLS, which this client was not given"),
        (
            &["https://p.test"],
            "http://h.test/",
            "the proxy p.test wants TLS, which this client was not given",
        ),
    ] {
        let error = text(&through(proxies), url).unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Phase::Tls));
        assert_eq!(error.message(), message);
    }
}

#[test]
fn hosts_may_go_without_or_by_ways_of_their_own() {
    let (server, host) = (http_proxy(None), Server::echo());
    let all = Proxies::all(Proxy::new(ProxyKind::Http, "127.0.0.1", server.port()));
    let mut config = Config::default();
    config.proxies = Arc::new(all.except(HostPatterns::parse("127.0.0.0/8")));
    let client = Client::with_config(config);
    assert!(text(&client, &host.url("/")).unwrap().starts_with("GET / "));
    assert!(text(&client, "http://a.test/").unwrap().starts_with("proxy: "));
}
