/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What L2 really runs with: the controls of L1's vmcs12 merged with L0's own
 * needs, in VMX vocabulary. A backend programs the result (hw_ops.l2_enter());
 * on SVM it translates it into intercepts.
 *
 * Pure: no hardware, no memory, no locks. Addresses in L1's memory (bitmaps,
 * virtual-APIC page, EPT pointer) are not here: vcpu/ and mm/ resolve them.
 */
#ifndef TURTLES_NESTED_MERGE_H
#define TURTLES_NESTED_MERGE_H

#include <linux/types.h>
#include "nested/vmcs12.h"

/**
 * struct l0_controls - what L0 wants while L2 runs
 * @pin, @proc, @proc2, @exit, @entry: control words that L0 would use if it ran
 *	   L2 for itself; they are also the limit of what may be passed to L2 for
 *	   controls that give L2 an instruction (RDTSCP, INVPCID, XSAVES)
 * @exception_bitmap: vectors that L0 intercepts
 * @cr0_mask, @cr4_mask: bits that L0 owns
 * @tsc_offset: from host TSC to L1's TSC, after scaling
 * @tsc_multiplier: from host TSC to L1's, 48 fraction bits; 0 = not scaled
 * @vpid:  tag of this L2's translations, 0 = none
 * @ple_gap, @ple_window: L0's own
 * @xss_exit_bitmap: L0's own
 * @l1_efer, @l1_pat, @l1_debugctl, @l1_dr7: L1's current values, which L2
 *	   inherits when the VM-entry controls do not load them
 * @can_tpr_shadow: the hardware can use L1's virtual-APIC page
 * @can_apic_access: the hardware can use L1's APIC-access page
 * @can_x2apic_mode: the hardware can virtualize x2APIC mode for L2
 * @can_preemption_timer: the hardware's timer is free for L1's use
 * @can_msr_bitmap: vcpu/ supplies a merged MSR bitmap
 */
struct l0_controls {
	u32 pin;
	u32 proc;
	u32 proc2;
	u32 exit;
	u32 entry;
	u32 exception_bitmap;
	u64 cr0_mask;
	u64 cr4_mask;
	u64 tsc_offset;
	u64 tsc_multiplier;
	u16 vpid;
	u32 ple_gap;
	u32 ple_window;
	u64 xss_exit_bitmap;
	u64 l1_efer;
	u64 l1_pat;
	u64 l1_debugctl;
	u64 l1_dr7;
	bool can_tpr_shadow;
	bool can_apic_access;
	bool can_x2apic_mode;
	bool can_preemption_timer;
	bool can_msr_bitmap;
};

/**
 * struct l2_controls - what the backend programs for L2
 * @pin, @proc, @proc2, @exit, @entry: control words
 * @exception_bitmap, @pfec_mask, @pfec_match: exceptions that exit
 * @cr0_mask, @cr4_mask: bits owned by L0 or L1
 * @cr0_shadow, @cr4_shadow: what L2 reads in the owned bits
 * @cr0, @cr4: values in effect, as far as L1 decides them; the backend adds
 *	   what its hardware demands
 * @efer, @pat, @debugctl, @dr7: values in effect at the entry
 * @tsc_offset, @tsc_multiplier: from host TSC to L2's
 * @vpid, @tpr_threshold, @ple_gap, @ple_window, @xss_exit_bitmap: as named
 * @intr_info, @intr_error, @insn_len: the event to inject
 */
struct l2_controls {
	u32 pin;
	u32 proc;
	u32 proc2;
	u32 exit;
	u32 entry;
	u32 exception_bitmap;
	u32 pfec_mask;
	u32 pfec_match;
	u64 cr0_mask;
	u64 cr4_mask;
	u64 cr0_shadow;
	u64 cr4_shadow;
	u64 cr0;
	u64 cr4;
	u64 efer;
	u64 pat;
	u64 debugctl;
	u64 dr7;
	u64 tsc_offset;
	u64 tsc_multiplier;
	u16 vpid;
	u32 tpr_threshold;
	u32 ple_gap;
	u32 ple_window;
	u64 xss_exit_bitmap;
	u32 intr_info;
	u32 intr_error;
	u32 insn_len;
};

void nested_merge(struct l2_controls *out, const struct vmcs12 *v, const struct l0_controls *l0);

/* Parts that also change while L2 runs. */
u64 nested_merge_tsc_offset(const struct vmcs12 *v, u64 l0_offset);
u64 nested_merge_tsc_multiplier(const struct vmcs12 *v, u64 l0_multiplier);

#define TSC_MULTIPLIER_FRACTION 48

#endif /* TURTLES_NESTED_MERGE_H */
