/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of SOCK_DGRAM and SOCK_SEQPACKET share: fixtures whose pair
 * is of a given type, and messages with addresses.
 *
 * A variant is skipped where the family does not have the type, unless
 * RUNIX_REQUIRED=1 is in the environment: then it fails.
 */
#ifndef AF_RUNIX_PACKET_H
#define AF_RUNIX_PACKET_H

#include "common.h"

#include <sys/epoll.h>

/* Why a socket of the family and type cannot be had, or NULL. */
static inline const char *missing(int family, int type)
{
	int err, fd;

	if (runix_required())
		return NULL;
	fd = rc(socket(family, type, 0));
	err = fd < 0 ? fd : 0;
	if (fd >= 0)
		close(fd);
	return err == -EAFNOSUPPORT ? "family not registered" :
	       err == -ESOCKTNOSUPPORT ? "type not supported" : NULL;
}

/* What the harness keeps; the variants name a family and a type. */
#define TYPED_FIXTURE(_name)						\
FIXTURE(_name)								\
{									\
	int family;							\
	int type;							\
	int fd[2];	/* a connected pair */				\
	char dir[64];	/* the working directory */			\
};									\
									\
FIXTURE_VARIANT(_name)							\
{									\
	bool runix;							\
	int type;							\
};									\
									\
FIXTURE_SETUP(_name)							\
{									\
	const char *why;						\
									\
	self->family = variant->runix ? runix_family() : AF_UNIX;	\
	self->type = variant->type;					\
	why = missing(self->family, self->type);			\
	if (why)							\
		SKIP(return, "%s", why);				\
	close_range(3, ~0U, 0);						\
	ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0,		\
				   self->fd)));				\
	snprintf(self->dir, sizeof(self->dir), "/tmp/rx.XXXXXX");	\
	ASSERT_NE(NULL, mkdtemp(self->dir));				\
	ASSERT_EQ(0, chmod(self->dir, 0755));				\
	ASSERT_EQ(0, chdir(self->dir));					\
}									\
									\
FIXTURE_TEARDOWN(_name)							\
{									\
	if (chdir("/") || remove_tree(self->dir))			\
		TH_LOG("cannot remove %s: %m", self->dir);		\
}									\
_Static_assert(1, "semicolon")

#define TYPED_VARIANT(_name, _variant, _runix, _type)			\
FIXTURE_VARIANT_ADD(_name, _variant)					\
{									\
	.runix = _runix,						\
	.type = _type,							\
}

/* One type, two families. */
#define TYPE_FIXTURE(_name, _type)					\
TYPED_FIXTURE(_name);							\
TYPED_VARIANT(_name, unix, false, _type);				\
TYPED_VARIANT(_name, runix, true, _type)

/* Both types that keep messages apart. */
#define PACKET_FIXTURE(_name)						\
TYPED_FIXTURE(_name);							\
TYPED_VARIANT(_name, unix_dgram, false, SOCK_DGRAM);			\
TYPED_VARIANT(_name, unix_seqpacket, false, SOCK_SEQPACKET);		\
TYPED_VARIANT(_name, runix_dgram, true, SOCK_DGRAM);			\
TYPED_VARIANT(_name, runix_seqpacket, true, SOCK_SEQPACKET)

/* All three types. */
#define EVERY_FIXTURE(_name)						\
TYPED_FIXTURE(_name);							\
TYPED_VARIANT(_name, unix_stream, false, SOCK_STREAM);			\
TYPED_VARIANT(_name, unix_dgram, false, SOCK_DGRAM);			\
TYPED_VARIANT(_name, unix_seqpacket, false, SOCK_SEQPACKET);		\
TYPED_VARIANT(_name, runix_stream, true, SOCK_STREAM);			\
TYPED_VARIANT(_name, runix_dgram, true, SOCK_DGRAM);			\
TYPED_VARIANT(_name, runix_seqpacket, true, SOCK_SEQPACKET)

/* --- sockets ---------------------------------------------------------- */

static inline int dgram(int family)
{
	return rc(socket(family, SOCK_DGRAM, 0));
}

/* A socket of the type, bound to @n, or the error. */
static inline int bound(int family, int type, const struct name *n)
{
	int err, fd = rc(socket(family, type, 0));

	if (fd < 0)
		return fd;
	err = xbind(fd, n);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* A socket of the type, connected to @n, or the error. */
static inline int joined(int family, int type, const struct name *n)
{
	int err, fd = rc(socket(family, type, 0));

	if (fd < 0)
		return fd;
	err = xconnect(fd, n);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* connect() with nothing but a family: the association is dissolved. */
static inline int dissolve(int fd)
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };

	return rc(connect(fd, &sa, sizeof(sa)));
}

/* --- messages --------------------------------------------------------- */

static inline long xsendto(int fd, const void *buf, size_t len, int flags,
			   const struct name *to)
{
	return rc(sendto(fd, buf, len, flags, &to->sa, to->len));
}

/* A string, without its NUL. */
static inline long say(int fd, const char *str)
{
	return rc(send(fd, str, strlen(str), MSG_NOSIGNAL));
}

static inline long say_to(int fd, const char *str, const struct name *to)
{
	return xsendto(fd, str, strlen(str), MSG_NOSIGNAL, to);
}

