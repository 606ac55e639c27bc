/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to vcpu/nested*.c: the state of one vCPU's nesting.
 */
#ifndef TURTLES_VCPU_NESTED_INT_H
#define TURTLES_VCPU_NESTED_INT_H

#include <linux/hrtimer.h>
#include "nested/caps.h"
#include "nested/check.h"
#include "nested/insn.h"
#include "nested/merge.h"
#include "nested/vmcs12.h"
#include "vcpu/core.h"
#include "vcpu/nested.h"

/**
 * struct nested_pin - a page of L1 that the hardware uses by host address
 * @gpa:   where L1 has it
 * @hpa:   where it is
 * @ref:   mm/'s handle; NULL = not pinned
 * @dirty: the hardware writes it
 */
struct nested_pin {
	u64 gpa, hpa;
	void *ref;
	bool dirty;
};

/**
 * struct vcpu_nested - nesting of one vCPU; its own thread only, except @timer_fired
 * @vcpu:	(c) whose this is
 * @st:		VMX operation as the instructions see it; owns the cached vmcs12
 * @vmcs12:	the current VMCS, read once into L0 memory by VMPTRLD; L1 memory is written
 *		back when it stops being current
 * @caps:	capability MSRs of this vCPU, possibly restricted by user space
 * @ctl:	the controls that L2 runs with
 * @eptp:	EPT pointer of the running L2
 * @uses_ept:	the running L2 has EPT
 * @msr_bitmap:	copy of L1's MSR bitmap, one page
 * @checked:	the last entry that passed the checks
 * @vapic:	L1's virtual-APIC page
 * @apic_access: L1's APIC-access page
 * @timer:	VMX-preemption timer in software, armed while L2 runs with it
 * @timer_fired: (a) it has expired
 * @timer_on:	it is armed
 * @timer_deadline: host TSC at which the timer reaches 0
 */
struct vcpu_nested {
	struct vcpu *vcpu;
	struct nested_state st;
	struct vmcs12 *vmcs12;
	struct vmx_caps caps;
	struct l2_controls ctl;
	u64 eptp;
	bool uses_ept;
	void *msr_bitmap;
	struct nested_check_cache checked;
	struct nested_pin vapic;
	struct nested_pin apic_access;
	struct hrtimer timer;
	bool timer_fired;
	bool timer_on;
	u64 timer_deadline;
};

/* nested_enter.c */
int nested_vmenter(struct vcpu *v, bool launch);
struct nested_msr_ops;
void nested_fill_msr_ops(struct vcpu *v, struct nested_msr_ops *ops);

/* The current VMCS, where the backend lets L1 reach it without exits; see hw.h. */
static inline void nested_sync_vmcs12(struct vcpu *v, u32 what)
{
	if (hw->vmcs12_sync && what && v->nested->st.current_vmptr != VMCS12_NO_PTR)
		hw->vmcs12_sync(v, v->nested->vmcs12, what);
}

static inline void nested_publish_vmcs12(struct vcpu *v, bool full)
{
	bool none = v->nested->st.current_vmptr == VMCS12_NO_PTR;

	/* The capabilities may have changed since, if there was none. */
	if (none)
		v->nested->checked.valid = false;
	if (hw->vmcs12_publish)
		hw->vmcs12_publish(v, none ? NULL : v->nested->vmcs12, full);
}

/* nested_pages.c */
int nested_set_pages(struct vcpu *v);
void nested_unpin_pages(struct vcpu *v);

/* nested_exit.c */
int nested_vmexit(struct vcpu *v, const struct vcpu_exit *e);
int nested_fail_entry(struct vcpu *v, u32 reason, u64 qual);
int nested_vmexit_simple(struct vcpu *v, u32 reason, u64 qual);

/* nested_timer.c: the VMX-preemption timer where the hardware has none to give */
void nested_timer_init(struct vcpu *v);
void nested_timer_start(struct vcpu *v, u32 value);
void nested_timer_stop(struct vcpu *v); /* saves the rest when L1 asked for that */

/* nested_insn.c */
extern const struct nested_ops vcpu_nested_ops;

#endif /* TURTLES_VCPU_NESTED_INT_H */
