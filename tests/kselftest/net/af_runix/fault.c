// SPDX-License-Identifier: GPL-2.0
/*
 * Writes from memory that isn't there yet, or only in part: what arrives is
 * what was written, in order, whatever the kernel had queued when it found out.
 */
#include "scm.h"

#define PAGES	16
#define SIZE	(PAGES * 4096)

FAMILY_FIXTURE(fault);

static unsigned char want[SIZE], got[2 * SIZE];

/* A file of known bytes, from which memory is mapped that isn't present yet. */
static int make_file(void)
{
	int file = open("pages", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unsigned char page[4096];

	for (int i = 0; i < PAGES && file >= 0; i++) {
		for (int j = 0; j < 4096; j++)
			page[j] = i * 31 + j * 7 + j / 256;
		if (write(file, page, sizeof(page)) != sizeof(page))
			return -1;
	}
	return file;
}

/*
 * Maps the file: the first page is present, the others are not. The two kinds
 * of mapping keep the first fault from bringing in more.
 */
static unsigned char *map_cold(int file)
{
	unsigned char *p = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == MAP_FAILED ||
	    mmap(p + 4096, SIZE - 4096, PROT_READ, MAP_SHARED | MAP_FIXED, file, 4096) ==
		    MAP_FAILED)
		return NULL;
	*(volatile unsigned char *)p;
	return p;
}

/* Each size leaves the queue at another place of its first buffers. */
TEST_F(fault, write_behind_unread)
{
	static const size_t before[] = { 1, 100, 470, 480, 500, 2000, 4000, 4064, 4100, 8000 };
	static const size_t length[] = { 1, 40, 600, 3000, 4096, 5000, 9000, 20000 };
	int file = make_file();

	ASSERT_LE(0, file);
	for (size_t b = 0; b < sizeof(before) / sizeof(before[0]); b++) {
		for (size_t l = 0; l < sizeof(length) / sizeof(length[0]); l++) {
			unsigned char *warm = want;
			unsigned char *cold;
			size_t have = 0;

			for (size_t i = 0; i < before[b]; i++)
				warm[i] = i * 3 + 1;
			ASSERT_EQ((ssize_t)before[b], send(self->fd[0], warm, before[b], 0));
			cold = map_cold(file);
			ASSERT_NE(NULL, cold);
			ASSERT_EQ((ssize_t)length[l], send(self->fd[0], cold + 4000, length[l], 0));
			ASSERT_EQ(1, send(self->fd[0], "z", 1, 0));
			while (have < before[b] + length[l] + 1) {
				ssize_t n = recv(self->fd[1], got + have, sizeof(got) - have,
						 MSG_DONTWAIT);

				ASSERT_LT(0, n);
				have += n;
			}
			EXPECT_EQ(before[b] + length[l] + 1, have);
			EXPECT_EQ(0, memcmp(got, warm, before[b]));
			EXPECT_EQ(0, memcmp(got + before[b], cold + 4000, length[l]));
			EXPECT_EQ('z', got[have - 1]);
			/* An empty queue gives its buffers back: the next round starts anew. */
			EXPECT_EQ(-EAGAIN, rc(recv(self->fd[1], got, 1, MSG_DONTWAIT)));
			munmap(cold, SIZE);
		}
	}
	close(file);
}

