// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest state of the current context: segments, descriptor tables, control
 * registers and MSRs, between the core's (VMX) form and the VMCB's.
 *
 * Called through hw_ops and by nested.c; it must not know why state changes.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include "hw/svm/svm.h"

#define PAT_AT_RESET 0x0007040600070406ull

static struct svm_seg *svm_seg(struct svm_save *s, enum x86_sreg r)
{
	switch (r) {
	case X86_ES:
		return &s->es;
	case X86_CS:
		return &s->cs;
	case X86_SS:
		return &s->ss;
	case X86_DS:
		return &s->ds;
	case X86_FS:
		return &s->fs;
	case X86_GS:
		return &s->gs;
	case X86_TR:
		return &s->tr;
	default:
		return &s->ldtr;
	}
}

/* Type of a usable segment as VMX wants it: caches may have lost these bits. */
static u32 canonical_type(enum x86_sreg r, u32 ar)
{
	switch (r) {
	case X86_TR:
		return ar | 2; /* busy */
	case X86_LDTR:
		return ar;
	default:
		return ar | 1; /* accessed */
	}
}

/* The G bit is not kept by every processor; it follows from the limit. */
static u32 canonical_g(u32 limit, u32 ar)
{
	if (limit & 0xfff00000)
		return ar | SEG_AR_G;
	if ((limit & 0xfff) != 0xfff)
		return ar & ~SEG_AR_G;
	return ar;
}

/**
 * svm_seg_to_ar - access rights of a segment register in VMX form
 *
 * The VMCB has no unusable bit: a null segment is one that is not present
 * (APM "Segment State in the VMCB"). The CPL is kept apart and is what VMX has
 * as SS.DPL.
 */
u32 svm_seg_to_ar(const struct svm_save *s, enum x86_sreg r)
{
	const struct svm_seg *seg = svm_seg((struct svm_save *)s, r);
	u32 ar = (seg->attrib & 0xff) | (u32)(seg->attrib & 0xf00) << 4;

	if (seg->attrib & SEG_AR_P)
		ar = canonical_g(seg->limit, canonical_type(r, ar));
	else
		ar = (ar & ~SEG_AR_DB) | SEG_AR_UNUSABLE;
	if (r == X86_SS)
		ar = (ar & ~SEG_AR_DPL) | (u32)s->cpl << SEG_AR_DPL_SHIFT;
	return ar;
}

/** svm_get_seg - hw_ops */
void svm_get_seg(struct vcpu *v, enum x86_sreg r, struct x86_seg *out)
{
	struct svm_save *s = &svm_cur(v)->vmcb->s;
	const struct svm_seg *seg = svm_seg(s, r);

	out->base = seg->base;
	out->limit = seg->limit;
	out->selector = seg->selector;
	out->reserved = 0;
	out->ar = svm_seg_to_ar(s, r);
}

/** svm_set_seg - hw_ops */
void svm_set_seg(struct vcpu *v, enum x86_sreg r, const struct x86_seg *in)
{
	struct svm_vmcb *vmcb = svm_cur(v)->vmcb;
	struct svm_seg *seg = svm_seg(&vmcb->s, r);

	seg->base = in->base;
	seg->limit = in->limit;
	seg->selector = in->selector;
	seg->attrib = (in->ar & 0xff) | ((in->ar >> 4) & 0xf00);
	if (in->ar & SEG_AR_UNUSABLE)
		seg->attrib &= ~SEG_AR_P;
	if (r == X86_SS)
		vmcb->s.cpl = (in->ar & SEG_AR_DPL) >> SEG_AR_DPL_SHIFT;
	vmcb_dirty(vmcb, CLEAN_SEG);
}

/** svm_get_cpl - hw_ops */
int svm_get_cpl(struct vcpu *v)
{
	return svm_cur(v)->vmcb->s.cpl & 3;
}

