/* SPDX-License-Identifier: GPL-2.0 */
/* What the kinds of arguments share. */
#ifndef FUZZ_ARGS_H
#define FUZZ_ARGS_H

#include "fuzz.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PICK(g, list) ((list)[rng_below(&(g)->rng, ARRAY_SIZE(list))])

/* A number and how the headers call it. */
struct name {
	long value;
	const char *name;
};
#define N(x) { x, #x }

/* Adds to a text. */
__attribute__((format(printf, 3, 4)))
void add(char *out, size_t size, const char *format, ...);
void add_flags(char *out, size_t size, const struct name *names, size_t n, long v);
void add_name(char *out, size_t size, const struct name *names, size_t n, long v);
#define ADD_FLAGS(out, size, names, v) add_flags(out, size, names, ARRAY_SIZE(names), v)
#define ADD_NAME(out, size, names, v) add_name(out, size, names, ARRAY_SIZE(names), v)

/* Both end with a kind without a letter. */
extern const struct kind socket_kinds[], call_kinds[];

/* Paths that calls may change files at: those before it. */
extern const int n_local_paths;

/* Any socket, mostly. */
void gen_slot(struct gen *g, struct arg *a);
void print_slot(char *out, size_t size, const struct arg *a);
void print_number(char *out, size_t size, const struct arg *a);
/* Sometimes, a bad place for @len bytes. */
void gen_place(struct gen *g, struct arg *a, int place, int edge, long len, int percent);
void add_place(char *out, size_t size, const char *good, long place, long edge);
/* A number of bytes that may still be sent. */
long source_length(struct gen *g);
void print_buffer(char *out, size_t size, const struct arg *a);
void print_out(char *out, size_t size, const struct arg *a);
void add_quoted(char *out, size_t size, const char *s, size_t len);

#endif
