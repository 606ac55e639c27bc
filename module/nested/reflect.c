// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of exit reasons. See SDM "Instructions That Cause VM Exits", "Other
 * Causes of VM Exits" and the appendix "VMX Basic Exit Reasons".
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "nested/check.h"
#include "nested/reflect.h"

/* Reasons that the kernel's header does not name. */
#define REASON_SMI_IO	 5
#define REASON_SMI_OTHER 6
#define REASON_GETSEC	 11
#define REASON_RSM	 17

static bool always(const struct reflect_ctx *c)
{
	return true;
}

/* -- Exceptions ------------------------------------------------------------ */

static u32 vector_of(const struct reflect_ctx *c)
{
	return c->e->intr_info & INTR_INFO_VECTOR_MASK;
}

/*
 * NMIs and machine checks belong to the host: L1's own NMIs are events that L0
 * injects, never exits. Guest debugging is invisible to L1.
 */
static bool l0_exception(const struct reflect_ctx *c)
{
	u32 vector = vector_of(c);

	switch (c->e->intr_info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_NMI_INTR:
	case INTR_TYPE_SOFT_INTR: /* a PUSHF or INT n that the backend has stopped for the emulator */
		return true;
	}
	return vector == 18 || (vector < 32 && (c->l0_exceptions >> vector & 1));
}

/* SDM "Exceptions": page faults are filtered by error code. */
static bool l1_exception(const struct reflect_ctx *c)
{
	u32 vector = vector_of(c);
	bool wanted = vector < 32 && (c->v->exception_bitmap >> vector & 1);

	if (vector == 14 && (c->e->intr_error & c->v->page_fault_error_code_mask) !=
				    c->v->page_fault_error_code_match)
		wanted = !wanted;
	return wanted;
}

/* -- Control and debug registers ------------------------------------------- */

#define CR_NUM(qual)	     ((qual)&0xf)
#define CR_ACCESS_TYPE(qual) ((qual) >> 4 & 3)
#define CR_GPR(qual)	     ((qual) >> 8 & 0xf)
#define CR_LMSW_SOURCE(qual) ((qual) >> 16 & 0xffff)

#define CR_TYPE_MOV_TO	     0
#define CR_TYPE_MOV_FROM     1
#define CR_TYPE_CLTS	     2
#define CR_TYPE_LMSW	     3

static bool l1_mov_to_cr(const struct reflect_ctx *c)
{
	u64 val = c->regs[CR_GPR(c->e->qual)];

	if (!c->l2_64bit)
		val &= 0xffffffff;
	switch (CR_NUM(c->e->qual)) {
	case 0:
		return (val ^ c->v->cr0_read_shadow) & c->v->cr0_guest_host_mask;
	case 3:
		/* CR3-target values are not offered. */
		return proc_has(c->v, CPU_BASED_CR3_LOAD_EXITING);
	case 4:
		return (val ^ c->v->cr4_read_shadow) & c->v->cr4_guest_host_mask;
	case 8:
		return proc_has(c->v, CPU_BASED_CR8_LOAD_EXITING);
	}
	return false;
}

static bool l1_mov_from_cr(const struct reflect_ctx *c)
{
	switch (CR_NUM(c->e->qual)) {
	case 3:
		return proc_has(c->v, CPU_BASED_CR3_STORE_EXITING);
	case 8:
		return proc_has(c->v, CPU_BASED_CR8_STORE_EXITING);
	}
	return false;
}

/* LMSW writes CR0[3:0] and cannot clear PE. */
static bool l1_lmsw(const struct reflect_ctx *c)
{
	u64 source = CR_LMSW_SOURCE(c->e->qual);
	u64 shadow = c->v->cr0_read_shadow;
	u64 mask = c->v->cr0_guest_host_mask;

	if (mask & source & ~shadow & X86_CR0_PE)
		return true;
	return mask & (source ^ shadow) & (X86_CR0_MP | X86_CR0_EM | X86_CR0_TS);
}

