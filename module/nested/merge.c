// SPDX-License-Identifier: GPL-2.0-only
/*
 * One function per control word. The rule behind most bits:
 *
 *  - a control that makes something exit is set if L0 or L1 wants the exit;
 *    reflect.c sorts out afterwards whose it was;
 *  - a control that gives L2 something (an instruction, a mode) is set only if
 *    L1 gave it and L0 has it to give;
 *  - a control about how exits and entries are done is L0's, because every exit
 *    comes to L0 first. L1's wishes about its own exits are carried out in
 *    software (enter.c, exit.c).
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "nested/check.h"
#include "nested/merge.h"

static void merge_pin(struct l2_controls *out, const struct vmcs12 *v, const struct l0_controls *l0)
{
	/*
	 * L0 must get host interrupts and NMIs. Virtual NMIs are L0's even if
	 * L1 does not use them: the NMIs of L2 are then those of L1. L1's own
	 * interrupt and NMI exiting decide what L0 does with L1's events.
	 */
	out->pin = l0->pin & ~PIN_BASED_VMX_PREEMPTION_TIMER;
	/* There is one timer. Where L0 cannot spare it, vcpu/ emulates L1's. */
	if (pin_has(v, PIN_BASED_VMX_PREEMPTION_TIMER) && l0->can_preemption_timer)
		out->pin |= PIN_BASED_VMX_PREEMPTION_TIMER;
}

/* Controls that are not a plain "exit if anybody wants it". */
#define PROC_SPECIAL                                                                            \
	(CPU_BASED_USE_TSC_OFFSETTING | CPU_BASED_TPR_SHADOW | CPU_BASED_CR8_LOAD_EXITING |     \
	 CPU_BASED_CR8_STORE_EXITING | CPU_BASED_USE_IO_BITMAPS | CPU_BASED_UNCOND_IO_EXITING | \
	 CPU_BASED_USE_MSR_BITMAPS | CPU_BASED_ACTIVATE_SECONDARY_CONTROLS |                    \
	 CPU_BASED_ACTIVATE_TERTIARY_CONTROLS | CPU_BASED_CR3_LOAD_EXITING |                    \
	 CPU_BASED_CR3_STORE_EXITING)

static void merge_proc(struct l2_controls *out, const struct vmcs12 *v,
		       const struct l0_controls *l0)
{
	u32 l1 = v->cpu_based_vm_exec_control;
	u32 proc = (l1 | l0->proc) & ~PROC_SPECIAL;

	/* L1's TSC differs from the host's, so L2's does, whatever L1 wants. */
	proc |= CPU_BASED_USE_TSC_OFFSETTING;

	/*
	 * CR8 of an L2 without TPR shadow is L1's, hence the virtual local
	 * APIC's, so it exits to L0; with one it is a byte in L1's memory.
	 */
	proc |= l1 & (CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING);
	if ((l1 & CPU_BASED_TPR_SHADOW) && l0->can_tpr_shadow) {
		proc |= CPU_BASED_TPR_SHADOW;
		out->tpr_threshold = v->tpr_threshold;
	} else {
		proc |= CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING;
	}

	/* Every port access of L1 is L0's, so every one of L2's is at least that. */
	proc |= CPU_BASED_UNCOND_IO_EXITING;

	/* A bitmap helps only if L1 has one: without, L1 wants every MSR exit. */
	if ((l1 & CPU_BASED_USE_MSR_BITMAPS) && l0->can_msr_bitmap)
		proc |= CPU_BASED_USE_MSR_BITMAPS;

	/*
	 * L0 always has two-dimensional paging under L2, so CR3 interests it
	 * only if its own word says so. The default1 class does not count as
	 * a wish: these bits may be 0 for us.
	 */
	proc |= (l1 | l0->proc) & (CPU_BASED_CR3_LOAD_EXITING | CPU_BASED_CR3_STORE_EXITING);

	proc |= CPU_BASED_ACTIVATE_SECONDARY_CONTROLS;
	out->proc = proc;
}

/* What makes L2 exit: either of us. */
#define PROC2_EITHER                                                                           \
	(SECONDARY_EXEC_DESC | SECONDARY_EXEC_WBINVD_EXITING | SECONDARY_EXEC_RDRAND_EXITING | \
	 SECONDARY_EXEC_RDSEED_EXITING | SECONDARY_EXEC_PAUSE_LOOP_EXITING)

