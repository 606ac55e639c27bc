// SPDX-License-Identifier: GPL-2.0-only
/*
 * RESET and INIT: SDM "Processor State After Reset". Context 01 is loaded with what the
 * manual's table says; the local APIC and the FPU do their own part.
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "irqchip/irqchip.h"
#include "vcpu/core.h"
#include "vcpu/nested.h"
#include "vcpu/smm_map.h"

static void reset_segments(struct vcpu *v)
{
	const struct x86_seg cs = {
		.selector = 0xf000,
		.base = 0xffff0000,
		.limit = 0xffff,
		.ar = 0xb | SEG_AR_S | SEG_AR_P,
	};
	const struct x86_seg data = { .limit = 0xffff, .ar = 0x3 | SEG_AR_S | SEG_AR_P };
	const struct x86_seg tr = { .limit = 0xffff, .ar = 0xb | SEG_AR_P };
	const struct x86_seg ldtr = { .limit = 0xffff, .ar = 0x2 | SEG_AR_P };
	const struct x86_dt dt = { .limit = 0xffff };

	hw->set_seg(v, X86_CS, &cs);
	hw->set_seg(v, X86_DS, &data);
	hw->set_seg(v, X86_ES, &data);
	hw->set_seg(v, X86_SS, &data);
	hw->set_seg(v, X86_FS, &data);
	hw->set_seg(v, X86_GS, &data);
	hw->set_seg(v, X86_TR, &tr);
	hw->set_seg(v, X86_LDTR, &ldtr);
	hw->set_gdt(v, &dt);
	hw->set_idt(v, &dt);
}

/* What RESET clears and INIT leaves alone. */
static void reset_only(struct vcpu *v)
{
	v->xcr0 = 1;
	v->xss = 0;
	v->misc_enable = MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL | MSR_IA32_MISC_ENABLE_BTS_UNAVAIL;
	v->feature_control = 0;
	vcpu_mce_reset(v);
	v->smbase = SMM_RESET_BASE;
	v->smi_count = 0;
	WRITE_ONCE(v->smi_pending, false);
	v->apic_base = APIC_DEFAULT_PHYS_BASE | MSR_IA32_APICBASE_ENABLE;
	if (v->id == v->vm->bsp_vcpu_id)
		v->apic_base |= MSR_IA32_APICBASE_BSP;
}

/**
 * vcpu_reset - put the vCPU into the state after RESET or INIT
 * @v:	  the vCPU, loaded, by its own thread or before it has one
 * @init: INIT rather than RESET
 */
void vcpu_reset(struct vcpu *v, bool init)
{
	u64 old_cr0;

	nested_reset(v);
	v->smm = false;
	v->smm_in_nmi = false;
	old_cr0 = init ? hw->get_cr0(v) : 0;
	hw->vcpu_reset(v);

	memset(v->regs, 0, sizeof(v->regs));
	v->regs[X86_RDX] = vcpu_cpuid_signature(v);
	v->rip = 0xfff0;
	v->rflags = X86_EFLAGS_FIXED;
	v->cr2 = 0;
	v->cr8 = 0;
	memset(v->dr, 0, sizeof(v->dr));
	v->dr6 = DR6_RESET;
	v->dr7 = DR7_FIXED;

	reset_segments(v);
	hw->set_efer(v, 0);
	/* INIT leaves CD and NW as they were. */
	hw->set_cr0(v, init ? X86_CR0_ET | (old_cr0 & (X86_CR0_CD | X86_CR0_NW)) :
			      X86_CR0_ET | X86_CR0_CD | X86_CR0_NW);
	hw->set_cr3(v, 0);
	hw->set_cr4(v, 0);
	hw->set_dr7(v, vcpu_effective_dr7(v));
	hw->set_intr_shadow(v, 0);

	memset(&v->ev.exc, 0, sizeof(v->ev.exc));
	memset(&v->ev.irq, 0, sizeof(v->ev.irq));
	v->ev.nmi_injected = false;
	v->ev.user_irq_valid = false;
	atomic_set(&v->ev.nmi_pending, 0);
	v->l2_halted = false;
	clear_bit(REQ_TRIPLE_FAULT, &v->requests);

	if (!init)
		reset_only(v);
	vcpu_fpu_reset(v, init);
	vcpu_clock_reset(v);
	vcpu_steal_reset(v);
	if (v->lapic)
		lapic_reset(v, init);
	vcpu_cpuid_update(v);
	hw->tlb_flush(v, true);
	vcpu_request(v, REQ_MMU_RELOAD);
	vcpu_request(v, REQ_EVENT);
}
