/* link: nested/vmcs12.c nested/caps.c */
// SPDX-License-Identifier: GPL-2.0-only
/* Capability MSRs: offered values are consistent, user space can only restrict. */
#include "nested_fixture.h"
#include <linux/errno.h>

static u64 get(const struct vmx_caps *c, u32 index)
{
	u64 val = 0;

	assert_int_equal(vmx_caps_get_msr(c, index, &val), 0);
	return val;
}

static void test_values(void **state)
{
	struct vmx_caps c;
	u64 basic;

	fixture_caps(&c);
	basic = get(&c, MSR_IA32_VMX_BASIC);
	assert_int_equal(basic & 0xffffffff, VMCS12_REVISION);
	assert_int_equal(basic >> 32 & 0x1fff, 4096);
	assert_int_equal(basic >> 50 & 0xf, 6);
	assert_true(basic & 1ull << 55);
	assert_int_equal((u32)get(&c, MSR_IA32_VMX_PINBASED_CTLS), 0x16);
	assert_int_equal((u32)get(&c, MSR_IA32_VMX_TRUE_PINBASED_CTLS), 0x16);
	assert_int_equal((u32)get(&c, MSR_IA32_VMX_PROCBASED_CTLS), 0x401e172);
	assert_int_equal((u32)get(&c, MSR_IA32_VMX_TRUE_PROCBASED_CTLS), 0x4006172);
	assert_int_equal((u32)get(&c, MSR_IA32_VMX_EXIT_CTLS), 0x36dff);
	assert_int_equal((u32)get(&c, MSR_IA32_VMX_TRUE_EXIT_CTLS), 0x36dfb);
	assert_int_equal((u32)get(&c, MSR_IA32_VMX_ENTRY_CTLS), 0x11ff);
	assert_int_equal((u32)get(&c, MSR_IA32_VMX_TRUE_ENTRY_CTLS), 0x11fb);
	assert_int_equal(get(&c, MSR_IA32_VMX_CR0_FIXED0), 0x80000021);
	assert_int_equal(get(&c, MSR_IA32_VMX_CR4_FIXED0), 0x2000);
	assert_int_equal(get(&c, MSR_IA32_VMX_CR4_FIXED1), FIXTURE_CR4 | X86_CR4_VMXE);
	assert_int_equal(get(&c, MSR_IA32_VMX_VMCS_ENUM), 0x19 << 1);
	assert_int_equal(get(&c, MSR_IA32_VMX_VMFUNC), 0);
	assert_int_equal(vmx_caps_max_msr_list(&c), 512);
}

/* Never offered: what the core does not implement. */
static void test_not_offered(void **state)
{
	struct vmx_caps c;

	fixture_caps(&c);
	assert_false(c.proc2.may1 & (SECONDARY_EXEC_ENABLE_PML | SECONDARY_EXEC_ENABLE_VMFUNC |
				     SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY));
	assert_false(c.pin.may1 & PIN_BASED_POSTED_INTR);
	assert_false(c.entry.may1 & VM_ENTRY_SMM);
	assert_false(vmx_caps_has(&c, VMCS12_NEEDS_PML));
	assert_true(vmx_caps_has(&c, VMCS12_NEEDS_PLE));
}

/* VMCS shadowing needs nothing of the backend but secondary controls. */
static void test_shadow_vmcs(void **state)
{
	static const struct hw_nested_caps some = {
		.proc = CPU_BASED_ACTIVATE_SECONDARY_CONTROLS,
	};
	struct vmx_caps c;

	vmx_caps_init(&c, &some);
	assert_int_equal(c.proc2.may1, SECONDARY_EXEC_SHADOW_VMCS);
	assert_true(vmx_caps_has(&c, VMCS12_NEEDS_SHADOW_VMCS));
}

/* A backend that gives nothing leaves the default1 classes and no dependants. */
static void test_poor_backend(void **state)
{
	static const struct hw_nested_caps nothing;
	struct hw_nested_caps no_nmi = fixture_hw;
	struct vmx_caps c;
	unsigned int n;

	vmx_caps_init(&c, &nothing);
	assert_int_equal(c.proc2.may1, 0);
	assert_int_equal(c.ept_vpid, 0);
	assert_int_equal(c.pin.may1, 0x16);
	for (n = VMCS12_NEEDS_PROC2; n < VMCS12_NR_NEEDS; n++)
		assert_false(vmx_caps_has(&c, n));

	no_nmi.pin &= ~PIN_BASED_NMI_EXITING;
	no_nmi.proc &= ~CPU_BASED_TPR_SHADOW;
	no_nmi.proc2 &= ~SECONDARY_EXEC_ENABLE_EPT;
	vmx_caps_init(&c, &no_nmi);
	assert_false(c.pin.may1 & PIN_BASED_VIRTUAL_NMIS);
	assert_false(c.proc.may1 & CPU_BASED_NMI_WINDOW_EXITING);
	assert_false(c.proc2.may1 & SECONDARY_EXEC_UNRESTRICTED_GUEST);
	assert_false(c.proc2.may1 & SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE);
	assert_int_equal(c.ept_vpid & 0xffffffff, 0);
}

