// SPDX-License-Identifier: GPL-2.0-only
/*
 * L2 to L1 (SDM chapter "VM Exits"): what is recorded about the exit, and the
 * host state that L1 goes on with. L2's own state is saved by the backend, which
 * alone knows where it is (hw_ops.l2_leave()).
 */
#include <linux/types.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "nested/check.h"
#include "nested/enter.h"

/* -- Exit information ------------------------------------------------------ */

/* No processor saves more of an error code; user space can have queued anything. */
#define ERROR_CODE_MASK 0xffffu

/* Only these exits have interruption information. */
static bool has_intr_info(const struct vcpu_exit *e)
{
	return e->reason == EXIT_REASON_EXCEPTION_NMI ||
	       e->reason == EXIT_REASON_EXTERNAL_INTERRUPT;
}

/**
 * nested_save_exit_info - record an exit for L1
 * @v: L1's VMCS
 * @e: the exit
 *
 * SDM "Recording VM-Exit Information and Updating VM-Entry Control Fields". An
 * external interrupt has its vector in @e only if L1 acknowledges at exit.
 */
void nested_save_exit_info(struct vmcs12 *v, const struct vcpu_exit *e)
{
	v->vm_exit_reason = e->reason;
	v->exit_qualification = e->qual;
	v->guest_physical_address = e->gpa;
	v->guest_linear_address = e->gla;
	v->vm_exit_instruction_len = e->insn_len;
	v->vmx_instruction_info = e->insn_info;
	v->vm_exit_intr_info = has_intr_info(e) ? e->intr_info : 0;
	if (v->vm_exit_intr_info & INTR_INFO_DELIVER_CODE_MASK)
		v->vm_exit_intr_error_code = e->intr_error & ERROR_CODE_MASK;
	v->idt_vectoring_info_field = 0;
	if (e->idt_info & VECTORING_INFO_VALID_MASK)
		nested_save_idt_vectoring(v, e->idt_info, e->idt_error, e->insn_len);

	/* The event was delivered, or is in the IDT-vectoring information. */
	v->vm_entry_intr_info_field &= ~INTR_INFO_VALID_MASK;
}

/**
 * nested_save_entry_failure - record that L2 was not entered
 * @v:	    L1's VMCS
 * @reason: basic exit reason
 * @qual:   exit qualification
 *
 * SDM "VM-Entry Failures During or After Loading Guest State": no other field
 * changes, and the event to inject stays valid.
 */
void nested_save_entry_failure(struct vmcs12 *v, u32 reason, u64 qual)
{
	v->vm_exit_reason = reason | VMX_EXIT_REASONS_FAILED_VMENTRY;
	v->exit_qualification = qual;
}

/**
 * nested_save_idt_vectoring - the event that L2 was receiving when it exited
 * @v:	       L1's VMCS
 * @intr_info: the event, in either VM-entry interruption or IDT-vectoring format
 * @error:     its error code
 * @insn_len:  instruction length of a software event
 *
 * Also for events that L0 had taken over and had not yet injected again. SDM
 * "Information for VM Exits During Event Delivery": a pending MTF is none.
 */
void nested_save_idt_vectoring(struct vmcs12 *v, u32 intr_info, u32 error, u32 insn_len)
{
	u32 type = intr_info & INTR_INFO_INTR_TYPE_MASK;

	v->idt_vectoring_info_field = 0;
	if (!(intr_info & INTR_INFO_VALID_MASK) || type == INTR_TYPE_OTHER_EVENT)
		return;
	v->idt_vectoring_info_field =
		intr_info & (VECTORING_INFO_VECTOR_MASK | VECTORING_INFO_TYPE_MASK |
			     VECTORING_INFO_DELIVER_CODE_MASK | VECTORING_INFO_VALID_MASK);
	if (intr_info & VECTORING_INFO_DELIVER_CODE_MASK)
		v->idt_vectoring_error_code = error & ERROR_CODE_MASK;
	if (type == INTR_TYPE_SOFT_INTR || type == INTR_TYPE_SOFT_EXCEPTION ||
	    type == INTR_TYPE_PRIV_SW_EXCEPTION)
		v->vm_exit_instruction_len = insn_len;
}

/* -- Host state ------------------------------------------------------------ */

/* CR0 bits that exist and that a VM exit loads. */
#define CR0_LOADED                                                                     \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_NE | X86_CR0_WP | \
	 X86_CR0_AM | X86_CR0_PG)

