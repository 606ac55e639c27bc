// SPDX-License-Identifier: GPL-2.0-only
/*
 * Context 02: from struct vmcs12 and the merged controls into vmcs02, and back.
 * Called through hw_ops by vcpu/nested*.c, which has checked everything: nothing
 * here judges what L1 wrote.
 *
 * Guest state is copied by the one field list. @last remembers what vmcs02
 * holds, so a field that L1 left alone since the last exit costs a comparison.
 * Fields that hypervisors seldom look at are not even read at an exit: they stay
 * in vmcs02 (@rare_behind) until vmcs12_sync() wants them.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/msr.h>
#include "hw/vmx/vmx.h"
#include "nested/merge.h"

/**
 * struct vmx_nested - what only nesting needs; (v)
 * @last:  the COPY fields as vmcs02 holds them
 * @valid: @last can be relied on
 * @rare_behind: the rare fields of vmcs02 are newer than those of @vmcs12 and @last
 * @rare_is_lma: @last's rare fields are those of IA-32e mode
 * @rare_check: L1 may have written a rare field since the last entry
 * @vmcs12: of the last entry
 * @vpid12: L1's VPID of the L2 that ran last
 */
struct vmx_nested {
	struct vmcs12 last;
	bool valid;
	bool rare_behind;
	bool rare_is_lma;
	bool rare_check;
	struct vmcs12 *vmcs12;
	u16 vpid12;
	u64 pfec_mask_match;
	u64 pat, debugctl, dr7;
	u64 xss_exit_bitmap;
	u32 ple_gap, ple_window;
	u64 vapic_hpa, apic_access_hpa;
};

int vmx_nested_create(struct vmx_vcpu *x)
{
	struct vmx_nested *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);

	if (!n)
		return -ENOMEM;
	/* As vmx_vcpu_create() writes them. */
	n->pat = VMX_PAT_RESET;
	n->dr7 = VMX_DR7_RESET;
	n->ple_gap = VMX_SPIN_GAP;
	n->ple_window = VMX_SPIN_WINDOW;
	x->nested = n;
	return 0;
}

void vmx_nested_free(struct vmx_vcpu *x)
{
	kfree(x->nested);
	x->nested = NULL;
}

/*
 * COPY fields that have another home while L2 runs: the registers that enter()
 * loads itself, and those of which vmcs12 has the say only if a control says so.
 */
#define HAS_OTHER_HOME(enc)                                                   \
	((enc) == GUEST_RIP || (enc) == GUEST_RSP || (enc) == GUEST_RFLAGS || \
	 (enc) == GUEST_DR7 || (enc) == GUEST_IA32_DEBUGCTL || (enc) == GUEST_IA32_PAT)

/* PDPTEs mean something under PAE paging only. */
#define IS_PDPTE(enc) ((enc) >= GUEST_PDPTR0 && (enc) <= GUEST_PDPTR3)

#define IN_MERGE(enc, member)
#define IN_L0(enc, member)
#define IN_HOST(enc, member)
#define IN_INFO(enc, member)
#define IN_NONE(enc, member)
#define IN_COPY(enc, member)                                     \
	if (!HAS_OTHER_HOME(enc) && (VMX_IS_HOT(enc) || rare) && \
	    (all || last->member != vmcs12->member)) {           \
		last->member = vmcs12->member;                   \
		vmwrite(enc, vmcs12->member);                    \
	}

static void copy_guest_state_in(struct vmx_nested *n, const struct vmcs12 *vmcs12)
{
	struct vmcs12 *last = &n->last;
	bool all = !n->valid, rare = all || n->rare_check;

#define VMCS12_FIELD(enc, width, member, access, kind, needs, offset) IN_##kind(enc, member)
#include "nested/vmcs12_fields.def"
	/* L1 may have written them: what mode they fit is known again after the next exit. */
	if (rare)
		n->rare_is_lma = false;
	n->valid = true;
	n->rare_check = false;
}