/* Every value that is read can be written back; that is how a VM migrates. */
static void test_set_same(void **state)
{
	struct vmx_caps c, sup;
	u32 i;

	fixture_caps(&c);
	sup = c;
	for (i = VMX_CAPS_FIRST_MSR; i <= VMX_CAPS_LAST_MSR; i++)
		assert_int_equal(vmx_caps_set_msr(&c, &sup, i, get(&sup, i)), 0);
	assert_memory_equal(&c, &sup, sizeof(c));
	assert_int_equal(vmx_caps_set_msr(&c, &sup, 0x492, 0), -ENOENT);
	assert_int_equal(vmx_caps_get_msr(&c, 0x47f, &(u64){ 0 }), -ENOENT);
}

/* For each bit of each control MSR: towards fixed is accepted, else refused. */
static void test_set_controls(void **state)
{
	static const u32 index[] = {
		MSR_IA32_VMX_TRUE_PINBASED_CTLS, MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
		MSR_IA32_VMX_PROCBASED_CTLS2,	 MSR_IA32_VMX_TRUE_EXIT_CTLS,
		MSR_IA32_VMX_TRUE_ENTRY_CTLS,
	};
	struct vmx_caps c, sup;
	unsigned int i, b;

	fixture_caps(&sup);
	for (i = 0; i < ARRAY_SIZE(index); i++) {
		u64 val = get(&sup, index[i]);

		for (b = 0; b < 64; b++) {
			u64 flipped = val ^ 1ull << b;
			bool set = flipped >> b & 1;
			bool ok = b < 32 ? set : !set;

			c = sup;
			assert_int_equal(vmx_caps_set_msr(&c, &sup, index[i], flipped),
					 ok ? 0 : -EINVAL);
			assert_int_equal(get(&c, index[i]), ok ? flipped : val);
		}
	}
}

static void test_set_others(void **state)
{
	struct vmx_caps c, sup;
	u64 v;

	fixture_caps(&sup);
	c = sup;
	v = sup.basic;
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_BASIC, v & ~(1ull << 54)), 0);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_BASIC, v ^ 1), -EINVAL);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_BASIC, v | 1ull << 49), -EINVAL);
	v = sup.misc;
	/* The unit of the VMX-preemption timer is no matter of the host's: the fixture's says 31. */
	assert_int_equal(v & 0x1f, 5);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_MISC, v & ~(1ull << 6)), 0);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_MISC, v ^ 1), -EINVAL);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_MISC, v | 1 << 16), -EINVAL);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_MISC, v | 1 << 25), -EINVAL);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_MISC, v | 1 << 14), -EINVAL);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_MISC, v | 1ull << 40), -EINVAL);
	v = sup.ept_vpid;
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_EPT_VPID_CAP, v & ~1ull), 0);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_EPT_VPID_CAP, v | 1 << 7),
			 -EINVAL);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_CR0_FIXED0, 0xffffffff), 0);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_CR0_FIXED0, 0), -EINVAL);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_CR0_FIXED1, 0), -EINVAL);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_VMCS_ENUM, 0x2e), 0);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_VMCS_ENUM, ~0ull), 0);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_VMFUNC, 1), -EINVAL);
	assert_int_equal(vmx_caps_set_msr(&c, &sup, MSR_IA32_VMX_PINBASED_CTLS, 0), -EINVAL);
}

static void test_helpers(void **state)
{
	struct vmx_ctl_caps c = { .must1 = 0x16, .may1 = 0x3f };

	assert_true(vmx_ctl_allowed(&c, 0x16));
	assert_true(vmx_ctl_allowed(&c, 0x3f));
	assert_false(vmx_ctl_allowed(&c, 0x14));
	assert_false(vmx_ctl_allowed(&c, 0x56));
	assert_true(vmx_fixed_bits_ok(0x21, 0x21, 0xff));
	assert_false(vmx_fixed_bits_ok(0x20, 0x21, 0xff));
	assert_false(vmx_fixed_bits_ok(0x121, 0x21, 0xff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	    cmocka_unit_test(test_not_offered),
		cmocka_unit_test(test_shadow_vmcs), cmocka_unit_test(test_poor_backend),
		cmocka_unit_test(test_set_same),    cmocka_unit_test(test_set_controls),
		cmocka_unit_test(test_set_others),  cmocka_unit_test(test_helpers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
