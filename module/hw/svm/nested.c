// SPDX-License-Identifier: GPL-2.0-only
/*
 * Context 02: an L2 that L1 described in VMX terms runs on a vmcb02.
 *
 * Guest state goes from the vmcs12 into vmcb02 and back; the merged controls
 * (struct l2_controls, VMX vocabulary) become intercepts. Both have been
 * checked by the nested core; what VMRUN still refuses becomes a failed entry
 * (exit.c).
 *
 * Called by the core's glue for nested entries and exits. It must not know who
 * of L0 and L1 wanted an exit.
 */
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>
#include "hw/svm/svm.h"
#include "nested/merge.h"
#include "nested/vmcs12.h"
#include "nested/vmcs12_seg.h"

#define MISC_ACTIVITY_HLT BIT(6)
#define PENDING_DBG_BS	  BIT(14)

/**
 * svm_fill_nested_caps - what SVM can give to context 02, in VMX terms
 *
 * Not there: monitor trap flag, TPR shadow and APIC virtualization, XSAVES
 * control, RDRAND/RDSEED exiting, PAUSE-loop exiting, TSC scaling. NPT cannot
 * express execute-only mappings.
 */
void svm_fill_nested_caps(struct hw_nested_caps *caps)
{
	memset(caps, 0, sizeof(*caps));
	caps->pin = PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING | PIN_BASED_VIRTUAL_NMIS |
		    PIN_BASED_VMX_PREEMPTION_TIMER;
	caps->proc = CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_USE_TSC_OFFSETTING |
		     CPU_BASED_HLT_EXITING | CPU_BASED_INVLPG_EXITING | CPU_BASED_MWAIT_EXITING |
		     CPU_BASED_RDPMC_EXITING | CPU_BASED_RDTSC_EXITING |
		     CPU_BASED_CR3_LOAD_EXITING | CPU_BASED_CR3_STORE_EXITING |
		     CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING |
		     CPU_BASED_NMI_WINDOW_EXITING | CPU_BASED_MOV_DR_EXITING |
		     CPU_BASED_UNCOND_IO_EXITING | CPU_BASED_USE_IO_BITMAPS |
		     CPU_BASED_USE_MSR_BITMAPS | CPU_BASED_MONITOR_EXITING |
		     CPU_BASED_PAUSE_EXITING | CPU_BASED_ACTIVATE_SECONDARY_CONTROLS;
	caps->proc2 = SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_ENABLE_VPID |
		      SECONDARY_EXEC_UNRESTRICTED_GUEST | SECONDARY_EXEC_WBINVD_EXITING;
	if (boot_cpu_has(X86_FEATURE_RDTSCP))
		caps->proc2 |= SECONDARY_EXEC_ENABLE_RDTSCP;
	if (boot_cpu_has(X86_FEATURE_INVPCID))
		caps->proc2 |= SECONDARY_EXEC_ENABLE_INVPCID;
	caps->exit = VM_EXIT_SAVE_DEBUG_CONTROLS | VM_EXIT_HOST_ADDR_SPACE_SIZE |
		     VM_EXIT_ACK_INTR_ON_EXIT | VM_EXIT_SAVE_IA32_PAT | VM_EXIT_LOAD_IA32_PAT |
		     VM_EXIT_SAVE_IA32_EFER | VM_EXIT_LOAD_IA32_EFER |
		     VM_EXIT_SAVE_VMX_PREEMPTION_TIMER;
	caps->entry = VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_IA32E_MODE | VM_ENTRY_LOAD_IA32_PAT |
		      VM_ENTRY_LOAD_IA32_EFER;
	caps->ept = VMX_EPT_2MB_PAGE_BIT | VMX_EPT_AD_BIT;
	if (boot_cpu_has(X86_FEATURE_GBPAGES))
		caps->ept |= VMX_EPT_1GB_PAGE_BIT;
	caps->misc = MISC_ACTIVITY_HLT;
}

/* Can any page fault exit? SDM "Exceptions": the error-code filter inverts bit 14. */
static bool wants_page_faults(const struct l2_controls *ctl)
{
	bool bit = ctl->exception_bitmap & BIT(X86_TRAP_PF);

	if (!ctl->pfec_mask)
		return bit == (ctl->pfec_match == 0);
	return true;
}

