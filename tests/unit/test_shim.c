/* link: */
// SPDX-License-Identifier: GPL-2.0-only
/* The stand-in headers themselves: do they agree with what the kernel promises? */
#include "unit.h"

#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/math64.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/svm.h>
#include <asm/vmx.h>

#include "hw/x86_state.h"

static void test_bits(void **state)
{
	assert_int_equal(fls(0), 0);
	assert_int_equal(fls64(1ULL << 63), 64);
	assert_int_equal(GENMASK_ULL(51, 12), 0x000ffffffffff000ULL);
	assert_int_equal(sign_extend64(0x80, 7), -128);
	assert_int_equal(FIELD_GET(0xf0, 0xab), 0xa);
	assert_int_equal(min_t(u8, 0x101, 2), 1);
}

static void test_constants(void **state)
{
	assert_int_equal(sizeof(struct vmcb_control_area), 0x400);
	assert_int_equal(GUEST_RIP, 0x681e);
	assert_int_equal(MSR_IA32_VMX_BASIC, 0x480);
	assert_int_equal(X86_CR4_VMXE, 0x2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_constants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
