// SPDX-License-Identifier: GPL-2.0

//! How many files each user has in flight.

use crate::net::Files;
use core::mem;
use kernel::{
    alloc::flags::GFP_KERNEL_ACCOUNT,
    new_spinlock,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode,
        RBTreeNodeReservation, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        SpinLock, //
    }, //
};

/// `ETOOMANYREFS`, which the kernel crate has no name for.
pub(super) const ETOOMANYREFS: i32 = 109;

/// The users who have files in flight.
#[pin_data]
pub(super) struct Users {
    #[pin]
    known: SpinLock<Known>,
}

/// Users by what tells them apart ([`Files::user`]).
///
/// A user without files in flight isn't kept, but for the last one: most often that
/// is who sends the next ones, too. (Rows `fds` of the bench.) What comes to have the
/// same number in its place finds no files counted.
struct Known {
    tree: RBTree<usize, Arc<User>>,
    /// The last one that had no more files, who may have some again.
    last: usize,
}

// The nodes are boxed: moving the tree moves none of them.
impl Unpin for Known {}

impl Known {
    /// Counts files as those of a user who is known, and returns that, unless there
    /// are so many that somebody has to look at that.
    fn count(&self, files: &Files) -> Option<Arc<User>> {
        let user = self.tree.get(&files.user())?;
        let own = user.count.load(Relaxed);
        if files.over_limit(own) {
            return None;
        }
        user.count.store(own.saturating_add(files.count()), Relaxed);
        Some(user.clone())
    }

    /// Keeps one user without files in place of another, and returns that one's node,
    /// to be dropped after the lock.
    fn keep(&mut self, user: &User) -> Option<RBTreeNode<usize, Arc<User>>> {
        let before = mem::replace(&mut self.last, user.id);
        if before == user.id || self.tree.get(&before)?.count.load(Relaxed) != 0 {
            return None;
        }
        self.tree.remove_node(&before)
    }
}

/// A user who has files in flight.
pub(super) struct User {
    id: usize,
    /// How many; written under the lock of the users.
    count: Atomic<usize>,
    /// The run of the collector that last found garbage of this user.
    littered: Atomic<usize>,
}

impl User {
    /// Notes that a run of the collector has found garbage of this user. Any context.
    pub(super) fn litters(&self, run: usize) {
        self.littered.store(run, Relaxed);
    }
}

impl Users {
    /// Returns the initialiser of none.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            known <- new_spinlock!(
                Known { tree: RBTree::new(), last: 0 },
                "InFlight::users"
            ),
        })
    }

    /// Returns how many files the user has in flight who has sent these, and the run of
    /// the collector that last found garbage of that user; `None` if there are none. Any
    /// context that may spin.
    pub(super) fn known(&self, files: &Files) -> Option<(usize, usize)> {
        let known = self.known.lock();
        let user = known.tree.get(&files.user())?;
        Some((user.count.load(Relaxed), user.littered.load(Relaxed)))
    }

    /// Counts files of a user as in flight.
    ///
    /// May sleep. `ETOOMANYREFS` if there are too many already.
    pub(super) fn count(&self, files: &Files) -> Result<Arc<User>> {
        // On its own, so that the lock ends here.
        let known = self.known.lock().count(files);
        match known {
            Some(user) => Ok(user),
            None => self.count_first(files),
        }
    }

    /// Does the same for a user who isn't known yet, or has many files in flight.
    #[inline(never)]
    fn count_first(&self, files: &Files) -> Result<Arc<User>> {
        let id = files.user();
        let own = |user: &Arc<User>| user.count.load(Relaxed);
        let before = self.known.lock().tree.get(&id).map_or(0, own);
        // Another thread may get by at the same time, as with AF_UNIX.
        if files.too_many(before) {
            return Err(Error::from_errno(-ETOOMANYREFS));
        }
        let add = |user: &Arc<User>| {
            user.count
                .store(own(user).saturating_add(files.count()), Relaxed);
            user.clone()
        };
        if let Some(user) = self.known.lock().tree.get(&id) {
            return Ok(add(user));
        }
        let new = User {
            id,
            count: Atomic::new(0),
            littered: Atomic::new(0),
        };
        let new = Arc::new(new, GFP_KERNEL_ACCOUNT)?;
        let node = RBTreeNodeReservation::new(GFP_KERNEL_ACCOUNT)?;
        // Declared after what may be left over, and so dropped before it.
        let mut known = self.known.lock();
        if let Some(user) = known.tree.get(&id) {
            return Ok(add(user));
        }
        let user = add(&new);
        drop(known.tree.insert(node.into_node(id, new)));
        Ok(user)
    }

    /// Counts files of a user as received.
    pub(super) fn uncount(&self, user: &User, files: &Files) {
        let mut known = self.known.lock();
        let left = user.count.load(Relaxed).saturating_sub(files.count());
        user.count.store(left, Relaxed);
        if left == 0 {
            let other = known.keep(user);
            drop(known);
            drop(other);
        }
    }
}
