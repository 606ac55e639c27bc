// SPDX-License-Identifier: GPL-2.0-only
/*
 * The enlightened VMCS of a vCPU: who may use one, and its page in L1's memory. nested/evmcs.c
 * knows what is in it, nested/insn.c when it becomes the active one.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <asm/vmx.h>

#include "linux/trace.h"
#include "mm/mm.h"
#include "nested/evmcs.h"
#include "vcpu/hyperv.h"
#include "vcpu/nested_int.h"

/**
 * nested_evmcs_versions - what CPUID leaf 0x4000000a EAX says of versions
 * @v: the vCPU, or NULL: what any could have
 */
u16 nested_evmcs_versions(const struct vcpu *v)
{
	return hw->nested_caps && (!v || v->nested->evmcs) ? EVMCS_VERSIONS : 0;
}

/* Capabilities that follow from others. */
void nested_caps_changed(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;

	if (n->evmcs)
		evmcs_caps(&n->evmcs_caps, &n->caps);
	n->checked.valid = false;
}

/**
 * nested_enable_evmcs - KVM_CAP_HYPERV_ENLIGHTENED_VMCS; for good
 * @v: the vCPU, mutex held
 *
 * Return: 0, -EINVAL where there is no nesting, -ENOMEM.
 */
int nested_enable_evmcs(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;

	if (!hw->nested_caps)
		return -EINVAL;
	if (!n->evmcs)
		n->evmcs = kzalloc(EVMCS_SIZE, GFP_KERNEL_ACCOUNT);
	if (!n->evmcs)
		return -ENOMEM;
	nested_caps_changed(v);
	return 0;
}

/**
 * nested_evmcs_offered - may L1 use enlightened VMCSs?
 * @v: the vCPU
 *
 * By user space's capability, and by a CPUID that says that this is Hyper-V.
 */
bool nested_evmcs_offered(struct vcpu *v)
{
	return v->nested->evmcs && hv_of_guest(v);
}

/** nested_evmcs_fill_insn - what an instruction has to know, if L1 may use any now */
void nested_evmcs_fill_insn(struct vcpu *v, struct vmx_insn *i)
{
	if (!nested_evmcs_offered(v) || !(v->hv->assist & TLFS_PAGE_ENABLE))
		return;
	i->evmcs = v->nested->evmcs;
	i->vp_assist = TLFS_PAGE_ADDRESS(v->hv->assist);
}

/**
 * nested_evmcs_find - which one is active, where KVM_SET_NESTED_STATE could not know
 * @v: the vCPU; vm->srcu held
 *
 * Return: false if the VP assist page names none, or it is not in memory.
 */
bool nested_evmcs_find(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;
	struct vmx_insn i = {};
	u64 ptr;

	if (n->st.evmcs_ptr != EVMCS_PENDING)
		return true;
	nested_fill_insn(v, &i);
	if (!i.evmcs || evmcs_fetch(&i, &ptr) != EVMCS_FETCHED)
		return false;
	n->st.evmcs_ptr = ptr;
	return true;
}

/**
 * nested_evmcs_store - a VM exit, or a failed VM entry: write what L1 is told
 * @v: the vCPU, context 01 current; may sleep
 *
 * If the memory is gone so are the contents, as with a VMCS that is cleared.
 */
void nested_evmcs_store(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;

	/* L1 reads fields without any exit: nothing may stay behind. */
	nested_sync_vmcs12(v, VMCS12_SYNC_REST);
	if (nested_evmcs_find(v)) {
		evmcs_store(n->evmcs, n->vmcs12);
		if (!evmcs_write_runs(&vcpu_nested_ops, v, n->st.evmcs_ptr, n->evmcs))
			return;
	}
	trace_turtles_nested_vmenter_failed(v->id, "enlightened VMCS", 0);
	n->st.evmcs_ptr = VMCS12_NO_PTR;
}

/* VMfailValid: the error number alone, for L1 may have changed the rest. */
void nested_evmcs_store_error(struct vcpu *v)
{
	const struct vmcs12_field *f = vmcs12_find(VM_INSTRUCTION_ERROR);
	struct vcpu_nested *n = v->nested;

	if (vm_write_guest(v->vm, n->st.evmcs_ptr + evmcs_offset(f),
			   &n->vmcs12->vm_instruction_error, f->size))
		trace_turtles_nested_vmenter_failed(v->id, "enlightened VMCS", 1);
}

/**
 * nested_evmcs_reload - vmcs12 becomes what L1 has in memory
 * @v: the vCPU in L1, enlightened VMCS active; vm->srcu held
 *
 * For KVM_GET_NESTED_STATE: what L1 calls clean at the next entry is meant of this one. And when the
 * address was not known: L1 may have chosen another one before it was saved.
 * Return: false if it is not there; vmcs12 is as it was then.
 */
bool nested_evmcs_reload(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;

	if (!nested_evmcs_find(v) || vm_read_guest(v->vm, n->st.evmcs_ptr, n->evmcs, EVMCS_SIZE))
		return false;
	evmcs_load(n->vmcs12, n->evmcs, 0);
	return true;
}

/**
 * nested_evmcs_resolve - the same once the vCPU runs, if the address was not known
 * @v: the vCPU in L1
 *
 * One that cannot be found now is none.
 */
void nested_evmcs_resolve(struct vcpu *v)
{
	if (v->nested->st.evmcs_ptr == EVMCS_PENDING && !nested_evmcs_reload(v))
		v->nested->st.evmcs_ptr = VMCS12_NO_PTR;
}

/**
 * nested_evmcs_bitmap_clean - has L1 left its MSR bitmap as it was at the last entry?
 * @v:	   the vCPU; VMLAUNCH or VMRESUME has passed its basic checks
 * @clean: groups that are
 */
bool nested_evmcs_bitmap_clean(struct vcpu *v, u32 clean)
{
	return (clean & EVMCS_GROUP_MSR_BITMAP) &&
	       (evmcs_word(v->nested->evmcs, EVMCS_CONTROL) & EVMCS_CONTROL_BITMAP);
}
