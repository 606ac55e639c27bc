/* link: nested/state.c nested/vmcs12.c nested/caps.c nested/check.c nested/check_ctls.c nested/check_host.c nested/check_guest.c nested/check_guest_seg.c nested/check_guest_late.c */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * What may be restored as nested state. Every row of the header has a state that passes it and one
 * that it is the first to refuse; the VMCS of a running L2 is checked with what a running L2 may
 * have in it.
 */
#include "nested_variants.h"
#include "nested/state.h"

static union {
	struct kvm_nested_state s;
	u8 bytes[NESTED_STATE_SIZE_SHADOW];
} st;
static struct nested_state_env env;
static struct vmx_caps caps12;
static struct nested_check_env env12;
static struct vmcs12 view;

static struct vmcs12 *vmcs12(void)
{
	return (struct vmcs12 *)(st.bytes + sizeof(st.s));
}

static void base_off(void)
{
	memset(&st, 0, sizeof(st));
	env = (struct nested_state_env){ .vmx = true, .maxphyaddr = 40 };
	st.s.size = sizeof(st.s);
	st.s.hdr.vmx.vmxon_pa = ~0ull;
	st.s.hdr.vmx.vmcs12_pa = ~0ull;
}

static void base_vmxon(void)
{
	base_off();
	st.s.hdr.vmx.vmxon_pa = 0x1000;
}

static void base_vmcs12(void)
{
	base_vmxon();
	st.s.hdr.vmx.vmcs12_pa = 0x2000;
	st.s.size = NESTED_STATE_SIZE;
	vmcs12()->revision_id = VMCS12_REVISION;
}

static void base_l2(void)
{
	base_vmcs12();
	st.s.flags = KVM_STATE_NESTED_GUEST_MODE;
}

static void base_shadow(void)
{
	base_l2();
	vmcs12()->cpu_based_vm_exec_control = CPU_BASED_ACTIVATE_SECONDARY_CONTROLS;
	vmcs12()->secondary_vm_exec_control = SECONDARY_EXEC_SHADOW_VMCS;
	vmcs12()->vmcs_link_pointer = 0x3000;
	vmcs12()[1].revision_id = VMCS12_REVISION | VMCS12_SHADOW;
	st.s.size = NESTED_STATE_SIZE_SHADOW;
}

static void base_smm(void)
{
	base_vmcs12();
	env.in_smm = true;
	st.s.hdr.vmx.smm.flags = KVM_STATE_NESTED_SMM_GUEST_MODE | KVM_STATE_NESTED_SMM_VMXON;
}

static void base_evmcs(void)
{
	base_vmcs12();
	env.evmcs = true;
	st.s.flags = KVM_STATE_NESTED_EVMCS;
	st.s.hdr.vmx.vmcs12_pa = ~0ull;
}

static void base_evmcs_l2(void)
{
	base_evmcs();
	st.s.flags |= KVM_STATE_NESTED_GUEST_MODE;
}

static void (*const bases[])(void) = { base_off, base_vmxon,  base_vmcs12, base_l2,
				       base_smm, base_shadow, base_evmcs,  base_evmcs_l2 };

