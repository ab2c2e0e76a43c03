//! Noticing that something changed: inotify where it works, the poll interval everywhere, and stamps of files.
//!
//! Promises: a change after [`Watch::ensure`] is not missed for longer than the poll interval, whatever inotify does
//! (network file systems, an exhausted watch limit, a root that appears later or is replaced). What can go wrong is
//! told by [`Watch::trouble`]; nothing here fails. Reading a file never wakes its own watcher.

use crate::intake::source::SourceError;
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// A new folder is looked into again this much later: it may have been filled before its watch was in place.
const NEW_FOLDER_AGAIN: Duration = Duration::from_millis(250);
/// Names remembered as having arrived by rename; more are simply left to their stamps.
const ARRIVED_MAX: usize = 10_000;

/// The wall clock, for the ages of files only (file times are wall clock too).
fn now() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "ages of files are told by the clock that stamps them")]
    SystemTime::now()
}

/// What changes when a file or folder is written, replaced or moved elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    /// Size in bytes.
    pub(super) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of what `metadata` describes.
    #[must_use]
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The stamp of a folder, taken through a fresh open: that makes NFS ask its server.
    ///
    /// # Errors
    /// As of `open` and `fstat`.
    pub(super) fn of_folder(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&File::open(path)?.metadata()?))
    }

    /// Device and inode: the same file under whatever name.
    #[must_use]
    pub(super) fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }

    /// The same file with the same content. Its change of rights (ctime) does not count.
    #[must_use]
    pub(super) fn same_content(&self, other: &Self) -> bool {
        (self.identity(), self.size, self.modified) == (other.identity(), other.size, other.modified)
    }

    /// Time of the last change of content, nanoseconds since 1970.
    #[must_use]
    pub(super) fn modified_ns(&self) -> i128 {
        i128::from(self.modified.0) * 1_000_000_000 + i128::from(self.modified.1)
    }

    /// Time since the content changed; `None` where the file's time lies in the future.
    #[must_use]
    pub(super) fn age(&self) -> Option<Duration> {
        since(self.modified)
    }

    /// Time since content, name or rights changed; `None` where the file's times lie in the future.
    #[must_use]
    pub(super) fn untouched(&self) -> Option<Duration> {
        since(self.modified.max(self.changed))
    }

    /// How long a time stamp of this file system must have stood still before "unchanged" means anything: the kernel's
    /// clock for files ticks every 4 to 10 ms, and some file systems count whole seconds.
    #[must_use]
    pub(super) fn tick(&self) -> Duration {
        if self.modified.1 == 0 { Duration::from_millis(1_100) } else { Duration::from_millis(25) }
    }
}

fn since((seconds, nanos): (i64, i64)) -> Option<Duration> {
    let nanos = u32::try_from(nanos).unwrap_or(0);
    let seconds = u64::try_from(seconds).unwrap_or(0);
    now().duration_since(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos)).ok()
}

/// Runs file work off the runtime's threads.
///
/// # Errors
/// Those of `work`; `Unreachable` where it panicked.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    apart(work).await.unwrap_or_else(|why| Err(SourceError::Unreachable(format!("the mailbox: {why}"))))
}

/// Runs work off the runtime's threads that may panic. What a panic says is left unsaid: it may quote a message.
pub(super) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, &'static str> {
    tokio::task::spawn_blocking(work).await.map_err(|_| "reading broke off")
}

/// Locks, whatever a panicking thread left behind: all states kept here are only memories of what was seen.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder that is watched. Cheap to clone; all clones are the same watch.
#[derive(Clone)]
pub(super) struct Watch {
    root: PathBuf,
    mode: RecursiveMode,
    heard: Arc<Heard>,
    relevant: fn(&str) -> bool,
    live: Arc<Mutex<Live>>,
}

#[derive(Default)]
struct Live {
    watcher: Option<(RecommendedWatcher, (u64, u64))>,
    why_not: Option<String>,
}

#[derive(Default)]
struct Heard {
    bell: tokio::sync::Notify,
    new_folder: AtomicBool,
    failed: AtomicBool,
    arrived: Mutex<HashSet<String>>,
}

impl Watch {
    /// A watch on `root`, with everything below if `deep`. Only files whose name is `relevant` wake it.
    #[must_use]
    pub(super) fn new(root: PathBuf, deep: bool, relevant: fn(&str) -> bool) -> Self {
        let mode = if deep { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        Self { root, mode, heard: Arc::default(), relevant, live: Arc::default() }
    }

    /// Sets the watch up if it is not in place: first use, root created later or replaced, an earlier failure.
    /// Blocking; call it before looking, so that nothing falls between the look and the watch.
    pub(super) fn ensure(&self) {
        let mut live = lock(&self.live);
        let Ok(root) = std::fs::metadata(&self.root) else {
            live.watcher = None;
            return;
        };
        let identity = (root.dev(), root.ino());
        let broken = self.heard.failed.swap(false, Ordering::AcqRel);
        if !broken && live.watcher.as_ref().is_some_and(|(_, known)| *known == identity) {
            return;
        }
        // the old one goes first: it may hold the watches the new one needs
        live.watcher = None;
        match self.start() {
            Ok(watcher) => *live = Live { watcher: Some((watcher, identity)), why_not: None },
            Err(error) => live.why_not = Some(error.to_string()),
        }
    }

    fn start(&self) -> notify::Result<RecommendedWatcher> {
        let (heard, relevant) = (self.heard.clone(), self.relevant);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| heard.hear(event, relevant))?;
        watcher.watch(&self.root, self.mode)?;
        Ok(watcher)
    }