/** svm_get_gdt - hw_ops */
void svm_get_gdt(struct vcpu *v, struct x86_dt *dt)
{
	const struct svm_save *s = &svm_cur(v)->vmcb->s;

	dt->base = s->gdtr.base;
	dt->limit = s->gdtr.limit;
}

/** svm_set_gdt - hw_ops */
void svm_set_gdt(struct vcpu *v, const struct x86_dt *dt)
{
	struct svm_vmcb *vmcb = svm_cur(v)->vmcb;

	vmcb->s.gdtr.base = dt->base;
	vmcb->s.gdtr.limit = dt->limit;
	vmcb_dirty(vmcb, CLEAN_DT);
}

/** svm_get_idt - hw_ops */
void svm_get_idt(struct vcpu *v, struct x86_dt *dt)
{
	const struct svm_save *s = &svm_cur(v)->vmcb->s;

	dt->base = s->idtr.base;
	dt->limit = s->idtr.limit;
}

/** svm_set_idt - hw_ops */
void svm_set_idt(struct vcpu *v, const struct x86_dt *dt)
{
	struct svm_vmcb *vmcb = svm_cur(v)->vmcb;

	vmcb->s.idtr.base = dt->base;
	vmcb->s.idtr.limit = dt->limit;
	vmcb_dirty(vmcb, CLEAN_DT);
}

/* EFER as VMRUN wants it: SVME always, LMA as CR0.PG and LME make it. */
static void set_hw_efer(struct svm_vmcb *vmcb, u64 efer)
{
	efer = (efer | EFER_SVME) & ~(u64)EFER_LMA;
	if ((efer & EFER_LME) && (vmcb->s.cr0 & X86_CR0_PG))
		efer |= EFER_LMA;
	vmcb->s.efer = efer;
	vmcb_dirty(vmcb, CLEAN_CRX);
}

/** svm_get_cr0 - hw_ops: the real value, before any shadow of L1's */
u64 svm_get_cr0(struct vcpu *v)
{
	const struct svm_ctx *ctx = svm_cur(v);

	return (ctx->vmcb->s.cr0 & ~SVM_CR0_VIRT) | ctx->cr0_virt;
}

/** svm_set_cr0 - hw_ops; caches stay on whatever CD and NW say */
void svm_set_cr0(struct vcpu *v, u64 cr0)
{
	struct svm_ctx *ctx = svm_cur(v);
	struct svm_vmcb *vmcb = ctx->vmcb;

	ctx->cr0_virt = cr0 & SVM_CR0_VIRT;
	vmcb->s.cr0 = (cr0 & ~SVM_CR0_VIRT) | X86_CR0_ET;
	set_hw_efer(vmcb, vmcb->s.efer);
	svm_update_intercepts(v, ctx);
}

/** svm_get_cr3 - hw_ops */
u64 svm_get_cr3(struct vcpu *v)
{
	return svm_cur(v)->vmcb->s.cr3;
}

/** svm_set_cr3 - hw_ops */
void svm_set_cr3(struct vcpu *v, u64 cr3)
{
	struct svm_vmcb *vmcb = svm_cur(v)->vmcb;

	vmcb->s.cr3 = cr3;
	vmcb_dirty(vmcb, CLEAN_CRX);
}

/** svm_set_pdptrs - hw_ops: the nested page walk reads them from memory */
void svm_set_pdptrs(struct vcpu *v, const u64 pdpte[4])
{
}

/** svm_get_cr4 - hw_ops: the real value, before any shadow of L1's */
u64 svm_get_cr4(struct vcpu *v)
{
	const struct svm_ctx *ctx = svm_cur(v);

	return (ctx->vmcb->s.cr4 & ~SVM_CR4_VIRT) | ctx->cr4_virt;
}

/**
 * svm_set_cr4 - hw_ops
 *
 * VMXE does not exist here. MCE stays as the host has it: a machine check
 * with MCE clear would shut the processor down instead of exiting.
 */
