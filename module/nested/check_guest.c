// SPDX-License-Identifier: GPL-2.0-only
/*
 * SDM "Checks on Guest Control Registers, Debug Registers, and MSRs", the first
 * part of the checks on the guest-state area. A row that fails ends in a VM
 * exit with reason "VM-entry failure due to invalid guest state".
 */
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "nested/check.h"

/* With unrestricted guest, L2 may run without protection or paging. */
static bool guest_cr0_fixed(const struct nested_check *c)
{
	u64 fixed0 = c->env->caps->cr0_fixed0;

	if (proc2_has(c->v, SECONDARY_EXEC_UNRESTRICTED_GUEST))
		fixed0 &= ~(u64)(X86_CR0_PE | X86_CR0_PG);
	return vmx_fixed_bits_ok(c->v->guest_cr0, fixed0, c->env->caps->cr0_fixed1);
}

static bool has_paging(const struct nested_check *c)
{
	return c->v->guest_cr0 & X86_CR0_PG;
}

static bool guest_pg_needs_pe(const struct nested_check *c)
{
	return c->v->guest_cr0 & X86_CR0_PE;
}

static bool guest_cr4_fixed(const struct nested_check *c)
{
	const struct vmx_caps *caps = c->env->caps;

	return vmx_fixed_bits_ok(c->v->guest_cr4, caps->cr4_fixed0, caps->cr4_fixed1);
}

static bool loads_debug(const struct nested_check *c)
{
	return entry_has(c->v, VM_ENTRY_LOAD_DEBUG_CONTROLS);
}

static bool guest_debugctl(const struct nested_check *c)
{
	return !(c->v->guest_ia32_debugctl & ~c->env->debugctl_valid);
}

static bool is_long(const struct nested_check *c)
{
	return entry_has(c->v, VM_ENTRY_IA32E_MODE);
}

static bool not_long(const struct nested_check *c)
{
	return !is_long(c);
}

static bool guest_pae(const struct nested_check *c)
{
	return c->v->guest_cr4 & X86_CR4_PAE;
}

static bool guest_no_pcide(const struct nested_check *c)
{
	return !(c->v->guest_cr4 & X86_CR4_PCIDE);
}

static bool guest_cr3(const struct nested_check *c)
{
	return phys_ok(c->env->maxphyaddr, c->v->guest_cr3);
}

static bool guest_dr7(const struct nested_check *c)
{
	return !(c->v->guest_dr7 >> 32);
}

static bool guest_sysenter_esp(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->guest_sysenter_esp);
}

static bool guest_sysenter_eip(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->guest_sysenter_eip);
}

static bool loads_pat(const struct nested_check *c)
{
	return entry_has(c->v, VM_ENTRY_LOAD_IA32_PAT);
}

static bool guest_pat(const struct nested_check *c)
{
	return pat_ok(c->v->guest_ia32_pat);
}

static bool loads_efer(const struct nested_check *c)
{
	return entry_has(c->v, VM_ENTRY_LOAD_IA32_EFER);
}

static bool guest_efer_reserved(const struct nested_check *c)
{
	return !(c->v->guest_ia32_efer & ~c->env->efer_valid);
}

static bool guest_efer_lma(const struct nested_check *c)
{
	return !(c->v->guest_ia32_efer & EFER_LMA) == !is_long(c);
}

static bool loads_efer_with_paging(const struct nested_check *c)
{
	return loads_efer(c) && has_paging(c);
}

static bool guest_efer_lme(const struct nested_check *c)
{
	u64 efer = c->v->guest_ia32_efer;

	return !(efer & EFER_LMA) == !(efer & EFER_LME);
}

#define REGS "Checks on Guest Control Registers, Debug Registers, and MSRs"
#define ROW(name_, when_, ok_)                                           \
	{                                                                \
		.name = name_, .section = REGS, .when = when_, .ok = ok_ \
	}

const struct nested_check_row check_guest_rows[] = {
	ROW("guest_cr0_fixed", NULL, guest_cr0_fixed),
	ROW("guest_pg_needs_pe", has_paging, guest_pg_needs_pe),
	ROW("guest_cr4_fixed", NULL, guest_cr4_fixed),
	ROW("guest_debugctl", loads_debug, guest_debugctl),
	ROW("guest_long_needs_paging", is_long, has_paging),
	ROW("guest_long_needs_pae", is_long, guest_pae),
	ROW("guest_pcide_needs_long", not_long, guest_no_pcide),
	ROW("guest_cr3", NULL, guest_cr3),
	ROW("guest_dr7", loads_debug, guest_dr7),
	ROW("guest_sysenter_esp", NULL, guest_sysenter_esp),
	ROW("guest_sysenter_eip", NULL, guest_sysenter_eip),
	ROW("guest_pat", loads_pat, guest_pat),
	ROW("guest_efer_reserved", loads_efer, guest_efer_reserved),
	ROW("guest_efer_lma", loads_efer, guest_efer_lma),
	ROW("guest_efer_lme", loads_efer_with_paging, guest_efer_lme),
};

const unsigned int check_guest_nr_rows = ARRAY_SIZE(check_guest_rows);
