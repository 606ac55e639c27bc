// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rest of SDM "Checks on the Guest State Area": descriptor-table registers,
 * RIP and RFLAGS, non-register state, and the PDPTEs.
 */
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "nested/check.h"

/* -- Descriptor-table registers -------------------------------------------- */

static bool guest_gdtr_base(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->guest_gdtr_base);
}

static bool guest_idtr_base(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->guest_idtr_base);
}

static bool guest_gdtr_limit(const struct nested_check *c)
{
	return !(c->v->guest_gdtr_limit >> 16);
}

static bool guest_idtr_limit(const struct nested_check *c)
{
	return !(c->v->guest_idtr_limit >> 16);
}

/* -- RIP and RFLAGS -------------------------------------------------------- */

static bool is_64bit(const struct nested_check *c)
{
	return entry_has(c->v, VM_ENTRY_IA32E_MODE) && (c->v->guest_cs_ar_bytes & SEG_AR_L);
}

static bool not_64bit(const struct nested_check *c)
{
	return !is_64bit(c);
}

static bool guest_rip_32(const struct nested_check *c)
{
	return !(c->v->guest_rip >> 32);
}

/*
 * Bits 63:N must be identical; bit N-1 may differ from them, for a RIP that
 * reached the end of the canonical range by running off it.
 */
static bool guest_rip_64(const struct nested_check *c)
{
	u64 top = c->v->guest_rip >> c->env->linear_bits;

	return !top || top == ~0ull >> c->env->linear_bits;
}

/* Bits 63:22, 15, 5 and 3 are 0, bit 1 is 1. */
static bool guest_rflags_reserved(const struct nested_check *c)
{
	return (c->v->guest_rflags & 0xffffffffffc0802aull) == X86_EFLAGS_FIXED;
}

static bool vm86_impossible(const struct nested_check *c)
{
	return entry_has(c->v, VM_ENTRY_IA32E_MODE) || !(c->v->guest_cr0 & X86_CR0_PE);
}

static bool guest_no_vm86(const struct nested_check *c)
{
	return !(c->v->guest_rflags & X86_EFLAGS_VM);
}

static bool injects(const struct vmcs12 *v, u32 type)
{
	return (v->vm_entry_intr_info_field & (INTR_INFO_VALID_MASK | INTR_INFO_INTR_TYPE_MASK)) ==
	       (INTR_INFO_VALID_MASK | type);
}

static bool injects_irq(const struct nested_check *c)
{
	return injects(c->v, INTR_TYPE_EXT_INTR);
}

static bool guest_if_set(const struct nested_check *c)
{
	return c->v->guest_rflags & X86_EFLAGS_IF;
}

/* -- Activity state -------------------------------------------------------- */

static bool activity_supported(const struct nested_check *c)
{
	u64 misc = c->env->caps->misc;

	switch (c->v->guest_activity_state) {
	case GUEST_ACTIVITY_ACTIVE:
		return true;
	case GUEST_ACTIVITY_HLT:
		return misc & CAP_MISC_ACTIVITY_HLT;
	case GUEST_ACTIVITY_SHUTDOWN:
		return misc & CAP_MISC_ACTIVITY_SHUTDOWN;
	case GUEST_ACTIVITY_WAIT_SIPI:
		return misc & CAP_MISC_ACTIVITY_WAIT_SIPI;
	}
	return false;
}

static bool ss_dpl_not_zero(const struct nested_check *c)
{
	return c->v->guest_ss_ar_bytes & SEG_AR_DPL;
}

static bool not_halted(const struct nested_check *c)
{
	return c->v->guest_activity_state != GUEST_ACTIVITY_HLT;
}

static bool has_interrupt_shadow(const struct nested_check *c)
{
	return c->v->guest_interruptibility_info & (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS);
}

static bool is_active(const struct nested_check *c)
{
	return c->v->guest_activity_state == GUEST_ACTIVITY_ACTIVE;
}

static bool injects_while_inactive(const struct nested_check *c)
{
	return !is_active(c) && (c->v->vm_entry_intr_info_field & INTR_INFO_VALID_MASK);
}

/* The events that would wake a processor from each state. */
static bool activity_injection(const struct nested_check *c)
{
	u32 info = c->v->vm_entry_intr_info_field;
	u32 vector = info & INTR_INFO_VECTOR_MASK;
	bool hlt = c->v->guest_activity_state == GUEST_ACTIVITY_HLT;

	if (c->v->guest_activity_state == GUEST_ACTIVITY_WAIT_SIPI)
		return false;
	switch (info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_EXT_INTR:
	case INTR_TYPE_OTHER_EVENT:
		return hlt;
	case INTR_TYPE_NMI_INTR:
		return true;
	case INTR_TYPE_HARD_EXCEPTION:
		return vector == 18 || (hlt && vector == 1);
	}
	return false;
}

