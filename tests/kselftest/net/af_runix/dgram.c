// SPDX-License-Identifier: GPL-2.0
/* Datagrams: who may send to whom, by name and by association. */

#include "packet.h"

TYPE_FIXTURE(dgram, SOCK_DGRAM);

/* A socket bound to an abstract name, which is left in @_name. */
#define BOUND(_fd, _name, _tag)						\
	struct name _name = abstract_name(self->family, _tag);		\
	int _fd = bound(self->family, SOCK_DGRAM, &_name);		\
									\
	ASSERT_LE(0, _fd)

TEST_F(dgram, by_abstract_name)
{
	BOUND(r, n, "r");
	int s = dgram(self->family);

	EXPECT_EQ(3, say_to(s, "abc", &n));
	EXPECT_EQ(5, say_to(s, "defgh", &n));
	EXPECT_MSG_FROM("abc", NULL, r);
	EXPECT_MSG_FROM("defgh", NULL, r);
	EXPECT_NO_MSG(r);
	/* Sending makes no association. */
	EXPECT_EQ(-ENOTCONN, say(s, "x"));
	EXPECT_EQ(-ENOTCONN, xgetpeername(s, &n));
}

TEST_F(dgram, by_path)
{
	struct name n = path_name(self->family, "r"), c, m;
	int r = bound(self->family, SOCK_DGRAM, &n), s;

	ASSERT_LE(0, r);
	c = path_name(self->family, "sender");
	s = bound(self->family, SOCK_DGRAM, &c);
	ASSERT_LE(0, s);
	EXPECT_EQ(2, say_to(s, "hi", &n));
	EXPECT_MSG_FROM("hi", &c, r);
	/* And back to where it came from. */
	EXPECT_EQ(2, say_to(r, "ho", &c));
	EXPECT_MSG_FROM("ho", &n, s);

	/* The file is what counts, not what it is called. */
	ASSERT_EQ(0, rename("r", "t"));
	EXPECT_EQ(-ENOENT, say_to(s, "x", &n));
	m = path_name(self->family, "t");
	EXPECT_EQ(1, say_to(s, "y", &m));
	EXPECT_MSG_FROM("y", &c, r);
	ASSERT_EQ(0, symlink("t", "r"));
	EXPECT_EQ(1, say_to(s, "z", &n));
	EXPECT_MSG_FROM("z", &c, r);
	/* A sender goes by the name it bound. */
	ASSERT_EQ(0, unlink("sender"));
	EXPECT_EQ(1, say_to(s, "u", &n));
	EXPECT_MSG_FROM("u", &c, r);
}

TEST_F(dgram, path_errors)
{
	struct name n = path_name(self->family, "no/such");
	int s = dgram(self->family);

	EXPECT_EQ(-ENOENT, say_to(s, "x", &n));
	EXPECT_EQ(-ENOENT, xconnect(s, &n));
	ASSERT_LE(0, rc(open("file", O_CREAT, 0644)));
	n = path_name(self->family, "file/x");
	EXPECT_EQ(-ENOTDIR, say_to(s, "x", &n));
	n = path_name(self->family, "file");
	EXPECT_EQ(-ECONNREFUSED, say_to(s, "x", &n));
	EXPECT_EQ(-ECONNREFUSED, xconnect(s, &n));
	n = path_name(self->family, ".");
	EXPECT_EQ(-ECONNREFUSED, say_to(s, "x", &n));
	n = path_name(self->family, "stale");
	close(bound(self->family, SOCK_DGRAM, &n));
	EXPECT_EQ(-ECONNREFUSED, say_to(s, "x", &n));
	EXPECT_EQ(-ECONNREFUSED, xconnect(s, &n));
	n = abstract_name(self->family, "nobody");
	EXPECT_EQ(-ECONNREFUSED, say_to(s, "x", &n));
	EXPECT_EQ(-ECONNREFUSED, xconnect(s, &n));

	/* Who may not write to the file may not write to the socket. */
	n = path_name(self->family, "locked");
	ASSERT_LE(0, bound(self->family, SOCK_DGRAM, &n));
	ASSERT_EQ(0, chmod("locked", 0755));
	EXPECT_EQ(-EACCES, IN_CHILD(setuid(65534) ? -1 : say_to(s, "x", &n)));
	EXPECT_EQ(-EACCES, IN_CHILD(setuid(65534) ? -1 : xconnect(s, &n)));
	ASSERT_EQ(0, chmod("locked", 0722));
	EXPECT_EQ(0, IN_CHILD(setuid(65534) ? -1 : xconnect(s, &n)));
}

