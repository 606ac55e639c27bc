/* link: nested/vmcs12.c nested/caps.c nested/check.c nested/check_ctls.c nested/check_host.c nested/check_guest.c nested/check_guest_seg.c nested/check_guest_late.c */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every entry-check row has a case in which it applies and passes, and one or
 * more in which it is the first to fail, with the right kind of failure.
 */
#include "nested_variants.h"

/* One mutation of a valid entry, and the row that must catch it. */
struct mutation {
	const char *row;
	variant_fn base;
	void (*apply)(struct vmcs12 *v, struct nested_check_env *e, struct vmx_caps *caps);
};

#define CASE(row_, base_, ...)                                                    \
	{                                                                         \
		row_, base_, ({                                                   \
			void apply_(struct vmcs12 *v, struct nested_check_env *e, \
				    struct vmx_caps *caps)                        \
			{                                                         \
				__VA_ARGS__;                                      \
			}                                                         \
			apply_;                                                   \
		})                                                                \
	}

static struct vmcs12 v12;
static struct vmx_caps caps12;
static struct nested_check_env env12;

#define NONCANON 0x0000800000000000ull
#define WIDE	 (1ull << 40)

static struct nested_check_cache cache12;
static struct vmx_caps cache12_caps;

/* After a passing entry has been cached, the mutation is caught by the same row. */
static void check_cached(const struct mutation *m)
{
	struct nested_check_result plain, cached;

	variant_setup(m->base, &v12, &caps12, &env12);
	cache12.valid = false;
	assert_true(nested_check_entry_cached(&cache12, &v12, &env12, &cached));
	assert_true(nested_check_entry_cached(&cache12, &v12, &env12, &cached));
	/* Capabilities are constant while a VMCS is current: their change ends the cache. */
	cache12_caps = caps12;
	m->apply(&v12, &env12, &caps12);
	if (memcmp(&caps12, &cache12_caps, sizeof(caps12)))
		cache12.valid = false;
	assert_false(nested_check_entry(&v12, &env12, &plain));
	if (nested_check_entry_cached(&cache12, &v12, &env12, &cached))
		fail_msg("%s: mutation passed the cached checks", m->row);
	assert_ptr_equal(plain.row, cached.row);
	assert_int_equal(plain.kind, cached.kind);
	assert_false(cache12.valid);
}

/* Rows that were seen to fail, by number. */
static bool row_failed[512];

static unsigned int row_number(const char *name)
{
	unsigned int i;

	for (i = 0; i < nested_check_nr_rows(); i++)
		if (!strcmp(nested_check_get_row(i)->name, name))
			return i;
	fail_msg("no row named %s", name);
	return 0;
}

static void run_mutation(const struct mutation *m, enum nested_check_kind kind, u32 error)
{
	struct nested_check_result res;

	variant_setup(m->base, &v12, &caps12, &env12);
	m->apply(&v12, &env12, &caps12);
	if (nested_check_entry(&v12, &env12, &res))
		fail_msg("%s: mutation passed all checks", m->row);
	if (strcmp(res.row->name, m->row))
		fail_msg("%s: caught by %s", m->row, res.row->name);
	assert_int_equal(res.kind, kind);
	assert_int_equal(res.error, error);
	assert_int_equal(res.qual, nested_check_get_row(row_number(m->row))->qual);
	row_failed[row_number(m->row)] = true;
	check_cached(m);
}

static void run_mutations(const struct mutation *m, size_t n, enum nested_check_kind kind,
			  u32 error)
{
	size_t i;

	for (i = 0; i < n; i++)
		run_mutation(&m[i], kind, error);
}

