// SPDX-License-Identifier: GPL-2.0

//! Tables of sockets.
//!
//! A socket may be listed in two tables at once, by one link each: among all
//! sockets, and by its name. A table has a reference to each socket in it.
//!
//! C header: [`include/net/sock.h`](srctree/include/net/sock.h) (`sk_node`,
//! `sk_bind_node`)

#[allow(unused_imports)]
use super::compat::errno::*;
use super::family::Family;
use super::sock::Sock;
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    bindings as kb,
    new_spinlock,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        lock::{
            spinlock::SpinLockBackend,
            Guard, //
        },
        SpinLock, //
    }, //
};

/// Buckets in a table.
pub(crate) const BUCKETS: usize = 256;

/// Places on a chain; more than there will ever be sockets put there.
const PLACES: u64 = 1 << PLACE_BITS;

/// Bits of a place.
pub(super) const PLACE_BITS: u32 = 48;

/// Which bucket a socket is listed in, by address; zero if in none.
///
/// # Invariants
///
/// Changed under the lock of the bucket it names, or comes to name, alone: who
/// holds the lock and reads that bucket's address knows the socket in there.
pub(super) struct Link(Atomic<usize>);

impl Link {
    pub(super) fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Returns the address. A snapshot, unless a lock is held as said above.
    fn get(&self) -> usize {
        // Each operation of `Atomic` is a call on a kernel built by GCC, this one is a plain load.
        // SAFETY: The pointer is that of a valid atomic; a volatile load is an atomic one in the
        // kernel's memory model.
        unsafe { self.0.as_ptr().read_volatile() }
    }
}

impl<F: Family> Sock<F> {
    /// Tells whether the socket is listed in a table by its name. A snapshot.
    pub(crate) fn is_listed_by_name(&self) -> bool {
        self.links()[Bound::INDEX].get() != 0
    }
}

/// One of the two links of a socket.
///
/// # Safety
///
/// `node` returns a link of the socket that no other implementation and nobody
/// else uses, and `INDEX` is that implementation's alone.
pub(crate) unsafe trait Chain: 'static {
    /// The index of the [`Link`].
    const INDEX: usize;

    /// Returns the link in the C object.
    ///
    /// # Safety
    ///
    /// `sk` is valid.
    unsafe fn node(sk: *mut bindings::sock) -> *mut kb::hlist_node;

    /// Notes where on its chain the socket is, for chains that are walked.
    ///
    /// # Safety
    ///
    /// `sk` is valid, and on no chain of this kind but the one whose lock is held.
    unsafe fn set_place(_sk: *mut bindings::sock, _place: u64) {}
}

/// The link among all sockets.
pub(crate) struct AllSockets;

// SAFETY: `sk_node` is used by this implementation alone.
unsafe impl Chain for AllSockets {
    const INDEX: usize = 0;

    unsafe fn node(sk: *mut bindings::sock) -> *mut kb::hlist_node {
        // SAFETY: By the function's safety requirements.
        unsafe { bindings::sk_node(sk) }
    }

    unsafe fn set_place(sk: *mut bindings::sock, place: u64) {
        // SAFETY: By the function's safety requirements.
        unsafe { *Self::place(sk) = place };
    }
}

impl AllSockets {
    /// Returns where the socket's place on its chain is kept: in what is a pair
    /// of addresses in other families.
    ///
    /// # Safety
    ///
    /// `sk` is valid.
    unsafe fn place(sk: *mut bindings::sock) -> *mut u64 {
        // The first union of `sock_common` is that of `skc_addrpair`, a `__u64`.
        // SAFETY: By the function's safety requirements.
        unsafe { (&raw mut (*sk).__sk_common.__bindgen_anon_1).cast() }
    }
}

/// The link among bound sockets.
pub(crate) struct Bound;

// SAFETY: `sk_bind_node` is used by this implementation alone.
unsafe impl Chain for Bound {
    const INDEX: usize = 1;

