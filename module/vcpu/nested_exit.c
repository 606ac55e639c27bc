// SPDX-License-Identifier: GPL-2.0-only
/*
 * L2 to L1: whose an exit is, and the VM exit itself (SDM chapter "VM Exits"): save L2, record
 * why, load L1's host state.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "linux/trace.h"
#include "mm/mm.h"
#include "nested/check.h"
#include "nested/enter.h"
#include "nested/reflect.h"
#include "vcpu/emulate.h"
#include "vcpu/nested_int.h"

static int read_l1(void *ctx, u64 gpa, void *buf, u32 len)
{
	return vm_read_guest(((struct vcpu *)ctx)->vm, gpa, buf, len);
}

/*
 * Exceptions that L0 looks at before L1: its debugger's, #UD that may be a VMX instruction, #GP that
 * may be CR4.VME's.
 */
static u32 l0_exceptions(struct vcpu *v)
{
	u32 vectors = 0;

	if (v->debug_flags)
		vectors |= BIT(X86_TRAP_DB) | BIT(X86_TRAP_BP);
	if (hw == &svm_ops)
		vectors |= BIT(X86_TRAP_UD);
	if (vcpu_gp_may_be_vme(v))
		vectors |= BIT(X86_TRAP_GP);
	return vectors;
}

/* Exits whose owner depends on the width of a register operand. */
static bool wants_mode(u32 reason)
{
	return reason == EXIT_REASON_CR_ACCESS || reason == EXIT_REASON_VMREAD ||
	       reason == EXIT_REASON_VMWRITE;
}

/**
 * nested_exit_is_for - whose is the exit taken in L2?
 * @v: the vCPU in L2; v->exit is complete
 */
enum nested_exit_owner nested_exit_is_for(struct vcpu *v)
{
	struct reflect_ctx c = {
		.v = v->nested->vmcs12,
		.e = &v->exit,
		.regs = v->regs,
		.xss = v->xss,
		.l0_exceptions = l0_exceptions(v),
		.read_l1 = read_l1,
		.read_ctx = v,
	};
	struct x86_seg cs;

	if (wants_mode(v->exit.reason) && (hw->get_efer(v) & EFER_LMA)) {
		hw->get_seg(v, X86_CS, &cs);
		c.l2_64bit = cs.ar & SEG_AR_L;
	}
	return nested_exit_owner(&c);
}

