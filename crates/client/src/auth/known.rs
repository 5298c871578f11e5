//! What is known of the places where a login was asked for.

use std::collections::HashMap;

use avocet_semantics::auth::Scheme;
use url::Origin;

use super::Credentials;
#[cfg(feature = "digest")]
use super::digest::Session;
use crate::error::Error;
use crate::hook::Hop;

/// How one origin wants its logins.
pub(super) enum Place {
    /// By Basic, below this path, with this value.
    Basic { path: String, value: String },
    /// By Digest.
    #[cfg(feature = "digest")]
    Digest(Session),
}

/// What is known, by origin.
///
/// *Bounds*: 256 origins; with all places taken one of them is forgotten, and asks again.
#[derive(Default)]
pub(super) struct Known(HashMap<Origin, Place>);

impl Place {
    /// The first challenge that can be answered: Digest before Basic, in the server's order.
    pub(super) fn of_challenges(
        challenges: &[Scheme<'_>],
        hop: &Hop<'_>,
        find: impl Fn(Option<&str>) -> Option<Credentials>,
        basic: bool,
    ) -> Option<Self> {
        #[cfg(feature = "digest")]
        for challenge in challenges {
            let realm = challenge.text("realm");
            let session = Session::of_challenge(challenge, hop, || find(realm.as_deref()));
            if let Some(session) = session {
                return Some(Self::Digest(session));
            }
        }
        let challenge = challenges.iter().find(|challenge| basic && challenge.is("basic"))?;
        let credentials = find(challenge.text("realm").as_deref())?;
        Self::basic(hop, &credentials).ok()
    }

    /// Basic below the folder of the URL (RFC 7617 §2.2).
    pub(super) fn basic(hop: &Hop<'_>, credentials: &Credentials) -> Result<Self, Error> {
        let path = hop.url.path();
        let folder = path.rfind('/').map_or("/", |end| &path[..=end]).to_owned();
        Ok(Self::Basic { path: folder, value: credentials.to_basic()? })
    }

    /// The value of Authorization for a request; `None` where it is not for it.
    pub(super) fn authorize(&mut self, hop: &Hop<'_>) -> Option<Vec<u8>> {
        match self {
            Self::Basic { path, value } => {
                hop.url.path().starts_with(path.as_str()).then(|| value.clone().into_bytes())
            }
            #[cfg(feature = "digest")]
            Self::Digest(session) => session.authorize(hop),
        }
    }

    /// Whether the server only wants a fresher proof, so that the password is not the matter.
    #[cfg_attr(not(feature = "digest"), expect(unused_variables, reason = "Basic has no nonce"))]
    pub(super) fn is_stale(challenges: &[Scheme<'_>]) -> bool {
        #[cfg(feature = "digest")]
        return challenges.iter().any(|challenge| {
            avocet_semantics::auth::digest::Challenge::from_scheme(challenge)
                .is_some_and(|challenge| challenge.stale)
        });
        #[cfg(not(feature = "digest"))]
        false
    }
}

impl Known {
    pub(super) fn get(&mut self, origin: &Origin) -> Option<&mut Place> {
        self.0.get_mut(origin)
    }

    pub(super) fn insert(&mut self, origin: Origin, place: Place) {
        if self.0.len() >= MOST && !self.0.contains_key(&origin) {
            let any = self.0.keys().next().cloned();
            any.and_then(|any| self.0.remove(&any));
        }
        self.0.insert(origin, place);
    }

    pub(super) fn remove(&mut self, origin: &Origin) {
        self.0.remove(origin);
    }
}

const MOST: usize = 256;
