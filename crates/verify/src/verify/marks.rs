//! When each key and each project last changed, by a count of changes: what was read before that counts no more.
//!
//! Whoever reads facts takes a [`Ticket`] first: how many changes had been told by then. A change is told after its commit and before
//! it is answered: it takes the next number, and marks its key or project with it. Facts hold while their ticket is no older than the
//! marks. Facts from before a commit were read with a ticket from before its number, so however late they arrive they never hold
//! again: a fill that raced a write cannot bring them back.
//!
//! Keys share marks, and so do projects: a change makes a few others be read again (30 of 1,000,000), and none be wrong.
//! The file is compiled twice: on the real atomics, and in `schedules` on those of `shuttle`.

use super::sync::{AtomicU64, Ordering};

/// How many changes had been told when facts were about to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

pub(super) struct Marks {
    count: AtomicU64,
    all: AtomicU64,
    keys: Box<[AtomicU64]>,
    projects: Box<[AtomicU64]>,
}

impl Marks {
    /// With so many marks for keys, and for projects.
    pub fn new(stripes: usize) -> Self {
        let none = || (0..stripes).map(|_| AtomicU64::new(0)).collect();
        Self { count: AtomicU64::new(0), all: AtomicU64::new(0), keys: none(), projects: none() }
    }

    /// To be taken before facts are read.
    pub fn ticket(&self) -> Ticket {
        Ticket(self.count.load(Ordering::SeqCst))
    }

    fn mark(&self, mark: &AtomicU64) {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        // Of two changes at once the later number stays, whichever comes last.
        mark.fetch_max(number, Ordering::SeqCst);
    }

    /// A key changed: to be told after the commit.
    pub fn key(&self, place: u32) {
        self.mark(stripe(&self.keys, place));
    }

    /// A project changed: as [`Marks::key`], for all its keys.
    pub fn project(&self, place: u32) {
        self.mark(stripe(&self.projects, place));
    }

    /// Something changed for all keys, or nobody knows what changed.
    pub fn everything(&self) {
        self.mark(&self.all);
    }

    /// Whether facts that were read with this ticket still hold.
    pub fn holds(&self, read: Ticket, key: u32, project: u32) -> bool {
        let [all, key, project] =
            [&self.all, stripe(&self.keys, key), stripe(&self.projects, project)].map(|it| it.load(Ordering::SeqCst));
        read.0 >= all && read.0 >= key && read.0 >= project
    }
}

fn stripe(marks: &[AtomicU64], place: u32) -> &AtomicU64 {
    &marks[place as usize % marks.len()]
}