    /// Why changes are seen by polling only, if that is so.
    #[must_use]
    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.live).why_not.as_ref().map(|why| {
            format!(
                "{} cannot be watched ({why}): new messages are seen by polling only; remedy: raise \
                 fs.inotify.max_user_watches",
                self.root.display()
            )
        })
    }

    /// Names that came into the watched folders by rename, since the last call.
    #[must_use]
    pub(super) fn arrived(&self) -> HashSet<String> {
        std::mem::take(&mut *lock(&self.heard.arrived))
    }

    /// Returns when something relevant changed, or after `within`. May be dropped at any time without missing a change.
    pub(super) async fn changed(&self, within: Duration) {
        // a folder made a moment ago may have been filled before its watch stood
        let hurried = self.heard.new_folder.swap(false, Ordering::AcqRel);
        let within = if hurried { within.min(NEW_FOLDER_AGAIN) } else { within };
        // timed out or rung: both mean "look"
        let rung = tokio::time::timeout(within, self.heard.bell.notified()).await.is_ok();
        if hurried && rung {
            // the ring may have been the folder's own: the moment is still to come
            self.heard.new_folder.store(true, Ordering::Release);
        }
    }
}

impl Heard {
    fn hear(&self, event: notify::Result<Event>, relevant: fn(&str) -> bool) {
        let Ok(event) = event else {
            // out of watches or worse: look, and set the watch up anew
            self.failed.store(true, Ordering::Release);
            self.bell.notify_one();
            return;
        };
        let renamed = event.kind == EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let counts = match event.kind {
            EventKind::Create(CreateKind::Folder) => {
                self.new_folder.store(true, Ordering::Release);
                true
            }
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => names(&event).any(relevant),
            _ if renamed => {
                let mut arrived = lock(&self.arrived);
                for name in names(&event).filter(|name| relevant(name)) {
                    if arrived.len() < ARRIVED_MAX {
                        arrived.insert(name.to_owned());
                    }
                }
                // a folder moved in is a new folder as well
                let folder = event.paths.iter().any(|path| path.is_dir());
                if folder {
                    self.new_folder.store(true, Ordering::Release);
                }
                folder || names(&event).any(relevant)
            }
            _ => event.need_rescan(),
        };
        if counts {
            self.bell.notify_one();
        }
    }
}

fn names(event: &Event) -> impl Iterator<Item = &str> {
    event.paths.iter().filter_map(|path| path.file_name()?.to_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_closed_or_renamed_rings_and_reading_it_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let watch = Watch::new(folder.path().to_owned(), true, |name| name.starts_with("msg"));
        watch.ensure();
        let started = std::time::Instant::now();
        std::fs::write(folder.path().join("msg0000.wav"), b"x").unwrap();
        watch.changed(Duration::from_secs(20)).await;
        std::fs::rename(folder.path().join("msg0000.wav"), folder.path().join("msg0001.wav")).unwrap();
        watch.changed(Duration::from_secs(20)).await;
        assert!(started.elapsed() < Duration::from_secs(20));
        assert!(watch.arrived().contains("msg0001.wav"));

        std::fs::read(folder.path().join("msg0001.wav")).unwrap();
        let started = std::time::Instant::now();
        watch.changed(Duration::from_millis(60)).await;
        assert!(started.elapsed() >= Duration::from_millis(60));
    }

    #[tokio::test]
    async fn a_root_made_later_is_watched_from_the_next_look() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("later");
        let watch = Watch::new(root.clone(), true, |_| true);
        watch.ensure();
        assert_eq!(watch.trouble(), None);
        std::fs::create_dir(&root).unwrap();
        watch.ensure();
        std::fs::create_dir(root.join("INBOX")).unwrap();
        let started = std::time::Instant::now();
        watch.changed(Duration::from_secs(20)).await;
        watch.changed(Duration::from_secs(20)).await;
        assert!(started.elapsed() < Duration::from_secs(20), "the second one comes by itself, a moment later");
    }

    #[test]
    fn a_changed_right_is_no_changed_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"x").unwrap();
        let before = Stamp::of(&path.metadata().unwrap());
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        assert!(before.same_content(&Stamp::of(&path.metadata().unwrap())));
        assert!(before.untouched().unwrap() < Duration::from_mins(1));
    }
}
