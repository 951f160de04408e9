// SPDX-License-Identifier: GPL-2.0

//! Names: how a socket gets one, and how it is found by it.

use super::module::{
    Space,
    FAMILY, //
};
use super::socket::{
    Live,
    Runix,
    Sock, //
};
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    Address,
    BindGuard,
    InodeId,
    Pass,
    PathRef,
    SockType,
    SocketFile, //
};
use crate::pure::addr::{
    self,
    BadAddress,
    Name,
    HEADER,
    PATH_MAX, //
};
use kernel::{
    prelude::*,
    sync::aref::ARef, //
};

impl From<BadAddress> for Error {
    fn from(_: BadAddress) -> Self {
        EINVAL
    }
}

/// Parses an address given to `connect(2)`.
pub(super) fn parse(bytes: &[u8]) -> Result<Name<'_>> {
    Ok(Name::parse(bytes, FAMILY.number())?)
}

/// A name with the family in front and a NUL byte behind.
struct Terminated {
    bytes: [u8; HEADER + PATH_MAX + 1],
    len: usize,
}

impl Terminated {
    fn new(path: &[u8]) -> Result<Self> {
        let mut bytes = [0; HEADER + PATH_MAX + 1];
        bytes[..HEADER].copy_from_slice(&FAMILY.number().to_ne_bytes());
        let len = HEADER.wrapping_add(path.len());
        bytes
            .get_mut(HEADER..len)
            .ok_or(EINVAL)?
            .copy_from_slice(path);
        Ok(Self {
            bytes,
            len: len.wrapping_add(1),
        })
    }

