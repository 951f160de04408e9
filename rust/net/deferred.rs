// SPDX-License-Identifier: GPL-2.0

//! Work that is done later, by a kernel thread.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use super::pernet::{
    Net,
    PerNetData, //
};
use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    bindings as kb,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    types::Opaque,
};

const NSEC_PER_MSEC: i64 = 1_000_000;

/// Returns the time since the machine started, in nanoseconds.
pub(crate) fn now() -> i64 {
    // SAFETY: Has no requirements.
    unsafe { kb::ktime_get() }
}

/// Something to be done later.
pub(crate) trait Task: Sized + 'static {
    /// The per-namespace data that it works on.
    type Space: PerNetData;

    /// Returns the static that schedules the task.
    fn deferred() -> &'static Deferred<Self>;

    /// Does it, with the data of the initial namespace. May sleep. Never runs
    /// twice at the same time.
    fn run(space: &Self::Space);
}

/// Schedules a task; lives in a static.
pub(crate) struct Deferred<T: Task> {
    work: Opaque<kb::delayed_work>,
    ready: Atomic<bool>,
    /// How many times as long as it ran the task then rests.
    rest: u32,
    /// When it has rested, in nanoseconds since the machine started.
    rested: Atomic<i64>,
    _p: PhantomData<fn() -> T>,
}

// SAFETY: The C side does its own locking.
unsafe impl<T: Task> Sync for Deferred<T> {}

impl<T: Task> Deferred<T> {
    /// Makes a value that schedules nothing yet. The task shall rest `rest` times
    /// as long as it ran, before it runs again.
    pub(crate) const fn new(rest: u32) -> Self {
        Self {
            work: Opaque::zeroed(),
            ready: Atomic::new(false),
            rest,
            rested: Atomic::new(0),
            _p: PhantomData,
        }
    }

    /// Lets the task be scheduled until the returned value is dropped.
    ///
    /// `EBUSY` if it already is so. The value belongs into the module's own
    /// data, to be dropped after the family and before the namespaces' data.
    pub(crate) fn register(&'static self) -> Result<DeferredRegistration<T>> {
        if self.ready.load(Acquire) {
            return Err(EBUSY);
        }
        // SAFETY: Nobody uses the work yet, and it is static.
        unsafe { bindings::work_init(self.work.get(), Some(Self::run)) };
        self.ready.store(true, Release);
        Ok(DeferredRegistration(self))
    }

    /// Lets the task run soon, once for any number of calls until it starts: when
    /// it has rested.
    ///
    /// Any context.
    pub(crate) fn schedule(&'static self) {
        if self.ready.load(Acquire) {
            let left = self.rested.load(Relaxed).saturating_sub(now()) / NSEC_PER_MSEC;
            let left = u32::try_from(left).unwrap_or(0);
            // SAFETY: The work was initialised.
            unsafe { bindings::work_queue_in(self.work.get(), left) };
        }
    }

    /// Waits until the task has run, if it is to run or runs: at once, rested or not.
    ///
    /// May sleep, but not in the task itself.
    pub(crate) fn flush(&'static self) {
        if self.ready.load(Acquire) {
            // SAFETY: The work was initialised.
            unsafe { kb::flush_delayed_work(self.work.get()) };
        }
    }

    /// Lets the task run after so many milliseconds, unless it runs before.
    ///
    /// Any context.
    pub(crate) fn schedule_after(&'static self, milliseconds: u32) {
        if self.ready.load(Acquire) {
            // SAFETY: The work was initialised.
            unsafe { bindings::work_queue(self.work.get(), milliseconds) };
        }
    }

    /// The work's function.
    ///
    /// # Safety
    ///
    /// Called by the work queue.
    unsafe extern "C" fn run(_work: *mut kb::work_struct) {
        if let Some(space) = T::Space::pernet().get(Net::initial()) {
            let this = T::deferred();
            let begin = now();
            T::run(space);
            let end = now();
            let rest = end.saturating_sub(begin).saturating_mul(this.rest.into());
            this.rested.store(end.saturating_add(rest), Relaxed);
        }
    }
}

/// A task that may be scheduled; dropping it waits until the task is done.
pub(crate) struct DeferredRegistration<T: Task>(&'static Deferred<T>);

impl<T: Task> Drop for DeferredRegistration<T> {
    fn drop(&mut self) {
        self.0.ready.store(false, Relaxed);
        // SAFETY: The work was initialised.
        unsafe { bindings::work_cancel(self.0.work.get()) };
    }
}