/* -- Interruptibility state ------------------------------------------------ */

static bool intr_reserved(const struct nested_check *c)
{
	return !(c->v->guest_interruptibility_info & ~0x1fu);
}

static bool intr_sti_xor_mov_ss(const struct nested_check *c)
{
	u32 both = GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS;

	return (c->v->guest_interruptibility_info & both) != both;
}

static bool has_sti(const struct nested_check *c)
{
	return c->v->guest_interruptibility_info & GUEST_INTR_STATE_STI;
}

static bool no_sti(const struct nested_check *c)
{
	return !has_sti(c);
}

static bool no_interrupt_shadow(const struct nested_check *c)
{
	return !has_interrupt_shadow(c);
}

static bool injects_nmi(const struct nested_check *c)
{
	return injects(c->v, INTR_TYPE_NMI_INTR);
}

static bool no_mov_ss(const struct nested_check *c)
{
	return !(c->v->guest_interruptibility_info & GUEST_INTR_STATE_MOV_SS);
}

/* VMLAUNCH and VMRESUME are never executed in SMM here. */
static bool intr_no_smi(const struct nested_check *c)
{
	return !(c->v->guest_interruptibility_info & GUEST_INTR_STATE_SMI);
}

static bool injects_virtual_nmi(const struct nested_check *c)
{
	return injects_nmi(c) && pin_has(c->v, PIN_BASED_VIRTUAL_NMIS);
}

static bool no_nmi_blocking(const struct nested_check *c)
{
	return !(c->v->guest_interruptibility_info & GUEST_INTR_STATE_NMI);
}

/* SGX is not offered. */
static bool intr_no_enclave(const struct nested_check *c)
{
	return !(c->v->guest_interruptibility_info & 0x10u);
}

/* -- Pending debug exceptions ---------------------------------------------- */

#define PENDING_ENABLED_BP (1ull << 12)
#define PENDING_BS	   (1ull << 14)
#define PENDING_RTM	   (1ull << 16)
#define PENDING_RESERVED   (~0x1ffffull | 1ull << 15 | 1ull << 13 | 0xff0ull)

static bool pending_reserved(const struct nested_check *c)
{
	return !(c->v->guest_pending_dbg_exceptions & PENDING_RESERVED);
}

static bool trap_is_due(const struct nested_check *c)
{
	return has_interrupt_shadow(c) || !not_halted(c);
}

/* A single-step trap is pending exactly when single-stepping is on. */
static bool pending_bs(const struct nested_check *c)
{
	bool stepping = (c->v->guest_rflags & X86_EFLAGS_TF) &&
			!(c->v->guest_ia32_debugctl & DEBUGCTLMSR_BTF);

	return !(c->v->guest_pending_dbg_exceptions & PENDING_BS) == !stepping;
}

static bool has_pending_rtm(const struct nested_check *c)
{
	return c->v->guest_pending_dbg_exceptions & PENDING_RTM;
}

static bool pending_rtm(const struct nested_check *c)
{
	u64 pending = c->v->guest_pending_dbg_exceptions;

	return c->env->rtm && (pending & PENDING_ENABLED_BP) &&
	       !(pending & ~(PENDING_RTM | PENDING_ENABLED_BP)) && no_mov_ss(c);
}

/* -- VMCS link pointer ----------------------------------------------------- */

static bool has_link(const struct nested_check *c)
{
	return nested_check_needs_link(c->v);
}

static bool link_addr(const struct nested_check *c)
{
	return page_addr_ok(c->env->maxphyaddr, c->v->vmcs_link_pointer);
}

/* A shadow VMCS with VMCS shadowing, an ordinary one without. */
static bool link_revision(const struct nested_check *c)
{
	u32 shadow = proc2_has(c->v, SECONDARY_EXEC_SHADOW_VMCS) ? VMCS12_SHADOW : 0;

	return c->env->link_valid && c->env->link_header == (VMCS12_REVISION | shadow);
}

static bool link_not_current(const struct nested_check *c)
{
	return c->v->vmcs_link_pointer != c->env->current_vmptr;
}

/* -- Page-directory-pointer-table entries ---------------------------------- */

