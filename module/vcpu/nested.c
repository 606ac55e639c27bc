// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nesting of a vCPU: its life, the capability MSRs, what VMX operation does to control
 * registers, and the events that end an L2's turn. Entries and exits are in
 * nested_enter.c and nested_exit.c, the instructions in nested_insn.c.
 */
#include <linux/slab.h>
#include <asm/cpufeatures.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "irqchip/irqchip.h"
#include "linux/compat.h"
#include "mm/mm.h"
#include "nested/check.h"
#include "vcpu/nested_int.h"

/* What this machine can offer to any L1; constant after the first use. */
static void supported_caps(struct vmx_caps *caps)
{
	vmx_caps_init(caps, hw->nested_caps);
}

int vcpu_nested_create(struct vcpu *v)
{
	struct vcpu_nested *n;

	n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n)
		return -ENOMEM;
	n->vcpu = v;
	v->nested = n;
	nested_timer_init(v);
	n->vmcs12 = (struct vmcs12 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	n->msr_bitmap = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	n->shadow12 = (struct vmcs12 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!n->vmcs12 || !n->msr_bitmap || !n->shadow12)
		return -ENOMEM; /* the caller frees what there is */
	if (hw->nested_caps)
		supported_caps(&n->caps);
	nested_state_init(&n->st, n->vmcs12);
	return 0;
}

void vcpu_nested_free(struct vcpu *v)
{
	if (!v->nested)
		return;
	hrtimer_cancel(&v->nested->timer);
	nested_unpin_pages(v);
	free_page((unsigned long)v->nested->vmcs12);
	free_page((unsigned long)v->nested->msr_bitmap);
	free_page((unsigned long)v->nested->shadow12);
	kfree(v->nested->evmcs);
	kfree(v->nested);
	v->nested = NULL;
}

/**
 * nested_reset - RESET or INIT: leave L2 and VMX operation
 * @v: the vCPU, loaded
 *
 * The current VMCS is not written back: its contents are undefined after this (SDM
 * "Software Use of Virtual-Machine Control Structures").
 */
void nested_reset(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;

	if (!n)
		return;
	if (v->in_l2) {
		nested_timer_stop(v);
		hw->l2_leave(v, NULL);
		v->in_l2 = false;
		vcpu_request(v, REQ_MMU_RELOAD);
	} else {
		/* What the backend keeps of it must not come out with the next VMCS. */
		nested_sync_vmcs12(v, VMCS12_SYNC_WRITES | VMCS12_SYNC_REST);
	}
	n->uses_ept = false;
	n->entry_event = false;
	n->mtf_pending = false;
	n->restored = 0;
	n->shadow_on = false;
	n->bitmap_read = false;
	n->bitmap_clean = false;
	v->l2_halted = false;
	memset(&n->smm, 0, sizeof(n->smm));
	nested_unpin_pages(v);
	nested_state_init(&n->st, n->vmcs12);
	nested_publish_vmcs12(v, true);
}

/* CR4 bits that L1's CPUID offers are those that its VMCSs may hold. */
void nested_cpuid_changed(struct vcpu *v)
{
	if (!v->nested)
		return;
	vmx_caps_set_cr4_valid(&v->nested->caps, ~v->cr4_reserved);
	nested_caps_changed(v);
}

bool nested_vmxon(struct vcpu *v)
{
	return v->nested->st.vmxon;
}

/* Capability MSRs ------------------------------------------------------------- */

/* L1 that may use the enlightened VMCS is not told of what it cannot express: it would be misled. */
int nested_get_vmx_msr(struct vcpu *v, u32 index, u64 *val, bool host)
{
	const struct vmx_caps *caps = &v->nested->caps;

	if (!hw->nested_caps || !vcpu_has_feature(v, X86_FEATURE_VMX))
		return 1;
	if (!host && nested_evmcs_offered(v))
		caps = &v->nested->evmcs_caps;
	return vmx_caps_get_msr(caps, index, val) ? 1 : 0;
}

int nested_set_vmx_msr(struct vcpu *v, u32 index, u64 val)
{
	struct vmx_caps supported;

	if (!hw->nested_caps)
		return 1;
	/* Capabilities are fixed once they can have been used. */
	if (v->nested->st.vmxon || v->nested->smm.vmxon)
		return 1;
	supported_caps(&supported);
	if (vmx_caps_set_msr(&v->nested->caps, &supported, index, val))
		return 1;
	nested_caps_changed(v);
	return 0;
}

int nested_get_vmx_feature_msr(u32 index, u64 *val)
{
	struct vmx_caps supported;

	if (!hw->nested_caps)
		return 1;
	supported_caps(&supported);
	return vmx_caps_get_msr(&supported, index, val) ? 1 : 0;
}