#define OUT_MERGE(enc, member)
#define OUT_L0(enc, member)
#define OUT_HOST(enc, member)
#define OUT_INFO(enc, member)
#define OUT_NONE(enc, member)
#define OUT_COPY(enc, member)                        \
	if (!HAS_OTHER_HOME(enc) && VMX_IS_HOT(enc)) \
		last->member = vmcs12->member = vmread(enc);

static void copy_hot_state_out(struct vmx_nested *n, struct vmcs12 *vmcs12)
{
	struct vmcs12 *last = &n->last;

#define VMCS12_FIELD(enc, width, member, access, kind, needs, offset) OUT_##kind(enc, member)
#include "nested/vmcs12_fields.def"
}

#undef OUT_COPY
#define OUT_COPY(enc, member)                                                    \
	if (!HAS_OTHER_HOME(enc) && !VMX_IS_HOT(enc) && (pae || !IS_PDPTE(enc))) \
		last->member = vmcs12->member = vmread(enc);

static void copy_rare_state_out(struct vmx_nested *n, struct vmcs12 *vmcs12, bool pae)
{
	struct vmcs12 *last = &n->last;

#define VMCS12_FIELD(enc, width, member, access, kind, needs, offset) OUT_##kind(enc, member)
#include "nested/vmcs12_fields.def"
	n->rare_behind = false;
}

/*
 * May the rare fields stay behind? The entry checks relate them to the mode of the
 * guest, so only if they had been copied in the mode that it is in now. In IA-32e
 * mode nothing else of the mode matters to them.
 */
static bool rare_may_wait(const struct vmx_nested *n, u64 efer)
{
	return (efer & EFER_LMA) && n->rare_is_lma;
}

static bool is_pae(const struct vmcs12 *vmcs12, u64 efer)
{
	return (vmcs12->guest_cr0 & X86_CR0_PG) && (vmcs12->guest_cr4 & X86_CR4_PAE) &&
	       !(efer & EFER_LMA);
}

/* vmcs12_sync(): what the last exit left in vmcs02. Context 01 is current, and stays it. */
void vmx_sync_rare_state(struct vmx_vcpu *x, struct vmcs12 *vmcs12)
{
	struct vmx_nested *n = x->nested;

	/* Whoever asked may go on to write. */
	n->rare_check = true;
	if (!n->rare_behind)
		return;
	preempt_disable();
	vmcs_load(&x->c02.vmcs);
	copy_rare_state_out(n, vmcs12, is_pae(vmcs12, x->c02.efer));
	vmcs_load(&x->cur->vmcs);
	preempt_enable();
}

#define EVENT_WINDOWS (CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING)

/* What L0 needs of every guest, whoever asked for the rest. */
static u32 proc02(struct vmx_vcpu *x, const struct l2_controls *ctl)
{
	u32 proc = (ctl->proc & vmx_caps.proc_may) | vmx_caps.proc_must;

	proc |= CPU_BASED_USE_TSC_OFFSETTING | CPU_BASED_ACTIVATE_SECONDARY_CONTROLS |
		CPU_BASED_MWAIT_EXITING | CPU_BASED_MONITOR_EXITING | CPU_BASED_RDPMC_EXITING |
		CPU_BASED_UNCOND_IO_EXITING;
	/* The I/O bitmaps are L1's: reflected from the unconditional exits. */
	proc &= ~CPU_BASED_USE_IO_BITMAPS;
	if (x->dr_exits)
		proc |= CPU_BASED_MOV_DR_EXITING;
	return proc;
}

