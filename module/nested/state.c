// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space may restore as nested state: named rows over the header (the kernel's
 * Documentation/virt/kvm/api.rst, KVM_SET_NESTED_STATE), then the VM-entry checks over the VMCS
 * of a running L2. Nothing here needs L1's memory, which may not be there yet.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/processor-flags.h>
#include "nested/state.h"

#define FLAGS_KNOWN                                                   \
	(KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING | \
	 KVM_STATE_NESTED_MTF_PENDING | KVM_STATE_NESTED_EVMCS)
#define SMM_FLAGS_KNOWN (KVM_STATE_NESTED_SMM_GUEST_MODE | KVM_STATE_NESTED_SMM_VMXON)

typedef struct kvm_nested_state state_t;
typedef struct nested_state_env env_t;

static bool is_off(const state_t *s)
{
	return s->hdr.vmx.vmxon_pa == VMCS12_NO_PTR;
}

static bool has_pointer(const state_t *s)
{
	return !is_off(s) && s->hdr.vmx.vmcs12_pa != VMCS12_NO_PTR;
}

/**
 * nested_state_is_enlightened - is there an active enlightened VMCS?
 * @s: header
 *
 * Its address is not part of the state: the VP assist page says it.
 */
bool nested_state_is_enlightened(const state_t *s)
{
	return !is_off(s) && (s->flags & KVM_STATE_NESTED_EVMCS);
}

/**
 * nested_state_has_vmcs12 - is there a VMCS, of either kind?
 * @s: header, and as many bytes as its size says
 */
bool nested_state_has_vmcs12(const state_t *s)
{
	return has_pointer(s) || nested_state_is_enlightened(s);
}

static bool format(const state_t *s, const env_t *env)
{
	return s->format == KVM_STATE_NESTED_FORMAT_VMX;
}

static bool size_header(const state_t *s, const env_t *env)
{
	return s->size >= sizeof(*s);
}

/* GIF is SVM's. */
static bool flags_known(const state_t *s, const env_t *env)
{
	return !(s->flags & ~FLAGS_KNOWN);
}

static bool evmcs_enabled(const state_t *s, const env_t *env)
{
	return env->evmcs || !(s->flags & KVM_STATE_NESTED_EVMCS);
}

static bool evmcs_or_vmcs12_pa(const state_t *s, const env_t *env)
{
	return !has_pointer(s) || !nested_state_is_enlightened(s);
}

static bool hdr_flags_known(const state_t *s, const env_t *env)
{
	return !(s->hdr.vmx.flags & ~KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE);
}

static bool smm_flags_known(const state_t *s, const env_t *env)
{
	return !(s->hdr.vmx.smm.flags & ~SMM_FLAGS_KNOWN);
}

/* That the enlightened VMCS may be used is no state of VMX operation. */
static bool off_flags(const state_t *s, const env_t *env)
{
	return !is_off(s) || !(s->flags & ~KVM_STATE_NESTED_EVMCS);
}

static bool off_smm_flags(const state_t *s, const env_t *env)
{
	return !is_off(s) || !s->hdr.vmx.smm.flags;
}

static bool off_vmcs12_pa(const state_t *s, const env_t *env)
{
	return !is_off(s) || s->hdr.vmx.vmcs12_pa == VMCS12_NO_PTR;
}

static bool on_cpuid(const state_t *s, const env_t *env)
{
	return is_off(s) || env->vmx;
}

static bool vmxon_pa(const state_t *s, const env_t *env)
{
	return is_off(s) || page_addr_ok(env->maxphyaddr, s->hdr.vmx.vmxon_pa);
}

static bool vmcs12_pa(const state_t *s, const env_t *env)
{
	return !has_pointer(s) || page_addr_ok(env->maxphyaddr, s->hdr.vmx.vmcs12_pa);
}

static bool vmcs12_not_vmxon(const state_t *s, const env_t *env)
{
	return !has_pointer(s) || s->hdr.vmx.vmcs12_pa != s->hdr.vmx.vmxon_pa;
}

