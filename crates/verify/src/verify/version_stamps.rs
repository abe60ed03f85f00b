//! Version stamps: the version of the last change of each key and each project. Snapshots that were read before that
//! version are invalid.
//!
//! A reader first takes a [`ReadVersion`]: the number of changes applied so far. A change is applied after its commit
//! and before its response: it takes the next number and stores it as the stamp of its key or project. A snapshot is
//! valid while its read version is not older than the stamps. A snapshot from before a commit has a read version from
//! before the commit's number, so it is never valid again, however late it arrives. A cache fill that races a write can
//! therefore not restore old data.
//!
//! Keys share stamps, and so do projects. A change therefore causes a few other keys to be read again (30 of
//! 1,000,000), but never a wrong result. This file is compiled twice: with the real atomics, and in `shuttle_tests`
//! with those of `shuttle`.

use super::sync_shim::{AtomicU64, Ordering};

/// The number of changes applied before a read of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReadVersion(u64);

pub(super) struct VersionStamps {
    count: AtomicU64,
    all: AtomicU64,
    keys: Box<[AtomicU64]>,
    projects: Box<[AtomicU64]>,
}

impl VersionStamps {
    /// Creates this number of stamps for keys, and as many for projects.
    pub fn new(stripes: usize) -> Self {
        let none = || (0..stripes).map(|_| AtomicU64::new(0)).collect();
        Self { count: AtomicU64::new(0), all: AtomicU64::new(0), keys: none(), projects: none() }
    }

    /// Returns the version for a read. Must be called before the read.
    pub fn read_version(&self) -> ReadVersion {
        ReadVersion(self.count.load(Ordering::SeqCst))
    }

    fn stamp(&self, mark: &AtomicU64) {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        // Of two concurrent changes the higher number stays, regardless of the order of writes.
        mark.fetch_max(number, Ordering::SeqCst);
    }

    /// Stamps a changed key. Must be called after the commit.
    pub fn stamp_key(&self, place: u32) {
        self.stamp(stripe(&self.keys, place));
    }

    /// Stamps a changed project, which invalidates all its keys. See [`VersionStamps::stamp_key`].
    pub fn stamp_project(&self, place: u32) {
        self.stamp(stripe(&self.projects, place));
    }

    /// Stamps all keys, after a change of all keys or an unknown change.
    pub fn stamp_all(&self) {
        self.stamp(&self.all);
    }

    /// Returns whether a snapshot with this read version is still valid.
    pub fn is_current(&self, read: ReadVersion, key: u32, project: u32) -> bool {
        let [all, key, project] =
            [&self.all, stripe(&self.keys, key), stripe(&self.projects, project)].map(|it| it.load(Ordering::SeqCst));
        read.0 >= all && read.0 >= key && read.0 >= project
    }
}

fn stripe(marks: &[AtomicU64], place: u32) -> &AtomicU64 {
    &marks[place as usize % marks.len()]
}
