/* link: nested/vmcs12.c nested/caps.c nested/reflect.c */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every row of the exit table, both ways where there are two ways, and every
 * reason that has no row.
 */
#include "nested_fixture.h"
#include "nested/reflect.h"

static struct vmcs12 v12;
static struct vcpu_exit exit12;
static u64 regs12[X86_NR_REGS];
static struct reflect_ctx ctx12;

/* L1's memory: three bitmap pages at 0x1000, 0x2000 and 0x3000. */
static u8 l1_mem[0x4000];

static int read_l1(void *ctx, u64 gpa, void *buf, u32 len)
{
	if (gpa + len > sizeof(l1_mem))
		return -1;
	memcpy(buf, l1_mem + gpa, len);
	return 0;
}

static void reset(void)
{
	memset(&v12, 0, sizeof(v12));
	memset(&exit12, 0, sizeof(exit12));
	memset(regs12, 0, sizeof(regs12));
	memset(l1_mem, 0, sizeof(l1_mem));
	v12.io_bitmap_a = 0x1000;
	v12.io_bitmap_b = 0x2000;
	v12.msr_bitmap = 0x3000;
	/* secondary controls count only when active */
	v12.cpu_based_vm_exec_control = CPU_BASED_ACTIVATE_SECONDARY_CONTROLS;
	ctx12 = (struct reflect_ctx){
		.v = &v12,
		.e = &exit12,
		.regs = regs12,
		.l2_64bit = true,
		.read_l1 = read_l1,
	};
}

/* What L1 gets whatever it set. */
static const u32 always_l1[] = {
	EXIT_REASON_TRIPLE_FAULT, EXIT_REASON_TASK_SWITCH,
	EXIT_REASON_CPUID,	  11,
	EXIT_REASON_INVD,	  EXIT_REASON_VMCALL,
	EXIT_REASON_VMCLEAR,	  EXIT_REASON_VMLAUNCH,
	EXIT_REASON_VMPTRLD,	  EXIT_REASON_VMPTRST,
	EXIT_REASON_VMREAD,	  EXIT_REASON_VMRESUME,
	EXIT_REASON_VMWRITE,	  EXIT_REASON_VMOFF,
	EXIT_REASON_VMON,	  EXIT_REASON_INVEPT,
	EXIT_REASON_INVVPID,	  EXIT_REASON_XSETBV,
};

/* What it never gets through this table. */
static const u32 always_l0[] = {
	EXIT_REASON_EXTERNAL_INTERRUPT,
	EXIT_REASON_INIT_SIGNAL,
	EXIT_REASON_SIPI_SIGNAL,
	5,
	6,
	17,
	EXIT_REASON_INVALID_STATE,
	EXIT_REASON_MSR_LOAD_FAIL,
	EXIT_REASON_MCE_DURING_VMENTRY,
	EXIT_REASON_EOI_INDUCED,
	EXIT_REASON_EPT_VIOLATION,
	EXIT_REASON_EPT_MISCONFIG,
	EXIT_REASON_APIC_WRITE,
	EXIT_REASON_VMFUNC,
	EXIT_REASON_ENCLS,
	EXIT_REASON_PML_FULL,
	EXIT_REASON_UMWAIT,
	EXIT_REASON_TPAUSE,
	EXIT_REASON_BUS_LOCK,
	EXIT_REASON_NOTIFY,
};