static u32 proc2_02(struct vmx_ctx *c, const struct l2_controls *ctl)
{
	u32 proc2 = ctl->proc2 & vmx_caps.proc2_may;

	proc2 |= SECONDARY_EXEC_ENABLE_EPT;
	proc2 &= ~(SECONDARY_EXEC_ENABLE_VPID | SECONDARY_EXEC_SHADOW_VMCS |
		   SECONDARY_EXEC_ENABLE_PML | SECONDARY_EXEC_ENABLE_VMFUNC |
		   SECONDARY_EXEC_TSC_SCALING);
	if (c->vpid)
		proc2 |= SECONDARY_EXEC_ENABLE_VPID;
	return proc2;
}

static void load_controls(struct vmx_vcpu *x, struct vmx_ctx *c, const struct l2_controls *ctl)
{
	struct vmx_nested *n = x->nested;

	c->l1_timer_on = ctl->pin & PIN_BASED_VMX_PREEMPTION_TIMER;
	c->l1_windows = ctl->proc & EVENT_WINDOWS;
	vmx_set_pin(c, vmx_caps.pin | (ctl->pin & PIN_BASED_VMX_PREEMPTION_TIMER));
	vmx_set_proc(c, proc02(x, ctl));
	vmx_set_proc2(c, proc2_02(c, ctl));
	vmx_set_exit(c, vmx_caps.exit);
	vmx_set_exc(c, ctl->exception_bitmap | VMX_ALWAYS_INTERCEPTED);
	if (n->pfec_mask_match != ((u64)ctl->pfec_mask << 32 | ctl->pfec_match)) {
		n->pfec_mask_match = (u64)ctl->pfec_mask << 32 | ctl->pfec_match;
		vmwrite(PAGE_FAULT_ERROR_CODE_MASK, ctl->pfec_mask);
		vmwrite(PAGE_FAULT_ERROR_CODE_MATCH, ctl->pfec_match);
	}
	vmwrite_cached(c->tsc_offset, TSC_OFFSET, ctl->tsc_offset);
	if (c->proc2 & SECONDARY_EXEC_PAUSE_LOOP_EXITING) {
		vmwrite_cached(n->ple_gap, PLE_GAP, ctl->ple_gap);
		vmwrite_cached(n->ple_window, PLE_WINDOW, ctl->ple_window);
	}
	if (c->proc2 & SECONDARY_EXEC_XSAVES)
		vmwrite_cached(n->xss_exit_bitmap, XSS_EXIT_BITMAP, ctl->xss_exit_bitmap);
	/* Whose page it is comes with l2_set_pages(). */
	if (c->proc & CPU_BASED_TPR_SHADOW)
		vmwrite_cached(c->tpr_threshold, TPR_THRESHOLD, ctl->tpr_threshold & 0xf);
}

static void load_registers(struct vcpu *v, struct vmx_ctx *c, const struct vmcs12 *vmcs12,
			   const struct l2_controls *ctl)
{
	struct vmx_nested *n = v->vmx->nested;

	v->rip = vmcs12->guest_rip;
	v->regs[X86_RSP] = vmcs12->guest_rsp;
	v->rflags = vmcs12->guest_rflags;

	c->cr0_l1 = vmcs12->cr0_guest_host_mask;
	c->cr4_l1 = vmcs12->cr4_guest_host_mask;
	c->cr0_l1_shadow = vmcs12->cr0_read_shadow;
	c->cr4_l1_shadow = vmcs12->cr4_read_shadow;
	vmx_set_cr0(v, ctl->cr0);
	vmx_set_cr4(v, ctl->cr4);
	vmx_set_efer(v, ctl->efer);
	/* The guest may change these; what vmcs02 holds was read at the last exit. */
	vmwrite_cached(n->pat, GUEST_IA32_PAT, ctl->pat);
	vmwrite_cached(n->debugctl, GUEST_IA32_DEBUGCTL, ctl->debugctl);
	vmwrite_cached(n->dr7, GUEST_DR7, ctl->dr7);
}

