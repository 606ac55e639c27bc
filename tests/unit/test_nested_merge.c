/* link: nested/vmcs12.c nested/caps.c nested/merge.c */
// SPDX-License-Identifier: GPL-2.0-only
/* The merge: who decides each bit of what L2 runs with. */
#include "nested_fixture.h"
#include "nested/merge.h"

static struct vmx_caps caps12;
static struct vmcs12 v12;
static struct l0_controls l0;
static struct l2_controls out;

static void reset(void)
{
	fixture_caps(&caps12);
	fixture_vmcs12(&v12, &caps12);
	l0 = (struct l0_controls){
		.pin = PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING | PIN_BASED_VIRTUAL_NMIS |
		       0x16,
		.proc = CPU_BASED_HLT_EXITING | CPU_BASED_UNCOND_IO_EXITING |
			CPU_BASED_USE_TSC_OFFSETTING | CPU_BASED_USE_MSR_BITMAPS |
			CPU_BASED_ACTIVATE_SECONDARY_CONTROLS,
		.proc2 = SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_ENABLE_VPID |
			 SECONDARY_EXEC_UNRESTRICTED_GUEST | SECONDARY_EXEC_ENABLE_RDTSCP |
			 SECONDARY_EXEC_ENABLE_INVPCID | SECONDARY_EXEC_XSAVES,
		.exit = VM_EXIT_HOST_ADDR_SPACE_SIZE | VM_EXIT_ACK_INTR_ON_EXIT,
		.entry = VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_IA32E_MODE,
		.exception_bitmap = 1 << 18,
		.cr0_mask = X86_CR0_NE,
		.cr4_mask = X86_CR4_VMXE,
		.tsc_offset = -1000,
		.vpid = 7,
		.ple_gap = 128,
		.ple_window = 4096,
		.l1_efer = EFER_LMA | EFER_LME | EFER_NX,
		.l1_pat = 0x606060606060606,
		.l1_debugctl = 1,
		.l1_dr7 = 0x401,
		.can_tpr_shadow = true,
		.can_apic_access = true,
		.can_x2apic_mode = true,
		.can_preemption_timer = true,
		.can_msr_bitmap = true,
	};
}

static void merge(void)
{
	nested_merge(&out, &v12, &l0);
}

static void test_pin(void **state)
{
	reset();
	merge();
	assert_int_equal(out.pin, l0.pin);
	v12.pin_based_vm_exec_control |= PIN_BASED_VMX_PREEMPTION_TIMER;
	v12.vmx_preemption_timer_value = 1234;
	merge();
	assert_int_equal(out.pin, l0.pin | PIN_BASED_VMX_PREEMPTION_TIMER);
	assert_false(out.exit & VM_EXIT_SAVE_VMX_PREEMPTION_TIMER);
	l0.can_preemption_timer = false;
	l0.pin |= PIN_BASED_VMX_PREEMPTION_TIMER;
	merge();
	assert_false(out.pin & PIN_BASED_VMX_PREEMPTION_TIMER);
	assert_false(out.exit & VM_EXIT_SAVE_VMX_PREEMPTION_TIMER);
}

/* What makes L2 exit is set when either wants it. */
static void test_proc_either(void **state)
{
	static const u32 bits[] = {
		CPU_BASED_INTR_WINDOW_EXITING, CPU_BASED_HLT_EXITING,
		CPU_BASED_INVLPG_EXITING,      CPU_BASED_MWAIT_EXITING,
		CPU_BASED_RDPMC_EXITING,       CPU_BASED_RDTSC_EXITING,
		CPU_BASED_CR3_LOAD_EXITING,    CPU_BASED_CR3_STORE_EXITING,
		CPU_BASED_NMI_WINDOW_EXITING,  CPU_BASED_MOV_DR_EXITING,
		CPU_BASED_MONITOR_TRAP_FLAG,   CPU_BASED_MONITOR_EXITING,
		CPU_BASED_PAUSE_EXITING,
	};
	unsigned int i, who;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		for (who = 0; who < 4; who++) {
			reset();
			v12.cpu_based_vm_exec_control &= ~bits[i];
			l0.proc &= ~bits[i];
			if (who & 1)
				v12.cpu_based_vm_exec_control |= bits[i];
			if (who & 2)
				l0.proc |= bits[i];
			merge();
			assert_int_equal(!!(out.proc & bits[i]), who != 0);
		}
	}
}