/* What L1 gets if a control is set. */
static const struct {
	u32 reason, pin, proc, proc2;
} by_control[] = {
	{ EXIT_REASON_INTERRUPT_WINDOW, 0, CPU_BASED_INTR_WINDOW_EXITING, 0 },
	{ EXIT_REASON_NMI_WINDOW, 0, CPU_BASED_NMI_WINDOW_EXITING, 0 },
	{ EXIT_REASON_HLT, 0, CPU_BASED_HLT_EXITING, 0 },
	{ EXIT_REASON_INVLPG, 0, CPU_BASED_INVLPG_EXITING, 0 },
	{ EXIT_REASON_RDPMC, 0, CPU_BASED_RDPMC_EXITING, 0 },
	{ EXIT_REASON_RDTSC, 0, CPU_BASED_RDTSC_EXITING, 0 },
	{ EXIT_REASON_DR_ACCESS, 0, CPU_BASED_MOV_DR_EXITING, 0 },
	{ EXIT_REASON_IO_INSTRUCTION, 0, CPU_BASED_UNCOND_IO_EXITING, 0 },
	{ EXIT_REASON_MWAIT_INSTRUCTION, 0, CPU_BASED_MWAIT_EXITING, 0 },
	{ EXIT_REASON_MONITOR_TRAP_FLAG, 0, CPU_BASED_MONITOR_TRAP_FLAG, 0 },
	{ EXIT_REASON_MONITOR_INSTRUCTION, 0, CPU_BASED_MONITOR_EXITING, 0 },
	{ EXIT_REASON_PAUSE_INSTRUCTION, 0, CPU_BASED_PAUSE_EXITING, 0 },
	{ EXIT_REASON_PAUSE_INSTRUCTION, 0, 0, SECONDARY_EXEC_PAUSE_LOOP_EXITING },
	{ EXIT_REASON_TPR_BELOW_THRESHOLD, 0, CPU_BASED_TPR_SHADOW, 0 },
	{ EXIT_REASON_APIC_ACCESS, 0, 0, SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES },
	{ EXIT_REASON_GDTR_IDTR, 0, 0, SECONDARY_EXEC_DESC },
	{ EXIT_REASON_LDTR_TR, 0, 0, SECONDARY_EXEC_DESC },
	{ EXIT_REASON_RDTSCP, 0, CPU_BASED_RDTSC_EXITING, SECONDARY_EXEC_ENABLE_RDTSCP },
	{ EXIT_REASON_PREEMPTION_TIMER, PIN_BASED_VMX_PREEMPTION_TIMER, 0, 0 },
	{ EXIT_REASON_WBINVD, 0, 0, SECONDARY_EXEC_WBINVD_EXITING },
	{ EXIT_REASON_RDRAND, 0, 0, SECONDARY_EXEC_RDRAND_EXITING },
	{ EXIT_REASON_INVPCID, 0, CPU_BASED_INVLPG_EXITING, SECONDARY_EXEC_ENABLE_INVPCID },
	{ EXIT_REASON_RDSEED, 0, 0, SECONDARY_EXEC_RDSEED_EXITING },
};

/* Rows whose condition is more than a control; each has its own test below. */
static const u32 irregular[] = {
	EXIT_REASON_EXCEPTION_NMI, EXIT_REASON_CR_ACCESS, EXIT_REASON_MSR_READ,
	EXIT_REASON_MSR_WRITE,	   EXIT_REASON_XSAVES,	  EXIT_REASON_XRSTORS,
};

static enum nested_exit_owner owner(u32 reason)
{
	exit12.reason = reason;
	return nested_exit_owner(&ctx12);
}

static void set_all_controls(void)
{
	v12.pin_based_vm_exec_control = ~0u;
	v12.cpu_based_vm_exec_control = ~0u & ~CPU_BASED_USE_IO_BITMAPS;
	v12.secondary_vm_exec_control = ~0u;
}

static void test_always(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(always_l1); i++) {
		reset();
		assert_int_equal(owner(always_l1[i]), NESTED_EXIT_L1);
	}
	for (i = 0; i < ARRAY_SIZE(always_l0); i++) {
		reset();
		set_all_controls();
		assert_int_equal(owner(always_l0[i]), NESTED_EXIT_L0);
	}
}

static void test_by_control(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(by_control); i++) {
		reset();
		assert_int_equal(owner(by_control[i].reason), NESTED_EXIT_L0);
		v12.pin_based_vm_exec_control |= by_control[i].pin;
		v12.cpu_based_vm_exec_control |= by_control[i].proc;
		v12.secondary_vm_exec_control |= by_control[i].proc2;
		assert_int_equal(owner(by_control[i].reason), NESTED_EXIT_L1);
		if (!by_control[i].proc2)
			continue;
		v12.cpu_based_vm_exec_control &= ~CPU_BASED_ACTIVATE_SECONDARY_CONTROLS;
		assert_int_equal(owner(by_control[i].reason), NESTED_EXIT_L0);
	}
}

