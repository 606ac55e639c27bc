// SPDX-License-Identifier: GPL-2.0-only
/*
 * SDM "Checks on VMX Controls": VM-execution, VM-exit and VM-entry control
 * fields. A row that fails ends in VMfailValid(VM entry with invalid control
 * field(s)).
 */
#include <linux/kernel.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "nested/check.h"

/* -- VM-execution control fields ------------------------------------------- */

static bool pin_allowed(const struct nested_check *c)
{
	return vmx_ctl_allowed(&c->env->caps->pin, c->v->pin_based_vm_exec_control);
}

static bool proc_allowed(const struct nested_check *c)
{
	return vmx_ctl_allowed(&c->env->caps->proc, c->v->cpu_based_vm_exec_control);
}

static bool has_proc2(const struct nested_check *c)
{
	return proc_has(c->v, CPU_BASED_ACTIVATE_SECONDARY_CONTROLS);
}

static bool proc2_allowed(const struct nested_check *c)
{
	return vmx_ctl_allowed(&c->env->caps->proc2, c->v->secondary_vm_exec_control);
}

static bool cr3_target_count(const struct nested_check *c)
{
	u32 max = (c->env->caps->misc & CAP_MISC_CR3_TARGETS) >> 16;

	return c->v->cr3_target_count <= max;
}

static bool has_io_bitmaps(const struct nested_check *c)
{
	return proc_has(c->v, CPU_BASED_USE_IO_BITMAPS);
}

static bool io_bitmap_a_addr(const struct nested_check *c)
{
	return page_addr_ok(c->env->maxphyaddr, c->v->io_bitmap_a);
}

static bool io_bitmap_b_addr(const struct nested_check *c)
{
	return page_addr_ok(c->env->maxphyaddr, c->v->io_bitmap_b);
}

static bool has_msr_bitmap(const struct nested_check *c)
{
	return proc_has(c->v, CPU_BASED_USE_MSR_BITMAPS);
}

static bool msr_bitmap_addr(const struct nested_check *c)
{
	return page_addr_ok(c->env->maxphyaddr, c->v->msr_bitmap);
}

static bool has_tpr_shadow(const struct nested_check *c)
{
	return proc_has(c->v, CPU_BASED_TPR_SHADOW);
}

static bool virtual_apic_addr(const struct nested_check *c)
{
	return page_addr_ok(c->env->maxphyaddr, c->v->virtual_apic_page_addr);
}

static bool tpr_threshold_reserved(const struct nested_check *c)
{
	return !(c->v->tpr_threshold & ~0xfu);
}

static bool has_plain_tpr_shadow(const struct nested_check *c)
{
	return nested_check_needs_vtpr(c->v);
}

static bool tpr_threshold_vtpr(const struct nested_check *c)
{
	return c->env->vtpr_valid && (c->v->tpr_threshold & 0xf) <= c->env->vtpr >> 4;
}

static bool has_no_nmi_exiting(const struct nested_check *c)
{
	return !pin_has(c->v, PIN_BASED_NMI_EXITING);
}

static bool no_virtual_nmis(const struct nested_check *c)
{
	return !pin_has(c->v, PIN_BASED_VIRTUAL_NMIS);
}

static bool no_nmi_window(const struct nested_check *c)
{
	return !proc_has(c->v, CPU_BASED_NMI_WINDOW_EXITING);
}

static bool has_apic_accesses(const struct nested_check *c)
{
	return proc2_has(c->v, SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES);
}

static bool apic_access_addr(const struct nested_check *c)
{
	return page_addr_ok(c->env->maxphyaddr, c->v->apic_access_addr);
}

static bool has_no_tpr_shadow(const struct nested_check *c)
{
	return !has_tpr_shadow(c);
}

static bool no_apic_virtualization(const struct nested_check *c)
{
	return !proc2_has(c->v, SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE |
					SECONDARY_EXEC_APIC_REGISTER_VIRT |
					SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY);
}

static bool has_x2apic_mode(const struct nested_check *c)
{
	return proc2_has(c->v, SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE);
}

static bool no_apic_accesses(const struct nested_check *c)
{
	return !has_apic_accesses(c);
}

static bool has_vpid(const struct nested_check *c)
{
	return proc2_has(c->v, SECONDARY_EXEC_ENABLE_VPID);
}

static bool vpid_not_zero(const struct nested_check *c)
{
	return c->v->virtual_processor_id != 0;
}

static bool has_ept(const struct nested_check *c)
{
	return proc2_has(c->v, SECONDARY_EXEC_ENABLE_EPT);
}

static bool eptp(const struct nested_check *c)
{
	return nested_eptp_valid(c->env->caps, c->env->maxphyaddr, c->v->ept_pointer);
}

static bool has_unrestricted_guest(const struct nested_check *c)
{
	return proc2_has(c->v, SECONDARY_EXEC_UNRESTRICTED_GUEST);
}

