// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested state by ioctl: KVM_GET_NESTED_STATE, KVM_SET_NESTED_STATE, and what has to be made good
 * when user space changes registers, events or the TSC of a vCPU that is in L2.
 *
 * KVM_SET_NESTED_STATE may come before or after any other state and before there is memory. So
 * it decides everything by the state itself, and leaves what needs L1's memory or the TSC to
 * nested_resume(), at the next KVM_RUN.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/vmx.h>

#include "linux/trace.h"
#include "nested/evmcs.h"
#include "nested/state.h"
#include "vcpu/core.h"
#include "vcpu/nested_int.h"

/* L2 was entered, and the hardware has not run it yet. */
static bool run_pending(struct vcpu *v)
{
	return v->nested->entered_at == v->stats.hw_exits && !v->l2_halted;
}

/**
 * nested_untake_event - while an entry is pending, its event belongs to the VMCS
 * @v: the vCPU, loaded
 *
 * Before user space reads or sets events: what nested_take_event() took goes back.
 */
void nested_untake_event(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;

	if (!v->in_l2 || !run_pending(v) || n->entry_event ||
	    !(n->vmcs12->vm_entry_intr_info_field & INTR_INFO_VALID_MASK))
		return;
	v->ev.exc.injected = false;
	v->ev.nmi_injected = false;
	v->ev.irq.injected = false;
	hw->inject(v, 0, 0, 0);
	n->entry_event = true;
	vcpu_request(v, REQ_EVENT);
}

/* L2's state into the current VMCS, as a VM exit would put it there; L2 goes on. */
static void save_l2(struct vcpu *v)
{
	bool halted = v->l2_halted || v->mp_state == KVM_MP_STATE_HALTED;
	struct vmcs12 *m = v->nested->vmcs12;

	hw->l2_save(v, m);
	m->guest_activity_state = halted ? GUEST_ACTIVITY_HLT : GUEST_ACTIVITY_ACTIVE;
}

static void put_deadline(struct kvm_nested_state *s, bool timer_on, u64 deadline)
{
	if (!timer_on)
		return;
	s->hdr.vmx.flags = KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE;
	s->hdr.vmx.preemption_timer_deadline = deadline;
}

static void get_l2(struct vcpu *v, struct kvm_nested_state *s)
{
	struct vcpu_nested *n = v->nested;
	u64 deadline;
	bool timer_on;

	nested_untake_event(v);
	save_l2(v);
	s->flags = KVM_STATE_NESTED_GUEST_MODE;
	if (run_pending(v))
		s->flags |= KVM_STATE_NESTED_RUN_PENDING;
	if (n->mtf_pending)
		s->flags |= KVM_STATE_NESTED_MTF_PENDING;
	timer_on = nested_timer_get(v, &deadline);
	put_deadline(s, timer_on, deadline);
}

/* VMX operation is suspended; L2's state is in the current VMCS. */
static void get_in_smm(const struct nested_smm *smm, struct kvm_nested_state *s)
{
	s->hdr.vmx.smm.flags = KVM_STATE_NESTED_SMM_VMXON;
	if (smm->guest_mode)
		s->hdr.vmx.smm.flags |= KVM_STATE_NESTED_SMM_GUEST_MODE;
	put_deadline(s, smm->timer_on, smm->deadline);
}

/**
 * nested_get_state - KVM_GET_NESTED_STATE
 * @v: the vCPU, mutex held, loaded
 * @s: zeroed, NESTED_STATE_SIZE_SHADOW bytes; @s->size tells how many of them mean something
 */