static void test_controls(void **state)
{
	const struct mutation m[] = {
		CASE("pin_allowed", long64, v->pin_based_vm_exec_control |= PIN_BASED_POSTED_INTR),
		CASE("pin_allowed", long64, v->pin_based_vm_exec_control &= ~2u),
		CASE("proc_allowed", long64, v->cpu_based_vm_exec_control |= 1),
		CASE("proc_allowed", long64, v->cpu_based_vm_exec_control &= ~2u),
		CASE("proc2_allowed", long64,
		     v->secondary_vm_exec_control |= SECONDARY_EXEC_ENABLE_PML),
		CASE("cr3_target_count", long64, v->cr3_target_count = 1),
		CASE("io_bitmap_a_addr", all_controls, v->io_bitmap_a = 0x20001),
		CASE("io_bitmap_a_addr", all_controls, v->io_bitmap_a = WIDE),
		CASE("io_bitmap_b_addr", all_controls, v->io_bitmap_b = 0x800),
		CASE("io_bitmap_b_addr", all_controls, v->io_bitmap_b = ~0xfffull),
		CASE("msr_bitmap_addr", all_controls, v->msr_bitmap = 0x22080),
		CASE("msr_bitmap_addr", all_controls, v->msr_bitmap = WIDE),
		CASE("virtual_apic_addr", all_controls, v->virtual_apic_page_addr = 8),
		CASE("virtual_apic_addr", x2apic_mode, v->virtual_apic_page_addr = WIDE),
		CASE("tpr_threshold_reserved", all_controls, v->tpr_threshold = 0x10),
		CASE("tpr_threshold_vtpr", x2apic_mode, e->vtpr = 0x2f),
		CASE("tpr_threshold_vtpr", x2apic_mode, e->vtpr_valid = false),
		CASE("virtual_nmis_need_nmi_exiting", long64,
		     v->pin_based_vm_exec_control |= PIN_BASED_VIRTUAL_NMIS),
		CASE("nmi_window_needs_virtual_nmis", long64,
		     v->cpu_based_vm_exec_control |= CPU_BASED_NMI_WINDOW_EXITING),
		CASE("apic_access_addr", all_controls, v->apic_access_addr = 0xfee00800),
		CASE("apic_access_addr", all_controls, v->apic_access_addr = WIDE),
		CASE("apic_virtualization_needs_tpr_shadow", x2apic_mode,
		     v->cpu_based_vm_exec_control &= ~CPU_BASED_TPR_SHADOW),
		CASE("x2apic_mode_excludes_apic_accesses", x2apic_mode,
		     v->secondary_vm_exec_control |= SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES),
		CASE("vpid_not_zero", all_controls, v->virtual_processor_id = 0),
		CASE("eptp", long64, v->ept_pointer ^= 6), /* UC is not offered */
		CASE("eptp", long64, v->ept_pointer ^= 1),
		CASE("eptp", long64, v->ept_pointer ^= 0x38),
		CASE("eptp", long64, v->ept_pointer |= 0x80),
		CASE("eptp", long64, v->ept_pointer |= 0x800),
		CASE("eptp", long64, v->ept_pointer |= WIDE),
		CASE("eptp", long64, caps->ept_vpid &= ~CAP_EPT_AD; v->ept_pointer |= 0x40),
		CASE("eptp", long64, caps->ept_vpid &= ~CAP_EPT_WB),
		CASE("eptp", long64, caps->ept_vpid &= ~CAP_EPT_WALK_4),
		CASE("unrestricted_guest_needs_ept", long64,
		     v->secondary_vm_exec_control = SECONDARY_EXEC_UNRESTRICTED_GUEST),
		CASE("vmread_bitmap_addr", shadowed, v->vmread_bitmap = 0x800),
		CASE("vmread_bitmap_addr", shadowed, v->vmread_bitmap = WIDE),
		CASE("vmwrite_bitmap_addr", shadowed, v->vmwrite_bitmap = 0x800),
		CASE("vmwrite_bitmap_addr", shadowed, v->vmwrite_bitmap = WIDE),
		CASE("tsc_multiplier_not_zero", all_controls, v->tsc_multiplier = 0),

		CASE("exit_allowed", long64, v->vm_exit_controls |= 1u << 31),
		CASE("exit_allowed", long64, v->vm_exit_controls &= ~1u),
		CASE("save_timer_needs_timer", all_controls,
		     v->pin_based_vm_exec_control &= ~PIN_BASED_VMX_PREEMPTION_TIMER),
		CASE("exit_msr_store_area", all_controls, v->vm_exit_msr_store_addr += 8),
		CASE("exit_msr_store_area", all_controls, v->vm_exit_msr_store_addr = WIDE),
		CASE("exit_msr_store_area", all_controls, v->vm_exit_msr_store_addr = WIDE - 16),
		CASE("exit_msr_store_area", all_controls, v->vm_exit_msr_store_addr = ~0xfull),
		CASE("exit_msr_load_area", all_controls, v->vm_exit_msr_load_addr += 1),
		CASE("exit_msr_load_area", all_controls, v->vm_exit_msr_load_addr = WIDE - 16),

		CASE("entry_allowed", long64, v->vm_entry_controls |= VM_ENTRY_SMM),
		CASE("entry_allowed", long64, v->vm_entry_controls &= ~1u),
		CASE("inject_type", long64, inject(v, INTR_TYPE_RESERVED, 0)),
		CASE("inject_type", inject_mtf, caps->proc.may1 &= ~CPU_BASED_MONITOR_TRAP_FLAG),
		CASE("inject_vector", long64, inject(v, INTR_TYPE_NMI_INTR, 3)),
		CASE("inject_vector", long64, inject(v, INTR_TYPE_HARD_EXCEPTION, 32)),
		CASE("inject_vector", long64, inject(v, INTR_TYPE_OTHER_EVENT, 1)),
		CASE("inject_deliver_error", inject_gp,
		     v->vm_entry_intr_info_field &= ~INTR_INFO_DELIVER_CODE_MASK),
		CASE("inject_deliver_error", inject_irq,
		     v->vm_entry_intr_info_field |= INTR_INFO_DELIVER_CODE_MASK),
		CASE("inject_deliver_error", inject_real_gp,
		     v->vm_entry_intr_info_field |= INTR_INFO_DELIVER_CODE_MASK),
		CASE("inject_deliver_error", long64,
		     inject(v, INTR_TYPE_HARD_EXCEPTION | INTR_INFO_DELIVER_CODE_MASK, 6)),
		CASE("inject_reserved", inject_irq, v->vm_entry_intr_info_field |= 1u << 12),
		CASE("inject_reserved", inject_irq, v->vm_entry_intr_info_field |= 1u << 30),
		CASE("inject_error_reserved", inject_gp,
		     v->vm_entry_exception_error_code = 0x10000),
		CASE("inject_insn_len", inject_soft, v->vm_entry_instruction_len = 16),
		CASE("inject_insn_len", inject_int3, caps->misc &= ~CAP_MISC_ZERO_LEN_INJECT),
		CASE("entry_msr_load_area", all_controls, v->vm_entry_msr_load_addr += 4),
		CASE("entry_msr_load_area", all_controls, v->vm_entry_msr_load_addr = WIDE),
	};

	run_mutations(m, ARRAY_SIZE(m), NESTED_VMFAIL_VALID, 7);
}

