// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulation of one instruction: fills struct emul from the vCPU, runs it, writes the state back
 * and turns the outcome into what the run loop does next. The callbacks that reach memory,
 * devices and registers are in emulate_ops.c.
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "vcpu/core.h"
#include "vcpu/emulate.h"
#include "vcpu/emulate_ops.h"
#include "vcpu/nested.h"

static void load_state(struct vcpu *v)
{
	struct emul *e = &v->emul->e;
	int i;

	emul_init(e, &vcpu_emul_ops, v);
	memcpy(e->regs, v->regs, sizeof(e->regs));
	e->rip = v->rip;
	e->rflags = v->rflags;
	for (i = 0; i < 6; i++)
		hw->get_seg(v, i, &e->segs[i]);
	e->cr0 = hw->get_cr0(v);
	e->cr4 = hw->get_cr4(v);
	e->efer = hw->get_efer(v);
	e->cpl = hw->get_cpl(v);
	e->nr_bytes = min_t(u8, v->exit.nr_bytes, EMUL_INSN_MAX);
	memcpy(e->bytes, v->exit.bytes, e->nr_bytes);
}

static void forget_io(struct vcpu_emul *em)
{
	em->nr_reads = 0;
	em->read_pos = 0;
	em->wants_read = false;
	em->nr_writes = 0;
	em->write_pos = 0;
	em->pio_in_valid = false;
	em->pio_wants_in = false;
	em->pio_out_posted = false;
}

/**
 * vcpu_internal_error - tell user space that an instruction cannot be emulated
 * @v:	      the vCPU
 * @suberror: KVM_INTERNAL_ERROR_*
 */
int vcpu_internal_error(struct vcpu *v, u32 suberror)
{
	struct kvm_run *run = v->run;
	struct emul *e = &v->emul->e;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->emulation_failure.suberror = suberror;
	run->emulation_failure.ndata = 3;
	run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run->emulation_failure.insn_size = min_t(u8, e->nr_bytes, 15);
	memcpy(run->emulation_failure.insn_bytes, e->bytes, 15);
	return EXIT_TO_USER;
}

/*
 * An instruction that is not emulated. A guest's kernel that uses one ends KVM_RUN; its user space,
 * or L2, must not be able to end the VM, and gets #UD. KVM_CAP_EXIT_ON_EMULATION_FAILURE: user
 * space wants to hear of all.
 */
static int emulation_failed(struct vcpu *v)
{
	if (!v->vm->exit_on_emulation_failure && (v->in_l2 || hw->get_cpl(v))) {
		vcpu_inject_ud(v);
		return RESUME_GUEST;
	}
	return vcpu_internal_error(v, KVM_INTERNAL_ERROR_EMULATION);
}

/* Describe the next device access that user space has to make; RESUME_GUEST when none is left. */
static int next_user_access(struct vcpu *v)
{
	struct vcpu_emul *em = v->emul;
	struct kvm_run *run = v->run;
	struct mmio_frag *f;

	if (em->write_pos < em->nr_writes) {
		f = &em->writes[em->write_pos++];
		run->mmio.is_write = 1;
	} else if (em->wants_read) {
		f = &em->pending;
		run->mmio.is_write = 0;
	} else if (em->pio_out_posted) {
		em->pio_out_posted = false;
		em->complete = vcpu_emulate_complete;
		return vcpu_user_pio(v, false, em->pio_port, em->pio_size, em->pio_count);
	} else if (em->pio_wants_in) {
		em->complete = vcpu_emulate_complete;
		return vcpu_user_pio(v, true, em->pio_port, em->pio_size, em->pio_count);
	} else {
		return RESUME_GUEST;
	}
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = f->gpa;
	run->mmio.len = f->len;
	memcpy(run->mmio.data, f->data, sizeof(f->data));
	em->complete = vcpu_emulate_complete;
	return EXIT_TO_USER;
}

static void write_back(struct vcpu *v)
{
	struct emul *e = &v->emul->e;

	memcpy(v->regs, e->regs, sizeof(v->regs));
	v->rip = e->rip;
	v->rflags = e->rflags;
}

/* The instruction is complete: interrupt shadow, single step. */
static void retire(struct vcpu *v, bool tf)
{
	struct emul *e = &v->emul->e;
	u32 old = hw->get_intr_shadow(v), shadow = old & INTR_SHADOW_NMI;

	if (e->shadow & EMUL_SHADOW_STI)
		shadow |= INTR_SHADOW_STI;
	if (e->shadow & EMUL_SHADOW_MOVSS)
		shadow |= INTR_SHADOW_MOV_SS;
	if (shadow != old)
		hw->set_intr_shadow(v, shadow);
	if (tf)
		vcpu_inject_db(v, BIT(14)); /* DR6.BS */
	vcpu_request(v, REQ_EVENT);
}

