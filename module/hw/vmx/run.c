// SPDX-License-Identifier: GPL-2.0-only
/*
 * hw_ops.enter() of Intel: what changed since the last run goes into the VMCS,
 * the world switch, what the guest changed comes out. Every exit of every guest
 * passes here: a field is written only when its value differs.
 */
#include <linux/kernel.h>
#include <linux/mm_types.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include "hw/vmx/vmx.h"

#define VAPIC_TPR 0x80 /* SDM "Virtual-APIC Page", VTPR */

/* Host registers that may differ from one entry to the next on one CPU. */
static __always_inline void refresh_host(struct vmx_vcpu *x, struct vmx_ctx *c)
{
	unsigned long cr3 = __native_read_cr3(), cr4 = native_read_cr4();

	vmwrite_cached(c->host_cr3, HOST_CR3, cr3);
	vmwrite_cached(c->host_cr4, HOST_CR4, cr4);
	if (unlikely(c->host_gen != x->host_gen))
		vmx_write_host_fields(x, c);
}

static __always_inline void load_guest_regs(struct vcpu *v, struct vmx_ctx *c)
{
	vmwrite_cached(c->rip, GUEST_RIP, v->rip);
	vmwrite_cached(c->rsp, GUEST_RSP, v->regs[X86_RSP]);
	vmwrite_cached(c->rflags, GUEST_RFLAGS, v->rflags);
	if (native_read_cr2() != v->cr2)
		native_write_cr2(v->cr2);
}

/* Bound the entry where an external interrupt might not end it (caps.c). */
static void arm_timer(struct vmx_ctx *c, u64 rflags)
{
	u32 ticks = ~0u;

	if (!(rflags & X86_EFLAGS_IF))
		ticks = vmx_caps.irqs_stick_ticks;
	c->timer_is_ours = true;
	if (c->is_02)
		ticks = vmx_l2_timer(c, ticks);
	vmwrite_cached(c->timer, VMX_PREEMPTION_TIMER_VALUE, ticks);
}

static __always_inline void load_cr8(struct vcpu *v, struct vmx_vcpu *x, struct vmx_ctx *c)
{
	u32 threshold;

	if (!(c->proc & CPU_BASED_TPR_SHADOW) || c->foreign_vapic)
		return;
	x->vapic[VAPIC_TPR] = v->cr8 << 4;
	/* An entry with a threshold above the TPR fails (SDM "VM-Execution Control Fields"). */
	threshold = min_t(u32, x->tpr_want, v->cr8);
	vmwrite_cached(c->tpr_threshold, TPR_THRESHOLD, threshold);
}

static unsigned long run_flags(struct vmx_vcpu *x, struct vmx_ctx *c)
{
	unsigned long flags = c->vmcs.launched << VMX_RUN_RESUME_BIT;

	if (vmx_caps.verw)
		flags |= BIT(VMX_RUN_VERW_BIT);
	if (vmx_caps.spec_ctrl) {
		c->sw.host_spec_ctrl = vmx_host_spec_ctrl();
		c->sw.guest_spec_ctrl = x->spec_ctrl;
		if (x->spec_ctrl_passthrough)
			flags |= BIT(VMX_RUN_SPEC_BIT) | BIT(VMX_RUN_SPEC_SAVE_BIT);
		else if (x->spec_ctrl != c->sw.host_spec_ctrl)
			flags |= BIT(VMX_RUN_SPEC_BIT);
	}
	return flags;
}

static void flush_l1d(void)
{
	wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
}

/**
 * vmx_enter - run the current context until its next exit
 * @v: the vCPU, loaded, interrupts off
 * @e: filled
 */
void vmx_enter(struct vcpu *v, struct vcpu_exit *e)
{
	struct vmx_vcpu *x = v->vmx;
	struct vmx_ctx *c = x->cur;
	unsigned long flags;

	lockdep_assert_irqs_disabled();
	if (unlikely(!x->guest_loaded))
		vmx_switch_to_guest(x);
	refresh_host(x, c);
	load_guest_regs(v, c);
	load_cr8(v, x, c);
	if (c->pin & PIN_BASED_VMX_PREEMPTION_TIMER)
		arm_timer(c, v->rflags);
	if (unlikely(c->flush_ept | c->flush_vpid))
		vmx_tlb_serve(c);
	flags = run_flags(x, c);
	if (vmx_caps.l1d_flush)
		flush_l1d();

	flags = vmx_world_switch(v->regs, &c->sw, flags);

	c->avail = 0;
	if (unlikely(x->spec_ctrl_passthrough))
		x->spec_ctrl = c->sw.guest_spec_ctrl;
	if (unlikely(x->thread.debugctl))
		wrmsrl(MSR_IA32_DEBUGCTLMSR, x->thread.debugctl);
	if (unlikely(flags)) {
		vmx_fill_failure(c, e);
		return;
	}
	c->vmcs.launched = true;
	v->cr2 = native_read_cr2();
	v->rip = c->rip = vmread(GUEST_RIP);
	v->regs[X86_RSP] = c->rsp = vmread(GUEST_RSP);
	v->rflags = c->rflags = vmread(GUEST_RFLAGS);
	if ((c->proc & CPU_BASED_TPR_SHADOW) && !c->foreign_vapic)
		v->cr8 = x->vapic[VAPIC_TPR] >> 4;
	/* An entry consumes the event it was given. */
	c->intr_info = 0;
	vmx_fill_exit(x, c, e);
}