static bool size_vmcs12(const state_t *s, const env_t *env)
{
	return !nested_state_has_vmcs12(s) || s->size >= NESTED_STATE_SIZE;
}

static bool size_no_vmcs12(const state_t *s, const env_t *env)
{
	return is_off(s) || nested_state_has_vmcs12(s) || s->size < NESTED_STATE_SIZE;
}

static bool guest_mode_vmcs12(const state_t *s, const env_t *env)
{
	return !(s->flags & KVM_STATE_NESTED_GUEST_MODE) || nested_state_has_vmcs12(s);
}

static bool run_pending_guest_mode(const state_t *s, const env_t *env)
{
	return !(s->flags & KVM_STATE_NESTED_RUN_PENDING) ||
	       (s->flags & KVM_STATE_NESTED_GUEST_MODE);
}

static bool mtf_guest_mode(const state_t *s, const env_t *env)
{
	return !(s->flags & KVM_STATE_NESTED_MTF_PENDING) ||
	       (s->flags & KVM_STATE_NESTED_GUEST_MODE);
}

/* SMM suspends VMX operation: L2 is then in hdr.smm.flags, not in flags. */
static bool smm_or_guest_mode(const state_t *s, const env_t *env)
{
	return !env->in_smm || !(s->flags & KVM_STATE_NESTED_GUEST_MODE);
}

static bool smm_flags_in_smm(const state_t *s, const env_t *env)
{
	return env->in_smm || !s->hdr.vmx.smm.flags;
}

static bool smm_guest_mode_vmxon(const state_t *s, const env_t *env)
{
	return !(s->hdr.vmx.smm.flags & KVM_STATE_NESTED_SMM_GUEST_MODE) ||
	       (s->hdr.vmx.smm.flags & KVM_STATE_NESTED_SMM_VMXON);
}

static bool smm_guest_mode_vmcs12(const state_t *s, const env_t *env)
{
	return !(s->hdr.vmx.smm.flags & KVM_STATE_NESTED_SMM_GUEST_MODE) ||
	       nested_state_has_vmcs12(s);
}

/* A shadow VMCS may be current, but not run. */
static bool revision(const state_t *s, const env_t *env)
{
	u32 id;

	if (!nested_state_has_vmcs12(s))
		return true;
	id = nested_state_vmcs12(s)->revision_id;
	if (!(s->flags & KVM_STATE_NESTED_GUEST_MODE) &&
	    !(s->hdr.vmx.smm.flags & KVM_STATE_NESTED_SMM_GUEST_MODE))
		id &= ~VMCS12_SHADOW;
	return id == VMCS12_REVISION;
}

/* Only while L2 runs: else the shadow VMCS is in L1's memory. */
static bool wants_shadow(const state_t *s)
{
	return (s->flags & KVM_STATE_NESTED_GUEST_MODE) &&
	       nested_has_shadow(nested_state_vmcs12(s));
}

static bool size_shadow(const state_t *s, const env_t *env)
{
	return !wants_shadow(s) || s->size >= NESTED_STATE_SIZE_SHADOW;
}

static bool shadow_revision(const state_t *s, const env_t *env)
{
	return !wants_shadow(s) ||
	       nested_state_shadow(s)->revision_id == (VMCS12_REVISION | VMCS12_SHADOW);
}

#define ROW(f)                      \
	{                           \
		.name = #f, .ok = f \
	}

