/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nested state that user space saves and restores (KVM_GET/SET_NESTED_STATE, VMX format):
 * which of what it hands in is acceptable. Pure; vcpu/nested_state.c acts.
 */
#ifndef TURTLES_NESTED_STATE_H
#define TURTLES_NESTED_STATE_H

#include <linux/kvm.h>
#include <linux/types.h>
#include "nested/check.h"
#include "nested/vmcs12.h"

/* With the current VMCS, and with the shadow VMCS that L2 has besides. */
#define NESTED_STATE_SIZE	 (sizeof(struct kvm_nested_state) + VMCS12_SIZE)
#define NESTED_STATE_SIZE_SHADOW (NESTED_STATE_SIZE + VMCS12_SIZE)

/* What nested_state_view() leaves out of VM entry once L2 runs, or was interrupted by an SMI. */
#define NESTED_NOT_LOADED_SMM VM_ENTRY_LOAD_IA32_EFER
#define NESTED_NOT_LOADED_RUNNING \
	(VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_LOAD_IA32_PAT | VM_ENTRY_LOAD_DEBUG_CONTROLS)

/**
 * struct nested_state_env - the vCPU that a state is for
 * @vmx:	its CPUID has VMX
 * @evmcs:	KVM_CAP_HYPERV_ENLIGHTENED_VMCS is enabled
 * @in_smm:	it is in system-management mode
 * @maxphyaddr: its physical-address width
 */
struct nested_state_env {
	bool vmx;
	bool evmcs;
	bool in_smm;
	u8 maxphyaddr;
};

/* The VMCS that comes with @s; only if nested_state_has_vmcs12(). */
static inline const struct vmcs12 *nested_state_vmcs12(const struct kvm_nested_state *s)
{
	return (const struct vmcs12 *)((const u8 *)s + sizeof(*s));
}

/* The shadow VMCS that comes with @s; only if nested_has_shadow() of its VMCS. */
static inline const struct vmcs12 *nested_state_shadow(const struct kvm_nested_state *s)
{
	return nested_state_vmcs12(s) + 1;
}

/* Does L2 run with a shadow VMCS? */
static inline bool nested_has_shadow(const struct vmcs12 *v)
{
	return proc2_has(v, SECONDARY_EXEC_SHADOW_VMCS) && v->vmcs_link_pointer != VMCS12_NO_PTR;
}

bool nested_state_has_vmcs12(const struct kvm_nested_state *s);
bool nested_state_is_enlightened(const struct kvm_nested_state *s);
const char *nested_state_check(const struct kvm_nested_state *s,
			       const struct nested_state_env *env);
void nested_state_view(struct vmcs12 *view, const struct vmcs12 *v, u32 not_loaded);
const char *nested_state_check_l2(const struct vmcs12 *v, u32 not_loaded, struct vmcs12 *view,
				  struct nested_check_env *env);

unsigned int nested_state_nr_rows(void);
const char *nested_state_row_name(unsigned int i);

#endif /* TURTLES_NESTED_STATE_H */
