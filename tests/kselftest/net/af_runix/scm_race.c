// SPDX-License-Identifier: GPL-2.0
/* Descriptors that arrive while a read is under way are not lost. */
#include "common.h"
#include <pthread.h>

FAMILY_FIXTURE(race_fd);

#define ROUNDS 5000
static char bulk[16384];
static int out, pass;
static volatile int sent;

static void *sender(void *arg)
{
	char c = 'x', cbuf[CMSG_SPACE(sizeof(int))];

	for (int i = 0; i < ROUNDS; i++) {
		struct iovec iov = { &c, 1 };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
				    .msg_control = cbuf, .msg_controllen = sizeof(cbuf) };
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);

		if (send(out, bulk, sizeof(bulk), 0) != sizeof(bulk))
			break;
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &pass, sizeof(int));
		if (sendmsg(out, &m, 0) != 1)
			break;
		sent++;
	}
	shutdown(out, SHUT_WR);
	return NULL;
}

TEST_F(race_fd, none_lost)
{
	int sv[2], got = 0, n;
	long bytes = 0;
	pthread_t t;

	ASSERT_EQ(0, socketpair(self->family, SOCK_STREAM, 0, sv));
	out = sv[0];
	sent = 0;
	pass = open("/dev/null", O_RDONLY);
	ASSERT_EQ(0, pthread_create(&t, NULL, sender, NULL));
	for (;;) {
		static char buf[131072];
		char cbuf[CMSG_SPACE(8 * sizeof(int))];
		struct iovec iov = { buf, sizeof(buf) };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
				    .msg_control = cbuf, .msg_controllen = sizeof(cbuf) };

		n = recvmsg(sv[1], &m, 0);
		if (n <= 0)
			break;
		bytes += n;
		for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
			int k = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int), fds[8];

			memcpy(fds, CMSG_DATA(h), k * sizeof(int));
			for (int i = 0; i < k; i++)
				close(fds[i]);
			got += k;
		}
	}
	pthread_join(t, NULL);
	EXPECT_EQ(0, n);
	EXPECT_EQ((1L + sizeof(bulk)) * sent, bytes);
	EXPECT_EQ(sent, got);
	TH_LOG("sent %d, got %d", sent, got);
}

TEST_HARNESS_MAIN
