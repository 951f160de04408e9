// SPDX-License-Identifier: GPL-2.0
/*
 * Every pointer that a call of the family takes: to memory that isn't there, to
 * memory that can't be written, and to memory that comes slowly, page by page, while
 * the call is under way (userfaultfd).
 */
#include "scm.h"

#include <linux/sockios.h>
#include <linux/userfaultfd.h>

FAMILY_FIXTURE(user_memory);

#define PAGE	4096

/* What a call works with. Each begins with a new one. */
struct stage {
	int family;
	int fd[2];		/* a pair with 100 bytes on the way to fd[1] */
	int dgram[2];		/* the same, in one message, whose sender has a name */
	int l;			/* listener with one who waits */
	int c;			/* who is connected to it */
	int fresh;		/* socket without a name */
	struct name name;	/* of the listener */
	struct name free;	/* that nobody has */
};

struct call {
	const char *name;
	long (*run)(struct stage *s, void *p);	/* with the pointer in question */
	const void *(*content)(struct stage *s);/* of what it points to, for the kernel to read */
	size_t size;
	bool out;		/* the kernel writes there */
	long want;		/* what comes of a bad pointer, if not EFAULT */
};

static char bytes[100];
static int one = 1;

static const void *some_bytes(struct stage *s) { (void)s; return bytes; }
static const void *an_int(struct stage *s) { (void)s; return &one; }
static const void *a_free_name(struct stage *s) { return &s->free.sa; }
static const void *the_name(struct stage *s) { return &s->name.sa; }

static const void *a_length(struct stage *s)
{
	static socklen_t len;

	(void)s;
	len = sizeof(struct sockaddr_un);
	return &len;
}

static long run_bind(struct stage *s, void *p) { return bind(s->fresh, p, s->free.len); }
static long run_connect(struct stage *s, void *p) { return connect(s->fresh, p, s->name.len); }
static long run_send(struct stage *s, void *p) { return send(s->fd[0], p, 100, 0); }
static long run_dgram(struct stage *s, void *p) { return send(s->dgram[0], p, 100, 0); }
static long run_recv(struct stage *s, void *p) { return recv(s->fd[1], p, 100, 0); }
static long run_recv_dgram(struct stage *s, void *p) { return recv(s->dgram[1], p, 100, 0); }
static long run_peek(struct stage *s, void *p) { return recv(s->fd[1], p, 100, MSG_PEEK); }
static long run_pair(struct stage *s, void *p) { return socketpair(s->family, SOCK_STREAM, 0, p); }
static long run_fionread(struct stage *s, void *p) { return ioctl(s->fd[1], FIONREAD, p); }
static long run_outq(struct stage *s, void *p) { return ioctl(s->fd[0], SIOCOUTQ, p); }

static long run_sendto(struct stage *s, void *p)
{
	return sendto(s->dgram[0], bytes, 100, 0, p, s->name.len) == -1 && errno == ECONNREFUSED ?
	       0 : -1;
}

static long run_accept_addr(struct stage *s, void *p)
{
	socklen_t len = sizeof(struct sockaddr_un);

	return accept(s->l, p, &len);
}

static long run_accept_len(struct stage *s, void *p)
{
	struct name n;

	return accept(s->l, &n.sa, p);
}

static long run_sockname(struct stage *s, void *p)
{
	socklen_t len = sizeof(struct sockaddr_un);

	return getsockname(s->l, p, &len);
}

static long run_sockname_len(struct stage *s, void *p)
{
	struct name n;

	return getsockname(s->l, &n.sa, p);
}

static long run_peername(struct stage *s, void *p)
{
	socklen_t len = sizeof(struct sockaddr_un);

	return getpeername(s->c, p, &len);
}

static long run_peername_len(struct stage *s, void *p)
{
	struct name n;

	return getpeername(s->c, &n.sa, p);
}

static long run_recvfrom(struct stage *s, void *p)
{
	socklen_t len = sizeof(struct sockaddr_un);

	return recvfrom(s->dgram[1], bytes, 100, 0, p, &len);
}