void nested_get_state(struct vcpu *v, struct kvm_nested_state *s)
{
	struct vcpu_nested *n = v->nested;

	s->format = KVM_STATE_NESTED_FORMAT_VMX;
	s->size = sizeof(*s);
	s->hdr.vmx.vmxon_pa = VMCS12_NO_PTR;
	s->hdr.vmx.vmcs12_pa = VMCS12_NO_PTR;
	if (!n->st.vmxon && !n->smm.vmxon)
		return;
	s->hdr.vmx.vmxon_pa = n->st.vmxon_ptr;
	s->hdr.vmx.vmcs12_pa = n->st.current_vmptr;
	if (n->smm.vmxon)
		get_in_smm(&n->smm, s);
	if (!nested_has_vmcs(&n->st))
		return;
	if (v->in_l2)
		get_l2(v, s);
	else if (!nested_evmcs_active(v))
		nested_sync_vmcs12(v, VMCS12_SYNC_WRITES | VMCS12_SYNC_REST);
	else if (!n->smm.guest_mode)
		nested_evmcs_reload(v);
	if (nested_evmcs_active(v))
		s->flags |= KVM_STATE_NESTED_EVMCS;
	s->size = NESTED_STATE_SIZE;
	memcpy(s + 1, n->vmcs12, VMCS12_SIZE);
	if (v->in_l2 && n->shadow_on) {
		s->size = NESTED_STATE_SIZE_SHADOW;
		memcpy((u8 *)s + NESTED_STATE_SIZE, n->shadow12, VMCS12_SIZE);
	}
}

/**
 * struct moved_regs - registers that each context has of its own
 *
 * What user space has set are the vCPU's registers: they are not lost when the context changes
 * under them.
 */
struct moved_regs {
	u64 cr0, cr3, cr4, efer;
	struct x86_seg seg[X86_NR_SREGS];
	struct x86_dt gdt, idt;
	u64 msr[5];
	u32 intr_shadow;
};

static const u32 moved_msrs[] = { MSR_IA32_CR_PAT, MSR_IA32_DEBUGCTLMSR, MSR_IA32_SYSENTER_CS,
				  MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP };
static_assert(ARRAY_SIZE(moved_msrs) == ARRAY_SIZE(((struct moved_regs *)0)->msr));

static void regs_out(struct vcpu *v, struct moved_regs *r)
{
	int i;

	r->cr0 = hw->get_cr0(v);
	r->cr3 = hw->get_cr3(v);
	r->cr4 = hw->get_cr4(v);
	r->efer = hw->get_efer(v);
	for (i = 0; i < X86_NR_SREGS; i++)
		hw->get_seg(v, i, &r->seg[i]);
	hw->get_gdt(v, &r->gdt);
	hw->get_idt(v, &r->idt);
	for (i = 0; i < ARRAY_SIZE(moved_msrs); i++)
		hw->get_msr(v, moved_msrs[i], &r->msr[i]);
	r->intr_shadow = hw->get_intr_shadow(v);
}

static void regs_in(struct vcpu *v, const struct moved_regs *r)
{
	int i;

	hw->set_efer(v, r->efer);
	hw->set_cr0(v, r->cr0);
	hw->set_cr4(v, r->cr4);
	hw->set_cr3(v, r->cr3);
	for (i = 0; i < X86_NR_SREGS; i++)
		hw->set_seg(v, i, &r->seg[i]);
	hw->set_gdt(v, &r->gdt);
	hw->set_idt(v, &r->idt);
	for (i = 0; i < ARRAY_SIZE(moved_msrs); i++)
		hw->set_msr(v, moved_msrs[i], r->msr[i]);
	hw->set_intr_shadow(v, r->intr_shadow);
	hw->set_dr7(v, vcpu_effective_dr7(v));
	hw->tlb_flush(v, true);
}

/**
 * nested_leave - user space ends VMX operation
 * @v: the vCPU, loaded
 *
 * Also out of L2, without a VM exit: L1 does not run in between.
 */
void nested_leave(struct vcpu *v)
{
	struct moved_regs regs;
	bool in_l2 = v->in_l2;

	if (in_l2) {
		nested_untake_event(v);
		regs_out(v, &regs);
	}
	nested_reset(v);
	if (in_l2)
		regs_in(v, &regs);
}

static bool in_l2_before_smm(const struct kvm_nested_state *s)
{
	return s->hdr.vmx.smm.flags & KVM_STATE_NESTED_SMM_GUEST_MODE;
}

