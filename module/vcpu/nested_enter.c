// SPDX-License-Identifier: GPL-2.0-only
/*
 * L1 to L2: VMLAUNCH and VMRESUME after their basic checks. First everything is decided on L0's
 * copy of the VMCS, then the contexts are switched.
 */
#include <linux/kernel.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "irqchip/irqchip.h"
#include "linux/trace.h"
#include "mm/mm.h"
#include "nested/check.h"
#include "nested/enter.h"
#include "nested/state.h"
#include "vcpu/nested_int.h"

#define MSR_IA32_APICBASE_X2APIC BIT(10)

/* L1's memory that the checks depend on, read once. */
static void read_for_checks(struct vcpu *v, struct nested_check_env *env)
{
	const struct vmcs12 *m = v->nested->vmcs12;
	u32 vtpr;

	if (nested_check_needs_vtpr(m)) {
		env->vtpr_valid = !vm_read_guest(v->vm, m->virtual_apic_page_addr + 0x80, &vtpr,
						 sizeof(vtpr));
		env->vtpr = vtpr;
	}
	if (nested_check_needs_link(m))
		env->link_valid =
			!vm_read_guest(v->vm, m->vmcs_link_pointer, &env->link_header, sizeof(u32));
	if (nested_check_needs_pdptes(m))
		env->pdptes_valid = !vcpu_read_pdptes(v, m->guest_cr3 & 0xffffffe0ull, env->pdptes);
}

/* All but what is in L1's memory. */
void nested_fill_check_env(struct vcpu *v, struct nested_check_env *env)
{
	memset(env, 0, sizeof(*env));
	env->caps = nested_evmcs_active(v) ? &v->nested->evmcs_caps : &v->nested->caps;
	env->maxphyaddr = vcpu_maxphyaddr(v);
	env->linear_bits = hw->get_cr4(v) & X86_CR4_LA57 ? 57 : 48;
	env->current_vmptr = v->nested->st.current_vmptr;
	env->l1_lma = hw->get_efer(v) & EFER_LMA;
	env->rtm = vcpu_has_feature(v, X86_FEATURE_RTM);
	env->efer_valid = EFER_SCE | EFER_LME | EFER_LMA;
	if (vcpu_has_feature(v, X86_FEATURE_NX))
		env->efer_valid |= EFER_NX;
}

/* L0's own needs; control words that the backend adds by itself are left out. */
static void fill_l0_controls(struct vcpu *v, struct l0_controls *l0)
{
	const struct hw_nested_caps *caps = hw->nested_caps;

	memset(l0, 0, sizeof(*l0));
	/* Instructions that the hardware can give to L2. */
	l0->proc2 = caps->proc2 & (SECONDARY_EXEC_ENABLE_RDTSCP | SECONDARY_EXEC_ENABLE_INVPCID |
				   SECONDARY_EXEC_XSAVES | SECONDARY_EXEC_UNRESTRICTED_GUEST);
	if (v->debug_flags)
		l0->exception_bitmap = BIT(X86_TRAP_DB) | BIT(X86_TRAP_BP);
	l0->tsc_offset = v->tsc_offset;
	l0->l1_efer = hw->get_efer(v);
	hw->get_msr(v, MSR_IA32_CR_PAT, &l0->l1_pat);
	hw->get_msr(v, MSR_IA32_DEBUGCTLMSR, &l0->l1_debugctl);
	l0->l1_dr7 = v->dr7;
	l0->can_preemption_timer = caps->timer_in_hw;
	l0->can_tpr_shadow = caps->proc & CPU_BASED_TPR_SHADOW;
	l0->can_apic_access = caps->proc2 & SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES;
	l0->can_x2apic_mode = caps->proc2 & SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE;
	l0->can_msr_bitmap = true;
}

/**
 * nested_take_event - the event that L1 wants injected becomes one that is being delivered
 * @v: the vCPU, in L2
 *
 * Not done by the entry itself but when events are looked at: until the hardware has made the
 * entry user space may find L2 before it (KVM_STATE_NESTED_RUN_PENDING).
 */