static bool listed(u32 reason)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(always_l1); i++)
		if (always_l1[i] == reason)
			return true;
	for (i = 0; i < ARRAY_SIZE(always_l0); i++)
		if (always_l0[i] == reason)
			return true;
	for (i = 0; i < ARRAY_SIZE(by_control); i++)
		if (by_control[i].reason == reason)
			return true;
	for (i = 0; i < ARRAY_SIZE(irregular); i++)
		if (irregular[i] == reason)
			return true;
	return false;
}

/* A row without a test, or a test without a row, fails here. */
static void test_every_row(void **state)
{
	u32 r;

	for (r = 0; r < nested_exit_nr_reasons() + 10; r++) {
		if (listed(r) != (nested_exit_row(r) != NULL))
			fail_msg("exit reason %u: row and test disagree", r);
		reset();
		set_all_controls();
		if (!nested_exit_row(r)) {
			assert_int_equal(owner(r), NESTED_EXIT_UNKNOWN);
			assert_string_equal(nested_exit_name(r), "unknown");
		} else {
			assert_int_not_equal(owner(r), NESTED_EXIT_UNKNOWN);
			assert_string_equal(nested_exit_name(r), nested_exit_row(r)->name);
		}
	}
	assert_int_equal(owner(0xffff), NESTED_EXIT_UNKNOWN);
}

static void test_l0_only(void **state)
{
	reset();
	set_all_controls();
	assert_int_equal(owner(VCPU_EXIT_NONE), NESTED_EXIT_L0);
	assert_int_equal(owner(VCPU_EXIT_HW_ERROR), NESTED_EXIT_L0);
	assert_int_equal(owner(VCPU_EXIT_FAILED_ENTRY | EXIT_REASON_CPUID), NESTED_EXIT_L0);
	ctx12.l0_mtf = true;
	assert_int_equal(owner(EXIT_REASON_MONITOR_TRAP_FLAG), NESTED_EXIT_L0);
	ctx12.l0_timer = true;
	assert_int_equal(owner(EXIT_REASON_PREEMPTION_TIMER), NESTED_EXIT_L0);
}

static void exception(u32 type, u32 vector, u32 error)
{
	exit12.intr_info = INTR_INFO_VALID_MASK | type | vector;
	exit12.intr_error = error;
}

static void test_exceptions(void **state)
{
	u32 vector;

	for (vector = 0; vector < 32; vector++) {
		reset();
		exception(INTR_TYPE_HARD_EXCEPTION, vector, 0);
		assert_int_equal(owner(0), NESTED_EXIT_L0);
		v12.exception_bitmap = 1u << vector;
		assert_int_equal(owner(0), vector == 18 ? NESTED_EXIT_L0 : NESTED_EXIT_L1);
		v12.exception_bitmap = ~(1u << vector);
		assert_int_equal(owner(0), NESTED_EXIT_L0);
		v12.exception_bitmap = ~0u;
		ctx12.l0_exceptions = 1u << vector;
		assert_int_equal(owner(0), NESTED_EXIT_L0);
	}
	reset();
	v12.exception_bitmap = ~0u;
	exception(INTR_TYPE_NMI_INTR, 2, 0);
	assert_int_equal(owner(0), NESTED_EXIT_L0);
	/* INT n, stopped for the emulator: not L1's whatever the vector */
	exception(INTR_TYPE_SOFT_INTR, 0, 0);
	assert_int_equal(owner(0), NESTED_EXIT_L0);
	exception(INTR_TYPE_HARD_EXCEPTION, 0, 0);
	assert_int_equal(owner(0), NESTED_EXIT_L1);
}