/* SDM "VM Entries and Translations": an L2 without VPID starts with none cached. */
static void flush_if_due(struct vmx_nested *n, struct vmx_ctx *c, const struct vmcs12 *vmcs12)
{
	bool tagged = (vmcs12->cpu_based_vm_exec_control & CPU_BASED_ACTIVATE_SECONDARY_CONTROLS) &&
		      (vmcs12->secondary_vm_exec_control & SECONDARY_EXEC_ENABLE_VPID);

	if (!tagged || n->vpid12 != vmcs12->virtual_processor_id)
		c->flush_vpid = true;
	n->vpid12 = tagged ? vmcs12->virtual_processor_id : 0;
}

/**
 * vmx_l2_enter - make context 02 current and load it
 * @v:	    the vCPU
 * @vmcs12: L1's VMCS, checked
 * @ctl:    its controls, merged
 */
void vmx_l2_enter(struct vcpu *v, struct vmcs12 *vmcs12, const struct l2_controls *ctl)
{
	struct vmx_vcpu *x = v->vmx;
	struct vmx_ctx *c = &x->c02;

	vmx_make_current(x, c);
	x->nested->vmcs12 = vmcs12;
	copy_guest_state_in(x->nested, vmcs12);
	/* The copied fields went past the cache. */
	c->avail &= AVAIL_CR0 | AVAIL_CR4;
	load_controls(x, c, ctl);
	load_registers(v, c, vmcs12, ctl);
	flush_if_due(x->nested, c, vmcs12);
	vmx_inject(v, ctl->intr_info, ctl->intr_error, ctl->insn_len);
}

/**
 * vmx_l2_set_pages - L1's pages that the hardware uses for L2
 * @v:	   the vCPU, context 02 current
 * @pages: where they are now
 */
void vmx_l2_set_pages(struct vcpu *v, const struct l2_pages *pages)
{
	struct vmx_vcpu *x = v->vmx;
	struct vmx_nested *n = x->nested;
	struct vmx_ctx *c = &x->c02;
	u32 cr8 = CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING;

	vmx_merge_msr_bitmap(x, pages->msr_bitmap);

	c->foreign_vapic = pages->vapic_hpa != 0;
	if (!c->foreign_vapic) {
		vmx_set_proc(c, (c->proc & ~CPU_BASED_TPR_SHADOW) | cr8);
		/* Needs the shadow; without it L2's x2APIC accesses exit. */
		vmx_set_proc2(c, c->proc2 & ~SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE);
	} else if (c->proc & CPU_BASED_TPR_SHADOW) {
		vmwrite_cached(n->vapic_hpa, VIRTUAL_APIC_PAGE_ADDR, pages->vapic_hpa);
	}

	if (!pages->apic_access_hpa)
		vmx_set_proc2(c, c->proc2 & ~SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES);
	else if (c->proc2 & SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES)
		vmwrite_cached(n->apic_access_hpa, APIC_ACCESS_ADDR, pages->apic_access_hpa);
}

/** vmx_l2_set_tsc_offset - hw_ops: context 02, current, gets another TSC */
void vmx_l2_set_tsc_offset(struct vcpu *v, u64 offset)
{
	vmwrite_cached(v->vmx->c02.tsc_offset, TSC_OFFSET, offset);
}

/** vmx_l2_set_timer - hw_ops: when L1's preemption timer expires */
void vmx_l2_set_timer(struct vcpu *v, u64 deadline)
{
	v->vmx->c02.l1_deadline = deadline;
}

/*
 * The preemption timer serves two masters: L1, and the bound on entries with
 * interrupts off (caps.c). The shorter one is programmed. L1's runs on while L0 has the
 * processor: for L1 it counts without a break. Its deadline may be farther away than the
 * hardware's timer reaches, if that counts in smaller units than L1's; then it is asked again.
 */
u32 vmx_l2_timer(struct vmx_ctx *c, u32 ours)
{
	u64 now, left = 0;

	if (!c->l1_timer_on)
		return ours;
	now = rdtsc();
	if (now < c->l1_deadline)
		left = ((c->l1_deadline - now - 1) >> vmx_caps.timer_shift) + 1;
	if (!vmx_caps.irqs_stick)
		ours = U32_MAX;
	c->timer_is_ours = ours < left;
	return min_t(u64, ours, left);
}

