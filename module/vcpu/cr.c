// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control registers, EFER, XCR0 and debug registers as instructions, MSR writes and ioctls set
 * them: check as the manual says, then hand over to the backend. Every setter returns 0, or 1
 * when #GP(0) must follow, having changed nothing.
 */
#include <linux/kernel.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "irqchip/irqchip.h"
#include "mm/mm.h"
#include "vcpu/core.h"
#include "vcpu/nested.h"

#define PDPTE_RESERVED_LOW 0x1e6ull /* SDM "PDPTE Registers": bits 1-2, 5-8 */

static bool in_pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return (cr0 & X86_CR0_PG) && (cr4 & X86_CR4_PAE) && !(efer & EFER_LMA);
}

/**
 * vcpu_read_pdptes - the four PDPTEs of PAE paging
 * @v:	   the vCPU; vm->srcu held; may sleep
 * @gpa:   their address, L1's
 * @pdpte: result, unchecked
 *
 * Return: 0 or -EFAULT.
 */
int vcpu_read_pdptes(struct vcpu *v, u64 gpa, u64 pdpte[4])
{
	int r = vcpu_read_guest(v, gpa, pdpte, 4 * sizeof(*pdpte));
	int i;

	for (i = 0; i < 4 && hw->sets_pdpte_a; i++)
		pdpte[i] &= ~(u64)_PAGE_ACCESSED;
	return r;
}

/* Check the PDPTEs at @gpa (L1's) and load the registers: 0, or 1 when one has a reserved bit set. */
int vcpu_load_pdptes_at(struct vcpu *v, u64 gpa)
{
	u64 reserved = PDPTE_RESERVED_LOW | ~(BIT_ULL(vcpu_maxphyaddr(v)) - 1);
	u64 pdpte[4];
	int i;

	if (vcpu_read_pdptes(v, gpa, pdpte))
		return 1;
	for (i = 0; i < 4; i++)
		if ((pdpte[i] & 1) && (pdpte[i] & reserved))
			return 1;
	hw->set_pdptrs(v, pdpte);
	return 0;
}

/* Load the PDPTE registers for @cr3, which in L2 is an L2 address: 0 or 1 (#GP). */
int vcpu_load_pdptrs(struct vcpu *v, u64 cr3)
{
	if (v->in_l2)
		return nested_load_pdptrs(v, cr3);
	return vcpu_load_pdptes_at(v, cr3 & 0xffffffe0ull);
}

/**
 * vcpu_set_cr0 - MOV to CR0, LMSW, CLTS, KVM_SET_SREGS
 * @v:	 the vCPU, loaded
 * @val: value as the guest wrote it
 *
 * SDM "MOV—Move to/from Control Registers", "IA-32e Mode Operation".
 * Return: 0 or 1 (#GP).
 */
int vcpu_set_cr0(struct vcpu *v, u64 val)
{
	u64 old = hw->get_cr0(v), cr4 = hw->get_cr4(v), efer = hw->get_efer(v);
	u64 new_efer = efer;

	if (val >> 32)
		return 1;
	val = (val & CR0_DEFINED) | X86_CR0_ET;
	if ((val & X86_CR0_PG) && !(val & X86_CR0_PE))
		return 1;
	if ((val & X86_CR0_NW) && !(val & X86_CR0_CD))
		return 1;
	if (!nested_cr0_allowed(v, val))
		return 1;

	if ((val & X86_CR0_PG) && !(old & X86_CR0_PG) && (efer & EFER_LME)) {
		struct x86_seg cs;

		hw->get_seg(v, X86_CS, &cs);
		if (!(cr4 & X86_CR4_PAE) || (cs.ar & SEG_AR_L))
			return 1;
		new_efer |= EFER_LMA;
	}
	if (!(val & X86_CR0_PG) && (old & X86_CR0_PG)) {
		if (cr4 & X86_CR4_PCIDE)
			return 1;
		new_efer &= ~EFER_LMA;
	}
	if (in_pae_paging(val, cr4, new_efer) &&
	    ((val ^ old) & (X86_CR0_CD | X86_CR0_NW | X86_CR0_PG)) &&
	    vcpu_load_pdptrs(v, hw->get_cr3(v)))
		return 1;

	hw->set_cr0(v, val);
	if (new_efer != efer)
		hw->set_efer(v, new_efer);
	if ((val ^ old) & (X86_CR0_PG | X86_CR0_WP))
		hw->tlb_flush(v, false);
	return 0;
}

