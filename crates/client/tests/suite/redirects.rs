//! What a caller says about redirects besides their number.

use std::sync::Arc;

use avocet_client::{Error, ErrorKind, Hook, Hop, Phase, Request};
use http::{Method, StatusCode};
use url::Url;

use crate::support::World;

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

#[test]
fn post_stays_post_after_the_statuses_that_were_named() {
    for named in [301, 302, 303] {
        for status in [301, 302, 303] {
            let mut world = World::with(|config| {
                config.redirects.keep_post = vec![StatusCode::from_u16(named).unwrap()];
            });
            let request = Request::new(Method::POST, "http://h/").unwrap();
            let id = world.start(request.with_content("content"));
            let mut far = world.far();
            far.take();
            far.send(redirect(status, "/to"));
            world.settle();
            let second = far.take();
            match named == status {
                true => assert!(second.starts_with("POST /to ") && second.ends_with("content")),
                false => assert!(second.starts_with("GET /to ") && second.ends_with("\r\n\r\n")),
            }
            far.answer("200 OK", "");
            assert_eq!(world.done(id).0, 200);
        }
    }
    let mut world = World::with(|config| config.redirects.keep_post = vec![StatusCode::SEE_OTHER]);
    world.start(Request::new(Method::PUT, "http://h/").unwrap().with_content("content"));
    let mut far = world.far();
    far.take();
    far.send(redirect(303, "/to"));
    world.settle();
    assert!(far.take().starts_with("GET /to "), "it is about POST alone");
}

#[test]
fn what_is_trusted_has_the_passwords_and_others_do_not() {
    for trusted in [false, true] {
        let mut world = World::with(|config| config.redirects.trusted = trusted);
        let request = Request::get("http://h/").unwrap().with_field("Authorization", "Basic x");
        let mut request = request.unwrap().with_field("X-Key", "y").unwrap();
        request.options_mut().sensitive.push("x-key".parse().unwrap());
        world.start(request);
        let mut far = world.far();
        far.take();
        far.send(redirect(302, "http://other/"));
        let mut other = world.far();
        let seen = other.take();
        assert!(seen.contains("Host: other\r\n"), "{seen}");
        assert_eq!(seen.contains("Authorization: Basic x"), trusted, "{seen}");
        assert_eq!(seen.contains("X-Key: y"), trusted, "{seen}");
    }
}

struct Strict;

impl Hook for Strict {
    fn on_redirect(&self, hop: &Hop<'_>, target: &Url) -> Result<(), Error> {
        assert_eq!((hop.url.path(), hop.tag), ("/from", 7));
        match target.path() {
            "/no" => Err(Error::new(ErrorKind::Redirect, Phase::Head, "not there")),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_hook_refuses_a_redirect_before_anything_is_connected() {
    let mut world = World::with(|config| config.hooks.push(Arc::new(Strict)));
    for (to, fine) in [("http://other/no", false), ("http://other/yes", true)] {
        let mut request = Request::get("http://h/from").unwrap();
        request.options_mut().tag = 7;
        let id = world.start(request);
        let mut far = world.far();
        far.take();
        far.send(redirect(302, to));
        world.settle();
        assert_eq!(world.fars().len(), usize::from(fine), "{to}");
        if !fine {
            assert_eq!(world.failure(id).message(), "not there");
        }
    }
}
