/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct vmcs12: the VMCS that a guest hypervisor (L1) keeps for its guest
 * (L2), and access to its fields by VMCS encoding.
 *
 * The layout and the revision id are those that the kernel's document on
 * nested VMX publishes (Documentation/virt/kvm/x86/nested-vmx.rst), so that a
 * VM with a running L2 can be saved by one implementation and restored by the
 * other. Every offset is asserted from vmcs12_fields.def.
 *
 * Called by the rest of nested/ and by vcpu/; knows nothing of hardware,
 * capabilities (caps.h) or guest memory.
 */
#ifndef TURTLES_NESTED_VMCS12_H
#define TURTLES_NESTED_VMCS12_H

#include <linux/types.h>
#include <linux/build_bug.h>

#define VMCS12_REVISION 0x11e57ed0u
#define VMCS12_SIZE	0x1000
/* Bytes that the save/restore ABI defines; the rest of the page is ours. */
#define VMCS12_ABI_SIZE 998

/* In the revision id: a shadow VMCS (SDM "Format of the VMCS Region"). */
#define VMCS12_SHADOW (1u << 31)

/* launch_state of struct vmcs12, as the save/restore ABI encodes it. */
#define VMCS12_CLEAR	0u
#define VMCS12_LAUNCHED 1u

/* No current VMCS, no link pointer. */
#define VMCS12_NO_PTR (~0ull)

typedef u64 natural_width;

struct vmcs12 {
	u32 revision_id;
	u32 abort;
	u32 launch_state;
	u32 padding[7];
	u64 io_bitmap_a;
	u64 io_bitmap_b;
	u64 msr_bitmap;
	u64 vm_exit_msr_store_addr;
	u64 vm_exit_msr_load_addr;
	u64 vm_entry_msr_load_addr;
	u64 tsc_offset;
	u64 virtual_apic_page_addr;
	u64 apic_access_addr;
	u64 posted_intr_desc_addr;
	u64 ept_pointer;
	u64 eoi_exit_bitmap0;
	u64 eoi_exit_bitmap1;
	u64 eoi_exit_bitmap2;
	u64 eoi_exit_bitmap3;
	u64 xss_exit_bitmap;
	u64 guest_physical_address;
	u64 vmcs_link_pointer;
	u64 guest_ia32_debugctl;
	u64 guest_ia32_pat;
	u64 guest_ia32_efer;
	u64 guest_ia32_perf_global_ctrl;
	u64 guest_pdptr0;
	u64 guest_pdptr1;
	u64 guest_pdptr2;
	u64 guest_pdptr3;
	u64 guest_bndcfgs;
	u64 host_ia32_pat;
	u64 host_ia32_efer;
	u64 host_ia32_perf_global_ctrl;
	u64 vmread_bitmap;
	u64 vmwrite_bitmap;
	u64 vm_function_control;
	u64 eptp_list_address;
	u64 pml_address;
	u64 encls_exiting_bitmap;
	u64 tsc_multiplier;
	u64 padding64[1];
	natural_width cr0_guest_host_mask;
	natural_width cr4_guest_host_mask;
	natural_width cr0_read_shadow;
	natural_width cr4_read_shadow;
	natural_width dead_space[4];
	natural_width exit_qualification;
	natural_width guest_linear_address;
	natural_width guest_cr0;
	natural_width guest_cr3;
	natural_width guest_cr4;
	natural_width guest_es_base;
	natural_width guest_cs_base;
	natural_width guest_ss_base;
	natural_width guest_ds_base;
	natural_width guest_fs_base;
	natural_width guest_gs_base;
	natural_width guest_ldtr_base;
	natural_width guest_tr_base;
	natural_width guest_gdtr_base;
	natural_width guest_idtr_base;
	natural_width guest_dr7;
	natural_width guest_rsp;
	natural_width guest_rip;
	natural_width guest_rflags;
	natural_width guest_pending_dbg_exceptions;
	natural_width guest_sysenter_esp;
	natural_width guest_sysenter_eip;
	natural_width host_cr0;
	natural_width host_cr3;
	natural_width host_cr4;
	natural_width host_fs_base;
	natural_width host_gs_base;
	natural_width host_tr_base;
	natural_width host_gdtr_base;
	natural_width host_idtr_base;
	natural_width host_ia32_sysenter_esp;
	natural_width host_ia32_sysenter_eip;
	natural_width host_rsp;
	natural_width host_rip;
	natural_width paddingl[8];
	u32 pin_based_vm_exec_control;
	u32 cpu_based_vm_exec_control;
	u32 exception_bitmap;
	u32 page_fault_error_code_mask;
	u32 page_fault_error_code_match;
	u32 cr3_target_count;
	u32 vm_exit_controls;
	u32 vm_exit_msr_store_count;
	u32 vm_exit_msr_load_count;
	u32 vm_entry_controls;
	u32 vm_entry_msr_load_count;
	u32 vm_entry_intr_info_field;
	u32 vm_entry_exception_error_code;
	u32 vm_entry_instruction_len;
	u32 tpr_threshold;
	u32 secondary_vm_exec_control;
	u32 vm_instruction_error;
	u32 vm_exit_reason;
	u32 vm_exit_intr_info;
	u32 vm_exit_intr_error_code;
	u32 idt_vectoring_info_field;
	u32 idt_vectoring_error_code;
	u32 vm_exit_instruction_len;
	u32 vmx_instruction_info;
	u32 guest_es_limit;
	u32 guest_cs_limit;
	u32 guest_ss_limit;
	u32 guest_ds_limit;
	u32 guest_fs_limit;
	u32 guest_gs_limit;
	u32 guest_ldtr_limit;
	u32 guest_tr_limit;
	u32 guest_gdtr_limit;
	u32 guest_idtr_limit;
	u32 guest_es_ar_bytes;
	u32 guest_cs_ar_bytes;
	u32 guest_ss_ar_bytes;
	u32 guest_ds_ar_bytes;
	u32 guest_fs_ar_bytes;
	u32 guest_gs_ar_bytes;
	u32 guest_ldtr_ar_bytes;
	u32 guest_tr_ar_bytes;
	u32 guest_interruptibility_info;
	u32 guest_activity_state;
	u32 guest_sysenter_cs;
	u32 host_ia32_sysenter_cs;
	u32 vmx_preemption_timer_value;
	u32 padding32[7];
	u16 virtual_processor_id;
	u16 posted_intr_nv;
	u16 guest_es_selector;
	u16 guest_cs_selector;
	u16 guest_ss_selector;
	u16 guest_ds_selector;
	u16 guest_fs_selector;
	u16 guest_gs_selector;
	u16 guest_ldtr_selector;
	u16 guest_tr_selector;
	u16 guest_intr_status;
	u16 host_es_selector;
	u16 host_cs_selector;
	u16 host_ss_selector;
	u16 host_ds_selector;
	u16 host_fs_selector;
	u16 host_gs_selector;
	u16 host_tr_selector;
	u16 guest_pml_index;
	/* The end of the ABI part, and a gap for its future fields. */
	u8 reserved_gap[0xf00 - VMCS12_ABI_SIZE];
	u32 ple_gap;
	u32 ple_window;
	u8 reserved_end[VMCS12_SIZE - 0xf08];
} __packed __aligned(8);

