// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shadow VMCS: while L1 runs, its VMREADs and VMWRITEs of the fields listed
 * here go to a VMCS of ours without an exit (SDM "VMREAD and VMWRITE in VMX
 * Non-Root Operation"). Fields that are not listed exit, and the core serves them
 * from struct vmcs12.
 *
 * Three groups. Exit information, read-only for L1, is written here at each exit
 * from L2 if it differs. Guest state that L2 changes is written at each exit and
 * read back before each entry. What only L1 changes is written when the VMCS
 * becomes current and read back before each entry.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "hw/vmx/vmx.h"

/* Guest state and controls that an L2 run, or L0's part of an exit, changes. */
#define CHANGED_BY_EXITS(F)                                           \
	F(GUEST_RIP, guest_rip)                                       \
	F(GUEST_RSP, guest_rsp)                                       \
	F(GUEST_RFLAGS, guest_rflags)                                 \
	F(GUEST_CR0, guest_cr0)                                       \
	F(GUEST_CR3, guest_cr3)                                       \
	F(GUEST_CR4, guest_cr4)                                       \
	F(GUEST_CS_SELECTOR, guest_cs_selector)                       \
	F(GUEST_CS_BASE, guest_cs_base)                               \
	F(GUEST_CS_AR_BYTES, guest_cs_ar_bytes)                       \
	F(GUEST_SS_AR_BYTES, guest_ss_ar_bytes)                       \
	F(GUEST_INTERRUPTIBILITY_INFO, guest_interruptibility_info)   \
	F(GUEST_ACTIVITY_STATE, guest_activity_state)                 \
	F(GUEST_PENDING_DBG_EXCEPTIONS, guest_pending_dbg_exceptions) \
	F(VM_ENTRY_CONTROLS, vm_entry_controls)                       \
	F(VM_ENTRY_INTR_INFO_FIELD, vm_entry_intr_info_field)

/* What hypervisors write before an entry. */
#define CHANGED_BY_L1(F)                                                \
	F(PIN_BASED_VM_EXEC_CONTROL, pin_based_vm_exec_control)         \
	F(CPU_BASED_VM_EXEC_CONTROL, cpu_based_vm_exec_control)         \
	F(SECONDARY_VM_EXEC_CONTROL, secondary_vm_exec_control)         \
	F(EXCEPTION_BITMAP, exception_bitmap)                           \
	F(VM_ENTRY_EXCEPTION_ERROR_CODE, vm_entry_exception_error_code) \
	F(VM_ENTRY_INSTRUCTION_LEN, vm_entry_instruction_len)           \
	F(TPR_THRESHOLD, tpr_threshold)                                 \
	F(TSC_OFFSET, tsc_offset)                                       \
	F(CR0_READ_SHADOW, cr0_read_shadow)                             \
	F(CR4_READ_SHADOW, cr4_read_shadow)                             \
	F(CR0_GUEST_HOST_MASK, cr0_guest_host_mask)                     \
	F(CR4_GUEST_HOST_MASK, cr4_guest_host_mask)                     \
	F(HOST_CR3, host_cr3)                                           \
	F(HOST_CR4, host_cr4)                                           \
	F(HOST_RSP, host_rsp)                                           \
	F(HOST_RIP, host_rip)                                           \
	F(HOST_FS_SELECTOR, host_fs_selector)                           \
	F(HOST_GS_SELECTOR, host_gs_selector)                           \
	F(HOST_FS_BASE, host_fs_base)                                   \
	F(HOST_GS_BASE, host_gs_base)

/* Where the processor has it: what is left of L1's preemption timer. */
#define TIMER(F) F(VMX_PREEMPTION_TIMER_VALUE, vmx_preemption_timer_value)

/**
 * struct vmx_shadow - the shadow VMCS of a vCPU; (v)
 * @vmcs:      the region
 * @published: vmcs01 links to it
 * @info:      exit information as it was last written there
 */
struct vmx_shadow {
	struct vmcs vmcs;
	bool published;
	struct vmcs12 info;
};

/* The same for all vCPUs: a set bit makes the access exit. */
static u8 *vmread_bitmap, *vmwrite_bitmap;

static void open_field(u8 *bitmap, u32 enc)
{
	bitmap[enc / 8] &= ~(1u << (enc % 8));
	/* The high half of a 64-bit field is the same field. */
	if ((enc >> 13 & 3) == 1)
		bitmap[(enc + 1) / 8] &= ~(1u << ((enc + 1) % 8));
}

static bool has_timer(void)
{
	return vmx_caps.pin_may & PIN_BASED_VMX_PREEMPTION_TIMER;
}

int vmx_shadow_setup(void)
{
	if (!vmx_caps.shadow_vmcs)
		return 0;
	vmread_bitmap = (u8 *)__get_free_page(GFP_KERNEL);
	vmwrite_bitmap = (u8 *)__get_free_page(GFP_KERNEL);
	if (!vmread_bitmap || !vmwrite_bitmap) {
		vmx_shadow_unsetup();
		return -ENOMEM;
	}
	memset(vmread_bitmap, 0xff, PAGE_SIZE);
	memset(vmwrite_bitmap, 0xff, PAGE_SIZE);
#define OPEN_READ(enc, member)	open_field(vmread_bitmap, enc);
#define OPEN_WRITE(enc, member) open_field(vmwrite_bitmap, enc);
	CHANGED_BY_EXITS(OPEN_READ)
	CHANGED_BY_EXITS(OPEN_WRITE)
	CHANGED_BY_L1(OPEN_READ)
	CHANGED_BY_L1(OPEN_WRITE)
	if (has_timer()) {
		TIMER(OPEN_READ)
		TIMER(OPEN_WRITE)
	}
#define OPEN_MERGE(enc, member)
#define OPEN_L0(enc, member)
#define OPEN_HOST(enc, member)
#define OPEN_NONE(enc, member)
#define OPEN_COPY(enc, member)
#define OPEN_INFO(enc, member)					      open_field(vmread_bitmap, enc);
#define VMCS12_FIELD(enc, width, member, access, kind, needs, offset) OPEN_##kind(enc, member)
#include "nested/vmcs12_fields.def"
	return 0;
}

void vmx_shadow_unsetup(void)
{
	free_page((unsigned long)vmread_bitmap);
	free_page((unsigned long)vmwrite_bitmap);
	vmread_bitmap = vmwrite_bitmap = NULL;
}

int vmx_shadow_create(struct vmx_vcpu *x)
{
	if (!vmx_caps.shadow_vmcs)
		return 0;
	x->shadow = kzalloc(sizeof(*x->shadow), GFP_KERNEL_ACCOUNT);
	if (!x->shadow)
		return -ENOMEM;
	return vmcs_alloc(&x->shadow->vmcs, true);
}

void vmx_shadow_free(struct vmx_vcpu *x)
{
	if (!x->shadow)
		return;
	vmcs_free(&x->shadow->vmcs);
	kfree(x->shadow);
	x->shadow = NULL;
}

/*
 * The vCPU comes to another CPU: the old one may hold the shadow VMCS too. Loading
 * it here clears it there and enters it into this CPU's list.
 */
void vmx_shadow_migrate(struct vmx_vcpu *x)
{
	if (x->shadow && x->shadow->published && x->shadow->vmcs.cpu != smp_processor_id()) {
		vmcs_load(&x->shadow->vmcs);
		vmx_vmclear(x->shadow->vmcs.pa);
		__this_cpu_write(vmx_current_vmcs, NULL);
	}
}

static void write_info(struct vmx_shadow *s, const struct vmcs12 *vmcs12, bool all)
{
#define INFO_MERGE(enc, member)
#define INFO_L0(enc, member)
#define INFO_HOST(enc, member)
#define INFO_NONE(enc, member)
#define INFO_COPY(enc, member)
#define INFO_INFO(enc, member)                         \
	if (all || s->info.member != vmcs12->member) { \
		s->info.member = vmcs12->member;       \
		vmwrite(enc, vmcs12->member);          \
	}
#define VMCS12_FIELD(enc, width, member, access, kind, needs, offset) INFO_##kind(enc, member)
#include "nested/vmcs12_fields.def"
}

/* Context 01 is current: let it reach the shadow VMCS, or not. */
static void link_01(struct vmx_vcpu *x, bool on)
{
	struct vmx_shadow *s = x->shadow;
	struct vmx_ctx *c = &x->c01;

	if (s->published == on)
		return;
	s->published = on;
	vmwrite(VMCS_LINK_POINTER, on ? s->vmcs.pa : ~0ull);
	if (on) {
		vmwrite(VMREAD_BITMAP, __pa(vmread_bitmap));
		vmwrite(VMWRITE_BITMAP, __pa(vmwrite_bitmap));
		vmx_set_proc2(c, c->proc2 | SECONDARY_EXEC_SHADOW_VMCS);
	} else {
		vmx_set_proc2(c, c->proc2 & ~SECONDARY_EXEC_SHADOW_VMCS);
	}
}

/**
 * vmx_vmcs12_publish - let L1 reach the fields of its current VMCS directly
 * @v:	    the vCPU, context 01 current
 * @vmcs12: its VMCS, up to date; NULL when L1 has none
 * @full:   it is another one than before
 */
void vmx_vmcs12_publish(struct vcpu *v, const struct vmcs12 *vmcs12, bool full)
{
	struct vmx_vcpu *x = v->vmx;
	struct vmx_shadow *s = x->shadow;

	if (!s)
		return;
	if (!vmcs12) {
		link_01(x, false);
		return;
	}
	full |= !s->published;
	preempt_disable();
	vmcs_load(&s->vmcs);
#define PUT(enc, member) vmwrite(enc, vmcs12->member);
	CHANGED_BY_EXITS(PUT)
	if (has_timer()) {
		TIMER(PUT)
	}
	if (full) {
		CHANGED_BY_L1(PUT)
	}
	write_info(s, vmcs12, full);
	/* From the processor into memory, where the link pointer leads. */
	vmx_vmclear(s->vmcs.pa);
	__this_cpu_write(vmx_current_vmcs, NULL);
	vmcs_load(&x->c01.vmcs);
	preempt_enable();
	link_01(x, true);
}

/**
 * vmx_vmcs12_sync - bring vmcs12 up to date
 * @v:	    the vCPU, context 01 current
 * @vmcs12: L1's current VMCS
 * @what:   VMCS12_SYNC_*
 */
void vmx_vmcs12_sync(struct vcpu *v, struct vmcs12 *vmcs12, u32 what)
{
	struct vmx_vcpu *x = v->vmx;
	struct vmx_shadow *s = x->shadow;

	if ((what & VMCS12_SYNC_WRITES) && s && s->published) {
		preempt_disable();
		vmcs_load(&s->vmcs);
#define GET(enc, member) vmcs12->member = vmread(enc);
		CHANGED_BY_EXITS(GET)
		if (has_timer()) {
			TIMER(GET)
		}
		CHANGED_BY_L1(GET)
		vmcs_load(&x->c01.vmcs);
		preempt_enable();
	}
	if (what & VMCS12_SYNC_REST)
		vmx_sync_rare_state(x, vmcs12);
}
