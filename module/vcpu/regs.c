// SPDX-License-Identifier: GPL-2.0-only
/*
 * The KVM API's register structs: KVM_GET/SET_REGS, SREGS, SREGS2, DEBUGREGS, MP_STATE,
 * TRANSLATE and SET_GUEST_DEBUG. Called by api/ with vcpu->mutex held and the vCPU loaded.
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "irqchip/irqchip.h"
#include "vcpu/core.h"
#include "vcpu/nested.h"

void vcpu_get_regs(struct vcpu *v, struct kvm_regs *r)
{
	lockdep_assert_held(&v->mutex);
	r->rax = v->regs[X86_RAX];
	r->rbx = v->regs[X86_RBX];
	r->rcx = v->regs[X86_RCX];
	r->rdx = v->regs[X86_RDX];
	r->rsi = v->regs[X86_RSI];
	r->rdi = v->regs[X86_RDI];
	r->rsp = v->regs[X86_RSP];
	r->rbp = v->regs[X86_RBP];
	r->r8 = v->regs[X86_R8];
	r->r9 = v->regs[X86_R9];
	r->r10 = v->regs[X86_R10];
	r->r11 = v->regs[X86_R11];
	r->r12 = v->regs[X86_R12];
	r->r13 = v->regs[X86_R13];
	r->r14 = v->regs[X86_R14];
	r->r15 = v->regs[X86_R15];
	r->rip = v->rip;
	r->rflags = v->rflags;
	if (v->debug_flags & KVM_GUESTDBG_SINGLESTEP)
		r->rflags &= ~(u64)X86_EFLAGS_TF; /* ours, not the guest's */
}

void vcpu_set_regs(struct vcpu *v, const struct kvm_regs *r)
{
	lockdep_assert_held(&v->mutex);
	v->regs[X86_RAX] = r->rax;
	v->regs[X86_RBX] = r->rbx;
	v->regs[X86_RCX] = r->rcx;
	v->regs[X86_RDX] = r->rdx;
	v->regs[X86_RSI] = r->rsi;
	v->regs[X86_RDI] = r->rdi;
	v->regs[X86_RSP] = r->rsp;
	v->regs[X86_RBP] = r->rbp;
	v->regs[X86_R8] = r->r8;
	v->regs[X86_R9] = r->r9;
	v->regs[X86_R10] = r->r10;
	v->regs[X86_R11] = r->r11;
	v->regs[X86_R12] = r->r12;
	v->regs[X86_R13] = r->r13;
	v->regs[X86_R14] = r->r14;
	v->regs[X86_R15] = r->r15;
	v->rip = r->rip;
	v->rflags = r->rflags | X86_EFLAGS_FIXED;
	if (v->debug_flags & KVM_GUESTDBG_SINGLESTEP)
		v->rflags |= X86_EFLAGS_TF;
	/* User space moved the guest: an exception for the old place makes no sense. */
	v->ev.exc.pending = false;
	vcpu_request(v, REQ_EVENT);
}

static void seg_to_kvm(struct vcpu *v, enum x86_sreg s, struct kvm_segment *k)
{
	struct x86_seg seg;

	hw->get_seg(v, s, &seg);
	k->base = seg.base;
	k->limit = seg.limit;
	k->selector = seg.selector;
	k->type = seg.ar & SEG_AR_TYPE;
	k->s = !!(seg.ar & SEG_AR_S);
	k->dpl = (seg.ar & SEG_AR_DPL) >> SEG_AR_DPL_SHIFT;
	k->present = !!(seg.ar & SEG_AR_P);
	k->avl = !!(seg.ar & SEG_AR_AVL);
	k->l = !!(seg.ar & SEG_AR_L);
	k->db = !!(seg.ar & SEG_AR_DB);
	k->g = !!(seg.ar & SEG_AR_G);
	k->unusable = !!(seg.ar & SEG_AR_UNUSABLE);
	k->padding = 0;
}