static long run_recvfrom_len(struct stage *s, void *p)
{
	struct name n;

	return recvfrom(s->dgram[1], bytes, 100, 0, &n.sa, p);
}

static struct msghdr hdr;
static struct iovec vec;

static struct msghdr *message(void *to)
{
	vec = (struct iovec) { to, 100 };
	hdr = (struct msghdr) { .msg_iov = &vec, .msg_iovlen = 1 };
	return &hdr;
}

static const void *a_message(struct stage *s) { (void)s; return message(bytes); }
static const void *a_vector(struct stage *s) { (void)s; message(bytes); return &vec; }
static long run_sendmsg(struct stage *s, void *p) { return sendmsg(s->fd[0], p, 0); }
static long run_recvmsg(struct stage *s, void *p) { return recvmsg(s->fd[1], p, 0); }

static long run_sendmsg_iov(struct stage *s, void *p)
{
	message(bytes)->msg_iov = p;
	return sendmsg(s->fd[0], &hdr, 0);
}

static long run_sendmsg_base(struct stage *s, void *p)
{
	return sendmsg(s->dgram[0], message(p), 0);
}

static long run_recvmsg_iov(struct stage *s, void *p)
{
	message(bytes)->msg_iov = p;
	return recvmsg(s->fd[1], &hdr, 0);
}

static long run_sendmsg_name(struct stage *s, void *p)
{
	message(bytes)->msg_name = p;
	hdr.msg_namelen = s->name.len;
	return sendmsg(s->dgram[0], &hdr, 0) == -1 && errno == ECONNREFUSED ? 0 : -1;
}

static long run_recvmsg_name(struct stage *s, void *p)
{
	message(bytes)->msg_name = p;
	hdr.msg_namelen = sizeof(struct sockaddr_un);
	return recvmsg(s->dgram[1], &hdr, 0);
}

static struct control control;

static const void *some_control(struct stage *s)
{
	control.len = 0;
	add_fds(&control, &s->fd[0], 1);
	return control.buf;
}

static long run_sendmsg_control(struct stage *s, void *p)
{
	message(bytes)->msg_control = p;
	hdr.msg_controllen = CMSG_SPACE(sizeof(int));
	return sendmsg(s->fd[0], &hdr, 0);
}

/* The message comes even if its control data can't be delivered. */
static long run_recvmsg_control(struct stage *s, void *p)
{
	say_fd(s->dgram[0], "with", s->l);
	recv(s->dgram[1], bytes, 100, 0);
	message(bytes)->msg_control = p;
	hdr.msg_controllen = CMSG_SPACE(sizeof(int));
	return recvmsg(s->dgram[1], &hdr, 0);
}

static const void *a_vector_of_messages(struct stage *s)
{
	static struct mmsghdr v;

	(void)s;
	v.msg_hdr = *message(bytes);
	return &v;
}

static long run_sendmmsg(struct stage *s, void *p) { return sendmmsg(s->fd[0], p, 1, 0); }
static long run_recvmmsg(struct stage *s, void *p) { return recvmmsg(s->fd[1], p, 1, 0, NULL); }

static long run_setsockopt(struct stage *s, void *p)
{
	return setsockopt(s->fd[0], SOL_SOCKET, SO_PASSCRED, p, sizeof(int));
}

static long run_set_timeo(struct stage *s, void *p)
{
	return setsockopt(s->fd[0], SOL_SOCKET, SO_RCVTIMEO, p, sizeof(struct timeval));
}

static long run_getsockopt(struct stage *s, void *p)
{
	socklen_t len = sizeof(struct ucred);

	return getsockopt(s->fd[0], SOL_SOCKET, SO_PEERCRED, p, &len);
}

static long run_getsockopt_len(struct stage *s, void *p)
{
	struct ucred cr;

	return getsockopt(s->fd[0], SOL_SOCKET, SO_PEERCRED, &cr, p);
}