    unsafe fn node(sk: *mut bindings::sock) -> *mut kb::hlist_node {
        // SAFETY: By the function's safety requirements.
        unsafe { bindings::sk_bind_node(sk) }
    }
}

/// A chain of sockets.
///
/// # Invariants
///
/// Each node on the chain is that of a socket of family `F`, to which the
/// bucket has a reference. Places rise along the chain: `place`, that of the
/// first or of one that was there, falls with each socket that is put there.
struct Bucket<F: Family, C: Chain> {
    first: Option<NonNull<bindings::sock>>,
    place: u64,
    _owns: PhantomData<ARef<Sock<F>>>,
    _chain: PhantomData<fn() -> C>,
}

// SAFETY: The bucket owns references to sockets, which are `Send` and `Sync`.
unsafe impl<F: Family, C: Chain> Send for Bucket<F, C> {}

impl<F: Family, C: Chain> Bucket<F, C> {
    fn new() -> Self {
        // INVARIANT: The chain is empty.
        Self {
            first: None,
            place: PLACES,
            _owns: PhantomData,
            _chain: PhantomData,
        }
    }

    /// Walks the chain.
    fn iter(&self) -> impl Iterator<Item = &Sock<F>> {
        let mut next = self.first;
        core::iter::from_fn(move || {
            let sk = next?;
            // SAFETY: By the type invariants: the sockets are valid, and the chain doesn't change
            // while the bucket is borrowed.
            unsafe {
                next = NonNull::new((*C::node(sk.as_ptr())).next.cast());
                Some(Sock::from_raw(sk.as_ptr()))
            }
        })
    }

    /// Returns the socket behind another one.
    ///
    /// # Safety
    ///
    /// The socket is on this chain.
    unsafe fn after(&self, sk: &Sock<F>) -> Option<&Sock<F>> {
        // SAFETY: By the function's safety requirements and the type invariants; the chain doesn't
        // change while the bucket is borrowed.
        unsafe {
            let next = NonNull::new((*C::node(sk.as_sk())).next.cast())?;
            Some(Sock::from_raw(next.as_ptr()))
        }
    }

    /// Puts a socket at the front.
    ///
    /// # Safety
    ///
    /// The socket is on no chain of this kind.
    unsafe fn push(&mut self, sk: ARef<Sock<F>>) {
        let raw = ARef::into_raw(sk).as_ptr().cast::<bindings::sock>();
        self.place = self.place.wrapping_sub(1);
        // The links hold addresses of sockets instead of those of nodes: `next` and `pprev` are
        // ours alone while the socket is on a chain.
        // SAFETY: The socket is valid, and its node unused by the function's safety requirements.
        unsafe {
            C::set_place(raw, self.place);
            let node = C::node(raw);
            (*node).next = self.first.map_or(ptr::null_mut(), |f| f.as_ptr().cast());
            (*node).pprev = ptr::null_mut();
            if let Some(first) = self.first {
                (*C::node(first.as_ptr())).pprev = raw.cast();
            }
        }
        // INVARIANT: The reference moves to the bucket.
        self.first = NonNull::new(raw);
    }

    /// Takes a socket off the chain and returns the bucket's reference.
    ///
    /// # Safety
    ///
    /// The socket is on this chain.
    unsafe fn unlink(&mut self, sk: &Sock<F>) -> ARef<Sock<F>> {
        let raw = sk.as_sk();
        // SAFETY: The socket is on the chain, so that its links are valid.
        unsafe {
            let node = C::node(raw);
            let next = (*node).next.cast::<bindings::sock>();
            let prev = (*node).pprev.cast::<bindings::sock>();
            if let Some(next) = NonNull::new(next) {
                (*C::node(next.as_ptr())).pprev = prev.cast();
            }
            match NonNull::new(prev) {
                Some(prev) => (*C::node(prev.as_ptr())).next = next.cast(),
                None => self.first = NonNull::new(next),
            }
            (*node).next = ptr::null_mut();
            (*node).pprev = ptr::null_mut();
            // INVARIANT: The reference moves to the caller.
            ARef::from_raw(NonNull::from(sk))
        }
    }
}