static bool uses_pae_paging(const struct nested_check *c)
{
	return (c->v->guest_cr0 & X86_CR0_PG) && (c->v->guest_cr4 & X86_CR4_PAE) &&
	       !entry_has(c->v, VM_ENTRY_IA32E_MODE);
}

static bool pdpte_ok(const struct nested_check *c, u64 pdpte)
{
	if (!(pdpte & 1))
		return true;
	return !(pdpte & 0x1e6) && phys_ok(c->env->maxphyaddr, pdpte);
}

static bool guest_pdptes(const struct nested_check *c)
{
	const struct vmcs12 *v = c->v;
	const u64 *mem = c->env->pdptes;

	if (nested_check_needs_pdptes(v))
		return c->env->pdptes_valid && pdpte_ok(c, mem[0]) && pdpte_ok(c, mem[1]) &&
		       pdpte_ok(c, mem[2]) && pdpte_ok(c, mem[3]);
	return pdpte_ok(c, v->guest_pdptr0) && pdpte_ok(c, v->guest_pdptr1) &&
	       pdpte_ok(c, v->guest_pdptr2) && pdpte_ok(c, v->guest_pdptr3);
}

#define TABLES "Checks on Guest Descriptor-Table Registers"
#define FLOW   "Checks on Guest RIP, RFLAGS, and SSP"
#define NONREG "Checks on Guest Non-Register State"
#define PDPTES "Checks on Guest Page-Directory-Pointer-Table Entries"
#define ROW(name_, section_, when_, ok_)                                     \
	{                                                                    \
		.name = name_, .section = section_, .when = when_, .ok = ok_ \
	}
#define QROW(name_, section_, when_, ok_, qual_)                                            \
	{                                                                                   \
		.name = name_, .section = section_, .when = when_, .ok = ok_, .qual = qual_ \
	}

const struct nested_check_row check_guest_late_rows[] = {
	ROW("guest_gdtr_base", TABLES, NULL, guest_gdtr_base),
	ROW("guest_idtr_base", TABLES, NULL, guest_idtr_base),
	ROW("guest_gdtr_limit", TABLES, NULL, guest_gdtr_limit),
	ROW("guest_idtr_limit", TABLES, NULL, guest_idtr_limit),

	ROW("guest_rip_32", FLOW, not_64bit, guest_rip_32),
	ROW("guest_rip_64", FLOW, is_64bit, guest_rip_64),
	ROW("guest_rflags_reserved", FLOW, NULL, guest_rflags_reserved),
	ROW("guest_no_vm86", FLOW, vm86_impossible, guest_no_vm86),
	ROW("guest_if_for_irq", FLOW, injects_irq, guest_if_set),

	ROW("activity_supported", NONREG, NULL, activity_supported),
	ROW("activity_hlt_dpl", NONREG, ss_dpl_not_zero, not_halted),
	ROW("activity_shadow", NONREG, has_interrupt_shadow, is_active),
	ROW("activity_injection", NONREG, injects_while_inactive, activity_injection),
	ROW("intr_reserved", NONREG, NULL, intr_reserved),
	ROW("intr_sti_xor_mov_ss", NONREG, NULL, intr_sti_xor_mov_ss),
	ROW("intr_sti_needs_if", NONREG, has_sti, guest_if_set),
	ROW("intr_irq_shadow", NONREG, injects_irq, no_interrupt_shadow),
	ROW("intr_nmi_mov_ss", NONREG, injects_nmi, no_mov_ss),
	ROW("intr_no_smi", NONREG, NULL, intr_no_smi),
	QROW("intr_nmi_sti", NONREG, injects_nmi, no_sti, ENTRY_QUAL_NMI),
	ROW("intr_virtual_nmi", NONREG, injects_virtual_nmi, no_nmi_blocking),
	ROW("intr_no_enclave", NONREG, NULL, intr_no_enclave),
	ROW("pending_reserved", NONREG, NULL, pending_reserved),
	ROW("pending_bs", NONREG, trap_is_due, pending_bs),
	ROW("pending_rtm", NONREG, has_pending_rtm, pending_rtm),
	QROW("link_addr", NONREG, has_link, link_addr, ENTRY_QUAL_LINK_PTR),
	QROW("link_not_current", NONREG, has_link, link_not_current, ENTRY_QUAL_LINK_PTR),
	QROW("link_revision", NONREG, has_link, link_revision, ENTRY_QUAL_LINK_PTR),

	QROW("guest_pdptes", PDPTES, uses_pae_paging, guest_pdptes, ENTRY_QUAL_PDPTE),
};

const unsigned int check_guest_late_nr_rows = ARRAY_SIZE(check_guest_late_rows);