static int raise_fault(struct vcpu *v)
{
	const struct emul_fault *f = &v->emul->e.fault;

	if (f->soft)
		vcpu_inject_soft(v, f->vector, f->insn_len);
	else if (f->vector == X86_TRAP_PF)
		vcpu_inject_pf(v, f->payload, f->error);
	else if (f->vector == X86_TRAP_DB)
		vcpu_inject_db(v, f->payload);
	else if (f->has_error)
		vcpu_inject_exception_err(v, f->vector, f->error);
	else
		vcpu_inject_exception(v, f->vector);
	return RESUME_GUEST;
}

static int step(struct vcpu *v)
{
	struct vcpu_emul *em = v->emul;
	struct emul *e = &em->e;
	bool tf = e->rflags & X86_EFLAGS_TF;
	u64 rcx = e->regs[X86_RCX], rsi = e->regs[X86_RSI], rdi = e->regs[X86_RDI];
	enum emul_result r;

	em->read_pos = 0;
	em->nested_fault = false;
	em->system_done = false;
	em->bad_memory = false;
	v->stats.emulated++;

	r = emul_step(e);
	write_back(v);

	switch (r) {
	case EMUL_DONE:
		retire(v, tf);
		if (em->system_done)
			return em->system_result;
		fallthrough;
	case EMUL_AGAIN:
		em->nr_reads = 0;
		em->pio_in_valid = false;
		return next_user_access(v);
	case EMUL_IO:
		/* Answers that completed iterations have used up are for nobody else. */
		if (e->regs[X86_RCX] != rcx || e->regs[X86_RSI] != rsi || e->regs[X86_RDI] != rdi) {
			em->nr_reads = 0;
			em->pio_in_valid = false;
		}
		return next_user_access(v);
	case EMUL_FAULT:
		forget_io(em);
		return raise_fault(v);
	case EMUL_INTERCEPTED:
		forget_io(em);
		if (em->nested_fault)
			return nested_ept_fault_exit(v, em->nf.l2gpa, em->nf.gva, em->nf.qual,
						     em->nf.misconfig);
		return em->system_result;
	default:
		forget_io(em);
		return em->bad_memory ? -EFAULT : emulation_failed(v);
	}
}

/**
 * vcpu_emulate - emulate the instruction at RIP
 * @v: the vCPU, loaded; vm->srcu held; may sleep
 *
 * Return: RESUME_GUEST; EXIT_TO_USER with a device access for user space, or with
 *	   KVM_EXIT_INTERNAL_ERROR and the instruction's bytes; -EFAULT when a slot's memory is
 *	   not there.
 */
int vcpu_emulate(struct vcpu *v)
{
	forget_io(v->emul);
	load_state(v);
	return step(v);
}

/**
 * vcpu_emulate_complete - user space has made the access that next_user_access() described
 * @v: the vCPU, loaded; vm->srcu held
 */
int vcpu_emulate_complete(struct vcpu *v)
{
	struct vcpu_emul *em = v->emul;

	/* More of the same instruction's writes are waiting. */
	if (em->write_pos < em->nr_writes)
		return next_user_access(v);

	if (em->wants_read) {
		if (em->nr_reads == EMUL_NR_READS)
			return vcpu_internal_error(v, KVM_INTERNAL_ERROR_EMULATION);
		memcpy(em->pending.data, v->run->mmio.data, sizeof(em->pending.data));
		emulate_trace_mmio(false, &em->pending);
		em->reads[em->nr_reads++] = em->pending;
		em->wants_read = false;
	} else if (em->pio_wants_in) {
		em->pio_wants_in = false;
		em->pio_in_valid = true;
	} else {
		/* A posted write: its instruction, or iteration, is complete. */
		forget_io(em);
		return RESUME_GUEST;
	}

	/* State set by user space in between goes first: the guest starts over there. */
	if (v->rip != em->e.rip || memcmp(v->regs, em->e.regs, sizeof(v->regs))) {
		forget_io(em);
		return RESUME_GUEST;
	}
	return step(v);
}