/* MOV to CR3; @val bit 63 = keep the PCID's translations, when CR4.PCIDE. */
int vcpu_set_cr3(struct vcpu *v, u64 val)
{
	u64 cr4 = hw->get_cr4(v), efer = hw->get_efer(v);
	bool keep = (cr4 & X86_CR4_PCIDE) && (val & BIT_ULL(63));

	if (cr4 & X86_CR4_PCIDE)
		val &= ~BIT_ULL(63);
	if (efer & EFER_LMA) {
		if (val & ~(BIT_ULL(vcpu_maxphyaddr(v)) - 1))
			return 1;
	} else {
		val &= 0xffffffffull;
		if (in_pae_paging(hw->get_cr0(v), cr4, efer) && vcpu_load_pdptrs(v, val))
			return 1;
	}
	hw->set_cr3(v, val);
	if (!keep)
		hw->tlb_flush(v, false);
	return 0;
}

/**
 * vcpu_cr4_reserved - CR4 bits that this guest may not set
 * @v: the vCPU
 *
 * A bit exists when its feature is in the guest's CPUID.
 */
u64 vcpu_cr4_reserved(struct vcpu *v)
{
	static const struct {
		u16 feature;
		u32 bits;
	} need[] = {
		{ X86_FEATURE_VME, X86_CR4_VME | X86_CR4_PVI },
		{ X86_FEATURE_TSC, X86_CR4_TSD },
		{ X86_FEATURE_DE, X86_CR4_DE },
		{ X86_FEATURE_PSE, X86_CR4_PSE },
		{ X86_FEATURE_PAE, X86_CR4_PAE },
		{ X86_FEATURE_MCE, X86_CR4_MCE },
		{ X86_FEATURE_PGE, X86_CR4_PGE },
		{ X86_FEATURE_FXSR, X86_CR4_OSFXSR },
		{ X86_FEATURE_XMM, X86_CR4_OSXMMEXCPT },
		{ X86_FEATURE_UMIP, X86_CR4_UMIP },
		{ X86_FEATURE_VMX, X86_CR4_VMXE },
		{ X86_FEATURE_FSGSBASE, X86_CR4_FSGSBASE },
		{ X86_FEATURE_PCID, X86_CR4_PCIDE },
		{ X86_FEATURE_XSAVE, X86_CR4_OSXSAVE },
		{ X86_FEATURE_SMEP, X86_CR4_SMEP },
		{ X86_FEATURE_SMAP, X86_CR4_SMAP },
		{ X86_FEATURE_PKU, X86_CR4_PKE },
		{ X86_FEATURE_LA57, X86_CR4_LA57 },
	};
	u64 allowed = X86_CR4_PCE;
	int i;

	for (i = 0; i < ARRAY_SIZE(need); i++)
		if (vcpu_has_feature(v, need[i].feature))
			allowed |= need[i].bits;
	return ~allowed;
}

/* MOV to CR4, with the checks of SDM "Control Registers" and of paging. */
int vcpu_set_cr4(struct vcpu *v, u64 val)
{
	u64 old = hw->get_cr4(v), cr0 = hw->get_cr0(v), efer = hw->get_efer(v);
	const u64 tlb_bits = X86_CR4_PGE | X86_CR4_PSE | X86_CR4_PAE | X86_CR4_SMEP | X86_CR4_SMAP |
			     X86_CR4_PCIDE | X86_CR4_PKE;

	if (val & v->cr4_reserved)
		return 1;
	if (!nested_cr4_allowed(v, val))
		return 1;
	if (efer & EFER_LMA) {
		if (!(val & X86_CR4_PAE) || ((val ^ old) & X86_CR4_LA57))
			return 1;
	}
	if ((val & X86_CR4_PCIDE) && !(old & X86_CR4_PCIDE)) {
		if (!(efer & EFER_LMA) || (hw->get_cr3(v) & 0xfff))
			return 1;
	}
	if (in_pae_paging(cr0, val, efer) &&
	    ((val ^ old) & (X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP)) &&
	    vcpu_load_pdptrs(v, hw->get_cr3(v)))
		return 1;

	hw->set_cr4(v, val);
	if ((val ^ old) & tlb_bits)
		hw->tlb_flush(v, false);
	if ((val ^ old) & (X86_CR4_OSXSAVE | X86_CR4_PKE))
		vcpu_cpuid_update(v);
	return 0;
}

