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
 * struct nested_smm - VMX operation as an SMI met it (SDM "Default Treatment of SMI Delivery")
 * @vmxon:	in VMX operation; nested_state.vmxon is false meanwhile
 * @guest_mode:	in L2, whose guest state is in vmcs12
 * @mtf_pending: in L2, with a monitor-trap-flag VM exit due
 * @timer_on:	in L2, with the VMX-preemption timer, which counts on
 * @deadline:	of it, see nested_timer_get()
 * @msrs_valid:	what follows is; not after KVM_SET_NESTED_STATE
 * @pat:	L2's, which vmcs12 holds only if L1 wants it saved
 * @debugctl:	same
 */
struct nested_smm {
	bool vmxon;
	bool guest_mode;
	bool mtf_pending;
	bool timer_on;
	u64 deadline;
	bool msrs_valid;
	u64 pat;
	u64 debugctl;
};

/**
 * struct vcpu_nested - nesting of one vCPU; its own thread only, except @timer_fired
 * @vcpu:	(c) whose this is
 * @st:		VMX operation as the instructions see it; owns the cached vmcs12
 * @vmcs12:	the current VMCS, read once into L0 memory by VMPTRLD; L1 memory is written
 *		back when it stops being current
 * @caps:	capability MSRs of this vCPU, possibly restricted by user space
 * @evmcs:	L0's copy of L1's enlightened VMCS; NULL unless user space offers the interface
 * @evmcs_caps: @caps without what an enlightened VMCS cannot express; if @evmcs
 * @ctl:	the controls that L2 runs with
 * @eptp:	EPT pointer of the running L2
 * @uses_ept:	the running L2 has EPT
 * @msr_bitmap:	copy of L1's MSR bitmap, one page
 * @bitmap_read: it is complete
 * @bitmap_clean: and L1 says that it has not changed its own since
 * @checked:	the last entry that passed the checks
 * @shadow12:	the shadow VMCS of the running L2, read once at the entry
 * @shadow_on:	L2 has one
 * @shadow_dirty: L2 has written it; L1's memory gets it at the exit
 * @mem_kind, @mem_fault: why the memory operand of a VMX instruction could not be accessed
 * @vapic:	L1's virtual-APIC page
 * @apic_access: L1's APIC-access page
 * @smm:	what VMX operation was when SMM was entered, while in SMM
 * @timer:	stands in for the VMX-preemption timer where the hardware has none
 * @timer_fired: (a) @timer has expired
 * @timer_on:	L2 runs with the VMX-preemption timer
 * @timer_deadline: host TSC at which it reaches 0
 * @entry_event: VM entry's event is still in the vmcs12: nested_take_event()
 * @entered_at: world switches (stats.hw_exits) when L2 was entered; while it is the present
 *		number the hardware has not made the entry yet
 * @mtf_pending: a monitor-trap-flag VM exit is due
 * @restored:	what nested_resume() has to do before L2 runs: RESTORED_*
 * @restored_deadline: of RESTORED_DEADLINE, as user space gave it
 */
struct vcpu_nested {
	struct vcpu *vcpu;
	struct nested_state st;
	struct vmcs12 *vmcs12;
	struct vmx_caps caps;
	void *evmcs;
	struct vmx_caps evmcs_caps;
	struct l2_controls ctl;
	u64 eptp;
	bool uses_ept;
	void *msr_bitmap;
	bool bitmap_read;
	bool bitmap_clean;
	struct nested_check_cache checked;
	struct vmcs12 *shadow12;
	bool shadow_on;
	bool shadow_dirty;
	enum gva_kind mem_kind;
	struct gva_fault mem_fault;
	struct nested_pin vapic;
	struct nested_pin apic_access;
	struct nested_smm smm;
	struct hrtimer timer;
	bool timer_fired;
	bool timer_on;
	u64 timer_deadline;
	bool entry_event;
	u64 entered_at;
	bool mtf_pending;
	u32 restored;
	u64 restored_deadline;
};