static const struct call calls[] = {
	{ "bind, address", run_bind, a_free_name, sizeof(struct sockaddr_un) },
	{ "connect, address", run_connect, the_name, sizeof(struct sockaddr_un) },
	{ "accept, address", run_accept_addr, NULL, sizeof(struct sockaddr_un), .out = true },
	{ "accept, length", run_accept_len, a_length, sizeof(socklen_t), .out = true },
	{ "getsockname, address", run_sockname, NULL, sizeof(struct sockaddr_un), .out = true },
	{ "getsockname, length", run_sockname_len, a_length, sizeof(socklen_t), .out = true },
	{ "getpeername, address", run_peername, NULL, sizeof(struct sockaddr_un), .out = true },
	{ "getpeername, length", run_peername_len, a_length, sizeof(socklen_t), .out = true },
	{ "socketpair", run_pair, NULL, 2 * sizeof(int), .out = true },
	{ "send, stream", run_send, some_bytes, 100 },
	{ "send, datagram", run_dgram, some_bytes, 100 },
	{ "sendto, address", run_sendto, the_name, sizeof(struct sockaddr_un) },
	{ "recv, stream", run_recv, NULL, 100, .out = true },
	{ "recv, datagram", run_recv_dgram, NULL, 100, .out = true },
	{ "peek", run_peek, NULL, 100, .out = true },
	{ "recvfrom, address", run_recvfrom, NULL, sizeof(struct sockaddr_un), .out = true },
	{ "recvfrom, length", run_recvfrom_len, a_length, sizeof(socklen_t), .out = true },
	{ "sendmsg, header", run_sendmsg, a_message, sizeof(struct msghdr) },
	{ "sendmsg, vector", run_sendmsg_iov, a_vector, sizeof(struct iovec) },
	{ "sendmsg, bytes", run_sendmsg_base, some_bytes, 100 },
	{ "sendmsg, name", run_sendmsg_name, the_name, sizeof(struct sockaddr_un) },
	{ "sendmsg, control", run_sendmsg_control, some_control, CMSG_SPACE(sizeof(int)) },
	{ "sendmmsg", run_sendmmsg, a_vector_of_messages, sizeof(struct mmsghdr) },
	{ "recvmsg, header", run_recvmsg, a_message, sizeof(struct msghdr), .out = true },
	{ "recvmsg, vector", run_recvmsg_iov, a_vector, sizeof(struct iovec) },
	{ "recvmsg, name", run_recvmsg_name, NULL, sizeof(struct sockaddr_un), .out = true },
	{ "recvmsg, control", run_recvmsg_control, NULL, CMSG_SPACE(sizeof(int)), .out = true,
	  .want = 4 },
	{ "recvmmsg", run_recvmmsg, a_vector_of_messages, sizeof(struct mmsghdr), .out = true },
	{ "setsockopt", run_setsockopt, an_int, sizeof(int) },
	{ "setsockopt, time-out", run_set_timeo, NULL, sizeof(struct timeval) },
	{ "getsockopt, value", run_getsockopt, NULL, sizeof(struct ucred), .out = true },
	{ "getsockopt, length", run_getsockopt_len, a_length, sizeof(socklen_t), .out = true },
	{ "FIONREAD", run_fionread, NULL, sizeof(int), .out = true },
	{ "SIOCOUTQ", run_outq, NULL, sizeof(int), .out = true },
};

#define CALLS	((int)(sizeof(calls) / sizeof(calls[0])))

static bool set_stage(struct stage *s, int family)
{
	struct name from = abstract_name(family, "from");

	*s = (struct stage) { .family = family, .name = abstract_name(family, "to"),
			      .free = abstract_name(family, "free") };
	s->l = listener(family, &s->name, 3);
	s->c = dial(family, &s->name);
	s->fresh = xsocket(family);
	return !socketpair(family, SOCK_STREAM, 0, s->fd) &&
	       !socketpair(family, SOCK_DGRAM, 0, s->dgram) && s->l >= 0 && s->c >= 0 &&
	       s->fresh >= 0 && !xbind(s->dgram[0], &from) &&
	       send(s->fd[0], bytes, 100, 0) == 100 && send(s->dgram[0], bytes, 100, 0) == 100;
}