static void test_host(void **state)
{
	const struct mutation m[] = {
		CASE("host_cr0", long64, v->host_cr0 &= ~X86_CR0_NE),
		CASE("host_cr0", long64, v->host_cr0 |= 1ull << 32),
		CASE("host_cr4", long64, v->host_cr4 &= ~X86_CR4_VMXE),
		CASE("host_cr4", long64, v->host_cr4 |= X86_CR4_SMAP),
		CASE("host_cr3", long64, v->host_cr3 = WIDE),
		CASE("host_sysenter_esp", long64, v->host_ia32_sysenter_esp = NONCANON),
		CASE("host_sysenter_eip", long64, v->host_ia32_sysenter_eip = NONCANON),
		CASE("host_pat", long64, v->host_ia32_pat = 2),
		CASE("host_pat", long64, v->host_ia32_pat = 8ull << 56),
		CASE("host_efer_reserved", long64, v->host_ia32_efer |= EFER_SVME),
		CASE("host_efer_lma", long64, v->host_ia32_efer &= ~EFER_LMA),
		CASE("host_efer_lma", long64, v->host_ia32_efer &= ~EFER_LME),
		CASE("host_efer_lma", l1_32, v->host_ia32_efer |= EFER_LME),
		CASE("host_es_selector", long64, v->host_es_selector = 1),
		CASE("host_cs_selector", long64, v->host_cs_selector = 0x13),
		CASE("host_ss_selector", long64, v->host_ss_selector = 0x1c),
		CASE("host_ds_selector", long64, v->host_ds_selector = 2),
		CASE("host_fs_selector", long64, v->host_fs_selector = 4),
		CASE("host_gs_selector", long64, v->host_gs_selector = 7),
		CASE("host_tr_selector", long64, v->host_tr_selector = 0x44),
		CASE("host_cs_not_null", long64, v->host_cs_selector = 0),
		CASE("host_tr_not_null", long64, v->host_tr_selector = 0),
		CASE("host_ss_not_null", l1_32, v->host_ss_selector = 0),
		CASE("host_fs_base", long64, v->host_fs_base = NONCANON),
		CASE("host_gs_base", long64, v->host_gs_base = NONCANON),
		CASE("host_gdtr_base", long64, v->host_gdtr_base = NONCANON),
		CASE("host_idtr_base", long64, v->host_idtr_base = NONCANON),
		CASE("host_tr_base", long64, v->host_tr_base = NONCANON),
		CASE("no_64bit_modes_outside_long_mode", long64, e->l1_lma = false),
		CASE("no_64bit_modes_outside_long_mode", l1_32,
		     v->vm_entry_controls |= VM_ENTRY_IA32E_MODE),
		CASE("host_64bit_in_long_mode", l1_32, e->l1_lma = true),
		CASE("host_no_pcide", l1_32, v->host_cr4 |= X86_CR4_PCIDE),
		CASE("host_rip_32", l1_32, v->host_rip = 1ull << 32),
		CASE("host_pae", long64, v->host_cr4 &= ~X86_CR4_PAE),
		CASE("host_rip_64", long64, v->host_rip = NONCANON),
	};

	run_mutations(m, ARRAY_SIZE(m), NESTED_VMFAIL_VALID, 8);
	/*
	 * The SDM names this rule twice: it is implied by the two rows on what
	 * the host's size must be, so only calling it directly can fail it.
	 */
	{
		const struct nested_check_row *row =
			nested_check_get_row(row_number("guest_64bit_needs_host_64bit"));
		struct nested_check c = { .v = &v12, .env = &env12 };

		variant_setup(l1_32, &v12, &caps12, &env12);
		assert_true(row->when(&c) && row->ok(&c));
		v12.vm_entry_controls |= VM_ENTRY_IA32E_MODE;
		assert_false(row->ok(&c));
		row_failed[row_number(row->name)] = true;
	}
}

