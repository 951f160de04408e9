// SPDX-License-Identifier: GPL-2.0

//! A module that does everything wrong, one thing at a time.
//!
//! `what=` selects the mistake. Loading succeeds, if the mistake lets it: whether the
//! kernel has noticed is for its log to tell.

use kernel::{
    new_spinlock,
    prelude::*,
    sync::SpinLock, //
};

module! {
    type: Provoke,
    name: "runix_provoke",
    authors: ["The runix project"],
    description: "Makes mistakes for the debug kernel to find",
    license: "GPL",
    params: {
        what: i32 {
            default: 0,
            description: "Which mistake",
        },
    },
}

extern "C" {
    fn provoke_shift(by: c_int);
    fn provoke_rcu();
    fn provoke_sleep();
    fn provoke_c_use_after_free();
    fn provoke_c_race();
    fn provoke_with_other(f: extern "C" fn());
}

struct Provoke;

/// Reads what was given back.
fn use_after_free() -> Result {
    let b = KBox::new([1u8; 64], GFP_KERNEL)?;
    let p = core::ptr::from_ref(&b[8]);
    drop(b);
    // SAFETY: None. The memory is gone.
    pr_info!("read: {}\n", unsafe { p.read_volatile() });
    Ok(())
}

/// Writes behind the end.
fn out_of_bounds() -> Result {
    let mut b = KBox::new([1u8; 64], GFP_KERNEL)?;
    let p = b.as_mut_ptr();
    // SAFETY: None. There are 64 bytes.
    unsafe { p.add(64).write_volatile(1) };
    Ok(())
}

/// Forgets what it owns.
fn leak() -> Result {
    for _ in 0..10 {
        core::mem::forget(KBox::new([1u8; 200], GFP_KERNEL)?);
    }
    Ok(())
}

#[pin_data]
struct Pair {
    #[pin]
    a: SpinLock<u32>,
    #[pin]
    b: SpinLock<u32>,
}

/// Takes two locks in one order and then in the other.
fn inversion() -> Result {
    let pair = KBox::pin_init(
        pin_init!(Pair {
            a <- new_spinlock!(0),
            b <- new_spinlock!(0),
        }),
        GFP_KERNEL,
    )?;
    {
        let a = pair.a.lock();
        let b = pair.b.lock();
        pr_info!("a, then b: {}\n", *a + *b);
    }
    let b = pair.b.lock();
    let a = pair.a.lock();
    pr_info!("b, then a: {}\n", *a + *b);
    Ok(())
}

static mut COUNTER: u64 = 0;

/// Counts without a lock, as somebody else does at the same time.
extern "C" fn race() {
    // SAFETY: None.
    unsafe { COUNTER = (*core::hint::black_box(&raw const COUNTER)).wrapping_add(1) };
}

impl kernel::Module for Provoke {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY, of all C functions: None. They are wrong on purpose, and alone here.
        match module_parameters::what.value() {
            1 => use_after_free()?,
            2 => out_of_bounds()?,
            3 => leak()?,
            4 => unsafe { provoke_c_use_after_free() },
            5 => unsafe { provoke_shift(40) },
            6 => unsafe { provoke_rcu() },
            7 => unsafe { provoke_sleep() },
            8 => inversion()?,
            9 => unsafe { provoke_c_race() },
            10 => unsafe { provoke_with_other(race) },
            _ => return Err(EINVAL),
        }
        Ok(Self)
    }
}