void svm_set_cr4(struct vcpu *v, u64 cr4)
{
	struct svm_ctx *ctx = svm_cur(v);

	ctx->cr4_virt = cr4 & SVM_CR4_VIRT;
	ctx->vmcb->s.cr4 = (cr4 & ~SVM_CR4_VIRT) | X86_CR4_MCE;
	vmcb_dirty(ctx->vmcb, CLEAN_CRX);
	svm_update_intercepts(v, ctx);
}

/** svm_get_efer - hw_ops */
u64 svm_get_efer(struct vcpu *v)
{
	return svm_cur(v)->vmcb->s.efer & ~(u64)EFER_SVME;
}

/** svm_set_efer - hw_ops */
void svm_set_efer(struct vcpu *v, u64 efer)
{
	set_hw_efer(svm_cur(v)->vmcb, efer);
}

/** svm_get_dr7 - hw_ops */
u64 svm_get_dr7(struct vcpu *v)
{
	return svm_cur(v)->vmcb->s.dr7;
}

/** svm_set_dr7 - hw_ops */
void svm_set_dr7(struct vcpu *v, u64 dr7)
{
	struct svm_vmcb *vmcb = svm_cur(v)->vmcb;

	if (vmcb->s.dr7 == dr7)
		return;
	vmcb->s.dr7 = dr7;
	vmcb_dirty(vmcb, CLEAN_DRX);
}

static void put_tsc_offset(struct svm_ctx *ctx, u64 offset)
{
	ctx->vmcb->c.tsc_offset = offset;
	vmcb_dirty(ctx->vmcb, CLEAN_I);
}

/** svm_set_tsc_offset - hw_ops: context 01's */
void svm_set_tsc_offset(struct vcpu *v, u64 offset)
{
	put_tsc_offset(&v->svm->ctx[0], offset);
}

/** svm_l2_set_tsc_offset - hw_ops: context 02's */
void svm_l2_set_tsc_offset(struct vcpu *v, u64 offset)
{
	put_tsc_offset(&v->svm->ctx[1], offset);
}

/* Where the VMCB keeps an MSR in full; NULL elsewhere. */
static u64 *vmcb_msr(struct svm_ctx *ctx, u32 index)
{
	struct svm_save *s = &ctx->vmcb->s;

	switch (index) {
	case MSR_STAR:
		return &s->star;
	case MSR_LSTAR:
		return &s->lstar;
	case MSR_CSTAR:
		return &s->cstar;
	case MSR_SYSCALL_MASK:
		return &s->sfmask;
	case MSR_KERNEL_GS_BASE:
		return &s->kernel_gs_base;
	case MSR_IA32_SYSENTER_CS:
		return &s->sysenter_cs;
	case MSR_IA32_SYSENTER_ESP:
		return &ctx->sysenter_esp;
	case MSR_IA32_SYSENTER_EIP:
		return &ctx->sysenter_eip;
	case MSR_IA32_CR_PAT:
		return &s->g_pat;
	case MSR_IA32_DEBUGCTLMSR:
		return &ctx->debugctl;
	default:
		return NULL;
	}
}

static u64 get_spec_ctrl(struct vcpu *v)
{
	if (svm_features.virt_spec_ctrl)
		return svm_cur(v)->vmcb->s.spec_ctrl;
	return v->svm->spec_ctrl;
}

static void set_spec_ctrl(struct vcpu *v, u64 val)
{
	v->svm->spec_ctrl = val;
	v->svm->ctx[0].vmcb->s.spec_ctrl = val;
	v->svm->ctx[1].vmcb->s.spec_ctrl = val;
}

/** svm_get_msr - hw_ops; -ENOENT for an MSR that is not the backend's */
int svm_get_msr(struct vcpu *v, u32 index, u64 *val)
{
	struct svm_ctx *ctx = svm_cur(v);
	u64 *reg = vmcb_msr(ctx, index);

	if (reg) {
		*val = *reg;
		return 0;
	}
	switch (index) {
	case MSR_FS_BASE:
		*val = ctx->vmcb->s.fs.base;
		return 0;
	case MSR_GS_BASE:
		*val = ctx->vmcb->s.gs.base;
		return 0;
	case MSR_TSC_AUX:
		*val = v->svm->tsc_aux;
		return 0;
	case MSR_IA32_SPEC_CTRL:
		if (!svm_features.spec_ctrl)
			return -ENOENT;
		*val = get_spec_ctrl(v);
		return 0;
	default:
		return -ENOENT;
	}
}