TEST_F(dgram, bad_addresses)
{
	BOUND(r, n, "r");
	int s = dgram(self->family);
	struct name bad = n;

	bad.un.sun_family = AF_INET;
	EXPECT_EQ(-EINVAL, say_to(s, "x", &bad));
	EXPECT_EQ(-EINVAL, xconnect(s, &bad));
	bad.un.sun_family = AF_UNSPEC;
	EXPECT_EQ(-EINVAL, say_to(s, "x", &bad));
	bad = n;
	bad.len = 1;
	EXPECT_EQ(-EINVAL, say_to(s, "x", &bad));
	EXPECT_EQ(-EINVAL, xconnect(s, &bad));
	bad.len = 2;
	EXPECT_EQ(-EINVAL, say_to(s, "x", &bad));
	EXPECT_EQ(-EINVAL, xconnect(s, &bad));
	bad.len = sizeof(struct sockaddr_un) + 1;
	EXPECT_EQ(-EINVAL, say_to(s, "x", &bad));
	EXPECT_EQ(-EINVAL, xconnect(s, &bad));
	EXPECT_EQ(-EINVAL, rc(sendto(s, "x", 1, 0, &n.sa, 129)));
	EXPECT_EQ(-EFAULT, rc(sendto(s, "x", 1, 0, bad_ptr(), n.len)));
	EXPECT_EQ(-EFAULT, rc(connect(s, bad_ptr(), n.len)));
	/* No length, no address; no address, no length. */
	EXPECT_EQ(-ENOTCONN, rc(sendto(s, "x", 1, 0, &n.sa, 0)));
	EXPECT_EQ(-ENOTCONN, rc(sendto(s, "x", 1, 0, NULL, n.len)));
	EXPECT_EQ(-EINVAL, rc(connect(s, &n.sa, 0)));
	EXPECT_NO_MSG(r);
}

TEST_F(dgram, connected)
{
	BOUND(r, n, "r");
	BOUND(s, m, "s");
	struct name got;

	ASSERT_EQ(0, xconnect(s, &n));
	ASSERT_EQ(0, xgetpeername(s, &got));
	EXPECT_TRUE(same_name(&n, &got));
	/* It is not mutual. */
	EXPECT_EQ(-ENOTCONN, xgetpeername(r, &got));
	EXPECT_EQ(-ENOTCONN, say(r, "x"));

	EXPECT_EQ(1, say(s, "a"));
	EXPECT_EQ(1, rc(write(s, "b", 1)));
	EXPECT_EQ(1, rc(sendto(s, "c", 1, 0, NULL, 0)));
	EXPECT_MSG_FROM("a", &m, r);
	EXPECT_MSG_FROM("b", &m, r);
	EXPECT_MSG_FROM("c", &m, r);
	EXPECT_EQ(2, say_to(r, "re", &m));
	EXPECT_MSG_FROM("re", &n, s);
	EXPECT_NO_MSG(r);
}

/* An address given takes precedence over the peer, for that message. */
TEST_F(dgram, connected_sendto)
{
	BOUND(one, n1, "1");
	BOUND(two, n2, "2");
	int s = joined(self->family, SOCK_DGRAM, &n1);

	ASSERT_LE(0, s);
	EXPECT_EQ(1, say_to(s, "b", &n2));
	EXPECT_EQ(1, say(s, "a"));
	EXPECT_MSG("a", one);
	EXPECT_MSG("b", two);
	EXPECT_NO_MSG(one);
	EXPECT_NO_MSG(two);
	/* One that does not work leaves the association alone. */
	n2.len++;
	EXPECT_EQ(-ECONNREFUSED, say_to(s, "b", &n2));
	EXPECT_EQ(1, say(s, "c"));
	EXPECT_MSG("c", one);
}