/* SDM "Exceptions": bit 14 decides when the error code matches, else its inverse. */
static void test_page_fault_filter(void **state)
{
	int bit, match;

	for (bit = 0; bit < 2; bit++) {
		for (match = 0; match < 2; match++) {
			reset();
			v12.exception_bitmap = bit << 14;
			v12.page_fault_error_code_mask = 0x1f;
			v12.page_fault_error_code_match = 0x02;
			exception(INTR_TYPE_HARD_EXCEPTION, 14, match ? 0x8002 : 0x3);
			assert_int_equal(owner(0), bit == match ? NESTED_EXIT_L1 : NESTED_EXIT_L0);
		}
	}
}

#define QUAL_CR(nr, type, gpr) ((nr) | (type) << 4 | (gpr) << 8)

static void test_mov_cr(void **state)
{
	reset();
	v12.cr0_guest_host_mask = X86_CR0_TS | X86_CR0_PG;
	v12.cr0_read_shadow = X86_CR0_PG | X86_CR0_PE;
	exit12.qual = QUAL_CR(0, 0, X86_RBX);
	regs12[X86_RBX] = X86_CR0_PG | X86_CR0_MP;
	assert_int_equal(owner(28), NESTED_EXIT_L0);
	regs12[X86_RBX] |= X86_CR0_TS;
	assert_int_equal(owner(28), NESTED_EXIT_L1);

	exit12.qual = QUAL_CR(4, 0, X86_R15);
	v12.cr4_guest_host_mask = X86_CR4_VMXE | 1ull << 40;
	assert_int_equal(owner(28), NESTED_EXIT_L0);
	regs12[X86_R15] = X86_CR4_VMXE;
	assert_int_equal(owner(28), NESTED_EXIT_L1);
	/* outside 64-bit mode the upper half of a register is not an operand */
	regs12[X86_R15] = 1ull << 40;
	assert_int_equal(owner(28), NESTED_EXIT_L1);
	ctx12.l2_64bit = false;
	assert_int_equal(owner(28), NESTED_EXIT_L0);
}

static void cr_by_control(u64 qual, u32 proc)
{
	reset();
	exit12.qual = qual;
	v12.cpu_based_vm_exec_control = ~proc;
	assert_int_equal(owner(28), NESTED_EXIT_L0);
	v12.cpu_based_vm_exec_control = proc;
	assert_int_equal(owner(28), NESTED_EXIT_L1);
}

static void test_cr_controls(void **state)
{
	cr_by_control(QUAL_CR(3, 0, 0), CPU_BASED_CR3_LOAD_EXITING);
	cr_by_control(QUAL_CR(3, 1, 0), CPU_BASED_CR3_STORE_EXITING);
	cr_by_control(QUAL_CR(8, 0, 0), CPU_BASED_CR8_LOAD_EXITING);
	cr_by_control(QUAL_CR(8, 1, 0), CPU_BASED_CR8_STORE_EXITING);
	reset();
	set_all_controls();
	exit12.qual = QUAL_CR(5, 0, 0);
	assert_int_equal(owner(28), NESTED_EXIT_L0);
	exit12.qual = QUAL_CR(5, 1, 0);
	assert_int_equal(owner(28), NESTED_EXIT_L0);
}

static void test_clts_lmsw(void **state)
{
	reset();
	exit12.qual = QUAL_CR(0, 2, 0);
	v12.cr0_guest_host_mask = X86_CR0_TS;
	assert_int_equal(owner(28), NESTED_EXIT_L0);
	v12.cr0_read_shadow = X86_CR0_TS;
	assert_int_equal(owner(28), NESTED_EXIT_L1);
	v12.cr0_guest_host_mask = 0;
	assert_int_equal(owner(28), NESTED_EXIT_L0);

	/* LMSW cannot clear PE, so only setting it counts */
	v12.cr0_guest_host_mask = X86_CR0_PE;
	v12.cr0_read_shadow = X86_CR0_PE;
	exit12.qual = QUAL_CR(0, 3, 0);
	assert_int_equal(owner(28), NESTED_EXIT_L0);
	v12.cr0_read_shadow = 0;
	exit12.qual = QUAL_CR(0, 3, 0) | 1ull << 16;
	assert_int_equal(owner(28), NESTED_EXIT_L1);
	v12.cr0_guest_host_mask = X86_CR0_MP;
	assert_int_equal(owner(28), NESTED_EXIT_L0);
	exit12.qual = QUAL_CR(0, 3, 0) | 2ull << 16;
	assert_int_equal(owner(28), NESTED_EXIT_L1);
	/* bits above 3 are not written */
	v12.cr0_guest_host_mask = X86_CR0_ET | X86_CR0_NE;
	exit12.qual = QUAL_CR(0, 3, 0) | 0xfff0ull << 16;
	assert_int_equal(owner(28), NESTED_EXIT_L0);
}