static void test_proc_special(void **state)
{
	reset();
	v12.cpu_based_vm_exec_control &= ~CPU_BASED_USE_TSC_OFFSETTING;
	v12.cpu_based_vm_exec_control |= CPU_BASED_USE_IO_BITMAPS;
	merge();
	assert_true(out.proc & CPU_BASED_USE_TSC_OFFSETTING);
	assert_true(out.proc & CPU_BASED_UNCOND_IO_EXITING);
	assert_false(out.proc & CPU_BASED_USE_IO_BITMAPS);
	/* L1 without MSR bitmap wants every MSR exit */
	assert_false(out.proc & CPU_BASED_USE_MSR_BITMAPS);
	v12.cpu_based_vm_exec_control |= CPU_BASED_USE_MSR_BITMAPS;
	merge();
	assert_true(out.proc & CPU_BASED_USE_MSR_BITMAPS);
	l0.can_msr_bitmap = false;
	merge();
	assert_false(out.proc & CPU_BASED_USE_MSR_BITMAPS);
}

#define CR8_BOTH (CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING)

static void test_tpr(void **state)
{
	reset();
	merge();
	assert_int_equal(out.proc & (CR8_BOTH | CPU_BASED_TPR_SHADOW), CR8_BOTH);
	v12.cpu_based_vm_exec_control |= CPU_BASED_TPR_SHADOW;
	v12.tpr_threshold = 5;
	merge();
	assert_int_equal(out.proc & (CR8_BOTH | CPU_BASED_TPR_SHADOW), CPU_BASED_TPR_SHADOW);
	assert_int_equal(out.tpr_threshold, 5);
	v12.secondary_vm_exec_control |= SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE;
	merge();
	assert_true(out.proc2 & SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE);
	l0.can_tpr_shadow = false;
	merge();
	assert_int_equal(out.proc & (CR8_BOTH | CPU_BASED_TPR_SHADOW), CR8_BOTH);
	assert_int_equal(out.tpr_threshold, 0);
	assert_false(out.proc2 & SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE);
}

static void proc2_case(u32 bit, bool none, bool l1, bool l0_only, bool both)
{
	const bool want[4] = { none, l1, l0_only, both };
	unsigned int who;

	for (who = 0; who < 4; who++) {
		reset();
		v12.secondary_vm_exec_control &= ~bit;
		l0.proc2 &= ~bit;
		if (who & 1)
			v12.secondary_vm_exec_control |= bit;
		if (who & 2)
			l0.proc2 |= bit;
		merge();
		assert_int_equal(!!(out.proc2 & bit), want[who]);
	}
}

static void test_proc2(void **state)
{
	/* either */
	proc2_case(SECONDARY_EXEC_DESC, 0, 1, 1, 1);
	proc2_case(SECONDARY_EXEC_WBINVD_EXITING, 0, 1, 1, 1);
	proc2_case(SECONDARY_EXEC_RDRAND_EXITING, 0, 1, 1, 1);
	proc2_case(SECONDARY_EXEC_RDSEED_EXITING, 0, 1, 1, 1);
	proc2_case(SECONDARY_EXEC_PAUSE_LOOP_EXITING, 0, 1, 1, 1);
	/* both */
	proc2_case(SECONDARY_EXEC_ENABLE_RDTSCP, 0, 0, 0, 1);
	proc2_case(SECONDARY_EXEC_ENABLE_INVPCID, 0, 0, 0, 1);
	proc2_case(SECONDARY_EXEC_XSAVES, 0, 0, 0, 1);
	proc2_case(SECONDARY_EXEC_UNRESTRICTED_GUEST, 0, 0, 0, 1);
	/* L0 */
	proc2_case(SECONDARY_EXEC_ENABLE_EPT, 0, 0, 1, 1);
	proc2_case(SECONDARY_EXEC_ENABLE_VPID, 0, 0, 1, 1);
	proc2_case(SECONDARY_EXEC_ENABLE_PML, 0, 0, 1, 1);
	/* L1, where the hardware can use its page; nothing else gets through */
	proc2_case(SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES, 0, 1, 0, 1);
	proc2_case(SECONDARY_EXEC_SHADOW_VMCS, 0, 0, 0, 0);
	proc2_case(SECONDARY_EXEC_ENABLE_VMFUNC, 0, 0, 0, 0);
	proc2_case(SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY, 0, 0, 0, 0);
	reset();
	v12.secondary_vm_exec_control = SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES;
	l0.can_apic_access = false;
	merge();
	assert_false(out.proc2 & SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES);
}

