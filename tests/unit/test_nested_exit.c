/* link: nested/vmcs12.c nested/caps.c nested/enter.c nested/exit.c nested/check.c nested/check_ctls.c nested/check_host.c nested/check_guest.c nested/check_guest_seg.c nested/check_guest_late.c */
// SPDX-License-Identifier: GPL-2.0-only
/* Leaving L2: what is recorded, what L1 goes on with; the MSR lists. */
#include "nested_variants.h"
#include <linux/errno.h>
#include "nested/enter.h"

static struct vmx_caps caps12;
static struct vmcs12 v12;
static struct nested_check_env env12;
static const struct l2_last last12 = {
	.cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_ET | X86_CR0_TS,
	.efer = EFER_LMA | EFER_LME | EFER_SCE,
	.pat = 0x0606060606060606,
};

static void reset(variant_fn fn)
{
	variant_setup(fn, &v12, &caps12, &env12);
}

/* -- Exit information ------------------------------------------------------ */

static void test_exit_info(void **state)
{
	struct vcpu_exit e = {
		.reason = EXIT_REASON_EPT_VIOLATION,
		.qual = 0x181,
		.gpa = 0x1234000,
		.gla = 0xffff888000001000,
		.insn_len = 3,
		.insn_info = 0x77,
		.intr_info = 0x80000b0e,
		.intr_error = 9,
		.idt_info = 0x80000b0d,
		.idt_error = 5,
	};

	reset(inject_gp);
	nested_save_exit_info(&v12, &e);
	assert_int_equal(v12.vm_exit_reason, EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(v12.exit_qualification, 0x181);
	assert_int_equal(v12.guest_physical_address, 0x1234000);
	assert_int_equal(v12.guest_linear_address, 0xffff888000001000);
	assert_int_equal(v12.vm_exit_instruction_len, 3);
	assert_int_equal(v12.vmx_instruction_info, 0x77);
	assert_int_equal(v12.vm_exit_intr_info, 0); /* not an event's exit */
	assert_int_equal(v12.idt_vectoring_info_field, 0x80000b0d);
	assert_int_equal(v12.idt_vectoring_error_code, 5);
	/* only the valid bit of the injected event goes */
	assert_int_equal(v12.vm_entry_intr_info_field, 0xb0d);

	e.reason = EXIT_REASON_EXCEPTION_NMI;
	e.idt_info = 0x0d;
	nested_save_exit_info(&v12, &e);
	assert_int_equal(v12.vm_exit_intr_info, 0x80000b0e);
	assert_int_equal(v12.vm_exit_intr_error_code, 9);
	assert_int_equal(v12.idt_vectoring_info_field, 0);
}

/* KVM_SET_VCPU_EVENTS queues exceptions with any error code; processors save 16 bits of it. */
static void test_error_code_width(void **state)
{
	struct vcpu_exit e = {
		.reason = EXIT_REASON_EXCEPTION_NMI,
		.intr_info = 0x80000b0c,
		.intr_error = 0xdeadbeef,
		.idt_info = 0x80000b0d,
		.idt_error = 0xcafe0002,
	};

	reset(inject_gp);
	nested_save_exit_info(&v12, &e);
	assert_int_equal(v12.vm_exit_intr_error_code, 0xbeef);
	assert_int_equal(v12.idt_vectoring_error_code, 2);
}

static void test_entry_failure(void **state)
{
	reset(inject_gp);
	v12.vm_exit_intr_info = 0x1234;
	v12.idt_vectoring_info_field = 0x5678;
	nested_save_entry_failure(&v12, EXIT_REASON_INVALID_STATE, 2);
	assert_int_equal(v12.vm_exit_reason, 0x80000000u | 33);
	assert_int_equal(v12.exit_qualification, 2);
	assert_int_equal(v12.vm_exit_intr_info, 0x1234);
	assert_int_equal(v12.idt_vectoring_info_field, 0x5678);
	assert_true(v12.vm_entry_intr_info_field & INTR_INFO_VALID_MASK);
}

static void test_idt_vectoring(void **state)
{
	static const struct {
		u32 info, want;
		bool len;
	} c[] = {
		{ 0x80000020, 0x80000020, false }, /* external interrupt */
		{ 0x80000202, 0x80000202, false }, /* NMI */
		{ 0x80000306, 0x80000306, false }, /* #UD */
		{ 0x80000b0e, 0x80000b0e, false }, /* #PF */
		{ 0x80001b0e, 0x80000b0e, false }, /* bit 12 is not defined here */
		{ 0x80000480, 0x80000480, true },  /* INT 80h */
		{ 0x80000501, 0x80000501, true },  /* INT1 */
		{ 0x80000603, 0x80000603, true },  /* INT3 */
		{ 0x80000700, 0, false },	   /* pending MTF */
		{ 0x00000b0e, 0, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		reset(long64);
		v12.idt_vectoring_info_field = ~0u;
		v12.vm_exit_instruction_len = 1;
		nested_save_idt_vectoring(&v12, c[i].info, 6, 2);
		assert_int_equal(v12.idt_vectoring_info_field, c[i].want);
		assert_int_equal(v12.idt_vectoring_error_code,
				 c[i].want & INTR_INFO_DELIVER_CODE_MASK ? 6 : 0);
		assert_int_equal(v12.vm_exit_instruction_len, c[i].len ? 2 : 1);
	}
}

/* -- Host state ------------------------------------------------------------ */

static void assert_seg(const struct x86_seg *s, u16 selector, u64 base, u32 limit, u32 ar)
{
	assert_int_equal(s->selector, selector);
	assert_int_equal(s->base, base);
	assert_int_equal(s->limit, limit);
	assert_int_equal(s->ar, ar);
}

static void test_host_64(void **state)
{
	struct l1_state l1;

	reset(long64);
	nested_load_host_state(&l1, &v12, &last12);
	assert_int_equal(l1.cr0, v12.host_cr0);
	assert_int_equal(l1.cr3, v12.host_cr3);
	assert_int_equal(l1.cr4, v12.host_cr4);
	assert_int_equal(l1.efer, v12.host_ia32_efer);
	assert_int_equal(l1.pat, v12.host_ia32_pat);
	assert_int_equal(l1.rip, v12.host_rip);
	assert_int_equal(l1.rsp, v12.host_rsp);
	assert_int_equal(l1.rflags, 2);
	assert_int_equal(l1.dr7, 0x400);
	assert_int_equal(l1.debugctl, 0);
	assert_int_equal(l1.sysenter_esp, v12.host_ia32_sysenter_esp);
	assert_int_equal(l1.sysenter_eip, v12.host_ia32_sysenter_eip);
	assert_seg(&l1.seg[X86_CS], 0x10, 0, ~0u, 0xa09b);
	assert_seg(&l1.seg[X86_SS], 0x18, 0, ~0u, 0xc093);
	assert_seg(&l1.seg[X86_DS], 0, 0, ~0u, 0x1c093);
	assert_seg(&l1.seg[X86_ES], 0, 0, ~0u, 0x1c093);
	assert_seg(&l1.seg[X86_FS], 0, v12.host_fs_base, ~0u, 0x1c093);
	assert_seg(&l1.seg[X86_GS], 0, v12.host_gs_base, ~0u, 0x1c093);
	assert_seg(&l1.seg[X86_TR], 0x40, v12.host_tr_base, 0x67, 0x8b);
	assert_seg(&l1.seg[X86_LDTR], 0, 0, 0, 0x10000);
	assert_int_equal(l1.gdt.base, v12.host_gdtr_base);
	assert_int_equal(l1.gdt.limit, 0xffff);
	assert_int_equal(l1.idt.base, v12.host_idtr_base);
	assert_false(l1.load_pdptes);
	assert_false(l1.block_nmi);
}

static void test_host_32(void **state)
{
	struct l1_state l1;

	reset(l1_32);
	v12.vm_exit_controls &= ~(VM_EXIT_LOAD_IA32_EFER | VM_EXIT_LOAD_IA32_PAT);
	v12.host_cr4 |= X86_CR4_PCIDE;
	nested_load_host_state(&l1, &v12, &last12);
	assert_int_equal(l1.seg[X86_CS].ar, 0xc09b);
	assert_false(l1.cr4 & X86_CR4_PCIDE);
	assert_true(l1.load_pdptes);
	assert_int_equal(l1.efer, EFER_SCE); /* L2's, out of IA-32e mode */
	assert_int_equal(l1.pat, last12.pat);

	reset(long64);
	v12.vm_exit_controls &= ~VM_EXIT_LOAD_IA32_EFER;
	nested_load_host_state(&l1, &v12, &last12);
	assert_int_equal(l1.efer, EFER_SCE | EFER_LMA | EFER_LME);
}

/* CD and NW are not loaded; reserved bits never reach a register. */
static void test_host_cr0(void **state)
{
	struct l2_last last = last12;
	struct l1_state l1;

	reset(long64);
	v12.host_cr0 = 0xffffffff;
	nested_load_host_state(&l1, &v12, &last);
	assert_int_equal(l1.cr0, 0x8005003f);
	last.cr0 |= X86_CR0_CD;
	nested_load_host_state(&l1, &v12, &last);
	assert_int_equal(l1.cr0, 0xc005003f);
}

static void test_host_nmi(void **state)
{
	struct l1_state l1;

	reset(long64);
	v12.vm_exit_reason = EXIT_REASON_EXCEPTION_NMI;
	v12.vm_exit_intr_info = 0x80000202;
	nested_load_host_state(&l1, &v12, &last12);
	assert_true(l1.block_nmi);
	v12.vm_exit_intr_info = 0x8000030e;
	nested_load_host_state(&l1, &v12, &last12);
	assert_false(l1.block_nmi);
	v12.vm_exit_reason = EXIT_REASON_CPUID;
	v12.vm_exit_intr_info = 0x80000202;
	nested_load_host_state(&l1, &v12, &last12);
	assert_false(l1.block_nmi);
}

/* -- MSR lists ------------------------------------------------------------- */

#define LIST_GPA  0x100
#define LIST_SIZE 600
static struct vmx_msr_entry_12 list[LIST_SIZE];
static u64 msr_efer;
static unsigned int msr_calls;

static int list_read(void *ctx, u64 gpa, void *buf, u32 len)
{
	if (gpa < LIST_GPA || gpa + len > LIST_GPA + sizeof(list))
		return -EFAULT;
	memcpy(buf, (u8 *)list + gpa - LIST_GPA, len);
	return 0;
}

static int list_write(void *ctx, u64 gpa, const void *buf, u32 len)
{
	if (gpa < LIST_GPA || gpa + len > LIST_GPA + sizeof(list))
		return -EFAULT;
	memcpy((u8 *)list + gpa - LIST_GPA, buf, len);
	return 0;
}

static int msr_get(void *ctx, u32 index, u64 *val)
{
	msr_calls++;
	*val = 0xabcd;
	return index == MSR_EFER ? 0 : 1;
}

static int msr_set(void *ctx, u32 index, u64 val)
{
	msr_calls++;
	if (index != MSR_EFER)
		return 1;
	msr_efer = val;
	return 0;
}

static const struct nested_msr_ops msr_ops = {
	.read_gpa = list_read,
	.write_gpa = list_write,
	.get_msr = msr_get,
	.set_msr = msr_set,
	.x2apic = true,
};

static void reset_lists(u32 count)
{
	unsigned int i;

	reset(long64);
	msr_calls = 0;
	for (i = 0; i < LIST_SIZE; i++)
		list[i] = (struct vmx_msr_entry_12){ .index = MSR_EFER, .value = i };
	v12.vm_entry_msr_load_addr = LIST_GPA;
	v12.vm_entry_msr_load_count = count;
	v12.vm_exit_msr_load_addr = LIST_GPA;
	v12.vm_exit_msr_load_count = count;
	v12.vm_exit_msr_store_addr = LIST_GPA;
	v12.vm_exit_msr_store_count = count;
}

static void test_msr_load(void **state)
{
	reset_lists(0);
	assert_int_equal(nested_entry_msr_load(&v12, &caps12, &msr_ops), 0);
	assert_int_equal(msr_calls, 0);
	reset_lists(3);
	assert_int_equal(nested_entry_msr_load(&v12, &caps12, &msr_ops), 0);
	assert_int_equal(msr_efer, 2);
	assert_int_equal(nested_exit_msr_load(&v12, &caps12, &msr_ops), 0);
	/* the qualification counts from one */
	list[1].index = MSR_FS_BASE;
	assert_int_equal(nested_entry_msr_load(&v12, &caps12, &msr_ops), 2);
	assert_int_equal(msr_efer, 0);
	list[1].index = 0x10; /* WRMSR faults */
	assert_int_equal(nested_exit_msr_load(&v12, &caps12, &msr_ops), 2);
	list[0].reserved = 1;
	assert_int_equal(nested_exit_msr_load(&v12, &caps12, &msr_ops), 1);
	v12.vm_entry_msr_load_addr = 0x100000;
	assert_int_equal(nested_entry_msr_load(&v12, &caps12, &msr_ops), 1);
}

static void test_msr_store(void **state)
{
	reset_lists(2);
	assert_int_equal(nested_exit_msr_store(&v12, &caps12, &msr_ops), 0);
	assert_int_equal(list[0].value, 0xabcd);
	assert_int_equal(list[1].value, 0xabcd);
	assert_int_equal(list[2].value, 2);
	list[1].index = 0x808;
	assert_int_equal(nested_exit_msr_store(&v12, &caps12, &msr_ops), 2);
	list[1].index = 0x10; /* RDMSR faults */
	assert_int_equal(nested_exit_msr_store(&v12, &caps12, &msr_ops), 2);
}

/* However long L1 says that its list is. */
static void test_msr_bound(void **state)
{
	reset_lists(512);
	assert_int_equal(nested_entry_msr_load(&v12, &caps12, &msr_ops), 0);
	reset_lists(~0u);
	assert_int_equal(nested_entry_msr_load(&v12, &caps12, &msr_ops), 513);
	assert_int_equal(msr_calls, 512);
	assert_int_equal(nested_exit_msr_store(&v12, &caps12, &msr_ops), 513);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_info),	 cmocka_unit_test(test_entry_failure),
		cmocka_unit_test(test_idt_vectoring),	 cmocka_unit_test(test_host_64),
		cmocka_unit_test(test_host_32),		 cmocka_unit_test(test_host_cr0),
		cmocka_unit_test(test_host_nmi),	 cmocka_unit_test(test_msr_load),
		cmocka_unit_test(test_msr_store),	 cmocka_unit_test(test_msr_bound),
		cmocka_unit_test(test_error_code_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
