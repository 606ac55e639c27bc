// SPDX-License-Identifier: GPL-2.0-only
/*
 * SDM "Checks on Host-State Area": the state of L1 to load at the exit. A row
 * that fails ends in VMfailValid(VM entry with invalid host-state field(s)).
 */
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "nested/check.h"

/* -- Control registers and MSRs -------------------------------------------- */

static bool host_cr0(const struct nested_check *c)
{
	const struct vmx_caps *caps = c->env->caps;

	return vmx_fixed_bits_ok(c->v->host_cr0, caps->cr0_fixed0, caps->cr0_fixed1);
}

static bool host_cr4(const struct nested_check *c)
{
	const struct vmx_caps *caps = c->env->caps;

	return vmx_fixed_bits_ok(c->v->host_cr4, caps->cr4_fixed0, caps->cr4_fixed1);
}

static bool host_cr3(const struct nested_check *c)
{
	return phys_ok(c->env->maxphyaddr, c->v->host_cr3);
}

static bool host_sysenter_esp(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->host_ia32_sysenter_esp);
}

static bool host_sysenter_eip(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->host_ia32_sysenter_eip);
}

static bool loads_pat(const struct nested_check *c)
{
	return exit_has(c->v, VM_EXIT_LOAD_IA32_PAT);
}

static bool host_pat(const struct nested_check *c)
{
	return pat_ok(c->v->host_ia32_pat);
}

static bool loads_efer(const struct nested_check *c)
{
	return exit_has(c->v, VM_EXIT_LOAD_IA32_EFER);
}

static bool host_efer_reserved(const struct nested_check *c)
{
	return !(c->v->host_ia32_efer & ~c->env->efer_valid);
}

static bool host_is_64(const struct nested_check *c)
{
	return exit_has(c->v, VM_EXIT_HOST_ADDR_SPACE_SIZE);
}

static bool host_is_32(const struct nested_check *c)
{
	return !host_is_64(c);
}

static bool host_efer_lma(const struct nested_check *c)
{
	u64 want = host_is_64(c) ? EFER_LMA | EFER_LME : 0;

	return (c->v->host_ia32_efer & (EFER_LMA | EFER_LME)) == want;
}

/* -- Segment and descriptor-table registers -------------------------------- */

/* RPL and the table indicator must be zero. */
static bool host_selector_ok(u16 selector)
{
	return !(selector & 7);
}

static bool host_es_selector(const struct nested_check *c)
{
	return host_selector_ok(c->v->host_es_selector);
}

static bool host_cs_selector(const struct nested_check *c)
{
	return host_selector_ok(c->v->host_cs_selector);
}

static bool host_ss_selector(const struct nested_check *c)
{
	return host_selector_ok(c->v->host_ss_selector);
}

static bool host_ds_selector(const struct nested_check *c)
{
	return host_selector_ok(c->v->host_ds_selector);
}

static bool host_fs_selector(const struct nested_check *c)
{
	return host_selector_ok(c->v->host_fs_selector);
}

static bool host_gs_selector(const struct nested_check *c)
{
	return host_selector_ok(c->v->host_gs_selector);
}

static bool host_tr_selector(const struct nested_check *c)
{
	return host_selector_ok(c->v->host_tr_selector);
}

static bool host_cs_not_null(const struct nested_check *c)
{
	return c->v->host_cs_selector != 0;
}

static bool host_tr_not_null(const struct nested_check *c)
{
	return c->v->host_tr_selector != 0;
}

static bool host_ss_not_null(const struct nested_check *c)
{
	return c->v->host_ss_selector != 0;
}

static bool host_fs_base(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->host_fs_base);
}

static bool host_gs_base(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->host_gs_base);
}

static bool host_gdtr_base(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->host_gdtr_base);
}

static bool host_idtr_base(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->host_idtr_base);
}

static bool host_tr_base(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->host_tr_base);
}

