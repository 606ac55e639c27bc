// SPDX-License-Identifier: GPL-2.0-only
/*
 * System-management mode: an SMI is taken, RSM returns (SDM chapter "System Management Mode", APM
 * volume 2 chapter of that name). Called by run.c and by whoever meets an RSM.
 *
 * A vCPU in SMM uses address space 1 of guest memory. It is never in L2: an SMI that comes in L2
 * takes the vCPU out of it without a VM exit, and RSM puts it back (SDM "Default Treatment of SMIs
 * and SMM with VMX Operation and SMX Operation").
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "linux/trace.h"
#include "mm/mm.h"
#include "nested/check.h"
#include "vcpu/core.h"
#include "vcpu/nested.h"
#include "vcpu/smm_map.h"

#define SMM_CR0_CLEARED (X86_CR0_PE | X86_CR0_EM | X86_CR0_TS | X86_CR0_PG)
#define RFLAGS_DEFINED	0x3f7fd5ull
#define FLAT_DATA_AR	(0x3 | SEG_AR_S | SEG_AR_P | SEG_AR_G)

/* One may be pending: a second is lost, as in a real processor. */
void vcpu_post_smi(struct vcpu *v)
{
	WRITE_ONCE(v->smi_pending, true);
	vcpu_request_and_kick(v, REQ_EVENT);
}

/**
 * vcpu_set_smm - the vCPU is in SMM from now on, or no longer
 * @v:	the vCPU, loaded, by its own thread
 * @on: which
 *
 * Memory and what CPUID says change with it; registers do not.
 */
void vcpu_set_smm(struct vcpu *v, bool on)
{
	v->smm = on;
	v->smm_in_nmi = false;
	/* An SMI that had to wait may be taken. */
	vcpu_request(v, REQ_EVENT);
	vcpu_request(v, REQ_MMU_RELOAD);
	vcpu_request(v, REQ_TLB_FLUSH);
}

static void gather_state(struct vcpu *v, struct smm_state *s)
{
	int i;

	memset(s, 0, sizeof(*s));
	memcpy(s->gpr, v->regs, sizeof(s->gpr));
	s->rip = v->rip;
	s->rflags = v->rflags;
	s->cr0 = hw->get_cr0(v);
	s->cr3 = hw->get_cr3(v);
	s->cr4 = hw->get_cr4(v);
	s->efer = hw->get_efer(v);
	s->dr6 = v->dr6;
	s->dr7 = v->dr7;
	for (i = 0; i < X86_NR_SREGS; i++)
		hw->get_seg(v, i, &s->seg[i]);
	hw->get_gdt(v, &s->gdt);
	hw->get_idt(v, &s->idt);
	s->smbase = v->smbase;
	s->shadow = shadow_to_kvm(hw->get_intr_shadow(v));
	s->halted = v->mp_state == KVM_MP_STATE_HALTED || v->l2_halted;
}

/* SDM "SMM Handler Execution Environment". */
static void load_smm_environment(struct vcpu *v, bool long_mode)
{
	const struct x86_seg cs = {
		.selector = v->smbase >> 4,
		.base = v->smbase,
		.limit = 0xffffffff,
		.ar = FLAT_DATA_AR,
	};
	const struct x86_seg data = { .limit = 0xffffffff, .ar = FLAT_DATA_AR };
	const struct x86_dt no_idt = {};
	enum x86_sreg i;

	if (long_mode)
		hw->set_efer(v, 0);
	hw->set_cr0(v, hw->get_cr0(v) & ~(u64)SMM_CR0_CLEARED);
	hw->set_cr4(v, 0);
	for (i = X86_ES; i <= X86_GS; i++)
		hw->set_seg(v, i, i == X86_CS ? &cs : &data);
	hw->set_idt(v, &no_idt);
	v->rip = SMM_ENTRY_OFFSET;
	v->rflags = X86_EFLAGS_FIXED;
	v->dr7 = DR7_FIXED;
	hw->set_dr7(v, vcpu_effective_dr7(v));
	hw->set_intr_shadow(v, INTR_SHADOW_NMI);
	vcpu_cpuid_update(v);
}

/**
 * vcpu_accept_smi - take the pending SMI if that is possible now
 * @v: the vCPU, loaded, by its own thread; vm->srcu held; may sleep
 *
 * An event that is being delivered goes first; the SMI then is taken before its handler's first
 * instruction. Blocked in SMM, and while waiting for a SIPI.
 *
 * Return: RESUME_GUEST or -errno.
 */
int vcpu_accept_smi(struct vcpu *v)
{
	bool long_mode = vcpu_has_feature(v, X86_FEATURE_LM);
	u8 map[SMM_MAP_SIZE];
	bool in_nmi;
	u64 rsp = v->regs[X86_RSP];
	struct smm_state s;
	int r;

	if (v->smm || (v->mp_state != KVM_MP_STATE_RUNNABLE && v->mp_state != KVM_MP_STATE_HALTED))
		return RESUME_GUEST;
	if (vcpu_event_queued(v)) {
		v->want_immediate_exit = true;
		return RESUME_GUEST;
	}
	WRITE_ONCE(v->smi_pending, false);
	v->smi_count++;
	trace_turtles_smm(v->id, true, v->rip, v->smbase);

	gather_state(v, &s);
	smm_map_save(map, &s, long_mode);
	in_nmi = hw->get_intr_shadow(v) & INTR_SHADOW_NMI;
	r = nested_enter_smm(v);
	if (r != RESUME_GUEST)
		return r;
	v->regs[X86_RSP] = rsp;

	vcpu_set_smm(v, true);
	v->smm_in_nmi = in_nmi;
	v->mp_state = KVM_MP_STATE_RUNNABLE;
	load_smm_environment(v, long_mode);
	/* Without memory there the state would be lost, and no RSM could bring it back. */
	if (vcpu_write_guest(v, v->smbase + SMM_MAP_OFFSET, map, sizeof(map)))
		vcpu_request(v, REQ_TRIPLE_FAULT);
	return RESUME_GUEST;
}

