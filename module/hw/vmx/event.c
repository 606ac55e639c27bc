// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events and what exits: injection, event windows, interruptibility, intercepts
 * that the core asks for. Nothing here decides which event is due.
 */
#include <linux/kernel.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include "hw/vmx/vmx.h"

/* As in GUEST_INTERRUPTIBILITY_INFO. */
u32 vmx_intr_state(struct vmx_ctx *c)
{
	if (!(c->avail & AVAIL_INTR)) {
		c->intr_state = vmread(GUEST_INTERRUPTIBILITY_INFO);
		c->avail |= AVAIL_INTR;
	}
	return c->intr_state;
}

void vmx_write_intr_state(struct vmx_ctx *c, u32 state)
{
	if ((c->avail & AVAIL_INTR) && c->intr_state == state)
		return;
	c->intr_state = state;
	c->avail |= AVAIL_INTR;
	vmwrite(GUEST_INTERRUPTIBILITY_INFO, state);
}

static_assert(INTR_SHADOW_STI == GUEST_INTR_STATE_STI &&
	      INTR_SHADOW_MOV_SS == GUEST_INTR_STATE_MOV_SS &&
	      INTR_SHADOW_NMI == GUEST_INTR_STATE_NMI);

#define SHADOW_BITS    (INTR_SHADOW_STI | INTR_SHADOW_MOV_SS | INTR_SHADOW_NMI)
#define PENDING_DBG_BS BIT(14)

u32 vmx_get_intr_shadow(struct vcpu *v)
{
	return vmx_intr_state(v->vmx->cur) & SHADOW_BITS;
}

void vmx_set_intr_shadow(struct vcpu *v, u32 shadow)
{
	struct vmx_ctx *c = v->vmx->cur;

	/* At most one of the two may be set (SDM "Checks on Guest Non-Register State"). */
	if (shadow & INTR_SHADOW_MOV_SS)
		shadow &= ~INTR_SHADOW_STI;
	vmx_write_intr_state(c, shadow & SHADOW_BITS);
	/* Same section: with TF and such a shadow the pending single step must be there. */
	if ((shadow & (INTR_SHADOW_STI | INTR_SHADOW_MOV_SS)) && (v->rflags & X86_EFLAGS_TF))
		vmwrite(GUEST_PENDING_DBG_EXCEPTIONS,
			vmread(GUEST_PENDING_DBG_EXCEPTIONS) | PENDING_DBG_BS);
}

static bool is_software_event(u32 intr_info)
{
	u32 type = intr_info & INTR_INFO_INTR_TYPE_MASK;

	return type == INTR_TYPE_SOFT_INTR || type == INTR_TYPE_SOFT_EXCEPTION ||
	       type == INTR_TYPE_PRIV_SW_EXCEPTION;
}

void vmx_inject(struct vcpu *v, u32 intr_info, u32 error, u32 insn_len)
{
	struct vmx_ctx *c = v->vmx->cur;

	if (!(intr_info & INTR_INFO_VALID_MASK))
		intr_info = 0;
	if (intr_info & INTR_INFO_DELIVER_CODE_MASK) {
		/* SDM "VM-Entry Control Fields for Event Injection": none in real mode. */
		if (vmx_get_cr0(v) & X86_CR0_PE)
			vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, error & 0xffff);
		else
			intr_info &= ~INTR_INFO_DELIVER_CODE_MASK;
	}
	if (is_software_event(intr_info)) {
		if (insn_len) {
			vmwrite(VM_ENTRY_INSTRUCTION_LEN, insn_len);
		} else if ((intr_info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_SOFT_EXCEPTION) {
			/* RIP is behind the instruction already: same frame, no length. */
			intr_info &= ~INTR_INFO_INTR_TYPE_MASK;
			intr_info |= INTR_TYPE_HARD_EXCEPTION;
		}
	}
	vmwrite_cached(c->intr_info, VM_ENTRY_INTR_INFO_FIELD, intr_info);
}

void vmx_set_window(struct vcpu *v, u32 windows)
{
	struct vmx_ctx *c = v->vmx->cur;
	u32 proc = c->proc & ~(CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING);

	if (windows & WINDOW_IRQ)
		proc |= CPU_BASED_INTR_WINDOW_EXITING;
	if (windows & WINDOW_NMI)
		proc |= CPU_BASED_NMI_WINDOW_EXITING;
	vmx_set_proc(c, proc | c->l1_windows);
}

/* Bring context 01, which is current, up to what the core asked for meanwhile. */
void vmx_sync_01(struct vmx_vcpu *x)
{
	struct vmx_ctx *c = &x->c01;
	u32 proc = c->proc & ~CPU_BASED_MOV_DR_EXITING;

	x->c01_stale = false;
	/* The other vendor's hypercall instruction is an undefined opcode: nested_handle_ud(). */
	vmx_set_exc(c, x->exc01 | VMX_ALWAYS_INTERCEPTED | BIT(X86_TRAP_UD));
	if (x->dr_exits)
		proc |= CPU_BASED_MOV_DR_EXITING;
	vmx_set_proc(c, proc);
	vmwrite_cached(c->tsc_offset, TSC_OFFSET, x->tsc_offset01);
}

static void changed_01(struct vmx_vcpu *x)
{
	if (x->cur == &x->c01)
		vmx_sync_01(x);
	else
		x->c01_stale = true;
}

void vmx_set_exc_intercepts(struct vcpu *v, u32 vectors)
{
	v->vmx->exc01 = vectors;
	changed_01(v->vmx);
}

void vmx_set_dr_intercept(struct vcpu *v, bool on)
{
	v->vmx->dr_exits = on;
	changed_01(v->vmx);
}

void vmx_set_tsc_offset(struct vcpu *v, u64 offset)
{
	v->vmx->tsc_offset01 = offset;
	changed_01(v->vmx);
}

/* Without a TPR shadow every MOV to CR8 exits and no threshold is needed. */
void vmx_set_cr8_intercept(struct vcpu *v, u32 tpr_threshold)
{
	v->vmx->tpr_want = tpr_threshold;
}
