/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Valid entries of many kinds. Together they make every entry-check row apply
 * at least once; each passes all of them.
 */
#ifndef TESTS_UNIT_NESTED_VARIANTS_H
#define TESTS_UNIT_NESTED_VARIANTS_H

#include "nested_fixture.h"
#include "nested/check.h"

typedef void (*variant_fn)(struct vmcs12 *v, struct nested_check_env *e);

static void long64(struct vmcs12 *v, struct nested_check_env *e)
{
}

/* Every offered control that is compatible with the others. */
static void all_controls(struct vmcs12 *v, struct nested_check_env *e)
{
	v->pin_based_vm_exec_control |= PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING |
					PIN_BASED_VIRTUAL_NMIS | PIN_BASED_VMX_PREEMPTION_TIMER;
	v->cpu_based_vm_exec_control = e->caps->proc.may1;
	v->io_bitmap_a = 0x20000;
	v->io_bitmap_b = 0x21000;
	v->msr_bitmap = 0x22000;
	v->virtual_apic_page_addr = 0x23000;
	v->apic_access_addr = 0xfee00000;
	v->secondary_vm_exec_control = e->caps->proc2.may1 & ~SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE;
	v->virtual_processor_id = 1;
	v->tsc_multiplier = 1ull << 48;
	v->vm_exit_controls = e->caps->exit.may1;
	v->vm_exit_msr_store_count = 2;
	v->vm_exit_msr_store_addr = 0x30000;
	v->vm_exit_msr_load_count = 2;
	v->vm_exit_msr_load_addr = 0x30010;
	v->vm_entry_msr_load_count = 1;
	v->vm_entry_msr_load_addr = 0x30020;
}

static void x2apic_mode(struct vmcs12 *v, struct nested_check_env *e)
{
	v->cpu_based_vm_exec_control |= CPU_BASED_TPR_SHADOW;
	v->secondary_vm_exec_control |= SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE;
	v->virtual_apic_page_addr = 0x23000;
	v->tpr_threshold = 3;
	e->vtpr_valid = true;
	e->vtpr = 0x30;
}

static void protected32(struct vmcs12 *v, struct nested_check_env *e)
{
	v->vm_entry_controls &= ~VM_ENTRY_IA32E_MODE;
	v->guest_ia32_efer = 0;
	v->guest_rip = 0xfff0;
	v->guest_cs_ar_bytes = 0xc09b;
	v->guest_pdptr0 = 0x5001;
	v->guest_pdptr2 = 0x6009;
	v->guest_pdptr3 = 0xfe; /* not present: anything goes */
}

static void no_ept_pae(struct vmcs12 *v, struct nested_check_env *e)
{
	protected32(v, e);
	v->secondary_vm_exec_control = 0;
	v->guest_pdptr0 = ~0ull;
	e->pdptes_valid = true;
	e->pdptes[0] = 0x5001;
}

static void vm86(struct vmcs12 *v, struct nested_check_env *e)
{
	int s;

	protected32(v, e);
	v->guest_rflags |= X86_EFLAGS_VM;
	for (s = 0; s < 6; s++) {
		(&v->guest_es_selector)[s] = 0x1000 + s;
		(&v->guest_es_base)[s] = 0x10000 + s * 16;
		(&v->guest_es_limit)[s] = 0xffff;
		(&v->guest_es_ar_bytes)[s] = 0xf3;
	}
}

static void real_mode(struct vmcs12 *v, struct nested_check_env *e)
{
	int s;

	protected32(v, e);
	v->secondary_vm_exec_control |= SECONDARY_EXEC_UNRESTRICTED_GUEST;
	v->guest_cr0 = 0x60000030;
	v->guest_cr4 = X86_CR4_VMXE;
	for (s = 0; s < 6; s++) {
		(&v->guest_es_selector)[s] = 0x1003;
		(&v->guest_es_limit)[s] = 0xffff;
		(&v->guest_es_ar_bytes)[s] = 0x93;
	}
}

static void l1_32(struct vmcs12 *v, struct nested_check_env *e)
{
	protected32(v, e);
	e->l1_lma = false;
	v->vm_exit_controls &= ~VM_EXIT_HOST_ADDR_SPACE_SIZE;
	v->host_ia32_efer = EFER_NX;
	v->host_rip = 0x80001000;
}

static void inject(struct vmcs12 *v, u32 type, u32 vector)
{
	v->vm_entry_intr_info_field = INTR_INFO_VALID_MASK | type | vector;
}

static void inject_irq(struct vmcs12 *v, struct nested_check_env *e)
{
	inject(v, INTR_TYPE_EXT_INTR, 0x80);
}

static void inject_gp(struct vmcs12 *v, struct nested_check_env *e)
{
	inject(v, INTR_TYPE_HARD_EXCEPTION | INTR_INFO_DELIVER_CODE_MASK, 13);
	v->vm_entry_exception_error_code = 0xffff;
}

