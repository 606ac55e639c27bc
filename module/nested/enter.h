/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pure parts of switching between L1 and L2: loading L1's host state,
 * recording what an exit was, and the MSR lists. The switch itself, with its
 * hardware contexts and page-table roots, is vcpu/'s.
 */
#ifndef TURTLES_NESTED_ENTER_H
#define TURTLES_NESTED_ENTER_H

#include <linux/types.h>
#include "hw/exit.h"
#include "hw/x86_state.h"
#include "nested/caps.h"
#include "nested/vmcs12.h"

/* VMX-abort indicators (SDM "VMX Aborts"). */
#define VMX_ABORT_SAVE_MSR   1
#define VMX_ABORT_HOST_PDPTE 2
#define VMX_ABORT_LOAD_MSR   4

/**
 * struct l1_state - what an exit leaves L1 with
 * @cr0 .. @sysenter_eip: registers and MSRs to load, all of them
 * @seg:	 segment registers, indexed by enum x86_sreg
 * @gdt, @idt:	 descriptor tables
 * @load_pdptes: L1 uses PAE paging: PDPTEs are to be read at @cr3; if they are
 *		 bad the exit is a VMX abort
 * @block_nmi:	 the exit was an NMI's, which blocks further ones
 *
 * Interrupt shadow and pending debug exceptions are to be cleared, the activity
 * state is active.
 */
struct l1_state {
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
	u64 pat;
	u64 dr7;
	u64 debugctl;
	u64 rip;
	u64 rsp;
	u64 rflags;
	u64 sysenter_cs;
	u64 sysenter_esp;
	u64 sysenter_eip;
	struct x86_seg seg[X86_NR_SREGS];
	struct x86_dt gdt;
	struct x86_dt idt;
	bool load_pdptes;
	bool block_nmi;
};

/**
 * struct l2_last - values in effect at the exit, for what exits do not touch
 * @cr0:  L2's CR0
 * @efer: L2's EFER
 * @pat:  L2's PAT
 */
struct l2_last {
	u64 cr0;
	u64 efer;
	u64 pat;
};

void nested_load_host_state(struct l1_state *out, const struct vmcs12 *v,
			    const struct l2_last *last);

void nested_save_exit_info(struct vmcs12 *v, const struct vcpu_exit *e);
void nested_save_entry_failure(struct vmcs12 *v, u32 reason, u64 qual);
void nested_save_idt_vectoring(struct vmcs12 *v, u32 intr_info, u32 error, u32 insn_len);

/**
 * struct nested_msr_ops - what the MSR lists need
 * @read_gpa, @write_gpa: L1's memory; 0, or nonzero when it is not there
 * @get_msr: RDMSR; nonzero when it would fault
 * @set_msr: WRMSR; nonzero when it would fault
 * @ctx:     their first argument
 * @x2apic:  the local APIC is in x2APIC mode
 */
struct nested_msr_ops {
	int (*read_gpa)(void *ctx, u64 gpa, void *buf, u32 len);
	int (*write_gpa)(void *ctx, u64 gpa, const void *buf, u32 len);
	int (*get_msr)(void *ctx, u32 index, u64 *val);
	int (*set_msr)(void *ctx, u32 index, u64 val);
	void *ctx;
	bool x2apic;
};

u32 nested_entry_msr_load(const struct vmcs12 *v, const struct vmx_caps *caps,
			  const struct nested_msr_ops *ops);
u32 nested_exit_msr_store(const struct vmcs12 *v, const struct vmx_caps *caps,
			  const struct nested_msr_ops *ops);
u32 nested_exit_msr_load(const struct vmcs12 *v, const struct vmx_caps *caps,
			 const struct nested_msr_ops *ops);

#endif /* TURTLES_NESTED_ENTER_H */