    /// The whole address, as it is shown to programs.
    fn address(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

/// Calls `f` with the address of a path, up to and with a NUL byte, and with the
/// path therein.
///
/// Most programs give the NUL byte, so that nothing has to be copied. (Rows
/// `to-path`, `conn-path` and `bind-path` of the bench.)
fn with_terminated<R>(
    bytes: &[u8],
    path: &[u8],
    f: impl FnOnce(&[u8], &[u8]) -> Result<R>,
) -> Result<R> {
    let copy;
    let address = match bytes.get(..=HEADER.wrapping_add(path.len())) {
        Some(address) => address,
        None => {
            copy = Terminated::new(path)?;
            copy.address()
        }
    };
    f(address, address.get(HEADER..).ok_or(EINVAL)?)
}

/// Gives a socket the name in `bytes`: `bind(2)`.
///
/// Mirrors `unix_bind()`. May sleep.
pub(super) fn bind(sk: &Live<'_>, bytes: &[u8]) -> Result {
    if addr::is_autobind(bytes, FAMILY.number()) {
        return autobind(sk);
    }
    match parse(bytes)? {
        Name::Path(path) => {
            with_terminated(bytes, path, |address, path| bind_file(sk, address, path))
        }
        Name::Abstract(_) => bind_abstract(sk, bytes),
    }
}

/// Binds a socket to a new file.
///
/// The file is made first and goes away again if anything fails after that: a
/// path that exists is an error (`EADDRINUSE`) even where the socket has a name
/// already (`EINVAL`).
fn bind_file(sk: &Live<'_>, address: &[u8], path: &[u8]) -> Result {
    let files = sk
        .initial_space::<Space>()
        .and_then(|space| space.files.as_ref());
    let files = files.ok_or(ENODEV)?;
    let address = Address::new(address)?;
    let file =
        SocketFile::create(sk, path).map_err(|e| if e == EEXIST { EADDRINUSE } else { e })?;

    let naming = sk.lock_bind()?;
    if sk.address().is_some() {
        return Err(EINVAL);
    }
    let place = file.path();
    let inode = place.inode();
    sk.set_inode(inode);
    let _none = sk.lock().replace_path(Some(place));
    naming.set_address(address)?;
    files.insert(file_hash(inode), sk, |_| false, || ())?;
    file.keep();
    Ok(())
}

/// Gives a socket an abstract name.
fn bind_abstract(sk: &Live<'_>, bytes: &[u8]) -> Result {
    let space: &Space = sk.space().ok_or(ENODEV)?;
    let address = Address::new(bytes)?;
    let naming = sk.lock_bind()?;
    if sk.address().is_some() {
        return Err(EINVAL);
    }
    space.names.insert(
        name_hash(sk.kind(), bytes),
        sk,
        |other| is_named(other, sk.kind(), bytes),
        || name_it(&naming, address),
    )
}

/// Names a socket that is known to have no name, under the bind lock.
fn name_it(naming: &BindGuard<'_, Runix>, address: Address) {
    // It cannot fail, as nobody else may name the socket.
    let _ = naming.set_address(address);
}

/// Gives a socket that tells who sends a name, as AF_UNIX does it before it
/// connects or sends.
pub(super) fn bind_for_credentials(sk: &Live<'_>) -> Result {
    if wants_name(sk) {
        autobind(sk)?;
    }
    Ok(())
}

/// Tells whether a socket has to be given a name before it sends.
pub(super) fn wants_name(sk: &Live<'_>) -> bool {
    sk.pass().any_of(Pass::SENDER) && sk.address().is_none()
}

/// Gives a socket a free abstract name of five digits, unless it has a name.
///
/// `ENOSPC` if none is free.
fn autobind(sk: &Live<'_>) -> Result {
    let space: &Space = sk.space().ok_or(ENODEV)?;
    let naming = sk.lock_bind()?;
    if sk.address().is_some() {
        return Ok(());
    }
    for name in addr::autobind_names(crate::net::random_u32()) {
        let mut bytes = [0; HEADER + 6];
        bytes[..HEADER].copy_from_slice(&FAMILY.number().to_ne_bytes());
        bytes[HEADER..].copy_from_slice(&name);
        let taken = |other: &Sock| is_named(other, sk.kind(), &bytes);
        let hash = name_hash(sk.kind(), &bytes);
        if space.names.find(hash, taken).is_none() {
            let address = Address::new(&bytes)?;
            let done = space
                .names
                .insert(hash, sk, taken, || name_it(&naming, address));
            if done.is_ok() {
                return Ok(());
            }
        }
        crate::net::cond_resched();
    }
    Err(ENOSPC)
}

/// Finds the socket of `kind` with that name.
///
/// Mirrors `unix_find_other()`, errors included: those of path resolution,
/// `EACCES` where the file may not be written, `ECONNREFUSED` where it is no
/// socket of the family that is bound, `EPROTOTYPE` where it is one of another
/// type. May sleep.
pub(super) fn find(sk: &Live<'_>, name: Name<'_>, bytes: &[u8]) -> Result<ARef<Sock>> {
    match name {
        Name::Path(path) => with_terminated(bytes, path, |_, path| find_file(sk, path)),
        Name::Abstract(_) => sk
            .space::<Space>()
            .ok_or(ENODEV)?
            .names
            .find(name_hash(sk.kind(), bytes), |other| {
                is_named(other, sk.kind(), bytes)
            })
            .ok_or(ECONNREFUSED),
    }
}

/// Finds the socket that is bound to a file; `path` ends in a NUL byte.
fn find_file(sk: &Live<'_>, path: &[u8]) -> Result<ARef<Sock>> {
    let files = sk
        .initial_space::<Space>()
        .and_then(|space| space.files.as_ref());
    let place = PathRef::lookup(path)?;
    place.check_writable()?;
    if !place.is_socket() {
        return Err(ECONNREFUSED);
    }
    let inode = place.inode();
    let found = files
        .ok_or(ENODEV)?
        .find(file_hash(inode), |other| other.has_inode(inode))
        .ok_or(ECONNREFUSED)?;
    if found.kind() != sk.kind() {
        return Err(EPROTOTYPE);
    }
    place.may_find(&found)?;
    place.touch();
    Ok(found)
}

fn is_named(sk: &Sock, kind: Option<SockType>, bytes: &[u8]) -> bool {
    sk.kind() == kind && sk.address() == Some(bytes)
}

/// Hashes a name together with the type: names of different types are apart.
fn name_hash(kind: Option<SockType>, bytes: &[u8]) -> usize {
    addr::hash(u64::from(kind.map_or(0, SockType::raw)), bytes) as usize
}

fn file_hash(inode: InodeId) -> usize {
    (inode.as_usize() >> 6) ^ (inode.as_usize() >> 14)
}