/* SDM "Saving Guest State": fields that are saved only if L1 asked, or are ours. */
static void save_registers(struct vcpu *v, struct vmx_ctx *c, struct vmcs12 *vmcs12)
{
	struct vmx_nested *n = v->vmx->nested;

	vmcs12->guest_rip = v->rip;
	vmcs12->guest_rsp = v->regs[X86_RSP];
	vmcs12->guest_rflags = v->rflags;
	vmcs12->guest_cr0 = vmx_get_cr0(v);
	vmcs12->guest_cr4 = vmx_get_cr4(v);
	n->debugctl = vmread(GUEST_IA32_DEBUGCTL);
	n->dr7 = vmread(GUEST_DR7);
	n->pat = vmread(GUEST_IA32_PAT);
	if (vmcs12->vm_exit_controls & VM_EXIT_SAVE_DEBUG_CONTROLS) {
		vmcs12->guest_ia32_debugctl = n->debugctl;
		vmcs12->guest_dr7 = n->dr7;
	}
	if (vmcs12->vm_exit_controls & VM_EXIT_SAVE_IA32_PAT)
		vmcs12->guest_ia32_pat = n->pat;
	if (vmcs12->vm_exit_controls & VM_EXIT_SAVE_IA32_EFER)
		vmcs12->guest_ia32_efer = c->efer;
	if (c->efer & EFER_LMA)
		vmcs12->vm_entry_controls |= VM_ENTRY_IA32E_MODE;
	else
		vmcs12->vm_entry_controls &= ~VM_ENTRY_IA32E_MODE;
}

/**
 * vmx_l2_save - save all of context 02, which goes on
 * @v:	    the vCPU, context 02 current
 * @vmcs12: where L2's state goes
 */
void vmx_l2_save(struct vcpu *v, struct vmcs12 *vmcs12)
{
	struct vmx_nested *n = v->vmx->nested;
	struct vmx_ctx *c = &v->vmx->c02;

	copy_hot_state_out(n, vmcs12);
	save_registers(v, c, vmcs12);
	copy_rare_state_out(n, vmcs12, is_pae(vmcs12, c->efer));
}

/**
 * vmx_l2_leave - save context 02 and make 01 current
 * @v:	    the vCPU
 * @vmcs12: where L2's state goes, or NULL to drop it
 */
void vmx_l2_leave(struct vcpu *v, struct vmcs12 *vmcs12)
{
	struct vmx_vcpu *x = v->vmx;
	struct vmx_nested *n = x->nested;
	struct vmx_ctx *c = &x->c02;

	if (vmcs12) {
		copy_hot_state_out(n, vmcs12);
		save_registers(v, c, vmcs12);
		n->rare_behind = rare_may_wait(n, c->efer);
		if (!n->rare_behind)
			copy_rare_state_out(n, vmcs12, is_pae(vmcs12, c->efer));
		n->rare_is_lma = c->efer & EFER_LMA;
	} else {
		/* Not entered, so these are still those of the exit before. */
		if (n->rare_behind)
			copy_rare_state_out(n, n->vmcs12, is_pae(n->vmcs12, c->efer));
		n->valid = false;
		n->dr7 = vmread(GUEST_DR7);
		n->debugctl = vmread(GUEST_IA32_DEBUGCTL);
		n->pat = vmread(GUEST_IA32_PAT);
	}
	/* An event that was not delivered is L1's to give again. */
	vmx_inject(v, 0, 0, 0);
	vmx_make_current(x, &x->c01);
	if (x->c01_stale)
		vmx_sync_01(x);
	/* L2 must not steer the speculation of L1, its hypervisor. */
	if (vmx_caps.ibpb)
		wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
}