static void f_size0(void)
{
	st.s.size = 0;
}
static void f_size_short(void)
{
	st.s.size = sizeof(st.s) - 1;
}
static void f_svm(void)
{
	st.s.format = KVM_STATE_NESTED_FORMAT_SVM;
}
static void f_format9(void)
{
	st.s.format = 9;
}
static void f_evmcs(void)
{
	st.s.flags |= KVM_STATE_NESTED_EVMCS;
}
static void f_evmcs_disabled(void)
{
	env.evmcs = false;
}
static void f_evmcs_pa(void)
{
	st.s.hdr.vmx.vmcs12_pa = 0x2000;
}
static void f_gif(void)
{
	st.s.flags |= KVM_STATE_NESTED_GIF_SET;
}
static void f_flags(void)
{
	st.s.flags |= 0x8000;
}
static void f_hdr_flags(void)
{
	st.s.hdr.vmx.flags = ~0u;
}
static void f_hdr_flags2(void)
{
	st.s.hdr.vmx.flags = 2;
}
static void f_smm_unknown(void)
{
	st.s.hdr.vmx.smm.flags |= 4;
}
static void f_off_l2(void)
{
	st.s.flags = KVM_STATE_NESTED_GUEST_MODE;
}
static void f_off_pending(void)
{
	st.s.flags = KVM_STATE_NESTED_RUN_PENDING;
}
static void f_off_smm(void)
{
	st.s.hdr.vmx.smm.flags = KVM_STATE_NESTED_SMM_VMXON;
}
static void f_vmcs12(void)
{
	st.s.hdr.vmx.vmcs12_pa = 0x2000;
}
static void f_no_vmx(void)
{
	env.vmx = false;
}
static void f_vmxon_low(void)
{
	st.s.hdr.vmx.vmxon_pa = 0x1001;
}
static void f_vmxon_high(void)
{
	st.s.hdr.vmx.vmxon_pa = 1ull << 40;
}
static void f_vmcs12_low(void)
{
	st.s.hdr.vmx.vmcs12_pa = 0x2800;
}
static void f_vmcs12_high(void)
{
	st.s.hdr.vmx.vmcs12_pa = 1ull << 40;
}
static void f_vmcs12_same(void)
{
	st.s.hdr.vmx.vmcs12_pa = 0x1000;
}
static void f_size_header(void)
{
	st.s.size = sizeof(st.s);
}
static void f_size_less(void)
{
	st.s.size = NESTED_STATE_SIZE - 1;
}
static void f_size_more(void)
{
	st.s.size = NESTED_STATE_SIZE;
}
static void f_pending(void)
{
	st.s.flags = KVM_STATE_NESTED_RUN_PENDING;
}
static void f_mtf(void)
{
	st.s.flags = KVM_STATE_NESTED_MTF_PENDING;
}
static void f_smm_only(void)
{
	st.s.hdr.vmx.smm.flags = KVM_STATE_NESTED_SMM_VMXON;
}
static void f_smm_l2_only(void)
{
	st.s.hdr.vmx.smm.flags = KVM_STATE_NESTED_SMM_GUEST_MODE;
}
static void f_no_vmcs12(void)
{
	st.s.hdr.vmx.vmcs12_pa = ~0ull;
	st.s.size = sizeof(st.s);
}
static void f_revision(void)
{
	vmcs12()->revision_id ^= 1;
}
static void f_revision_shadow(void)
{
	vmcs12()->revision_id |= 1u << 31;
}
static void f_shadow_revision(void)
{
	vmcs12()[1].revision_id ^= 1;
}
static void f_no_shadow(void)
{
	vmcs12()[1].revision_id = VMCS12_REVISION;
}

