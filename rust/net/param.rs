// SPDX-License-Identifier: GPL-2.0

//! The parameter `family` of the module.
//!
//! It is declared in C (`helpers/param.c`), as a parameter that `module!` declares
//! can't be read in `/sys/module`, where programs look for the number.

use crate::bindings;
use kernel::prelude::*;

/// Returns the number that the family is to be registered under.
///
/// `EINVAL` if what the user gave can't be one.
pub(crate) fn family_number() -> Result<u16> {
    // SAFETY: Has no requirements: the parameter is written before the module is initialised only.
    let number = unsafe { bindings::family_param() };
    match u16::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(EINVAL),
    }
}
