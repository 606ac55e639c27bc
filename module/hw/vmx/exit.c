// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMCS exit information to struct vcpu_exit. Runs after every exit, so it reads
 * only what the exit reason makes valid: one row of a table says what that is
 * (SDM "VM-Exit Information Fields", "Basic VM-Exit Information").
 */
#include <linux/kernel.h>
#include <asm/nospec-branch.h>
#include <asm/trapnr.h>
#include "hw/vmx/vmx.h"

#define Q	   0x01 /* exit qualification */
#define L	   0x02 /* instruction length */
#define I	   0x04 /* instruction information */
#define G	   0x08 /* guest-physical address, and linear address if the qualification says so */
#define X	   0x10 /* interruption information */
#define V	   0x20 /* IDT-vectoring information */
#define A	   0x40 /* guest linear address; for strings also instruction information */
#define NR_REASONS 80

static const u8 exit_needs[NR_REASONS] = {
	[EXIT_REASON_EXCEPTION_NMI] = X | V,
	[EXIT_REASON_INIT_SIGNAL] = 0,
	[EXIT_REASON_SIPI_SIGNAL] = Q,
	[EXIT_REASON_TASK_SWITCH] = Q | L | V,
	[EXIT_REASON_CPUID] = L,
	[EXIT_REASON_HLT] = L,
	[EXIT_REASON_INVD] = L,
	[EXIT_REASON_INVLPG] = L | Q,
	[EXIT_REASON_RDPMC] = L,
	[EXIT_REASON_RDTSC] = L,
	[EXIT_REASON_VMCALL] = L,
	[EXIT_REASON_VMCLEAR] = L | Q | I,
	[EXIT_REASON_VMLAUNCH] = L,
	[EXIT_REASON_VMPTRLD] = L | Q | I,
	[EXIT_REASON_VMPTRST] = L | Q | I,
	[EXIT_REASON_VMREAD] = L | Q | I,
	[EXIT_REASON_VMRESUME] = L,
	[EXIT_REASON_VMWRITE] = L | Q | I,
	[EXIT_REASON_VMOFF] = L,
	[EXIT_REASON_VMON] = L | Q | I,
	[EXIT_REASON_CR_ACCESS] = L | Q | A,
	[EXIT_REASON_DR_ACCESS] = L | Q,
	[EXIT_REASON_IO_INSTRUCTION] = L | Q | A,
	[EXIT_REASON_MSR_READ] = L,
	[EXIT_REASON_MSR_WRITE] = L,
	[EXIT_REASON_INVALID_STATE] = Q,
	[EXIT_REASON_MSR_LOAD_FAIL] = Q,
	[EXIT_REASON_MWAIT_INSTRUCTION] = L | Q,
	[EXIT_REASON_MONITOR_INSTRUCTION] = L,
	[EXIT_REASON_PAUSE_INSTRUCTION] = L,
	[EXIT_REASON_APIC_ACCESS] = L | Q | V,
	[EXIT_REASON_GDTR_IDTR] = L | Q | I,
	[EXIT_REASON_LDTR_TR] = L | Q | I,
	[EXIT_REASON_EPT_VIOLATION] = L | Q | G | V,
	[EXIT_REASON_EPT_MISCONFIG] = L | G | V,
	[EXIT_REASON_INVEPT] = L | Q | I,
	[EXIT_REASON_RDTSCP] = L,
	[EXIT_REASON_INVVPID] = L | Q | I,
	[EXIT_REASON_WBINVD] = L,
	[EXIT_REASON_XSETBV] = L,
	[EXIT_REASON_APIC_WRITE] = Q,
	[EXIT_REASON_RDRAND] = L | I,
	[EXIT_REASON_INVPCID] = L | Q | I,
	[EXIT_REASON_VMFUNC] = L,
	[EXIT_REASON_ENCLS] = L,
	[EXIT_REASON_RDSEED] = L | I,
	[EXIT_REASON_PML_FULL] = Q | V,
	[EXIT_REASON_XSAVES] = L | Q | I,
	[EXIT_REASON_XRSTORS] = L | Q | I,
	[EXIT_REASON_UMWAIT] = L | I,
	[EXIT_REASON_TPAUSE] = L | I,
	[EXIT_REASON_BUS_LOCK] = 0,
	[EXIT_REASON_NOTIFY] = Q,
};

