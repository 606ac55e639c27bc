// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: injection, interrupt and NMI windows, interruptibility.
 *
 * What VMX gives and SVM does not is made here:
 *  - an NMI window. SVM does not keep NMI blocking for a guest (APM "NMI
 *    Support"): after an NMI is delivered IRET is intercepted, and NMIs are
 *    blocked until RIP has left that IRET. When somebody waits for the moment
 *    the one instruction is single-stepped, with every exception, PUSHF and INT n
 *    intercepted so that the borrowed TF is never pushed on the guest's stack.
 *    SYSCALL cannot be intercepted: it would save TF in R11.
 *  - an interrupt shadow on QEMU's TCG, which saves it at #VMEXIT and forgets
 *    it at VMRUN. Without it an interrupt comes between STI and HLT, and a
 *    guest then waits in HLT for one that has been.
 *  - interrupts that come once on QEMU's TCG. Until the next exit it may deliver what was
 *    injected again, RFLAGS.IF or not, whenever another of its threads stops this one for a
 *    moment: so the next exit is made to follow at once.
 *  - the return address of a software interrupt on processors that do not
 *    save NRIP: RIP is advanced before the entry, and put back when the
 *    delivery was cut short (APM "Event Injection").
 *
 * Called through hw_ops and by run.c.
 */
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>
#include "hw/svm/svm.h"

static bool in_shadow(const struct svm_ctx *ctx)
{
	return ctx->vmcb->c.int_state & INT_STATE_SHADOW;
}

/**
 * svm_get_intr_shadow - hw_ops
 *
 * SVM has one shadow for STI and MOV SS; with interrupts off it cannot be STI's.
 */
u32 svm_get_intr_shadow(struct vcpu *v)
{
	const struct svm_ctx *ctx = svm_cur(v);
	u32 shadow = 0;

	if (in_shadow(ctx))
		shadow = v->rflags & X86_EFLAGS_IF ? INTR_SHADOW_STI : INTR_SHADOW_MOV_SS;
	if (ctx->nmi_masked)
		shadow |= INTR_SHADOW_NMI;
	return shadow;
}

/** svm_set_intr_shadow - hw_ops */
void svm_set_intr_shadow(struct vcpu *v, u32 shadow)
{
	struct svm_ctx *ctx = svm_cur(v);
	bool masked = shadow & INTR_SHADOW_NMI;

	ctx->vmcb->c.int_state =
		shadow & (INTR_SHADOW_STI | INTR_SHADOW_MOV_SS) ? INT_STATE_SHADOW : 0;
	if (ctx->nmi_masked == masked)
		return;
	ctx->nmi_masked = masked;
	ctx->iret_pending = false;
	svm_update_intercepts(v, ctx);
}

/* VM-entry interruption information into EVENTINJ; 0 when nothing is injected. */
static u32 to_event_inj(u32 info, u32 insn_len)
{
	u32 vector = info & INTR_INFO_VECTOR_MASK;
	u32 evt = EVT_VALID | vector;

	if (info & INTR_INFO_DELIVER_CODE_MASK)
		evt |= EVT_HAS_ERROR;
	switch (info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_EXT_INTR:
		return evt | EVT_TYPE_INTR;
	case INTR_TYPE_NMI_INTR:
		return evt | EVT_TYPE_NMI;
	case INTR_TYPE_HARD_EXCEPTION:
		return evt | EVT_TYPE_EXCEPTION;
	case INTR_TYPE_SOFT_INTR:
		/* Length unknown: RIP is at the INT n, which does it again. */
		return insn_len ? evt | EVT_TYPE_SOFT : 0;
	case INTR_TYPE_PRIV_SW_EXCEPTION:
	case INTR_TYPE_SOFT_EXCEPTION:
		return insn_len ? evt | EVT_TYPE_EXCEPTION : 0;
	default:
		return 0;
	}
}

static bool is_software_event(u32 info)
{
	switch (info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_SOFT_INTR:
	case INTR_TYPE_PRIV_SW_EXCEPTION:
	case INTR_TYPE_SOFT_EXCEPTION:
		return true;
	default:
		return false;
	}
}

/**
 * svm_inject - hw_ops
 *
 * A software event with @insn_len 0 is not injected: its instruction, where
 * RIP still is, is executed again, which has the same effect.
 */
void svm_inject(struct vcpu *v, u32 intr_info, u32 error, u32 insn_len)
{
	struct svm_ctx *ctx = svm_cur(v);
	struct svm_control *c = &ctx->vmcb->c;

	ctx->soft_len = 0;
	if (!(intr_info & INTR_INFO_VALID_MASK)) {
		c->event_inj = 0;
		return;
	}
	c->event_inj = to_event_inj(intr_info, insn_len);
	c->event_inj_err = error;
	if (is_software_event(intr_info))
		ctx->soft_len = insn_len;
}

/** svm_set_window - hw_ops: current context */
void svm_set_window(struct vcpu *v, u32 windows)
{
	struct svm_ctx *ctx = svm_cur(v);

	if (ctx->windows == windows)
		return;
	ctx->windows = windows;
	svm_update_intercepts(v, ctx);
}

/* This entry ends behind the instruction at RIP. */
static void start_step(struct vcpu *v, struct svm_ctx *ctx)
{
	ctx->stepping = true;
	ctx->vmcb->s.rflags |= X86_EFLAGS_TF;
	svm_update_intercepts(v, ctx);
}

/* Decide how an NMI window is found. False: it is open now. */
static bool prepare_nmi_window(struct vcpu *v, struct svm_ctx *ctx)
{
	if (ctx->nmi_masked && !ctx->iret_pending)
		return true; /* the IRET intercept will tell */
	if (ctx->vmcb->c.event_inj) {
		svm_leave_soon();
		return true;
	}
	if (!ctx->iret_pending && !in_shadow(ctx))
		return false;
	start_step(v, ctx);
	return true;
}

/*
 * The processor will forget the shadow. An exit before the instruction in it must find it again, and
 * while an interrupt window is wanted that instruction is executed before there can be one.
 */
static void keep_shadow(struct vcpu *v, struct svm_ctx *ctx)
{
	struct svm_control *c = &ctx->vmcb->c;

	if (c->event_inj)
		return; /* its delivery ends the shadow */
	ctx->shadow_kept = true;
	ctx->shadow_rip = v->rip;
	if (!(svm_windows(ctx) & WINDOW_IRQ))
		return;
	if (!ctx->stepping)
		start_step(v, ctx);
	c->int_ctl &= ~(u32)INT_CTL_WINDOW;
	vmcb_dirty(ctx->vmcb, CLEAN_TPR);
}

/**
 * svm_prepare_events - last thing before the entry, guest state is in place
 *
 * Return: false when there is nothing to enter for: the NMI window is open.
 */
bool svm_prepare_events(struct vcpu *v, struct svm_ctx *ctx)
{
	struct svm_vmcb *vmcb = ctx->vmcb;
	struct svm_control *c = &vmcb->c;

	if ((svm_windows(ctx) & WINDOW_NMI) && !prepare_nmi_window(v, ctx))
		return false;
	if (unlikely(in_shadow(ctx)) && svm_features.forgets_shadow)
		keep_shadow(v, ctx);
	if (likely(!c->event_inj))
		return true;
	if ((c->event_inj & EVT_TYPE) == EVT_TYPE_NMI && !ctx->nmi_masked) {
		ctx->nmi_masked = true;
		ctx->iret_pending = false;
		svm_update_intercepts(v, ctx);
	}
	/* An exit, and the processor has done with it. */
	if ((c->event_inj & EVT_TYPE) == EVT_TYPE_INTR && svm_features.repeats_intr)
		svm_leave_soon();
	if (ctx->soft_len) {
		ctx->soft_armed = true;
		ctx->soft_rip = vmcb->s.rip;
		vmcb->s.rip += ctx->soft_len;
		c->next_rip = vmcb->s.rip;
	}
	return true;
}

/* EXITINTINFO into IDT-vectoring information. */
static u32 to_idt_info(u32 evt)
{
	u32 vector = evt & EVT_VECTOR;
	u32 info = VECTORING_INFO_VALID_MASK | vector;

	if (evt & EVT_HAS_ERROR)
		info |= VECTORING_INFO_DELIVER_CODE_MASK;
	switch (evt & EVT_TYPE) {
	case EVT_TYPE_INTR:
		return info | INTR_TYPE_EXT_INTR;
	case EVT_TYPE_NMI:
		return info | INTR_TYPE_NMI_INTR;
	case EVT_TYPE_SOFT:
		return info | INTR_TYPE_SOFT_INTR;
	default:
		if (vector == X86_TRAP_BP || vector == X86_TRAP_OF)
			return info | INTR_TYPE_SOFT_EXCEPTION;
		return info | INTR_TYPE_HARD_EXCEPTION;
	}
}

/* The entry's software event: RIP back where it was if it was not delivered. */
static void finish_soft_event(struct vcpu *v, struct svm_ctx *ctx, struct vcpu_exit *e)
{
	ctx->soft_armed = false;
	if (v->rip != ctx->soft_rip + ctx->soft_len)
		return;
	if (e->idt_info || ctx->vmcb->c.exit_code == (u64)SVM_EXIT_ERR ||
	    (u32)ctx->vmcb->c.exit_code == (u32)SVM_EXIT_ERR) {
		v->rip = ctx->soft_rip;
		if (e->idt_info)
			e->insn_len = ctx->soft_len;
	}
}

/**
 * svm_finish_events - after an exit: what became of events, into @e
 *
 * v->rip is the exit's and may be corrected here.
 */
void svm_finish_events(struct vcpu *v, struct svm_ctx *ctx, struct vcpu_exit *e)
{
	struct svm_control *c = &ctx->vmcb->c;

	c->event_inj = 0;
	if (unlikely(ctx->shadow_kept)) {
		ctx->shadow_kept = false;
		if (v->rip == ctx->shadow_rip)
			c->int_state |= INT_STATE_SHADOW;
	}
	if (unlikely(c->exit_int_info & EVT_VALID)) {
		e->idt_info = to_idt_info(c->exit_int_info);
		e->idt_error = c->exit_int_info_err;
		if ((c->exit_int_info & EVT_TYPE) == EVT_TYPE_NMI && ctx->nmi_masked) {
			/* Not delivered after all: blocks nothing. */
			ctx->nmi_masked = false;
			ctx->iret_pending = false;
			svm_update_intercepts(v, ctx);
		}
	}
	if (unlikely(ctx->soft_armed))
		finish_soft_event(v, ctx, e);
	ctx->soft_len = 0;
	if (unlikely(ctx->iret_pending) && !ctx->stepping && v->rip != ctx->iret_rip) {
		ctx->iret_pending = false;
		ctx->nmi_masked = false;
		svm_update_intercepts(v, ctx);
	}
}

/* An exception that only the step intercepted goes back to the guest. */
static void return_exception(struct vcpu *v, struct svm_ctx *ctx, u32 vector, struct vcpu_exit *e)
{
	const struct svm_control *c = &ctx->vmcb->c;

	e->reason = VCPU_EXIT_NONE;
	e->idt_info = VECTORING_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | vector;
	if (vector == X86_TRAP_BP || vector == X86_TRAP_OF) {
		e->idt_info = 0; /* the instruction does it again */
		return;
	}
	switch (vector) {
	case X86_TRAP_DF:
	case X86_TRAP_TS:
	case X86_TRAP_NP:
	case X86_TRAP_SS:
	case X86_TRAP_GP:
	case X86_TRAP_PF:
	case X86_TRAP_AC:
	case X86_TRAP_CP:
		e->idt_info |= VECTORING_INFO_DELIVER_CODE_MASK;
		e->idt_error = c->exit_info_1;
	}
	if (vector == X86_TRAP_PF)
		v->cr2 = c->exit_info_2;
}

/**
 * svm_finish_step - after an exit of a single-stepped entry
 *
 * Takes back TF unless the instruction was the IRET and has loaded its own.
 *
 * Return: true when @e is complete.
 */
bool svm_finish_step(struct vcpu *v, struct svm_ctx *ctx, struct vcpu_exit *e)
{
	const struct svm_vmcb *vmcb = ctx->vmcb;
	u32 code = vmcb->c.exit_code;
	u32 vector = code - SVM_EXIT_EXCP_BASE;
	bool guest_tf = v->rflags & X86_EFLAGS_TF;
	/* No breakpoint and no BD: then it is the step, even if DR6 does not say BS. */
	bool stepped = vector == X86_TRAP_DB && !(vmcb->s.dr6 & ~v->dr6 & 0x200f);
	bool iret_done = ctx->iret_pending && (stepped || vmcb->s.rip != ctx->iret_rip);
	u32 wanted = ctx->exc | ctx->base[INTERCEPT_EXCEPTION];

	/* v->rflags is still the entry's. */
	v->rflags = vmcb->s.rflags;
	if (!guest_tf && !iret_done)
		v->rflags &= ~(u64)X86_EFLAGS_TF;
	if (iret_done) {
		ctx->iret_pending = false;
		ctx->nmi_masked = false;
	}
	ctx->stepping = false;
	svm_update_intercepts(v, ctx);

	if (stepped && !guest_tf) {
		e->reason = VCPU_EXIT_NONE; /* the next entry finds the interrupt window */
		if ((svm_windows(ctx) & WINDOW_NMI) && !ctx->nmi_masked && !in_shadow(ctx))
			e->reason = EXIT_REASON_NMI_WINDOW;
		return true;
	}
	if (vector < 32 && !(wanted & BIT(vector))) {
		return_exception(v, ctx, vector, e);
		return true;
	}
	return false;
}
