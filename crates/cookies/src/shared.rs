//! One jar for several threads.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use url::Url;

use crate::{
    context::Context,
    jar::Jar,
    verdict::{Accepted, Refusal},
};

/// A jar that threads share; clones are the same jar.
///
/// *Blocking*: each call holds a lock for as long as it works in memory, which takes
/// microseconds. Files are read and written without it.
///
/// ```
/// use std::time::SystemTime;
/// use avocet_cookies::{Context, SharedJar};
/// use url::Url;
///
/// let jar = SharedJar::default();
/// let url = Url::parse("http://example.com/")?;
/// let now = SystemTime::now();
/// std::thread::scope(|scope| {
///     scope.spawn(|| jar.store(&url, [&b"a=1"[..]], &Context::new(), now));
/// });
/// assert_eq!(jar.header_for(&url, &Context::new(), now), Some(b"a=1".to_vec()));
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct SharedJar {
    jar: Arc<Mutex<Jar>>,
}

impl SharedJar {
    /// Shares `jar`.
    pub fn new(jar: Jar) -> Self {
        Self { jar: Arc::new(Mutex::new(jar)) }
    }

    /// [`Jar::store`].
    pub fn store<'l>(
        &self,
        url: &Url,
        lines: impl IntoIterator<Item = &'l [u8]>,
        context: &Context,
        now: SystemTime,
    ) -> Vec<Result<Accepted, Refusal>> {
        self.lock().store(url, lines, context, now)
    }

    /// [`Jar::header_for`].
    pub fn header_for(&self, url: &Url, context: &Context, now: SystemTime) -> Option<Vec<u8>> {
        self.lock().header_for(url, context, now)
    }

    /// Does something with the jar under its lock. `work` must not call this jar again, for that
    /// would wait for itself, and should do no I/O, for others wait meanwhile.
    pub fn with<T>(&self, work: impl FnOnce(&mut Jar) -> T) -> T {
        work(&mut self.lock())
    }

    /// A copy of the jar as it is now.
    pub fn snapshot(&self) -> Jar {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Jar> {
        // A panic can come from a policy only, which is asked before the jar changes; the jar
        // behind a poisoned lock is sound.
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