static void test_guest_regs(void **state)
{
	const struct mutation m[] = {
		CASE("guest_cr0_fixed", long64, v->guest_cr0 &= ~X86_CR0_NE),
		CASE("guest_cr0_fixed", protected32, v->guest_cr0 &= ~X86_CR0_PG),
		CASE("guest_cr0_fixed", long64, v->guest_cr0 |= 1ull << 40),
		CASE("guest_pg_needs_pe", real_mode, v->guest_cr0 |= X86_CR0_PG),
		CASE("guest_cr4_fixed", long64, v->guest_cr4 &= ~X86_CR4_VMXE),
		CASE("guest_cr4_fixed", long64, v->guest_cr4 |= X86_CR4_SMAP),
		CASE("guest_debugctl", long64, v->guest_ia32_debugctl = 1 << 5),
		CASE("guest_long_needs_paging", real_mode,
		     v->vm_entry_controls |= VM_ENTRY_IA32E_MODE),
		CASE("guest_long_needs_pae", long64, v->guest_cr4 &= ~X86_CR4_PAE),
		CASE("guest_pcide_needs_long", protected32, v->guest_cr4 |= X86_CR4_PCIDE),
		CASE("guest_cr3", long64, v->guest_cr3 = WIDE),
		CASE("guest_dr7", long64, v->guest_dr7 |= 1ull << 32),
		CASE("guest_sysenter_esp", long64, v->guest_sysenter_esp = NONCANON),
		CASE("guest_sysenter_eip", long64, v->guest_sysenter_eip = NONCANON),
		CASE("guest_pat", long64, v->guest_ia32_pat = 3),
		CASE("guest_efer_reserved", long64, v->guest_ia32_efer |= EFER_SVME),
		CASE("guest_efer_lma", long64, v->guest_ia32_efer &= ~EFER_LMA),
		CASE("guest_efer_lma", protected32, v->guest_ia32_efer |= EFER_LMA),
		CASE("guest_efer_lme", long64, v->guest_ia32_efer &= ~EFER_LME),
	};

	run_mutations(m, ARRAY_SIZE(m), NESTED_ENTRY_FAIL, 33);
}

