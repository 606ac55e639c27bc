/* link: nested/vmcs12.c nested/caps.c */
// SPDX-License-Identifier: GPL-2.0-only
/* The field list: sorted, complete, and found by every encoding it has. */
#include "nested_fixture.h"
#include <linux/errno.h>

static void test_sorted(void **state)
{
	unsigned int i;

	assert_true(vmcs12_nr_fields > 140);
	for (i = 1; i < vmcs12_nr_fields; i++)
		assert_true(vmcs12_fields[i - 1].encoding < vmcs12_fields[i].encoding);
}

static void test_no_overlap(void **state)
{
	static u8 used[VMCS12_SIZE];
	unsigned int i, b;

	memset(used, 0, sizeof(used));
	for (i = 0; i < vmcs12_nr_fields; i++) {
		const struct vmcs12_field *f = &vmcs12_fields[i];

		assert_true(f->offset >= 40);
		assert_int_equal(f->offset % f->size, 0);
		for (b = 0; b < f->size; b++) {
			assert_int_equal(used[f->offset + b], 0);
			used[f->offset + b] = 1;
		}
	}
}

/* Every encoding of the 16-bit space, and a few beyond: found iff listed. */
static void test_lookup_exhaustive(void **state)
{
	u64 enc;
	unsigned int i, found = 0;

	for (enc = 0; enc < 0x20000; enc++) {
		const struct vmcs12_field *f = vmcs12_find(enc), *want = NULL;

		for (i = 0; i < vmcs12_nr_fields; i++) {
			u32 e = vmcs12_fields[i].encoding;

			if (e == enc || (e >> 13 == 1 && e + 1 == enc))
				want = &vmcs12_fields[i];
		}
		assert_ptr_equal(f, want);
		found += f != NULL;
	}
	assert_true(found > vmcs12_nr_fields);
	assert_null(vmcs12_find(0x100000000ull | GUEST_RIP));
	assert_null(vmcs12_find(~0ull));
}

static void test_read_write(void **state)
{
	static struct vmcs12 v;
	u64 seed = 1, val, got;
	unsigned int i;

	for (i = 0; i < vmcs12_nr_fields; i++) {
		const struct vmcs12_field *f = &vmcs12_fields[i];
		u64 mask = f->size == 8 ? ~0ull : (1ull << f->size * 8) - 1;

		val = unit_rand(&seed);
		assert_int_equal(vmcs12_write(&v, f->encoding, val), 0);
		assert_int_equal(vmcs12_read(&v, f->encoding, &got), 0);
		assert_int_equal(got, val & mask);
		assert_int_equal(vmcs12_field_offset(f->encoding), f->offset);
		assert_string_equal(vmcs12_field_name(f->encoding), f->name);
	}
}

static void test_high_half(void **state)
{
	static struct vmcs12 v;
	u64 got;

	assert_int_equal(vmcs12_write(&v, TSC_OFFSET, 0x1111111122222222), 0);
	assert_int_equal(vmcs12_write(&v, TSC_OFFSET_HIGH, 0xaaaaaaaa33333333), 0);
	assert_int_equal(v.tsc_offset, 0x3333333322222222);
	assert_int_equal(vmcs12_read(&v, TSC_OFFSET_HIGH, &got), 0);
	assert_int_equal(got, 0x33333333);
	assert_int_equal(vmcs12_field_offset(TSC_OFFSET_HIGH), 92);
	/* natural-width, 32-bit and 16-bit fields have no high half */
	assert_int_equal(vmcs12_read(&v, GUEST_RIP + 1, &got), -ENOENT);
	assert_int_equal(vmcs12_write(&v, EXCEPTION_BITMAP + 1, 0), -ENOENT);
	assert_int_equal(vmcs12_field_offset(GUEST_CS_SELECTOR + 1), -ENOENT);
	assert_string_equal(vmcs12_field_name(0x7fff), "unknown");
}

static void test_abi(void **state)
{
	assert_int_equal(VMCS12_REVISION, 0x11e57ed0);
	assert_int_equal(sizeof(struct vmcs12), 4096);
	assert_int_equal(offsetof(struct vmcs12, launch_state), 8);
	assert_int_equal(offsetof(struct vmcs12, dead_space), 376);
	assert_int_equal(offsetof(struct vmcs12, guest_pml_index) + 2, VMCS12_ABI_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_no_overlap),
		cmocka_unit_test(test_lookup_exhaustive),
		cmocka_unit_test(test_read_write),
		cmocka_unit_test(test_high_half),
		cmocka_unit_test(test_abi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
