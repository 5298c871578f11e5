//! Who may see which part of a folder: passwords, and links that expire.

mod links;
mod password;
mod verifier;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use avocet_net::WorkerPool;
use avocet_semantics::auth;
use avocet_semantics::auth::basic::{Login, challenge};
use avocet_semantics::dates;
use avocet_server::{Reply, Request, Response};
use http::header::{AUTHORIZATION, REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, StatusCode};

use crate::path::FilePath;
use crate::service::or_500;

pub use links::{LinkError, LinkKey};
pub use password::{InvalidHash, Password};
use verifier::{Known, Verifier};

/// Passwords for parts of a folder, and links that open something for a while.
///
/// A login holds for a folder and all below it, whatever that is asked for; of several folders the
/// innermost decides. What no login is for, everybody may see. Where a part of a folder has logins of
/// its own, it is not in the folder's archive, and the forms of the folder's listing do not reach it.
/// A symbolic link into such a part opens it to those who may see the link.
///
/// ```no_run
/// use avocet_files::{Access, Folder, Password};
///
/// let access = Access::new().login("/private", "ada", Password::plain("correct horse"))?;
/// let files = Folder::new("site").access(access).open()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Access {
    parts: Vec<Part>,
    key: Option<LinkKey>,
}

/// A part of the folder with logins of its own.
#[derive(Clone, Debug)]
struct Part {
    path: FilePath<'static>,
    logins: Vec<(Vec<u8>, Password)>,
}

/// A path of a login that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPart(String);

impl Access {
    /// Everybody may see everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whoever knows this name and password may see what is at `path` and below it, such as `/` or
    /// `/private`.
    ///
    /// *Errors*: a path that does not begin with a slash or leads above the root; a name with a colon
    /// or a control character, which no client could send.
    pub fn login(
        mut self,
        path: &str,
        name: &str,
        password: Password,
    ) -> Result<Self, InvalidPart> {
        let parsed = FilePath::parse(path).map_err(|error| InvalidPart(error.to_string()))?;
        let path = FilePath::from_clean(parsed.as_bytes().to_vec())
            .ok_or_else(|| InvalidPart("a path that is none".to_owned()))?;
        if name.contains(|letter: char| letter == ':' || letter.is_control()) {
            return Err(InvalidPart("a name with a colon or a control character".to_owned()));
        }
        let login = (name.as_bytes().to_vec(), password);
        match self.parts.iter_mut().find(|part| part.path == path) {
            Some(part) => part.logins.push(login),
            None => self.parts.push(Part { path, logins: vec![login] }),
        }
        Ok(self)
    }

    /// Links that are signed with this key open what they name until they expire, to `GET` and
    /// `HEAD`, in place of a password. Where there is no login at all, they alone open anything.
    pub fn links(mut self, key: LinkKey) -> Self {
        self.key = Some(key);
        self
    }

    pub(crate) fn is_open(&self) -> bool {
        self.parts.is_empty() && self.key.is_none()
    }

    /// The part that a path belongs to: the innermost of those that it is in.
    fn part_of(&self, path: &FilePath<'_>) -> Option<usize> {
        let holds = |part: &Part| {
            let mut segments = path.segments();
            // Where letter case makes no difference to the file system, it must make none here.
            part.path.segments().all(|wanted| {
                segments.next().is_some_and(|segment| segment.eq_ignore_ascii_case(wanted))
            })
        };
        let parts = self.parts.iter().enumerate().filter(|(_, part)| holds(part));
        parts.max_by_key(|(_, part)| part.path.segments().count()).map(|(index, _)| index)
    }

    /// The folders that have logins of their own, below the root and without slashes around.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.parts.iter().map(|part| part.path.as_bytes())
    }

    /// Whether whoever may see the one may see the other, which is sent in its place.
    pub(crate) fn may_stand_for(&self, one: &FilePath<'_>, other: &FilePath<'_>) -> bool {
        let part = self.part_of(other);
        part.is_none() || part == self.part_of(one)
    }

    /// Whether the same people may see both.
    pub(crate) fn is_alike(&self, one: &FilePath<'_>, other: &FilePath<'_>) -> bool {
        self.part_of(one) == self.part_of(other)
    }
}

/// What is asked for each request.
pub(crate) struct Gate {
    access: Arc<Access>,
    verifier: Arc<Verifier>,
}

