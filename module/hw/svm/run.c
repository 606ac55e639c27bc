// SPDX-License-Identifier: GPL-2.0-only
/*
 * One world switch: registers into the VMCB, VMRUN, registers out, and the
 * exit handed over in neutral form. Called by the run loop with interrupts
 * off; it decides nothing about the exit.
 */
#include <linux/percpu.h>
#include <linux/smp.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "hw/svm/svm.h"

/* Registers that the core keeps in struct vcpu. */
static void load_state(struct vcpu *v, struct svm_ctx *ctx)
{
	struct svm_vmcb *vmcb = ctx->vmcb;
	u32 int_ctl = INT_CTL_MASKING | (v->cr8 & INT_CTL_TPR);

	vmcb->s.rax = v->regs[X86_RAX];
	vmcb->s.rsp = v->regs[X86_RSP];
	vmcb->s.rip = v->rip;
	vmcb->s.rflags = v->rflags;
	if (vmcb->s.cr2 != v->cr2) {
		vmcb->s.cr2 = v->cr2;
		vmcb_dirty(vmcb, CLEAN_CR2);
	}
	if (vmcb->s.dr6 != v->dr6) {
		vmcb->s.dr6 = v->dr6;
		vmcb_dirty(vmcb, CLEAN_DRX);
	}
	if (svm_windows(ctx) & WINDOW_IRQ)
		int_ctl |= INT_CTL_WINDOW;
	if (vmcb->c.int_ctl != int_ctl) {
		vmcb->c.int_ctl = int_ctl;
		vmcb_dirty(vmcb, CLEAN_TPR);
	}
}

/*
 * v->rflags is left alone while single-stepping: svm_finish_step() wants the
 * entry's. DR6 of an intercepted #DB is not the guest's yet (exit.c).
 */
static void save_state(struct vcpu *v, struct svm_ctx *ctx)
{
	struct svm_vmcb *vmcb = ctx->vmcb;

	v->regs[X86_RAX] = vmcb->s.rax;
	v->regs[X86_RSP] = vmcb->s.rsp;
	v->rip = vmcb->s.rip;
	if (likely(!ctx->stepping))
		v->rflags = vmcb->s.rflags;
	v->cr2 = vmcb->s.cr2;
	v->cr8 = vmcb->c.int_ctl & INT_CTL_TPR;
	if ((u32)vmcb->c.exit_code != SVM_EXIT_EXCP_BASE + 1)
		v->dr6 = vmcb->s.dr6;
}

/*
 * LDTR: the process may have changed its LDT since vcpu_load(), and VMLOAD
 * would bring the old one back. Processes with an LDT are rare; for them the
 * host state is saved at every entry.
 */
static void refresh_host_ldt(struct svm_vcpu *svm)
{
	u16 ldt;

	store_ldt(ldt);
	if (unlikely(ldt | svm->host_ldt))
		svm_save_host(svm);
}

static void prepare_spec_ctrl(struct svm_vcpu *svm)
{
	svm->sw.flags &= ~SWF_SPEC;
	if (!svm_features.spec_ctrl || svm_features.virt_spec_ctrl)
		return;
	svm->sw.guest_spec = svm->spec_ctrl;
	if (svm->sw.guest_spec != svm->sw.host_spec)
		svm->sw.flags |= SWF_SPEC;
}

static void exit_reset(struct vcpu_exit *e)
{
	e->insn_len = 0;
	e->insn_info = 0;
	e->qual = 0;
	e->gpa = 0;
	e->gla = 0;
	e->intr_info = 0;
	e->intr_error = 0;
	e->idt_info = 0;
	e->idt_error = 0;
	e->partial = false;
	e->nr_bytes = 0;
}

/*
 * #VMEXIT leaves DR7 disabled. The guest's breakpoints are the core's to take
 * out; a breakpoint of the host's own (perf, ptrace) is re-armed here.
 */
static void restore_host_dr7(struct vcpu *v)
{
	if (unlikely(hw_breakpoint_active()) && !v->dr_loaded)
		asm volatile("mov %0, %%db7" : : "r"(__this_cpu_read(cpu_dr7)));
}

/**
 * svm_enter - hw_ops: run the current context until the next exit
 */
void svm_enter(struct vcpu *v, struct vcpu_exit *e)
{
	struct svm_vcpu *svm = v->svm;
	struct svm_ctx *ctx = svm->cur;
	struct svm_vmcb *vmcb = ctx->vmcb;

	lockdep_assert_irqs_disabled();
	exit_reset(e);
	load_state(v, ctx);
	if (unlikely(!svm_prepare_events(v, ctx))) {
		e->reason = EXIT_REASON_NMI_WINDOW;
		e->raw = 0;
		return;
	}
	/*
	 * Only now, when VMRUN is sure to follow: the flush that goes with a new generation of
	 * ASIDs must have been done before anybody else on this CPU takes one of them.
	 */
	svm_asid_prepare(ctx, smp_processor_id());
	refresh_host_ldt(svm);
	prepare_spec_ctrl(svm);
	svm->sw.vmcb_pa = ctx->pa;

	svm_world_switch(&svm->sw);

	restore_host_dr7(v);
	vcpu_fpu_check_xcr0(v);
	vmcb->c.tlb_ctl = TLB_CTL_NONE;
	vmcb->c.clean = CLEAN_ALL;
	save_state(v, ctx);
	e->raw = vmcb->c.exit_code;
	svm_finish_events(v, ctx, e);
	if (unlikely(ctx->stepping) && svm_finish_step(v, ctx, e))
		return;
	svm_fill_exit(v, ctx, e);
}