#define IO_QUAL_STRING	 BIT(4)
#define CR_QUAL_LMSW	 (3 << 4)
#define CR_QUAL_LMSW_MEM BIT(6)
/* In the interruption information and in the qualification of EPT violations. */
#define NMI_UNBLOCKED_BY_IRET BIT(12)

static void fill_address(struct vcpu_exit *e)
{
	if (e->reason == EXIT_REASON_IO_INSTRUCTION) {
		if (!(e->qual & IO_QUAL_STRING))
			return;
		e->gla = vmread(GUEST_LINEAR_ADDRESS);
		if (vmx_caps.basic & VMX_BASIC_INOUT)
			e->insn_info = vmread(VMX_INSTRUCTION_INFO);
	} else if ((e->qual & CONTROL_REG_ACCESS_TYPE) == CR_QUAL_LMSW &&
		   (e->qual & CR_QUAL_LMSW_MEM)) {
		e->gla = vmread(GUEST_LINEAR_ADDRESS);
	}
}

/*
 * The host's own NMI or machine check ended the run. They are handed to the
 * host through its IDT, from here, before anything else can happen: an NMI
 * exit leaves NMIs blocked until the handler's IRET (SDM "Non-Maskable
 * Interrupt (NMI)"), and INT 2 uses the interrupt stack that the handler expects.
 */
static bool host_event(struct vcpu_exit *e)
{
	u32 type = e->intr_info & (INTR_INFO_INTR_TYPE_MASK | INTR_INFO_VECTOR_MASK);

	if (type == (INTR_TYPE_NMI_INTR | X86_TRAP_NMI)) {
		asm volatile("int $2" : : : "memory");
		return true;
	}
	if (type == (INTR_TYPE_HARD_EXCEPTION | X86_TRAP_MC)) {
		asm volatile("int $18" : : : "memory");
		return true;
	}
	return false;
}

/* SDM "Information About NMI Unblocking Due to IRET". */
static void restore_nmi_blocking(struct vmx_ctx *c, const struct vcpu_exit *e)
{
	u64 word = e->reason == EXIT_REASON_EXCEPTION_NMI ? e->intr_info : e->qual;

	if (!(word & NMI_UNBLOCKED_BY_IRET) || (e->idt_info & VECTORING_INFO_VALID_MASK))
		return;
	if (e->reason == EXIT_REASON_EXCEPTION_NMI &&
	    (e->intr_info & INTR_INFO_VECTOR_MASK) == X86_TRAP_DF)
		return;
	vmx_write_intr_state(c, vmx_intr_state(c) | GUEST_INTR_STATE_NMI);
}

static void fill_interruption(struct vcpu_exit *e)
{
	e->intr_info = vmread(VM_EXIT_INTR_INFO);
	if (e->intr_info & INTR_INFO_DELIVER_CODE_MASK)
		e->intr_error = vmread(VM_EXIT_INTR_ERROR_CODE);
	/* The qualification is CR2 for #PF, DR6 bits for #DB, and undefined else. */
	if ((e->intr_info & INTR_INFO_VECTOR_MASK) == X86_TRAP_PF ||
	    (e->intr_info & INTR_INFO_VECTOR_MASK) == X86_TRAP_DB)
		e->qual = vmread(EXIT_QUALIFICATION);
	switch (e->intr_info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_SOFT_EXCEPTION:
	case INTR_TYPE_PRIV_SW_EXCEPTION:
		e->insn_len = vmread(VM_EXIT_INSTRUCTION_LEN);
	}
}