/* How far the L2 of a state is, as nested_state_view() wants to know. */
static u32 not_loaded(const struct kvm_nested_state *s)
{
	if (in_l2_before_smm(s))
		return NESTED_NOT_LOADED_SMM;
	return s->flags & KVM_STATE_NESTED_RUN_PENDING ? 0 : NESTED_NOT_LOADED_RUNNING;
}

/* L2 goes on as the current VMCS and the vCPU's registers have it. */
static void enter_again(struct vcpu *v, const struct kvm_nested_state *s, const struct vmcs12 *view)
{
	bool pending = s->flags & KVM_STATE_NESTED_RUN_PENDING;
	struct vcpu_nested *n = v->nested;
	struct vmcs12 *m = n->vmcs12;

	if (!pending) {
		m->vm_entry_intr_info_field &= ~INTR_INFO_VALID_MASK;
		/* Whether it is halted is known from KVM_SET_MP_STATE if there is a local APIC. */
		if (v->lapic)
			m->guest_activity_state = GUEST_ACTIVITY_ACTIVE;
	}
	n->shadow_on = nested_has_shadow(m);
	if (n->shadow_on) {
		memcpy(n->shadow12, nested_state_shadow(s), VMCS12_SIZE);
		/* It may be newer than what L1's memory has. */
		n->shadow_dirty = true;
	}
	nested_enter_l2(v, view);
	if (!pending)
		n->entered_at = ~0ull;
	n->mtf_pending = s->flags & KVM_STATE_NESTED_MTF_PENDING;
	if (s->hdr.vmx.flags & KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE) {
		n->restored |= RESTORED_DEADLINE;
		n->restored_deadline = s->hdr.vmx.preemption_timer_deadline;
	}
	n->restored |= RESTORED_TIMER;
	m->launch_state = VMCS12_LAUNCHED;
	vcpu_request(v, REQ_L2_PAGES);
	vcpu_request(v, REQ_L2_RESTORED);
}

/* In SMM: what RSM will bring back. */
static void suspended_again(struct vcpu *v, const struct kvm_nested_state *s)
{
	struct vcpu_nested *n = v->nested;

	n->st.vmxon = false;
	n->smm.vmxon = true;
	n->smm.guest_mode = in_l2_before_smm(s);
	if (n->smm.guest_mode && (s->hdr.vmx.flags & KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE)) {
		n->smm.timer_on = true;
		n->smm.deadline = s->hdr.vmx.preemption_timer_deadline;
	}
}

static int refuse(struct vcpu *v, const char *row)
{
	trace_turtles_nested_vmenter_failed(v->id, row, EINVAL);
	return -EINVAL;
}

/**
 * nested_set_state - KVM_SET_NESTED_STATE
 * @v: the vCPU, mutex held, loaded
 * @s: hostile, but in kernel memory: as many bytes as @s->size, up to NESTED_STATE_SIZE_SHADOW
 *
 * Return: 0, -EINVAL and nothing has changed, or -ENOMEM.
 */
