// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVM exit codes and EXITINFO into the VMX vocabulary of struct vcpu_exit:
 * the one place where the two meet (APM "SVM Intercept Exit Codes", SDM "VMX
 * Basic Exit Reasons" and "Exit Qualification").
 *
 * Called by run.c after every exit. A guest sees no SVM: the instructions of
 * SVM exit as the #UD they would raise.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>
#include "hw/svm/svm.h"

/* Exits that carry nothing but their reason; entries hold reason + 1. */
#define SIMPLE(code, reason) [SVM_EXIT_##code] = EXIT_REASON_##reason + 1

static const u8 simple[] = {
	SIMPLE(INTR, EXTERNAL_INTERRUPT),
	SIMPLE(VINTR, INTERRUPT_WINDOW),
	SIMPLE(RDTSC, RDTSC),
	SIMPLE(RDPMC, RDPMC),
	SIMPLE(CPUID, CPUID),
	SIMPLE(INVD, INVD),
	SIMPLE(PAUSE, PAUSE_INSTRUCTION),
	SIMPLE(HLT, HLT),
	SIMPLE(SHUTDOWN, TRIPLE_FAULT),
	SIMPLE(VMMCALL, VMCALL),
	SIMPLE(WBINVD, WBINVD),
	SIMPLE(MONITOR, MONITOR_INSTRUCTION),
	SIMPLE(MWAIT, MWAIT_INSTRUCTION),
	SIMPLE(MWAIT_COND, MWAIT_INSTRUCTION),
	SIMPLE(XSETBV, XSETBV),
};

/* EXITINFO1 of IOIO */
#define IOIO_IN	 BIT(0)
#define IOIO_STR BIT(2)
#define IOIO_REP BIT(3)

/* Decode assists: EXITINFO1 of MOV CR and MOV DR */
#define CRX_IS_MOV BIT_ULL(63)
#define CRX_GPR	   0xfull

/* EXITINFO1 of NPF, APM "Nested versus Guest Page Faults, Fault Ordering" */
#define NPF_PRESENT  BIT_ULL(0)
#define NPF_WRITE    BIT_ULL(1)
#define NPF_RESERVED BIT_ULL(3)
#define NPF_FETCH    BIT_ULL(4)
#define NPF_FINAL    BIT_ULL(32)

/* Qualification of an EPT violation, SDM "Exit Qualification for EPT Violations" */
#define EPTV_READ     BIT(0)
#define EPTV_WRITE    BIT(1)
#define EPTV_FETCH    BIT(2)
#define EPTV_READABLE BIT(3)
#define EPTV_FINAL    BIT(8)

#define DR6_EVENTS    0x600full /* B0-B3, BD, BS */
#define DR6_BS	      0x4000ull

static u32 insn_len(const struct svm_ctx *ctx)
{
	u64 len = ctx->vmcb->c.next_rip - ctx->vmcb->s.rip;

	return svm_features.nrips && len <= 15 ? len : 0;
}

/* The guest is not to see that the instruction exists. */
static void fill_ud(struct vcpu_exit *e)
{
	e->reason = EXIT_REASON_EXCEPTION_NMI;
	e->intr_info = INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | X86_TRAP_UD;
	e->insn_len = 0;
}

static void copy_bytes(const struct svm_control *c, struct vcpu_exit *e)
{
	if (!svm_features.decode_assists)
		return;
	e->nr_bytes = min_t(u8, c->insn_len & 0xf, sizeof(e->bytes));
	memcpy(e->bytes, c->insn_bytes, e->nr_bytes);
}

/*
 * A machine check is taken here, in the host's name: unlike an NMI it is not
 * kept pending by its intercept.
 */
static void host_machine_check(void)
{
	asm volatile("int $18");
}

static void fill_exception(struct vcpu *v, struct svm_ctx *ctx, u32 vector, struct vcpu_exit *e)
{
	const struct svm_control *c = &ctx->vmcb->c;
	u32 type = INTR_TYPE_HARD_EXCEPTION;

	e->reason = EXIT_REASON_EXCEPTION_NMI;
	switch (vector) {
	case X86_TRAP_MC:
		host_machine_check();
		e->reason = VCPU_EXIT_NONE;
		return;
	case X86_TRAP_DB:
		e->qual = ctx->vmcb->s.dr6 & DR6_EVENTS;
		/* Bochs does not set DR6 before the intercept. */
		if (!e->qual && (ctx->vmcb->s.rflags & X86_EFLAGS_TF))
			e->qual = DR6_BS;
		break;
	case X86_TRAP_BP:
	case X86_TRAP_OF:
		type = INTR_TYPE_SOFT_EXCEPTION;
		e->insn_len = insn_len(ctx);
		break;
	case X86_TRAP_PF:
		e->qual = c->exit_info_2;
		copy_bytes(c, e);
		fallthrough;
	case X86_TRAP_DF:
	case X86_TRAP_TS:
	case X86_TRAP_NP:
	case X86_TRAP_SS:
	case X86_TRAP_GP:
	case X86_TRAP_AC:
	case X86_TRAP_CP:
		e->intr_info = INTR_INFO_DELIVER_CODE_MASK;
		e->intr_error = c->exit_info_1;
		break;
	}
	e->intr_info |= INTR_INFO_VALID_MASK | type | vector;
}

/*
 * The linear address is not known, so the qualification does not claim one
 * (bit 7 clear). Bit 8 still tells a final access from a walk of the guest's
 * page tables, because the core asks.
 */
static void fill_npf(const struct svm_control *c, struct vcpu_exit *e)
{
	u64 err = c->exit_info_1;

	e->gpa = c->exit_info_2;
	copy_bytes(c, e);
	if (err & NPF_RESERVED) {
		e->reason = EXIT_REASON_EPT_MISCONFIG;
		return;
	}
	e->reason = EXIT_REASON_EPT_VIOLATION;
	if (err & NPF_WRITE)
		e->qual |= EPTV_WRITE;
	else if (err & NPF_FETCH)
		e->qual |= EPTV_FETCH;
	else
		e->qual |= EPTV_READ;
	if (err & NPF_PRESENT)
		e->qual |= EPTV_READABLE;
	if (err & NPF_FINAL)
		e->qual |= EPTV_FINAL;
}

/*
 * Was the port number part of the instruction? SVM does not say, but DX or the
 * length give it away, up to redundant prefixes.
 */
static bool io_is_immediate(const struct vcpu *v, const struct svm_save *s, u32 port, u32 size,
			    u32 len)
{
	bool data32 = s->cs.attrib & SVM_SELECTOR_DB_MASK;
	u32 dx_form = 1;

	if ((s->efer & EFER_LMA) && (s->cs.attrib & SVM_SELECTOR_L_MASK))
		data32 = true;
	if (size > 1 && data32 != (size == 4))
		dx_form++; /* operand-size prefix */
	return port < 0x100 && ((u16)v->regs[X86_RDX] != port || len > dx_form);
}

/* SDM "Exit Qualification for I/O Instructions" */
static void fill_io(const struct vcpu *v, const struct svm_ctx *ctx, struct vcpu_exit *e)
{
	const struct svm_control *c = &ctx->vmcb->c;
	u64 info = c->exit_info_1;
	u64 len = c->exit_info_2 - ctx->vmcb->s.rip;

	e->reason = EXIT_REASON_IO_INSTRUCTION;
	e->qual = ((info >> SVM_IOIO_SIZE_SHIFT) & 7) - 1; /* 1, 2, 4 bytes */
	if (info & IOIO_IN)
		e->qual |= 1 << 3;
	if (info & IOIO_STR)
		e->qual |= 1 << 4;
	if (info & IOIO_REP)
		e->qual |= 1 << 5;
	e->qual |= info & 0xffff0000;
	e->insn_len = len <= 15 ? len : 0;
	if (!(info & IOIO_STR) &&
	    io_is_immediate(v, &ctx->vmcb->s, info >> 16 & 0xffff, (e->qual & 7) + 1, len))
		e->qual |= 1 << 6;
}

/* SDM "Exit Qualification for Control-Register Accesses" */
static void fill_cr(const struct svm_ctx *ctx, u32 nr, bool read, struct vcpu_exit *e)
{
	u64 info = ctx->vmcb->c.exit_info_1;

	e->reason = EXIT_REASON_CR_ACCESS;
	e->insn_len = insn_len(ctx);
	e->qual = nr | (read ? 1 << 4 : 0);
	if (svm_features.decode_assists && (info & CRX_IS_MOV))
		e->qual |= (info & CRX_GPR) << 8;
	else
		e->partial = true; /* also CLTS, LMSW and SMSW */
}

/* SDM "Exit Qualification for MOV DR" */
static void fill_dr(const struct svm_ctx *ctx, u32 nr, bool read, struct vcpu_exit *e)
{
	e->reason = EXIT_REASON_DR_ACCESS;
	e->insn_len = insn_len(ctx);
	e->qual = nr | (read ? 1 << 4 : 0);
	if (svm_features.decode_assists)
		e->qual |= (ctx->vmcb->c.exit_info_1 & CRX_GPR) << 8;
	else
		e->partial = true;
}

/* SDM "Exit Qualification for Task Switches" */
static void fill_task_switch(const struct svm_control *c, struct vcpu_exit *e)
{
	u64 source = 0; /* CALL */

	if (e->idt_info)
		source = 3; /* task gate in the IDT */
	else if (c->exit_info_2 & BIT_ULL(SVM_EXITINFOSHIFT_TS_REASON_IRET))
		source = 1;
	else if (c->exit_info_2 & BIT_ULL(SVM_EXITINFOSHIFT_TS_REASON_JMP))
		source = 2;
	e->reason = EXIT_REASON_TASK_SWITCH;
	e->qual = (c->exit_info_1 & 0xffff) | source << 30;
}

static void fill_invlpg(const struct svm_ctx *ctx, struct vcpu_exit *e)
{
	e->reason = EXIT_REASON_INVLPG;
	e->insn_len = insn_len(ctx);
	if (svm_features.decode_assists)
		e->qual = ctx->vmcb->c.exit_info_1;
	else
		e->partial = true;
}

/* ICEBP: VMX has it as a #DB exception of its own type. */
static void fill_icebp(const struct svm_ctx *ctx, struct vcpu_exit *e)
{
	e->reason = EXIT_REASON_EXCEPTION_NMI;
	e->intr_info = INTR_INFO_VALID_MASK | INTR_TYPE_PRIV_SW_EXCEPTION | X86_TRAP_DB;
	e->insn_len = insn_len(ctx);
}

/* See event.c: the IRET that ends NMI blocking is about to be executed. */
static void note_iret(struct vcpu *v, struct svm_ctx *ctx, struct vcpu_exit *e)
{
	ctx->iret_pending = true;
	ctx->iret_rip = ctx->vmcb->s.rip;
	svm_update_intercepts(v, ctx);
	e->reason = VCPU_EXIT_NONE;
}

/*
 * VMRUN refused. For context 02 the state is L1's, so L1 gets the failed
 * entry; for context 01 it is our own mistake.
 */
static void fill_refused(struct vcpu *v, struct svm_ctx *ctx, struct vcpu_exit *e)
{
	ctx->vmcb->c.clean = 0;
	e->qual = 0;
	e->reason = svm_is_02(v) ? EXIT_REASON_INVALID_STATE | VCPU_EXIT_FAILED_ENTRY :
				   VCPU_EXIT_HW_ERROR;
}

/* Exits with a range of codes. True when @code was one. */
static bool fill_range(struct vcpu *v, struct svm_ctx *ctx, u32 code, struct vcpu_exit *e)
{
	if (code <= SVM_EXIT_READ_CR0 + 0xf)
		fill_cr(ctx, code & 0xf, true, e);
	else if (code <= SVM_EXIT_WRITE_CR0 + 0xf)
		fill_cr(ctx, code & 0xf, false, e);
	else if (code <= SVM_EXIT_READ_DR0 + 0xf)
		fill_dr(ctx, code & 7, true, e);
	else if (code <= SVM_EXIT_WRITE_DR0 + 0xf)
		fill_dr(ctx, code & 7, false, e);
	else if (code <= SVM_EXIT_LAST_EXCP)
		fill_exception(v, ctx, code - SVM_EXIT_EXCP_BASE, e);
	else
		return false;
	return true;
}

static void fill_special(struct vcpu *v, struct svm_ctx *ctx, u32 code, struct vcpu_exit *e)
{
	const struct svm_control *c = &ctx->vmcb->c;

	switch (code) {
	case SVM_EXIT_NMI:
	case SVM_EXIT_SMI:
	case SVM_EXIT_INIT:
		e->reason = VCPU_EXIT_NONE; /* the host took it at STGI */
		break;
	case SVM_EXIT_CR0_SEL_WRITE:
		fill_cr(ctx, 0, false, e);
		break;
	case SVM_EXIT_IRET:
		note_iret(v, ctx, e);
		break;
	case SVM_EXIT_INVLPG:
		fill_invlpg(ctx, e);
		break;
	case SVM_EXIT_TASK_SWITCH:
		fill_task_switch(c, e);
		break;
	case SVM_EXIT_ICEBP:
		fill_icebp(ctx, e);
		break;
	case SVM_EXIT_PUSHF:
	case SVM_EXIT_SWINT:
		/* No exits of VMX: for the emulator alone, which decodes the instruction. */
		e->reason = EXIT_REASON_EXCEPTION_NMI;
		e->intr_info = INTR_INFO_VALID_MASK | INTR_TYPE_SOFT_INTR;
		break;
	case SVM_EXIT_RDTSCP:
		if (ctx->no_rdtscp) {
			fill_ud(e);
			break;
		}
		e->reason = EXIT_REASON_RDTSCP;
		e->insn_len = insn_len(ctx);
		break;
	case SVM_EXIT_INVPCID:
		if (ctx->no_invpcid) {
			fill_ud(e);
			break;
		}
		e->reason = EXIT_REASON_INVPCID;
		e->insn_len = insn_len(ctx);
		break;
	case SVM_EXIT_RSM:
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
	case SVM_EXIT_RDPRU:
		fill_ud(e);
		break;
	case (u32)SVM_EXIT_ERR:
		fill_refused(v, ctx, e);
		break;
	default:
		/* Nothing else is intercepted. */
		e->reason = VCPU_EXIT_HW_ERROR;
		e->qual = code;
	}
}

/**
 * svm_fill_exit - translate the exit that @ctx has just taken
 *
 * @e has been reset; e->raw and e->idt_* are filled already.
 */
void svm_fill_exit(struct vcpu *v, struct svm_ctx *ctx, struct vcpu_exit *e)
{
	const struct svm_control *c = &ctx->vmcb->c;
	u32 code = c->exit_code;

	/*
	 * To VMX an event whose delivery ended in a double or triple fault is
	 * not being delivered any more (SDM "Information for VM Exits During
	 * Event Delivery").
	 */
	if (unlikely(e->idt_info) &&
	    (code == SVM_EXIT_SHUTDOWN || code == SVM_EXIT_EXCP_BASE + X86_TRAP_DF))
		e->idt_info = 0;

	if (code < ARRAY_SIZE(simple) && simple[code]) {
		e->reason = simple[code] - 1;
		if (!e->insn_len)
			e->insn_len = insn_len(ctx);
	} else if (code == SVM_EXIT_NPF) {
		fill_npf(c, e);
	} else if (code == SVM_EXIT_MSR) {
		e->reason = c->exit_info_1 & 1 ? EXIT_REASON_MSR_WRITE : EXIT_REASON_MSR_READ;
		e->insn_len = insn_len(ctx);
	} else if (code == SVM_EXIT_IOIO) {
		fill_io(v, ctx, e);
	} else if (!fill_range(v, ctx, code, e)) {
		fill_special(v, ctx, code, e);
	}
}
