// SPDX-License-Identifier: GPL-2.0

//! Looking once more before sleeping.
//!
//! To sleep and to be woken costs more than all else that a small message costs.
//! Two processes that take turns need neither, if the one that waits knows whom it
//! waits for, its *companion*: the thread that woke this socket's sleepers last.
//!
//! * The companion is ready to run on this CPU: the waiter hands the CPU over
//!   (`yield_to()`), once, and looks again when it gets it back. It was never
//!   asleep, so that nobody has to wake it.
//! * The companion runs on another CPU: the waiter looks for some microseconds, as
//!   a mutex does while its owner runs.
//! * Otherwise it sleeps, as ever.
//!
//! What keeps it harmless:
//!
//! * Real-time tasks neither hand over nor look.
//! * Handing over gives up the rest of a slice: where something else is busy on the
//!   same CPU, that may take milliseconds, far more than what is gained is worth.
//!   Then nobody does so on this CPU for a while, up to a second; the time lost is
//!   below 1 %.
//! * A companion that sends a little and goes on with something long keeps the CPU
//!   from who waits for that little. It counts as an attempt in vain.
//! * Attempts in vain make attempts rare ([`Memory`]).
//! * Looking ends when something else wants this CPU, when the companion stops
//!   running, on a signal, and when its time is up.

use super::family::Family;
use super::live::Live;
use crate::bindings;
use crate::pure::patience::Memory;
use core::{
    cell::UnsafeCell,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    bindings as kb,
    prelude::*,
    sync::atomic::Atomic,
    types::Opaque, //
};

/// A hand-over may take that long, in nanoseconds, whatever comes of it. Whoever waits
/// for longer than that doesn't gain much by it.
const TOO_LONG: u64 = 200_000;

/// What an administrator allows.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// Waiters may hand the CPU over.
    pub(crate) hand_over: bool,
    /// For how many nanoseconds waiters may look.
    pub(crate) look: u64,
}

/// Whom a socket's waiters are likely to wait for, and whether that was true.
///
/// # Invariants
///
/// `pid` is null or a reference to a `struct pid` that the value owns, and is
/// changed under `lock` alone; both are initialised.
pub(super) struct Companion {
    lock: Opaque<kb::spinlock_t>,
    memory: Atomic<u32>,
    pid: UnsafeCell<*mut kb::pid>,
}

impl Companion {
    /// Initialises the companion of a new socket: none.
    ///
    /// # Safety
    ///
    /// `this` is valid for writes, and nobody else uses it.
    pub(super) unsafe fn init(this: *mut Self) {
        // SAFETY: By the function's safety requirements.
        // INVARIANT: There is no reference.
        unsafe {
            (&raw mut (*this).pid).write(UnsafeCell::new(ptr::null_mut()));
            (&raw mut (*this).memory).write(Atomic::new(0));
            bindings::companion_init((*this).lock.get());
        }
    }

    /// Notes that the calling thread is about to wake the socket's sleepers.
    pub(super) fn note(&self) {
        // SAFETY: By the type invariants.
        unsafe { bindings::companion_note(self.lock.get(), self.pid.get()) };
    }

    fn memory(&self) -> u32 {
        // SAFETY: The pointer is that of a valid atomic; see `Word`.
        unsafe { self.memory.as_ptr().read_volatile() }
    }

    fn remember(&self, memory: Memory) {
        // SAFETY: As in `memory`. If two waiters write at once, one of them is forgotten.
        unsafe { self.memory.as_ptr().write_volatile(memory.raw()) };
    }

    /// Returns the companion, if it lives and isn't the calling thread.
    fn task(&self) -> Option<TaskRef> {
        // SAFETY: By the type invariants.
        let raw = unsafe { bindings::companion_get(self.lock.get(), self.pid.get()) };
        // INVARIANT: The function takes a reference.
        NonNull::new(raw).map(TaskRef)
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        // SAFETY: By the type invariants; null is taken for nothing.
        unsafe { kb::put_pid(*self.pid.get()) };
    }
}

/// A task.
///
/// # Invariants
///
/// Owns a reference.
struct TaskRef(NonNull<kb::task_struct>);

impl Drop for TaskRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariants.
        unsafe { bindings::companion_put(self.0.as_ptr()) };
    }
}

impl<F: Family> Live<'_, F> {
    /// Looks once more whether a wait is over, without sleeping for it, if that is
    /// likely to help. Returns whether it is over.
    ///
    /// `ready` tells whether it is, and `worth` how many nanoseconds it would cost to
    /// be woken for what there is then, piece by piece. Neither may sleep; the call
    /// itself may, in so far as others may run meanwhile.
    ///
    /// Cases of the bench: `pingpong`, `oneway`, `epoll`.
    pub(crate) fn look_again(
        &self,
        patience: Patience,
        ready: impl FnMut() -> bool,
        worth: impl FnOnce() -> u64,
    ) -> bool {
        look_for(self.companion(), patience, ready, worth)
    }
}

/// Looks once more for what a companion is to bring.
fn look_for(
    companion: &Companion,
    patience: Patience,
    ready: impl FnMut() -> bool,
    worth: impl FnOnce() -> u64,
) -> bool {
    let memory = Memory::from_raw(companion.memory());
    if let Err(memory) = memory.attempt() {
        companion.remember(memory);
        return false;
    }
    // SAFETY: Has no requirements.
    if !unsafe { bindings::current_is_fair() } {
        return false;
    }
    let Some(task) = companion.task() else {
        return false;
    };
    let Some((found, paid)) = attempt(&task, patience, ready, worth) else {
        return false;
    };
    let after = memory.after(paid);
    if after != memory {
        companion.remember(after);
    }
    found
}

/// Does what helps, and tells whether the wait is over, and whether it was worth it;
/// `None` if there is nothing to do.
fn attempt(
    task: &TaskRef,
    patience: Patience,
    mut ready: impl FnMut() -> bool,
    worth: impl FnOnce() -> u64,
) -> Option<(bool, bool)> {
    let raw = task.0.as_ptr();
    // SAFETY: By the type invariants of `TaskRef`; the others have no requirements.
    unsafe {
        if bindings::task_is_ready_here(raw) {
            if !patience.hand_over || bindings::cpu_is_busy() {
                return None;
            }
            let (mut took, mut others) = (0, 0);
            if !bindings::hand_over(raw, &mut took, &mut others) {
                return None;
            }
            let found = ready();
            if took <= TOO_LONG {
                bindings::cpu_note_busy(false);
                return Some((found, found));
            }
            // What others took must have been worth it; with the companion, which has brought it,
            // there is more patience.
            let worth = if found { worth() } else { 0 };
            bindings::cpu_note_busy(others > TOO_LONG.saturating_add(worth));
            let paid = took <= TOO_LONG.saturating_add(worth.saturating_mul(4));
            return Some((found, found && paid));
        }
        if patience.look == 0 || !bindings::task_runs_elsewhere(raw) {
            return None;
        }
        let start = bindings::clock();
        while bindings::relax() && bindings::task_runs_elsewhere(raw) {
            if ready() {
                return Some((true, true));
            }
            if bindings::clock().wrapping_sub(start) > patience.look {
                break;
            }
        }
    }
    let found = ready();
    Some((found, found))
}