/// A table of sockets.
#[pin_data]
pub(crate) struct SockTable<F: Family, C: Chain> {
    #[pin]
    buckets: [SpinLock<Bucket<F, C>>; BUCKETS],
}

impl<F: Family, C: Chain> SockTable<F, C> {
    /// Returns the initialiser of an empty table.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            buckets <- pin_init::pin_init_array_from_fn(|_| {
                new_spinlock!(Bucket::new(), "SockTable::buckets")
            }),
        })
    }

    fn bucket(&self, hash: usize) -> &SpinLock<Bucket<F, C>> {
        &self.buckets[hash % BUCKETS]
    }

    /// Lists a socket, unless one of the same hash has `taken` its place, or it
    /// is listed in such a table already: `EADDRINUSE`.
    ///
    /// `then` is called before others can find the socket.
    pub(crate) fn insert(
        &self,
        hash: usize,
        sk: &Sock<F>,
        mut taken: impl FnMut(&Sock<F>) -> bool,
        then: impl FnOnce(),
    ) -> Result {
        let bucket = self.bucket(hash);
        let mut chain = bucket.lock();
        if chain.iter().any(&mut taken) {
            return Err(EADDRINUSE);
        }
        Self::list(bucket, &mut chain, sk)?;
        then();
        Ok(())
    }

    /// Lists a socket, unless it is listed in such a table already: `EADDRINUSE`.
    pub(crate) fn insert_new(&self, hash: usize, sk: &Sock<F>) -> Result {
        let bucket = self.bucket(hash);
        Self::list(bucket, &mut bucket.lock(), sk)
    }

    /// Puts a socket on the chain of a bucket, unless it is on one already.
    fn list(
        bucket: &SpinLock<Bucket<F, C>>,
        chain: &mut Guard<'_, Bucket<F, C>, SpinLockBackend>,
        sk: &Sock<F>,
    ) -> Result {
        let link = &sk.links()[C::INDEX].0;
        let address = ptr::from_ref(bucket).addr();
        // INVARIANT: The bucket's lock is held until the socket is in there.
        if link.cmpxchg(0, address, Full).is_err() {
            return Err(EADDRINUSE);
        }
        // SAFETY: The link was zero, so that the socket is on no chain of this kind.
        unsafe { chain.push(sk.into()) };
        Ok(())
    }

    /// Takes a socket off the table, if it is in there.
    pub(crate) fn remove(&self, sk: &Sock<F>) {
        let link = &sk.links()[C::INDEX];
        let address = link.get();
        let base = ptr::from_ref(&self.buckets).addr();
        let index = address.wrapping_sub(base) / size_of::<SpinLock<Bucket<F, C>>>();
        let Some(bucket) = self.buckets.get(index) else {
            // In no table, or in another one.
            return;
        };
        // Declared before the guard: the reference is given back after the lock.
        let _reference;
        let mut chain = bucket.lock();
        // Another task may have been faster.
        if link.get() == ptr::from_ref(bucket).addr() {
            // SAFETY: By the invariants of `Link`, the socket is on this chain.
            _reference = unsafe { chain.unlink(sk) };
            // INVARIANT: The socket is in no bucket any more.
            link.0.store(0, Relaxed);
        }
    }

    /// Returns the first socket with that hash that matches.
    pub(crate) fn find(
        &self,
        hash: usize,
        mut matches: impl FnMut(&Sock<F>) -> bool,
    ) -> Option<ARef<Sock<F>>> {
        let chain = self.bucket(hash).lock();
        let found = chain.iter().find(|sk| matches(sk)).map(Into::into);
        found
    }

    /// Returns a socket that matches, wherever it is.
    ///
    /// It takes as long as the table is; see [`SockTable::find`] for what to use
    /// where the hash is known.
    pub(crate) fn search(
        &self,
        mut matches: impl FnMut(&Sock<F>) -> bool,
    ) -> Option<ARef<Sock<F>>> {
        (0..BUCKETS).find_map(|bucket| self.find(bucket, &mut matches))
    }
}

