//! Which logins were found right.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use avocet_semantics::auth::basic::Login;
use hmac::Mac;

use super::password::keyed;
use crate::random;

/// Remembers logins that were right, so that a hash is made once and not for each request. What is kept
/// is a code under a key of this process: it tells nobody a password.
///
/// *Bounds*: 1,024 logins, all forgotten beyond; as many hashes at a time as [`TURNS`].
pub(super) struct Verifier {
    key: Vec<u8>,
    right: Mutex<HashSet<Mark>>,
    turns: Arc<AtomicUsize>,
}

/// Stands for a part and a login.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Mark([u8; 32]);

/// What is known of a login.
pub(super) enum Known {
    Right,
    /// Nothing, or that it was wrong.
    New(Mark),
}

/// The right to make a hash.
pub(super) struct Turn(Arc<AtomicUsize>);

impl Verifier {
    pub(super) fn new() -> io::Result<Self> {
        let key = random::token()?.into_bytes();
        Ok(Self { key, right: Mutex::default(), turns: Arc::default() })
    }

    pub(super) fn look(&self, part: usize, login: &Login) -> Known {
        let mut code = keyed(&self.key);
        code.update(&(part as u64).to_be_bytes());
        code.update(&(login.name().len() as u64).to_be_bytes());
        code.update(login.name());
        code.update(login.password());
        let mark = Mark(code.finalize().into_bytes().into());
        if self.is_right(&mark) { Known::Right } else { Known::New(mark) }
    }

    pub(super) fn is_right(&self, mark: &Mark) -> bool {
        self.lock().contains(mark)
    }

    pub(super) fn note(&self, mark: Mark) {
        let mut right = self.lock();
        if right.len() >= MOST {
            right.clear();
        }
        right.insert(mark);
    }

    /// Whoever guesses passwords must not keep the threads from everybody else.
    pub(super) fn turn(&self) -> Option<Turn> {
        let before = self.turns.fetch_add(1, Ordering::AcqRel);
        let turn = Turn(self.turns.clone());
        (before < TURNS).then_some(turn)
    }

    /// The table is never left half changed.
    fn lock(&self) -> MutexGuard<'_, HashSet<Mark>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

const MOST: usize = 1_024;

/// Logins that are looked at at the same time; beyond, the answer is 503.
const TURNS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_right_for_its_part_and_password_alone() {
        let verifier = Verifier::new().unwrap();
        let login = |password| Login::new("ada", password).unwrap();
        let Known::New(mark) = verifier.look(0, &login("one")) else { panic!("nobody was noted") };
        verifier.note(mark);
        assert!(matches!(verifier.look(0, &login("one")), Known::Right));
        assert!(matches!(verifier.look(1, &login("one")), Known::New(_)));
        assert!(matches!(verifier.look(0, &login("two")), Known::New(_)));
    }

    #[test]
    fn turns_are_bounded_and_come_back() {
        let verifier = Verifier::new().unwrap();
        let turns: Vec<Turn> = (0..TURNS).map(|_| verifier.turn().unwrap()).collect();
        assert!(verifier.turn().is_none());
        drop(turns);
        assert!(verifier.turn().is_some());
    }
}