static u64 qual_io(u32 port, u32 size)
{
	return (u64)port << 16 | (size - 1);
}

static void test_io_bitmaps(void **state)
{
	reset();
	v12.cpu_based_vm_exec_control |= CPU_BASED_USE_IO_BITMAPS;
	exit12.qual = qual_io(0x70, 1);
	assert_int_equal(owner(30), NESTED_EXIT_L0);
	l1_mem[0x1000 + 0x70 / 8] = 1;
	assert_int_equal(owner(30), NESTED_EXIT_L1);
	/* any byte of the access */
	exit12.qual = qual_io(0x6d, 4);
	assert_int_equal(owner(30), NESTED_EXIT_L1);
	exit12.qual = qual_io(0x6c, 4);
	assert_int_equal(owner(30), NESTED_EXIT_L0);
	/* the second bitmap, and the boundary between them */
	l1_mem[0x2000] = 1;
	exit12.qual = qual_io(0x8000, 1);
	assert_int_equal(owner(30), NESTED_EXIT_L1);
	exit12.qual = qual_io(0x7fff, 2);
	assert_int_equal(owner(30), NESTED_EXIT_L1);
	exit12.qual = qual_io(0x7fff, 1);
	assert_int_equal(owner(30), NESTED_EXIT_L0);
	exit12.qual = qual_io(0xffff, 1);
	assert_int_equal(owner(30), NESTED_EXIT_L0);
	exit12.qual = qual_io(0xffff, 2);
	assert_int_equal(owner(30), NESTED_EXIT_L1);
	/* memory that is not there */
	exit12.qual = qual_io(0x71, 1);
	v12.io_bitmap_a = 0x10000;
	assert_int_equal(owner(30), NESTED_EXIT_L1);
	/* with bitmaps, unconditional exiting is ignored */
	v12.io_bitmap_a = 0x1000;
	v12.cpu_based_vm_exec_control |= CPU_BASED_UNCOND_IO_EXITING;
	assert_int_equal(owner(30), NESTED_EXIT_L0);
}

static void msr_bit(u32 reason, u32 index, u32 offset)
{
	reset();
	regs12[X86_RCX] = 0xabcdef0000000000ull | index;
	assert_int_equal(owner(reason), NESTED_EXIT_L1); /* no bitmap */
	v12.cpu_based_vm_exec_control |= CPU_BASED_USE_MSR_BITMAPS;
	assert_int_equal(owner(reason), NESTED_EXIT_L0);
	l1_mem[0x3000 + offset + (index & 0x1fff) / 8] = 1 << (index & 7);
	assert_int_equal(owner(reason), NESTED_EXIT_L1);
	v12.msr_bitmap = 0x3ffff000;
	assert_int_equal(owner(reason), NESTED_EXIT_L1);
}

static void test_msr_bitmap(void **state)
{
	static const u32 outside[] = { 0x2000, 0xbfffffff, 0xc0002000, 0xffffffff };
	unsigned int i;

	msr_bit(EXIT_REASON_MSR_READ, 0x10, 0);
	msr_bit(EXIT_REASON_MSR_READ, 0x1fff, 0);
	msr_bit(EXIT_REASON_MSR_READ, 0xc0000080, 1024);
	msr_bit(EXIT_REASON_MSR_WRITE, 0x10, 2048);
	msr_bit(EXIT_REASON_MSR_WRITE, 0xc0001fff, 3072);
	for (i = 0; i < ARRAY_SIZE(outside); i++) {
		reset();
		v12.cpu_based_vm_exec_control |= CPU_BASED_USE_MSR_BITMAPS;
		regs12[X86_RCX] = outside[i];
		assert_int_equal(owner(EXIT_REASON_MSR_READ), NESTED_EXIT_L1);
		assert_int_equal(owner(EXIT_REASON_MSR_WRITE), NESTED_EXIT_L1);
	}
}

