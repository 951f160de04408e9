/* SPDX-License-Identifier: GPL-2.0 */
/* Control data: built, sent, received and looked through. */
#ifndef AF_RUNIX_SCM_H
#define AF_RUNIX_SCM_H

#include "packet.h"

#ifndef SCM_SECURITY
#define SCM_SECURITY	0x03
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD	0x04
#endif

/* The most descriptors that go with one message. */
#define MAX_FDS		253

struct control {
	size_t len;	/* bytes in use, or room; what is left over is told here */
	int flags;	/* of the message received */
	union {
		struct cmsghdr h;
		char buf[4096];
	};
};

/* Append a control message. */
static inline struct control *add(struct control *c, int level, int type,
				  const void *data, size_t len)
{
	struct cmsghdr *h = (void *)(c->buf + c->len);

	h->cmsg_level = level;
	h->cmsg_type = type;
	h->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(h), data, len);
	c->len += CMSG_SPACE(len);
	return c;
}

static inline struct control *add_fds(struct control *c, const int *fd, int n)
{
	return add(c, SOL_SOCKET, SCM_RIGHTS, fd, n * sizeof(int));
}

static inline struct control *add_creds(struct control *c, pid_t pid, uid_t uid,
					gid_t gid)
{
	struct ucred cr = { pid, uid, gid };

	return add(c, SOL_SOCKET, SCM_CREDENTIALS, &cr, sizeof(cr));
}

static inline long send_control(int fd, const void *buf, size_t len, int flags,
				struct control *c)
{
	PACKET(p, buf, len);

	if (c) {
		p.h.msg_control = c->buf;
		p.h.msg_controllen = c->len;
	}
	return rc(sendmsg(fd, &p.h, flags | MSG_NOSIGNAL));
}

/* A string, with descriptors. */
static inline long say_fds(int fd, const char *str, const int *fds, int n)
{
	struct control c = {};

	return send_control(fd, str, strlen(str), 0, add_fds(&c, fds, n));
}

static inline long say_fd(int fd, const char *str, int one)
{
	return say_fds(fd, str, &one, 1);
}

/* Room for c->len bytes of control data, or none at all where that is 0. */
static inline long recv_control(int fd, void *buf, size_t len, int flags,
				struct control *c)
{
	PACKET(p, buf, len);
	long ret;

	p.h.msg_control = c->len ? c->buf : NULL;
	p.h.msg_controllen = c->len;
	ret = rc(recvmsg(fd, &p.h, flags));
	c->len = p.h.msg_controllen;
	c->flags = p.h.msg_flags;
	return ret;
}

/* With all the room there is, without waiting. */
static inline long recv_all(int fd, void *buf, size_t len, struct control *c)
{
	c->len = sizeof(c->buf);
	return recv_control(fd, buf, len, MSG_DONTWAIT, c);
}

/* The control message at place @i, or NULL. */
static inline struct cmsghdr *nth(struct control *c, int i)
{
	struct msghdr m = { .msg_control = c->buf, .msg_controllen = c->len };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	while (h && i--)
		h = CMSG_NXTHDR(&m, h);
	return h;
}

/* The one of this type, or NULL. */
static inline struct cmsghdr *of_type(struct control *c, int type)
{
	struct cmsghdr *h;
	int i;

	for (i = 0; (h = nth(c, i)); i++)
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == type)
			return h;
	return NULL;
}

/* The descriptors received, and how many. */
static inline int get_fds(struct control *c, int *fd)
{
	struct cmsghdr *h = of_type(c, SCM_RIGHTS);

	if (!h)
		return 0;
	memcpy(fd, CMSG_DATA(h), h->cmsg_len - CMSG_LEN(0));
	return (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

/* "scm_fds:" of a descriptor: how many files are in its queue. */
static inline int scm_fds(int fd)
{
	char path[64], line[128];
	int n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "scm_fds: %d", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/* The credentials received; a pid below 0 where there are none. */
static inline struct ucred get_creds(struct control *c)
{
	struct cmsghdr *h = of_type(c, SCM_CREDENTIALS);
	struct ucred cr = { -1, -2, -2 };

	if (h && h->cmsg_len == CMSG_LEN(sizeof(cr)))
		memcpy(&cr, CMSG_DATA(h), sizeof(cr));
	return cr;
}

/* The process a pidfd is of, or an error. */
static inline int pid_of(int pidfd)
{
	char path[64], line[128];
	int pid = -ENOENT;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Pid: %d", &pid) == 1)
			break;
	fclose(f);
	return pid;
}

static inline int get_pidfd(struct control *c)
{
	struct cmsghdr *h = of_type(c, SCM_PIDFD);
	int fd = -ENOENT;

	if (h && h->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	return fd;
}

/* Are these two one open file? What is set on one shows on the other. */
static inline bool same_file(int a, int b)
{
	int was = fcntl(a, F_GETFL), now;

	if (was < 0 || fcntl(b, F_GETFL) != was ||
	    fcntl(a, F_SETFL, was ^ O_NONBLOCK))
		return false;
	now = fcntl(b, F_GETFL);
	fcntl(a, F_SETFL, was);
	return now == (was ^ O_NONBLOCK);
}

/*
 * Has everybody who could write to the pipe gone? Not all ways to close a file
 * are done when the call that caused it returns.
 */
static inline bool ends_soon(int pipe)
{
	struct pollfd p = { .fd = pipe, .events = POLLIN };

	return poll(&p, 1, SOON) == 1 && p.revents == POLLHUP;
}

static inline bool still_open(int pipe)
{
	struct pollfd p = { .fd = pipe, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/* Does the family carry this control message? */
static inline bool carries(int family, int type, int what)
{
	struct control c = {};
	long ret = -1;
	int sv[2];

	if (family == AF_UNIX || runix_required())
		return true;
	if (socketpair(family, type, 0, sv))
		return false;
	if (what == SCM_RIGHTS)
		ret = say_fd(sv[0], "x", sv[0]);
	else if (!setint(sv[1], SO_PASSCRED, 1) && say(sv[0], "x") == 1 &&
		 recv_all(sv[1], &ret, 1, &c) == 1)
		ret = of_type(&c, SCM_CREDENTIALS) ? 1 : -1;
	close(sv[0]);
	close(sv[1]);
	return ret == 1;
}

#define NEED(_what)							\
do {									\
	if (!carries(self->family, self->type, _what))			\
		SKIP(return, #_what " is not supported");		\
} while (0)

#endif /* AF_RUNIX_SCM_H */
