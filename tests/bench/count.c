// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for the emulator that counts executed instructions by address, between
 * the two marks of the bench. For each run between them it writes
 *
 *   section
 *   <address> <times executed>	of each instruction
 *
 * scripts/bench-profile makes a table by function of it. The few declarations of the
 * interface that are used stand here, since the emulator's package has no header.
 * It is loaded into the emulator and uses the C library that is there.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef PLUGIN_API
#define PLUGIN_API 1
#endif
/* The addresses of the sections .bench_begin and .bench_end. */
#if !defined(MARK_BEGIN) || !defined(MARK_END)
#error MARK_BEGIN and MARK_END are not set
#endif

/* --- of the emulator --- */

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*cb)(qemu_plugin_id_t id,
						      struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*cb)(unsigned int cpu, void *data),
					  int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu, void *data),
					    int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t at);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

/* --- of the C library --- */

typedef struct _IO_FILE FILE;

FILE *fopen(const char *path, const char *mode);
int fprintf(FILE *file, const char *format, ...);
int fclose(FILE *file);
void *calloc(size_t n, size_t size);
int strncmp(const char *a, const char *b, size_t n);

/* --- counting --- */

__attribute__((visibility("default"))) int qemu_plugin_version = PLUGIN_API;

struct insn {
	struct insn *next;
	uint64_t address;
	uint64_t times;
};

#define BUCKETS (1u << 20)

static struct insn *insns[BUCKETS];
static bool counting;
static const char *out = "count.out";

/* Code is translated over and over; its instructions stay the same ones. */
static struct insn *insn_at(uint64_t address)
{
	struct insn **at = &insns[(address ^ address >> 20) % BUCKETS];

	while (*at && (*at)->address != address)
		at = &(*at)->next;
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (*at)
			(*at)->address = address;
	}
	return *at;
}

static void count(unsigned int cpu, void *data)
{
	struct insn *insn = data;

	(void)cpu;
	if (counting)
		insn->times++;
}

/* What was counted since the last mark goes to the file. */
static void write_section(void)
{
	FILE *file = fopen(out, "a");

	if (!file)
		return;
	fprintf(file, "section\n");
	for (unsigned int i = 0; i < BUCKETS; i++)
		for (struct insn *insn = insns[i]; insn; insn = insn->next) {
			if (insn->times)
				fprintf(file, "%lx %lu\n", insn->address, insn->times);
			insn->times = 0;
		}
	fclose(file);
}

static void mark(unsigned int cpu, void *data)
{
	(void)cpu;
	counting = (uintptr_t)data == MARK_BEGIN;
	if (!counting)
		write_section();
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		struct insn *entry = insn_at(address);

		if (address == MARK_BEGIN || address == MARK_END)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, mark, 0,
							       (void *)(uintptr_t)address);
		if (entry)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, count, 0, entry);
	}
}

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = argv[i] + 4;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