void nested_take_event(struct vcpu *v)
{
	struct vmcs12 *m = v->nested->vmcs12;
	u32 info = m->vm_entry_intr_info_field;
	u8 vector = info & INTR_INFO_VECTOR_MASK;

	if (!v->nested->entry_event)
		return;
	v->nested->entry_event = false;
	/* User space has put another one in its place. */
	if (v->ev.exc.injected || v->ev.nmi_injected || v->ev.irq.injected) {
		m->vm_entry_intr_info_field &= ~INTR_INFO_VALID_MASK;
		return;
	}
	v->ev.soft_insn_len = m->vm_entry_instruction_len;
	switch (info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_EXT_INTR:
	case INTR_TYPE_SOFT_INTR:
		v->ev.irq.injected = true;
		v->ev.irq.soft = (info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_SOFT_INTR;
		v->ev.irq.vector = vector;
		break;
	case INTR_TYPE_NMI_INTR:
		v->ev.nmi_injected = true;
		break;
	case INTR_TYPE_OTHER_EVENT:
		v->nested->mtf_pending = true;
		break;
	default:
		v->ev.exc.injected = true;
		v->ev.exc.vector = vector;
		v->ev.exc.has_error = info & INTR_INFO_DELIVER_CODE_MASK;
		v->ev.exc.error = m->vm_entry_exception_error_code;
		v->ev.exc.has_payload = false;
	}
}

static int msr_read_gpa(void *ctx, u64 gpa, void *buf, u32 len)
{
	return vm_read_guest(((struct vcpu *)ctx)->vm, gpa, buf, len);
}

static int msr_write_gpa(void *ctx, u64 gpa, const void *buf, u32 len)
{
	return vm_write_guest(((struct vcpu *)ctx)->vm, gpa, buf, len);
}

static int msr_get(void *ctx, u32 index, u64 *val)
{
	return vcpu_get_msr(ctx, index, val, false);
}

static int msr_set(void *ctx, u32 index, u64 val)
{
	return vcpu_set_msr(ctx, index, val, false);
}

void nested_fill_msr_ops(struct vcpu *v, struct nested_msr_ops *ops)
{
	*ops = (struct nested_msr_ops){
		.read_gpa = msr_read_gpa,
		.write_gpa = msr_write_gpa,
		.get_msr = msr_get,
		.set_msr = msr_set,
		.ctx = v,
		.x2apic = (v->apic_base & (MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_X2APIC)) ==
			  (MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_X2APIC),
	};
}

/**
 * nested_enter_l2 - make L2 of L1's current VMCS what the vCPU runs
 * @v:	  the vCPU, in L1
 * @view: the VMCS as far as it decides about controls: itself, or nested_state_view()
 */
void nested_enter_l2(struct vcpu *v, const struct vmcs12 *view)
{
	struct vcpu_nested *n = v->nested;
	struct vmcs12 *m = n->vmcs12;
	struct l0_controls l0;

	fill_l0_controls(v, &l0);
	nested_merge(&n->ctl, view, &l0);
	n->ctl.intr_info = 0;
	n->entry_event = view->vm_entry_intr_info_field & INTR_INFO_VALID_MASK;
	n->entered_at = v->stats.hw_exits;

	n->uses_ept = proc2_has(m, SECONDARY_EXEC_ENABLE_EPT);
	n->eptp = n->uses_ept ? m->ept_pointer : 0;
	hw->l2_enter(v, m, &n->ctl);
	v->in_l2 = true;
	n->st.in_l2 = true;
	v->dr7 = n->ctl.dr7;
	v->l2_halted = m->guest_activity_state == GUEST_ACTIVITY_HLT && !n->entry_event;
	vcpu_request(v, REQ_MMU_RELOAD);
	vcpu_request(v, REQ_EVENT);
}

/**
 * nested_resume_l2 - back to an L2 that nested_suspend_l2() has left
 * @v: the vCPU, in L1; vm->srcu held; may sleep
 *
 * No VM entry: nothing is checked, injected or loaded from L1's lists. What vmcs12 does not have of L2
 * is for the caller to load, EFER in any case: L1 need not have had it saved.
 */
void nested_resume_l2(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;
	struct vmcs12 *m = n->vmcs12;
	u32 entry_controls = m->vm_entry_controls;

	/* No memory there any more: L2 cannot go on. */
	if (unlikely(nested_has_shadow(m)) && nested_shadow_load(v))
		vcpu_request(v, REQ_TRIPLE_FAULT);
	m->vm_entry_intr_info_field &= ~INTR_INFO_VALID_MASK;
	m->vm_entry_controls &= ~VM_ENTRY_LOAD_IA32_EFER;
	nested_enter_l2(v, m);
	m->vm_entry_controls = entry_controls;
	/* The entry was made long ago. */
	n->entered_at = ~0ull;
	n->restored |= RESTORED_TIMER;
	vcpu_request(v, REQ_L2_PAGES);
	vcpu_request(v, REQ_L2_RESTORED);
}

/**
 * nested_vmenter - VMLAUNCH or VMRESUME passed its basic checks
 * @v:	    the vCPU in L1, loaded; vm->srcu held; may sleep
 * @launch: VMLAUNCH
 *
 * SDM chapter "VM Entries". Return: RESUME_GUEST (in L2, or in L1 after a failure) or -errno.
 */
int nested_vmenter(struct vcpu *v, bool launch)
{
	struct vcpu_nested *n = v->nested;
	struct nested_check_result res;
	struct vmx_insn_result fail;
	struct nested_check_env env;
	struct nested_msr_ops ops;
	u32 bad;

	nested_fill_check_env(v, &env);
	read_for_checks(v, &env);
	if (!nested_check_entry_cached(&n->checked, n->vmcs12, &env, &res)) {
		trace_turtles_nested_vmenter_failed(v->id, res.row ? res.row->name : "?",
						    res.error);
		if (res.kind == NESTED_ENTRY_FAIL)
			return nested_fail_entry(v, res.error, res.qual);
		vmx_insn_fail(&n->st, &fail, res.error);
		vmx_insn_result_apply(&v->rflags, &fail);
		return vcpu_skip_insn(v);
	}

	trace_turtles_nested_vmenter(v->id, v->rip, nested_vmcs_ptr(&n->st), n->vmcs12->guest_rip,
				     n->vmcs12->ept_pointer, n->vmcs12->vm_entry_intr_info_field);
	if (unlikely(nested_has_shadow(n->vmcs12)) && nested_shadow_load(v))
		return nested_fail_entry(v, EXIT_REASON_INVALID_STATE, ENTRY_QUAL_LINK_PTR);
	nested_enter_l2(v, n->vmcs12);
	if (!n->uses_ept && env.pdptes_valid)
		hw->set_pdptrs(v, env.pdptes);
	if (n->vmcs12->vm_entry_msr_load_count) {
		nested_fill_msr_ops(v, &ops);
		bad = nested_entry_msr_load(n->vmcs12, &n->caps, &ops);
		if (bad)
			return nested_fail_entry(v, EXIT_REASON_MSR_LOAD_FAIL, bad);
	}
	n->vmcs12->launch_state = VMCS12_LAUNCHED;
	if (pin_has(n->vmcs12, PIN_BASED_VMX_PREEMPTION_TIMER))
		nested_timer_start(v, n->vmcs12->vmx_preemption_timer_value);
	return nested_set_pages(v);
}
