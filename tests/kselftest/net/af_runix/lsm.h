/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A security module made for the test: a BPF program that withholds files from
 * one process. Assembled by hand, as no BPF compiler is needed for so little.
 */
#ifndef AF_RUNIX_LSM_H
#define AF_RUNIX_LSM_H

#include "common.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <sys/mount.h>

/* What the kernel says of its own types. */
struct types {
	char *bytes;
	size_t len;
	const struct btf_header *head;
	const char *strings;
};

static inline bool read_types(struct types *t)
{
	FILE *f = fopen("/sys/kernel/btf/vmlinux", "re");
	size_t room = 0;

	memset(t, 0, sizeof(*t));
	if (!f)
		return false;
	while (!feof(f) && !ferror(f)) {
		if (t->len == room) {
			room += 1 << 20;
			t->bytes = realloc(t->bytes, room);
			if (!t->bytes)
				abort();
		}
		t->len += fread(t->bytes + t->len, 1, room - t->len, f);
	}
	fclose(f);
	t->head = (void *)t->bytes;
	if (t->len < sizeof(*t->head) || t->head->magic != BTF_MAGIC)
		return false;
	t->strings = t->bytes + t->head->hdr_len + t->head->str_off;
	return true;
}

/* What follows a type in the table, in bytes. */
static inline size_t more_of(const struct btf_type *t)
{
	size_t n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	case BTF_KIND_ENUM64:
		return n * sizeof(struct btf_enum64);
	}
	return 0;
}

/* The number of a type, which is found as well, or 0. */
static inline int type_named(const struct types *t, int kind, const char *name,
			     const struct btf_type **found)
{
	const char *p = t->bytes + t->head->hdr_len + t->head->type_off;
	const char *end = p + t->head->type_len;
	int id;

	for (id = 1; p < end; id++) {
		const struct btf_type *type = (void *)p;

		if ((int)BTF_INFO_KIND(type->info) == kind &&
		    !strcmp(t->strings + type->name_off, name)) {
			*found = type;
			return id;
		}
		p += sizeof(*type) + more_of(type);
	}
	return 0;
}

/* Where a member lies, in bytes, or an error. */
static inline int offset_named(const struct types *t, const char *name, const char *member)
{
	const struct btf_type *type;
	const struct btf_member *m;
	size_t i;

	if (!type_named(t, BTF_KIND_STRUCT, name, &type))
		return -ENOENT;
	m = (void *)(type + 1);
	for (i = 0; i < BTF_INFO_VLEN(type->info); i++)
		if (!strcmp(t->strings + m[i].name_off, member))
			return (BTF_INFO_KFLAG(type->info) ? BTF_MEMBER_BIT_OFFSET(m[i].offset) :
							     m[i].offset) / 8;
	return -ENOENT;
}

/* Are programs asked? It stands in a file system that nobody may have mounted. */
static inline bool bpf_is_asked(void)
{
	char line[256] = {};
	FILE *f;

	if (mkdir("security", 0700) || mount("security", "security", "securityfs", 0, NULL))
		return false;
	f = fopen("security/lsm", "re");
	if (f) {
		if (!fgets(line, sizeof(line), f))
			line[0] = 0;
		fclose(f);
	}
	umount("security");
	rmdir("security");
	return strstr(line, "bpf");
}

#define INSN(_code, _dst, _src, _off, _imm)				\
	((struct bpf_insn) { .code = _code, .dst_reg = _dst, .src_reg = _src,	\
			     .off = _off, .imm = _imm })

/*
 * From now on, this process is refused files that are open with @flag, with
 * @error. A descriptor that keeps it so, or an error; -ENOSYS where it can't be
 * had.
 */
static inline int withhold(int flag, int error)
{
	const struct btf_type *found;
	union bpf_attr load = {}, attach = {};
	struct types t;
	int hook, offset, prog;

	if (!bpf_is_asked() || !read_types(&t))
		return -ENOSYS;
	hook = type_named(&t, BTF_KIND_FUNC, "bpf_lsm_file_receive", &found);
	offset = offset_named(&t, "file", "f_flags");
	free(t.bytes);
	if (!hook || offset < 0)
		return -ENOSYS;

	struct bpf_insn insns[] = {
		/* r6 = context */
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid),
		INSN(BPF_ALU64 | BPF_RSH | BPF_K, 0, 0, 0, 32),
		/* another process: allow */
		INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 5, getpid()),
		/* r1 = file, r1 = its flags */
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 1, 6, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 1, 1, offset, 0),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 1, 0, 0, flag),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1, 0),
		INSN(BPF_JMP | BPF_JA, 0, 0, 2, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, -error),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	load.prog_type = BPF_PROG_TYPE_LSM;
	load.expected_attach_type = BPF_LSM_MAC;
	load.attach_btf_id = hook;
	load.insns = (uintptr_t)insns;
	load.insn_cnt = sizeof(insns) / sizeof(insns[0]);
	load.license = (uintptr_t)"GPL";
	prog = rc(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)));
	if (prog < 0)
		return prog;
	attach.raw_tracepoint.prog_fd = prog;
	hook = rc(syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attach, sizeof(attach)));
	close(prog);
	return hook;
}

#endif /* AF_RUNIX_LSM_H */