static void seg_from_kvm(struct vcpu *v, enum x86_sreg s, const struct kvm_segment *k)
{
	struct x86_seg seg = {
		.base = k->base,
		.limit = k->limit,
		.selector = k->selector,
		.ar = (k->type & 0xf) | (k->s ? SEG_AR_S : 0) | ((k->dpl & 3) << SEG_AR_DPL_SHIFT) |
		      (k->present ? SEG_AR_P : 0) | (k->avl ? SEG_AR_AVL : 0) |
		      (k->l ? SEG_AR_L : 0) | (k->db ? SEG_AR_DB : 0) | (k->g ? SEG_AR_G : 0) |
		      (k->unusable || !k->present ? SEG_AR_UNUSABLE : 0),
	};

	hw->set_seg(v, s, &seg);
}

/* The part that kvm_sregs and kvm_sregs2 share has the same member names. */
#define SREGS_SEGS(op, v, s)                \
	do {                                \
		op(v, X86_CS, &(s)->cs);    \
		op(v, X86_DS, &(s)->ds);    \
		op(v, X86_ES, &(s)->es);    \
		op(v, X86_FS, &(s)->fs);    \
		op(v, X86_GS, &(s)->gs);    \
		op(v, X86_SS, &(s)->ss);    \
		op(v, X86_TR, &(s)->tr);    \
		op(v, X86_LDTR, &(s)->ldt); \
	} while (0)

static bool in_pae_paging(const struct kvm_sregs2 *s)
{
	return (s->cr0 & X86_CR0_PG) && (s->cr4 & X86_CR4_PAE) && !(s->efer & EFER_LMA);
}

void vcpu_get_sregs2(struct vcpu *v, struct kvm_sregs2 *s)
{
	struct x86_dt dt;

	lockdep_assert_held(&v->mutex);
	memset(s, 0, sizeof(*s));
	SREGS_SEGS(seg_to_kvm, v, s);
	hw->get_gdt(v, &dt);
	s->gdt.base = dt.base;
	s->gdt.limit = dt.limit;
	hw->get_idt(v, &dt);
	s->idt.base = dt.base;
	s->idt.limit = dt.limit;
	s->cr0 = hw->get_cr0(v);
	s->cr2 = v->cr2;
	s->cr3 = hw->get_cr3(v);
	s->cr4 = hw->get_cr4(v);
	s->cr8 = vcpu_get_cr8(v);
	s->efer = hw->get_efer(v);
	s->apic_base = v->apic_base;
	if (in_pae_paging(s) && hw->get_pdptrs) {
		hw->get_pdptrs(v, s->pdptrs);
		s->flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
	}
}

void vcpu_get_sregs(struct vcpu *v, struct kvm_sregs *s)
{
	struct kvm_sregs2 s2;
	u8 vector;

	lockdep_assert_held(&v->mutex);
	vcpu_get_sregs2(v, &s2);
	memset(s, 0, sizeof(*s));
	memcpy(s, &s2, offsetof(struct kvm_sregs2, flags));
	if (vcpu_injected_irq(v, &vector))
		__set_bit(vector, (unsigned long *)s->interrupt_bitmap);
}

/* Combinations that no processor can be in: -EINVAL as the KVM API says. */
static int sregs_check(struct vcpu *v, const struct kvm_sregs2 *s)
{
	if ((s->efer & EFER_LME) && (s->cr0 & X86_CR0_PG)) {
		if (!(s->cr4 & X86_CR4_PAE) || !(s->efer & EFER_LMA))
			return -EINVAL;
		if (s->cr3 & ~(BIT_ULL(vcpu_maxphyaddr(v)) - 1))
			return -EINVAL;
	} else if ((s->efer & EFER_LMA) || s->cs.l) {
		return -EINVAL;
	}
	if ((s->cr4 & v->cr4_reserved) || (s->cr0 >> 32))
		return -EINVAL;
	if ((s->cr0 & X86_CR0_PG) && !(s->cr0 & X86_CR0_PE))
		return -EINVAL;
	if ((s->cr0 & X86_CR0_NW) && !(s->cr0 & X86_CR0_CD))
		return -EINVAL;
	return 0;
}

