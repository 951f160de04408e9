// SPDX-License-Identifier: GPL-2.0
/* SplitMix64: small, and every seed is a good one. */

#include "fuzz.h"

void rng_seed(struct rng *r, uint64_t seed)
{
	r->s = seed;
}

uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned int rng_below(struct rng *r, unsigned int n)
{
	return (rng_next(r) >> 32) * n >> 32;
}