int nested_set_state(struct vcpu *v, const struct kvm_nested_state *s)
{
	const struct nested_state_env env = {
		.vmx = hw->nested_caps && vcpu_has_feature(v, X86_FEATURE_VMX),
		.evmcs = v->nested->evmcs,
		.in_smm = v->smm,
		.maxphyaddr = vcpu_maxphyaddr(v),
	};
	bool l2 = s->flags & KVM_STATE_NESTED_GUEST_MODE;
	struct vcpu_nested *n = v->nested;
	struct nested_check_env check;
	struct vmcs12 *view = NULL;
	const char *row;
	int r = 0;

	row = nested_state_check(s, &env);
	if (row)
		return refuse(v, row);
	if (l2 || in_l2_before_smm(s)) {
		view = kmalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
		if (!view)
			return -ENOMEM;
		nested_fill_check_env(v, &check);
		check.current_vmptr = s->hdr.vmx.vmcs12_pa;
		check.caps = nested_state_is_enlightened(s) ? &n->evmcs_caps : &n->caps;
		row = nested_state_check_l2(nested_state_vmcs12(s), not_loaded(s), view, &check);
		if (row) {
			r = refuse(v, row);
			goto out;
		}
	}

	nested_leave(v);
	if (s->hdr.vmx.vmxon_pa != VMCS12_NO_PTR) {
		n->st.vmxon = true;
		n->st.vmxon_ptr = s->hdr.vmx.vmxon_pa;
	}
	if (nested_state_has_vmcs12(s)) {
		memcpy(n->vmcs12, nested_state_vmcs12(s), VMCS12_SIZE);
		n->st.current_vmptr = s->hdr.vmx.vmcs12_pa;
		if (nested_state_is_enlightened(s))
			n->st.evmcs_ptr = EVMCS_PENDING;
	}
	if (s->hdr.vmx.smm.flags & KVM_STATE_NESTED_SMM_VMXON)
		suspended_again(v, s);
	if (l2)
		enter_again(v, s, view);
	else
		nested_publish_vmcs12(v, true);
	vcpu_request(v, REQ_EVENT);
out:
	kfree(view);
	return r;
}

/* Registers of L2 were set: would VM entry take it like this? */
static bool l2_can_run(struct vcpu *v, int *r)
{
	struct nested_check_env check;
	struct vmcs12 *view = kmalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	const char *row;

	*r = -ENOMEM;
	if (!view)
		return false;
	save_l2(v);
	nested_fill_check_env(v, &check);
	row = nested_state_check_l2(v->nested->vmcs12, NESTED_NOT_LOADED_RUNNING, view, &check);
	kfree(view);
	if (!row)
		return true;
	trace_turtles_nested_vmenter_failed(v->id, row, 0);
	*r = nested_triple_fault(v);
	return false;
}

/**
 * nested_resume - REQ_L2_RESTORED: what KVM_SET_NESTED_STATE and others left for now
 * @v: the vCPU, in KVM_RUN
 *
 * Return: RESUME_GUEST, or -errno.
 */
int nested_resume(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;
	u32 todo = n->restored;
	int r;

	n->restored = 0;
	if (!v->in_l2)
		return RESUME_GUEST;
	/* Where exits will be told to L1. */
	if (nested_evmcs_active(v) && !nested_evmcs_find(v)) {
		n->restored = todo;
		vcpu_request(v, REQ_L2_RESTORED);
		return vcpu_internal_error(v, KVM_INTERNAL_ERROR_EMULATION);
	}
	if ((todo & RESTORED_REGS) && !l2_can_run(v, &r)) {
		if (r < 0)
			n->restored = todo;
		return r;
	}
	if (!(todo & RESTORED_TIMER) || !pin_has(n->vmcs12, PIN_BASED_VMX_PREEMPTION_TIMER))
		return RESUME_GUEST;
	if (todo & RESTORED_DEADLINE)
		nested_timer_restore(v, n->restored_deadline);
	else
		nested_timer_start(v, n->vmcs12->vmx_preemption_timer_value);
	return RESUME_GUEST;
}

/**
 * nested_regs_set - user space has set system registers
 * @v: the vCPU
 *
 * No instruction of L2 can have made a state that VM entry refuses. If user space did, L2 ends with a
 * triple fault, on hardware that would run it as well.
 */
void nested_regs_set(struct vcpu *v)
{
	if (!v->in_l2)
		return;
	v->nested->restored |= RESTORED_REGS;
	vcpu_request(v, REQ_L2_RESTORED);
}

/* L1's TSC has been set while L2 is there: L2's moves with it. */
void nested_tsc_changed(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;

	if (!v->in_l2)
		return;
	n->ctl.tsc_offset = nested_merge_tsc_offset(n->vmcs12, v->tsc_offset);
	hw->l2_set_tsc_offset(v, n->ctl.tsc_offset);
}
