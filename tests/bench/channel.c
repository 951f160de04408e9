// SPDX-License-Identifier: GPL-2.0
/* Channels of every kind, and names to bind to. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

/* --- a ring in shared memory: what two processes can do without a kernel --- */

#define RING_SIZE	(256u << 10)

struct ring {
	/* Counters that only grow; a sleeper waits on the other side's counter. */
	_Atomic uint32_t head __attribute__((aligned(64)));
	_Atomic uint32_t reader_sleeps;
	_Atomic uint32_t tail __attribute__((aligned(64)));
	_Atomic uint32_t writer_sleeps;
	char data[RING_SIZE] __attribute__((aligned(64)));
};

static void futex_sleep(_Atomic uint32_t *word, uint32_t seen)
{
	syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void ring_put(struct ring *ring, const char *buf, size_t size)
{
	while (size) {
		uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
		uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
		uint32_t free = RING_SIZE - (head - tail);
		uint32_t at = head % RING_SIZE, n = size, first;

		if (!free) {
			atomic_store(&ring->writer_sleeps, 1);
			if (atomic_load(&ring->tail) == tail)
				futex_sleep(&ring->tail, tail);
			atomic_store_explicit(&ring->writer_sleeps, 0, memory_order_relaxed);
			continue;
		}
		if (n > free)
			n = free;
		first = n < RING_SIZE - at ? n : RING_SIZE - at;
		memcpy(ring->data + at, buf, first);
		memcpy(ring->data, buf + first, n - first);
		atomic_store(&ring->head, head + n);
		if (atomic_load(&ring->reader_sleeps)) {
			atomic_store_explicit(&ring->reader_sleeps, 0, memory_order_relaxed);
			futex_wake(&ring->head);
		}
		buf += n;
		size -= n;
	}
}

static size_t ring_get(struct ring *ring, char *buf, size_t size)
{
	for (;;) {
		uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
		uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
		uint32_t used = head - tail;
		uint32_t at = tail % RING_SIZE, n = size, first;

		if (!used) {
			atomic_store(&ring->reader_sleeps, 1);
			if (atomic_load(&ring->head) == head)
				futex_sleep(&ring->head, head);
			atomic_store_explicit(&ring->reader_sleeps, 0, memory_order_relaxed);
			continue;
		}
		if (n > used)
			n = used;
		first = n < RING_SIZE - at ? n : RING_SIZE - at;
		memcpy(buf, ring->data + at, first);
		memcpy(buf + first, ring->data, n - first);
		atomic_store(&ring->tail, tail + n);
		/* Like the kernel's streams: half of it free before the writer runs again. */
		if (used - n <= RING_SIZE / 2 && atomic_load(&ring->writer_sleeps)) {
			atomic_store_explicit(&ring->writer_sleeps, 0, memory_order_relaxed);
			futex_wake(&ring->tail);
		}
		return n;
	}
}

static struct ring *ring_new(void)
{
	void *ring = mmap(NULL, sizeof(struct ring), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (ring == MAP_FAILED)
		fail_job("mmap");
	return ring;
}

/* --- opening --- */

struct name tcp_name(void)
{
	struct name name = { .len = sizeof(struct sockaddr_in) };
	struct sockaddr_in *in = (struct sockaddr_in *)&name.storage;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return name;
}

struct name path_name(struct job *job, const char *tail)
{
	struct name name = { .un.family = job->subject->family };

	snprintf(name.un.path, sizeof(name.un.path), "/tmp/bench-%s-%d-%s",
		 job->subject->name, getpid(), tail);
	name.len = offsetof(struct sockaddr_storage, ss_family) + sizeof(sa_family_t) +
		   strlen(name.un.path) + 1;
	return name;
}

struct name abstract_name(struct job *job, const char *tail)
{
	struct name name = path_name(job, tail);

	name.un.path[0] = '\0';
	name.len--;
	return name;
}

int open_socket(struct job *job)
{
	int fd, one = 1;

	if (job->subject->kind == KIND_TCP) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd >= 0)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	} else {
		fd = socket(job->subject->family, job->type, 0);
	}
	if (fd < 0)
		give_up("socket");
	return fd;
}

/* Room for a message of `size` bytes, which the default buffers may not have. */
void raise_buffers(int fd, size_t size)
{
	int bytes = 2 * size + 65536;

	if (size <= 65536)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		skip_job("SO_SNDBUFFORCE: %s", strerror(errno));
}

static void open_tcp_pair(struct job *job, int fd[2])
{
	struct name name = tcp_name();
	int listener = open_socket(job), one = 1;

	if (bind(listener, &name.sa, name.len) || listen(listener, 1) ||
	    getsockname(listener, &name.sa, &name.len))
		fail_job("listen on 127.0.0.1");
	fd[0] = open_socket(job);
	if (connect(fd[0], &name.sa, name.len))
		fail_job("connect to 127.0.0.1");
	fd[1] = accept(listener, NULL, NULL);
	if (fd[1] < 0)
		fail_job("accept on 127.0.0.1");
	setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	close(listener);
}

void open_pair(struct job *job)
{
	struct end *a = &job->a, *b = &job->b;
	int there[2], back[2];

	a->kind = b->kind = job->subject->kind;
	a->rd = a->wr = b->rd = b->wr = -1;
	switch (a->kind) {
	case KIND_PIPE:
		if (pipe(there) || pipe(back))
			fail_job("pipe");
		a->wr = there[1];
		b->rd = there[0];
		b->wr = back[1];
		a->rd = back[0];
		return;
	case KIND_SHM:
		a->to = b->from = ring_new();
		a->from = b->to = ring_new();
		return;
	case KIND_TCP:
		open_tcp_pair(job, there);
		break;
	case KIND_FAMILY:
		if (socketpair(job->subject->family, job->type, 0, there))
			give_up("socketpair");
		if (job->type != SOCK_STREAM) {
			raise_buffers(there[0], job->size);
			raise_buffers(there[1], job->size);
		}
		break;
	}
	a->rd = a->wr = there[0];
	b->rd = b->wr = there[1];
}

/* --- moving data --- */

void send_all(struct end *end, const char *buf, size_t size)
{
	ssize_t n;

	switch (end->kind) {
	case KIND_SHM:
		ring_put(end->to, buf, size);
		return;
	case KIND_PIPE:
		n = write(end->wr, buf, size);
		break;
	default:
		n = send(end->wr, buf, size, 0);
	}
	if (n != (ssize_t)size)
		give_up("send");
}

size_t recv_some(struct end *end, char *buf, size_t size)
{
	ssize_t n;

	switch (end->kind) {
	case KIND_SHM:
		return ring_get(end->from, buf, size);
	case KIND_PIPE:
		n = read(end->rd, buf, size);
		break;
	default:
		n = recv(end->rd, buf, size, 0);
	}
	if (n <= 0)
		give_up("receive");
	return n;
}

void recv_all(struct end *end, char *buf, size_t size)
{
	while (size) {
		size_t n = recv_some(end, buf, size);

		buf += n;
		size -= n;
	}
}