static int sregs_set(struct vcpu *v, const struct kvm_sregs2 *s)
{
	struct x86_dt dt;
	int r;

	r = sregs_check(v, s);
	if (r)
		return r;
	if (v->lapic) {
		if (lapic_set_base(v, s->apic_base, true))
			return -EINVAL;
	} else {
		v->apic_base = s->apic_base;
	}

	dt.base = s->idt.base;
	dt.limit = s->idt.limit;
	hw->set_idt(v, &dt);
	dt.base = s->gdt.base;
	dt.limit = s->gdt.limit;
	hw->set_gdt(v, &dt);
	v->cr2 = s->cr2;
	vcpu_set_cr8(v, s->cr8 & 0xf);

	/* One consistent state is replaced by another: no intermediate checks. */
	hw->set_efer(v, s->efer);
	hw->set_cr0(v, s->cr0);
	hw->set_cr4(v, s->cr4);
	hw->set_cr3(v, s->cr3);
	SREGS_SEGS(seg_from_kvm, v, s);
	vcpu_cpuid_update(v);
	nested_regs_set(v);
	hw->tlb_flush(v, true);
	vcpu_request(v, REQ_MMU_RELOAD);
	vcpu_request(v, REQ_EVENT);

	/* A secondary CPU that user space starts at the reset vector is waiting no more. */
	if (v->id == v->vm->bsp_vcpu_id && v->rip == 0xfff0 && s->cs.selector == 0xf000 &&
	    !(s->cr0 & X86_CR0_PE) && v->mp_state == KVM_MP_STATE_UNINITIALIZED)
		v->mp_state = KVM_MP_STATE_RUNNABLE;
	return 0;
}

int vcpu_set_sregs2(struct vcpu *v, const struct kvm_sregs2 *s)
{
	static const u64 none[4];
	bool pae = in_pae_paging(s);
	int r;

	lockdep_assert_held(&v->mutex);
	if (s->flags & ~(__u64)KVM_SREGS2_FLAGS_PDPTRS_VALID)
		return -EINVAL;
	if ((s->flags & KVM_SREGS2_FLAGS_PDPTRS_VALID) && !pae)
		return -EINVAL;
	r = sregs_set(v, s);
	if (r)
		return r;
	if (s->flags & KVM_SREGS2_FLAGS_PDPTRS_VALID)
		hw->set_pdptrs(v, s->pdptrs);
	else if (pae && vcpu_load_pdptrs(v, s->cr3))
		/* Memory is not there yet, or KVM_SET_NESTED_STATE, which knows L2's, follows. */
		hw->set_pdptrs(v, none);
	return 0;
}

int vcpu_set_sregs(struct vcpu *v, const struct kvm_sregs *s)
{
	struct kvm_sregs2 s2;
	int r, vector;

	lockdep_assert_held(&v->mutex);
	memset(&s2, 0, sizeof(s2));
	memcpy(&s2, s, offsetof(struct kvm_sregs2, flags));
	r = vcpu_set_sregs2(v, &s2);
	if (r)
		return r;

	vector = find_first_bit((const unsigned long *)s->interrupt_bitmap, 256);
	if (vector < 256) {
		v->ev.irq.injected = true;
		v->ev.irq.soft = false;
		v->ev.irq.vector = vector;
	}
	return 0;
}

void vcpu_get_debugregs(struct vcpu *v, struct kvm_debugregs *d)
{
	memset(d, 0, sizeof(*d));
	memcpy(d->db, v->dr, sizeof(d->db));
	d->dr6 = v->dr6;
	d->dr7 = v->dr7;
}

int vcpu_set_debugregs(struct vcpu *v, const struct kvm_debugregs *d)
{
	if (d->flags || (d->dr6 >> 32) || (d->dr7 >> 32))
		return -EINVAL;
	memcpy(v->dr, d->db, sizeof(d->db));
	vcpu_set_dr(v, 6, d->dr6);
	vcpu_set_dr(v, 7, d->dr7);
	return 0;
}

