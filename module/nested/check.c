// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the entry-check tables in the SDM's order and turns the first failure
 * into the way the entry ends. Also the checks that insn.c and the MSR lists
 * share with them.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include "nested/check.h"
#include "nested/vmcs12_seg.h"

/**
 * struct check_table - one table and what a failure in it means
 * @rows:  the rows
 * @nr:	   how many
 * @kind:  how the entry ends
 * @error: error number or exit reason
 */
struct check_table {
	const struct nested_check_row *rows;
	const unsigned int *nr;
	enum nested_check_kind kind;
	u32 error;
};

static const struct check_table tables[] = {
	{ check_ctls_rows, &check_ctls_nr_rows, NESTED_VMFAIL_VALID,
	  VMXERR_ENTRY_INVALID_CONTROL_FIELD },
	{ check_host_rows, &check_host_nr_rows, NESTED_VMFAIL_VALID,
	  VMXERR_ENTRY_INVALID_HOST_STATE_FIELD },
	{ check_guest_rows, &check_guest_nr_rows, NESTED_ENTRY_FAIL, EXIT_REASON_INVALID_STATE },
	{ check_guest_seg_rows, &check_guest_seg_nr_rows, NESTED_ENTRY_FAIL,
	  EXIT_REASON_INVALID_STATE },
	{ check_guest_late_rows, &check_guest_late_nr_rows, NESTED_ENTRY_FAIL,
	  EXIT_REASON_INVALID_STATE },
};

#define FIRST_GUEST_TABLE 2

/* Of the tables below, the one whose rows are about a segment register. */
#define SEG_TABLE 3

static void prepare(struct nested_check *c, const struct nested_check_row *row)
{
	c->seg = row->seg;
	vmcs12_get_seg(c->v, row->seg, &c->s);
}

static bool run_table(const struct check_table *t, const struct vmcs12 *v,
		      const struct nested_check_env *env, struct nested_check_result *res)
{
	struct nested_check c = { .v = v, .env = env };
	const struct nested_check_row *row;
	unsigned int i;

	for (i = 0; i < *t->nr; i++) {
		row = &t->rows[i];
		if (t == &tables[SEG_TABLE])
			prepare(&c, row);
		if (row->when && !row->when(&c))
			continue;
		if (row->ok(&c))
			continue;
		res->kind = t->kind;
		res->error = t->error;
		res->qual = row->qual;
		res->row = row;
		return false;
	}
	return true;
}

static bool run_tables(unsigned int first, unsigned int end, const struct vmcs12 *v,
		       const struct nested_check_env *env, struct nested_check_result *res)
{
	unsigned int i;

	*res = (struct nested_check_result){ .kind = NESTED_CHECK_OK };
	for (i = first; i < end; i++)
		if (!run_table(&tables[i], v, env, res))
			return false;
	return true;
}

/**
 * nested_check_ctls_host - the checks that can end in VMfailValid
 * @v:	 the VMCS
 * @env: the rest
 * @res: outcome
 *
 * SDM "Checks on VMX Controls" and "Checks on Host-State Area". Returns true
 * when all rows pass.
 */
bool nested_check_ctls_host(const struct vmcs12 *v, const struct nested_check_env *env,
			    struct nested_check_result *res)
{
	return run_tables(0, FIRST_GUEST_TABLE, v, env, res);
}

/**
 * nested_check_guest - the checks that can end in a failed-entry VM exit
 * @v:	 the VMCS
 * @env: the rest
 * @res: outcome
 *
 * SDM "Checks on the Guest State Area". Returns true when all rows pass.
 */
bool nested_check_guest(const struct vmcs12 *v, const struct nested_check_env *env,
			struct nested_check_result *res)
{
	return run_tables(FIRST_GUEST_TABLE, ARRAY_SIZE(tables), v, env, res);
}

/**
 * nested_check_entry - all checks of a VM entry
 * @v:	 the VMCS
 * @env: the rest
 * @res: outcome
 *
 * Returns true when the entry may go on to loading MSRs.
 */
bool nested_check_entry(const struct vmcs12 *v, const struct nested_check_env *env,
			struct nested_check_result *res)
{
	return run_tables(0, ARRAY_SIZE(tables), v, env, res);
}

/* Bytes of a vmcs12 that a table's rows look at. */
struct region {
	u16 start, end;
};

#define FROM_TO(first, last)                                                               \
	{                                                                                  \
		offsetof(struct vmcs12, first),                                            \
			offsetof(struct vmcs12, last) + sizeof(((struct vmcs12 *)0)->last) \
	}
#define ONE(member) FROM_TO(member, member)