/* Controls that each make one kind of instruction exit. */
static void put_proc_intercepts(const struct l2_controls *ctl, u32 *w)
{
	static const struct {
		u32 ctl;
		u8 intercept;
	} map[] = {
		{ CPU_BASED_HLT_EXITING, INTERCEPT_HLT },
		{ CPU_BASED_INVLPG_EXITING, INTERCEPT_INVLPG },
		{ CPU_BASED_MWAIT_EXITING, INTERCEPT_MWAIT },
		{ CPU_BASED_MONITOR_EXITING, INTERCEPT_MONITOR },
		{ CPU_BASED_RDPMC_EXITING, INTERCEPT_RDPMC },
		{ CPU_BASED_RDTSC_EXITING, INTERCEPT_RDTSC },
		{ CPU_BASED_RDTSC_EXITING, INTERCEPT_RDTSCP },
		{ CPU_BASED_CR3_LOAD_EXITING, INTERCEPT_CR3_WRITE },
		{ CPU_BASED_CR3_STORE_EXITING, INTERCEPT_CR3_READ },
		{ CPU_BASED_CR8_LOAD_EXITING, INTERCEPT_CR8_WRITE },
		{ CPU_BASED_CR8_STORE_EXITING, INTERCEPT_CR8_READ },
		{ CPU_BASED_PAUSE_EXITING, INTERCEPT_PAUSE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		if (ctl->proc & map[i].ctl)
			intercept_set(w, map[i].intercept);
}

static void put_controls(struct vcpu *v, struct svm_ctx *ctx, const struct l2_controls *ctl)
{
	u32 *w = ctx->base;

	svm_base_intercepts(w);
	put_proc_intercepts(ctl, w);
	/* Counters are not offered to anybody. */
	intercept_set(w, INTERCEPT_RDPMC);
	/* Instructions that L1 did not give to its guest raise #UD: exit.c. */
	ctx->no_rdtscp = !(ctl->proc2 & SECONDARY_EXEC_ENABLE_RDTSCP);
	if (ctx->no_rdtscp && boot_cpu_has(X86_FEATURE_RDTSCP))
		intercept_set(w, INTERCEPT_RDTSCP);
	ctx->no_invpcid = !(ctl->proc2 & SECONDARY_EXEC_ENABLE_INVPCID);
	if (boot_cpu_has(X86_FEATURE_INVPCID) &&
	    (ctx->no_invpcid || (ctl->proc & CPU_BASED_INVLPG_EXITING)))
		intercept_set(w, INTERCEPT_INVPCID);

	ctx->exc = ctl->exception_bitmap & ~(u32)(BIT(X86_TRAP_NMI) | BIT(X86_TRAP_PF));
	if (wants_page_faults(ctl))
		ctx->exc |= BIT(X86_TRAP_PF);
	if (ctl->exception_bitmap & BIT(X86_TRAP_DB))
		intercept_set(w, INTERCEPT_ICEBP);
	ctx->l1_dr = ctl->proc & CPU_BASED_MOV_DR_EXITING;

	ctx->l1_windows = 0;
	if (ctl->proc & CPU_BASED_INTR_WINDOW_EXITING)
		ctx->l1_windows |= WINDOW_IRQ;
	if (ctl->proc & CPU_BASED_NMI_WINDOW_EXITING)
		ctx->l1_windows |= WINDOW_NMI;

	ctx->cr0_mask = ctl->cr0_mask;
	ctx->cr0_shadow = ctl->cr0_shadow;
	ctx->cr4_mask = ctl->cr4_mask;
	ctx->cr4_shadow = ctl->cr4_shadow;
	if (ctx->vmcb->c.tsc_offset != ctl->tsc_offset) {
		ctx->vmcb->c.tsc_offset = ctl->tsc_offset;
		vmcb_dirty(ctx->vmcb, CLEAN_I);
	}
}

/* MSRs that a VMCS does not have: both contexts see the same. */
static void carry_msrs(struct svm_ctx *to, const struct svm_ctx *from)
{
	struct svm_save *d = &to->vmcb->s;
	const struct svm_save *s = &from->vmcb->s;

	d->star = s->star;
	d->lstar = s->lstar;
	d->cstar = s->cstar;
	d->sfmask = s->sfmask;
	d->kernel_gs_base = s->kernel_gs_base;
	d->spec_ctrl = s->spec_ctrl;
}

static void load_segments(struct vcpu *v, const struct vmcs12 *vmcs12)
{
	struct x86_seg seg;
	struct x86_dt dt;
	enum x86_sreg r;

	for (r = X86_ES; r < X86_NR_SREGS; r++) {
		vmcs12_get_seg(vmcs12, r, &seg);
		svm_set_seg(v, r, &seg);
	}
	dt.base = vmcs12->guest_gdtr_base;
	dt.limit = vmcs12->guest_gdtr_limit;
	svm_set_gdt(v, &dt);
	dt.base = vmcs12->guest_idtr_base;
	dt.limit = vmcs12->guest_idtr_limit;
	svm_set_idt(v, &dt);
}

static void load_registers(struct vcpu *v, struct svm_ctx *ctx, const struct vmcs12 *vmcs12,
			   const struct l2_controls *ctl)
{
	struct svm_vmcb *vmcb = ctx->vmcb;

	vmcb->s.efer = ctl->efer;
	svm_set_cr4(v, ctl->cr4);
	svm_set_cr0(v, ctl->cr0);
	svm_set_cr3(v, vmcs12->guest_cr3);
	svm_set_dr7(v, ctl->dr7);
	if (vmcb->s.g_pat != ctl->pat) {
		vmcb->s.g_pat = ctl->pat;
		vmcb_dirty(vmcb, CLEAN_NP);
	}
	ctx->debugctl = ctl->debugctl;
	ctx->sysenter_esp = vmcs12->guest_sysenter_esp;
	ctx->sysenter_eip = vmcs12->guest_sysenter_eip;
	vmcb->s.sysenter_cs = vmcs12->guest_sysenter_cs;
	vmcb->s.sysenter_esp = ctx->sysenter_esp;
	vmcb->s.sysenter_eip = ctx->sysenter_eip;
	v->rip = vmcs12->guest_rip;
	v->rflags = vmcs12->guest_rflags;
	v->regs[X86_RSP] = vmcs12->guest_rsp;
}

/*
 * Translations of L2 outlive an exit to L1 only under a VPID of L1's, and the
 * one ASID of context 02 stands for one VPID at a time (SDM "VMX Transitions
 * and the TLBs"). Without VPID the exit also drops L1's own.
 */
static bool uses_vpid(const struct vmcs12 *vmcs12)
{
	return (vmcs12->cpu_based_vm_exec_control & CPU_BASED_ACTIVATE_SECONDARY_CONTROLS) &&
	       (vmcs12->secondary_vm_exec_control & SECONDARY_EXEC_ENABLE_VPID);
}

static void choose_tag(struct svm_ctx *ctx, const struct vmcs12 *vmcs12)
{
	u16 vpid = uses_vpid(vmcs12) ? vmcs12->virtual_processor_id : 0;

	if (!vpid || ctx->l1_vpid != vpid)
		ctx->asid_gen = 0;
	ctx->l1_vpid = vpid;
}

/**
 * svm_l2_enter - hw_ops: make context 02 current, with L2's state and controls
 */
void svm_l2_enter(struct vcpu *v, struct vmcs12 *vmcs12, const struct l2_controls *ctl)
{
	struct svm_vcpu *svm = v->svm;
	struct svm_ctx *ctx = &svm->ctx[1];

	carry_msrs(ctx, &svm->ctx[0]);
	svm->cur = ctx;
	ctx->windows = 0;
	ctx->stepping = false;
	ctx->iret_pending = false;
	ctx->soft_armed = false;
	put_controls(v, ctx, ctl);
	choose_tag(ctx, vmcs12);
	load_segments(v, vmcs12);
	load_registers(v, ctx, vmcs12, ctl);
	svm_set_intr_shadow(v, vmcs12->guest_interruptibility_info);
	svm_inject(v, ctl->intr_info, ctl->intr_error, ctl->insn_len);
	svm_update_intercepts(v, ctx);
}

/**
 * svm_l2_set_pages - hw_ops: L1's MSR bitmap; the other pages need hardware we do not offer
 */
void svm_l2_set_pages(struct vcpu *v, const struct l2_pages *pages)
{
	struct svm_vcpu *svm = v->svm;

	svm_msrpm_merge(svm->ctx[1].msrpm, svm->ctx[0].msrpm, pages->msr_bitmap);
	vmcb_dirty(svm->ctx[1].vmcb, CLEAN_IOPM);
}

static void save_segments(struct vcpu *v, struct vmcs12 *vmcs12)
{
	struct x86_seg seg;
	struct x86_dt dt;
	enum x86_sreg r;

	for (r = X86_ES; r < X86_NR_SREGS; r++) {
		svm_get_seg(v, r, &seg);
		vmcs12_set_seg(vmcs12, r, &seg);
	}
	svm_get_gdt(v, &dt);
	vmcs12->guest_gdtr_base = dt.base;
	vmcs12->guest_gdtr_limit = dt.limit;
	svm_get_idt(v, &dt);
	vmcs12->guest_idtr_base = dt.base;
	vmcs12->guest_idtr_limit = dt.limit;
}

static void save_registers(struct vcpu *v, struct svm_ctx *ctx, struct vmcs12 *vmcs12)
{
	const struct svm_save *s = &ctx->vmcb->s;
	u64 efer = svm_get_efer(v);

	vmcs12->guest_cr0 = svm_get_cr0(v);
	vmcs12->guest_cr3 = s->cr3;
	vmcs12->guest_cr4 = svm_get_cr4(v);
	vmcs12->guest_rip = v->rip;
	vmcs12->guest_rflags = v->rflags;
	vmcs12->guest_rsp = v->regs[X86_RSP];
	vmcs12->guest_sysenter_cs = s->sysenter_cs;
	vmcs12->guest_sysenter_esp = ctx->sysenter_esp;
	vmcs12->guest_sysenter_eip = ctx->sysenter_eip;
	vmcs12->guest_interruptibility_info = svm_get_intr_shadow(v);
	/* A single-step trap that the shadow holds up: SDM "Pending Debug Exceptions", BS. */
	vmcs12->guest_pending_dbg_exceptions = 0;
	if (vmcs12->guest_interruptibility_info & (INTR_SHADOW_STI | INTR_SHADOW_MOV_SS) &&
	    (v->rflags & X86_EFLAGS_TF) && !(ctx->debugctl & DEBUGCTLMSR_BTF))
		vmcs12->guest_pending_dbg_exceptions = PENDING_DBG_BS;

	if (vmcs12->vm_exit_controls & VM_EXIT_SAVE_DEBUG_CONTROLS) {
		vmcs12->guest_dr7 = s->dr7;
		vmcs12->guest_ia32_debugctl = ctx->debugctl;
	}
	if (vmcs12->vm_exit_controls & VM_EXIT_SAVE_IA32_PAT)
		vmcs12->guest_ia32_pat = s->g_pat;
	if (vmcs12->vm_exit_controls & VM_EXIT_SAVE_IA32_EFER)
		vmcs12->guest_ia32_efer = efer;
	/* SDM "Saving Control Registers, Debug Registers, and MSRs": unrestricted guest. */
	if (efer & EFER_LMA)
		vmcs12->vm_entry_controls |= VM_ENTRY_IA32E_MODE;
	else
		vmcs12->vm_entry_controls &= ~VM_ENTRY_IA32E_MODE;
}

/** svm_l2_save - hw_ops: save L2's state, which goes on */
void svm_l2_save(struct vcpu *v, struct vmcs12 *vmcs12)
{
	save_segments(v, vmcs12);
	save_registers(v, &v->svm->ctx[1], vmcs12);
}

/**
 * svm_l2_leave - hw_ops: save L2's state, make context 01 current
 *
 * vmcs12 NULL: the state is dropped.
 */
void svm_l2_leave(struct vcpu *v, struct vmcs12 *vmcs12)
{
	struct svm_vcpu *svm = v->svm;
	struct svm_ctx *ctx = &svm->ctx[1];

	if (svm->cur != ctx)
		return;
	if (vmcs12) {
		svm_l2_save(v, vmcs12);
		if (!(vmcs12->pin_based_vm_exec_control & PIN_BASED_VIRTUAL_NMIS))
			svm->ctx[0].nmi_masked = ctx->nmi_masked;
	}
	if (!ctx->l1_vpid)
		svm->ctx[0].asid_gen = 0;
	carry_msrs(&svm->ctx[0], ctx);
	ctx->vmcb->c.event_inj = 0;
	ctx->soft_len = 0;
	ctx->l1_windows = 0;
	ctx->windows = 0;
	svm->cur = &svm->ctx[0];
	svm_update_intercepts(v, svm->cur);
	/* L2 must not steer the speculation of L1, its hypervisor. */
	svm_predictor_barrier();
}
