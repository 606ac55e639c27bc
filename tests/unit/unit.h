/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every unit test includes first: cmocka wants these headers before its
 * own, and all tests want the stand-in kernel types.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#include <cmocka.h>

/* A small generator with a fixed seed, so that failures repeat. */
static inline u64 unit_rand(u64 *state)
{
	u64 x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x * 0x2545f4914f6cdd1dULL;
}

#endif