/* Who is connected hears its peer and nobody else. */
TEST_F(dgram, filter)
{
	BOUND(r, n, "r");
	BOUND(peer, p, "p");
	int other = dgram(self->family);
	struct name got;

	ASSERT_EQ(0, xconnect(r, &p));
	EXPECT_EQ(-EPERM, say_to(other, "x", &n));
	EXPECT_EQ(-EPERM, xconnect(other, &n));
	EXPECT_EQ(-ENOTCONN, xgetpeername(other, &got));
	EXPECT_EQ(2, say_to(peer, "ok", &n));
	EXPECT_EQ(0, xconnect(peer, &n));
	EXPECT_EQ(2, say(peer, "ko"));
	EXPECT_MSG("ok", r);
	EXPECT_MSG("ko", r);
	EXPECT_NO_MSG(r);

	/* The filter came after the association: it does not spare it. */
	ASSERT_EQ(0, dissolve(r));
	ASSERT_EQ(0, xconnect(other, &n));
	ASSERT_EQ(0, xconnect(r, &p));
	EXPECT_EQ(-EPERM, say(other, "x"));
	ASSERT_EQ(0, dissolve(r));
	EXPECT_EQ(1, say(other, "y"));
	EXPECT_MSG("y", r);
}

/* The two of a pair have no names, and are out of reach. */
TEST_F(dgram, pair)
{
	struct name n = abstract_name(self->family, "n"), got;
	int s = dgram(self->family);

	EXPECT_EQ(1, say(self->fd[0], "a"));
	EXPECT_EQ(1, say(self->fd[1], "b"));
	EXPECT_MSG_FROM("a", NULL, self->fd[1]);
	EXPECT_MSG_FROM("b", NULL, self->fd[0]);
	ASSERT_EQ(0, xgetpeername(self->fd[0], &got));
	EXPECT_EQ(PATH_OFF, got.len);
	EXPECT_EQ(self->family, got.un.sun_family);

	ASSERT_EQ(0, xbind(self->fd[0], &n));
	EXPECT_EQ(-EPERM, say_to(s, "x", &n));
	EXPECT_EQ(1, say_to(self->fd[1], "c", &n));
	EXPECT_MSG_FROM("c", NULL, self->fd[0]);
	EXPECT_EQ(1, say(self->fd[0], "d"));
	EXPECT_MSG_FROM("d", &n, self->fd[1]);
	ASSERT_EQ(0, xgetpeername(self->fd[1], &got));
	EXPECT_TRUE(same_name(&n, &got));
}

TEST_F(dgram, dissolve)
{
	BOUND(r, n, "r");
	BOUND(s, m, "s");
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	struct name got;

	/* Nothing to dissolve is no error. */
	EXPECT_EQ(0, dissolve(s));
	ASSERT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(-EINVAL, rc(connect(s, &sa, 1)));
	EXPECT_EQ(1, say(s, "x"));
	EXPECT_EQ(0, rc(connect(s, &sa, 2)));
	EXPECT_EQ(-ENOTCONN, xgetpeername(s, &got));
	EXPECT_EQ(-ENOTCONN, say(s, "y"));
	/* The name stays, and what was sent. */
	ASSERT_EQ(0, xgetsockname(s, &got));
	EXPECT_TRUE(same_name(&m, &got));
	EXPECT_MSG_FROM("x", &m, r);
	EXPECT_NO_MSG(r);
	EXPECT_EQ(2, say_to(r, "to", &m));
	EXPECT_MSG("to", s);
	ASSERT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(1, say(s, "z"));
	EXPECT_MSG("z", r);
}

/* A new peer: what the old one sent is gone, and it is told so. */
TEST_F(dgram, reconnect_resets)
{
	BOUND(a, n, "a");
	BOUND(b, m, "b");
	BOUND(c, o, "c");
	char ch;

	ASSERT_EQ(0, xconnect(a, &m));
	ASSERT_EQ(0, xconnect(b, &n));
	EXPECT_EQ(1, say(b, "x"));
	ASSERT_EQ(0, xconnect(a, &o));
	EXPECT_NO_MSG(a);
	EXPECT_EQ(0, inq(a));
	EXPECT_EQ(POLLERR | POLL_W, poll_mask(b));
	EXPECT_EQ(POLL_W, poll_mask(a));
	/* Once, whoever asks. */
	EXPECT_EQ(-ECONNRESET, rc(recv(b, &ch, 1, MSG_DONTWAIT)));
	EXPECT_NO_MSG(b);
	EXPECT_EQ(POLL_W, poll_mask(b));
	EXPECT_EQ(-EPERM, say(b, "y"));
	EXPECT_EQ(1, say(a, "z"));
	EXPECT_MSG("z", c);
}