static bool l1_cr_access(const struct reflect_ctx *c)
{
	switch (CR_ACCESS_TYPE(c->e->qual)) {
	case CR_TYPE_MOV_TO:
		return l1_mov_to_cr(c);
	case CR_TYPE_MOV_FROM:
		return l1_mov_from_cr(c);
	case CR_TYPE_CLTS:
		return c->v->cr0_guest_host_mask & c->v->cr0_read_shadow & X86_CR0_TS;
	case CR_TYPE_LMSW:
		return l1_lmsw(c);
	}
	return false;
}

/* -- I/O ports and MSRs: L1's bitmaps -------------------------------------- */

/* Unreadable bitmaps exit, as would a bitmap of ones. */
static bool bitmap_bit(const struct reflect_ctx *c, u64 bitmap, u32 bit)
{
	u8 byte;

	if (c->read_l1(c->read_ctx, bitmap + bit / 8, &byte, 1))
		return true;
	return byte >> (bit & 7) & 1;
}

static bool l1_io(const struct reflect_ctx *c)
{
	u32 port = c->e->qual >> 16 & 0xffff;
	u32 size = (c->e->qual & 7) + 1;
	u32 p;

	if (!proc_has(c->v, CPU_BASED_USE_IO_BITMAPS))
		return proc_has(c->v, CPU_BASED_UNCOND_IO_EXITING);
	/* An access that wraps around the port space always exits. */
	if (port + size > 0x10000)
		return true;
	for (p = port; p < port + size; p++)
		if (bitmap_bit(c, p < 0x8000 ? c->v->io_bitmap_a : c->v->io_bitmap_b, p & 0x7fff))
			return true;
	return false;
}

/* SDM "MSR-Bitmap Address": four KiB, reads then writes, low then high MSRs. */
#define MSR_BITMAP_HIGH_OFFSET	1024
#define MSR_BITMAP_WRITE_OFFSET 2048

static bool l1_msr(const struct reflect_ctx *c, u32 write_offset)
{
	u32 index = c->regs[X86_RCX];
	u64 bitmap = c->v->msr_bitmap + write_offset;

	if (!proc_has(c->v, CPU_BASED_USE_MSR_BITMAPS))
		return true;
	if (index >= 0xc0000000 && index <= 0xc0001fff)
		bitmap += MSR_BITMAP_HIGH_OFFSET;
	else if (index > 0x1fff)
		return true;
	return bitmap_bit(c, bitmap, index & 0x1fff);
}

static bool l1_rdmsr(const struct reflect_ctx *c)
{
	return l1_msr(c, 0);
}

static bool l1_wrmsr(const struct reflect_ctx *c)
{
	return l1_msr(c, MSR_BITMAP_WRITE_OFFSET);
}

/* -- VMCS shadowing -------------------------------------------------------- */

/*
 * SDM "VMREAD - Read Field from Virtual-Machine Control Structure", the same for VMWRITE: L2 reaches
 * the shadow VMCS if the bitmap has the field's bit clear. The register with the encoding is in
 * bits 31:28 of the instruction information on either hardware.
 */
static bool l1_shadowed(const struct reflect_ctx *c, u64 bitmap)
{
	u64 encoding = c->regs[c->e->insn_info >> 28];

	if (!proc2_has(c->v, SECONDARY_EXEC_SHADOW_VMCS))
		return true;
	if (!c->l2_64bit)
		encoding = (u32)encoding;
	return encoding >> 15 || bitmap_bit(c, bitmap, encoding);
}

static bool l1_vmread(const struct reflect_ctx *c)
{
	return l1_shadowed(c, c->v->vmread_bitmap);
}

static bool l1_vmwrite(const struct reflect_ctx *c)
{
	return l1_shadowed(c, c->v->vmwrite_bitmap);
}

/* -- Reasons that more than one control decides ---------------------------- */

static bool l1_pause(const struct reflect_ctx *c)
{
	return proc_has(c->v, CPU_BASED_PAUSE_EXITING) ||
	       proc2_has(c->v, SECONDARY_EXEC_PAUSE_LOOP_EXITING);
}