/* Control registers ------------------------------------------------------------ */

/* SDM "Restrictions on VMX Operation"; in L2 with unrestricted guest PE and PG are free. */
bool nested_cr0_allowed(struct vcpu *v, u64 cr0)
{
	const struct vcpu_nested *n = v->nested;
	u64 fixed0 = n->caps.cr0_fixed0;

	if (!n->st.vmxon)
		return true;
	if (v->in_l2 && proc2_has(n->vmcs12, SECONDARY_EXEC_UNRESTRICTED_GUEST))
		fixed0 &= ~(u64)(X86_CR0_PE | X86_CR0_PG);
	return vmx_fixed_bits_ok(cr0, fixed0, n->caps.cr0_fixed1);
}

bool nested_cr4_allowed(struct vcpu *v, u64 cr4)
{
	const struct vcpu_nested *n = v->nested;

	/* SDM "Protection of CR4.VMXE in SMM" */
	if (v->smm && (cr4 & X86_CR4_VMXE))
		return false;
	if (!n->st.vmxon)
		return true;
	return vmx_fixed_bits_ok(cr4, n->caps.cr4_fixed0, n->caps.cr4_fixed1);
}

/* L2 wrote @val and L1 did not want the exit: L1's bits stay (SDM "Guest/Host Masks"). */
u64 nested_merge_cr0(struct vcpu *v, u64 val)
{
	u64 mask;

	if (!v->in_l2)
		return val;
	mask = v->nested->vmcs12->cr0_guest_host_mask;
	return (hw->get_cr0(v) & mask) | (val & ~mask);
}

u64 nested_merge_cr4(struct vcpu *v, u64 val)
{
	u64 mask;

	if (!v->in_l2)
		return val;
	mask = v->nested->vmcs12->cr4_guest_host_mask;
	return (hw->get_cr4(v) & mask) | (val & ~mask);
}

u64 nested_read_cr0(struct vcpu *v)
{
	const struct vmcs12 *m = v->nested->vmcs12;
	u64 cr0 = hw->get_cr0(v);

	if (!v->in_l2)
		return cr0;
	return (cr0 & ~m->cr0_guest_host_mask) | (m->cr0_read_shadow & m->cr0_guest_host_mask);
}

u64 nested_read_cr4(struct vcpu *v)
{
	const struct vmcs12 *m = v->nested->vmcs12;
	u64 cr4 = hw->get_cr4(v);

	if (!v->in_l2)
		return cr4;
	return (cr4 & ~m->cr4_guest_host_mask) | (m->cr4_read_shadow & m->cr4_guest_host_mask);
}

/* PDPTEs of an L2 in PAE paging, when L0 carries out what loads them: 0 or 1 (#GP). */
int nested_load_pdptrs(struct vcpu *v, u64 cr3)
{
	u64 l1gpa = cr3 & 0xffffffe0ull, qual;

	if (nested_uses_ept(v) &&
	    mdp_translate(v, nested_eptp(v), l1gpa, EPT_ACC_READ, &l1gpa, &qual) != MM_MAPPED)
		return 1;
	return vcpu_load_pdptes_at(v, l1gpa);
}

/* Memory ------------------------------------------------------------------------ */

bool nested_uses_ept(struct vcpu *v)
{
	return v->in_l2 && v->nested->uses_ept;
}

u64 nested_eptp(struct vcpu *v)
{
	return v->nested->eptp;
}

/* Events while L2 runs ----------------------------------------------------------- */

bool nested_exits_on_irq(struct vcpu *v)
{
	return v->in_l2 && pin_has(v->nested->vmcs12, PIN_BASED_EXT_INTR_MASK);
}

bool nested_exits_on_nmi(struct vcpu *v)
{
	return v->in_l2 && pin_has(v->nested->vmcs12, PIN_BASED_NMI_EXITING);
}

/*
 * An exception raised by L0 on L2's behalf goes where L2's own would: to L1 when the exception
 * bitmap (and for #PF the error-code mask) says so.
 */
static bool l1_wants_exception(struct vcpu *v)
{
	const struct vmcs12 *m = v->nested->vmcs12;
	u8 vector = v->ev.exc.vector;
	bool bit = m->exception_bitmap & BIT(vector);

	if (vector != X86_TRAP_PF)
		return bit;
	if ((v->ev.exc.error & m->page_fault_error_code_mask) != m->page_fault_error_code_match)
		bit = !bit;
	return bit;
}