static void test_guest_segs(void **state)
{
	const struct mutation m[] = {
		CASE("guest_tr_ti", long64, v->guest_tr_selector |= 4),
		CASE("guest_ldtr_ti", long64, v->guest_ldtr_selector |= 4),
		CASE("guest_ss_rpl", long64, v->guest_ss_selector |= 3),
		CASE("guest_cs_vm86_base", vm86, v->guest_cs_base++),
		CASE("guest_ss_vm86_base", vm86, v->guest_ss_base++),
		CASE("guest_ds_vm86_base", vm86, v->guest_ds_base++),
		CASE("guest_es_vm86_base", vm86, v->guest_es_base++),
		CASE("guest_fs_vm86_base", vm86, v->guest_fs_base++),
		CASE("guest_gs_vm86_base", vm86, v->guest_gs_base++),
		CASE("guest_tr_base", long64, v->guest_tr_base = NONCANON),
		CASE("guest_fs_base", long64, v->guest_fs_base = NONCANON),
		CASE("guest_gs_base", long64, v->guest_gs_base = NONCANON),
		CASE("guest_ldtr_base", long64, v->guest_ldtr_base = NONCANON),
		CASE("guest_cs_base", long64, v->guest_cs_base = 1ull << 32),
		CASE("guest_ss_base", long64, v->guest_ss_base = 1ull << 32),
		CASE("guest_ds_base", long64, v->guest_ds_ar_bytes = 0xc093;
		     v->guest_ds_base = ~0ull),
		CASE("guest_es_base", long64, v->guest_es_base = 1ull << 63),
		CASE("guest_cs_vm86_limit", vm86, v->guest_cs_limit--),
		CASE("guest_ss_vm86_limit", vm86, v->guest_ss_limit++),
		CASE("guest_ds_vm86_limit", vm86, v->guest_ds_limit = ~0u),
		CASE("guest_es_vm86_limit", vm86, v->guest_es_limit = 0),
		CASE("guest_fs_vm86_limit", vm86, v->guest_fs_limit--),
		CASE("guest_gs_vm86_limit", vm86, v->guest_gs_limit--),
		CASE("guest_cs_vm86_ar", vm86, v->guest_cs_ar_bytes = 0x9b),
		CASE("guest_ss_vm86_ar", vm86, v->guest_ss_ar_bytes = 0x93),
		CASE("guest_ds_vm86_ar", vm86, v->guest_ds_ar_bytes = 0x10000),
		CASE("guest_es_vm86_ar", vm86, v->guest_es_ar_bytes = 0xf2),
		CASE("guest_fs_vm86_ar", vm86, v->guest_fs_ar_bytes |= 0x10000),
		CASE("guest_gs_vm86_ar", vm86, v->guest_gs_ar_bytes |= 0x8000),
		CASE("guest_cs_type", long64, v->guest_cs_ar_bytes ^= 1),
		CASE("guest_cs_type", long64, v->guest_cs_ar_bytes = 0xa093),
		CASE("guest_ss_type", long64, v->guest_ss_ar_bytes = 0xc09b),
		CASE("guest_ds_type", long64, v->guest_ds_ar_bytes = 0xc092),
		CASE("guest_es_type", long64, v->guest_es_ar_bytes = 0xc099), /* execute-only */
		CASE("guest_fs_type", long64, v->guest_fs_ar_bytes = 0xc092),
		CASE("guest_gs_type", long64, v->guest_gs_ar_bytes = 0xc090),
		CASE("guest_cs_s", long64, v->guest_cs_ar_bytes &= ~0x10u),
		CASE("guest_ss_s", long64, v->guest_ss_ar_bytes &= ~0x10u),
		CASE("guest_ds_s", long64, v->guest_ds_ar_bytes = 0xc083),
		CASE("guest_es_s", long64, v->guest_es_ar_bytes &= ~0x10u),
		CASE("guest_fs_s", long64, v->guest_fs_ar_bytes &= ~0x10u),
		CASE("guest_gs_s", long64, v->guest_gs_ar_bytes = 0xc083),
		CASE("guest_cs_dpl", long64, v->guest_cs_ar_bytes = 0xa0fb),
		CASE("guest_cs_dpl", long64, v->guest_cs_ar_bytes = 0xa0ff),
		CASE("guest_cs_dpl", real_mode, v->guest_cs_ar_bytes = 0xf3),
		CASE("guest_ss_dpl_is_rpl", user_mode, v->guest_ss_ar_bytes = 0xc0d3;
		     v->guest_cs_ar_bytes = 0xa0db),
		CASE("guest_ss_dpl_zero", real_mode, v->guest_ss_ar_bytes = 0xf3),
		CASE("guest_ds_dpl", long64, v->guest_ds_ar_bytes = 0xc093;
		     v->guest_ds_selector = 3),
		CASE("guest_es_dpl", long64, v->guest_es_selector = 3),
		CASE("guest_fs_dpl", long64, v->guest_fs_selector = 1),
		CASE("guest_gs_dpl", long64, v->guest_gs_ar_bytes = 0xc093;
		     v->guest_gs_selector = 2),
		CASE("guest_cs_present", long64, v->guest_cs_ar_bytes &= ~0x80u),
		CASE("guest_ss_present", long64, v->guest_ss_ar_bytes &= ~0x80u),
		CASE("guest_ds_present", long64, v->guest_ds_ar_bytes = 0xc013),
		CASE("guest_es_present", long64, v->guest_es_ar_bytes &= ~0x80u),
		CASE("guest_fs_present", long64, v->guest_fs_ar_bytes &= ~0x80u),
		CASE("guest_gs_present", long64, v->guest_gs_ar_bytes = 0xc013),
		CASE("guest_cs_reserved", long64, v->guest_cs_ar_bytes |= 0x100),
		CASE("guest_ss_reserved", long64, v->guest_ss_ar_bytes |= 0x800),
		CASE("guest_ds_reserved", long64, v->guest_ds_ar_bytes = 0x2c093),
		CASE("guest_es_reserved", long64, v->guest_es_ar_bytes |= 0x80000000),
		CASE("guest_fs_reserved", long64, v->guest_fs_ar_bytes |= 0x200),
		CASE("guest_gs_reserved", long64, v->guest_gs_ar_bytes = 0xc493),
		CASE("guest_cs_db_or_l", long64, v->guest_cs_ar_bytes |= SEG_AR_DB),
		CASE("guest_cs_granularity", long64, v->guest_cs_ar_bytes &= ~SEG_AR_G),
		CASE("guest_ss_granularity", long64, v->guest_ss_limit = 0xfffffffe),
		CASE("guest_ds_granularity", long64, v->guest_ds_ar_bytes = 0xc093;
		     v->guest_ds_limit = 1),
		CASE("guest_es_granularity", long64, v->guest_es_ar_bytes &= ~SEG_AR_G),
		CASE("guest_fs_granularity", long64, v->guest_fs_ar_bytes &= ~SEG_AR_G),
		CASE("guest_gs_granularity", long64, v->guest_gs_ar_bytes = 0x4093;
		     v->guest_gs_limit = 1 << 20),
		CASE("guest_tr_type", long64, v->guest_tr_ar_bytes = 0x89),
		CASE("guest_tr_type", long64,
		     v->guest_tr_ar_bytes = 0x83), /* 16-bit in long mode */
		CASE("guest_tr_s", long64, v->guest_tr_ar_bytes |= 0x10),
		CASE("guest_tr_present", long64, v->guest_tr_ar_bytes &= ~0x80u),
		CASE("guest_tr_reserved", long64, v->guest_tr_ar_bytes |= 0x400),
		CASE("guest_tr_granularity", long64, v->guest_tr_ar_bytes |= SEG_AR_G),
		CASE("guest_tr_usable", long64, v->guest_tr_ar_bytes |= SEG_AR_UNUSABLE),
		CASE("guest_ldtr_type", long64, v->guest_ldtr_ar_bytes = 0x83),
		CASE("guest_ldtr_s", long64, v->guest_ldtr_ar_bytes |= 0x10),
		CASE("guest_ldtr_present", long64, v->guest_ldtr_ar_bytes = 2),
		CASE("guest_ldtr_reserved", long64, v->guest_ldtr_ar_bytes |= 0x20000),
		CASE("guest_ldtr_granularity", long64, v->guest_ldtr_limit = 1 << 20),
	};

	run_mutations(m, ARRAY_SIZE(m), NESTED_ENTRY_FAIL, 33);
}

