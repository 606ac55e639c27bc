/* link: mm/ept12.c */
// SPDX-License-Identifier: GPL-2.0-only
/* The walk of L1's EPT: each misconfiguration, each right, each flag, from both sides. */
#include "unit.h"

#include <linux/errno.h>
#include "mm/mm.h"

#define MEM_WORDS (64 * 512) /* L1 memory of 256K */

static u64 mem[MEM_WORDS];
static int reads, races;
static bool read_only;

static int mem_read(void *ctx, u64 gpa, u64 *e)
{
	reads++;
	if (gpa / 8 >= MEM_WORDS)
		return -EFAULT;
	*e = mem[gpa / 8];
	return 0;
}

static int mem_set_ad(void *ctx, u64 gpa, u64 old, u64 new)
{
	if (read_only)
		return -EFAULT;
	if (races) {
		races--;
		return 1;
	}
	assert_int_equal(mem[gpa / 8], old);
	mem[gpa / 8] = new;
	return 0;
}

static struct ept12_env env;
static struct ept12_result res;

#define EPTP  0x1000ULL
#define L2GPA 0x0000008040403123ULL /* index 1, 1, 2, 3 */
#define E4    (0x1000 / 8 + 1)	    /* where the entries of L2GPA are */
#define E3    (0x2000 / 8 + 1)
#define E2    (0x3000 / 8 + 2)
#define E1    (0x4000 / 8 + 3)

static int setup(void **state)
{
	memset(mem, 0, sizeof(mem));
	races = 0;
	read_only = false;
	env = (struct ept12_env){ .eptp = EPTP | 0x1e,
				  .maxphyaddr = 40,
				  .exec_only = true,
				  .pages_2m = true,
				  .pages_1g = true,
				  .read = mem_read,
				  .set_ad = mem_set_ad };
	mem[E4] = 0x2007;
	mem[E3] = 0x3007;
	mem[E2] = 0x4007;
	mem[E1] = 0x77777000 | 0x37;
	return 0;
}

static enum ept12_status walk(u32 access)
{
	return ept12_walk(&env, L2GPA, access, &res);
}

static void test_4k(void **state)
{
	assert_int_equal(walk(EPT_ACC_READ), EPT12_OK);
	assert_int_equal(res.l1gpa, 0x77777123);
	assert_int_equal(res.level, 1);
	assert_int_equal(res.memtype, 6);
	assert_true(res.read && res.write && res.exec && res.dirty);
	assert_int_equal(res.tables[3], 0x1000);
	assert_int_equal(res.tables[0], 0x4000);
	assert_int_equal(res.entries[0], mem[E1]);
}

static void test_large(void **state)
{
	mem[E2] = 0x40000000 | 0xb7;
	assert_int_equal(walk(EPT_ACC_WRITE), EPT12_OK);
	assert_int_equal(res.l1gpa, 0x40003123);
	assert_int_equal(res.level, 2);
	mem[E3] = 0x80000000 | 0xb7;
	assert_int_equal(walk(EPT_ACC_WRITE), EPT12_OK);
	assert_int_equal(res.l1gpa, 0x80000000 + (L2GPA & 0x3fffffff));
	assert_int_equal(res.level, 3);

	env.pages_1g = false;
	assert_int_equal(walk(EPT_ACC_READ), EPT12_MISCONFIG);
	mem[E3] = 0x3007;
	env.pages_2m = false;
	assert_int_equal(walk(EPT_ACC_READ), EPT12_MISCONFIG);
}

static void test_not_present(void **state)
{
	static const int at[] = { E4, E3, E2, E1 };
	int i;

	for (i = 0; i < 4; i++) {
		setup(state);
		mem[at[i]] &= ~7ULL; /* the other bits do not matter then */
		assert_int_equal(walk(EPT_ACC_WRITE), EPT12_VIOLATION);
		assert_int_equal(res.qual, EPT_ACC_WRITE);
	}
}