int vcpu_set_cr8(struct vcpu *v, u64 val)
{
	if (val & ~0xfull)
		return 1;
	v->cr8 = val;
	if (v->lapic)
		lapic_set_cr8(v, val);
	vcpu_request(v, REQ_EVENT);
	return 0;
}

u64 vcpu_get_cr8(struct vcpu *v)
{
	return v->lapic ? lapic_get_cr8(v) : v->cr8;
}

/* EFER bits that this guest may not set: their features are not in its CPUID. */
u64 vcpu_efer_reserved(struct vcpu *v)
{
	u64 allowed = EFER_SCE;

	if (vcpu_has_feature(v, X86_FEATURE_LM))
		allowed |= EFER_LME | EFER_LMA;
	if (vcpu_has_feature(v, X86_FEATURE_NX))
		allowed |= EFER_NX;
	if (vcpu_has_feature(v, X86_FEATURE_FXSR_OPT))
		allowed |= EFER_FFXSR;
	return ~allowed;
}

/**
 * vcpu_set_efer - WRMSR of IA32_EFER, or the same from user space
 * @v:		    the vCPU, loaded
 * @val:	    value; LMA follows the mode unless @host_initiated
 * @host_initiated: from user space: may change LME and LMA under paging
 *
 * Return: 0 or 1 (#GP).
 */
int vcpu_set_efer(struct vcpu *v, u64 val, bool host_initiated)
{
	u64 old = hw->get_efer(v);

	if (val & vcpu_efer_reserved(v)) {
		/* User space may restore state before it gives the CPUID. */
		if (!host_initiated ||
		    (val & ~(u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | EFER_FFXSR)))
			return 1;
	}
	if (!host_initiated) {
		if (((val ^ old) & EFER_LME) && (hw->get_cr0(v) & X86_CR0_PG))
			return 1;
		val = (val & ~(u64)EFER_LMA) | (old & EFER_LMA);
	}
	hw->set_efer(v, val);
	if ((val ^ old) & EFER_NX)
		hw->tlb_flush(v, false);
	return 0;
}

/* XSETBV of XCR0: SDM "XSAVE-Supported Features and State-Component Bitmaps". */
int vcpu_set_xcr0(struct vcpu *v, u64 val)
{
	const u64 avx512 = 0xe0;

	if (!(val & 1) || (val & ~v->guest_xcr0))
		return 1;
	if ((val & 4) && !(val & 2))
		return 1;
	if ((val & avx512) && ((val & avx512) != avx512 || !(val & 4)))
		return 1;
	if (!!(val & 8) != !!(val & 0x10))
		return 1;
	v->xcr0 = val;
	vcpu_cpuid_update(v);
	return 0;
}

/* MOV to DRn (numbers 4 and 5 resolved by the caller): 0 or 1 (#GP). */
int vcpu_set_dr(struct vcpu *v, int nr, u64 val)
{
	switch (nr) {
	case 0 ... 3:
		v->dr[nr] = val;
		return 0;
	case 6:
		if (val >> 32)
			return 1;
		v->dr6 = (val & DR6_WRITABLE) | DR6_RESET;
		return 0;
	case 7:
		if (val >> 32)
			return 1;
		v->dr7 = (val & 0xffff2bffull) | DR7_FIXED;
		hw->set_dr7(v, vcpu_effective_dr7(v));
		return 0;
	}
	return 1;
}

u64 vcpu_get_dr(struct vcpu *v, int nr)
{
	switch (nr) {
	case 0 ... 3:
		return v->dr[nr];
	case 6:
		return v->dr6;
	default:
		return v->dr7;
	}
}

int vcpu_maxphyaddr(struct vcpu *v)
{
	return v->maxphyaddr;
}