static void test_guest_late(void **state)
{
	const struct mutation m[] = {
		CASE("guest_gdtr_base", long64, v->guest_gdtr_base = NONCANON),
		CASE("guest_idtr_base", long64, v->guest_idtr_base = NONCANON),
		CASE("guest_gdtr_limit", long64, v->guest_gdtr_limit = 0x10000),
		CASE("guest_idtr_limit", long64, v->guest_idtr_limit = ~0u),
		CASE("guest_rip_32", protected32, v->guest_rip = 1ull << 32),
		CASE("guest_rip_32", long64, v->guest_cs_ar_bytes = 0xc09b),
		CASE("guest_rip_64", long64, v->guest_rip = 1ull << 48),
		CASE("guest_rip_64", long64, v->guest_rip = 0xfffeffffffffffffull),
		CASE("guest_rflags_reserved", long64, v->guest_rflags &= ~2ull),
		CASE("guest_rflags_reserved", long64, v->guest_rflags |= 1ull << 22),
		CASE("guest_rflags_reserved", long64, v->guest_rflags |= 1ull << 63),
		CASE("guest_rflags_reserved", long64, v->guest_rflags |= 8),
		CASE("guest_if_for_irq", inject_irq, v->guest_rflags &= ~(u64)X86_EFLAGS_IF),
		CASE("activity_supported", long64, v->guest_activity_state = 4),
		CASE("activity_supported", long64, v->guest_activity_state = GUEST_ACTIVITY_HLT;
		     caps->misc &= ~CAP_MISC_ACTIVITY_HLT),
		CASE("activity_supported", shutdown_mc, caps->misc &= ~CAP_MISC_ACTIVITY_SHUTDOWN),
		CASE("activity_supported", wait_sipi, caps->misc &= ~CAP_MISC_ACTIVITY_WAIT_SIPI),
		CASE("activity_hlt_dpl", user_mode, v->guest_activity_state = GUEST_ACTIVITY_HLT),
		CASE("activity_shadow", sti_step, v->guest_activity_state = GUEST_ACTIVITY_HLT),
		CASE("activity_injection", wait_sipi, inject(v, INTR_TYPE_NMI_INTR, 2)),
		CASE("activity_injection", shutdown_mc, inject(v, INTR_TYPE_EXT_INTR, 32)),
		CASE("activity_injection", shutdown_mc, inject(v, INTR_TYPE_HARD_EXCEPTION, 1)),
		CASE("activity_injection", halted_irq, inject_soft(v, e)),
		CASE("activity_injection", halted_irq, inject(v, INTR_TYPE_HARD_EXCEPTION, 6)),
		CASE("intr_reserved", long64, v->guest_interruptibility_info = 0x20),
		CASE("intr_sti_xor_mov_ss", long64, v->guest_interruptibility_info = 3),
		CASE("intr_sti_needs_if", sti_step, v->guest_rflags &= ~(u64)X86_EFLAGS_IF),
		CASE("intr_irq_shadow", inject_irq, v->guest_interruptibility_info = 1),
		CASE("intr_irq_shadow", inject_irq, v->guest_interruptibility_info = 2),
		CASE("intr_nmi_mov_ss", inject_vnmi, v->guest_interruptibility_info = 2),
		CASE("intr_no_smi", long64, v->guest_interruptibility_info = 4),
		CASE("intr_nmi_sti", inject_vnmi, v->guest_interruptibility_info = 1),
		CASE("intr_virtual_nmi", inject_vnmi, v->guest_interruptibility_info = 8),
		CASE("intr_no_enclave", long64, v->guest_interruptibility_info = 16),
		CASE("pending_reserved", long64, v->guest_pending_dbg_exceptions = 1 << 4),
		CASE("pending_reserved", long64, v->guest_pending_dbg_exceptions = 1 << 15),
		CASE("pending_reserved", long64, v->guest_pending_dbg_exceptions = 1ull << 17),
		CASE("pending_bs", sti_step, v->guest_pending_dbg_exceptions = 0),
		CASE("pending_bs", sti_step, v->guest_ia32_debugctl = DEBUGCTLMSR_BTF),
		CASE("pending_bs", halted_irq, v->guest_pending_dbg_exceptions = 1 << 14),
		CASE("pending_rtm", pending_rtm, e->rtm = false),
		CASE("pending_rtm", pending_rtm, v->guest_pending_dbg_exceptions |= 1),
		CASE("pending_rtm", pending_rtm, v->guest_interruptibility_info = 2),
		CASE("link_addr", linked, v->vmcs_link_pointer = 0x40001),
		CASE("link_addr", linked, v->vmcs_link_pointer = WIDE),
		CASE("link_revision", linked, e->link_header |= 1u << 31),
		CASE("link_revision", linked, e->link_valid = false),
		CASE("link_revision", shadowed, e->link_header = VMCS12_REVISION),
		CASE("link_not_current", linked, e->current_vmptr = 0x40000),
		CASE("guest_pdptes", protected32, v->guest_pdptr0 = 3),
		CASE("guest_pdptes", protected32, v->guest_pdptr1 = 0x21),
		CASE("guest_pdptes", protected32, v->guest_pdptr2 = 1 | WIDE),
		CASE("guest_pdptes", protected32, v->guest_pdptr3 = 0x105),
		CASE("guest_pdptes", no_ept_pae, e->pdptes[0] = 3),
		CASE("guest_pdptes", no_ept_pae, e->pdptes[1] = 0x7),
		CASE("guest_pdptes", no_ept_pae, e->pdptes[2] = 0x7),
		CASE("guest_pdptes", no_ept_pae, e->pdptes[3] = 0x7),
		CASE("guest_pdptes", no_ept_pae, e->pdptes_valid = false),
	};
	const struct mutation vm86_long[] = {
		CASE("guest_no_vm86", vm86, v->guest_cr0 &= ~X86_CR0_PE;
		     v->guest_cr0 &= ~X86_CR0_PG;
		     v->secondary_vm_exec_control |= SECONDARY_EXEC_UNRESTRICTED_GUEST),
		CASE("guest_no_vm86", vm86, v->vm_entry_controls |= VM_ENTRY_IA32E_MODE;
		     v->guest_ia32_efer = EFER_LMA | EFER_LME),
	};

	run_mutations(m, ARRAY_SIZE(m), NESTED_ENTRY_FAIL, 33);
	run_mutations(vm86_long, ARRAY_SIZE(vm86_long), NESTED_ENTRY_FAIL, 33);
}