/* What an exit that can happen during the delivery of an event adds. */
static void fill_vectoring(struct vcpu_exit *e)
{
	e->idt_info = vmread(IDT_VECTORING_INFO_FIELD);
	if (!(e->idt_info & VECTORING_INFO_VALID_MASK))
		return;
	if (e->idt_info & VECTORING_INFO_DELIVER_CODE_MASK)
		e->idt_error = vmread(IDT_VECTORING_ERROR_CODE);
	switch (e->idt_info & VECTORING_INFO_TYPE_MASK) {
	case INTR_TYPE_SOFT_INTR:
	case INTR_TYPE_SOFT_EXCEPTION:
	case INTR_TYPE_PRIV_SW_EXCEPTION:
		e->insn_len = vmread(VM_EXIT_INSTRUCTION_LEN);
	}
}

static void fill_rare(struct vmx_ctx *c, struct vcpu_exit *e, u8 needs)
{
	if (needs & I)
		e->insn_info = vmread(VMX_INSTRUCTION_INFO);
	if (needs & A)
		fill_address(e);
	if (needs & G) {
		e->gpa = vmread(GUEST_PHYSICAL_ADDRESS);
		if (e->qual & EPT_VIOLATION_GVA_IS_VALID)
			e->gla = vmread(GUEST_LINEAR_ADDRESS);
	}
	if (needs & X)
		fill_interruption(e);
	if (needs & V) {
		fill_vectoring(e);
		restore_nmi_blocking(c, e);
	}
	if ((needs & X) && host_event(e))
		e->reason = VCPU_EXIT_NONE;
}

/* Exits that are none of the guest's business. */
static bool host_exit(struct vmx_ctx *c, struct vcpu_exit *e)
{
	switch (e->raw) {
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		/* Not acknowledged: it is taken as soon as interrupts are on. */
		e->reason = VCPU_EXIT_NONE;
		return true;
	case EXIT_REASON_PREEMPTION_TIMER:
		if (c->timer_is_ours)
			e->reason = VCPU_EXIT_NONE;
		return true;
	case EXIT_REASON_MCE_DURING_VMENTRY:
	case EXIT_REASON_MCE_DURING_VMENTRY | VCPU_EXIT_FAILED_ENTRY:
		asm volatile("int $18" : : : "memory");
		e->reason = VCPU_EXIT_NONE;
		return true;
	}
	return false;
}

/**
 * vmx_fill_exit - describe the exit that has just happened
 * @x: the vCPU
 * @c: its current context
 * @e: to fill
 *
 * Interrupts off, right after the world switch.
 */
void vmx_fill_exit(struct vmx_vcpu *x, struct vmx_ctx *c, struct vcpu_exit *e)
{
	u32 reason = vmread(VM_EXIT_REASON);
	u8 needs;

	e->raw = reason;
	e->reason = reason & (VCPU_EXIT_FAILED_ENTRY | 0xffff);
	e->insn_len = 0;
	e->qual = 0;
	e->intr_info = 0;
	e->idt_info = 0;
	e->partial = false;
	e->nr_bytes = 0;

	if (unlikely(reason >= NR_REASONS)) {
		/* A failed entry, or a reason newer than us. */
		if (!host_exit(c, e))
			e->qual = vmread(EXIT_QUALIFICATION);
		vmwrite(VM_ENTRY_INTR_INFO_FIELD, 0);
		return;
	}
	needs = exit_needs[reason];
	if (!needs) {
		host_exit(c, e);
		return;
	}
	if (needs & L)
		e->insn_len = vmread(VM_EXIT_INSTRUCTION_LEN);
	if (needs & Q)
		e->qual = vmread(EXIT_QUALIFICATION);
	if (needs & ~(L | Q))
		fill_rare(c, e, needs);
}

/* VMLAUNCH or VMRESUME did not enter (SDM "Conventions", VMfailValid). */
void vmx_fill_failure(struct vmx_ctx *c, struct vcpu_exit *e)
{
	memset(e, 0, sizeof(*e));
	e->reason = VCPU_EXIT_HW_ERROR;
	e->qual = vmread(VM_INSTRUCTION_ERROR);
	e->raw = e->qual;
	/* Not consumed, but the core will decide anew. */
	c->intr_info = 0;
	vmwrite(VM_ENTRY_INTR_INFO_FIELD, 0);
}