/** svm_set_msr - hw_ops; -ENOENT for an MSR that is not the backend's */
int svm_set_msr(struct vcpu *v, u32 index, u64 val)
{
	struct svm_ctx *ctx = svm_cur(v);
	struct svm_save *s = &ctx->vmcb->s;
	u64 *reg = vmcb_msr(ctx, index);

	if (reg) {
		*reg = val;
		if (index == MSR_IA32_CR_PAT)
			vmcb_dirty(ctx->vmcb, CLEAN_NP);
		s->sysenter_esp = ctx->sysenter_esp;
		s->sysenter_eip = ctx->sysenter_eip;
		return 0;
	}
	switch (index) {
	case MSR_FS_BASE:
		s->fs.base = val;
		return 0;
	case MSR_GS_BASE:
		s->gs.base = val;
		return 0;
	case MSR_TSC_AUX:
		preempt_disable();
		svm_load_tsc_aux(v, val);
		preempt_enable();
		return 0;
	case MSR_IA32_SPEC_CTRL:
		if (!svm_features.spec_ctrl)
			return -ENOENT;
		set_spec_ctrl(v, val);
		return 0;
	default:
		return -ENOENT;
	}
}

static void reset_seg(struct svm_seg *seg, u16 attrib)
{
	seg->selector = 0;
	seg->attrib = attrib;
	seg->limit = 0xffff;
	seg->base = 0;
}

/**
 * svm_vcpu_reset - hw_ops: context 01 as RESET or INIT leaves it
 *
 * The first call is a RESET. Later ones keep what INIT keeps (SDM "Processor
 * State After Reset"): the syscall and sysenter MSRs, PAT and TSC_AUX.
 */
void svm_vcpu_reset(struct vcpu *v)
{
	struct svm_vcpu *svm = v->svm;
	struct svm_ctx *ctx = &svm->ctx[0];
	struct svm_save *s = &ctx->vmcb->s;
	u64 cr0 = X86_CR0_ET;

	if (!svm->was_reset) {
		s->g_pat = PAT_AT_RESET;
		cr0 |= X86_CR0_CD | X86_CR0_NW;
		svm->was_reset = true;
	} else {
		cr0 |= ctx->cr0_virt;
	}
	reset_seg(&s->es, 0x93);
	reset_seg(&s->ss, 0x93);
	reset_seg(&s->ds, 0x93);
	reset_seg(&s->fs, 0x93);
	reset_seg(&s->gs, 0x93);
	reset_seg(&s->cs, 0x9b);
	reset_seg(&s->tr, 0x8b);
	reset_seg(&s->ldtr, 0x82);
	reset_seg(&s->gdtr, 0);
	reset_seg(&s->idtr, 0);
	s->cs.selector = 0xf000;
	s->cs.base = 0xffff0000;
	s->cpl = 0;
	s->cr3 = 0;
	s->dr6 = 0xffff0ff0;
	s->dr7 = 0x400;
	s->efer = EFER_SVME;
	ctx->debugctl = 0;

	ctx->windows = 0;
	ctx->nmi_masked = false;
	ctx->iret_pending = false;
	ctx->stepping = false;
	ctx->soft_armed = false;
	ctx->soft_len = 0;
	ctx->vmcb->c.event_inj = 0;
	ctx->vmcb->c.int_state = 0;
	ctx->vmcb->c.int_ctl = INT_CTL_MASKING;
	ctx->vmcb->c.clean = 0;
	ctx->asid_gen = 0;

	svm_set_cr4(v, 0);
	svm_set_cr0(v, cr0);
}