/* What L2 may execute or be: both of us. */
#define PROC2_BOTH                                                                              \
	(SECONDARY_EXEC_ENABLE_RDTSCP | SECONDARY_EXEC_ENABLE_INVPCID | SECONDARY_EXEC_XSAVES | \
	 SECONDARY_EXEC_UNRESTRICTED_GUEST)

/*
 * L0's alone: EPT and VPID are about L0's translations. L1's settings for the
 * same bits say how L0 composes the tables and when it drops a tag.
 */
#define PROC2_L0 \
	(SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_ENABLE_VPID | SECONDARY_EXEC_ENABLE_PML)

static void merge_proc2(struct l2_controls *out, const struct vmcs12 *v,
			const struct l0_controls *l0)
{
	u32 l1 = proc_has(v, CPU_BASED_ACTIVATE_SECONDARY_CONTROLS) ? v->secondary_vm_exec_control :
								      0;
	u32 proc2 = l0->proc2 & PROC2_L0;

	proc2 |= (l1 | l0->proc2) & PROC2_EITHER;
	proc2 |= l1 & l0->proc2 & PROC2_BOTH;

	/* These need L1's page where the hardware looks for it. */
	if (l0->can_apic_access)
		proc2 |= l1 & SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES;
	if (l0->can_x2apic_mode && (out->proc & CPU_BASED_TPR_SHADOW))
		proc2 |= l1 & SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE;

	/* A spinning L2 should disturb L1 when L1 says so, else L0 as usual. */
	if (l1 & SECONDARY_EXEC_PAUSE_LOOP_EXITING) {
		out->ple_gap = v->ple_gap;
		out->ple_window = v->ple_window;
	} else {
		out->ple_gap = l0->ple_gap;
		out->ple_window = l0->ple_window;
	}
	if (proc2 & SECONDARY_EXEC_XSAVES)
		out->xss_exit_bitmap = v->xss_exit_bitmap | l0->xss_exit_bitmap;

	out->tsc_multiplier = nested_merge_tsc_multiplier(v, l0->tsc_multiplier);
	if (out->tsc_multiplier)
		proc2 |= SECONDARY_EXEC_TSC_SCALING;
	out->proc2 = proc2;
}

static void merge_exit(struct l2_controls *out, const struct vmcs12 *v,
		       const struct l0_controls *l0)
{
	/*
	 * The exit is to L0, whose address space and MSRs are to be loaded. What is left of L1's
	 * preemption timer follows from the TSC, so nobody has to save it.
	 */
	out->exit = l0->exit & ~VM_EXIT_SAVE_VMX_PREEMPTION_TIMER;
}

static void merge_entry(struct l2_controls *out, const struct vmcs12 *v,
			const struct l0_controls *l0)
{
	/*
	 * Only IA-32e mode is L1's to choose. That L0 loads EFER, PAT and debug
	 * controls does not mean that L1's fields are used: see merge_msrs().
	 */
	out->entry = l0->entry & ~VM_ENTRY_IA32E_MODE;
	out->entry |= v->vm_entry_controls & VM_ENTRY_IA32E_MODE;
}

static void merge_exceptions(struct l2_controls *out, const struct vmcs12 *v,
			     const struct l0_controls *l0)
{
	out->exception_bitmap = v->exception_bitmap | l0->exception_bitmap;
	/*
	 * The error-code filter inverts the meaning of bit 14, so it cannot be
	 * OR-ed: if L0 wants page faults, it has to see them all.
	 */
	if (l0->exception_bitmap & 1u << 14)
		return;
	out->pfec_mask = v->page_fault_error_code_mask;
	out->pfec_match = v->page_fault_error_code_match;
}

/*
 * What L2 reads in an owned bit: L1's shadow if L1 owns it, and else the value
 * that L1 believes is in effect, because L0's ownership is invisible.
 */
static u64 merge_shadow(u64 guest, u64 l1_mask, u64 l1_shadow)
{
	return (guest & ~l1_mask) | (l1_shadow & l1_mask);
}

static void merge_crs(struct l2_controls *out, const struct vmcs12 *v, const struct l0_controls *l0)
{
	out->cr0_mask = v->cr0_guest_host_mask | l0->cr0_mask;
	out->cr4_mask = v->cr4_guest_host_mask | l0->cr4_mask;
	out->cr0_shadow = merge_shadow(v->guest_cr0, v->cr0_guest_host_mask, v->cr0_read_shadow);
	out->cr4_shadow = merge_shadow(v->guest_cr4, v->cr4_guest_host_mask, v->cr4_read_shadow);
	out->cr0 = v->guest_cr0;
	out->cr4 = v->guest_cr4;
}

