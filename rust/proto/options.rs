// SPDX-License-Identifier: GPL-2.0

//! Options that the family keeps itself.
//!
//! The socket layer knows them as those of AF_UNIX, by its number. Setting them
//! at `SOL_SOCKET` comes by here before; asking for them does not, so that each
//! has a number at `SOL_RUNIX` as well (`uapi/runix.h`).

use super::socket::{
    Live,
    Sock, //
};
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    number,
    OptQuery,
    Pass,
    SockOpt,
    SockType, //
};
use crate::uapi;
use kernel::prelude::*;

/// What an option is about.
#[derive(Clone, Copy)]
enum What {
    /// What comes with messages.
    Pass(Pass),
    /// A file that is withheld leaves an error in its place.
    #[cfg_attr(runix_series = "7.2", allow(dead_code))]
    WholeRights,
    /// Receives tell how much is left.
    Queued,
}

/// An option: its number at `SOL_SOCKET`, that at `SOL_RUNIX`, and what it is
/// about.
struct Row(u32, u32, What);

/// All that are numbers, and can be set.
const TABLE: &[Row] = &[
    Row(
        number::SO_PASSCRED,
        uapi::RUNIX_PASSCRED,
        What::Pass(Pass::CREDENTIALS),
    ),
    Row(
        number::SO_PASSSEC,
        uapi::RUNIX_PASSSEC,
        What::Pass(Pass::LABEL),
    ),
    Row(
        number::SO_PASSPIDFD,
        uapi::RUNIX_PASSPIDFD,
        What::Pass(Pass::PIDFD),
    ),
    Row(
        number::SO_PASSRIGHTS,
        uapi::RUNIX_PASSRIGHTS,
        What::Pass(Pass::FILES),
    ),
    // AF_UNIX has it since then, and the kernel code that it asks for.
    #[cfg(not(runix_series = "7.2"))]
    Row(
        number::SO_RIGHTS_NOTRUNC,
        uapi::RUNIX_RIGHTS_NOTRUNC,
        What::WholeRights,
    ),
    Row(number::SO_INQ, uapi::RUNIX_INQ, What::Queued),
];

/// Sets an option: `setsockopt(2)`.
///
/// Mirrors `unix_setsockopt()`, and `sk_setsockopt()` for what that decides by
/// the family. May sleep. `EINVAL` for a value of the wrong size or range,
/// `EFAULT` where it can't be read, `ENOPROTOOPT` for an option that isn't one
/// of this type of socket, or of this level, `EOPNOTSUPP` for another level.
pub(super) fn set(sk: &Live<'_>, option: SockOpt) -> Result {
    let found = TABLE.iter().find(|Row(socket, own, _)| {
        option.is(number::SOL_SOCKET, *socket) || option.is(uapi::SOL_RUNIX, *own)
    });
    match found {
        Some(Row(_, _, what)) => set_what(sk, &option, *what),
        None if option.is_at(uapi::SOL_RUNIX) => {
            option.flag()?;
            Err(ENOPROTOOPT)
        }
        None => option.handle_generic(),
    }
}

fn set_what(sk: &Live<'_>, option: &SockOpt, what: What) -> Result {
    match what {
        What::Pass(pass) => {
            let on = option.flag()?;
            check_label(pass)?;
            sk.set_pass(pass, on);
        }
        What::WholeRights => {
            let on = switch(option.int()?)?;
            sk.data().switches().whole_rights.set(on);
        }
        What::Queued => {
            let value = option.int()?;
            if sk.kind() != Some(SockType::Stream) {
                return Err(ENOPROTOOPT);
            }
            sk.data().switches().reports_queued.set(switch(value)?);
        }
    }
    Ok(())
}

/// Checks that there are labels, if an option is about them.
fn check_label(pass: Pass) -> Result {
    if pass == Pass::LABEL && !cfg!(CONFIG_SECURITY_NETWORK) {
        return Err(EOPNOTSUPP);
    }
    Ok(())
}

fn switch(value: c_int) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(EINVAL),
    }
}

/// Tells what an option is: `getsockopt(2)`, but for `SOL_SOCKET`.
///
/// Mirrors `sk_getsockopt()`. May sleep. `EFAULT` and `EINVAL` for the room
/// that is given, `ENOPROTOOPT` for an unknown option, `EOPNOTSUPP` for another
/// level, and what `Sock::peer_pidfd()` gives.
pub(super) fn tell(sk: &Live<'_>, query: OptQuery) -> Result {
    if !query.is_at(uapi::SOL_RUNIX) {
        return Err(EOPNOTSUPP);
    }
    let room = query.room()?;
    if query.is_named(uapi::RUNIX_PEERPIDFD) {
        return query.answer_descriptor(room, sk.peer_pidfd()?);
    }
    let found = TABLE.iter().find(|Row(_, own, _)| query.is_named(*own));
    let Row(_, _, what) = found.ok_or(ENOPROTOOPT)?;
    let on = match what {
        What::Pass(pass) => {
            check_label(*pass)?;
            sk.pass().any_of(*pass)
        }
        What::WholeRights => sk.data().switches().whole_rights.get(),
        What::Queued if sk.kind() != Some(SockType::Stream) => return Err(ENOPROTOOPT),
        What::Queued => sk.data().switches().reports_queued.get(),
    };
    query.answer(room, c_int::from(on))
}

/// Takes over from a listener what a connection inherits.
pub(super) fn inherit(new: &Sock, listener: &Sock) {
    new.inherit_pass(listener);
    let whole = listener.data().switches().whole_rights.get();
    new.data().switches().whole_rights.set(whole);
}
