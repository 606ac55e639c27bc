// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMCS shadowing for L1: VMREADs and VMWRITEs of L2, itself a hypervisor, that reach the shadow VMCS
 * which L1 has linked, without an exit to L1 (SDM "VMREAD and VMWRITE in VMX Non-Root Operation").
 * L0 carries them out on a copy, read at the entry to L2 and written back at the exit: what L1
 * does to the region meanwhile has no effect, as with the current VMCS.
 */
#include <linux/kernel.h>
#include <asm/vmx.h>

#include "linux/trace.h"
#include "mm/mm.h"
#include "nested/state.h"
#include "vcpu/nested_int.h"

/**
 * nested_shadow_load - read the shadow VMCS that L2 will have
 * @v: the vCPU in L1; the entry checks have passed
 *
 * Return: 0 or -EFAULT.
 */
int nested_shadow_load(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;

	if (vm_read_guest(v->vm, n->vmcs12->vmcs_link_pointer, n->shadow12, VMCS12_SIZE))
		return -EFAULT;
	/* L1 may have changed it since the check; what was checked counts. */
	n->shadow12->revision_id = VMCS12_REVISION | VMCS12_SHADOW;
	n->shadow_on = true;
	n->shadow_dirty = false;
	return 0;
}

/* L2 is left. If the memory is gone so are the contents, as with a VMCS that is cleared. */
void nested_shadow_store(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;

	n->shadow_on = false;
	if (!n->shadow_dirty)
		return;
	n->shadow_dirty = false;
	if (vm_write_guest(v->vm, n->vmcs12->vmcs_link_pointer, n->shadow12, VMCS12_SIZE))
		trace_turtles_nested_vmenter_failed(v->id, "shadow VMCS", 0);
}

/**
 * nested_shadow_access - VMREAD or VMWRITE of L2 that L1 does not want to see
 * @v:	    the vCPU in L2; v->exit has the instruction's length
 * @reason: which
 * @op:	    its operands
 */
int nested_shadow_access(struct vcpu *v, u32 reason, const struct vmx_operand *op)
{
	struct vcpu_nested *n = v->nested;
	struct nested_state shadow = {
		.vmxon = true,
		.vmxon_ptr = VMCS12_NO_PTR,
		.current_vmptr = n->shadow_on ? n->vmcs12->vmcs_link_pointer : VMCS12_NO_PTR,
		.evmcs_ptr = VMCS12_NO_PTR,
		.vmcs12 = n->shadow12,
	};
	struct vmx_insn_result res;
	struct vmx_insn i = {};

	nested_fill_insn(v, &i);
	i.ns = &shadow;
	i.op = *op;
	vmx_insn_execute(&i, reason, &res);
	if (shadow.dirty || res.kind == VMX_FAIL_VALID)
		n->shadow_dirty = true;
	return nested_apply_result(v, &res, reason);
}
