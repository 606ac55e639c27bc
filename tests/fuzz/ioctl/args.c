// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the fuzzer's values come from: mostly numbers at which something changes.
 */
#include <string.h>

#include "fuzz.h"

/* A number at a limit: powers of two and their neighbours, page and address-width edges. */
uint64_t odd_number(struct rng *r)
{
	uint64_t v;

	switch (below(r, 8)) {
	case 0:
		return below(r, 16);
	case 1:
		return 0 - (uint64_t)below(r, 16);
	case 2:
		return rnd(r);
	case 3:
		return rnd(r) >> below(r, 64);
	case 4:
		return (uint64_t)below(r, GUEST_MEM >> 12) << 12;
	case 5:
		return 0xfee00000ull + ((uint64_t)below(r, 64) << 4);
	default:
		v = 1ull << below(r, 64);
		return one_in(r, 2) ? v : v - 1 + below(r, 3) * 0x1000;
	}
}

void random_bytes(struct rng *r, void *buf, size_t n)
{
	uint8_t *at = buf;
	uint64_t v;

	while (n) {
		size_t step = n < 8 ? n : 8;

		v = one_in(r, 4) ? odd_number(r) : rnd(r);
		memcpy(at, &v, step);
		at += step;
		n -= step;
	}
}

/* Changes a few fields of something that was valid; sometimes none, sometimes many. */
void mutate(struct rng *r, void *buf, size_t n)
{
	unsigned int times = one_in(r, 16) ? 64 : below(r, 4);
	uint8_t *at = buf;

	while (times--) {
		size_t width = 1u << below(r, 4), off;
		uint64_t v = 0;

		if (width > n)
			continue;
		off = (rnd(r) % n) & ~(width - 1);
		if (off + width > n)
			continue;
		memcpy(&v, at + off, width);
		switch (below(r, 4)) {
		case 0:
			v ^= 1ull << below(r, (uint32_t)width * 8);
			break;
		case 1:
			v += below(r, 3) - 1u;
			break;
		default:
			v = odd_number(r);
		}
		memcpy(at + off, &v, width);
	}
}

/* The ranges that a hypervisor knows something in. */
static const struct {
	uint32_t first, count;
} msr_ranges[] = {
	{ 0x0, 0x20 },	       { 0x3a, 2 },	     { 0x48, 2 },	 { 0x79, 0x30 },
	{ 0xc0, 0x10 },	       { 0xcd, 0x40 },	     { 0x174, 3 },	 { 0x179, 0x20 },
	{ 0x1a0, 0x10 },       { 0x1c8, 0x20 },	     { 0x200, 0x100 },	 { 0x300, 0x100 },
	{ 0x400, 0x94 },       { 0x4c0, 0x10 },	     { 0x560, 0x20 },	 { 0x680, 0x70 },
	{ 0x6e0, 1 },	       { 0x800, 0x40 },	     { 0xd90, 0x20 },	 { 0xc0000080, 8 },
	{ 0xc0000100, 8 },     { 0xc0010000, 0x60 }, { 0xc0010110, 16 }, { 0xc0011020, 0x20 },
	{ 0x40000000, 0x110 }, { 0x4b564d00, 16 },
};

uint32_t odd_msr(struct rng *r)
{
	size_t i = below(r, sizeof(msr_ranges) / sizeof(msr_ranges[0]));

	if (one_in(r, 32))
		return (uint32_t)rnd(r);
	return msr_ranges[i].first + below(r, msr_ranges[i].count);
}