static bool l1_invpcid(const struct reflect_ctx *c)
{
	return proc2_has(c->v, SECONDARY_EXEC_ENABLE_INVPCID) &&
	       proc_has(c->v, CPU_BASED_INVLPG_EXITING);
}

static bool l1_rdtscp(const struct reflect_ctx *c)
{
	return proc2_has(c->v, SECONDARY_EXEC_ENABLE_RDTSCP) &&
	       proc_has(c->v, CPU_BASED_RDTSC_EXITING);
}

/* XSAVES and XRSTORS: any requested supervisor component that L1 marked. */
static bool l1_xsaves(const struct reflect_ctx *c)
{
	u64 rfbm = (u64)(u32)c->regs[X86_RDX] << 32 | (u32)c->regs[X86_RAX];

	return proc2_has(c->v, SECONDARY_EXEC_XSAVES) && (rfbm & c->xss & c->v->xss_exit_bitmap);
}

static bool l0_mtf(const struct reflect_ctx *c)
{
	return c->l0_mtf;
}

static bool l0_timer(const struct reflect_ctx *c)
{
	return c->l0_timer;
}

#define L0_ALWAYS(name_)                    \
	{                                   \
		.name = name_, .l0 = always \
	}
#define L1_ALWAYS(name_)                    \
	{                                   \
		.name = name_, .l1 = always \
	}
#define L1_IF(name_, fn)                \
	{                               \
		.name = name_, .l1 = fn \
	}
#define L1_PROC(name_, bits)                \
	{                                   \
		.name = name_, .proc = bits \
	}
#define L1_PROC2(name_, bits)                \
	{                                    \
		.name = name_, .proc2 = bits \
	}