/* Fetch and decode at RIP; the result is v->emul->e.insn. */
int vcpu_decode(struct vcpu *v, bool *ok)
{
	struct vcpu_emul *em = v->emul;
	enum emul_result r;

	forget_io(em);
	load_state(v);
	em->nested_fault = false;
	em->bad_memory = false;
	r = emul_fetch_decode(&em->e);
	*ok = r == EMUL_OK;
	if (*ok || r == EMUL_AGAIN)
		return RESUME_GUEST;
	if (r == EMUL_FAULT)
		return raise_fault(v);
	if (r == EMUL_INTERCEPTED && em->nested_fault)
		return nested_ept_fault_exit(v, em->nf.l2gpa, em->nf.gva, em->nf.qual,
					     em->nf.misconfig);
	return em->bad_memory ? -EFAULT : emulation_failed(v);
}

/* What the qualification lacks; false when the instruction has no VMX exit of this kind. */
static bool complete_qual(struct vcpu *v)
{
	const struct emul_insn *insn = &v->emul->e.insn;
	struct vcpu_exit *e = &v->exit;
	u64 gva = 0;

	switch (insn->op->id) {
	case OPC_MOV_FROM_CR:
		e->qual = insn->reg | (1 << 4) | (insn->rm << 8);
		return true;
	case OPC_MOV_TO_CR:
		e->qual = insn->reg | (insn->rm << 8);
		return true;
	case OPC_MOV_FROM_DR:
		e->qual = (insn->reg & 7) | BIT(4) | (insn->rm << 8);
		return true;
	case OPC_MOV_TO_DR:
		e->qual = (insn->reg & 7) | (insn->rm << 8);
		return true;
	case OPC_CLTS:
		e->qual = 2 << 4;
		return true;
	case OPC_LMSW:
		e->qual = (3 << 4) | ((v->regs[insn->rm] & 0xffff) << 16);
		return !insn->is_mem;
	case OPC_INVLPG:
		/* A non-canonical address makes it a no-op; to flush another page does no harm. */
		emul_mem_operand(&v->emul->e, 1, false, &gva);
		e->qual = gva;
		return true;
	}
	return e->reason != EXIT_REASON_CR_ACCESS;
}

/**
 * vcpu_complete_exit - decode the instruction of an exit that the hardware left incomplete
 * @v: the vCPU; v->exit.partial is set
 * @r: with EXIT_HANDLED, what the exit came to
 *
 * Return: EXIT_COMPLETE; EXIT_EMULATE when VMX has no such exit (SMSW), so that L0 has to carry the
 * instruction out; EXIT_HANDLED when it could not even be fetched.
 */
enum exit_completion vcpu_complete_exit(struct vcpu *v, int *r)
{
	bool ok;

	*r = vcpu_decode(v, &ok);
	if (!ok)
		return EXIT_HANDLED;
	v->exit.insn_len = v->emul->e.insn.length;
	v->exit.partial = false;
	return complete_qual(v) ? EXIT_COMPLETE : EXIT_EMULATE;
}

/* Did RIP just pass from below 4 GiB to above, so that the mode decides what it is? */
static u64 wrap_rip(struct vcpu *v, u64 old, u64 new)
{
	struct x86_seg cs;

	if (likely(!((old ^ new) >> 32)))
		return new;
	hw->get_seg(v, X86_CS, &cs);
	return (hw->get_efer(v) & EFER_LMA) && (cs.ar & SEG_AR_L) ? new : (u32) new;
}

/**
 * vcpu_skip_insn - the instruction of the last exit is done: go to the next
 * @v: the vCPU, loaded; may sleep when v->exit.insn_len is 0
 *
 * Ends the interrupt shadow and raises the single-step trap.
 * Return: RESUME_GUEST, or the outcome of a failed fetch.
 */
int vcpu_skip_insn(struct vcpu *v)
{
	u32 shadow;

	if (unlikely(!v->exit.insn_len)) {
		bool ok;
		int r = vcpu_decode(v, &ok);

		if (!ok)
			return r;
		v->exit.insn_len = v->emul->e.insn.length;
	}
	v->rip = wrap_rip(v, v->rip, v->rip + v->exit.insn_len);

	shadow = hw->get_intr_shadow(v);
	if (unlikely(shadow & (INTR_SHADOW_STI | INTR_SHADOW_MOV_SS))) {
		hw->set_intr_shadow(v, shadow & INTR_SHADOW_NMI);
		vcpu_request(v, REQ_EVENT);
	}
	if (unlikely(v->rflags & X86_EFLAGS_TF))
		vcpu_inject_db(v, BIT(14));
	return RESUME_GUEST;
}
