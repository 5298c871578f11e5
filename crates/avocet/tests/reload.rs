//! Certificates are read again while clients ask.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise fails")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use avocet::client::{Client, Config, Dialer};
use avocet::https::{self, OverTls};
use avocet::net::ListenAddress;
use avocet::server::{Grace, Response, Server, respond};
use avocet::tls::{ClientTls, Roots, ServerTls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

const RELOADS: usize = 100;
const CLIENTS: usize = 4;
/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What clients have brought back so far.
#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    done: AtomicUsize,
    /// Connections of their own for a request.
    fresh: AtomicUsize,
    certificates: Mutex<BTreeSet<String>>,
}

/// An authority, and a certificate and key of it as PEM for each reload.
fn authority() -> (Vec<u8>, impl Fn() -> String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let root = issuer.der().to_vec();
    let issue = move || {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        format!("{}{}", key.serialize_pem(), certificate.pem())
    };
    (root, issue)
}

/// Puts a file in the place of another at once, as whoever renews certificates does.
fn replace(path: &Path, content: &str) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, content).unwrap();
    std::fs::rename(&beside, path).unwrap();
}

fn config(root: &[u8]) -> Config {
    let settings = https::client_settings(Roots::none().der(root.to_vec()));
    let tls = OverTls::new(ClientTls::open(settings).unwrap());
    let mut config = Config::default();
    config.connector = Arc::new(Dialer::new().secure(Arc::new(tls)));
    config
}

/// Asks until told to stop: in turn on a connection that stays, on a new one that takes up an earlier
/// session, and on a new one of somebody who knows nothing yet.
fn ask(url: &str, root: &[u8], tally: &Tally) {
    let known = config(root);
    let staying = Client::with_config(known.clone());
    for turn in 0.. {
        if tally.stop.load(Ordering::Relaxed) {
            return;
        }
        let client = match turn % 3 {
            0 => staying.clone(),
            1 => Client::with_config(known.clone()),
            _ => Client::with_config(config(root)),
        };
        let request = client.get(url);
        let mut response = request.send().expect("no request fails");
        assert_eq!(response.status(), 200);
        assert_eq!(response.text(64).expect("its content comes"), "Here!\n");
        let report = response.report().expect("it is over");
        assert_eq!(report.retries, 0, "nothing had to be tried again");
        tally.fresh.fetch_add(report.opened as usize, Ordering::Relaxed);
        // Who is at the other end is known of connections that were opened for this request.
        if report.opened > 0 {
            let secured = report.peer.and_then(|peer| peer.secured).expect("it went over TLS");
            let peer = secured.peer.as_ref().expect("a certificate");
            tally.certificates.lock().unwrap().insert(peer.fingerprint.clone());
        }
        tally.done.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_hundred_reloads_under_load_fail_no_request() {
    let (root, issue) = authority();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.pem");
    replace(&path, &issue());
    let tls = ServerTls::open(https::server_settings().files(&path, None)).unwrap();
    let server = Server::new(respond(|_| Response::text("Here!\n")));
    let server = https::secure(server, &tls).listen(ListenAddress::loopback(0)).workers(2);
    let bound = server.bind().unwrap();
    let port = bound.addresses()[0].to_string();
    let url = format!("https://localhost:{}/", port.rsplit(':').next().unwrap());
    let handle = bound.handle();
    let serving = thread::spawn(move || bound.run());
    let tally = Tally::default();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let _over = Stop(&tally);
                ask(&url, &root, &tally);
            });
        }
        let _over = Stop(&tally);
        for reload in 0..=RELOADS {
            if reload > 0 {
                replace(&path, &issue());
                tls.reload().unwrap();
            }
            // Each certificate comes to be seen by somebody before the next one replaces it.
            let begun = Instant::now();
            while tally.certificates.lock().unwrap().len() <= reload {
                assert!(!tally.stop.load(Ordering::Relaxed), "a client has failed");
                assert!(begun.elapsed() < PATIENCE, "nobody is shown the new certificate");
                thread::sleep(Duration::from_millis(1));
            }
        }
    });
    handle.stop(Grace::default());
    serving.join().unwrap().unwrap();
    assert_eq!(tally.certificates.into_inner().unwrap().len(), RELOADS + 1);
    let (done, fresh) = (tally.done.into_inner(), tally.fresh.into_inner());
    assert!(done > fresh && fresh > RELOADS, "{done} requests over {fresh} connections");
}

/// Stops everybody, also when a client panics.
struct Stop<'a>(&'a Tally);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}