/* Each variant passes every row; every row applies to at least one variant. */
static void test_passing(void **state)
{
	static bool applied[512];
	struct nested_check_result res;
	unsigned int i, r, n = nested_check_nr_rows();

	assert_true(n < ARRAY_SIZE(applied));
	for (i = 0; i < ARRAY_SIZE(variants); i++) {
		variant_setup(variants[i], &v12, &caps12, &env12);
		if (!nested_check_entry(&v12, &env12, &res))
			fail_msg("variant %u: failed %s", i, res.row->name);
		assert_int_equal(res.kind, NESTED_CHECK_OK);
		assert_true(nested_check_ctls_host(&v12, &env12, &res));
		assert_true(nested_check_guest(&v12, &env12, &res));
		for (r = 0; r < n; r++)
			if (nested_check_row_applies(nested_check_get_row(r), &v12, &env12))
				applied[r] = true;
	}
	for (r = 0; r < n; r++)
		if (!applied[r])
			fail_msg("no passing case for %s", nested_check_get_row(r)->name);
	assert_null(nested_check_get_row(n));
}

/* Runs last: every row was the first to fail somewhere; names are unique. */
static void test_complete(void **state)
{
	unsigned int i, n = nested_check_nr_rows();

	for (i = 0; i < n; i++) {
		const struct nested_check_row *row = nested_check_get_row(i);

		assert_non_null(row->section);
		assert_int_equal(row_number(row->name), i);
		if (!row_failed[i])
			fail_msg("no failing case for %s", row->name);
	}
}