static const struct region ctls_regions[] = {
	FROM_TO(io_bitmap_a, xss_exit_bitmap),
	FROM_TO(vmread_bitmap, vmwrite_bitmap),
	ONE(tsc_multiplier),
	ONE(guest_cr0),
	FROM_TO(pin_based_vm_exec_control, secondary_vm_exec_control),
	ONE(virtual_processor_id),
};

static const struct region host_regions[] = {
	FROM_TO(host_ia32_pat, host_ia32_perf_global_ctrl),
	FROM_TO(host_cr0, host_rip),
	ONE(vm_exit_controls),
	ONE(vm_entry_controls),
	FROM_TO(host_es_selector, host_tr_selector),
};

static const struct region guest_regions[] = {
	FROM_TO(guest_ia32_debugctl, guest_ia32_efer),
	FROM_TO(guest_cr0, guest_cr4),
	ONE(guest_dr7),
	FROM_TO(guest_sysenter_esp, guest_sysenter_eip),
	ONE(cpu_based_vm_exec_control),
	ONE(secondary_vm_exec_control),
	ONE(vm_entry_controls),
};

static const struct region seg_regions[] = {
	ONE(guest_cr0),
	ONE(guest_rflags), /* VM alone is compared */
	FROM_TO(guest_es_base, guest_tr_base),
	ONE(cpu_based_vm_exec_control),
	ONE(secondary_vm_exec_control),
	ONE(vm_entry_controls),
	FROM_TO(guest_es_limit, guest_tr_limit),
	FROM_TO(guest_es_ar_bytes, guest_tr_ar_bytes),
	FROM_TO(guest_es_selector, guest_tr_selector),
};

/* The tables whose inputs are often the same as at the entry before. */
static const struct {
	const struct region *regions;
	unsigned int nr;
} cached_inputs[ARRAY_SIZE(tables)] = {
	[0] = { ctls_regions, ARRAY_SIZE(ctls_regions) },
	[1] = { host_regions, ARRAY_SIZE(host_regions) },
	[2] = { guest_regions, ARRAY_SIZE(guest_regions) },
	[SEG_TABLE] = { seg_regions, ARRAY_SIZE(seg_regions) },
};

static bool inputs_unchanged(const struct nested_check_cache *cache, unsigned int table,
			     const struct vmcs12 *v)
{
	const struct region *r = cached_inputs[table].regions;
	unsigned int i;

	/* RFLAGS matter to the segments only for VM, and change at every entry. */
	if (table == SEG_TABLE && ((cache->seen.guest_rflags ^ v->guest_rflags) & X86_EFLAGS_VM))
		return false;
	for (i = 0; i < cached_inputs[table].nr; i++) {
		if (r[i].start == offsetof(struct vmcs12, guest_rflags))
			continue;
		if (memcmp((const u8 *)&cache->seen + r[i].start, (const u8 *)v + r[i].start,
			   r[i].end - r[i].start))
			return false;
	}
	return r;
}

static void remember(struct nested_check_cache *cache, unsigned int table, const struct vmcs12 *v)
{
	const struct region *r = cached_inputs[table].regions;
	unsigned int i;

	for (i = 0; i < cached_inputs[table].nr; i++)
		memcpy((u8 *)&cache->seen + r[i].start, (const u8 *)v + r[i].start,
		       r[i].end - r[i].start);
}

/**
 * nested_check_entry_cached - all checks, but for tables whose inputs are unchanged
 * @cache: what passed before; the caller clears @valid when the capabilities change
 * @v:	   the VMCS
 * @env:   the rest, zeroed before it was filled
 * @res:   outcome, the same as nested_check_entry()'s
 */
bool nested_check_entry_cached(struct nested_check_cache *cache, const struct vmcs12 *v,
			       const struct nested_check_env *env, struct nested_check_result *res)
{
	bool known = cache->valid &&
		     !memcmp(&cache->env, env, offsetof(struct nested_check_env, link_valid));
	bool skip[ARRAY_SIZE(tables)];
	unsigned int i;

	*res = (struct nested_check_result){ .kind = NESTED_CHECK_OK };
	cache->valid = false;
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		skip[i] = known && inputs_unchanged(cache, i, v);
		if (!skip[i] && !run_table(&tables[i], v, env, res))
			return false;
	}
	/* Everything has passed: so it would again. */
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		if (!skip[i])
			remember(cache, i, v);
	if (!known)
		cache->env = *env;
	cache->valid = true;
	return true;
}

/** nested_check_nr_rows - rows in all tables together, for tests */
unsigned int nested_check_nr_rows(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		n += *tables[i].nr;
	return n;
}