/* Access rights after a VM exit: SDM "Loading Host Segment and ... Registers". */
#define AR_DATA (3u | SEG_AR_S | SEG_AR_P | SEG_AR_DB | SEG_AR_G)
#define AR_CODE (11u | SEG_AR_S | SEG_AR_P | SEG_AR_G)
#define AR_TSS	(11u | SEG_AR_P)

static void load_crs(struct l1_state *out, const struct vmcs12 *v, const struct l2_last *last)
{
	bool is_64 = exit_has(v, VM_EXIT_HOST_ADDR_SPACE_SIZE);

	out->cr0 = (v->host_cr0 & CR0_LOADED) | (last->cr0 & ~(u64)CR0_LOADED);
	out->cr3 = v->host_cr3;
	out->cr4 = v->host_cr4;
	if (is_64)
		out->cr4 |= X86_CR4_PAE;
	else
		out->cr4 &= ~(u64)X86_CR4_PCIDE;
	out->load_pdptes = !is_64 && (out->cr0 & X86_CR0_PG) && (out->cr4 & X86_CR4_PAE);
}

static void load_msrs(struct l1_state *out, const struct vmcs12 *v, const struct l2_last *last)
{
	out->dr7 = 0x400;
	out->debugctl = 0;
	out->sysenter_cs = v->host_ia32_sysenter_cs;
	out->sysenter_esp = v->host_ia32_sysenter_esp;
	out->sysenter_eip = v->host_ia32_sysenter_eip;
	out->pat = exit_has(v, VM_EXIT_LOAD_IA32_PAT) ? v->host_ia32_pat : last->pat;
	if (exit_has(v, VM_EXIT_LOAD_IA32_EFER)) {
		out->efer = v->host_ia32_efer;
		return;
	}
	out->efer = last->efer & ~(u64)(EFER_LMA | EFER_LME);
	if (exit_has(v, VM_EXIT_HOST_ADDR_SPACE_SIZE))
		out->efer |= EFER_LMA | EFER_LME;
}

static void load_data_seg(struct x86_seg *s, u16 selector, u64 base)
{
	*s = (struct x86_seg){
		.selector = selector,
		.base = base,
		.limit = 0xffffffff,
		.ar = selector ? AR_DATA : AR_DATA | SEG_AR_UNUSABLE,
	};
}

static void load_segs(struct l1_state *out, const struct vmcs12 *v)
{
	bool is_64 = exit_has(v, VM_EXIT_HOST_ADDR_SPACE_SIZE);

	out->seg[X86_CS] = (struct x86_seg){
		.selector = v->host_cs_selector,
		.limit = 0xffffffff,
		.ar = AR_CODE | (is_64 ? SEG_AR_L : SEG_AR_DB),
	};
	load_data_seg(&out->seg[X86_SS], v->host_ss_selector, 0);
	load_data_seg(&out->seg[X86_DS], v->host_ds_selector, 0);
	load_data_seg(&out->seg[X86_ES], v->host_es_selector, 0);
	load_data_seg(&out->seg[X86_FS], v->host_fs_selector, v->host_fs_base);
	load_data_seg(&out->seg[X86_GS], v->host_gs_selector, v->host_gs_base);
	out->seg[X86_TR] = (struct x86_seg){
		.selector = v->host_tr_selector,
		.base = v->host_tr_base,
		.limit = 0x67,
		.ar = AR_TSS,
	};
	out->seg[X86_LDTR] = (struct x86_seg){ .ar = SEG_AR_UNUSABLE };
	out->gdt = (struct x86_dt){ .base = v->host_gdtr_base, .limit = 0xffff };
	out->idt = (struct x86_dt){ .base = v->host_idtr_base, .limit = 0xffff };
}

/**
 * nested_load_host_state - the state that L1 goes on with
 * @out:  result
 * @v:	  L1's VMCS, with exit reason and interruption information saved
 * @last: L2's values
 *
 * SDM "Loading Host State". The MSR-load list comes after this.
 */
void nested_load_host_state(struct l1_state *out, const struct vmcs12 *v,
			    const struct l2_last *last)
{
	*out = (struct l1_state){
		.rip = v->host_rip,
		.rsp = v->host_rsp,
		.rflags = X86_EFLAGS_FIXED,
	};
	load_crs(out, v, last);
	load_msrs(out, v, last);
	load_segs(out, v);
	out->block_nmi = v->vm_exit_reason == EXIT_REASON_EXCEPTION_NMI &&
			 (v->vm_exit_intr_info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR;
}