static bool in_long_mode(const struct smm_state *s)
{
	return (s->cr0 & X86_CR0_PG) && (s->efer & EFER_LME);
}

static bool cr0_ok(u64 cr0)
{
	return !(cr0 >> 32) && (!(cr0 & X86_CR0_PG) || (cr0 & X86_CR0_PE)) &&
	       (!(cr0 & X86_CR0_NW) || (cr0 & X86_CR0_CD));
}

/*
 * What makes RSM shut the processor down: SDM "Exiting From SMM", APM "Exiting SMM". The LMA flag
 * is not looked at, but follows.
 */
static bool state_ok(struct vcpu *v, const struct smm_state *s)
{
	u32 cs_ar = s->seg[X86_CS].ar;

	if (!cr0_ok(s->cr0) || (s->cr4 & v->cr4_reserved) || (s->efer & vcpu_efer_reserved(v)))
		return false;
	if ((s->dr6 >> 32) || (s->dr7 >> 32) || (s->cr3 & ~(BIT_ULL(vcpu_maxphyaddr(v)) - 1)))
		return false;
	if (!in_long_mode(s))
		return !(s->cr4 & X86_CR4_PCIDE);
	if (!(s->cr4 & X86_CR4_PAE) || (s->rflags & X86_EFLAGS_VM))
		return false;
	if (cs_ar & SEG_AR_L)
		return !(cs_ar & SEG_AR_DB) && canonical(s->cr4 & X86_CR4_LA57 ? 57 : 48, s->rip);
	return true;
}

/* One consistent state is replaced by another: no intermediate checks. */
static void load_state(struct vcpu *v, const struct smm_state *s)
{
	bool lma = in_long_mode(s);
	int i;

	hw->set_efer(v, (s->efer & ~(u64)EFER_LMA) | (lma ? EFER_LMA : 0));
	hw->set_cr0(v, (s->cr0 & CR0_DEFINED) | X86_CR0_ET);
	hw->set_cr4(v, s->cr4);
	hw->set_cr3(v, s->cr3);
	for (i = 0; i < X86_NR_SREGS; i++)
		hw->set_seg(v, i, &s->seg[i]);
	hw->set_gdt(v, &s->gdt);
	hw->set_idt(v, &s->idt);
	memcpy(v->regs, s->gpr, sizeof(v->regs));
	v->rip = lma && (s->seg[X86_CS].ar & SEG_AR_L) ? s->rip : (u32)s->rip;
	v->rflags = (s->rflags & RFLAGS_DEFINED) | X86_EFLAGS_FIXED;
	vcpu_set_dr(v, 6, s->dr6);
	vcpu_set_dr(v, 7, s->dr7);
	v->smbase = s->smbase;
	vcpu_cpuid_update(v);
}

/* The processor is in shutdown, still in SMM, until user space resets it. */
static int shut_down(struct vcpu *v)
{
	vcpu_request(v, REQ_TRIPLE_FAULT);
	return RESUME_GUEST;
}

static bool in_pae_paging(const struct smm_state *s)
{
	return (s->cr0 & X86_CR0_PG) && (s->cr4 & X86_CR4_PAE) && !(s->efer & EFER_LME);
}

/**
 * vcpu_rsm - RSM, in SMM
 * @v: the vCPU, loaded; vm->srcu held; may sleep
 *
 * Return: RESUME_GUEST.
 */
int vcpu_rsm(struct vcpu *v)
{
	bool long_mode = vcpu_has_feature(v, X86_FEATURE_LM);
	bool in_nmi = v->smm_in_nmi;
	u8 map[SMM_MAP_SIZE];
	struct smm_state s;

	trace_turtles_smm(v->id, false, v->rip, v->smbase);
	if (vcpu_read_guest(v, v->smbase + SMM_MAP_OFFSET, map, sizeof(map)))
		return shut_down(v);
	/* For what the 32-bit layout lacks: EFER. */
	gather_state(v, &s);
	smm_map_restore(&s, map, long_mode);
	if (!state_ok(v, &s))
		return shut_down(v);

	vcpu_set_smm(v, false);
	nested_leave_smm(v, &s.cr0, &s.cr4);
	load_state(v, &s);
	hw->set_intr_shadow(v, shadow_from_kvm(s.shadow) | (in_nmi ? INTR_SHADOW_NMI : 0));
	v->l2_halted = false;
	if (s.halted && v->lapic)
		v->mp_state = KVM_MP_STATE_HALTED;
	/* L2's PDPTEs are in its VMCS under EPT. Else they are in memory, and not in SMRAM. */
	if (in_pae_paging(&s) && !nested_uses_ept(v) && vcpu_load_pdptrs(v, s.cr3))
		return shut_down(v);
	return RESUME_GUEST;
}