static const struct reflect_row rows[] = {
	[EXIT_REASON_EXCEPTION_NMI] = { .name = "EXCEPTION_NMI",
					.l0 = l0_exception,
					.l1 = l1_exception },
	/* A host interrupt. L1's interrupts are events, not exits. */
	[EXIT_REASON_EXTERNAL_INTERRUPT] = L0_ALWAYS("EXTERNAL_INTERRUPT"),
	[EXIT_REASON_TRIPLE_FAULT] = L1_ALWAYS("TRIPLE_FAULT"),
	/* The host's; a virtual INIT or SIPI is delivered by vcpu/ itself. */
	[EXIT_REASON_INIT_SIGNAL] = L0_ALWAYS("INIT_SIGNAL"),
	[EXIT_REASON_SIPI_SIGNAL] = L0_ALWAYS("SIPI_SIGNAL"),
	[REASON_SMI_IO] = L0_ALWAYS("IO_SMI"),
	[REASON_SMI_OTHER] = L0_ALWAYS("OTHER_SMI"),
	[EXIT_REASON_INTERRUPT_WINDOW] = L1_PROC("INTERRUPT_WINDOW", CPU_BASED_INTR_WINDOW_EXITING),
	[EXIT_REASON_NMI_WINDOW] = L1_PROC("NMI_WINDOW", CPU_BASED_NMI_WINDOW_EXITING),
	[EXIT_REASON_TASK_SWITCH] = L1_ALWAYS("TASK_SWITCH"),
	[EXIT_REASON_CPUID] = L1_ALWAYS("CPUID"),
	[REASON_GETSEC] = L1_ALWAYS("GETSEC"),
	[EXIT_REASON_HLT] = L1_PROC("HLT", CPU_BASED_HLT_EXITING),
	[EXIT_REASON_INVD] = L1_ALWAYS("INVD"),
	[EXIT_REASON_INVLPG] = L1_PROC("INVLPG", CPU_BASED_INVLPG_EXITING),
	[EXIT_REASON_RDPMC] = L1_PROC("RDPMC", CPU_BASED_RDPMC_EXITING),
	[EXIT_REASON_RDTSC] = L1_PROC("RDTSC", CPU_BASED_RDTSC_EXITING),
	/* Not in SMM: the instruction is an undefined opcode, which L0 delivers. */
	[REASON_RSM] = L0_ALWAYS("RSM"),
	/* VMX instructions of L2 are L1's, but for those that it gave a shadow VMCS. */
	[EXIT_REASON_VMCALL] = L1_ALWAYS("VMCALL"),
	[EXIT_REASON_VMCLEAR] = L1_ALWAYS("VMCLEAR"),
	[EXIT_REASON_VMLAUNCH] = L1_ALWAYS("VMLAUNCH"),
	[EXIT_REASON_VMPTRLD] = L1_ALWAYS("VMPTRLD"),
	[EXIT_REASON_VMPTRST] = L1_ALWAYS("VMPTRST"),
	[EXIT_REASON_VMREAD] = L1_IF("VMREAD", l1_vmread),
	[EXIT_REASON_VMRESUME] = L1_ALWAYS("VMRESUME"),
	[EXIT_REASON_VMWRITE] = L1_IF("VMWRITE", l1_vmwrite),
	[EXIT_REASON_VMOFF] = L1_ALWAYS("VMXOFF"),
	[EXIT_REASON_VMON] = L1_ALWAYS("VMXON"),
	[EXIT_REASON_CR_ACCESS] = L1_IF("CR_ACCESS", l1_cr_access),
	[EXIT_REASON_DR_ACCESS] = L1_PROC("DR_ACCESS", CPU_BASED_MOV_DR_EXITING),
	[EXIT_REASON_IO_INSTRUCTION] = L1_IF("IO_INSTRUCTION", l1_io),
	[EXIT_REASON_MSR_READ] = L1_IF("MSR_READ", l1_rdmsr),
	[EXIT_REASON_MSR_WRITE] = L1_IF("MSR_WRITE", l1_wrmsr),
	/*
	 * The hardware refused what the checks had allowed. vcpu/ gives L1 a
	 * VM-entry failure of its own making.
	 */
	[EXIT_REASON_INVALID_STATE] = L0_ALWAYS("INVALID_STATE"),
	[EXIT_REASON_MSR_LOAD_FAIL] = L0_ALWAYS("MSR_LOAD_FAIL"),
	[EXIT_REASON_MWAIT_INSTRUCTION] = L1_PROC("MWAIT", CPU_BASED_MWAIT_EXITING),
	[EXIT_REASON_MONITOR_TRAP_FLAG] = { .name = "MONITOR_TRAP_FLAG",
					    .l0 = l0_mtf,
					    .proc = CPU_BASED_MONITOR_TRAP_FLAG },
	[EXIT_REASON_MONITOR_INSTRUCTION] = L1_PROC("MONITOR", CPU_BASED_MONITOR_EXITING),
	[EXIT_REASON_PAUSE_INSTRUCTION] = L1_IF("PAUSE", l1_pause),
	[EXIT_REASON_MCE_DURING_VMENTRY] = L0_ALWAYS("MCE_DURING_VMENTRY"),
	[EXIT_REASON_TPR_BELOW_THRESHOLD] = L1_PROC("TPR_BELOW_THRESHOLD", CPU_BASED_TPR_SHADOW),
	[EXIT_REASON_APIC_ACCESS] =
		L1_PROC2("APIC_ACCESS", SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES),
	/* Virtual-interrupt delivery and register virtualization: not offered. */
	[EXIT_REASON_EOI_INDUCED] = L0_ALWAYS("EOI_INDUCED"),
	[EXIT_REASON_GDTR_IDTR] = L1_PROC2("GDTR_IDTR", SECONDARY_EXEC_DESC),
	[EXIT_REASON_LDTR_TR] = L1_PROC2("LDTR_TR", SECONDARY_EXEC_DESC),
	/* mm/mdp.c finds out whose these are by walking EPT12. */
	[EXIT_REASON_EPT_VIOLATION] = L0_ALWAYS("EPT_VIOLATION"),
	[EXIT_REASON_EPT_MISCONFIG] = L0_ALWAYS("EPT_MISCONFIG"),
	[EXIT_REASON_INVEPT] = L1_ALWAYS("INVEPT"),
	[EXIT_REASON_RDTSCP] = L1_IF("RDTSCP", l1_rdtscp),
	[EXIT_REASON_PREEMPTION_TIMER] = { .name = "PREEMPTION_TIMER",
					   .l0 = l0_timer,
					   .pin = PIN_BASED_VMX_PREEMPTION_TIMER },
	[EXIT_REASON_INVVPID] = L1_ALWAYS("INVVPID"),
	[EXIT_REASON_WBINVD] = L1_PROC2("WBINVD", SECONDARY_EXEC_WBINVD_EXITING),
	[EXIT_REASON_XSETBV] = L1_ALWAYS("XSETBV"),
	[EXIT_REASON_APIC_WRITE] = L0_ALWAYS("APIC_WRITE"),
	[EXIT_REASON_RDRAND] = L1_PROC2("RDRAND", SECONDARY_EXEC_RDRAND_EXITING),
	[EXIT_REASON_INVPCID] = L1_IF("INVPCID", l1_invpcid),
	/* Not offered to L1: L2 gets an undefined opcode from L0. */
	[EXIT_REASON_VMFUNC] = L0_ALWAYS("VMFUNC"),
	[EXIT_REASON_ENCLS] = L0_ALWAYS("ENCLS"),
	[EXIT_REASON_RDSEED] = L1_PROC2("RDSEED", SECONDARY_EXEC_RDSEED_EXITING),
	[EXIT_REASON_PML_FULL] = L0_ALWAYS("PML_FULL"),
	[EXIT_REASON_XSAVES] = L1_IF("XSAVES", l1_xsaves),
	[EXIT_REASON_XRSTORS] = L1_IF("XRSTORS", l1_xsaves),
	[EXIT_REASON_UMWAIT] = L0_ALWAYS("UMWAIT"),
	[EXIT_REASON_TPAUSE] = L0_ALWAYS("TPAUSE"),
	[EXIT_REASON_BUS_LOCK] = L0_ALWAYS("BUS_LOCK"),
	[EXIT_REASON_NOTIFY] = L0_ALWAYS("NOTIFY"),
};

