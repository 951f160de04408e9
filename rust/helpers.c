// SPDX-License-Identifier: GPL-2.0
/*
 * Out-of-line copies of C inline functions and macros that the Rust layer in
 * rust/net calls, and the few compound steps that would cost several such calls
 * on a hot path. The prefix differs from the kernel's own `rust_helper_` so that
 * the two sets can't be confused in a backtrace.
 *
 * There is a file for each of the layer's, and one compilation for all: the
 * compiler puts into each other what a hot path calls.
 */
#include <linux/bvec.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/instrumented.h>
#include <linux/lockdep.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/security.h>
#include <linux/seq_file_net.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/sock_diag.h>
#include <linux/sockptr.h>
#include <linux/stringify.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/af_unix.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/netns/generic.h>
#include <net/scm.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "bindings/head.h"

#include "helpers/param.c"
#include "helpers/sock.c"
#include "helpers/wait.c"
#include "helpers/patience.c"
#include "helpers/unix.c"
#include "helpers/pidfd.c"
#include "helpers/cred.c"
#include "helpers/msg.c"
#include "helpers/chunk.c"
#include "helpers/warm.c"
#include "helpers/handed.c"
#include "helpers/landing.c"
#include "helpers/path.c"
#include "helpers/pernet.c"
#include "helpers/diag.c"
#include "helpers/ops.c"
#include "helpers/ancillary.c"
#include "helpers/deferred.c"
#include "helpers/charge.c"
#include "helpers/packet.c"
#include "helpers/foreign.c"