/* Nothing that a call did with a bad pointer has broken the pair. */
static bool still_good(struct stage *s)
{
	char buf[400];

	while (recv(s->fd[1], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	while (recv(s->dgram[1], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	return say(s->fd[0], "good") == 4 && recv(s->fd[1], buf, 9, MSG_DONTWAIT) == 4 &&
	       say(s->dgram[0], "good") == 4 && recv(s->dgram[1], buf, 9, MSG_DONTWAIT) == 4;
}

static void drop_stage(void)
{
	close_range(3, ~0U, 0);
}

/* The places: nowhere, no access, and all but the first byte in a page that isn't there. */
TEST_F(user_memory, bad)
{
	char *edge = guard_page();

	for (int i = 0; i < CALLS; i++) {
		const struct call *c = &calls[i];
		void *places[] = { bad_ptr(), edge, edge - 1 };

		for (int p = 0; p < 3; p++) {
			struct stage s;
			long want = c->want ?: -EFAULT;

			drop_stage();
			ASSERT_TRUE(set_stage(&s, self->family));
			memset(edge - PAGE, 0, PAGE);
			/* As much as is there is right. */
			if (p == 2 && c->content)
				memcpy(edge - 1, c->content(&s), 1);
			/* What is written may be shorter than the room for it. */
			if (p == 2 && c->out && c->want)
				continue;
			EXPECT_EQ(want, rc(c->run(&s, places[p])))
				TH_LOG("%s, place %d", c->name, p);
			EXPECT_TRUE(still_good(&s)) TH_LOG("%s, place %d", c->name, p);
		}
	}
	drop_stage();
}

/* What the kernel is to write to can only be read. */
TEST_F(user_memory, read_only)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	for (int i = 0; i < CALLS; i++) {
		const struct call *c = &calls[i];
		struct stage s;

		if (!c->out)
			continue;
		drop_stage();
		ASSERT_TRUE(set_stage(&s, self->family));
		ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ | PROT_WRITE));
		memset(page, 0, PAGE);
		if (c->content)
			memcpy(page, c->content(&s), c->size);
		ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
		EXPECT_EQ(c->want ?: -EFAULT, rc(c->run(&s, page))) TH_LOG("%s", c->name);
		EXPECT_TRUE(still_good(&s)) TH_LOG("%s", c->name);
	}
	drop_stage();
}

/* --- memory that comes slowly ---------------------------------------------- */

#define FAR	900	/* a descriptor that no call gets */
#define FRONT	65536	/* bytes of memory like any other in front of it */

static struct slow {
	int fd;
	char *page;
	char content[PAGE];
	long faults;
	unsigned int delay;	/* microseconds, if not 1000 */
} slow;

static void *bring_in(void *arg)
{
	struct uffd_msg m;

	(void)arg;
	while (read(slow.fd, &m, sizeof(m)) == sizeof(m)) {
		struct uffdio_copy copy = {
			.dst = m.arg.pagefault.address & ~(PAGE - 1UL),
			.src = (unsigned long)slow.content,
			.len = PAGE,
		};

		if (m.event != UFFD_EVENT_PAGEFAULT)
			break;
		__atomic_fetch_add(&slow.faults, 1, __ATOMIC_RELAXED);
		usleep(slow.delay ? slow.delay : 1000);
		ioctl(slow.fd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

static const char *slow_memory(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	pthread_t t;

	slow.fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (slow.fd < 0)
		return "no userfaultfd here";
	/* Out of the way of what is closed between the calls. */
	slow.fd = dup2(slow.fd, FAR);
	slow.page = mmap(NULL, FRONT + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	slow.page += FRONT;
	reg.range.start = (unsigned long)slow.page;
	reg.range.len = PAGE;
	if (ioctl(slow.fd, UFFDIO_API, &api) || ioctl(slow.fd, UFFDIO_REGISTER, &reg) ||
	    pthread_create(&t, NULL, bring_in, NULL))
		return "userfaultfd can't be set up";
	return NULL;
}

TEST_F(user_memory, slow)
{
	const char *why = slow_memory();

	if (why)
		SKIP(return, "%s: %m", why);
	for (int i = 0; i < CALLS; i++) {
		const struct call *c = &calls[i];
		long faults, ret;
		struct stage s;

		close_range(3, FAR - 1, 0);
		ASSERT_TRUE(set_stage(&s, self->family));
		memset(slow.content, 0, PAGE);
		if (c->content)
			memcpy(slow.content, c->content(&s), c->size);
		ASSERT_EQ(0, madvise(slow.page, PAGE, MADV_DONTNEED));
		faults = __atomic_load_n(&slow.faults, __ATOMIC_RELAXED);
		ret = rc(c->run(&s, slow.page));
		EXPECT_LE(0, ret) TH_LOG("%s", c->name);
		EXPECT_LT(faults, __atomic_load_n(&slow.faults, __ATOMIC_RELAXED))
			TH_LOG("%s was not slow", c->name);
		EXPECT_TRUE(still_good(&s)) TH_LOG("%s", c->name);
	}
	close_range(3, FAR - 1, 0);
}

/* Who reads while the memory of another one comes gets no bytes of those in between. */
TEST_F(user_memory, slow_among_others)
{
	enum { SENT = 100000, ROOM = FRONT + PAGE };
	static char out[SENT], in[SENT];
	const char *why = slow_memory();
	char *memory = slow.page - FRONT;
	struct op op = { .fn = op_recv, .fd = self->fd[1], .buf = memory, .len = ROOM };
	long got;

	if (why)
		SKIP(return, "%s: %m", why);
	slow.delay = 50000;
	memset(memory, 0, FRONT);
	pat_fill(out, 0, SENT);
	ASSERT_EQ(SENT, rc(send(self->fd[0], out, SENT, 0)));
	ASSERT_EQ(0, pthread_create(&op.thread, NULL, op_main, &op));
	while (!__atomic_load_n(&slow.faults, __ATOMIC_RELAXED))
		usleep(100);
	got = rc(recv(self->fd[1], in, 20000, 0));
	EXPECT_EQ(20000, got);
	ASSERT_LT(0, op_join(&op));
	EXPECT_EQ(op.ret, pat_good(memory, 0, op.ret));
	EXPECT_EQ(got, pat_good(in, op.ret, got));
	EXPECT_EQ(SENT - op.ret - got, drain(self->fd[1], op.ret + got, SENT - op.ret - got));
}

/* A receive that gets nothing touches no memory, however much is likely to come. */
TEST_F(user_memory, untouched)
{
	enum { MUCH = 1 << 20, SENT = 100000 };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	static unsigned char present[MUCH / PAGE];
	static char buf[SENT];

	for (int i = 0; i < 3; i++) {
		int sv[2], touched = 0;
		char *memory = mmap(NULL, MUCH, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ASSERT_EQ(0, rc(socketpair(self->family, types[i], 0, sv)));
		ASSERT_EQ(SENT, rc(send(sv[0], buf, SENT, 0)));
		ASSERT_EQ(SENT, rc(recv(sv[1], buf, SENT, MSG_WAITALL)));
		ASSERT_EQ(0, set_timeo(sv[1], SO_RCVTIMEO, 30));
		EXPECT_EQ(-EAGAIN, rc(recv(sv[1], memory, MUCH, 0)));
		ASSERT_EQ(0, rc(mincore(memory, MUCH, present)));
		for (int k = 0; k < MUCH / PAGE; k++)
			touched += present[k] & 1;
		EXPECT_EQ(0, touched) TH_LOG("type %d", types[i]);
		close(sv[0]);
		close(sv[1]);
		munmap(memory, MUCH);
	}
}

TEST_HARNESS_MAIN