/* -- Address-space size ---------------------------------------------------- */

static bool l1_not_long(const struct nested_check *c)
{
	return !c->env->l1_lma;
}

static bool l1_long(const struct nested_check *c)
{
	return c->env->l1_lma;
}

static bool no_64bit_modes(const struct nested_check *c)
{
	return host_is_32(c) && !entry_has(c->v, VM_ENTRY_IA32E_MODE);
}

static bool guest_not_long(const struct nested_check *c)
{
	return !entry_has(c->v, VM_ENTRY_IA32E_MODE);
}

static bool host_no_pcide(const struct nested_check *c)
{
	return !(c->v->host_cr4 & X86_CR4_PCIDE);
}

static bool host_rip_32(const struct nested_check *c)
{
	return !(c->v->host_rip >> 32);
}

static bool host_pae(const struct nested_check *c)
{
	return c->v->host_cr4 & X86_CR4_PAE;
}

static bool host_rip_64(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->v->host_rip);
}

#define REGS "Checks on Host Control Registers, MSRs, and SSP"
#define SEGS "Checks on Host Segment and Descriptor-Table Registers"
#define SIZE "Checks Related to Address-Space Size"
#define ROW(name_, section_, when_, ok_)                                     \
	{                                                                    \
		.name = name_, .section = section_, .when = when_, .ok = ok_ \
	}

const struct nested_check_row check_host_rows[] = {
	ROW("host_cr0", REGS, NULL, host_cr0),
	ROW("host_cr4", REGS, NULL, host_cr4),
	ROW("host_cr3", REGS, NULL, host_cr3),
	ROW("host_sysenter_esp", REGS, NULL, host_sysenter_esp),
	ROW("host_sysenter_eip", REGS, NULL, host_sysenter_eip),
	ROW("host_pat", REGS, loads_pat, host_pat),
	ROW("host_efer_reserved", REGS, loads_efer, host_efer_reserved),
	ROW("host_efer_lma", REGS, loads_efer, host_efer_lma),

	ROW("host_es_selector", SEGS, NULL, host_es_selector),
	ROW("host_cs_selector", SEGS, NULL, host_cs_selector),
	ROW("host_ss_selector", SEGS, NULL, host_ss_selector),
	ROW("host_ds_selector", SEGS, NULL, host_ds_selector),
	ROW("host_fs_selector", SEGS, NULL, host_fs_selector),
	ROW("host_gs_selector", SEGS, NULL, host_gs_selector),
	ROW("host_tr_selector", SEGS, NULL, host_tr_selector),
	ROW("host_cs_not_null", SEGS, NULL, host_cs_not_null),
	ROW("host_tr_not_null", SEGS, NULL, host_tr_not_null),
	ROW("host_ss_not_null", SEGS, host_is_32, host_ss_not_null),
	ROW("host_fs_base", SEGS, NULL, host_fs_base),
	ROW("host_gs_base", SEGS, NULL, host_gs_base),
	ROW("host_gdtr_base", SEGS, NULL, host_gdtr_base),
	ROW("host_idtr_base", SEGS, NULL, host_idtr_base),
	ROW("host_tr_base", SEGS, NULL, host_tr_base),

	ROW("no_64bit_modes_outside_long_mode", SIZE, l1_not_long, no_64bit_modes),
	ROW("host_64bit_in_long_mode", SIZE, l1_long, host_is_64),
	ROW("guest_64bit_needs_host_64bit", SIZE, host_is_32, guest_not_long),
	ROW("host_no_pcide", SIZE, host_is_32, host_no_pcide),
	ROW("host_rip_32", SIZE, host_is_32, host_rip_32),
	ROW("host_pae", SIZE, host_is_64, host_pae),
	ROW("host_rip_64", SIZE, host_is_64, host_rip_64),
};

const unsigned int check_host_nr_rows = ARRAY_SIZE(check_host_rows);
