// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX operation and system-management mode (SDM "Default Treatment of SMIs and SMM with VMX
 * Operation and SMX Operation"): an SMI hides VMX operation from the handler, also when it comes
 * in L2; RSM brings it back. Called by smm.c.
 */
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "nested/check.h"
#include "vcpu/nested_int.h"

/* SDM "Default Treatment of SMI Delivery"; L2's registers are read already. */
int nested_enter_smm(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;
	int r = RESUME_GUEST;

	n->smm = (struct nested_smm){ .vmxon = n->st.vmxon, .guest_mode = v->in_l2 };
	if (!n->st.vmxon)
		return RESUME_GUEST;
	if (v->in_l2) {
		n->smm.mtf_pending = n->mtf_pending;
		n->smm.timer_on = nested_timer_get(v, &n->smm.deadline);
		n->smm.msrs_valid = true;
		hw->get_msr(v, MSR_IA32_CR_PAT, &n->smm.pat);
		hw->get_msr(v, MSR_IA32_DEBUGCTLMSR, &n->smm.debugctl);
		r = nested_suspend_l2(v);
		nested_sync_vmcs12(v, VMCS12_SYNC_REST);
	} else {
		nested_sync_vmcs12(v, VMCS12_SYNC_WRITES | VMCS12_SYNC_REST);
	}
	n->st.vmxon = false;
	/* The handler has no VMREAD: neither may the hardware do it on its own. */
	nested_publish_vmcs12(v, true);
	return r;
}

/* Bits that VMX operation does not leave free become what they must be. */
static u64 fix_bits(u64 val, u64 fixed0, u64 fixed1)
{
	return (val | fixed0) & fixed1;
}

static void resume_l2(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;

	nested_resume_l2(v);
	n->mtf_pending = n->smm.mtf_pending;
	if (n->smm.timer_on) {
		n->restored |= RESTORED_DEADLINE;
		n->restored_deadline = n->smm.deadline;
	}
	if (n->smm.msrs_valid) {
		hw->set_msr(v, MSR_IA32_CR_PAT, n->smm.pat);
		hw->set_msr(v, MSR_IA32_DEBUGCTLMSR, n->smm.debugctl);
	}
}

/**
 * nested_leave_smm - SDM "Default Treatment of RSM"
 * @v:	 the vCPU, out of SMM already, its registers not yet restored
 * @cr0: value to be loaded, corrected here
 * @cr4: same
 */
void nested_leave_smm(struct vcpu *v, u64 *cr0, u64 *cr4)
{
	struct vcpu_nested *n = v->nested;
	const struct vmx_caps *caps = &n->caps;
	u64 fixed0 = caps->cr0_fixed0;

	/* User space may have put the vCPU into VMX operation in SMM. */
	if (!n->smm.vmxon && !n->st.vmxon)
		return;
	n->st.vmxon = true;
	if (n->smm.guest_mode) {
		resume_l2(v);
		if (proc2_has(n->vmcs12, SECONDARY_EXEC_UNRESTRICTED_GUEST))
			fixed0 &= ~(u64)(X86_CR0_PE | X86_CR0_PG);
	} else {
		nested_publish_vmcs12(v, true);
	}
	*cr0 = fix_bits(*cr0, fixed0, caps->cr0_fixed1);
	*cr4 = fix_bits(*cr4, caps->cr4_fixed0, caps->cr4_fixed1);
	memset(&n->smm, 0, sizeof(n->smm));
}