static const struct {
	void (*base)(void);
	void (*change)(void);
	const char *row;
} refused[] = {
	{ base_off, f_size0, "size_header" },
	{ base_l2, f_size_short, "size_header" },
	{ base_off, f_svm, "format" },
	{ base_l2, f_format9, "format" },
	{ base_off, f_evmcs, "evmcs_enabled" },
	{ base_l2, f_evmcs, "evmcs_enabled" },
	{ base_evmcs, f_evmcs_disabled, "evmcs_enabled" },
	{ base_evmcs_l2, f_evmcs_disabled, "evmcs_enabled" },
	{ base_evmcs, f_evmcs_pa, "evmcs_or_vmcs12_pa" },
	{ base_evmcs_l2, f_evmcs_pa, "evmcs_or_vmcs12_pa" },
	{ base_evmcs, f_size_header, "size_vmcs12" },
	{ base_evmcs_l2, f_size_less, "size_vmcs12" },
	{ base_evmcs, f_revision, "revision" },
	{ base_evmcs_l2, f_revision_shadow, "revision" },
	{ base_vmxon, f_gif, "flags_known" },
	{ base_vmcs12, f_flags, "flags_known" },
	{ base_vmcs12, f_hdr_flags, "hdr_flags_known" },
	{ base_vmxon, f_hdr_flags2, "hdr_flags_known" },
	{ base_smm, f_smm_unknown, "smm_flags_known" },
	{ base_off, f_off_l2, "off_flags" },
	{ base_off, f_off_pending, "off_flags" },
	{ base_off, f_off_smm, "off_smm_flags" },
	{ base_off, f_vmcs12, "off_vmcs12_pa" },
	{ base_vmxon, f_no_vmx, "on_cpuid" },
	{ base_vmxon, f_vmxon_low, "vmxon_pa" },
	{ base_vmxon, f_vmxon_high, "vmxon_pa" },
	{ base_vmcs12, f_vmcs12_low, "vmcs12_pa" },
	{ base_vmcs12, f_vmcs12_high, "vmcs12_pa" },
	{ base_vmcs12, f_vmcs12_same, "vmcs12_not_vmxon" },
	{ base_vmcs12, f_size_header, "size_vmcs12" },
	{ base_vmcs12, f_size_less, "size_vmcs12" },
	{ base_vmxon, f_size_more, "size_no_vmcs12" },
	{ base_l2, f_no_vmcs12, "guest_mode_vmcs12" },
	{ base_vmcs12, f_pending, "run_pending_guest_mode" },
	{ base_vmcs12, f_mtf, "mtf_guest_mode" },
	{ base_smm, f_off_l2, "smm_or_guest_mode" },
	{ base_vmcs12, f_smm_only, "smm_flags_in_smm" },
	{ base_l2, f_smm_only, "smm_flags_in_smm" },
	{ base_smm, f_smm_l2_only, "smm_guest_mode_vmxon" },
	{ base_smm, f_no_vmcs12, "smm_guest_mode_vmcs12" },
	{ base_vmcs12, f_revision, "revision" },
	{ base_l2, f_revision_shadow, "revision" },
	{ base_shadow, f_size_more, "size_shadow" },
	{ base_shadow, f_shadow_revision, "shadow_revision" },
	{ base_shadow, f_no_shadow, "shadow_revision" },
};

static void test_accepted(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		bases[i]();
		assert_null(nested_state_check(&st.s, &env));
	}
	/* Without VMX in CPUID only "off" is left. */
	base_off();
	env.vmx = false;
	assert_null(nested_state_check(&st.s, &env));

	base_l2();
	st.s.flags |= KVM_STATE_NESTED_RUN_PENDING | KVM_STATE_NESTED_MTF_PENDING;
	st.s.hdr.vmx.flags = KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE;
	assert_null(nested_state_check(&st.s, &env));
	assert_true(nested_state_has_vmcs12(&st.s));

	/* The interface may be enabled and not in use, in VMX operation or outside. */
	base_off();
	env.evmcs = true;
	st.s.flags = KVM_STATE_NESTED_EVMCS;
	assert_null(nested_state_check(&st.s, &env));
	assert_false(nested_state_is_enlightened(&st.s));
	assert_false(nested_state_has_vmcs12(&st.s));
	base_l2();
	env.evmcs = true;
	assert_null(nested_state_check(&st.s, &env));
	assert_false(nested_state_is_enlightened(&st.s));
	base_evmcs();
	assert_true(nested_state_is_enlightened(&st.s));
	assert_true(nested_state_has_vmcs12(&st.s));

	/* More bytes than it has a use for. */
	base_vmcs12();
	st.s.size = NESTED_STATE_SIZE_SHADOW + 1;
	assert_null(nested_state_check(&st.s, &env));

	/* A shadow VMCS that L1 has made current. */
	vmcs12()->revision_id |= VMCS12_SHADOW;
	assert_null(nested_state_check(&st.s, &env));
}

static void test_refused(void **state)
{
	bool seen[64] = {};
	const char *row;
	unsigned int i, j;

	assert_in_range(nested_state_nr_rows(), 1, ARRAY_SIZE(seen));
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		refused[i].base();
		refused[i].change();
		row = nested_state_check(&st.s, &env);
		if (!row)
			fail_msg("case %u, %s: accepted", i, refused[i].row);
		assert_string_equal(row, refused[i].row);
		for (j = 0; j < nested_state_nr_rows(); j++)
			seen[j] |= !strcmp(nested_state_row_name(j), row);
	}
	for (j = 0; j < nested_state_nr_rows(); j++)
		if (!seen[j])
			fail_msg("row %s never refuses", nested_state_row_name(j));
}

