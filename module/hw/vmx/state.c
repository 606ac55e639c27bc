// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest register state of the current context: segments, descriptor tables,
 * control registers, EFER, DR7. Values the guest may have changed are read from
 * the VMCS once per exit, when somebody asks.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include "hw/vmx/vmx.h"

/* Position of a segment register among the VMCS fields. */
static unsigned int seg_index(enum x86_sreg s)
{
	if (s == X86_TR)
		return 7;
	if (s == X86_LDTR)
		return 6;
	return s;
}

#define SEG_SELECTOR(i) (GUEST_ES_SELECTOR + 2 * (i))
#define SEG_LIMIT(i)	(GUEST_ES_LIMIT + 2 * (i))
#define SEG_AR(i)	(GUEST_ES_AR_BYTES + 2 * (i))
#define SEG_BASE(i)	(GUEST_ES_BASE + 2 * (i))

static const struct x86_seg *seg_cached(struct vmx_ctx *c, enum x86_sreg s)
{
	struct x86_seg *seg = &c->seg[s];
	unsigned int i = seg_index(s);

	if (!(c->avail & AVAIL_SEG(s))) {
		seg->selector = vmread(SEG_SELECTOR(i));
		seg->base = vmread(SEG_BASE(i));
		seg->limit = vmread(SEG_LIMIT(i));
		seg->ar = vmread(SEG_AR(i));
		c->avail |= AVAIL_SEG(s);
	}
	return seg;
}

void vmx_get_seg(struct vcpu *v, enum x86_sreg s, struct x86_seg *out)
{
	*out = *seg_cached(v->vmx->cur, s);
}

void vmx_set_seg(struct vcpu *v, enum x86_sreg s, const struct x86_seg *seg)
{
	struct vmx_ctx *c = v->vmx->cur;
	unsigned int i = seg_index(s);
	u32 ar = seg->ar & ~SEG_AR_RESERVED;

	/* What is not present cannot be used; VM entry wants it said so. */
	if ((seg->ar & SEG_AR_UNUSABLE) || !(ar & SEG_AR_P))
		ar = SEG_AR_UNUSABLE;
	else if (ar & SEG_AR_S)
		ar |= 1; /* accessed: the CPU sets it on every load */
	else if (s == X86_TR)
		ar |= 2; /* busy, likewise */
	/* SDM "Checks on Guest Segment Registers": granularity must fit the limit. */
	if (ar != SEG_AR_UNUSABLE) {
		if (seg->limit & 0xfff00000)
			ar |= SEG_AR_G;
		if ((seg->limit & 0xfff) != 0xfff)
			ar &= ~SEG_AR_G;
	}

	vmwrite(SEG_SELECTOR(i), seg->selector);
	vmwrite(SEG_BASE(i), seg->base);
	vmwrite(SEG_LIMIT(i), seg->limit);
	vmwrite(SEG_AR(i), ar);
	c->seg[s] = *seg;
	c->seg[s].ar = ar;
	c->avail |= AVAIL_SEG(s);
}

void vmx_get_gdt(struct vcpu *v, struct x86_dt *dt)
{
	dt->base = vmread(GUEST_GDTR_BASE);
	dt->limit = vmread(GUEST_GDTR_LIMIT);
}

void vmx_set_gdt(struct vcpu *v, const struct x86_dt *dt)
{
	vmwrite(GUEST_GDTR_BASE, dt->base);
	vmwrite(GUEST_GDTR_LIMIT, dt->limit);
}

void vmx_get_idt(struct vcpu *v, struct x86_dt *dt)
{
	dt->base = vmread(GUEST_IDTR_BASE);
	dt->limit = vmread(GUEST_IDTR_LIMIT);
}

void vmx_set_idt(struct vcpu *v, const struct x86_dt *dt)
{
	vmwrite(GUEST_IDTR_BASE, dt->base);
	vmwrite(GUEST_IDTR_LIMIT, dt->limit);
}

/*
 * A control register has three kinds of bits: those the guest owns (it changes
 * them in the hardware register without an exit), those L0 keeps to itself (the
 * guest sees cr0_shadow), and in context 02 those L1 keeps to itself: the guest
 * sees L1's read shadow, and the value in force is the one L1 gave.
 */
static u64 owned0(const struct vmx_ctx *c)
{
	return VMX_CR0_OWNED & ~c->cr0_l1;
}

static u64 owned4(const struct vmx_ctx *c)
{
	return VMX_CR4_OWNED & ~c->cr4_l1;
}

u64 vmx_get_cr0(struct vcpu *v)
{
	struct vmx_ctx *c = v->vmx->cur;

	if (!(c->avail & AVAIL_CR0)) {
		c->cr0_hw = vmread(GUEST_CR0);
		c->avail |= AVAIL_CR0;
	}
	return (c->cr0_hw & owned0(c)) | (c->cr0_shadow & ~owned0(c));
}

void vmx_set_cr0(struct vcpu *v, u64 cr0)
{
	struct vmx_ctx *c = v->vmx->cur;
	/* PE and PG are free in an unrestricted guest; CD and NW are the host's. */
	u64 must = vmx_caps.cr0_fixed0 & ~(u64)(X86_CR0_PE | X86_CR0_PG);
	u64 hw = (cr0 & ~(u64)(X86_CR0_CD | X86_CR0_NW)) | must;

	c->cr0_shadow = cr0;
	if (!(c->avail & AVAIL_CR0) || c->cr0_hw != hw) {
		c->cr0_hw = hw;
		c->avail |= AVAIL_CR0;
		vmwrite(GUEST_CR0, hw);
	}
	vmwrite_cached(c->cr0_read, CR0_READ_SHADOW,
		       (cr0 & ~c->cr0_l1) | (c->cr0_l1_shadow & c->cr0_l1));
	vmwrite_cached(c->cr0_mask, CR0_GUEST_HOST_MASK, ~owned0(c));
}

