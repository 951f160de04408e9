// SPDX-License-Identifier: GPL-2.0

//! Sleeping on a socket.
//!
//! C header: [`include/linux/wait.h`](srctree/include/linux/wait.h)

use super::family::Family;
use super::live::Live;
use super::sock::Sock;
use super::unix::UnixHead;
use crate::bindings;
use core::mem::MaybeUninit;
use kernel::{
    bindings as kb,
    prelude::*, //
};

/// How long a call may still sleep.
#[derive(Clone, Copy)]
pub(crate) struct Timeout {
    jiffies: c_long,
}

impl Timeout {
    /// `MAX_SCHEDULE_TIMEOUT`: no limit.
    const FOREVER: c_long = c_long::MAX;

    /// Doesn't sleep at all.
    pub(crate) const NONE: Self = Self { jiffies: 0 };

    /// Tells whether there is no time left to sleep.
    pub(crate) fn is_none(self) -> bool {
        self.jiffies == 0
    }

    /// Returns the first part of the time, of at most so many jiffies.
    pub(super) fn at_most(self, jiffies: c_ulong) -> Self {
        let most = c_long::try_from(jiffies).unwrap_or(Self::FOREVER);
        Self {
            jiffies: self.jiffies.min(most),
        }
    }

    /// Takes off what a part of the time, which was `given` for a sleep, has become less.
    pub(super) fn spend(&mut self, given: Self, left: Self) {
        if self.jiffies != Self::FOREVER {
            let spent = given.jiffies.saturating_sub(left.jiffies);
            self.jiffies = self.jiffies.saturating_sub(spent).max(0);
        }
    }

    pub(super) fn from_jiffies(jiffies: c_long) -> Self {
        Self { jiffies }
    }

    /// Fails, as [`Live::wait`] does, if there is a signal, though what was waited
    /// for may have come.
    pub(crate) fn check_signal(self) -> Result {
        // SAFETY: Has no requirements.
        if unsafe { bindings::current_signal_pending() } {
            return Err(self.interrupted());
        }
        Ok(())
    }

    /// Returns what a signal makes of the call: restarted if it had no time
    /// limit, `EINTR` otherwise (`sock_intr_errno()`).
    fn interrupted(self) -> Error {
        if self.jiffies == Self::FOREVER {
            ERESTARTSYS
        } else {
            EINTR
        }
    }
}

/// Whose turn it is when many sleep for the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Every sleeper is woken.
    All,
    /// One sleeper a wake-up, in the order in which they came.
    One,
}

/// Sleeps on `queue` until `ready` says so, the time is up or a signal comes.
///
/// # Safety
///
/// `queue` is initialised, and stays valid during the call.
unsafe fn sleep(
    queue: *mut kb::wait_queue_head,
    turn: Turn,
    timeout: &mut Timeout,
    mut ready: impl FnMut() -> bool,
) -> Result {
    let state = (kb::TASK_INTERRUPTIBLE | kb::TASK_FREEZABLE) as c_int;
    let mut entry = MaybeUninit::<kb::wait_queue_entry>::uninit();
    // SAFETY: The memory is writable; the macro sets all fields.
    unsafe { bindings::wait_entry_init(entry.as_mut_ptr()) };

    let result = loop {
        // SAFETY: The queue is valid by the function's safety requirements; the entry was
        // initialised, and `finish_wait` below takes it off the queue before it dies.
        unsafe {
            match turn {
                Turn::All => kb::prepare_to_wait(queue, entry.as_mut_ptr(), state),
                Turn::One => {
                    kb::prepare_to_wait_exclusive(queue, entry.as_mut_ptr(), state);
                }
            }
        }
        if ready() {
            break Ok(());
        }
        if timeout.jiffies == 0 {
            break Err(EAGAIN);
        }
        // SAFETY: Has no requirements.
        if unsafe { bindings::current_signal_pending() } {
            break Err(timeout.interrupted());
        }
        // SAFETY: Has no requirements.
        timeout.jiffies = unsafe { kb::schedule_timeout(timeout.jiffies) };
    };

    // SAFETY: As for `prepare_to_wait`.
    unsafe { kb::finish_wait(queue, entry.as_mut_ptr()) };
    result
}