/* The sizes come before whatever looks behind the header. */
static const struct {
	const char *name;
	bool (*ok)(const state_t *s, const env_t *env);
} rows[] = {
	ROW(size_header),
	ROW(format),
	ROW(flags_known),
	ROW(evmcs_enabled),
	ROW(evmcs_or_vmcs12_pa),
	ROW(hdr_flags_known),
	ROW(smm_flags_known),
	ROW(off_flags),
	ROW(off_smm_flags),
	ROW(off_vmcs12_pa),
	ROW(on_cpuid),
	ROW(vmxon_pa),
	ROW(vmcs12_pa),
	ROW(vmcs12_not_vmxon),
	ROW(size_vmcs12),
	ROW(size_no_vmcs12),
	ROW(guest_mode_vmcs12),
	ROW(run_pending_guest_mode),
	ROW(mtf_guest_mode),
	ROW(smm_or_guest_mode),
	ROW(smm_flags_in_smm),
	ROW(smm_guest_mode_vmxon),
	ROW(smm_guest_mode_vmcs12),
	ROW(revision),
	ROW(size_shadow),
	ROW(shadow_revision),
};

unsigned int nested_state_nr_rows(void)
{
	return ARRAY_SIZE(rows);
}

const char *nested_state_row_name(unsigned int i)
{
	return rows[i].name;
}

/**
 * nested_state_check - may this state be restored?
 * @s:	 header, and as many bytes as its size says, up to NESTED_STATE_SIZE_SHADOW
 * @env: the vCPU
 *
 * Returns NULL, or the name of the row that says no.
 */
const char *nested_state_check(const state_t *s, const env_t *env)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (!rows[i].ok(s, env))
			return rows[i].name;
	return NULL;
}

/**
 * nested_state_view - the VMCS of an L2 that goes on, as VM entry would have to see it
 * @view:	 result
 * @v:		 the VMCS, with L2's state saved into it
 * @not_loaded:	 VM-entry controls whose fields do not count: NESTED_NOT_LOADED_*; 0: the VM entry
 *		 itself is still due, and all of it counts
 *
 * Once L2 runs, the event to inject has been delivered, and what VM entry loads from fields
 * that VM exits do not always save (EFER, PAT, debug controls) is in the vCPU's registers alone.
 * If an SMI has interrupted it there is EFER in the state-save map, the rest is loaded by RSM.
 */
void nested_state_view(struct vmcs12 *view, const struct vmcs12 *v, u32 not_loaded)
{
	*view = *v;
	if (!not_loaded)
		return;
	view->vm_entry_intr_info_field &= ~INTR_INFO_VALID_MASK;
	view->vm_entry_controls &= ~not_loaded;
}

/* What is in memory is fetched when L2 runs: assumed to be right until then. */
static void assume_memory(struct nested_check_env *env, bool shadow)
{
	env->vtpr_valid = true;
	env->vtpr = 0xff;
	env->link_valid = true;
	env->link_header = VMCS12_REVISION | (shadow ? VMCS12_SHADOW : 0);
	env->pdptes_valid = true;
	memset(env->pdptes, 0, sizeof(env->pdptes));
}

/**
 * nested_state_check_l2 - would VM entry have let this L2 run?
 * @v:		 its VMCS
 * @not_loaded:	 as for nested_state_view()
 * @view:	 filled by it
 * @env:	 L1's; what depends on L1's registers and memory is filled in here
 *
 * L1's registers are not there while L2 runs: its mode is the one that VM exits return to.
 * Returns NULL, or the name of the row that says no.
 */
const char *nested_state_check_l2(const struct vmcs12 *v, u32 not_loaded, struct vmcs12 *view,
				  struct nested_check_env *env)
{
	struct nested_check_result res;

	assume_memory(env, nested_has_shadow(v));
	env->l1_lma = exit_has(v, VM_EXIT_HOST_ADDR_SPACE_SIZE);
	env->linear_bits = v->host_cr4 & X86_CR4_LA57 ? 57 : 48;

	nested_state_view(view, v, not_loaded);
	/* Controls that the view leaves out may be among those that must be 1. */
	view->vm_entry_controls = v->vm_entry_controls;
	if (!nested_check_ctls_host(view, env, &res))
		return res.row->name;
	nested_state_view(view, v, not_loaded);
	if (!nested_check_guest(view, env, &res))
		return res.row->name;
	return NULL;
}