/**
 * vcpu_set_guest_debug - KVM_SET_GUEST_DEBUG
 * @v: the vCPU, mutex held, loaded
 * @d: from user space
 *
 * Return: 0; -EINVAL for unknown flags; -EBUSY when an exception to inject meets one that is
 *	   pending already.
 */
int vcpu_set_guest_debug(struct vcpu *v, const struct kvm_guest_debug *d)
{
	u32 vectors = 0;

	lockdep_assert_held(&v->mutex);
	if (d->control & ~VCPU_GUEST_DEBUG)
		return -EINVAL;
	if (d->control & (KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)) {
		if (v->ev.exc.pending || v->ev.exc.injected)
			return -EBUSY;
		if (d->control & KVM_GUESTDBG_INJECT_DB)
			vcpu_inject_exception(v, X86_TRAP_DB);
		else
			vcpu_inject_exception(v, X86_TRAP_BP);
	}

	if (v->debug_flags & KVM_GUESTDBG_SINGLESTEP)
		v->rflags &= ~(u64)X86_EFLAGS_TF;
	v->debug_flags = d->control & KVM_GUESTDBG_ENABLE ? d->control : 0;
	if (v->debug_flags & KVM_GUESTDBG_USE_HW_BP)
		memcpy(v->debug_dr, d->arch.debugreg, sizeof(v->debug_dr));
	hw->set_dr7(v, vcpu_effective_dr7(v));

	if (v->debug_flags & KVM_GUESTDBG_SINGLESTEP)
		vcpu_start_step(v);
	if (v->debug_flags)
		vectors |= BIT(X86_TRAP_DB);
	if (v->debug_flags & KVM_GUESTDBG_USE_SW_BP)
		vectors |= BIT(X86_TRAP_BP);
	hw->set_exc_intercepts(v, vectors);
	vcpu_request(v, REQ_EVENT); /* interrupts may go again, or no more */
	return 0;
}

/* An INIT or SIPI on its way is nowhere else in the state that user space saves: it is taken now. */
int vcpu_get_mp_state(struct vcpu *v, struct kvm_mp_state *s)
{
	lockdep_assert_held(&v->mutex);
	vcpu_accept_init_sipi(v);
	s->mp_state = v->lapic && v->l2_halted ? KVM_MP_STATE_HALTED : v->mp_state;
	return 0;
}

int vcpu_set_mp_state(struct vcpu *v, const struct kvm_mp_state *s)
{
	lockdep_assert_held(&v->mutex);
	if (s->mp_state > KVM_MP_STATE_SIPI_RECEIVED)
		return -EINVAL;
	if (!v->lapic && s->mp_state != KVM_MP_STATE_RUNNABLE)
		return -EINVAL;
	/* INITs are latched in SMM, so nobody waits for a SIPI there. */
	if ((v->smm || READ_ONCE(v->smi_pending)) && (s->mp_state == KVM_MP_STATE_INIT_RECEIVED ||
						      s->mp_state == KVM_MP_STATE_SIPI_RECEIVED))
		return -EINVAL;
	if (s->mp_state == KVM_MP_STATE_SIPI_RECEIVED) {
		v->mp_state = KVM_MP_STATE_INIT_RECEIVED;
		vcpu_set_sipi_pending(v);
	} else {
		v->mp_state = s->mp_state;
	}
	/* Without a local APIC it cannot be told, and stays. */
	if (v->lapic)
		v->l2_halted = false;
	vcpu_request(v, REQ_EVENT);
	return 0;
}

int vcpu_translate(struct vcpu *v, struct kvm_translation *t)
{
	struct gva_fault f;
	u64 gpa = 0;
	int idx;

	idx = srcu_read_lock(&v->vm->srcu);
	t->valid = vcpu_translate_gva(v, t->linear_address, 0, &gpa, &f) == GVA_OK;
	srcu_read_unlock(&v->vm->srcu, idx);
	t->physical_address = t->valid ? gpa : ~0ull;
	t->writeable = 1; /* as stock KVM: not looked up */
	t->usermode = 0;
	return 0;
}