static bool has_tsc_scaling(const struct nested_check *c)
{
	return proc2_has(c->v, SECONDARY_EXEC_TSC_SCALING);
}

static bool tsc_multiplier_not_zero(const struct nested_check *c)
{
	return c->v->tsc_multiplier != 0;
}

/* -- VM-exit control fields ------------------------------------------------ */

static bool exit_allowed(const struct nested_check *c)
{
	return vmx_ctl_allowed(&c->env->caps->exit, c->v->vm_exit_controls);
}

static bool has_no_preemption_timer(const struct nested_check *c)
{
	return !pin_has(c->v, PIN_BASED_VMX_PREEMPTION_TIMER);
}

static bool no_save_preemption_timer(const struct nested_check *c)
{
	return !exit_has(c->v, VM_EXIT_SAVE_VMX_PREEMPTION_TIMER);
}

/* The address of an MSR area with at least one entry. */
static bool msr_area_ok(const struct nested_check *c, u64 addr, u32 count)
{
	u64 last = addr + (u64)count * sizeof(struct vmx_msr_entry_12) - 1;

	return !(addr & 0xf) && phys_ok(c->env->maxphyaddr, addr) &&
	       phys_ok(c->env->maxphyaddr, last);
}

static bool has_exit_msr_store(const struct nested_check *c)
{
	return c->v->vm_exit_msr_store_count != 0;
}

static bool exit_msr_store_area(const struct nested_check *c)
{
	return msr_area_ok(c, c->v->vm_exit_msr_store_addr, c->v->vm_exit_msr_store_count);
}

static bool has_exit_msr_load(const struct nested_check *c)
{
	return c->v->vm_exit_msr_load_count != 0;
}

static bool exit_msr_load_area(const struct nested_check *c)
{
	return msr_area_ok(c, c->v->vm_exit_msr_load_addr, c->v->vm_exit_msr_load_count);
}

/* -- VM-entry control fields ----------------------------------------------- */

static bool entry_allowed(const struct nested_check *c)
{
	return vmx_ctl_allowed(&c->env->caps->entry, c->v->vm_entry_controls);
}

static bool has_injection(const struct nested_check *c)
{
	return c->v->vm_entry_intr_info_field & INTR_INFO_VALID_MASK;
}

static u32 inject_type_of(const struct vmcs12 *v)
{
	return v->vm_entry_intr_info_field & INTR_INFO_INTR_TYPE_MASK;
}

static bool inject_type(const struct nested_check *c)
{
	switch (inject_type_of(c->v)) {
	case INTR_TYPE_RESERVED:
		return false;
	case INTR_TYPE_OTHER_EVENT:
		/* Pending MTF: only where MTF exists. */
		return c->env->caps->proc.may1 & CPU_BASED_MONITOR_TRAP_FLAG;
	}
	return true;
}

static bool inject_vector(const struct nested_check *c)
{
	u32 vector = c->v->vm_entry_intr_info_field & INTR_INFO_VECTOR_MASK;

	switch (inject_type_of(c->v)) {
	case INTR_TYPE_NMI_INTR:
		return vector == 2;
	case INTR_TYPE_HARD_EXCEPTION:
		return vector <= 31;
	case INTR_TYPE_OTHER_EVENT:
		return vector == 0;
	}
	return true;
}

/* #DF, #TS, #NP, #SS, #GP, #PF and #AC push an error code. */
#define ERROR_CODE_VECTORS \
	(1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 17)

static bool inject_deliver_error(const struct nested_check *c)
{
	u32 info = c->v->vm_entry_intr_info_field;
	u32 vector = info & INTR_INFO_VECTOR_MASK;
	bool deliver = info & INTR_INFO_DELIVER_CODE_MASK;

	if (inject_type_of(c->v) != INTR_TYPE_HARD_EXCEPTION)
		return !deliver;
	/* Exceptions have no error code in real mode. */
	if (has_unrestricted_guest(c) && !(c->v->guest_cr0 & X86_CR0_PE))
		return !deliver;
	return deliver == (vector <= 31 && (ERROR_CODE_VECTORS >> vector & 1));
}

static bool inject_reserved(const struct nested_check *c)
{
	return !(c->v->vm_entry_intr_info_field & 0x7ffff000);
}

static bool has_injected_error(const struct nested_check *c)
{
	return has_injection(c) && (c->v->vm_entry_intr_info_field & INTR_INFO_DELIVER_CODE_MASK);
}

static bool inject_error_reserved(const struct nested_check *c)
{
	return !(c->v->vm_entry_exception_error_code & 0xffff0000);
}

static bool has_injected_software_event(const struct nested_check *c)
{
	if (!has_injection(c))
		return false;
	switch (inject_type_of(c->v)) {
	case INTR_TYPE_SOFT_INTR:
	case INTR_TYPE_SOFT_EXCEPTION:
	case INTR_TYPE_PRIV_SW_EXCEPTION:
		return true;
	}
	return false;
}

