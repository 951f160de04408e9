// SPDX-License-Identifier: GPL-2.0
/*
 * The options that the kernel gives to AF_UNIX by its number: set as there, and
 * asked for at SOL_RUNIX as there at SOL_SOCKET.
 */

#include <sys/utsname.h>
#include "scm.h"

EVERY_FIXTURE(options);

static const struct option {
	const char *name;
	int so, own;
	int first;		/* the value of a new socket */
	bool flag;		/* any number but nought is yes */
	bool told;		/* by AF_UNIX, too */
	bool stream;		/* of streams alone */
	int (*set)(int fd, int value);
	int (*get)(int fd, int *value);
} options[] = {
	{ "PASSCRED", SO_PASSCRED, RUNIX_PASSCRED, 0, true, true, false,
	  runix_set_passcred, runix_get_passcred },
	{ "PASSSEC", SO_PASSSEC, RUNIX_PASSSEC, 0, true, true, false,
	  runix_set_passsec, runix_get_passsec },
	{ "PASSPIDFD", SO_PASSPIDFD, RUNIX_PASSPIDFD, 0, true, true, false,
	  runix_set_passpidfd, runix_get_passpidfd },
	{ "PASSRIGHTS", SO_PASSRIGHTS, RUNIX_PASSRIGHTS, 1, true, true, false,
	  runix_set_passrights, runix_get_passrights },
	{ "RIGHTS_NOTRUNC", SO_RIGHTS_NOTRUNC, RUNIX_RIGHTS_NOTRUNC, 0, false, false,
	  false, runix_set_rights_notrunc, runix_get_rights_notrunc },
	{ "INQ", SO_INQ, RUNIX_INQ, 0, false, false, true,
	  runix_set_inq, runix_get_inq },
};

#define EACH(_o)							\
	for (const struct option *_o = options;				\
	     _o < options + sizeof(options) / sizeof(options[0]); _o++)

/* Not every kernel, nor every type, has each: then both families say so. */
static bool has(int type, const struct option *o)
{
	int fd = socket(AF_UNIX, type, 0);
	bool does = setint(fd, o->so, o->first) == 0;

	close(fd);
	return does;
}

static int ask(int family, int fd, const struct option *o, void *value, void *len)
{
	if (family == AF_UNIX)
		return rc(getsockopt(fd, SOL_SOCKET, o->so, value, len));
	return rc(getsockopt(fd, SOL_RUNIX, o->own, value, len));
}

static int value_of(int fd, const struct option *o)
{
	int value = -1;

	return o->get(fd, &value) ? -errno : value;
}

#define EXPECT_VALUE(_want, _fd, _o)					\
do {									\
	if ((_o)->told || self->family != AF_UNIX)			\
		EXPECT_EQ(_want, value_of(_fd, _o)) TH_LOG("%s", (_o)->name);\
} while (0)

TEST_F(options, values)
{
	int fd = self->fd[0];

	EACH(o) {
		if (!has(self->type, o))
			continue;
		EXPECT_VALUE(o->first, fd, o);
		EXPECT_EQ(0, o->set(fd, !o->first)) TH_LOG("%s", o->name);
		EXPECT_VALUE(!o->first, fd, o);
		EXPECT_EQ(0, o->set(fd, o->first));
		EXPECT_VALUE(o->first, fd, o);
		EXPECT_EQ(0, o->set(fd, 1));
		EXPECT_VALUE(1, fd, o);
		/* Those of the other end are its own. */
		EXPECT_VALUE(o->first, self->fd[1], o);
	}
	EACH(o)
		if (has(self->type, o))
			EXPECT_VALUE(1, fd, o);
}

TEST_F(options, numbers)
{
	int fd = self->fd[0];

	EACH(o) {
		if (!has(self->type, o))
			continue;
		EXPECT_EQ(o->flag ? 0 : -EINVAL, setint(fd, o->so, -7)) TH_LOG("%s", o->name);
		EXPECT_EQ(o->flag ? 0 : -EINVAL, setint(fd, o->so, 2));
		EXPECT_VALUE(o->flag ? 1 : o->first, fd, o);
		EXPECT_EQ(0, setint(fd, o->so, 0));
		EXPECT_VALUE(0, fd, o);
	}
}

