/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asking sock_diag for sockets, one or many; see sock_diag(7).
 *
 * AF_UNIX answers by a module of its own, unix_diag. Its variant is skipped
 * where that is not available.
 */
#ifndef AF_RUNIX_DIAG_H
#define AF_RUNIX_DIAG_H

#include "common.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

/* States, as sock_diag numbers them. */
enum { ESTABLISHED = 1, CLOSED = 7, LISTENING = 10 };

#define STATE(state)	(1u << (state))
#define ALL_STATES	(~0u)
#define SHOW_ALL	(UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER |	\
			 UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN |			\
			 UDIAG_SHOW_MEMINFO | UDIAG_SHOW_UID)
#define ANY_COOKIE	(~0u)

/* What sock_diag tells of a socket. */
struct told {
	struct unix_diag_msg msg;
	unsigned int has;		/* attributes, a bit each */
	int name_len;
	unsigned char name[128];
	struct unix_diag_vfs vfs;
	uint32_t peer;
	int nr_icons;
	uint32_t icon[1024];		/* the first ones */
	struct unix_diag_rqlen rqlen;
	uint32_t meminfo[SK_MEMINFO_VARS];
	uint8_t shutdown;
	uint32_t uid;
};

#define HAS(told, attr)	(!!((told)->has & (1u << UNIX_DIAG_##attr)))

struct request {
	struct nlmsghdr nlh;
	struct unix_diag_req req;
};

static inline int diag_socket(void)
{
	return rc(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
}

static inline struct request diag_request(int family, int flags)
{
	struct request r = {
		.nlh = {
			.nlmsg_len = sizeof(r),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | flags,
			.nlmsg_seq = 4711,
		},
		.req = {
			.sdiag_family = family,
			.udiag_cookie = { ANY_COOKIE, ANY_COOKIE },
		},
	};

	return r;
}

/* Copies an attribute, which is to have @want bytes. */
static inline bool take(const struct nlattr *nla, void *to, int want)
{
	if (nla->nla_len - NLA_HDRLEN != want)
		return false;
	memcpy(to, (char *)nla + NLA_HDRLEN, want);
	return true;
}

/* Takes an answer apart; false if it isn't one as the header describes it. */
static inline bool diag_parse(const struct nlmsghdr *nlh, struct told *t)
{
	int left = (int)nlh->nlmsg_len - (int)NLMSG_LENGTH(sizeof(t->msg));
	char *at = (char *)NLMSG_DATA(nlh) + NLMSG_ALIGN(sizeof(t->msg));
	bool good = true;

	memset(t, 0, sizeof(*t));
	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY || nlh->nlmsg_seq != 4711 || left < 0)
		return false;
	memcpy(&t->msg, NLMSG_DATA(nlh), sizeof(t->msg));
	while (good && left > 0) {
		struct nlattr *nla = (void *)at;
		int len = nla->nla_len - NLA_HDRLEN;

		if (left < NLA_HDRLEN || len < 0 || nla->nla_len > left)
			return false;
		switch (nla->nla_type) {
		case UNIX_DIAG_NAME:
			t->name_len = len;
			good = len <= (int)sizeof(t->name) && take(nla, t->name, len);
			break;
		case UNIX_DIAG_VFS:
			good = take(nla, &t->vfs, sizeof(t->vfs));
			break;
		case UNIX_DIAG_PEER:
			good = take(nla, &t->peer, sizeof(t->peer));
			break;
		case UNIX_DIAG_ICONS:
			t->nr_icons = len / 4;
			good = !(len % 4);
			memcpy(t->icon, at + NLA_HDRLEN,
			       len < (int)sizeof(t->icon) ? len : (int)sizeof(t->icon));
			break;
		case UNIX_DIAG_RQLEN:
			good = take(nla, &t->rqlen, sizeof(t->rqlen));
			break;
		case UNIX_DIAG_MEMINFO:
			good = take(nla, t->meminfo, sizeof(t->meminfo));
			break;
		case UNIX_DIAG_SHUTDOWN:
			good = take(nla, &t->shutdown, sizeof(t->shutdown));
			break;
		case UNIX_DIAG_UID:
			good = take(nla, &t->uid, sizeof(t->uid));
			break;
		default:
			good = false;
		}
		/* Each attribute is there once. */
		good = good && !(t->has & (1u << nla->nla_type));
		t->has |= 1u << nla->nla_type;
		at += NLA_ALIGN(nla->nla_len);
		left -= NLA_ALIGN(nla->nla_len);
	}
	return good;
}

