// SPDX-License-Identifier: GPL-2.0
/*
 * BPF programs and maps that meet sockets: filters, hooks of a control group, maps of
 * sockets. The programs are a few instructions each, written out.
 */

#include "packet.h"

#include <linux/bpf.h>

EVERY_FIXTURE(bpf);

#define CGROUPS		"/sys/fs/cgroup"

/* An option that no kernel has. */
#define NO_OPTION	0x7777

#define INSN(_code, _dst, _src, _off, _imm)				\
	((struct bpf_insn) { .code = _code, .dst_reg = _dst,		\
			     .src_reg = _src, .off = _off, .imm = _imm })
#define MOV_IMM(_dst, _imm)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, _dst, 0, 0, _imm)
#define MOV_REG(_dst, _src)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, _dst, _src, 0, 0)
#define ADD_IMM(_dst, _imm)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, _dst, 0, 0, _imm)
#define LOAD(_size, _dst, _src, _off)					\
	INSN(BPF_LDX | BPF_MEM | _size, _dst, _src, _off, 0)
#define STORE(_size, _dst, _off, _imm)					\
	INSN(BPF_ST | BPF_MEM | _size, _dst, 0, _off, _imm)
#define JUMP_NE(_dst, _imm, _over)					\
	INSN(BPF_JMP | BPF_JNE | BPF_K, _dst, 0, _over, _imm)
#define JUMP_GT(_dst, _src, _over)					\
	INSN(BPF_JMP | BPF_JGT | BPF_X, _dst, _src, _over, 0)
#define EXIT			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define OPTION(_field)		offsetof(struct bpf_sockopt, _field)

static long sys_bpf(int cmd, union bpf_attr *attr)
{
	return rc(syscall(SYS_bpf, cmd, attr, sizeof(*attr)));
}

static int load(int type, int attach, const struct bpf_insn *insn, int nr)
{
	union bpf_attr attr = {
		.prog_type = type,
		.expected_attach_type = attach,
		.insns = (uintptr_t)insn,
		.insn_cnt = nr,
		.license = (uintptr_t)"GPL",
	};

	return sys_bpf(BPF_PROG_LOAD, &attr);
}

#define LOAD_PROGRAM(_type, _attach, ...)				\
({									\
	const struct bpf_insn __insn[] = { __VA_ARGS__ };		\
									\
	load(_type, _attach, __insn, ARRAY_SIZE(__insn));		\
})

static int make_map(int type, int key, int value)
{
	union bpf_attr attr = { .map_type = type, .key_size = key,
				.value_size = value, .max_entries = 4 };

	return sys_bpf(BPF_MAP_CREATE, &attr);
}

static int put(int map, int key, int fd)
{
	union bpf_attr attr = { .map_fd = map, .key = (uintptr_t)&key,
				.value = (uintptr_t)&fd };

	return sys_bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

#define NEED(_fd, _what)						\
do {									\
	if ((_fd) < 0)							\
		SKIP(return, _what ": %s", strerror(-(_fd)));		\
} while (0)

/* --- filters ---------------------------------------------------------- */

/* What the program returns is how many bytes come in; a stream has no filter. */
TEST_F(bpf, filter)
{
	int none = LOAD_PROGRAM(BPF_PROG_TYPE_SOCKET_FILTER, 0, MOV_IMM(0, 0), EXIT);
	int three = LOAD_PROGRAM(BPF_PROG_TYPE_SOCKET_FILTER, 0, MOV_IMM(0, 3), EXIT);

	NEED(none, "no BPF programs");
	NEED(three, "no BPF programs");
	ASSERT_EQ(0, setint(self->fd[1], SO_ATTACH_BPF, three));
	EXPECT_EQ(5, say(self->fd[0], "hello"));
	EXPECT_MSG(self->type == SOCK_STREAM ? "hello" : "hel", self->fd[1]);
	ASSERT_EQ(0, setint(self->fd[1], SO_ATTACH_BPF, none));
	EXPECT_EQ(5, say(self->fd[0], "hello"));
	if (self->type == SOCK_STREAM)
		EXPECT_MSG("hello", self->fd[1]);
	EXPECT_NO_MSG(self->fd[1]);
	ASSERT_EQ(0, setint(self->fd[1], SO_DETACH_BPF, 0));
	EXPECT_EQ(-ENOENT, setint(self->fd[1], SO_DETACH_BPF, 0));
	EXPECT_EQ(5, say(self->fd[0], "again"));
	EXPECT_MSG("again", self->fd[1]);
	EXPECT_EQ(-EINVAL, setint(self->fd[1], SO_ATTACH_BPF, self->fd[0]));
	EXPECT_EQ(-EBADF, setint(self->fd[1], SO_ATTACH_BPF, -1));
}

/* --- maps of sockets -------------------------------------------------- */

/*
 * Streams and datagrams of AF_UNIX get in. Ours do not, as sequenced packets of either
 * family, and are none the worse for it.
 */
TEST_F(bpf, maps)
{
	struct name n = abstract_name(self->family, "n");
	int want = variant->runix || self->type == SOCK_SEQPACKET ? -EOPNOTSUPP : 0;
	int map = make_map(BPF_MAP_TYPE_SOCKMAP, 4, 4), l, i;
	int hash = make_map(BPF_MAP_TYPE_SOCKHASH, 4, 4);

	NEED(map, "no maps of sockets");
	NEED(hash, "no maps of sockets");
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(want, put(map, i, self->fd[i]));
		EXPECT_EQ(want, put(hash, i, self->fd[i]));
	}
	/* Nothing was there to be redirected to. */
	EXPECT_EQ(5, say(self->fd[0], "hello"));
	EXPECT_MSG("hello", self->fd[1]);
	EXPECT_EQ(5, say(self->fd[1], "there"));
	EXPECT_MSG("there", self->fd[0]);

	l = bound(self->family, self->type, &n);
	ASSERT_LE(0, l);
	if (self->type == SOCK_STREAM) {
		ASSERT_EQ(0, rc(listen(l, 1)));
		EXPECT_EQ(-EOPNOTSUPP, put(map, 2, l));
	}
	close(map);
	close(hash);
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_MSG("x", self->fd[1]);
}