static void inject_soft(struct vmcs12 *v, struct nested_check_env *e)
{
	inject(v, INTR_TYPE_SOFT_INTR, 0x80);
	v->vm_entry_instruction_len = 2;
}

static void inject_int3(struct vmcs12 *v, struct nested_check_env *e)
{
	inject(v, INTR_TYPE_SOFT_EXCEPTION, 3);
	v->vm_entry_instruction_len = 0;
}

static void inject_vnmi(struct vmcs12 *v, struct nested_check_env *e)
{
	v->pin_based_vm_exec_control |= PIN_BASED_NMI_EXITING | PIN_BASED_VIRTUAL_NMIS;
	inject(v, INTR_TYPE_NMI_INTR, 2);
}

static void inject_mtf(struct vmcs12 *v, struct nested_check_env *e)
{
	inject(v, INTR_TYPE_OTHER_EVENT, 0);
}

static void inject_real_gp(struct vmcs12 *v, struct nested_check_env *e)
{
	real_mode(v, e);
	inject(v, INTR_TYPE_HARD_EXCEPTION, 13);
}

static void halted_irq(struct vmcs12 *v, struct nested_check_env *e)
{
	v->guest_activity_state = GUEST_ACTIVITY_HLT;
	inject_irq(v, e);
}

static void halted_db(struct vmcs12 *v, struct nested_check_env *e)
{
	v->guest_activity_state = GUEST_ACTIVITY_HLT;
	inject(v, INTR_TYPE_HARD_EXCEPTION, 1);
}

static void shutdown_mc(struct vmcs12 *v, struct nested_check_env *e)
{
	v->guest_activity_state = GUEST_ACTIVITY_SHUTDOWN;
	inject(v, INTR_TYPE_HARD_EXCEPTION, 18);
}

static void wait_sipi(struct vmcs12 *v, struct nested_check_env *e)
{
	v->guest_activity_state = GUEST_ACTIVITY_WAIT_SIPI;
}

static void sti_step(struct vmcs12 *v, struct nested_check_env *e)
{
	v->guest_interruptibility_info = GUEST_INTR_STATE_STI;
	v->guest_rflags |= X86_EFLAGS_TF;
	v->guest_pending_dbg_exceptions = 1 << 14;
}

static void pending_rtm(struct vmcs12 *v, struct nested_check_env *e)
{
	e->rtm = true;
	v->guest_pending_dbg_exceptions = 1 << 16 | 1 << 12;
}

static void linked(struct vmcs12 *v, struct nested_check_env *e)
{
	v->vmcs_link_pointer = 0x40000;
	e->link_valid = true;
	e->link_header = VMCS12_REVISION;
}

static void shadowed(struct vmcs12 *v, struct nested_check_env *e)
{
	linked(v, e);
	e->link_header |= VMCS12_SHADOW;
	v->secondary_vm_exec_control |= SECONDARY_EXEC_SHADOW_VMCS;
	v->vmread_bitmap = 0x50000;
	v->vmwrite_bitmap = 0x51000;
}

static void user_mode(struct vmcs12 *v, struct nested_check_env *e)
{
	v->guest_cs_selector = 0x33;
	v->guest_cs_ar_bytes = 0xa0fb;
	v->guest_ss_selector = 0x2b;
	v->guest_ss_ar_bytes = 0xc0f3;
	v->guest_ds_selector = v->guest_gs_selector = 0x2b;
	v->guest_ds_limit = v->guest_gs_limit = ~0u;
	v->guest_ds_ar_bytes = v->guest_gs_ar_bytes = 0xc0f3;
	v->guest_rip = 0x400000;
}

static const variant_fn variants[] = {
	long64,	     all_controls, x2apic_mode,	   protected32, no_ept_pae,  vm86,
	real_mode,   l1_32,	   inject_irq,	   inject_gp,	inject_soft, inject_int3,
	inject_vnmi, inject_mtf,   inject_real_gp, halted_irq,	halted_db,   shutdown_mc,
	wait_sipi,   sti_step,	   pending_rtm,	   linked,	user_mode,   shadowed,
};

static inline void variant_setup(variant_fn fn, struct vmcs12 *v, struct vmx_caps *caps,
				 struct nested_check_env *e)
{
	fixture_caps(caps);
	fixture_vmcs12(v, caps);
	*e = (struct nested_check_env){
		.caps = caps,
		.maxphyaddr = 40,
		.linear_bits = 48,
		.l1_lma = true,
		.efer_valid = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX,
		.debugctl_valid = DEBUGCTLMSR_LBR | DEBUGCTLMSR_BTF,
	};
	fn(v, e);
}

#endif /* TESTS_UNIT_NESTED_VARIANTS_H */