impl Gate {
    pub(crate) fn new(access: Access) -> std::io::Result<Self> {
        Ok(Self { access: Arc::new(access), verifier: Arc::new(Verifier::new()?) })
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// Lets a request through to `then`, or answers it. A password that is not known yet is looked at
    /// on the pool, while the request waits.
    pub(crate) fn pass(
        &self,
        pool: &WorkerPool,
        request: &Request<'_>,
        reply: Reply<'_>,
        path: &FilePath<'_>,
        then: impl FnOnce(&Request<'_>, Reply<'_>) + 'static,
        complete: impl Fn(Response) -> Response + 'static,
    ) {
        let part = self.access.part_of(path);
        let is_closed = part.is_some() || self.access.parts.is_empty();
        if !is_closed || self.access.is_open() {
            return then(request, reply);
        }
        let mut explanation = None;
        if let Some(key) = &self.access.key {
            match key.check(request.query(), path, dates::seconds(SystemTime::now())) {
                // The link must not go on to other sites with the Referer field of what it opens.
                Ok(true) if matches!(*request.method(), Method::GET | Method::HEAD) => {
                    return then(request, reply.filtered(without_referrer));
                }
                Ok(_) => {}
                Err(why) => explanation = Some(why),
            }
        }
        let Some(part) = part else {
            let explanation = explanation.unwrap_or("A link that is signed is needed.");
            let refused = Response::error_because(StatusCode::FORBIDDEN, explanation);
            return reply.send(complete(refused));
        };
        let given = request.field(&AUTHORIZATION).and_then(|value| auth::credentials(value).ok());
        let Some(login) = given.and_then(|scheme| Login::from_scheme(&scheme)) else {
            return reply.send(complete(self.challenge(part)));
        };
        match self.verifier.look(part, &login) {
            Known::Right => then(request, reply),
            Known::New(mark) => {
                let Some(turn) = self.verifier.turn() else {
                    let busy = Response::error(StatusCode::SERVICE_UNAVAILABLE);
                    return reply.send(complete(or_500(busy.with_field(&RETRY_AFTER, "1"))));
                };
                let (verifier, access) = (self.verifier.clone(), self.access.clone());
                let (asking, refused) = (mark.clone(), self.challenge(part));
                let postponed = reply.postpone(move |request, reply| {
                    if verifier.is_right(&mark) {
                        then(request, reply);
                    } else {
                        reply.send(complete(refused));
                    }
                });
                let verifier = self.verifier.clone();
                let job = move || {
                    let logins = &access.parts[part].logins;
                    if is_among(logins, &login) {
                        verifier.note(asking);
                    }
                    drop(turn);
                    postponed.resume();
                };
                if pool.execute(job).is_err() {
                    log::warn!("the worker pool is full, a password was refused unseen");
                }
            }
        }
    }

    fn challenge(&self, part: usize) -> Response {
        let realm = self.access.parts.get(part).map(|part| part.path.to_url(false));
        let refused = Response::error(StatusCode::UNAUTHORIZED);
        match challenge(&realm.unwrap_or_default()) {
            Ok(value) => or_500(refused.with_field(&WWW_AUTHENTICATE, value)),
            Err(error) => {
                log::error!("a challenge: {error}");
                Response::error(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// Whether a login is one of these. All are tried, so that the time tells nothing of which.
///
/// *Blocking*: for as long as a hash takes.
fn is_among(logins: &[(Vec<u8>, Password)], login: &Login) -> bool {
    logins.iter().fold(false, |found, (name, password)| {
        let is_name = auth::secrets_eq(login.name(), name);
        // A wrong name takes as long as a wrong password.
        found | (password.is(login.password()) & is_name)
    })
}

fn without_referrer(mut response: Response) -> Response {
    response.fields_mut().remove(&REFERRER_POLICY);
    or_500(response.with_field(&REFERRER_POLICY, "no-referrer"))
}

impl fmt::Display for InvalidPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a login that cannot be: {}", self.0)
    }
}

impl std::error::Error for InvalidPart {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_the_innermost_part_decides_however_its_path_is_spelt() {
        let password = || Password::plain("p");
        let access = Access::new()
            .login("/a", "u", password())
            .and_then(|access| access.login("/a/b/", "v", password()))
            .and_then(|access| access.login("/a/", "w", password()))
            .unwrap();
        assert_eq!(access.parts.len(), 2, "/a and /a/ are one");
        let part = |path| access.part_of(&FilePath::parse(path).unwrap());
        for path in ["/a", "/a/", "/a/x", "/%61/x", "/x/../a/x", "//a//x", "/A/x", "/a/b/../x"] {
            assert_eq!(part(path), Some(0), "{path}");
        }
        for path in ["/a/b", "/a/B/c", "/a/%62/c", "/a/./b"] {
            assert_eq!(part(path), Some(1), "{path}");
        }
        for path in ["/", "/ab", "/b/a", "/a%20/x"] {
            assert_eq!(part(path), None, "{path}");
        }
        for path in ["", "a", "/..", "/%zz"] {
            assert!(Access::new().login(path, "u", password()).is_err(), "{path}");
        }
        assert!(Access::new().login("/", "a:b", password()).is_err());
    }
}