static void l2_setup(variant_fn fn)
{
	base_l2();
	variant_setup(fn, vmcs12(), &caps12, &env12);
}

static const char *check_l2(u32 not_loaded)
{
	return nested_state_check_l2(vmcs12(), not_loaded, &view, &env12);
}

/* Whatever may be entered may be restored, without a look at memory. */
static void test_l2_variants(void **state)
{
	static const variant_fn all[] = { long64,     all_controls, x2apic_mode, protected32,
					  no_ept_pae, vm86,	    real_mode,	 l1_32,
					  inject_irq, inject_gp,    shadowed };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		l2_setup(all[i]);
		env12.vtpr_valid = false;
		env12.link_valid = false;
		env12.pdptes_valid = false;
		assert_null(check_l2(0));
		assert_null(check_l2(NESTED_NOT_LOADED_RUNNING));
		assert_null(check_l2(NESTED_NOT_LOADED_SMM));
	}
}

/* The event was delivered: the handler runs with IF = 0, and the event counts no more. */
static void test_l2_event_delivered(void **state)
{
	l2_setup(inject_irq);
	vmcs12()->guest_rflags &= ~(u64)X86_EFLAGS_IF;
	assert_string_equal(check_l2(0), "guest_if_for_irq");
	assert_null(check_l2(NESTED_NOT_LOADED_RUNNING));
	assert_false(view.vm_entry_intr_info_field & INTR_INFO_VALID_MASK);
}

/* L2 has changed EFER since its entry and L1 does not have it saved. */
static void test_l2_stale_efer(void **state)
{
	l2_setup(long64);
	vmcs12()->guest_ia32_efer = 0;
	assert_non_null(check_l2(0));
	assert_null(check_l2(NESTED_NOT_LOADED_RUNNING));
	assert_false(view.vm_entry_controls & VM_ENTRY_LOAD_IA32_EFER);
	assert_true(vmcs12()->vm_entry_controls & VM_ENTRY_LOAD_IA32_EFER);
}

static void test_l2_bad(void **state)
{
	l2_setup(long64);
	vmcs12()->guest_tr_ar_bytes |= 0x10000; /* unusable */
	assert_non_null(check_l2(NESTED_NOT_LOADED_RUNNING));
	l2_setup(long64);
	vmcs12()->host_cr0 = 0;
	assert_non_null(check_l2(NESTED_NOT_LOADED_RUNNING));
	l2_setup(long64);
	vmcs12()->ept_pointer |= 7;
	assert_non_null(check_l2(NESTED_NOT_LOADED_RUNNING));
	l2_setup(long64);
	vmcs12()->vm_entry_controls = 0;
	assert_non_null(check_l2(NESTED_NOT_LOADED_RUNNING));
}

/* Controls that nobody was offered. */
static void test_l2_not_offered(void **state)
{
	l2_setup(long64);
	vmcs12()->secondary_vm_exec_control |= SECONDARY_EXEC_ENABLE_PML;
	assert_non_null(check_l2(NESTED_NOT_LOADED_RUNNING));
}

static void test_random(void **state)
{
	u64 seed = 7;
	unsigned int i, j;

	for (i = 0; i < 100000; i++) {
		bases[i % ARRAY_SIZE(bases)]();
		for (j = 0; j < 3; j++)
			st.bytes[unit_rand(&seed) % (sizeof(st.s) + 8)] = unit_rand(&seed);
		if (!nested_state_check(&st.s, &env) && nested_state_has_vmcs12(&st.s))
			assert_true(st.s.size >= NESTED_STATE_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),       cmocka_unit_test(test_refused),
		cmocka_unit_test(test_l2_variants),    cmocka_unit_test(test_l2_event_delivered),
		cmocka_unit_test(test_l2_stale_efer),  cmocka_unit_test(test_l2_bad),
		cmocka_unit_test(test_l2_not_offered), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