/* What one type, or the kernel, hasn't got. */
/* AF_UNIX looks at the length of a stream's option, whatever the socket, since 7.3. */
static bool looks_at_length_first(int family)
{
	struct utsname name;

	return family != AF_UNIX || (!uname(&name) && strverscmp(name.release, "7.3") >= 0);
}

TEST_F(options, not_there)
{
	bool length_first = looks_at_length_first(self->family);
	int fd = self->fd[0];

	EACH(o) {
		/* Kernels without security modules have no labels. */
		int want = o->so == SO_PASSSEC ? -EOPNOTSUPP : -ENOPROTOOPT;

		if (has(self->type, o))
			continue;
		EXPECT_EQ(want, setint(fd, o->so, 1)) TH_LOG("%s", o->name);
		EXPECT_EQ(want, setint(fd, o->so, 7));
		EXPECT_EQ(length_first && o->stream && has(SOCK_STREAM, o) ? -EINVAL : want,
			  rc(setsockopt(fd, SOL_SOCKET, o->so, &(int [2]) {}, 8)));
		EXPECT_EQ(-EFAULT, rc(setsockopt(fd, SOL_SOCKET, o->so, bad_ptr(), 4)));
		EXPECT_EQ(want, value_of(fd, o));
	}
}

TEST_F(options, set_arguments)
{
	static const int len[] = { 0, 3, 4, 5, 8, 100 };
	char buf[100] = {};
	int fd = self->fd[0], i;

	EACH(o) {
		if (!has(self->type, o))
			continue;
		for (i = 0; i < (int)(sizeof(len) / sizeof(len[0])); i++) {
			EXPECT_EQ(len[i] == 4 || (o->flag && len[i] > 4) ? 0 : -EINVAL,
				  rc(setsockopt(fd, SOL_SOCKET, o->so, buf, len[i])))
				TH_LOG("%s: %d", o->name, len[i]);
		}
		EXPECT_EQ(-EINVAL, rc(setsockopt(fd, SOL_SOCKET, o->so, buf, -1)));
		EXPECT_EQ(-EINVAL, rc(setsockopt(fd, SOL_SOCKET, o->so, bad_ptr(), 3)));
		EXPECT_EQ(-EFAULT, rc(setsockopt(fd, SOL_SOCKET, o->so, bad_ptr(), 4)));
		EXPECT_EQ(-EFAULT, rc(setsockopt(fd, SOL_SOCKET, o->so,
						 guard_page() - 3, 4)));
	}
}

TEST_F(options, get_arguments)
{
	int fd = self->fd[0], value, i;
	socklen_t len;

	EACH(o) {
		if (!has(self->type, o) || (self->family == AF_UNIX && !o->told))
			continue;
		ASSERT_EQ(0, o->set(fd, 1));
		/* Cut to the room there is. */
		for (i = 0; i < 8; i++) {
			long got[2] = { -1, -1 };
			long want[2] = { -1, -1 };

			value = 1;
			memcpy(want, &value, i < 4 ? i : 4);
			len = i;
			EXPECT_EQ(0, ask(self->family, fd, o, got, &len));
			EXPECT_EQ(i < 4 ? i : 4, (int)len);
			EXPECT_EQ(0, memcmp(want, got, sizeof(got))) TH_LOG("%s: %d", o->name, i);
		}
		len = -1;
		EXPECT_EQ(-EINVAL, ask(self->family, fd, o, &value, &len));
		EXPECT_EQ(-1, (int)len);
		len = 4;
		EXPECT_EQ(-EFAULT, ask(self->family, fd, o, bad_ptr(), &len));
		EXPECT_EQ(4, len);
		EXPECT_EQ(-EFAULT, ask(self->family, fd, o, guard_page() - 3, &len));
		EXPECT_EQ(-EFAULT, ask(self->family, fd, o, &value, bad_ptr()));
		EXPECT_EQ(-EFAULT, ask(self->family, fd, o, &value, NULL));
		len = 0;
		EXPECT_EQ(0, ask(self->family, fd, o, bad_ptr(), &len));
	}
}

static int unknown(int family, int fd, int name, void *value, void *len)
{
	return rc(getsockopt(fd, family == AF_UNIX ? SOL_SOCKET : SOL_RUNIX,
			     family == AF_UNIX ? 9000 + name : name, value, len));
}