static void test_rights(void **state)
{
	/* A right counts only when every level gives it. */
	mem[E3] = 0x3000 | 5;
	assert_int_equal(walk(EPT_ACC_WRITE), EPT12_VIOLATION);
	assert_int_equal(res.qual, 2 | 5 << 3);
	assert_int_equal(walk(EPT_ACC_READ | EPT_ACC_WRITE), EPT12_VIOLATION);
	assert_int_equal(res.qual, 3 | 5 << 3);
	assert_int_equal(walk(EPT_ACC_READ), EPT12_OK);
	assert_true(res.read && !res.write && res.exec);
	mem[E1] = (mem[E1] & ~7ULL) | 3;
	assert_int_equal(walk(EPT_ACC_FETCH), EPT12_VIOLATION);
	assert_int_equal(res.qual, 4 | 1 << 3);

	mem[E1] = (mem[E1] & ~7ULL) | 4;
	assert_int_equal(walk(EPT_ACC_FETCH), EPT12_OK);
	assert_true(!res.read && res.exec);
	assert_int_equal(walk(EPT_ACC_READ), EPT12_VIOLATION);
	assert_int_equal(res.qual, 1 | 4 << 3);
}

static void test_beyond(void **state)
{
	reads = 0;
	assert_int_equal(ept12_walk(&env, 1ULL << 48, EPT_ACC_READ, &res), EPT12_VIOLATION);
	assert_int_equal(reads, 0);
}

/* Each row: an entry, a bit pattern that makes it misconfigured, one that is fine. */
static void test_misconfig(void **state)
{
	static const struct {
		int at;
		u64 keep, bad, good;
	} row[] = {
		{ E1, ~7ULL, 2, 3 }, /* write only */
		{ E1, ~7ULL, 6, 7 }, /* write and execute */
		{ E2, ~7ULL, 2, 1 },
		{ E4, ~0ULL, 0x08, 0x100 }, /* PML4E bits 7:3 */
		{ E4, ~0ULL, 0x80, 0x800 },
		{ E3, ~0ULL, 0x08, 0x200 }, /* table entries bits 6:3 */
		{ E3, ~0ULL, 0x40, 1ULL << 52 },
		{ E2, ~0ULL, 0x20, 1ULL << 62 },
		{ E1, ~0x38ULL, 2 << 3, 0 << 3 }, /* memory types */
		{ E1, ~0x38ULL, 3 << 3, 1 << 3 },
		{ E1, ~0x38ULL, 7 << 3, 4 << 3 },
		{ E1, ~0x38ULL, 7 << 3, 5 << 3 },
		{ E1, ~0ULL, 1ULL << 40, 1ULL << 39 }, /* beyond MAXPHYADDR */
		{ E2, ~0ULL, 1ULL << 51, 0 },
		{ E1, ~0ULL, 1ULL << 45, 0x80 }, /* bit 7 means nothing in a PTE */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		setup(state);
		mem[row[i].at] = (mem[row[i].at] & row[i].keep) | row[i].bad;
		assert_int_equal(walk(EPT_ACC_READ), EPT12_MISCONFIG);
		setup(state);
		mem[row[i].at] = (mem[row[i].at] & row[i].keep) | row[i].good;
		assert_int_equal(walk(EPT_ACC_READ), EPT12_OK);
	}
}

static void test_misconfig_large(void **state)
{
	u64 bit;

	for (bit = 12; bit < 30; bit++) {
		setup(state);
		if (bit < 21) {
			mem[E2] = 0x40000000 | 0xb7 | 1ULL << bit;
			assert_int_equal(walk(EPT_ACC_READ), EPT12_MISCONFIG);
		}
		mem[E3] = 0x40000000 | 0xb7 | 1ULL << bit;
		assert_int_equal(walk(EPT_ACC_READ), EPT12_MISCONFIG);
	}
	mem[E3] = 0x40000000 | 0x97; /* memory type 2 */
	assert_int_equal(walk(EPT_ACC_READ), EPT12_MISCONFIG);
}