static inline long xrecvfrom(int fd, void *buf, size_t len, int flags,
			     struct name *from)
{
	memset(from, 0xa5, sizeof(*from));
	from->len = sizeof(from->bytes);
	return rc(recvfrom(fd, buf, len, flags, &from->sa, &from->len));
}

/* The next message is exactly @_str. */
#define EXPECT_MSG(_str, _fd)						\
do {									\
	char __buf[1024] = {};						\
									\
	EXPECT_EQ((long)strlen(_str), rc(recv(_fd, __buf, sizeof(__buf) - 1,\
					      MSG_DONTWAIT)));		\
	EXPECT_STREQ(_str, __buf);					\
} while (0)

#define EXPECT_NO_MSG(_fd)						\
do {									\
	char __ch;							\
									\
	EXPECT_EQ(-EAGAIN, rc(recv(_fd, &__ch, 1, MSG_DONTWAIT)));	\
} while (0)

/*
 * The next message is @_str and comes from @_name, which is NULL for a sender
 * without a name.
 */
#define EXPECT_MSG_FROM(_str, _name, _fd)				\
do {									\
	const struct name *__want = _name;				\
	char __buf[1024] = {};						\
	struct name __from;						\
									\
	EXPECT_EQ((long)strlen(_str), xrecvfrom(_fd, __buf,		\
				sizeof(__buf) - 1, MSG_DONTWAIT, &__from));\
	EXPECT_STREQ(_str, __buf);					\
	EXPECT_EQ(__want ? __want->len : 0, __from.len);		\
	EXPECT_TRUE(!__want || same_name(__want, &__from));		\
} while (0)

static inline int so_error(int fd)
{
	return getint(fd, SO_ERROR);
}

/* What sendmsg() and recvmsg() take, for one buffer. */
struct packet {
	struct iovec iov;
	struct msghdr h;
};

#define PACKET(_name, _buf, _len)					\
	struct packet _name = {						\
		.iov = { (void *)(_buf), _len },			\
		.h = { .msg_iov = &_name.iov, .msg_iovlen = 1 },	\
	}

/* --- queues ----------------------------------------------------------- */

/* One-byte messages until there is no room; how many there was room for. */
static inline int fill_messages(int fd)
{
	int n = 0;
	char ch;

	while (n < 1000000 &&
	       rc(send(fd, &ch, 1, MSG_DONTWAIT | MSG_NOSIGNAL)) == 1)
		n++;
	return n;
}

/*
 * Fill the queue of the datagram socket @n with messages of @len bytes, until
 * one who has sent nothing yet is turned away. The number of messages, or a
 * negative error: anything else than EAGAIN is no reason to turn anybody away.
 */
static inline int fill_receiver_with(int family, const struct name *n, size_t len)
{
	int total = 0;

	for (;;) {
		int had = total, fd = dgram(family);
		long ret;

		if (fd < 0)
			return fd;
		while ((ret = xsendto(fd, "f", len, MSG_DONTWAIT, n)) == (long)len)
			total++;
		close(fd);
		if (ret != -EAGAIN)
			return ret;
		if (total == had)
			return total;
	}
}

static inline int fill_receiver(int family, const struct name *n)
{
	return fill_receiver_with(family, n, 1);
}

/* Receive one-byte messages until there are no more; how many there were. */
static inline int drain_messages(int fd)
{
	int n = 0;
	char ch;

	while (rc(recv(fd, &ch, 1, MSG_DONTWAIT)) == 1)
		n++;
	return n;
}

/* --- calls made by another thread ------------------------------------- */

static inline long op_sendto(struct op *op)
{
	return sendto(op->fd, op->buf, op->len, op->flags, &op->to->sa,
		      op->to->len);
}

static inline struct op receiving(int fd, void *buf, size_t len, int flags)
{
	return (struct op) { .fn = op_recv, .fd = fd, .buf = buf, .len = len,
			     .flags = flags };
}

static inline struct op sending(int fd, void *buf, size_t len)
{
	return (struct op) { .fn = op_send, .fd = fd, .buf = buf, .len = len,
			     .flags = MSG_NOSIGNAL };
}

static inline struct op sending_to(int fd, void *buf, size_t len,
				   const struct name *to)
{
	return (struct op) { .fn = op_sendto, .fd = fd, .buf = buf, .len = len,
			     .flags = MSG_NOSIGNAL, .to = to };
}

static inline struct op polling(int fd, int events)
{
	return (struct op) { .fn = op_poll, .fd = fd, .flags = events };
}

/* --- epoll ------------------------------------------------------------ */

/* An epoll instance that watches @fd for @events. */
static inline int watch(int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };
	int ep = rc(epoll_create1(EPOLL_CLOEXEC));

	if (ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	return ep;
}

/* The next event within @ms, 0 for none. */
static inline int next_event(int ep, int ms)
{
	struct epoll_event ev = {};
	int ret = epoll_wait(ep, &ev, 1, ms);

	return ret < 0 ? -errno : ret ? (int)ev.events : 0;
}

/* Long enough for everything that is going to happen. */
#define SOON	20000

#endif /* AF_RUNIX_PACKET_H */