TEST_F(options, unknown)
{
	int fd = self->fd[0], level = self->family == AF_UNIX ? SOL_SOCKET : SOL_RUNIX;
	static const int name[] = { 0, -1, 100, 9999, 0x7fffffff };
	int value = 1, i;
	socklen_t len;

	for (i = 0; i < (int)(sizeof(name) / sizeof(name[0])); i++) {
		int so = level == SOL_SOCKET ? 9000 + i : name[i];

		len = 4;
		EXPECT_EQ(-ENOPROTOOPT, unknown(self->family, fd, so, &value, &len));
		EXPECT_EQ(-ENOPROTOOPT, unknown(self->family, fd, so, bad_ptr(), &len));
		EXPECT_EQ(4, len);
		EXPECT_EQ(-EFAULT, unknown(self->family, fd, so, &value, bad_ptr()));
		len = -1;
		EXPECT_EQ(-EINVAL, unknown(self->family, fd, so, &value, &len));
		EXPECT_EQ(-ENOPROTOOPT, rc(setsockopt(fd, level, so, &value, 4)));
		EXPECT_EQ(-EINVAL, rc(setsockopt(fd, level, so, &value, 3)));
		EXPECT_EQ(-EFAULT, rc(setsockopt(fd, level, so, bad_ptr(), 4)));
	}
}

/* Levels of others: nothing is read and nothing written. */
TEST_F(options, other_levels)
{
	static const int level[] = { 0, 6, 41, SOL_RUNIX - 1, SOL_RUNIX + 1, -1 };
	int i;

	for (i = 0; i < (int)(sizeof(level) / sizeof(level[0])); i++) {
		EXPECT_EQ(-EOPNOTSUPP, rc(getsockopt(self->fd[0], level[i], RUNIX_PASSCRED,
						     bad_ptr(), bad_ptr())));
		EXPECT_EQ(-EOPNOTSUPP, rc(setsockopt(self->fd[0], level[i], RUNIX_PASSCRED,
						     bad_ptr(), 4)));
	}
}

/* The family's own level takes what SOL_SOCKET takes. AF_UNIX has no such level. */
TEST_F(options, own_level)
{
	int fd = self->fd[0], value, want;

	EACH(o) {
		for (value = -1; value < 3; value++) {
			want = self->family == AF_UNIX ? -EOPNOTSUPP : setint(self->fd[1], o->so, value);
			EXPECT_EQ(want, rc(setsockopt(fd, SOL_RUNIX, o->own, &value, 4)))
				TH_LOG("%s: %d", o->name, value);
			if (self->family == AF_UNIX)
				continue;
			EXPECT_EQ(value_of(self->fd[1], o), value_of(fd, o));
		}
	}
	value = 1;
	want = self->family == AF_UNIX ? -EOPNOTSUPP : -ENOPROTOOPT;
	EXPECT_EQ(want, rc(setsockopt(fd, SOL_RUNIX, RUNIX_PEERPIDFD, &value, 4)));
	EXPECT_EQ(-ENOPROTOOPT, setint(fd, SO_PEERPIDFD, 1));
}

/* A connection has what the listener had when it was made. */
TEST_F(options, inherited)
{
	struct name n = abstract_name(self->family, "n");
	int l, a, before;

	l = bound(self->family, self->type, &n);
	ASSERT_LE(0, l);
	if (self->type == SOCK_DGRAM) {
		EXPECT_EQ(-EOPNOTSUPP, rc(listen(l, 4)));
		return;
	}
	ASSERT_EQ(0, rc(listen(l, 4)));
	before = joined(self->family, self->type, &n);
	ASSERT_LE(0, before);
	EACH(o)
		if (has(self->type, o))
			ASSERT_EQ(0, o->set(l, !o->first));
	ASSERT_LE(0, joined(self->family, self->type, &n));
	a = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, a);
	EACH(o)
		if (has(self->type, o))
			EXPECT_VALUE(o->first, a, o);
	EACH(o)
		if (has(self->type, o))
			ASSERT_EQ(0, o->set(l, o->first));
	a = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, a);
	/* But SO_INQ is the listener's alone. */
	EACH(o)
		if (has(self->type, o))
			EXPECT_VALUE(o->so == SO_INQ ? o->first : !o->first, a, o);
	/* The client's are its own. */
	EACH(o)
		if (has(self->type, o))
			EXPECT_VALUE(o->first, before, o);
}

TEST_HARNESS_MAIN
