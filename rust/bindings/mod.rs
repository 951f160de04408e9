// SPDX-License-Identifier: GPL-2.0

//! Declarations that the `kernel` crate's bindings lack.
//!
//! `kernel::bindings` knows `struct sock` only as an opaque type and has
//! nothing of `net/sock.h`. What bindgen emits here shadows the glob import;
//! every other type *is* the kernel crate's, so that the two fit together. The
//! one cast that is needed, at `socket.sk`, is in `net/sock.rs`.

#[allow(
    clippy::all,
    clippy::cast_lossless,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    non_snake_case,
    improper_ctypes,
    unreachable_pub,
    unsafe_op_in_unsafe_fn
)]
mod raw {
    // What is emitted below shadows this, for `helpers` too.
    pub(super) use kernel::bindings::*;
    use kernel::ffi;
    use pin_init::MaybeZeroable;

    type __kernel_size_t = usize;
    type __kernel_ssize_t = isize;
    type __kernel_ptrdiff_t = isize;

    include!(concat!(
        env!("RUNIX_OBJTREE"),
        "/rust/bindings/bindings_generated.rs"
    ));
}

#[allow(clippy::all, dead_code, improper_ctypes, missing_docs, unreachable_pub)]
mod helpers {
    use super::raw::*;
    use kernel::ffi;

    include!(concat!(
        env!("RUNIX_OBJTREE"),
        "/rust/bindings/helpers_generated.rs"
    ));
}

#[allow(unused_imports)]
pub(crate) use helpers::*;
#[allow(unused_imports)]
pub(crate) use raw::*;

#[allow(dead_code)]
mod layout {
    include!(concat!(
        env!("RUNIX_OBJTREE"),
        "/rust/bindings/layout_generated.rs"
    ));
}

/// What bindgen doesn't tell by a name of its own: `sk_flags` and bits of it, and
/// where the bits of a union are.
pub(crate) use layout::{
    FLAG_DEAD,
    FLAG_RCVTSTAMP,
    SOCK_FLAGS,
    SOCK_SCM_FLAGS, //
};

/// Compares what Rust believes of the structures with what the C compiler that
/// built the kernel makes of them; a difference fails the build.
const _: () = {
    use super::bindings as b;
    use core::mem::{offset_of, size_of};
    use kernel::bindings as kb;

    assert!(size_of::<b::sock>() == layout::SIZEOF_SOCK);
    assert!(size_of::<b::sock_common>() == layout::SIZEOF_SOCK_COMMON);
    assert!(offset_of!(b::sock, __sk_common.__bindgen_anon_1) == layout::SOCK_ADDRPAIR);
    assert!(layout::SIZEOF_SOCK_ADDRPAIR == size_of::<u64>());
    assert!(offset_of!(b::sock, sk_socket) == layout::SOCK_SOCKET);
    assert!(offset_of!(b::sock, sk_destruct) == layout::SOCK_DESTRUCT);
    assert!(offset_of!(b::sock, sk_shutdown) == layout::SOCK_SHUTDOWN);
    assert!(offset_of!(b::sock, sk_err) == layout::SOCK_ERR);
    assert!(offset_of!(b::sock, sk_sndbuf) == layout::SOCK_SNDBUF);
    assert!(offset_of!(b::sock, sk_rcvtimeo) == layout::SOCK_RCVTIMEO);
    assert!(offset_of!(b::sock, sk_sndtimeo) == layout::SOCK_SNDTIMEO);
    assert!(offset_of!(b::sock, sk_rcvlowat) == layout::SOCK_RCVLOWAT);
    assert!(offset_of!(b::sock, sk_peek_off) == layout::SOCK_PEEK_OFF);
    assert!(offset_of!(b::sock, sk_max_ack_backlog) == layout::SOCK_MAX_ACK_BACKLOG);
    assert!(offset_of!(b::sock, sk_type) == layout::SOCK_TYPE);
    assert!(size_of::<b::proto>() == layout::SIZEOF_PROTO);
    assert!(offset_of!(b::proto, obj_size) == layout::PROTO_OBJ_SIZE);
    assert!(offset_of!(b::proto, name) == layout::PROTO_NAME);
    assert!(size_of::<b::runix_head>() == layout::SIZEOF_HEAD);
    assert!(offset_of!(b::runix_head, addr) == layout::HEAD_ADDR);
    assert!(offset_of!(b::runix_head, path) == layout::HEAD_PATH);
    assert!(offset_of!(b::runix_head, room_wait) == layout::HEAD_ROOM_WAIT);
    assert!(offset_of!(b::runix_head, peer) == layout::HEAD_PEER);
    assert!(offset_of!(b::runix_head, spare) == layout::HEAD_SPARE);
    assert!(offset_of!(b::runix_head, lock) == layout::HEAD_LOCK);
    assert!(size_of::<b::unix_address>() == layout::SIZEOF_UNIX_ADDRESS);
    assert!(size_of::<b::sockaddr_runix>() == layout::SIZEOF_SOCKADDR_RUNIX);
    assert!(size_of::<kb::socket>() == layout::SIZEOF_SOCKET);
    assert!(offset_of!(kb::socket, ops) == layout::SOCKET_OPS);
    assert!(offset_of!(kb::socket, sk) == layout::SOCKET_SK);
    assert!(size_of::<kb::proto_ops>() == layout::SIZEOF_PROTO_OPS);
    assert!(offset_of!(kb::proto_ops, splice_read) == layout::PROTO_OPS_SPLICE_READ);
    assert!(size_of::<kb::net_proto_family>() == layout::SIZEOF_NET_PROTO_FAMILY);
    assert!(size_of::<kb::msghdr>() == layout::SIZEOF_MSGHDR);
    assert!(offset_of!(kb::msghdr, msg_iter) == layout::MSGHDR_ITER);
    assert!(offset_of!(kb::msghdr, msg_flags) == layout::MSGHDR_FLAGS);
    assert!(size_of::<kb::iov_iter>() == layout::SIZEOF_IOV_ITER);
    assert!(size_of::<kb::path>() == layout::SIZEOF_PATH);
    assert!(size_of::<b::pernet_operations>() == layout::SIZEOF_PERNET_OPERATIONS);
    assert!(size_of::<kb::seq_operations>() == layout::SIZEOF_SEQ_OPERATIONS);
    assert!(size_of::<kb::seq_file>() == layout::SIZEOF_SEQ_FILE);
    assert!(size_of::<kb::wait_queue_entry>() == layout::SIZEOF_WAIT_QUEUE_ENTRY);
    assert!(size_of::<kb::ctl_table>() == layout::SIZEOF_CTL_TABLE);
    assert!(offset_of!(kb::ctl_table, extra2) == layout::CTL_TABLE_EXTRA2);
    assert!(size_of::<b::sock_diag_handler>() == layout::SIZEOF_SOCK_DIAG_HANDLER);
    assert!(offset_of!(b::sock_diag_handler, dump) == layout::SOCK_DIAG_HANDLER_DUMP);
    assert!(size_of::<kb::nlmsghdr>() == layout::SIZEOF_NLMSGHDR);
    assert!(size_of::<kb::netlink_callback>() == layout::SIZEOF_NETLINK_CALLBACK);
    assert!(offset_of!(kb::sk_buff, len) == layout::SK_BUFF_LEN);
    assert!(offset_of!(kb::netlink_callback, __bindgen_anon_1) == layout::NETLINK_CALLBACK_ARGS);
};