/* Sends a request and receives the one message that answers it. */
static inline int diag_ask(const void *request, size_t len, struct told *t)
{
	static __thread char buf[65536] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = (void *)buf;
	int nl = diag_socket();
	long ret;

	if (nl < 0)
		return nl;
	ret = rc(send(nl, request, len, 0));
	if (ret >= 0)
		ret = rc(recv(nl, buf, sizeof(buf), 0));
	close(nl);
	if (ret < 0)
		return ret;
	if (!NLMSG_OK(nlh, ret))
		return -EBADMSG;
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
	if (nlh->nlmsg_flags || !t || !diag_parse(nlh, t))
		return -EBADMSG;
	return 0;
}

static inline int diag_by_inode(int family, uint32_t ino, const uint32_t *cookie,
				int show, struct told *t)
{
	struct request r = diag_request(family, 0);

	r.req.udiag_ino = ino;
	r.req.udiag_show = show;
	if (cookie)
		memcpy(r.req.udiag_cookie, cookie, sizeof(r.req.udiag_cookie));
	return diag_ask(&r, sizeof(r), t);
}

/* No inode is a bad request to who answers, and to nobody an unknown family. */
static inline bool diag_answers(int family)
{
	struct told t;

	return diag_by_inode(family, 0, NULL, 0, &t) == -EINVAL;
}

static inline uint32_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

/* All about the socket behind @fd. */
static inline int diag(int fd, struct told *t)
{
	int family = getint(fd, SO_DOMAIN);

	return diag_by_inode(family, inode_of(fd), NULL, SHOW_ALL, t);
}

/*
 * Asks for all sockets and calls @each with what is told of one. Returns their
 * number, or the error.
 */
static inline int diag_dump(int family, uint32_t states, int show, size_t size,
			    void (*each)(void *arg, const struct told *t), void *arg)
{
	struct request r = diag_request(family, NLM_F_DUMP);
	char *buf = malloc(size);
	struct told t;
	int nl = diag_socket(), n = 0;
	long ret;

	r.req.udiag_states = states;
	r.req.udiag_show = show;
	ret = nl < 0 ? nl : rc(send(nl, &r, sizeof(r), 0));
	while (ret >= 0) {
		struct nlmsghdr *nlh = (void *)buf;
		struct iovec iov = { buf, size };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

		ret = rc(recvmsg(nl, &msg, 0));
		if (msg.msg_flags & MSG_TRUNC)
			ret = -ENOBUFS;
		for (int left = ret; left > 0 && NLMSG_OK(nlh, left);
		     nlh = NLMSG_NEXT(nlh, left)) {
			if (nlh->nlmsg_type == NLMSG_DONE) {
				ret = *(int *)NLMSG_DATA(nlh) ?: n;
				goto out;
			}
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				ret = ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
				goto out;
			}
			if (!(nlh->nlmsg_flags & NLM_F_MULTI) || !diag_parse(nlh, &t)) {
				ret = -EBADMSG;
				goto out;
			}
			if (each)
				each(arg, &t);
			n++;
		}
	}
out:
	if (nl >= 0)
		close(nl);
	free(buf);
	return ret;
}

#define DIAG_OR_SKIP()								\
do {										\
	if (!diag_answers(self->family) &&					\
	    (self->family == AF_UNIX || !runix_required()))			\
		SKIP(return, "no sock_diag for family %d", self->family);	\
} while (0)

#endif /* AF_RUNIX_DIAG_H */