impl<F: Family> Bucket<F, AllSockets> {
    /// Returns the first socket at a place or behind, and its place.
    fn at(&self, place: u64) -> Option<(&Sock<F>, u64)> {
        self.iter().map(placed).find(|(_, at)| *at >= place)
    }
}

/// Returns a socket that was found on a locked chain, with its place there.
fn placed<F: Family>(sk: &Sock<F>) -> (&Sock<F>, u64) {
    // SAFETY: The socket is valid; its place changes under the chain's lock alone.
    (sk, unsafe { *AllSockets::place(sk.as_sk()) })
}

impl<F: Family> SockTable<F, AllSockets> {
    /// Returns a walk that starts at a position, or behind.
    pub(super) fn cursor(&self, at: Position) -> Cursor<'_, F> {
        let mut cursor = Cursor {
            table: self,
            at,
            sk: None,
        };
        cursor.look();
        cursor.skip_empty();
        cursor
    }
}

/// Where a walk over a table is; the first position is the default one.
#[derive(Clone, Copy, Default)]
pub(super) struct Position {
    /// The bucket's number.
    pub(super) bucket: usize,
    /// The place in there, of less than [`PLACE_BITS`] bits.
    pub(super) place: u64,
}

/// A walk over all sockets of a table, without a lock between two steps.
///
/// A socket that is there all the time is seen once, whatever others come and
/// go; one that comes or goes meanwhile is seen once or not at all.
pub(super) struct Cursor<'a, F: Family> {
    table: &'a SockTable<F, AllSockets>,
    at: Position,
    sk: Option<ARef<Sock<F>>>,
}

impl<'a, F: Family> Cursor<'a, F> {
    /// Goes on with a walk from what [`Cursor::into_parts`] returned.
    pub(super) fn from_parts(
        table: &'a SockTable<F, AllSockets>,
        at: Position,
        sk: ARef<Sock<F>>,
    ) -> Self {
        Self {
            table,
            at,
            sk: Some(sk),
        }
    }

    /// Leaves the walk where it is, with the socket there; `None` at the end.
    pub(super) fn into_parts(self) -> Option<(Position, ARef<Sock<F>>)> {
        Some((self.at, self.sk?))
    }

    /// Returns the socket that the walk has come to; `None` at the end.
    pub(super) fn get(&self) -> Option<&Sock<F>> {
        self.sk.as_deref()
    }

    /// Returns where the walk is, for another one to start there.
    pub(super) fn position(&self) -> Position {
        self.at
    }

    /// Goes on to the next socket.
    pub(super) fn advance(&mut self) {
        let (Some(bucket), Some(sk)) = (self.table.buckets.get(self.at.bucket), self.sk.take())
        else {
            return;
        };
        let chain = bucket.lock();
        self.come_to(
            if sk.links()[AllSockets::INDEX].get() == ptr::from_ref(bucket).addr() {
                // SAFETY: By the invariants of `Link`, the socket is on this chain.
                unsafe { chain.after(&sk) }.map(placed)
            } else {
                // It was removed.
                chain.at(self.at.place.wrapping_add(1))
            },
        );
        drop(chain);
        drop(sk);
        self.skip_empty();
    }

    /// Looks for a socket in the bucket where the walk is, from its place on.
    fn look(&mut self) {
        if let Some(bucket) = self.table.buckets.get(self.at.bucket) {
            let chain = bucket.lock();
            self.come_to(chain.at(self.at.place));
        }
    }

    /// Notes what was found on a chain that is still locked.
    fn come_to(&mut self, found: Option<(&Sock<F>, u64)>) {
        if let Some((sk, place)) = found {
            self.at.place = place;
            self.sk = Some(sk.into());
        }
    }

    /// Goes on to the next bucket with sockets in it, if there is none here.
    fn skip_empty(&mut self) {
        while self.sk.is_none() && self.at.bucket < BUCKETS {
            self.at.bucket = self.at.bucket.wrapping_add(1);
            self.at.place = 0;
            self.look();
        }
    }
}