/* Secondary controls that L1 did not activate are as good as 0. */
static void test_proc2_inactive(void **state)
{
	reset();
	v12.cpu_based_vm_exec_control &= ~CPU_BASED_ACTIVATE_SECONDARY_CONTROLS;
	v12.secondary_vm_exec_control = ~0u;
	merge();
	assert_int_equal(out.proc2, SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_ENABLE_VPID);
	assert_true(out.proc & CPU_BASED_ACTIVATE_SECONDARY_CONTROLS);
}

static void test_ple_xss(void **state)
{
	reset();
	merge();
	assert_int_equal(out.ple_gap, 128);
	v12.secondary_vm_exec_control |= SECONDARY_EXEC_PAUSE_LOOP_EXITING | SECONDARY_EXEC_XSAVES;
	v12.ple_gap = 1;
	v12.ple_window = 2;
	v12.xss_exit_bitmap = 0xf0;
	l0.xss_exit_bitmap = 0x0f;
	merge();
	assert_int_equal(out.ple_gap, 1);
	assert_int_equal(out.ple_window, 2);
	assert_int_equal(out.xss_exit_bitmap, 0xff);
}

static void test_exit_entry(void **state)
{
	reset();
	v12.vm_exit_controls = ~0u;
	merge();
	assert_int_equal(out.exit, l0.exit);
	assert_int_equal(out.entry, l0.entry);
	v12.vm_entry_controls &= ~VM_ENTRY_IA32E_MODE;
	merge();
	assert_int_equal(out.entry, VM_ENTRY_LOAD_IA32_EFER);
	l0.entry &= ~VM_ENTRY_IA32E_MODE;
	v12.vm_entry_controls = ~0u;
	merge();
	assert_int_equal(out.entry, VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_IA32E_MODE);
}

static void test_exceptions(void **state)
{
	reset();
	v12.exception_bitmap = 1 << 14 | 1 << 6;
	v12.page_fault_error_code_mask = 1;
	v12.page_fault_error_code_match = 1;
	merge();
	assert_int_equal(out.exception_bitmap, 1 << 14 | 1 << 6 | 1 << 18);
	assert_int_equal(out.pfec_mask, 1);
	assert_int_equal(out.pfec_match, 1);
	l0.exception_bitmap |= 1 << 14;
	merge();
	assert_int_equal(out.pfec_mask, 0);
	assert_int_equal(out.pfec_match, 0);
}

/* For every combination of owner and value of one bit: what does L2 read? */
static void test_crs(void **state)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		bool m1 = i & 1, m0 = i & 2, shadow = i & 4, guest = i & 8;
		const u64 ts = X86_CR0_TS;

		reset();
		v12.cr0_guest_host_mask = m1 ? ts : 0;
		l0.cr0_mask = m0 ? ts : 0;
		v12.cr0_read_shadow = shadow ? ts : 0;
		v12.guest_cr0 = guest ? ts : 0;
		v12.cr4_guest_host_mask = v12.cr0_guest_host_mask;
		l0.cr4_mask = l0.cr0_mask;
		v12.cr4_read_shadow = v12.cr0_read_shadow;
		v12.guest_cr4 = v12.guest_cr0;
		merge();
		assert_int_equal(out.cr0_mask, m0 || m1 ? ts : 0);
		assert_int_equal(out.cr0_shadow, (m1 ? shadow : guest) ? ts : 0);
		assert_int_equal(out.cr0, guest ? ts : 0);
		assert_int_equal(out.cr4_mask, out.cr0_mask);
		assert_int_equal(out.cr4_shadow, out.cr0_shadow);
		assert_int_equal(out.cr4, out.cr0);
	}
}