/* A write that ends in memory that doesn't exist sends nothing of its piece. */
TEST_F(fault, write_past_the_end)
{
	unsigned char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p + 2 * 4096, 4096));
	memset(p, 'p', 2 * 4096);
	ASSERT_EQ(3, send(self->fd[0], "abc", 3, 0));
	EXPECT_EQ(-1, send(self->fd[0], p + 4096, 4097, 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(3, send(self->fd[0], "def", 3, 0));
	ASSERT_EQ(3, recv(self->fd[1], got, 3, MSG_DONTWAIT));
	EXPECT_EQ(0, memcmp(got, "abc", 3));
	EXPECT_EQ(3, recv(self->fd[1], got, sizeof(got), MSG_DONTWAIT));
	EXPECT_EQ(0, memcmp(got, "def", 3));
	munmap(p, 2 * 4096);
}

/* Reading into pages that aren't there yet loses nothing. */
TEST_F(fault, read_into_cold)
{
	unsigned char *to = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t have = 0;

	ASSERT_NE(MAP_FAILED, to);
	for (int i = 0; i < SIZE; i++)
		want[i] = i * 5 + i / 4096;
	for (int at = 0; at < SIZE; at += 4096) {
		ASSERT_EQ(4096, send(self->fd[0], want + at, 4096, MSG_DONTWAIT));
	}
	while (have < SIZE) {
		ssize_t n = recv(self->fd[1], to + have, SIZE - have, MSG_DONTWAIT);

		ASSERT_LT(0, n);
		have += n;
	}
	EXPECT_EQ(0, memcmp(to, want, SIZE));
	munmap(to, SIZE);
}

/*
 * Bytes that files came with go into pages that aren't there yet: all at once with the
 * files, looked at or taken.
 */
TEST_F(fault, files_into_cold)
{
	static const int flags[] = { MSG_PEEK | MSG_DONTWAIT, MSG_DONTWAIT };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), fd[MAX_FDS];

	ASSERT_LE(0, null);
	pat_fill(want, 0, 9000);
	ASSERT_EQ(1, send(self->fd[0], "<", 1, 0));
	ASSERT_EQ(1, recv(self->fd[1], got, 1, 0));
	for (int round = 0; round < 2; round++) {
		struct control c = {};

		ASSERT_EQ(9000, send_control(self->fd[0], want, 9000, 0, add_fds(&c, &null, 1)));
		ASSERT_EQ(1, send(self->fd[0], ">", 1, 0));
		for (int i = 0; i < 2; i++) {
			unsigned char *to = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
						 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			ASSERT_NE(MAP_FAILED, to);
			/* The second time the edge of a page is in the middle. */
			c.len = sizeof(c.buf);
			EXPECT_EQ(9000, recv_control(self->fd[1], to + round * 2000, 9500,
						     flags[i], &c));
			EXPECT_EQ(9000, pat_good(to + round * 2000, 0, 9000));
			ASSERT_EQ(1, get_fds(&c, fd));
			close(fd[0]);
			munmap(to, SIZE);
		}
		EXPECT_EQ(1, recv(self->fd[1], got, 9, MSG_DONTWAIT));
		EXPECT_EQ('>', got[0]);
	}
}

/*
 * Nor are bytes fewer because it is told who has sent them: as many as there are, though
 * the memory for the last of them isn't there yet.
 */
TEST_F(fault, told_into_cold)
{
	static const size_t length[] = { 600, 1000, 3000, 9000 };

	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	pat_fill(want, 0, sizeof(want));
	for (size_t l = 0; l < ARRAY_SIZE(length); l++) {
		unsigned char *to = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		size_t all = 100 + length[l];
		struct control c = { .len = sizeof(c.buf) };

		ASSERT_NE(MAP_FAILED, to);
		to[0] = 1;
		to += 4096 - 600;
		ASSERT_EQ(100, send(self->fd[0], want, 100, 0));
		ASSERT_EQ((ssize_t)length[l], send(self->fd[0], want + 100, length[l], 0));
		EXPECT_EQ((long)all, recv_control(self->fd[1], to, all + 500, MSG_DONTWAIT, &c));
		EXPECT_EQ(all, pat_good(to, 0, all));
		EXPECT_EQ(getpid(), get_creds(&c).pid);
		EXPECT_EQ(-EAGAIN, rc(recv(self->fd[1], got, sizeof(got), MSG_DONTWAIT)));
		munmap(to - (4096 - 600), SIZE);
	}
}

TEST_HARNESS_MAIN