/* --- hooks of a control group ------------------------------------------- */

struct group {
	char path[100];
	int fd;
};

static bool enter(const char *path)
{
	char file[120];
	int fd;
	bool done;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, "0", 1) == 1;
	close(fd);
	return done;
}

/* A control group with @prog at its hook; nobody is in it yet. */
static int make_group(struct group *g, int prog, int attach)
{
	union bpf_attr attr = { .attach_bpf_fd = prog, .attach_type = attach };
	int err;

	snprintf(g->path, sizeof(g->path), CGROUPS "/rx.%d", getpid());
	if (mkdir(g->path, 0755))
		return -errno;
	g->fd = open(g->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	attr.target_fd = g->fd;
	err = sys_bpf(BPF_PROG_ATTACH, &attr);
	if (err)
		rmdir(g->path);
	return err;
}

static int remove_group(struct group *g)
{
	close(g->fd);
	if (!enter(CGROUPS))
		return -ENOTEMPTY;
	return rc(rmdir(g->path));
}

/* A pair that belongs to the group, where the test returns to be outside. */
#define PAIR_IN(_g, _sv)						\
do {									\
	ASSERT_TRUE(enter((_g)->path));					\
	ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0, _sv)));	\
	ASSERT_TRUE(enter(CGROUPS));					\
} while (0)

/* The hook makes up an answer to an option that there is not. */
#define MAKES_UP_AN_OPTION						\
	MOV_REG(6, 1),							\
	LOAD(BPF_W, 2, 6, OPTION(level)),				\
	JUMP_NE(2, SOL_SOCKET, 11),					\
	LOAD(BPF_W, 2, 6, OPTION(optname)),				\
	JUMP_NE(2, NO_OPTION, 9),					\
	LOAD(BPF_DW, 2, 6, OPTION(optval)),				\
	LOAD(BPF_DW, 3, 6, OPTION(optval_end)),				\
	MOV_REG(4, 2),							\
	ADD_IMM(4, 4),							\
	JUMP_GT(4, 3, 4),						\
	STORE(BPF_W, 2, 0, 4711),					\
	MOV_IMM(5, 4),							\
	INSN(BPF_STX | BPF_MEM | BPF_W, 6, 5, OPTION(optlen), 0),	\
	STORE(BPF_W, 6, OPTION(retval), 0),				\
	MOV_IMM(0, 1),							\
	EXIT