/* Whatever L1 writes, the checks end and answer. */
static void test_random(void **state)
{
	struct nested_check_result res;
	u64 seed = 42;
	int i;

	for (i = 0; i < 200000; i++) {
		const struct vmcs12_field *f;

		if (i % 8 == 0)
			variant_setup(variants[unit_rand(&seed) % ARRAY_SIZE(variants)], &v12,
				      &caps12, &env12);
		f = &vmcs12_fields[unit_rand(&seed) % vmcs12_nr_fields];
		vmcs12_store(&v12, f, unit_rand(&seed) >> unit_rand(&seed) % 64);
		if (nested_check_entry(&v12, &env12, &res))
			assert_null(res.row);
		else
			assert_non_null(res.row);
	}
}

static void test_msr_lists(void **state)
{
	struct vmx_msr_entry_12 e = { .index = MSR_EFER };

	assert_true(nested_msr_load_ok(&e, true));
	assert_true(nested_msr_store_ok(&e, true));
	e.reserved = 1;
	assert_false(nested_msr_load_ok(&e, false));
	assert_false(nested_msr_store_ok(&e, false));
	e = (struct vmx_msr_entry_12){ .index = 0x808 };
	assert_true(nested_msr_load_ok(&e, false));
	assert_false(nested_msr_load_ok(&e, true));
	assert_true(nested_msr_store_ok(&e, false));
	assert_false(nested_msr_store_ok(&e, true));
	e.index = MSR_FS_BASE;
	assert_false(nested_msr_load_ok(&e, false));
	assert_true(nested_msr_store_ok(&e, false));
	e.index = MSR_GS_BASE;
	assert_false(nested_msr_load_ok(&e, false));
	e.index = MSR_IA32_SMM_MONITOR_CTL;
	assert_false(nested_msr_load_ok(&e, false));
	e.index = MSR_IA32_SMBASE;
	assert_false(nested_msr_store_ok(&e, false));
	e.index = MSR_IA32_UCODE_WRITE;
	assert_false(nested_msr_load_ok(&e, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passing),	   cmocka_unit_test(test_controls),
		cmocka_unit_test(test_host),	   cmocka_unit_test(test_guest_regs),
		cmocka_unit_test(test_guest_segs), cmocka_unit_test(test_guest_late),
		cmocka_unit_test(test_complete),   cmocka_unit_test(test_random),
		cmocka_unit_test(test_msr_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