static bool inject_insn_len(const struct nested_check *c)
{
	u32 len = c->v->vm_entry_instruction_len;

	if (!len)
		return c->env->caps->misc & CAP_MISC_ZERO_LEN_INJECT;
	return len <= 15;
}

static bool has_entry_msr_load(const struct nested_check *c)
{
	return c->v->vm_entry_msr_load_count != 0;
}

static bool entry_msr_load_area(const struct nested_check *c)
{
	return msr_area_ok(c, c->v->vm_entry_msr_load_addr, c->v->vm_entry_msr_load_count);
}

static bool has_shadow_vmcs(const struct nested_check *c)
{
	return proc2_has(c->v, SECONDARY_EXEC_SHADOW_VMCS);
}

static bool vmread_bitmap_addr(const struct nested_check *c)
{
	return page_addr_ok(c->env->maxphyaddr, c->v->vmread_bitmap);
}

static bool vmwrite_bitmap_addr(const struct nested_check *c)
{
	return page_addr_ok(c->env->maxphyaddr, c->v->vmwrite_bitmap);
}

#define EXEC  "VM-Execution Control Fields"
#define EXIT  "VM-Exit Control Fields"
#define ENTRY "VM-Entry Control Fields"
#define ROW(name_, section_, when_, ok_)                                     \
	{                                                                    \
		.name = name_, .section = section_, .when = when_, .ok = ok_ \
	}

const struct nested_check_row check_ctls_rows[] = {
	ROW("pin_allowed", EXEC, NULL, pin_allowed),
	ROW("proc_allowed", EXEC, NULL, proc_allowed),
	ROW("proc2_allowed", EXEC, has_proc2, proc2_allowed),
	ROW("cr3_target_count", EXEC, NULL, cr3_target_count),
	ROW("io_bitmap_a_addr", EXEC, has_io_bitmaps, io_bitmap_a_addr),
	ROW("io_bitmap_b_addr", EXEC, has_io_bitmaps, io_bitmap_b_addr),
	ROW("msr_bitmap_addr", EXEC, has_msr_bitmap, msr_bitmap_addr),
	ROW("virtual_apic_addr", EXEC, has_tpr_shadow, virtual_apic_addr),
	ROW("tpr_threshold_reserved", EXEC, has_tpr_shadow, tpr_threshold_reserved),
	ROW("tpr_threshold_vtpr", EXEC, has_plain_tpr_shadow, tpr_threshold_vtpr),
	ROW("virtual_nmis_need_nmi_exiting", EXEC, has_no_nmi_exiting, no_virtual_nmis),
	ROW("nmi_window_needs_virtual_nmis", EXEC, no_virtual_nmis, no_nmi_window),
	ROW("apic_access_addr", EXEC, has_apic_accesses, apic_access_addr),
	ROW("apic_virtualization_needs_tpr_shadow", EXEC, has_no_tpr_shadow,
	    no_apic_virtualization),
	ROW("x2apic_mode_excludes_apic_accesses", EXEC, has_x2apic_mode, no_apic_accesses),
	ROW("vpid_not_zero", EXEC, has_vpid, vpid_not_zero),
	ROW("eptp", EXEC, has_ept, eptp),
	ROW("unrestricted_guest_needs_ept", EXEC, has_unrestricted_guest, has_ept),
	ROW("vmread_bitmap_addr", EXEC, has_shadow_vmcs, vmread_bitmap_addr),
	ROW("vmwrite_bitmap_addr", EXEC, has_shadow_vmcs, vmwrite_bitmap_addr),
	ROW("tsc_multiplier_not_zero", EXEC, has_tsc_scaling, tsc_multiplier_not_zero),

	ROW("exit_allowed", EXIT, NULL, exit_allowed),
	ROW("save_timer_needs_timer", EXIT, has_no_preemption_timer, no_save_preemption_timer),
	ROW("exit_msr_store_area", EXIT, has_exit_msr_store, exit_msr_store_area),
	ROW("exit_msr_load_area", EXIT, has_exit_msr_load, exit_msr_load_area),

	ROW("entry_allowed", ENTRY, NULL, entry_allowed),
	ROW("inject_type", ENTRY, has_injection, inject_type),
	ROW("inject_vector", ENTRY, has_injection, inject_vector),
	ROW("inject_deliver_error", ENTRY, has_injection, inject_deliver_error),
	ROW("inject_reserved", ENTRY, has_injection, inject_reserved),
	ROW("inject_error_reserved", ENTRY, has_injected_error, inject_error_reserved),
	ROW("inject_insn_len", ENTRY, has_injected_software_event, inject_insn_len),
	ROW("entry_msr_load_area", ENTRY, has_entry_msr_load, entry_msr_load_area),
};

const unsigned int check_ctls_nr_rows = ARRAY_SIZE(check_ctls_rows);
