//! The root over time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use crate::root::{Links, Root};

/// The root, exchanged when its path has come to name another folder: one that was deleted and made
/// anew by a build, or to which a link was turned by a deployment.
///
/// The path is looked at once a second at most. While it names nothing the last folder stays.
#[derive(Debug)]
pub(crate) struct Base {
    path: PathBuf,
    links: Links,
    root: RwLock<Arc<Root>>,
    begin: Instant,
    /// The second, counted from the beginning, in which the path was looked at last.
    looked: AtomicU64,
}

impl Base {
    /// *Errors*: a path that is no folder, or that may not be entered.
    pub(crate) fn open(path: &Path, links: Links) -> io::Result<Self> {
        // The folder that the program works in may change, what was meant does not.
        let path = std::path::absolute(path)?;
        let root = RwLock::new(Arc::new(Root::open(&path, links)?));
        Ok(Self { path, links, root, begin: Instant::now(), looked: AtomicU64::new(0) })
    }

    /// The root as it is now. The lock is only ever held for a copy of a pointer.
    pub(crate) fn root(&self) -> Arc<Root> {
        self.root.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the path when the last look is a second old.
    pub(crate) fn renew(&self, now: Instant) {
        let second = now.saturating_duration_since(self.begin).as_secs();
        let looked = self.looked.load(Ordering::Relaxed);
        let order = Ordering::Relaxed;
        if second <= looked || self.looked.compare_exchange(looked, second, order, order).is_err() {
            return;
        }
        match Root::open(&self.path, self.links) {
            Ok(root) if root.is_same_folder(&self.root()) => {}
            Ok(root) => {
                log::info!("{} is another folder now", self.path.display());
                *self.root.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(root);
            }
            Err(error) => log::debug!("{}: {error}", self.path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_root_follows_its_path_once_a_second() {
        let around = tempfile::tempdir().unwrap();
        for name in ["one", "two"] {
            fs::create_dir(around.path().join(name)).unwrap();
            fs::write(around.path().join(name).join(name), "").unwrap();
        }
        let link = around.path().join("current");
        symlink("one", &link).unwrap();
        let base = Base::open(&link, Links::Inside).unwrap();
        let has = |name: &str| base.root().open_below(name.as_bytes()).is_ok();
        assert!(has("one") && !has("two"));
        fs::remove_file(&link).unwrap();
        base.renew(base.begin + Duration::from_secs(1));
        assert!(has("one"), "the last folder stays while there is none");
        symlink("two", &link).unwrap();
        base.renew(base.begin + Duration::from_millis(1_900));
        assert!(has("one"), "it is too early for another look");
        base.renew(base.begin + Duration::from_secs(2));
        assert!(has("two") && !has("one"));
    }
}
