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