/* VMREAD and VMWRITE with a shadow VMCS: the register in bits 31:28 names the field. */
static void test_shadow_vmcs(void **state)
{
	static const u32 reasons[] = { EXIT_REASON_VMREAD, EXIT_REASON_VMWRITE };
	static const u64 bitmaps[] = { 0x1000, 0x2000 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		reset();
		v12.vmread_bitmap = 0x1000;
		v12.vmwrite_bitmap = 0x2000;
		exit12.reason = reasons[i];
		exit12.insn_info = (u32)X86_R9 << 28;
		regs12[X86_R9] = GUEST_RIP;
		assert_int_equal(nested_exit_owner(&ctx12), NESTED_EXIT_L1);
		v12.secondary_vm_exec_control = SECONDARY_EXEC_SHADOW_VMCS;
		assert_int_equal(nested_exit_owner(&ctx12), NESTED_EXIT_L0);
		l1_mem[bitmaps[i] + GUEST_RIP / 8] = 1 << GUEST_RIP % 8;
		assert_int_equal(nested_exit_owner(&ctx12), NESTED_EXIT_L1);
		l1_mem[bitmaps[i] + GUEST_RIP / 8] = (u8) ~(1 << GUEST_RIP % 8);
		assert_int_equal(nested_exit_owner(&ctx12), NESTED_EXIT_L0);
		/* no field has bits beyond 14; beyond 31 they count in 64-bit mode only */
		regs12[X86_R9] = GUEST_RIP | 1 << 15;
		assert_int_equal(nested_exit_owner(&ctx12), NESTED_EXIT_L1);
		regs12[X86_R9] = GUEST_RIP | 1ull << 32;
		assert_int_equal(nested_exit_owner(&ctx12), NESTED_EXIT_L1);
		ctx12.l2_64bit = false;
		assert_int_equal(nested_exit_owner(&ctx12), NESTED_EXIT_L0);
		/* a bitmap that is not there counts as all ones */
		ctx12.l2_64bit = true;
		regs12[X86_R9] = GUEST_RIP;
		v12.vmread_bitmap = v12.vmwrite_bitmap = 1ull << 40;
		assert_int_equal(nested_exit_owner(&ctx12), NESTED_EXIT_L1);
	}
}

static void test_xsaves(void **state)
{
	u32 reason;

	for (reason = EXIT_REASON_XSAVES; reason <= EXIT_REASON_XRSTORS; reason++) {
		reset();
		v12.secondary_vm_exec_control = SECONDARY_EXEC_XSAVES;
		v12.xss_exit_bitmap = 1ull << 40 | 1 << 8;
		ctx12.xss = 1ull << 40;
		regs12[X86_RAX] = ~0ull;
		assert_int_equal(owner(reason), NESTED_EXIT_L0);
		regs12[X86_RDX] = 1 << 8;
		assert_int_equal(owner(reason), NESTED_EXIT_L1);
		v12.xss_exit_bitmap = 1 << 8;
		assert_int_equal(owner(reason), NESTED_EXIT_L0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_always),	   cmocka_unit_test(test_by_control),
		cmocka_unit_test(test_every_row),  cmocka_unit_test(test_l0_only),
		cmocka_unit_test(test_exceptions), cmocka_unit_test(test_page_fault_filter),
		cmocka_unit_test(test_mov_cr),	   cmocka_unit_test(test_cr_controls),
		cmocka_unit_test(test_clts_lmsw),  cmocka_unit_test(test_io_bitmaps),
		cmocka_unit_test(test_msr_bitmap), cmocka_unit_test(test_shadow_vmcs),
		cmocka_unit_test(test_xsaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
