// SPDX-License-Identifier: GPL-2.0
/*
 * Messages have times of their own: who asks for them doesn't have the machine take the
 * time of each packet that comes by the network.
 */

#include "packet.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>

EVERY_FIXTURE(netstamp);

#define FRAME	2048
#define FRAMES	8

/* Sees the packets of the loopback device, and which of them have a time. */
struct sniffer {
	char *ring;
	int fd, udp, to;
	struct sockaddr_in addr;
};

static struct tpacket2_hdr *frame(struct sniffer *s, int i)
{
	return (struct tpacket2_hdr *)(s->ring + i * FRAME);
}

static int sniff(struct sniffer *s)
{
	struct sockaddr_ll lo = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex("lo"),
	};
	struct tpacket_req req = {
		.tp_block_size = FRAME * FRAMES, .tp_block_nr = 1, .tp_frame_size = FRAME, .tp_frame_nr = FRAMES,
	};
	int version = TPACKET_V2, clock = SOF_TIMESTAMPING_SOFTWARE;
	socklen_t len = sizeof(s->addr);

	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (s->fd < 0 ||
	    setsockopt(s->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(s->fd, SOL_PACKET, PACKET_TIMESTAMP, &clock, sizeof(clock)) ||
	    setsockopt(s->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) ||
	    bind(s->fd, (struct sockaddr *)&lo, sizeof(lo)))
		return -errno;
	s->ring = mmap(NULL, FRAME * FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (s->ring == MAP_FAILED)
		return -errno;
	s->addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	s->to = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->to < 0 || s->udp < 0 || bind(s->to, (struct sockaddr *)&s->addr, sizeof(s->addr)) ||
	    getsockname(s->to, (struct sockaddr *)&s->addr, &len))
		return -errno;
	return 0;
}

/* Whether a packet that is sent now has a time when it arrives. */
static int stamped(struct sniffer *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int i, found = -ENODATA;
	char ch;

	if (sendto(s->udp, "x", 1, 0, (struct sockaddr *)&s->addr, sizeof(s->addr)) != 1 ||
	    recv(s->to, &ch, 1, 0) != 1)
		return -errno;
	poll(&p, 1, 1000);
	for (i = 0; i < FRAMES; i++) {
		if (!(frame(s, i)->tp_status & TP_STATUS_USER))
			continue;
		found = found == 1 || frame(s, i)->tp_status & TP_STATUS_TS_SOFTWARE;
		frame(s, i)->tp_status = TP_STATUS_KERNEL;
	}
	return found;
}

/* It is switched on and off a moment later. */
static int stamped_soon(struct sniffer *s, int want)
{
	int i, is;

	for (i = 0; i < 100; i++) {
		is = stamped(s);
		if (is < 0 || is == want)
			return is;
		usleep(20000);
	}
	return is;
}

TEST_F(netstamp, left_alone)
{
	static const int option[][2] = {
		{ SO_TIMESTAMP, 1 }, { SO_TIMESTAMPNS, 1 },
		{ SO_TIMESTAMPING, SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE },
	};
	struct sniffer s;
	int inet, fd;
	size_t i;

	if (!runix_required())
		SKIP(return, "others may have it switched on");
	i = -sniff(&s);
	if (i == EAFNOSUPPORT)
		SKIP(return, "no packet sockets here");
	ASSERT_EQ(0, i);
	ASSERT_EQ(0, stamped_soon(&s, 0));
	for (i = 0; i < ARRAY_SIZE(option); i++) {
		fd = socket(self->family, self->type | SOCK_CLOEXEC, 0);
		ASSERT_EQ(0, setint(fd, option[i][0], option[i][1]));
		usleep(50000);
		EXPECT_EQ(0, stamped(&s)) TH_LOG("option %d", option[i][0]);
		/* Nor when it is asked for once more, or no longer. */
		ASSERT_EQ(0, setint(fd, option[i][0], 0));
		ASSERT_EQ(0, setint(fd, option[i][0], option[i][1]));
		usleep(50000);
		EXPECT_EQ(0, stamped(&s)) TH_LOG("option %d", option[i][0]);
		close(fd);
	}

	/* For a socket of the network it is, and not less when one of ours goes. */
	inet = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, setint(inet, SO_TIMESTAMP, 1));
	EXPECT_EQ(1, stamped_soon(&s, 1));
	for (i = 0; i < ARRAY_SIZE(option); i++) {
		fd = socket(self->family, self->type | SOCK_CLOEXEC, 0);
		ASSERT_EQ(0, setint(fd, option[i][0], option[i][1]));
		close(fd);
	}
	usleep(50000);
	EXPECT_EQ(1, stamped(&s));
	close(inet);
	EXPECT_EQ(0, stamped_soon(&s, 0));
}

TEST_HARNESS_MAIN