static bool l1_asked(const struct reflect_row *row, const struct reflect_ctx *c)
{
	if (row->l1)
		return row->l1(c);
	return pin_has(c->v, row->pin) || proc_has(c->v, row->proc) || proc2_has(c->v, row->proc2);
}

/** nested_exit_nr_reasons - one more than the largest reason with a row */
unsigned int nested_exit_nr_reasons(void)
{
	return ARRAY_SIZE(rows);
}

/**
 * nested_exit_row - the row of an exit reason
 * @reason: basic exit reason
 *
 * Returns NULL when there is none.
 */
const struct reflect_row *nested_exit_row(u32 reason)
{
	if (reason >= ARRAY_SIZE(rows) || !rows[reason].name)
		return NULL;
	return &rows[reason];
}

/**
 * nested_exit_name - name of an exit reason for traces
 * @reason: basic exit reason
 */
const char *nested_exit_name(u32 reason)
{
	const struct reflect_row *row = nested_exit_row(reason);

	return row ? row->name : "unknown";
}

/**
 * nested_exit_owner - who gets this exit of L2?
 * @c: what the decision depends on
 */
enum nested_exit_owner nested_exit_owner(const struct reflect_ctx *c)
{
	const struct reflect_row *row;

	/* The hardware did not enter L2 at all, or the exit is a backend's own. */
	if (c->e->reason & VCPU_EXIT_FAILED_ENTRY || c->e->reason >= VCPU_EXIT_NONE)
		return NESTED_EXIT_L0;
	row = nested_exit_row(c->e->reason);
	if (!row)
		return NESTED_EXIT_UNKNOWN;
	if (row->l0 && row->l0(c))
		return NESTED_EXIT_L0;
	return l1_asked(row, c) ? NESTED_EXIT_L1 : NESTED_EXIT_L0;
}