/* SDM "Loading Guest Control Registers, Debug Registers, and MSRs". */
static u64 entry_efer(const struct vmcs12 *v, u64 l1_efer)
{
	bool lma = entry_has(v, VM_ENTRY_IA32E_MODE);

	if (entry_has(v, VM_ENTRY_LOAD_IA32_EFER))
		return v->guest_ia32_efer;
	l1_efer &= ~(u64)EFER_LMA;
	if (lma)
		l1_efer |= EFER_LMA;
	/* LME follows LMA if paging is on, and is not modified otherwise. */
	if (v->guest_cr0 & X86_CR0_PG) {
		l1_efer &= ~(u64)EFER_LME;
		if (lma)
			l1_efer |= EFER_LME;
	}
	return l1_efer;
}

static void merge_msrs(struct l2_controls *out, const struct vmcs12 *v,
		       const struct l0_controls *l0)
{
	bool debug = entry_has(v, VM_ENTRY_LOAD_DEBUG_CONTROLS);
	bool pat = entry_has(v, VM_ENTRY_LOAD_IA32_PAT);

	out->efer = entry_efer(v, l0->l1_efer);
	out->pat = pat ? v->guest_ia32_pat : l0->l1_pat;
	out->debugctl = debug ? v->guest_ia32_debugctl : l0->l1_debugctl;
	out->dr7 = debug ? v->guest_dr7 : l0->l1_dr7;
}

static void merge_event(struct l2_controls *out, const struct vmcs12 *v)
{
	if (!(v->vm_entry_intr_info_field & INTR_INFO_VALID_MASK))
		return;
	out->intr_info = v->vm_entry_intr_info_field;
	out->intr_error = v->vm_entry_exception_error_code;
	out->insn_len = v->vm_entry_instruction_len;
}

/**
 * nested_merge - controls for running L2
 * @out: result
 * @v:	 L1's VMCS, already checked
 * @l0:	 L0's needs
 */
void nested_merge(struct l2_controls *out, const struct vmcs12 *v, const struct l0_controls *l0)
{
	*out = (struct l2_controls){ .vpid = l0->vpid };
	merge_pin(out, v, l0);
	merge_proc(out, v, l0);
	merge_proc2(out, v, l0);
	merge_exit(out, v, l0);
	merge_entry(out, v, l0);
	merge_exceptions(out, v, l0);
	merge_crs(out, v, l0);
	merge_msrs(out, v, l0);
	merge_event(out, v);
	out->tsc_offset = nested_merge_tsc_offset(v, l0->tsc_offset);
}

static u64 l1_multiplier(const struct vmcs12 *v)
{
	if (!proc2_has(v, SECONDARY_EXEC_TSC_SCALING) || !proc_has(v, CPU_BASED_USE_TSC_OFFSETTING))
		return 0;
	return v->tsc_multiplier;
}

/**
 * nested_merge_tsc_offset - from scaled host TSC to L2's TSC
 * @v:	       L1's VMCS
 * @l0_offset: L1's TSC minus the (scaled) host's
 *
 * L2's TSC is L1's, times L1's multiplier, plus L1's offset; the offset that L0
 * applies to L1 is therefore scaled too. It is a signed number.
 */
u64 nested_merge_tsc_offset(const struct vmcs12 *v, u64 l0_offset)
{
	u64 mult = l1_multiplier(v);
	u64 offset = l0_offset;

	if (!proc_has(v, CPU_BASED_USE_TSC_OFFSETTING))
		return l0_offset;
	if (mult) {
		bool negative = (s64)l0_offset < 0;
		u64 magnitude = negative ? -l0_offset : l0_offset;

		offset = mul_u64_u64_shr(magnitude, mult, TSC_MULTIPLIER_FRACTION);
		if (negative)
			offset = -offset;
	}
	return offset + v->tsc_offset;
}

/**
 * nested_merge_tsc_multiplier - from host TSC to L2's
 * @v:		   L1's VMCS
 * @l0_multiplier: from host TSC to L1's, 0 = not scaled
 *
 * Returns the product, or 0 when nobody scales.
 */
u64 nested_merge_tsc_multiplier(const struct vmcs12 *v, u64 l0_multiplier)
{
	u64 mult = l1_multiplier(v);

	if (!mult || !l0_multiplier)
		return mult ? mult : l0_multiplier;
	return mul_u64_u64_shr(mult, l0_multiplier, TSC_MULTIPLIER_FRACTION);
}