/* Left to do when user space has put L2 into place. */
#define RESTORED_TIMER	  0x1u /* start the timer: from the vmcs12, or ... */
#define RESTORED_DEADLINE 0x2u /* ... by this deadline */
#define RESTORED_REGS	  0x4u /* registers were set: can L2 run with them? */

/* nested_enter.c */
int nested_vmenter(struct vcpu *v, bool launch);
void nested_enter_l2(struct vcpu *v, const struct vmcs12 *view);
void nested_resume_l2(struct vcpu *v);
void nested_fill_check_env(struct vcpu *v, struct nested_check_env *env);
void nested_take_event(struct vcpu *v);
struct nested_msr_ops;
void nested_fill_msr_ops(struct vcpu *v, struct nested_msr_ops *ops);

/* The current VMCS, where the backend lets L1 reach it without exits; see hw.h. */
static inline void nested_sync_vmcs12(struct vcpu *v, u32 what)
{
	if (hw->vmcs12_sync && what && nested_has_vmcs(&v->nested->st))
		hw->vmcs12_sync(v, v->nested->vmcs12, what);
}

static inline void nested_publish_vmcs12(struct vcpu *v, bool full)
{
	/* An enlightened one L1 reaches in its memory. */
	bool none = !v->nested->st.vmxon || v->nested->st.current_vmptr == VMCS12_NO_PTR;

	if (hw->vmcs12_publish)
		hw->vmcs12_publish(v, none ? NULL : v->nested->vmcs12, full);
}

/* nested_pages.c */
int nested_set_pages(struct vcpu *v);
void nested_unpin_pages(struct vcpu *v);

/* nested_exit.c */
int nested_vmexit(struct vcpu *v, const struct vcpu_exit *e);
int nested_suspend_l2(struct vcpu *v);
int nested_fail_entry(struct vcpu *v, u32 reason, u64 qual);
int nested_vmexit_simple(struct vcpu *v, u32 reason, u64 qual);

/* nested_timer.c: the VMX-preemption timer */
void nested_timer_init(struct vcpu *v);
void nested_timer_start(struct vcpu *v, u32 value);
void nested_timer_start_at(struct vcpu *v, u64 deadline);
void nested_timer_stop(struct vcpu *v);
bool nested_timer_get(struct vcpu *v, u64 *deadline);
void nested_timer_restore(struct vcpu *v, u64 saved);

/* nested_evmcs.c: the enlightened VMCS; the last five with one that is active */
bool nested_evmcs_offered(struct vcpu *v);
void nested_evmcs_fill_insn(struct vcpu *v, struct vmx_insn *i);
bool nested_evmcs_find(struct vcpu *v);
void nested_caps_changed(struct vcpu *v);
void nested_evmcs_store(struct vcpu *v);
void nested_evmcs_store_error(struct vcpu *v);
bool nested_evmcs_reload(struct vcpu *v);
void nested_evmcs_resolve(struct vcpu *v);
bool nested_evmcs_bitmap_clean(struct vcpu *v, u32 clean);

static inline bool nested_evmcs_active(struct vcpu *v)
{
	return unlikely(v->nested->st.evmcs_ptr != VMCS12_NO_PTR);
}

/* nested_insn.c */
extern const struct nested_ops vcpu_nested_ops;

/* nested_shadow.c: the VMCS that L1 lets L2 read and write */
int nested_shadow_load(struct vcpu *v);
void nested_shadow_store(struct vcpu *v);
int nested_shadow_access(struct vcpu *v, u32 reason, const struct vmx_operand *op);
void nested_fill_insn(struct vcpu *v, struct vmx_insn *i);
int nested_apply_result(struct vcpu *v, const struct vmx_insn_result *res, u32 reason);

#endif /* TURTLES_VCPU_NESTED_INT_H */
