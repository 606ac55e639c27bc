// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSR lists: loading at VM entry, storing and loading at VM exit (SDM "Loading
 * MSRs", "Saving MSRs"). A list is as long as IA32_VMX_MISC allows and no longer,
 * and each entry is copied once from L1's memory before it is looked at.
 */
#include <linux/types.h>
#include <asm/vmx.h>
#include "nested/check.h"
#include "nested/enter.h"

#define ENTRY_SIZE ((u32)sizeof(struct vmx_msr_entry_12))

static bool load_one(u64 gpa, const struct nested_msr_ops *ops)
{
	struct vmx_msr_entry_12 e;

	return !ops->read_gpa(ops->ctx, gpa, &e, sizeof(e)) &&
	       nested_msr_load_ok(&e, ops->x2apic) && !ops->set_msr(ops->ctx, e.index, e.value);
}

static bool store_one(u64 gpa, const struct nested_msr_ops *ops)
{
	struct vmx_msr_entry_12 e;

	if (ops->read_gpa(ops->ctx, gpa, &e, sizeof(e)) || !nested_msr_store_ok(&e, ops->x2apic) ||
	    ops->get_msr(ops->ctx, e.index, &e.value))
		return false;
	return !ops->write_gpa(ops->ctx, gpa + offsetof(struct vmx_msr_entry_12, value), &e.value,
			       sizeof(e.value));
}

/*
 * Walk a list. Returns 0, or the number of the entry that failed, counting from
 * one. An entry beyond the longest list fails, whatever it is.
 */
static u32 walk(u64 gpa, u32 count, const struct vmx_caps *caps,
		bool (*one)(u64 gpa, const struct nested_msr_ops *ops),
		const struct nested_msr_ops *ops)
{
	u32 i, max = vmx_caps_max_msr_list(caps);

	for (i = 0; i < count; i++)
		if (i >= max || !one(gpa + (u64)i * ENTRY_SIZE, ops))
			return i + 1;
	return 0;
}

/**
 * nested_entry_msr_load - load the VM-entry MSR-load list
 * @v:	  L1's VMCS, already checked
 * @caps: capabilities
 * @ops:  the world
 *
 * Returns 0; or the number of the bad entry, which is the exit qualification of
 * "VM-entry failure due to MSR loading". MSRs that were loaded before it stay.
 */
u32 nested_entry_msr_load(const struct vmcs12 *v, const struct vmx_caps *caps,
			  const struct nested_msr_ops *ops)
{
	return walk(v->vm_entry_msr_load_addr, v->vm_entry_msr_load_count, caps, load_one, ops);
}

/**
 * nested_exit_msr_store - fill the VM-exit MSR-store list
 * @v:	  L1's VMCS
 * @caps: capabilities
 * @ops:  the world
 *
 * Returns 0, or nonzero: VMX abort VMX_ABORT_SAVE_MSR.
 */
u32 nested_exit_msr_store(const struct vmcs12 *v, const struct vmx_caps *caps,
			  const struct nested_msr_ops *ops)
{
	return walk(v->vm_exit_msr_store_addr, v->vm_exit_msr_store_count, caps, store_one, ops);
}

/**
 * nested_exit_msr_load - load the VM-exit MSR-load list
 * @v:	  L1's VMCS
 * @caps: capabilities
 * @ops:  the world
 *
 * Returns 0, or nonzero: VMX abort VMX_ABORT_LOAD_MSR.
 */
u32 nested_exit_msr_load(const struct vmcs12 *v, const struct vmx_caps *caps,
			 const struct nested_msr_ops *ops)
{
	return walk(v->vm_exit_msr_load_addr, v->vm_exit_msr_load_count, caps, load_one, ops);
}
