// SPDX-License-Identifier: GPL-2.0-only
/* link: vcpu/hyperv_parse.c */
/* Hypercall control words, processor sets, the reference TSC page's arithmetic. */
#include "unit.h"

#include <linux/bits.h>

#include "vcpu/hyperv_parse.h"

static void test_control(void **state)
{
	struct hv_control c =
		hv_decode_control(0x0014 | BIT_ULL(16) | 3ull << 17 | 5ull << 32 | 2ull << 48);

	assert_int_equal(c.code, 0x14);
	assert_true(c.fast);
	assert_int_equal(c.var_words, 3);
	assert_int_equal(c.rep_count, 5);
	assert_int_equal(c.rep_start, 2);
	assert_false(c.reserved);

	c = hv_decode_control(0x3ffull << 17 | 0xfffull << 32 | 0xfffull << 48);
	assert_int_equal(c.var_words, 0x3ff);
	assert_int_equal(c.rep_count, 0xfff);
	assert_int_equal(c.rep_start, 0xfff);
	assert_false(c.fast);
	assert_false(c.reserved);
}

static void test_reserved(void **state)
{
	static const u8 bits[] = { 27, 31, 44, 47, 60, 63 };
	unsigned int i;

	for (i = 0; i < sizeof(bits); i++)
		assert_true(hv_decode_control(1ull << bits[i]).reserved);
}

static void test_mask(void **state)
{
	struct hv_vp_set set = { .all = true };

	hv_vp_set_mask(&set, BIT_ULL(0) | BIT_ULL(63));
	assert_false(set.all);
	assert_true(hv_vp_set_has(&set, 0));
	assert_true(hv_vp_set_has(&set, 63));
	assert_false(hv_vp_set_has(&set, 1));
	assert_false(hv_vp_set_has(&set, 64));
	assert_false(hv_vp_set_has(&set, ~0u));
	set.all = true;
	assert_true(hv_vp_set_has(&set, ~0u));
}

static void test_sparse(void **state)
{
	const u64 banks[] = { 0x10, 0x2, ~0ull };
	u64 many[64];
	struct hv_vp_set set;

	assert_true(hv_vp_set_sparse(&set, BIT_ULL(0) | BIT_ULL(15) | BIT_ULL(63), banks, 3));
	assert_true(hv_vp_set_has(&set, 4));
	assert_true(hv_vp_set_has(&set, 15 * 64 + 1));
	assert_false(hv_vp_set_has(&set, 15 * 64));
	assert_false(hv_vp_set_has(&set, 63 * 64)); /* above the last processor: nobody */
	assert_false(hv_vp_set_has(&set, 1 * 64 + 1));

	assert_false(hv_vp_set_sparse(&set, BIT_ULL(0), banks, 2)); /* one too many */
	assert_false(hv_vp_set_sparse(&set, BIT_ULL(0) | BIT_ULL(1), banks, 1));
	assert_false(hv_vp_set_sparse(&set, 0, banks, 1));
	assert_true(hv_vp_set_sparse(&set, 0, banks, 0));
	assert_false(hv_vp_set_has(&set, 0));

	memset(many, 0xff, sizeof(many));
	assert_true(hv_vp_set_sparse(&set, ~0ull, many, 64));
	assert_true(hv_vp_set_has(&set, 1023));
	assert_false(hv_vp_set_has(&set, 1024));
}

static void test_time(void **state)
{
	static const u32 khz[] = { 10001, 1000000, 2400000, 3792874, 4294967295u };
	unsigned int i;

	assert_true(hv_tsc_scale(10000) == 0); /* 2^64 does not fit */
	assert_true(hv_tsc_scale(0) == 0);
	for (i = 0; i < sizeof(khz) / sizeof(khz[0]); i++) {
		u64 scale = hv_tsc_scale(khz[i]), hour = khz[i] * 1000ull * 3600;
		u64 ref = hv_tsc_to_ref(hour, scale, 7);

		/* 36e9 units of 100 ns, rounded down, plus the offset */
		assert_true(ref <= 36000000007ull && ref >= 36000000005ull);
	}
	assert_true(hv_tsc_to_ref(0, hv_tsc_scale(khz[1]), -5ull) == -5ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control), cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_mask),	cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