static void test_msrs(void **state)
{
	reset();
	v12.guest_ia32_debugctl = 2;
	merge();
	assert_int_equal(out.efer, v12.guest_ia32_efer);
	assert_int_equal(out.pat, v12.guest_ia32_pat);
	assert_int_equal(out.debugctl, 2);
	assert_int_equal(out.dr7, v12.guest_dr7);

	v12.vm_entry_controls = VM_ENTRY_IA32E_MODE;
	merge();
	assert_int_equal(out.efer, l0.l1_efer);
	assert_int_equal(out.pat, l0.l1_pat);
	assert_int_equal(out.debugctl, l0.l1_debugctl);
	assert_int_equal(out.dr7, l0.l1_dr7);

	/* LMA follows the control, LME only if paging is on */
	v12.vm_entry_controls = 0;
	merge();
	assert_int_equal(out.efer, EFER_NX);
	v12.guest_cr0 &= ~X86_CR0_PG;
	merge();
	assert_int_equal(out.efer, EFER_NX | EFER_LME);
}

static void test_event(void **state)
{
	reset();
	v12.vm_entry_intr_info_field = 0x80000b0d;
	v12.vm_entry_exception_error_code = 4;
	v12.vm_entry_instruction_len = 3;
	merge();
	assert_int_equal(out.intr_info, 0x80000b0d);
	assert_int_equal(out.intr_error, 4);
	assert_int_equal(out.insn_len, 3);
	v12.vm_entry_intr_info_field = 0x00000b0d;
	merge();
	assert_int_equal(out.intr_info, 0);
	assert_int_equal(out.vpid, 7);
}

static void test_tsc(void **state)
{
	const u64 one = 1ull << TSC_MULTIPLIER_FRACTION;

	reset();
	v12.tsc_offset = 300;
	merge();
	assert_int_equal((s64)out.tsc_offset, -1000); /* L1 does not use offsetting */
	v12.cpu_based_vm_exec_control |= CPU_BASED_USE_TSC_OFFSETTING;
	merge();
	assert_int_equal((s64)out.tsc_offset, -700);
	assert_int_equal(out.tsc_multiplier, 0);
	assert_false(out.proc2 & SECONDARY_EXEC_TSC_SCALING);

	v12.secondary_vm_exec_control |= SECONDARY_EXEC_TSC_SCALING;
	v12.tsc_multiplier = one * 2;
	merge();
	assert_int_equal((s64)out.tsc_offset, -1700);
	assert_int_equal(out.tsc_multiplier, one * 2);
	assert_true(out.proc2 & SECONDARY_EXEC_TSC_SCALING);
	l0.tsc_multiplier = one / 2;
	l0.tsc_offset = 1000;
	merge();
	assert_int_equal((s64)out.tsc_offset, 2300);
	assert_int_equal(out.tsc_multiplier, one);
	/* offsetting off: L1's multiplier has no effect */
	v12.cpu_based_vm_exec_control &= ~CPU_BASED_USE_TSC_OFFSETTING;
	merge();
	assert_int_equal(out.tsc_multiplier, one / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pin),	     cmocka_unit_test(test_proc_either),
		cmocka_unit_test(test_proc_special), cmocka_unit_test(test_tpr),
		cmocka_unit_test(test_proc2),	     cmocka_unit_test(test_proc2_inactive),
		cmocka_unit_test(test_ple_xss),	     cmocka_unit_test(test_exit_entry),
		cmocka_unit_test(test_exceptions),   cmocka_unit_test(test_crs),
		cmocka_unit_test(test_msrs),	     cmocka_unit_test(test_event),
		cmocka_unit_test(test_tsc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