u64 vmx_get_cr3(struct vcpu *v)
{
	struct vmx_ctx *c = v->vmx->cur;

	if (!(c->avail & AVAIL_CR3)) {
		c->cr3 = vmread(GUEST_CR3);
		c->avail |= AVAIL_CR3;
	}
	return c->cr3;
}

void vmx_set_cr3(struct vcpu *v, u64 cr3)
{
	struct vmx_ctx *c = v->vmx->cur;

	c->cr3 = cr3;
	c->avail |= AVAIL_CR3;
	vmwrite(GUEST_CR3, cr3);
}

/* PAE paging under EPT takes the PDPTEs from the VMCS, not from memory, at entry. */
void vmx_set_pdptrs(struct vcpu *v, const u64 pdpte[4])
{
	int i;

	for (i = 0; i < 4; i++)
		vmwrite(GUEST_PDPTR0 + 2 * i, pdpte[i]);
}

void vmx_get_pdptrs(struct vcpu *v, u64 pdpte[4])
{
	int i;

	for (i = 0; i < 4; i++)
		pdpte[i] = vmread(GUEST_PDPTR0 + 2 * i);
}

u64 vmx_get_cr4(struct vcpu *v)
{
	struct vmx_ctx *c = v->vmx->cur;

	if (!(c->avail & AVAIL_CR4)) {
		c->cr4_hw = vmread(GUEST_CR4);
		c->avail |= AVAIL_CR4;
	}
	return (c->cr4_hw & owned4(c)) | (c->cr4_shadow & ~owned4(c));
}

void vmx_set_cr4(struct vcpu *v, u64 cr4)
{
	struct vmx_ctx *c = v->vmx->cur;
	/* A machine check must reach the host even when the guest has CR4.MCE clear. */
	u64 hw = cr4 | vmx_caps.cr4_fixed0 | (native_read_cr4() & X86_CR4_MCE);

	c->cr4_shadow = cr4;
	if (!(c->avail & AVAIL_CR4) || c->cr4_hw != hw) {
		c->cr4_hw = hw;
		c->avail |= AVAIL_CR4;
		vmwrite(GUEST_CR4, hw);
	}
	vmwrite_cached(c->cr4_read, CR4_READ_SHADOW,
		       (cr4 & ~c->cr4_l1) | (c->cr4_l1_shadow & c->cr4_l1));
	vmwrite_cached(c->cr4_mask, CR4_GUEST_HOST_MASK, ~owned4(c));
}

u64 vmx_get_efer(struct vcpu *v)
{
	return v->vmx->cur->efer;
}

/* A task register from before IA-32e mode holds a type that such an entry refuses. */
static void fix_tr_for_long_mode(struct vcpu *v)
{
	struct x86_seg tr;

	vmx_get_seg(v, X86_TR, &tr);
	if ((tr.ar & SEG_AR_TYPE) == 11 || (tr.ar & SEG_AR_UNUSABLE))
		return;
	tr.ar = (tr.ar & ~SEG_AR_TYPE) | 11;
	vmx_set_seg(v, X86_TR, &tr);
}

void vmx_set_efer(struct vcpu *v, u64 efer)
{
	struct vmx_ctx *c = v->vmx->cur;

	vmwrite_cached(c->efer, GUEST_IA32_EFER, efer);
	if (efer & EFER_LMA) {
		vmx_set_entry(c, c->entry | VM_ENTRY_IA32E_MODE);
		/* In 02 the task register is what L1 gave, and has been checked. */
		if (!c->is_02)
			fix_tr_for_long_mode(v);
	} else {
		vmx_set_entry(c, c->entry & ~VM_ENTRY_IA32E_MODE);
	}
}

u64 vmx_get_dr7(struct vcpu *v)
{
	return vmread(GUEST_DR7);
}

void vmx_set_dr7(struct vcpu *v, u64 dr7)
{
	vmwrite(GUEST_DR7, dr7);
}

int vmx_get_cpl(struct vcpu *v)
{
	struct vmx_ctx *c = v->vmx->cur;

	if (!(vmx_get_cr0(v) & X86_CR0_PE))
		return 0;
	if (v->rflags & X86_EFLAGS_VM)
		return 3;
	/* The DPL of SS is the CPL even where SS is unusable. */
	if (c->avail & AVAIL_SEG(X86_SS))
		return (c->seg[X86_SS].ar & SEG_AR_DPL) >> SEG_AR_DPL_SHIFT;
	return (vmread(GUEST_SS_AR_BYTES) & SEG_AR_DPL) >> SEG_AR_DPL_SHIFT;
}

/* What RESET and INIT share beyond the registers that the core sets itself. */
void vmx_reset_state(struct vcpu *v)
{
	static const u64 no_pdptes[4];
	struct vmx_ctx *c = v->vmx->cur;

	c->avail = 0;
	vmwrite(GUEST_ACTIVITY_STATE, GUEST_ACTIVITY_ACTIVE);
	vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, 0);
	vmwrite(GUEST_IA32_DEBUGCTL, 0);
	vmx_write_intr_state(c, 0);
	vmx_set_pdptrs(v, no_pdptes);
	vmx_inject(v, 0, 0, 0);
	vmx_set_window(v, 0);
}