/**
 * nested_check_get_row - row by number in the order of checking, for tests
 * @i: number
 */
const struct nested_check_row *nested_check_get_row(unsigned int i)
{
	unsigned int t;

	for (t = 0; t < ARRAY_SIZE(tables); t++) {
		if (i < *tables[t].nr)
			return &tables[t].rows[i];
		i -= *tables[t].nr;
	}
	return NULL;
}

/**
 * nested_check_row_applies - would this row be evaluated?
 * @row: the row
 * @v:	 the VMCS
 * @env: the rest
 */
bool nested_check_row_applies(const struct nested_check_row *row, const struct vmcs12 *v,
			      const struct nested_check_env *env)
{
	struct nested_check c = { .v = v, .env = env };

	prepare(&c, row);
	return !row->when || row->when(&c);
}

/**
 * nested_check_needs_vtpr - must the caller read the virtual TPR?
 * @v: the VMCS
 */
bool nested_check_needs_vtpr(const struct vmcs12 *v)
{
	return proc_has(v, CPU_BASED_TPR_SHADOW) &&
	       !proc2_has(v, SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES);
}

/**
 * nested_check_needs_link - must the caller read the linked VMCS's header?
 * @v: the VMCS
 */
bool nested_check_needs_link(const struct vmcs12 *v)
{
	return v->vmcs_link_pointer != VMCS12_NO_PTR;
}

/**
 * nested_check_needs_pdptes - must the caller read PDPTEs from guest memory?
 * @v: the VMCS
 *
 * With EPT they come from the vmcs12.
 */
bool nested_check_needs_pdptes(const struct vmcs12 *v)
{
	return !proc2_has(v, SECONDARY_EXEC_ENABLE_EPT) && (v->guest_cr0 & X86_CR0_PG) &&
	       (v->guest_cr4 & X86_CR4_PAE) && !entry_has(v, VM_ENTRY_IA32E_MODE);
}

/**
 * nested_eptp_valid - may this EPT pointer be used?
 * @caps:	capabilities
 * @maxphyaddr: physical-address width
 * @eptp:	EPT pointer
 *
 * SDM "VM-Execution Control Fields" (entry checks); INVEPT asks the same.
 */
bool nested_eptp_valid(const struct vmx_caps *caps, u8 maxphyaddr, u64 eptp)
{
	switch (eptp & VMX_EPTP_MT_MASK) {
	case VMX_EPTP_MT_WB:
		if (!(caps->ept_vpid & CAP_EPT_WB))
			return false;
		break;
	case VMX_EPTP_MT_UC:
		if (!(caps->ept_vpid & CAP_EPT_UC))
			return false;
		break;
	default:
		return false;
	}
	if ((eptp & VMX_EPTP_PWL_MASK) != VMX_EPTP_PWL_4 || !(caps->ept_vpid & CAP_EPT_WALK_4))
		return false;
	if ((eptp & VMX_EPTP_AD_ENABLE_BIT) && !(caps->ept_vpid & CAP_EPT_AD))
		return false;
	return !(eptp & 0xf80) && phys_ok(maxphyaddr, eptp);
}

/* x2APIC registers, MSRs 800H to 8FFH, may not be in a list in x2APIC mode. */
static bool forbidden_x2apic(u32 index, bool x2apic)
{
	return x2apic && index >> 8 == 0x8;
}

/**
 * nested_msr_load_ok - may this MSR-load list entry be loaded?
 * @e:	    the entry, already copied from L1's memory
 * @x2apic: the local APIC is in x2APIC mode
 *
 * SDM "Loading MSRs" (at entry and at exit). What remains is whether WRMSR of
 * the value would fault, which the caller finds out by doing it.
 */
bool nested_msr_load_ok(const struct vmx_msr_entry_12 *e, bool x2apic)
{
	switch (e->index) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_IA32_SMM_MONITOR_CTL:
	case MSR_IA32_UCODE_WRITE:
	case MSR_IA32_UCODE_REV:
		return false;
	}
	return !forbidden_x2apic(e->index, x2apic) && !e->reserved;
}

/**
 * nested_msr_store_ok - may the MSR of this MSR-store list entry be stored?
 * @e:	    the entry, already copied from L1's memory
 * @x2apic: the local APIC is in x2APIC mode
 *
 * SDM "Saving MSRs". The caller finds out whether RDMSR would fault.
 */
bool nested_msr_store_ok(const struct vmx_msr_entry_12 *e, bool x2apic)
{
	if (e->index == MSR_IA32_SMBASE)
		return false;
	return !forbidden_x2apic(e->index, x2apic) && !e->reserved;
}