static void test_exec_only(void **state)
{
	mem[E1] = (mem[E1] & ~7ULL) | 4;
	env.exec_only = false;
	assert_int_equal(walk(EPT_ACC_FETCH), EPT12_MISCONFIG);
	env.exec_only = true;
	assert_int_equal(walk(EPT_ACC_FETCH), EPT12_OK);
}

/* Tables where L1 has no memory. */
static void test_no_memory(void **state)
{
	mem[E2] = 0x7fff000 | 7;
	assert_int_equal(walk(EPT_ACC_READ), EPT12_MISCONFIG);
	env.eptp = 0x7fff000 | 0x1e;
	assert_int_equal(walk(EPT_ACC_READ), EPT12_MISCONFIG);
}

static void test_ad(void **state)
{
	env.ad = true;
	assert_int_equal(walk(EPT_ACC_READ), EPT12_OK);
	assert_false(res.dirty);
	assert_true(mem[E4] & mem[E3] & mem[E2] & mem[E1] & 0x100);
	assert_false(mem[E1] & 0x200);
	assert_int_equal(res.entries[0], mem[E1]);
	assert_int_equal(walk(EPT_ACC_WRITE), EPT12_OK);
	assert_true(res.dirty);
	assert_true(mem[E1] & 0x200);
	assert_int_equal(res.entries[0], mem[E1]);
	assert_false(mem[E2] & 0x200);
	assert_int_equal(walk(EPT_ACC_READ), EPT12_OK);
	assert_true(res.dirty);

	/* A violation sets nothing. */
	setup(state);
	env.ad = true;
	mem[E1] = (mem[E1] & ~7ULL) | 1;
	assert_int_equal(walk(EPT_ACC_WRITE), EPT12_VIOLATION);
	assert_false(mem[E1] & 0x300);

	setup(state);
	assert_int_equal(walk(EPT_ACC_WRITE), EPT12_OK);
	assert_false(mem[E1] & 0x300);
	assert_true(res.dirty);
}

static void test_ad_races(void **state)
{
	env.ad = true;
	races = 3;
	assert_int_equal(walk(EPT_ACC_WRITE), EPT12_OK);
	assert_true(mem[E1] & 0x200);
	setup(state);
	env.ad = true;
	races = 1000; /* for ever: give up, do not hang */
	assert_int_equal(walk(EPT_ACC_WRITE), EPT12_AGAIN);

	/* Tables in read-only memory: L2 runs, but a write is not let through unseen. */
	setup(state);
	env.ad = true;
	read_only = true;
	assert_int_equal(walk(EPT_ACC_READ), EPT12_OK);
	assert_false(res.dirty);
}

/* Any entries: the walk reads at most four and never claims a right that is not there. */
static void test_random(void **state)
{
	u64 seed = 42;
	int i, k;

	for (i = 0; i < 200000; i++) {
		u64 all = 7;

		setup(state);
		env.ad = i & 1;
		env.exec_only = i & 2;
		for (k = 0; k < 4; k++) {
			static const int at[] = { E4, E3, E2, E1 };

			if (unit_rand(&seed) % 3 == 0)
				mem[at[k]] ^= 1ULL << (unit_rand(&seed) % 64);
		}
		reads = 0;
		if (walk(1 << i % 3) != EPT12_OK)
			continue;
		assert_in_range(reads, 2, 4);
		for (k = 3; k >= res.level - 1; k--)
			all &= res.entries[k];
		assert_int_equal(all, res.read | res.write << 1 | res.exec << 2);
	}
}

#define T(x) cmocka_unit_test_setup(x, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_4k),	   T(test_large),     T(test_not_present),     T(test_rights),
		T(test_beyond),	   T(test_misconfig), T(test_misconfig_large), T(test_exec_only),
		T(test_no_memory), T(test_ad),	      T(test_ad_races),	       T(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
