/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bindgen reads for bindings/mod.rs. bindgen_parameters says which of all
 * that is declared here comes out.
 */
#include <linux/hrtimer_types.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/net.h>
#include <linux/proc_fs.h>
#include <linux/security.h>
#include <linux/seq_file_net.h>
#include <linux/sock_diag.h>
#include <linux/splice.h>
#include <linux/sysctl.h>
#include <linux/tcp.h>
#include <linux/uio.h>
#include <linux/un.h>
#include <net/af_unix.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/netns/generic.h>
#include <net/scm.h>
#include <net/sock.h>
#include <net/tcp_states.h>
#include <uapi/linux/sockios.h>

#include "../uapi/runix.h"
#include "head.h"
