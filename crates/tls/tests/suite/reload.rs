//! Certificates are replaced while connections stand.

use avocet_net::Transport;
use avocet_tls::{ServerSettings, ServerTls};

use crate::support::{Authority, client, connected, read, write};

#[test]
fn what_stands_goes_on_and_what_comes_gets_the_new_one() {
    let authority = Authority::new("Test CA");
    let (_folder, path) = authority.issue(&["localhost"]).file();
    let server = ServerTls::open(ServerSettings::new().files(&path, None)).unwrap();
    let trusting = client(&authority);
    let shown =
        |end: &dyn Transport| end.info().secured.clone().unwrap().peer.clone().unwrap().fingerprint;
    let (mut here, mut there) = connected(&server, &trusting);
    let before = shown(&here);
    std::fs::write(&path, authority.issue(&["localhost"]).pem()).unwrap();
    server.reload().unwrap();
    write(&mut here, b"still here");
    assert_eq!(read(&mut there).unwrap(), b"still here");
    let (fresh, _there) = connected(&server, &client(&authority));
    assert_ne!(shown(&fresh), before);
}
