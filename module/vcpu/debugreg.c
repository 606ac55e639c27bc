// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug registers around a world switch. MOV DR always exits, so DR0-DR3 and DR6 need to be in
 * the processor only while a breakpoint of the guest, or one that user space set for it, is
 * enabled. The host's values are put back before interrupts come on again.
 */
#include <linux/percpu.h>
#include <linux/sched.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <linux/kvm.h>

#include "vcpu/core.h"

/* DR7 to run with: user space's breakpoints hide the guest's (KVM_SET_GUEST_DEBUG). */
u64 vcpu_effective_dr7(struct vcpu *v)
{
	if (v->debug_flags & KVM_GUESTDBG_USE_HW_BP)
		return (v->debug_dr[7] & 0xffff2bffull) | DR7_FIXED;
	return v->dr7;
}

/*
 * User space steps through the guest. A shadow of STI or MOV SS goes: VM entry with TF set would
 * want a single-step trap to be pending then, which belongs behind the next instruction (SDM
 * "Checks on Guest Non-Register State").
 */
void vcpu_start_step(struct vcpu *v)
{
	hw->set_intr_shadow(v, hw->get_intr_shadow(v) & INTR_SHADOW_NMI);
	v->rflags |= X86_EFLAGS_TF;
}

/* User space debugs the guest: every #DB is its, those that L0 raises too. */
bool vcpu_user_takes_db(struct vcpu *v)
{
	return v->debug_flags & (KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP);
}

/**
 * vcpu_exit_debug - end KVM_RUN with KVM_EXIT_DEBUG
 * @v:	    the vCPU; its RIP is what user space reads as the place
 * @vector: #DB or #BP
 * @dr6:    the conditions of a #DB, as DR6 has them
 */
int vcpu_exit_debug(struct vcpu *v, u32 vector, u64 dr6)
{
	struct x86_seg cs;

	if (v->debug_flags & KVM_GUESTDBG_SINGLESTEP)
		vcpu_start_step(v);
	hw->get_seg(v, X86_CS, &cs);
	v->run->exit_reason = KVM_EXIT_DEBUG;
	v->run->debug.arch.pc = cs.base + v->rip;
	v->run->debug.arch.exception = vector;
	v->run->debug.arch.dr6 = dr6 | DR6_FIXED | BIT(16);
	v->run->debug.arch.dr7 = vcpu_effective_dr7(v);
	return EXIT_TO_USER;
}

void vcpu_load_guest_dr(struct vcpu *v)
{
	const u64 *dr = v->debug_flags & KVM_GUESTDBG_USE_HW_BP ? v->debug_dr : v->dr;
	int i;

	if (!(vcpu_effective_dr7(v) & DR7_ENABLES))
		return;

	for (i = 0; i < 4; i++)
		v->host_dr[i] = native_get_debugreg(i);
	v->host_dr[6] = native_get_debugreg(6);
	v->host_dr[7] = native_get_debugreg(7);
	native_set_debugreg(7, 0);
	for (i = 0; i < 4; i++)
		native_set_debugreg(i, dr[i]);
	native_set_debugreg(6, v->dr6);
	v->dr_loaded = true;
}

void vcpu_save_guest_dr(struct vcpu *v)
{
	int i;

	if (likely(!v->dr_loaded))
		return;

	if (!(v->debug_flags & KVM_GUESTDBG_USE_HW_BP)) {
		v->dr6 = native_get_debugreg(6);
	}
	for (i = 0; i < 4; i++)
		native_set_debugreg(i, v->host_dr[i]);
	native_set_debugreg(6, v->host_dr[6]);
	native_set_debugreg(7, v->host_dr[7]);
	v->dr_loaded = false;
}