/* Exits by instructions, whose length L1 must find in its VMCS. */
static bool has_insn_len(const struct vcpu_exit *e)
{
	switch (e->reason) {
	case EXIT_REASON_EXTERNAL_INTERRUPT:
	case EXIT_REASON_TRIPLE_FAULT:
	case EXIT_REASON_INTERRUPT_WINDOW:
	case EXIT_REASON_NMI_WINDOW:
	case EXIT_REASON_EPT_VIOLATION:
	case EXIT_REASON_EPT_MISCONFIG:
	case EXIT_REASON_PREEMPTION_TIMER:
	case EXIT_REASON_TPR_BELOW_THRESHOLD:
	case EXIT_REASON_MONITOR_TRAP_FLAG:
		return false;
	case EXIT_REASON_EXCEPTION_NMI:
		return (e->intr_info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_SOFT_EXCEPTION;
	}
	return true;
}

/**
 * nested_reflect - pass v->exit on to L1
 * @v: the vCPU in L2
 *
 * Where the hardware does not tell the instruction length the instruction is decoded first.
 */
int nested_reflect(struct vcpu *v)
{
	if (!v->exit.insn_len && has_insn_len(&v->exit)) {
		bool ok;
		int r = vcpu_decode(v, &ok);

		if (!ok)
			return r;
		v->exit.insn_len = v->emul->e.insn.length;
	}
	v->stats.reflected++;
	return nested_vmexit(v, &v->exit);
}

/* The event whose delivery this exit cuts short, as L0 has it queued. */
static void vectoring_from_events(struct vcpu *v, struct vcpu_exit *e)
{
	u32 info = INTR_INFO_VALID_MASK;

	if (v->ev.exc.injected) {
		info |= v->ev.exc.vector;
		info |= v->ev.exc.vector == X86_TRAP_BP || v->ev.exc.vector == X86_TRAP_OF ?
				INTR_TYPE_SOFT_EXCEPTION :
				INTR_TYPE_HARD_EXCEPTION;
		if (v->ev.exc.has_error)
			info |= INTR_INFO_DELIVER_CODE_MASK;
		e->idt_error = v->ev.exc.error;
	} else if (v->ev.nmi_injected) {
		info |= INTR_TYPE_NMI_INTR | X86_TRAP_NMI;
	} else if (v->ev.irq.injected) {
		info |= v->ev.irq.vector;
		info |= v->ev.irq.soft ? INTR_TYPE_SOFT_INTR : INTR_TYPE_EXT_INTR;
	} else {
		info = 0;
	}
	e->idt_info = info;
	if (info && (v->ev.irq.soft || v->ev.exc.injected) && !e->insn_len)
		e->insn_len = v->ev.soft_insn_len;
}

static void forget_events(struct vcpu *v)
{
	v->ev.exc.injected = false;
	v->ev.exc.pending = false;
	v->ev.nmi_injected = false;
	v->ev.irq.injected = false;
}

/* A VMX abort: L1's processor shuts down (SDM "VMX Aborts"). */
static int vmx_abort(struct vcpu *v, u32 indicator)
{
	struct vcpu_nested *n = v->nested;
	u64 region = nested_vmcs_ptr(&n->st);

	/* At the same place in both kinds of VMCS. */
	n->vmcs12->abort = indicator;
	/* The region may be gone, or unknown; then nobody can look at the indicator either. */
	if (offset_in_page(region) || vm_write_guest(v->vm, region + offsetof(struct vmcs12, abort),
						     &indicator, sizeof(indicator)))
		trace_turtles_nested_vmenter_failed(v->id, "abort indicator", indicator);
	vcpu_request(v, REQ_TRIPLE_FAULT);
	return RESUME_GUEST;
}

/* SDM "Loading Host State", applied to context 01. */
static int load_host_state(struct vcpu *v, const struct l2_last *last)
{
	struct l1_state s;
	int i;

	nested_load_host_state(&s, v->nested->vmcs12, last);
	hw->set_efer(v, s.efer);
	hw->set_cr0(v, s.cr0);
	hw->set_cr4(v, s.cr4);
	hw->set_cr3(v, s.cr3);
	for (i = 0; i < X86_NR_SREGS; i++)
		hw->set_seg(v, i, &s.seg[i]);
	hw->set_gdt(v, &s.gdt);
	hw->set_idt(v, &s.idt);
	hw->set_msr(v, MSR_IA32_CR_PAT, s.pat);
	hw->set_msr(v, MSR_IA32_DEBUGCTLMSR, s.debugctl);
	hw->set_msr(v, MSR_IA32_SYSENTER_CS, s.sysenter_cs);
	hw->set_msr(v, MSR_IA32_SYSENTER_ESP, s.sysenter_esp);
	hw->set_msr(v, MSR_IA32_SYSENTER_EIP, s.sysenter_eip);
	hw->set_intr_shadow(v, s.block_nmi ? INTR_SHADOW_NMI : 0);
	v->dr7 = s.dr7;
	hw->set_dr7(v, vcpu_effective_dr7(v));
	v->rip = s.rip;
	v->rflags = s.rflags;
	v->regs[X86_RSP] = s.rsp;
	if (s.load_pdptes && vcpu_load_pdptrs(v, s.cr3))
		return VMX_ABORT_HOST_PDPTE;
	return 0;
}

static void l2_values(struct vcpu *v, struct l2_last *last)
{
	last->cr0 = hw->get_cr0(v);
	last->efer = hw->get_efer(v);
	last->pat = 0;
	hw->get_msr(v, MSR_IA32_CR_PAT, &last->pat);
}

static void leave_l2(struct vcpu *v)
{
	v->in_l2 = false;
	v->nested->st.in_l2 = false;
	v->nested->uses_ept = false;
	if (unlikely(v->nested->shadow_on))
		nested_shadow_store(v);
	v->nested->entry_event = false;
	v->nested->mtf_pending = false;
	v->nested->restored = 0;
	v->l2_halted = false;
	forget_events(v);
	vcpu_request(v, REQ_MMU_RELOAD);
	vcpu_request(v, REQ_EVENT);
}

/* What all ways back to L1 have in common, after the VMCS has been written. */
static int return_to_l1(struct vcpu *v, const struct l2_last *last)
{
	struct vcpu_nested *n = v->nested;
	struct nested_msr_ops ops;
	u32 abort;

	leave_l2(v);
	nested_publish_vmcs12(v, false);
	if (nested_evmcs_active(v))
		nested_evmcs_store(v);
	abort = load_host_state(v, last);
	if (abort)
		return vmx_abort(v, abort);
	if (n->vmcs12->vm_exit_msr_load_count) {
		nested_fill_msr_ops(v, &ops);
		if (nested_exit_msr_load(n->vmcs12, &n->caps, &ops))
			return vmx_abort(v, VMX_ABORT_LOAD_MSR);
	}
	return RESUME_GUEST;
}

/**
 * nested_vmexit - VM exit from L2 to L1
 * @v: the vCPU in L2, loaded; vm->srcu held; may sleep
 * @e: what L1 is told
 *
 * Return: RESUME_GUEST: L1 goes on at its host RIP.
 */
int nested_vmexit(struct vcpu *v, const struct vcpu_exit *e)
{
	struct vcpu_nested *n = v->nested;
	bool halted = v->l2_halted || v->mp_state == KVM_MP_STATE_HALTED;
	struct nested_msr_ops ops;
	struct vcpu_exit x = *e;
	struct l2_last last;
	u32 bad = 0;

	trace_turtles_nested_vmexit(v->id, v->rip, x.reason, x.qual, x.intr_info);
	nested_take_event(v);
	if (!(x.idt_info & INTR_INFO_VALID_MASK))
		vectoring_from_events(v, &x);
	nested_timer_stop(v);
	l2_values(v, &last);
	if (n->vmcs12->vm_exit_msr_store_count) {
		nested_fill_msr_ops(v, &ops);
		bad = nested_exit_msr_store(n->vmcs12, &n->caps, &ops);
	}
	hw->l2_leave(v, n->vmcs12);
	n->vmcs12->guest_activity_state = halted ? GUEST_ACTIVITY_HLT : GUEST_ACTIVITY_ACTIVE;
	v->mp_state = KVM_MP_STATE_RUNNABLE;
	nested_save_exit_info(n->vmcs12, &x);
	if (bad) {
		leave_l2(v);
		return vmx_abort(v, VMX_ABORT_SAVE_MSR);
	}
	return return_to_l1(v, &last);
}

int nested_vmexit_simple(struct vcpu *v, u32 reason, u64 qual)
{
	const struct vcpu_exit e = { .reason = reason, .qual = qual };

	return nested_vmexit(v, &e);
}

/**
 * nested_suspend_l2 - leave L2 without a VM exit, as an SMI does
 * @v: the vCPU in L2, with no event on its way; may sleep
 *
 * L2's guest state goes to vmcs12, where an exit would put it; L1's host state is loaded, so
 * that context 01 is in a state that makes sense.
 */
int nested_suspend_l2(struct vcpu *v)
{
	struct vmcs12 *m = v->nested->vmcs12;
	bool halted = v->l2_halted || v->mp_state == KVM_MP_STATE_HALTED;
	struct l2_last last;
	u32 abort;

	nested_timer_stop(v);
	l2_values(v, &last);
	hw->l2_leave(v, m);
	m->guest_activity_state = halted ? GUEST_ACTIVITY_HLT : GUEST_ACTIVITY_ACTIVE;
	leave_l2(v);
	abort = load_host_state(v, &last);
	return abort ? vmx_abort(v, abort) : RESUME_GUEST;
}

/**
 * nested_fail_entry - VM-entry failure during or after loading guest state
 * @v:	    the vCPU, in L1 or already in L2
 * @reason: basic exit reason
 * @qual:   exit qualification
 *
 * SDM section of that name: nothing of L2 is saved.
 */
int nested_fail_entry(struct vcpu *v, u32 reason, u64 qual)
{
	struct l2_last last;

	l2_values(v, &last);
	if (v->in_l2) {
		nested_timer_stop(v);
		hw->l2_leave(v, NULL);
	}
	nested_save_entry_failure(v->nested->vmcs12, reason, qual);
	return return_to_l1(v, &last);
}

/* The hardware found what the checks let through; L1 sees an invalid guest state. */
int nested_entry_failed(struct vcpu *v)
{
	u32 reason = v->exit.reason & 0xffff;

	trace_turtles_nested_vmenter_failed(v->id, "hardware", reason);
	return nested_fail_entry(v, reason, v->exit.qual);
}

int nested_hw_error(struct vcpu *v)
{
	trace_turtles_nested_vmenter_failed(v->id, "hardware, controls", v->exit.qual);
	return nested_fail_entry(v, EXIT_REASON_INVALID_STATE, 0);
}

/**
 * nested_ept_fault_exit - EPT12 does not permit an access
 * @v:	       the vCPU in L2
 * @l2gpa:     guest-physical address
 * @gla:       linear address, when bit 7 of @qual says so
 * @qual:      exit qualification of an EPT violation
 * @misconfig: EPT misconfiguration instead
 */
int nested_ept_fault_exit(struct vcpu *v, u64 l2gpa, u64 gla, u64 qual, bool misconfig)
{
	const struct vcpu_exit e = {
		.reason = misconfig ? EXIT_REASON_EPT_MISCONFIG : EXIT_REASON_EPT_VIOLATION,
		.qual = misconfig ? 0 : qual,
		.gpa = l2gpa,
		.gla = gla,
	};

	v->stats.reflected++;
	return nested_vmexit(v, &e);
}
