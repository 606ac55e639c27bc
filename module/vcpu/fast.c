// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits that are handled at once: preemption off, the guest's FPU state still in the registers,
 * page faults not served. Each is first made sure of (instruction fetched, device present) and
 * only then done, so that giving up in the middle is never needed; what cannot be done here goes
 * to vcpu_handle_exit().
 */
#include <linux/kernel.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>
#include <asm/page.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "emul/decode.h"
#include "mm/mm.h"
#include "vcpu/core.h"
#include "vcpu/nested.h"

/**
 * vcpu_fetch_insn_64 - fetch and decode the instruction at RIP, in 64-bit mode at CPL 0
 * @v:	  the vCPU; vm->srcu held; does not sleep when page faults are disabled
 * @insn: result
 *
 * Return: false when it is not that mode, or the instruction cannot be had this way (it crosses a
 * page, its page is not there, it does not decode): then the slow path finds out why.
 */
bool vcpu_fetch_insn_64(struct vcpu *v, struct emul_insn *insn)
{
	unsigned int n = min_t(unsigned int, EMUL_INSN_MAX, PAGE_SIZE - (v->rip & ~PAGE_MASK));
	u8 bytes[EMUL_INSN_MAX];
	struct gva_fault f;
	struct x86_seg cs;
	u64 gpa;

	hw->get_seg(v, X86_CS, &cs);
	if (!(hw->get_efer(v) & EFER_LMA) || !(cs.ar & SEG_AR_L) || hw->get_cpl(v))
		return false;
	if (vcpu_translate_gva(v, v->rip, WALK_FETCH, &gpa, &f) != GVA_OK)
		return false;
	if (vcpu_read_guest(v, gpa, bytes, n))
		return false;
	return emul_decode(insn, bytes, n, EMUL_MODE_64) > 0;
}

/* Know the instruction's length before anything is done. */
static bool insn_len_known(struct vcpu *v)
{
	struct emul_insn insn;

	if (likely(v->exit.insn_len))
		return true;
	if (!vcpu_fetch_insn_64(v, &insn))
		return false;
	v->exit.insn_len = insn.length;
	return true;
}

static bool fast_wrmsr(struct vcpu *v)
{
	return vcpu_wrmsr_is_atomic(v) && insn_len_known(v) && vcpu_handle_wrmsr(v) == RESUME_GUEST;
}

static bool fast_rdmsr(struct vcpu *v)
{
	return vcpu_rdmsr_is_atomic(v) && insn_len_known(v) && vcpu_handle_rdmsr(v) == RESUME_GUEST;
}

static bool fast_in_l1(struct vcpu *v)
{
	const struct vcpu_exit *e = &v->exit;

	switch (e->reason) {
	case EXIT_REASON_CPUID:
		return insn_len_known(v) && vcpu_handle_cpuid(v) == RESUME_GUEST;
	case EXIT_REASON_IO_INSTRUCTION:
		return insn_len_known(v) && vcpu_io_in_kernel(v);
	case EXIT_REASON_MSR_READ:
		return fast_rdmsr(v);
	case EXIT_REASON_MSR_WRITE:
		return fast_wrmsr(v);
	case EXIT_REASON_EXCEPTION_NMI:
		return (e->intr_info & INTR_INFO_VECTOR_MASK) == X86_TRAP_UD && nested_fast_ud(v);
	case EXIT_REASON_VMREAD:
	case EXIT_REASON_VMWRITE:
		return nested_fast_insn(v);
	}
	return false;
}

/**
 * vcpu_handle_exit_fast - try to handle v->exit without leaving the inner loop
 * @v: the vCPU; preemption off, interrupts on
 *
 * Return: true when it was handled and the guest can be resumed.
 */
bool vcpu_handle_exit_fast(struct vcpu *v)
{
	bool done;
	int idx;

	if (v->exit.reason == VCPU_EXIT_NONE)
		return true;
	/* Single-stepping and user space's debugger take the long way. */
	if (v->in_l2 || v->exit.reason >= VCPU_NR_EXIT_REASONS || v->exit.partial ||
	    (v->rflags & X86_EFLAGS_TF) || (v->exit.idt_info & INTR_INFO_VALID_MASK))
		return false;

	idx = srcu_read_lock(&v->vm->srcu);
	pagefault_disable();
	done = fast_in_l1(v);
	pagefault_enable();
	srcu_read_unlock(&v->vm->srcu, idx);
	if (done)
		v->stats.exits[0][v->exit.reason]++;
	return done;
}
