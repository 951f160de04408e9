/* SPDX-License-Identifier: GPL-2.0 */
/* A ring of requests, and one completion after another. */
#ifndef AF_RUNIX_URING_H
#define AF_RUNIX_URING_H

#include "packet.h"

#include <linux/io_uring.h>
#include <linux/time_types.h>

/* Newer than some headers; the numbers are the kernel's interface. */
#define OP_URING_CMD	46
#define OP_SEND_ZC	47
#define OP_BIND		56
#define OP_LISTEN	57
#define SOCK_CMD_INQ	0
#define SOCK_CMD_OUTQ	1

struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int queued;
};

static struct ring ring;

static inline int ring_init(void)
{
	struct io_uring_params p = {};
	char *sq, *cq;

	ring.fd = syscall(__NR_io_uring_setup, 16, &p);
	if (ring.fd < 0)
		return -errno;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(int),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_CQ_RING);
	ring.sqes = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe),
			 PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || ring.sqes == MAP_FAILED)
		return -errno;
	ring.sq_tail = (void *)(sq + p.sq_off.tail);
	ring.sq_mask = (void *)(sq + p.sq_off.ring_mask);
	ring.sq_array = (void *)(sq + p.sq_off.array);
	ring.cq_head = (void *)(cq + p.cq_off.head);
	ring.cq_tail = (void *)(cq + p.cq_off.tail);
	ring.cq_mask = (void *)(cq + p.cq_off.ring_mask);
	ring.cqes = (void *)(cq + p.cq_off.cqes);
	return 0;
}

#define RING_OR_SKIP()							\
do {									\
	int __err = ring_init();					\
									\
	if (__err == -ENOSYS || __err == -EPERM)			\
		SKIP(return, "io_uring is not available here");		\
	ASSERT_EQ(0, __err);						\
} while (0)

/* A new request, told from the others by @id. */
static inline struct io_uring_sqe *request(int op, int fd, const void *addr,
				    unsigned int len, uint64_t id)
{
	unsigned int tail = *ring.sq_tail, i = tail & *ring.sq_mask;
	struct io_uring_sqe *sqe = &ring.sqes[i];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)addr;
	sqe->len = len;
	sqe->user_data = id;
	ring.sq_array[i] = i;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	ring.queued++;
	return sqe;
}

static inline int enter(unsigned int wait)
{
	unsigned int n = ring.queued;

	ring.queued = 0;
	return rc(syscall(__NR_io_uring_enter, ring.fd, n, wait,
			  IORING_ENTER_GETEVENTS, NULL, 0));
}

static inline bool completed(void)
{
	return *ring.cq_head != __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE);
}

struct done {
	uint64_t user_data;
	int res;
	unsigned int flags;
};

/* The next completion; waits for it, and submits what is queued. */
static inline struct done next(void)
{
	struct io_uring_cqe *cqe;
	struct done done;

	do {
		if (ring.queued)
			enter(0);
		while (!completed())
			enter(1);
		cqe = &ring.cqes[*ring.cq_head & *ring.cq_mask];
		done = (struct done) { cqe->user_data, cqe->res, cqe->flags };
		__atomic_store_n(ring.cq_head, *ring.cq_head + 1, __ATOMIC_RELEASE);
		/* That a buffer is free again is not an outcome. */
	} while (done.flags & IORING_CQE_F_NOTIF);
	return done;
}

/* Whether nothing is complete, now that what is queued was submitted. */
static inline bool pending(void)
{
	enter(0);
	usleep(10000);
	enter(0);
	return !completed();
}

#define EXPECT_DONE(_id, _res)						\
do {									\
	struct done __c = next();				\
									\
	EXPECT_EQ(_id, __c.user_data);					\
	EXPECT_EQ(_res, __c.res);					\
} while (0)

#ifndef IORING_RECVSEND_BUNDLE
#define IORING_RECVSEND_BUNDLE	(1U << 4)
#endif

/* Hands @nr buffers of @size bytes to the kernel, in a ring of group @group. */
static inline int provide(char *pool, int nr, int size, int group)
{
	struct io_uring_buf *buf = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct io_uring_buf_reg reg = { .ring_addr = (uintptr_t)buf,
					.ring_entries = 8, .bgid = group };
	int i, err;

	if (buf == MAP_FAILED)
		return -errno;
	err = rc(syscall(__NR_io_uring_register, ring.fd, IORING_REGISTER_PBUF_RING, &reg, 1));
	if (err)
		return err;
	for (i = 0; i < nr; i++) {
		buf[i].addr = (uintptr_t)(pool + i * size);
		buf[i].len = size;
		buf[i].bid = i;
	}
	/* Where the ring ends lies in what the first buffer does not use. */
	__atomic_store_n(&buf[0].resv, nr, __ATOMIC_RELEASE);
	return 0;
}

#endif /* AF_RUNIX_URING_H */