TEST_F(dgram, reset_told_to_sender)
{
	struct name n = abstract_name(self->family, "n");
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(1, say(b, "x"));
	ASSERT_EQ(0, dissolve(a));
	EXPECT_EQ(-ECONNRESET, say(b, "y"));
	/* Nobody else is connected to it: it may be sent to once more. */
	EXPECT_EQ(1, say(b, "z"));
	EXPECT_MSG("z", a);

	ASSERT_EQ(0, xbind(b, &n));
	ASSERT_EQ(0, xconnect(a, &n));
	EXPECT_EQ(1, say(b, "x"));
	ASSERT_EQ(0, dissolve(a));
	EXPECT_EQ(ECONNRESET, so_error(b));
	EXPECT_EQ(0, so_error(b));
	EXPECT_EQ(1, say(b, "z"));
	EXPECT_MSG("z", a);
}

/* Nothing lost, nothing told; nor to one who is not a peer. */
TEST_F(dgram, reconnect_without_loss)
{
	BOUND(a, n, "a");
	BOUND(b, m, "b");
	int s = dgram(self->family);

	/* The queue is empty. */
	ASSERT_EQ(0, xconnect(a, &m));
	ASSERT_EQ(0, xconnect(b, &n));
	ASSERT_EQ(0, dissolve(a));
	EXPECT_EQ(0, so_error(b));
	EXPECT_EQ(POLL_W, poll_mask(b));

	/* The first association loses nothing that came before it. */
	EXPECT_EQ(1, say_to(s, "1", &n));
	ASSERT_EQ(0, xconnect(a, &m));
	EXPECT_MSG("1", a);
	/* The same peer again: all stays. */
	EXPECT_EQ(1, say(b, "2"));
	ASSERT_EQ(0, xconnect(a, &m));
	EXPECT_EQ(0, so_error(b));
	EXPECT_MSG("2", a);

	/* The peer had turned away: a loss, but not its business. */
	EXPECT_EQ(1, say(b, "3"));
	ASSERT_EQ(0, dissolve(b));
	ASSERT_EQ(0, dissolve(a));
	EXPECT_NO_MSG(a);
	EXPECT_EQ(0, so_error(b));
}