static int exception_exit(struct vcpu *v)
{
	struct vcpu_exit e = {
		.reason = EXIT_REASON_EXCEPTION_NMI,
		.intr_info = INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | v->ev.exc.vector,
		.qual = v->ev.exc.has_payload ? v->ev.exc.payload : 0,
	};

	if (v->ev.exc.has_error) {
		e.intr_info |= INTR_INFO_DELIVER_CODE_MASK;
		e.intr_error = v->ev.exc.error;
	}
	if (v->ev.exc.vector == X86_TRAP_BP || v->ev.exc.vector == X86_TRAP_OF) {
		e.intr_info ^= INTR_TYPE_HARD_EXCEPTION ^ INTR_TYPE_SOFT_EXCEPTION;
		e.insn_len = v->ev.soft_insn_len;
	}
	v->ev.exc.pending = false;
	return nested_vmexit(v, &e);
}

static int nmi_exit(struct vcpu *v)
{
	const struct vcpu_exit e = {
		.reason = EXIT_REASON_EXCEPTION_NMI,
		.intr_info = INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR | X86_TRAP_NMI,
	};
	int r;

	atomic_dec(&v->ev.nmi_pending);
	r = nested_vmexit(v, &e);
	/* The NMI has been taken: L1 runs with NMIs blocked (SDM "VM Exits", event blocking). */
	if (r == RESUME_GUEST)
		hw->set_intr_shadow(v, hw->get_intr_shadow(v) | INTR_SHADOW_NMI);
	return r;
}

static int irq_exit(struct vcpu *v)
{
	struct vcpu_exit e = { .reason = EXIT_REASON_EXTERNAL_INTERRUPT };

	if (exit_has(v->nested->vmcs12, VM_EXIT_ACK_INTR_ON_EXIT)) {
		int vector = vcpu_ack_irq(v);

		if (vector < 0)
			return RESUME_GUEST; /* it has vanished */
		e.intr_info = INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR | vector;
	}
	return nested_vmexit(v, &e);
}

bool nested_event_due(const struct vcpu *v)
{
	return v->in_l2 && v->nested->entry_event;
}

/* Windows that L1 waits for. */
static bool irq_window_open(struct vcpu *v)
{
	return proc_has(v->nested->vmcs12, CPU_BASED_INTR_WINDOW_EXITING) && vcpu_irq_allowed(v);
}

static bool nmi_window_open(struct vcpu *v)
{
	return proc_has(v->nested->vmcs12, CPU_BASED_NMI_WINDOW_EXITING) &&
	       !(hw->get_intr_shadow(v) & (INTR_SHADOW_NMI | INTR_SHADOW_MOV_SS));
}

static bool something_exits(struct vcpu *v)
{
	return v->nested->mtf_pending || nested_timer_expired(v) || vcpu_init_pending(v) ||
	       (atomic_read(&v->ev.nmi_pending) && nested_exits_on_nmi(v)) ||
	       (nested_exits_on_irq(v) && vcpu_irq_pending(v));
}

/**
 * nested_check_events - VM exits that pending events cause while L2 runs
 * @v: the vCPU in L2, loaded
 *
 * In the order of SDM "Priority Among Concurrent Events". While an event is being
 * injected into L2 all have to wait until it was delivered: then the entry is followed
 * by an exit at once.
 *
 * Return: RESUME_GUEST (in L2 or, after an exit, in L1), or -errno.
 */
int nested_check_events(struct vcpu *v)
{
	bool busy;

	nested_take_event(v);
	busy = v->ev.exc.injected || v->ev.nmi_injected || v->ev.irq.injected;
	if (busy) {
		if (something_exits(v))
			v->want_immediate_exit = true;
		return RESUME_GUEST;
	}
	if (vcpu_take_init(v))
		return nested_vmexit_simple(v, EXIT_REASON_INIT_SIGNAL, 0);
	if (v->nested->mtf_pending)
		return nested_vmexit_simple(v, EXIT_REASON_MONITOR_TRAP_FLAG, 0);
	if (v->ev.exc.pending && l1_wants_exception(v))
		return exception_exit(v);
	if (v->ev.exc.pending)
		return RESUME_GUEST;
	if (nested_timer_expired(v))
		return nested_vmexit_simple(v, EXIT_REASON_PREEMPTION_TIMER, 0);
	if (nmi_window_open(v))
		return nested_vmexit_simple(v, EXIT_REASON_NMI_WINDOW, 0);
	if (atomic_read(&v->ev.nmi_pending) && nested_exits_on_nmi(v))
		return nmi_exit(v);
	if (irq_window_open(v))
		return nested_vmexit_simple(v, EXIT_REASON_INTERRUPT_WINDOW, 0);
	if (nested_exits_on_irq(v) && vcpu_irq_pending(v))
		return irq_exit(v);
	return RESUME_GUEST;
}

int nested_triple_fault(struct vcpu *v)
{
	return nested_vmexit_simple(v, EXIT_REASON_TRIPLE_FAULT, 0);
}
