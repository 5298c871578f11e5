//! Watching folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use notify::event::EventKind;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher, recommended_watcher};

use super::live::Live;
use crate::failure::Failure;

/// Tells `live` of changes below folders from now on.
///
/// *Errors*: the system gives no watcher, or a folder cannot be watched.
pub(super) fn start(folders: Vec<PathBuf>, live: Arc<Live>) -> Result<(), Failure> {
    let (sender, changes) = channel();
    let watcher = recommended_watcher(move |event: notify::Result<Event>| {
        // The other end goes with the program.
        let _ = sender.send(event);
    });
    let mut watcher = watcher.map_err(Failure::failed)?;
    for folder in &folders {
        watcher.watch(folder, RecursiveMode::Recursive).map_err(|error| {
            Failure::failed(format_args!("cannot watch {}: {error}", folder.display()))
        })?;
    }
    thread::Builder::new()
        .name("watch".into())
        .spawn(move || tell(watcher, &changes, &folders, &live))
        .map_err(Failure::failed)?;
    Ok(())
}

/// Runs as long as the program. An editor that saves makes several changes at once, which are one to
/// the pages.
fn tell(
    watcher: RecommendedWatcher,
    changes: &Receiver<notify::Result<Event>>,
    folders: &[PathBuf],
    live: &Live,
) {
    let mut kind = None;
    let mut since = None;
    loop {
        let wait = since.map_or(FOR_EVER, |_| QUIET);
        match changes.recv_timeout(wait) {
            Ok(Ok(event)) => {
                for change in kind_of(&event, folders) {
                    kind = kind.max(Some(change));
                    since.get_or_insert_with(Instant::now);
                }
                if since.is_none_or(|since: Instant| since.elapsed() < LONGEST) {
                    continue;
                }
            }
            Ok(Err(error)) => log::warn!("a change may have been missed: {error}"),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if let Some(change) = kind.take() {
            live.change(change == Change::Style);
        }
        since = None;
    }
    drop(watcher);
}

/// What has changed; pages outweigh style sheets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Style,
    Page,
}

/// Reading is no change, and what an editor or a version control keeps for itself is none of the page.
/// Nor is a log: this server's own would change by every page that is loaded because of it.
fn kind_of(event: &Event, folders: &[PathBuf]) -> Vec<Change> {
    if matches!(event.kind, EventKind::Access(_)) {
        return Vec::new();
    }
    event.paths.iter().filter(|path| !is_private(path, folders)).map(|path| change(path)).collect()
}

fn change(path: &Path) -> Change {
    match path.extension() {
        Some(ending) if ending == "css" => Change::Style,
        _ => Change::Page,
    }
}

fn is_private(path: &Path, folders: &[PathBuf]) -> bool {
    let below = folders.iter().find_map(|folder| path.strip_prefix(folder).ok()).unwrap_or(path);
    let hidden = below.iter().any(|part| part.as_encoded_bytes().starts_with(b"."));
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    hidden || [&b"~"[..], b".tmp", b".log"].iter().any(|end| name.ends_with(end)) || name == b"4913"
}

/// So long nothing must have happened before pages are told, and so long they wait at most.
const QUIET: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_millis(500);
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind};

    use super::*;

    #[test]
    fn what_is_a_change() {
        let folders = [PathBuf::from("/home/.me/site")];
        let kind = |path: &str| {
            let event = Event::new(EventKind::Create(CreateKind::File));
            kind_of(&event.add_path(PathBuf::from(path)), &folders)
        };
        assert_eq!(kind("/home/.me/site/a.css"), [Change::Style]);
        assert_eq!(kind("/home/.me/site/a.html"), [Change::Page]);
        for path in [
            "/home/.me/site/.git/index",
            "/home/.me/site/a.html~",
            "/home/.me/site/.a.swp",
            "/home/.me/site/access.log",
        ] {
            assert_eq!(kind(path), [], "{path}");
        }
        let read = Event::new(EventKind::Access(AccessKind::Read));
        assert_eq!(kind_of(&read.add_path(PathBuf::from("/home/.me/site/a")), &folders), []);
    }
}