/* What does not work changes nothing. */
TEST_F(dgram, failed_connect)
{
	BOUND(r, n, "r");
	BOUND(s, m, "s");
	struct name none = abstract_name(self->family, "none"), got;

	ASSERT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(2, say_to(r, "in", &m));
	EXPECT_EQ(-ECONNREFUSED, xconnect(s, &none));
	none = path_name(self->family, "none");
	EXPECT_EQ(-ENOENT, xconnect(s, &none));
	ASSERT_EQ(0, xgetpeername(s, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(3, say(s, "out"));
	EXPECT_MSG("in", s);
	EXPECT_MSG("out", r);
}

/* The peer is gone: told once, and then there is none. */
TEST_F(dgram, peer_closed)
{
	BOUND(r, n, "r");
	BOUND(s, m, "s");
	struct name got;

	ASSERT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(4, say_to(r, "last", &m));
	close(r);
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(s));
	EXPECT_MSG_FROM("last", &n, s);
	EXPECT_EQ(POLL_W, poll_mask(s));
	EXPECT_NO_MSG(s);
	ASSERT_EQ(0, xgetpeername(s, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(-ECONNREFUSED, say(s, "x"));
	EXPECT_EQ(-ENOTCONN, say(s, "x"));
	EXPECT_EQ(-ENOTCONN, xgetpeername(s, &got));
	EXPECT_EQ(0, so_error(s));

	/* Another one by that name is not the peer. */
	r = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_LE(0, r);
	EXPECT_EQ(-ENOTCONN, say(s, "x"));
	EXPECT_EQ(1, say_to(s, "y", &n));
	EXPECT_MSG("y", r);
}

/* Noticing it clears what was not read. */
TEST_F(dgram, peer_closed_purges)
{
	int a = self->fd[0];

	EXPECT_EQ(4, say(self->fd[1], "last"));
	close(self->fd[1]);
	EXPECT_EQ(4, inq(a));
	EXPECT_EQ(-ECONNREFUSED, say(a, "x"));
	EXPECT_NO_MSG(a);
	EXPECT_EQ(POLL_W, poll_mask(a));
}

/* What was sent outlives its sender, name and all. */
TEST_F(dgram, sender_closed)
{
	BOUND(r, n, "r");
	BOUND(s, m, "s");
	struct name p = path_name(self->family, "s");

	EXPECT_EQ(3, say_to(s, "one", &n));
	close(s);
	s = bound(self->family, SOCK_DGRAM, &p);
	EXPECT_EQ(3, say_to(s, "two", &n));
	close(s);
	unlink("s");
	EXPECT_MSG_FROM("one", &m, r);
	EXPECT_MSG_FROM("two", &p, r);
	EXPECT_NO_MSG(r);
	EXPECT_EQ(-ECONNREFUSED, say_to(r, "re", &m));
}

/* The address told is that of the time of receiving. */
TEST_F(dgram, sender_bound_later)
{
	BOUND(r, n, "r");
	struct name m = abstract_name(self->family, "m");
	int s = dgram(self->family);

	EXPECT_EQ(1, say_to(s, "x", &n));
	ASSERT_EQ(0, xbind(s, &m));
	EXPECT_MSG_FROM("x", &m, r);
}

TEST_F(dgram, self)
{
	BOUND(fd, n, "fd");
	int other = dgram(self->family);

	EXPECT_EQ(1, say_to(fd, "a", &n));
	EXPECT_MSG_FROM("a", &n, fd);
	ASSERT_EQ(0, xconnect(fd, &n));
	EXPECT_EQ(1, say(fd, "b"));
	EXPECT_MSG_FROM("b", &n, fd);
	EXPECT_EQ(-EPERM, say_to(other, "x", &n));
	EXPECT_EQ(-EPERM, xconnect(other, &n));
	EXPECT_EQ(1, say(fd, "c"));
	ASSERT_EQ(0, dissolve(fd));
	EXPECT_NO_MSG(fd);
	EXPECT_EQ(-ENOTCONN, say(fd, "d"));
	EXPECT_EQ(1, say_to(other, "x", &n));
	EXPECT_MSG("x", fd);
}

TEST_F(dgram, not_a_listener)
{
	BOUND(fd, n, "fd");

	EXPECT_EQ(-EOPNOTSUPP, rc(listen(fd, 1)));
	EXPECT_EQ(-EOPNOTSUPP, rc(listen(self->fd[0], 1)));
	EXPECT_EQ(-EOPNOTSUPP, rc(listen(dgram(self->family), 1)));
	EXPECT_EQ(-EOPNOTSUPP, rc(accept(fd, NULL, NULL)));
	EXPECT_EQ(-EOPNOTSUPP, rc(accept(self->fd[0], NULL, NULL)));
	EXPECT_EQ(0, getint(fd, SO_ACCEPTCONN));
}

/* Nobody answers for a datagram; a pair is another matter. */
TEST_F(dgram, credentials)
{
	BOUND(r, n, "r");
	int s = joined(self->family, SOCK_DGRAM, &n), i;
	struct ucred c;
	socklen_t len;

	ASSERT_LE(0, s);
	for (i = 0; i < 2; i++) {
		len = sizeof(c);
		ASSERT_EQ(0, rc(getsockopt(i ? r : s, SOL_SOCKET, SO_PEERCRED,
					   &c, &len)));
		EXPECT_EQ(0, c.pid);
		EXPECT_EQ((uid_t)-1, c.uid);
		EXPECT_EQ((gid_t)-1, c.gid);
		len = sizeof(c);
		ASSERT_EQ(0, rc(getsockopt(self->fd[i], SOL_SOCKET, SO_PEERCRED,
					   &c, &len)));
		EXPECT_EQ(getpid(), c.pid);
		EXPECT_EQ(geteuid(), c.uid);
		EXPECT_EQ(getegid(), c.gid);
	}
}

TEST_F(dgram, oob)
{
	char ch;

	EXPECT_EQ(-EOPNOTSUPP, rc(send(self->fd[0], "x", 1, MSG_OOB)));
	EXPECT_EQ(-EOPNOTSUPP, rc(recv(self->fd[1], &ch, 1, MSG_OOB)));
	EXPECT_NO_MSG(self->fd[1]);
}

TEST_HARNESS_MAIN