static_assert(sizeof(struct vmcs12) == VMCS12_SIZE);

#define VMCS12_FIELD(enc, width, member, access, vmcs02, needs, offset) \
	static_assert(offsetof(struct vmcs12, member) == (offset));
#include "nested/vmcs12_fields.def"

/* How L2's hardware context gets a field: see vmcs12_fields.def. */
enum vmcs12_kind {
	VMCS12_COPY,
	VMCS12_MERGE,
	VMCS12_L0,
	VMCS12_HOST,
	VMCS12_INFO,
	VMCS12_NONE,
};

enum vmcs12_access {
	VMCS12_RO,
	VMCS12_RW,
};

/* The capability without which a field does not exist: vmx_caps_has(). */
enum vmcs12_needs {
	VMCS12_NEEDS_ALWAYS,
	VMCS12_NEEDS_PROC2,
	VMCS12_NEEDS_MSR_BITMAP,
	VMCS12_NEEDS_TPR_SHADOW,
	VMCS12_NEEDS_APIC_ACCESS,
	VMCS12_NEEDS_EPT,
	VMCS12_NEEDS_VPID,
	VMCS12_NEEDS_PLE,
	VMCS12_NEEDS_XSAVES,
	VMCS12_NEEDS_TSC_SCALING,
	VMCS12_NEEDS_PREEMPTION_TIMER,
	VMCS12_NEEDS_PAT,
	VMCS12_NEEDS_EFER,
	VMCS12_NEEDS_PERF_GLOBAL_CTRL,
	VMCS12_NEEDS_BNDCFGS,
	VMCS12_NEEDS_POSTED_INTR,
	VMCS12_NEEDS_VID,
	VMCS12_NEEDS_PML,
	VMCS12_NEEDS_VMFUNC,
	VMCS12_NEEDS_EPTP_SWITCHING,
	VMCS12_NEEDS_SHADOW_VMCS,
	VMCS12_NEEDS_ENCLS,
	VMCS12_NR_NEEDS
};

/**
 * struct vmcs12_field - one field of the list
 * @encoding: VMCS encoding (the full field's)
 * @offset:   place in struct vmcs12
 * @size:     bytes it occupies there
 * @access:   enum vmcs12_access
 * @kind:     enum vmcs12_kind
 * @needs:    enum vmcs12_needs
 * @name:     member name, for traces
 */
struct vmcs12_field {
	u32 encoding;
	u16 offset;
	u8 size;
	u8 access;
	u8 kind;
	u8 needs;
	const char *name;
};

extern const struct vmcs12_field vmcs12_fields[];
extern const unsigned int vmcs12_nr_fields;

const struct vmcs12_field *vmcs12_find(u64 encoding);
const char *vmcs12_field_name(u64 encoding);
int vmcs12_field_offset(u64 encoding);
u64 vmcs12_load(const struct vmcs12 *v, const struct vmcs12_field *f);
void vmcs12_store(struct vmcs12 *v, const struct vmcs12_field *f, u64 val);
u64 vmcs12_half(u64 encoding, u64 val);
int vmcs12_read(const struct vmcs12 *v, u64 encoding, u64 *val);
int vmcs12_write(struct vmcs12 *v, u64 encoding, u64 val);

#endif /* TURTLES_NESTED_VMCS12_H */