TEST_F(bpf, getsockopt)
{
	int prog = LOAD_PROGRAM(BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT,
				MAKES_UP_AN_OPTION);
	struct group g;
	int sv[2], err;

	NEED(prog, "no programs for options");
	err = make_group(&g, prog, BPF_CGROUP_GETSOCKOPT);
	NEED(err, "no hooks in control groups");
	PAIR_IN(&g, sv);
	EXPECT_EQ(4711, getint(sv[0], NO_OPTION));
	EXPECT_EQ(4711, getint(sv[1], NO_OPTION));
	EXPECT_EQ(self->type, getint(sv[0], SO_TYPE));
	/* Those made outside do not ask. */
	EXPECT_EQ(-ENOPROTOOPT, getint(self->fd[0], NO_OPTION));
	EXPECT_EQ(0, remove_group(&g));
}

/* What is accepted belongs to the group of who connected. */
TEST_F(bpf, accepted)
{
	int prog = LOAD_PROGRAM(BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT,
				MAKES_UP_AN_OPTION);
	struct name n = abstract_name(self->family, "n");
	int l, c, s, err;
	struct group g;

	NEED(prog, "no programs for options");
	l = bound(self->family, self->type, &n);
	ASSERT_LE(0, l);
	if (self->type == SOCK_DGRAM) {
		EXPECT_EQ(-EOPNOTSUPP, rc(accept(l, NULL, NULL)));
		return;
	}
	ASSERT_EQ(0, rc(listen(l, 4)));
	err = make_group(&g, prog, BPF_CGROUP_GETSOCKOPT);
	NEED(err, "no hooks in control groups");
	ASSERT_TRUE(enter(g.path));
	c = joined(self->family, self->type, &n);
	ASSERT_TRUE(enter(CGROUPS));
	s = rc(accept(l, NULL, NULL));
	EXPECT_EQ(-ENOPROTOOPT, getint(l, NO_OPTION));
	EXPECT_EQ(4711, getint(c, NO_OPTION));
	EXPECT_EQ(4711, getint(s, NO_OPTION));

	c = joined(self->family, self->type, &n);
	ASSERT_TRUE(enter(g.path));
	s = rc(accept(l, NULL, NULL));
	EXPECT_EQ(-ENOPROTOOPT, getint(s, NO_OPTION));
	EXPECT_EQ(0, remove_group(&g));
}

/* The hook refuses one option and leaves the others alone. */
TEST_F(bpf, setsockopt)
{
	int prog = LOAD_PROGRAM(BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT,
		MOV_IMM(0, 1),
		LOAD(BPF_W, 2, 1, OPTION(level)),
		JUMP_NE(2, SOL_SOCKET, 3),
		LOAD(BPF_W, 2, 1, OPTION(optname)),
		JUMP_NE(2, SO_PASSCRED, 1),
		MOV_IMM(0, 0),
		EXIT);
	struct group g;
	int sv[2], err;

	NEED(prog, "no programs for options");
	err = make_group(&g, prog, BPF_CGROUP_SETSOCKOPT);
	NEED(err, "no hooks in control groups");
	PAIR_IN(&g, sv);
	EXPECT_EQ(-EPERM, setint(sv[0], SO_PASSCRED, 1));
	EXPECT_EQ(0, setint(sv[0], SO_REUSEADDR, 1));
	EXPECT_EQ(1, getint(sv[0], SO_REUSEADDR));
	EXPECT_EQ(0, setint(self->fd[0], SO_PASSCRED, 1));
	EXPECT_EQ(0, remove_group(&g));
}

/* Hooks of AF_UNIX addresses are called for AF_UNIX alone: there, this one refuses. */
TEST_F(bpf, addresses)
{
	int prog = LOAD_PROGRAM(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UNIX_CONNECT,
				MOV_IMM(0, 0), EXIT);
	struct name n = abstract_name(self->family, "n");
	int l, c, err;
	struct group g;

	NEED(prog, "no programs for addresses");
	err = make_group(&g, prog, BPF_CGROUP_UNIX_CONNECT);
	NEED(err, "no hooks in control groups");
	l = bound(self->family, self->type, &n);
	ASSERT_LE(0, l);
	if (self->type != SOCK_DGRAM)
		ASSERT_EQ(0, rc(listen(l, 4)));
	ASSERT_TRUE(enter(g.path));
	c = joined(self->family, self->type, &n);
	EXPECT_EQ(self->family == AF_UNIX ? -EPERM : 0, c < 0 ? c : 0);
	ASSERT_TRUE(enter(CGROUPS));
	EXPECT_LE(0, joined(self->family, self->type, &n));
	EXPECT_EQ(0, remove_group(&g));
}

TEST_HARNESS_MAIN