impl<F: Family> Live<'_, F> {
    /// Sleeps until `ready`, which is asked after each wake-up of the socket
    /// and must not sleep.
    ///
    /// May sleep. Returns `EAGAIN` when the time is up, also if there was none,
    /// and `ERESTARTSYS` or `EINTR` on a signal.
    pub(crate) fn wait(
        &self,
        turn: Turn,
        timeout: &mut Timeout,
        ready: impl FnMut() -> bool,
    ) -> Result {
        // SAFETY: By the type invariants, the socket's file exists, and with it the `socket` that
        // the queue is a part of.
        unsafe { sleep(bindings::sk_sleep(self.as_sk()), turn, timeout, ready) }
    }

    /// Sleeps, as [`Live::wait`] does, for something to read.
    ///
    /// Who asked for `SIGIO` gets none meanwhile.
    pub(crate) fn wait_readable(
        &self,
        timeout: &mut Timeout,
        ready: impl FnMut() -> bool,
    ) -> Result {
        if timeout.is_none() {
            // Others may sleep: they are not to be disturbed.
            return self.wait(Turn::All, timeout, ready);
        }
        // SAFETY: By the type invariants of `Sock`.
        unsafe { bindings::set_waitdata(self.as_sk()) };
        let result = self.wait(Turn::All, timeout, ready);
        // SAFETY: As above.
        unsafe { bindings::clear_waitdata(self.as_sk()) };
        result
    }
}

impl<F: Family<Head = UnixHead>> Sock<F> {
    /// Sleeps, as [`Live::wait`] does, on the queue of those who wait for this
    /// socket to take something from them. A signal counts more than that.
    pub(crate) fn wait_for_room(
        &self,
        timeout: &mut Timeout,
        ready: impl FnMut() -> bool,
    ) -> Result {
        // SAFETY: By the type invariants of `Sock`, the queue is initialised and valid.
        unsafe { sleep(self.room_wait(), Turn::One, timeout, ready) }?;
        // Whose turn it was, and who doesn't take it, gives it to the next.
        (timeout.check_signal()).inspect_err(|_| self.wake_one_waiter())
    }

    /// Wakes one of those who sleep in [`Sock::wait_for_room`].
    pub(crate) fn wake_one_waiter(&self) {
        // SAFETY: By the type invariants of `Sock`, the queue is initialised and valid.
        unsafe { bindings::wake_one(self.room_wait()) };
    }

    /// Tells one who waits for room, sleeping or polling, that there is some.
    pub(crate) fn wake_senders(&self) {
        // SAFETY: By the type invariants of `Sock`, the queue is initialised and valid.
        unsafe { bindings::wake_senders(self.room_wait()) };
    }

    /// Wakes all who sleep in [`Sock::wait_for_room`].
    pub(crate) fn wake_all_waiters(&self) {
        // SAFETY: By the type invariants of `Sock`, the queue is initialised and valid.
        unsafe { bindings::wake_all(self.room_wait()) };
    }

    fn room_wait(&self) -> *mut kb::wait_queue_head {
        // SAFETY: By the type invariants of `Sock`, the head is valid.
        unsafe { &raw mut (*self.as_unix()).room_wait }
    }
}

/// Returns a random number.
pub(crate) fn random_u32() -> u32 {
    // SAFETY: Has no requirements.
    unsafe { kb::get_random_u32() }
}

/// Lets others run who have waited for this CPU long enough. May sleep.
pub(crate) fn cond_resched() {
    // SAFETY: Has no requirements; the callers may sleep.
    unsafe { bindings::cond_resched() };
}

/// Orders all memory accesses before the call before all after it, on this CPU
/// as others see it (`smp_mb()`).
pub(crate) fn full_barrier() {
    // SAFETY: Has no requirements.
    unsafe { bindings::full_barrier() };
}
