// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: exceptions, NMIs, interrupts; from "raised" to "handed to the hardware".
 *
 * An event is pending until vcpu_prepare_events() hands it over, and injected from
 * then until an exit tells that it was delivered. vcpu_events_after_exit() turns
 * IDT-vectoring information back into an injected event, so that handing over is
 * repeated at the next entry: nothing is lost when an entry is abandoned or a
 * delivery is cut short.
 */
#include <linux/kernel.h>
#include <linux/kvm_types.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include <asm/trapnr.h>

#include "irqchip/irqchip.h"
#include "linux/trace.h"
#include "vcpu/core.h"
#include "vcpu/nested.h"
#include "vcpu/smm_map.h"
#include "vcpu/vcpu.h"

/* SDM "Conditions for Generating a Double Fault". */
enum exc_class { EXC_BENIGN, EXC_CONTRIBUTORY, EXC_PAGE_FAULT };

static enum exc_class exc_class(u8 vector)
{
	switch (vector) {
	case X86_TRAP_DE:
	case X86_TRAP_TS:
	case X86_TRAP_NP:
	case X86_TRAP_SS:
	case X86_TRAP_GP:
		return EXC_CONTRIBUTORY;
	case X86_TRAP_PF:
		return EXC_PAGE_FAULT;
	default:
		return EXC_BENIGN;
	}
}

/* The exceptions that push an error code in protected mode. */
bool exc_has_error(u8 vector)
{
	const u32 with = BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | BIT(X86_TRAP_SS) |
			 BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) | BIT(X86_TRAP_AC);

	return vector < 32 && (with & BIT(vector));
}

static void exc_set(struct vcpu *v, u8 vector, bool has_error, u32 error, bool has_payload,
		    u64 payload)
{
	v->ev.exc.pending = true;
	v->ev.exc.injected = false;
	v->ev.exc.vector = vector;
	v->ev.exc.has_error = has_error;
	v->ev.exc.error = error;
	v->ev.exc.has_payload = has_payload;
	v->ev.exc.payload = payload;
	vcpu_request(v, REQ_EVENT);
}

static void exc_raise(struct vcpu *v, u8 vector, bool has_error, u32 error, bool has_payload,
		      u64 payload)
{
	enum exc_class first, second;

	if (!v->ev.exc.pending && !v->ev.exc.injected) {
		exc_set(v, vector, has_error, error, has_payload, payload);
		return;
	}

	if (v->ev.exc.vector == X86_TRAP_DF) {
		v->ev.exc.pending = false;
		v->ev.exc.injected = false;
		vcpu_request(v, REQ_TRIPLE_FAULT);
		return;
	}

	first = exc_class(v->ev.exc.vector);
	second = exc_class(vector);
	if ((first == EXC_CONTRIBUTORY && second == EXC_CONTRIBUTORY) ||
	    (first == EXC_PAGE_FAULT && second != EXC_BENIGN))
		exc_set(v, X86_TRAP_DF, true, 0, false, 0);
	else
		/* Handled serially: the first is raised anew by its instruction. */
		exc_set(v, vector, has_error, error, has_payload, payload);
}

/**
 * vcpu_inject_exception - raise an exception without error code
 * @v:	    the vCPU, by its own thread
 * @vector: X86_TRAP_*
 */
void vcpu_inject_exception(struct vcpu *v, u8 vector)
{
	exc_raise(v, vector, false, 0, false, 0);
}

/**
 * vcpu_inject_exception_err - raise an exception with an error code
 * @v:	    the vCPU, by its own thread
 * @vector: X86_TRAP_*
 * @error:  error code; dropped in real mode, where none is pushed
 */
void vcpu_inject_exception_err(struct vcpu *v, u8 vector, u32 error)
{
	exc_raise(v, vector, hw->get_cr0(v) & X86_CR0_PE, error, false, 0);
}

/**
 * vcpu_inject_pf - raise a page fault
 * @v:	   the vCPU, by its own thread
 * @cr2:   faulting linear address
 * @error: page-fault error code
 */
void vcpu_inject_pf(struct vcpu *v, u64 cr2, u32 error)
{
	exc_raise(v, X86_TRAP_PF, true, error, true, cr2);
}

void vcpu_inject_gp(struct vcpu *v)
{
	vcpu_inject_exception_err(v, X86_TRAP_GP, 0);
}

void vcpu_inject_ud(struct vcpu *v)
{
	vcpu_inject_exception(v, X86_TRAP_UD);
}

/**
 * vcpu_inject_db - raise a debug exception
 * @v:	      the vCPU, by its own thread
 * @dr6_bits: conditions that were met, as DR6 bits (RTM and reserved bits clear)
 */
void vcpu_inject_db(struct vcpu *v, u64 dr6_bits)
{
	exc_raise(v, X86_TRAP_DB, false, 0, true, dr6_bits);
}

/**
 * vcpu_inject_soft - INT n, INT3, INTO as a result of emulation
 * @v:	      the vCPU, by its own thread
 * @vector:   vector
 * @insn_len: length of the instruction in bytes: the return address is RIP + @insn_len
 */
void vcpu_inject_soft(struct vcpu *v, u8 vector, u32 insn_len)
{
	v->ev.irq.injected = true;
	v->ev.irq.soft = true;
	v->ev.irq.vector = vector;
	v->ev.soft_insn_len = insn_len;
	vcpu_request(v, REQ_EVENT);
}

void vcpu_post_nmi(struct vcpu *v)
{
	/* One may be blocked and one more latched, as in a real processor. */
	atomic_add_unless(&v->ev.nmi_pending, 1, 2);
	vcpu_request_and_kick(v, REQ_EVENT);
}

/* The side effect of an exception that precedes its delivery. */
static void exc_deliver_payload(struct vcpu *v)
{
	if (!v->ev.exc.has_payload)
		return;

	if (v->ev.exc.vector == X86_TRAP_PF) {
		v->cr2 = v->ev.exc.payload;
	} else if (v->ev.exc.vector == X86_TRAP_DB) {
		/* SDM "Debug Status Register (DR6)": B0-B3 are cleared first. */
		v->dr6 &= ~0xfull;
		v->dr6 |= v->ev.exc.payload | DR6_FIXED;
		hw->set_dr7(v, hw->get_dr7(v) & ~DR7_GD);
	}
	v->ev.exc.has_payload = false;
	v->ev.exc.payload = 0;
}

static u32 exc_intr_info(const struct vcpu *v)
{
	u8 vector = v->ev.exc.vector;
	u32 info = INTR_INFO_VALID_MASK | vector;

	/* INT3 and INTO are software exceptions, INT1 is not raised by us. */
	if (vector == X86_TRAP_BP || vector == X86_TRAP_OF)
		info |= INTR_TYPE_SOFT_EXCEPTION;
	else
		info |= INTR_TYPE_HARD_EXCEPTION;
	if (v->ev.exc.has_error)
		info |= INTR_INFO_DELIVER_CODE_MASK;
	return info;
}

static void inject_exception(struct vcpu *v)
{
	u64 rflags = v->rflags;

	if (v->ev.exc.pending) {
		exc_deliver_payload(v);
		/* Faults push RF = 1 (SDM "Resume Flag"), traps and #DB do not. */
		if (v->ev.exc.vector != X86_TRAP_DB && v->ev.exc.vector != X86_TRAP_BP &&
		    v->ev.exc.vector != X86_TRAP_OF)
			v->rflags = rflags | X86_EFLAGS_RF;
		v->ev.exc.pending = false;
		v->ev.exc.injected = true;
	}
	trace_turtles_inj_exception(v->id, v->ev.exc.vector, v->ev.exc.has_error, v->ev.exc.error);
	hw->inject(v, exc_intr_info(v), v->ev.exc.error, v->ev.soft_insn_len);
}

static void inject_irq(struct vcpu *v)
{
	u32 type = v->ev.irq.soft ? INTR_TYPE_SOFT_INTR : INTR_TYPE_EXT_INTR;

	v->stats.irq_injections++;
	trace_turtles_inj_virq(v->id, v->ev.irq.vector, v->ev.irq.soft);
	hw->inject(v, INTR_INFO_VALID_MASK | type | v->ev.irq.vector, 0, v->ev.soft_insn_len);
}

static void inject_nmi(struct vcpu *v)
{
	v->stats.nmi_injections++;
	hw->inject(v, INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR | X86_TRAP_NMI, 0, 0);
}

/* RFLAGS.IF and the interrupt shadow allow an external interrupt now. */
bool vcpu_irq_allowed(struct vcpu *v)
{
	return (v->rflags & X86_EFLAGS_IF) &&
	       !(hw->get_intr_shadow(v) & (INTR_SHADOW_STI | INTR_SHADOW_MOV_SS));
}

static bool nmi_allowed(struct vcpu *v)
{
	return !(hw->get_intr_shadow(v) & (INTR_SHADOW_NMI | INTR_SHADOW_MOV_SS | INTR_SHADOW_STI));
}

/* An interrupt is waiting at the in-kernel or at the user-space controller. */
bool vcpu_irq_pending(struct vcpu *v)
{
	if (v->ev.user_irq_valid)
		return true;
	return v->lapic && lapic_pending_irq(v) >= 0;
}

/* Take the interrupt off its controller; vector, or -1 when it has vanished. */
int vcpu_ack_irq(struct vcpu *v)
{
	if (v->ev.user_irq_valid) {
		v->ev.user_irq_valid = false;
		return v->ev.user_irq;
	}
	return v->lapic ? lapic_ack_irq(v) : -1;
}

/* A PIC in user space is there, and its INTR is wired through to this vCPU. */
bool vcpu_accepts_user_pic(struct vcpu *v)
{
	return !v->lapic || (v->vm->irqchip_split && lapic_accepts_pic(v));
}

/* User space wants to know when it can use KVM_INTERRUPT. */
bool vcpu_wants_user_window(struct vcpu *v)
{
	return READ_ONCE(v->run->request_interrupt_window) && vcpu_accepts_user_pic(v);
}

static void irq_take(struct vcpu *v)
{
	int vector = vcpu_ack_irq(v);

	if (vector < 0)
		return;
	v->ev.irq.vector = vector;
	v->ev.irq.soft = false;
	v->ev.irq.injected = true;
	inject_irq(v);
}

static bool event_injected(const struct vcpu *v)
{
	return v->ev.exc.injected || v->ev.irq.injected || v->ev.nmi_injected;
}

/* An event is being delivered, or will be before anything else happens. */
bool vcpu_event_queued(const struct vcpu *v)
{
	return event_injected(v) || v->ev.exc.pending || nested_event_due(v);
}

/* Hand over again what an abandoned entry or a cut-short delivery left behind. */
static void reinject(struct vcpu *v)
{
	if (v->ev.exc.injected)
		inject_exception(v);
	else if (v->ev.nmi_injected)
		inject_nmi(v);
	else if (v->ev.irq.injected)
		inject_irq(v);
}

/**
 * vcpu_prepare_events - choose the event for the next entry, and the windows to wait for
 * @v: the vCPU, loaded, by its own thread
 *
 * Order as in SDM "Priority Among Concurrent Events": what is being delivered, then
 * exceptions, NMIs, interrupts. In L2 the nested core is asked first, since an
 * event may belong to L1; one that arrives after it was asked has made REQ_EVENT again, so L2
 * does not run before it is asked once more, and is never given what is L1's.
 *
 * Return: RESUME_GUEST or what a nested VM exit came to (see enum vcpu_next).
 */
int vcpu_prepare_events(struct vcpu *v)
{
	u32 windows = 0;
	int r;

	/* An instruction that L0 did for the guest was single-stepped, or met DR7.GD. */
	if (unlikely(v->debug_flags) && v->ev.exc.pending && v->ev.exc.vector == X86_TRAP_DB &&
	    v->ev.exc.has_payload && vcpu_user_takes_db(v)) {
		v->ev.exc.pending = false;
		return vcpu_exit_debug(v, X86_TRAP_DB, v->ev.exc.payload);
	}

	if (v->in_l2) {
		r = nested_check_events(v);
		if (r != RESUME_GUEST)
			return r;
	}

	if (event_injected(v))
		reinject(v);
	else if (v->ev.exc.pending)
		inject_exception(v);

	/* No window either: it would open at once, and nothing would go through it. */
	if (unlikely(v->debug_flags & KVM_GUESTDBG_BLOCKIRQ)) {
		hw->set_window(v, 0);
		return RESUME_GUEST;
	}

	if (atomic_read(&v->ev.nmi_pending) && !nested_exits_on_nmi(v)) {
		if (!event_injected(v) && nmi_allowed(v)) {
			atomic_dec(&v->ev.nmi_pending);
			v->ev.nmi_injected = true;
			inject_nmi(v);
		}
		if (atomic_read(&v->ev.nmi_pending))
			windows |= WINDOW_NMI;
	}

	if (vcpu_irq_pending(v) && !nested_exits_on_irq(v)) {
		if (!event_injected(v) && vcpu_irq_allowed(v))
			irq_take(v);
		if (vcpu_irq_pending(v))
			windows |= WINDOW_IRQ;
	}
	if (vcpu_wants_user_window(v))
		windows |= WINDOW_IRQ;

	hw->set_window(v, windows);
	return RESUME_GUEST;
}

static void requeue_vectoring(struct vcpu *v, u32 info)
{
	u8 vector = info & INTR_INFO_VECTOR_MASK;

	switch (info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_NMI_INTR:
		v->ev.nmi_injected = true;
		/* The delivery that was cut short had set blocking by NMI. */
		hw->set_intr_shadow(v, hw->get_intr_shadow(v) & ~INTR_SHADOW_NMI);
		break;
	case INTR_TYPE_SOFT_EXCEPTION:
	case INTR_TYPE_PRIV_SW_EXCEPTION:
		v->ev.soft_insn_len = v->exit.insn_len;
		fallthrough;
	case INTR_TYPE_HARD_EXCEPTION:
		v->ev.exc.injected = true;
		v->ev.exc.pending = false;
		v->ev.exc.vector = vector;
		v->ev.exc.has_error = info & INTR_INFO_DELIVER_CODE_MASK;
		v->ev.exc.error = v->exit.idt_error;
		v->ev.exc.has_payload = false;
		break;
	case INTR_TYPE_SOFT_INTR:
	case INTR_TYPE_EXT_INTR:
		v->ev.soft_insn_len = v->exit.insn_len;
		v->ev.irq.injected = true;
		v->ev.irq.soft = (info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_SOFT_INTR;
		v->ev.irq.vector = vector;
		break;
	}
	vcpu_request(v, REQ_EVENT);
}

/**
 * vcpu_events_after_exit - an entry has happened: what was injected is gone, or comes back
 * @v: the vCPU, by its own thread, after hw->enter(); v->exit is filled
 */
void vcpu_events_after_exit(struct vcpu *v)
{
	v->ev.exc.injected = false;
	v->ev.irq.injected = false;
	v->ev.nmi_injected = false;

	if (v->exit.idt_info & INTR_INFO_VALID_MASK)
		requeue_vectoring(v, v->exit.idt_info);
}

/**
 * vcpu_queue_user_irq - KVM_INTERRUPT
 * @v:	    the vCPU, mutex held
 * @vector: from the user-space controller
 *
 * Return: 0; -EINVAL for a bad vector; -ENXIO with an in-kernel local APIC;
 *	   -EEXIST when one is queued already.
 */
int vcpu_queue_user_irq(struct vcpu *v, u32 vector)
{
	lockdep_assert_held(&v->mutex);
	if (vector > 255)
		return -EINVAL;
	if (v->lapic && !v->vm->irqchip_split)
		return -ENXIO;
	if (v->ev.user_irq_valid)
		return -EEXIST;
	v->ev.user_irq = vector;
	v->ev.user_irq_valid = true;
	vcpu_request(v, REQ_EVENT);
	return 0;
}

/**
 * vcpu_injected_irq - the interrupt that user space has to save with the vCPU
 * @v:	    the vCPU
 * @vector: set to its vector
 *
 * Its controller has let go of it already. That is true of what KVM_INTERRUPT queued, too.
 */
bool vcpu_injected_irq(const struct vcpu *v, u8 *vector)
{
	bool queued = !v->ev.irq.injected && v->ev.user_irq_valid;

	*vector = queued ? v->ev.user_irq : v->ev.irq.vector;
	return queued || (v->ev.irq.injected && !v->ev.irq.soft);
}

/* KVM_GET_VCPU_EVENTS */
void vcpu_get_events(struct vcpu *v, struct kvm_vcpu_events *e)
{
	lockdep_assert_held(&v->mutex);
	memset(e, 0, sizeof(*e));
	/* One that only is on its way is taken, as by KVM_GET_MP_STATE, and told once: see there. */
	vcpu_accept_init_sipi(v);
	nested_untake_event(v);
	e->exception.injected = v->ev.exc.injected;
	e->exception.nr = v->ev.exc.vector;
	e->exception.has_error_code = v->ev.exc.has_error;
	e->exception.error_code = v->ev.exc.error;
	e->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
		   KVM_VCPUEVENT_VALID_SMM;
	if (v->vm->exception_payload) {
		e->exception.pending = v->ev.exc.pending;
		e->exception_has_payload = v->ev.exc.has_payload;
		e->exception_payload = v->ev.exc.payload;
		e->flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
	} else {
		/* Without the capability pending and injected are one. */
		if (v->ev.exc.pending)
			exc_deliver_payload(v);
		e->exception.injected |= v->ev.exc.pending;
	}
	e->interrupt.injected = vcpu_injected_irq(v, &e->interrupt.nr);
	e->interrupt.shadow = shadow_to_kvm(hw->get_intr_shadow(v));
	e->nmi.injected = v->ev.nmi_injected;
	e->nmi.pending = atomic_read(&v->ev.nmi_pending);
	e->nmi.masked = !!(hw->get_intr_shadow(v) & INTR_SHADOW_NMI);
	e->smi.smm = v->smm;
	e->smi.pending = READ_ONCE(v->smi_pending);
	e->smi.smm_inside_nmi = v->smm_in_nmi;
	e->smi.latched_init = v->lapic && vcpu_init_pending(v);
	if (v->vm->triple_fault_event) {
		e->triple_fault.pending = test_bit(REQ_TRIPLE_FAULT, &v->requests);
		e->flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	}
}

#define EVENT_FLAGS                                                                           \
	(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR |                  \
	 KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM | KVM_VCPUEVENT_VALID_PAYLOAD | \
	 KVM_VCPUEVENT_VALID_TRIPLE_FAULT)

static int events_check(struct vcpu *v, const struct kvm_vcpu_events *e)
{
	if (e->flags & ~EVENT_FLAGS)
		return -EINVAL;
	if ((e->exception.injected || e->exception.pending) &&
	    (e->exception.nr > 31 || e->exception.nr == X86_TRAP_NMI))
		return -EINVAL;
	if ((e->flags & KVM_VCPUEVENT_VALID_PAYLOAD) &&
	    (!v->vm->exception_payload || (e->exception.injected && e->exception.pending)))
		return -EINVAL;
	/* INITs are latched in SMM, so nobody waits for a SIPI there. */
	if ((e->flags & KVM_VCPUEVENT_VALID_SMM) && (e->smi.smm || e->smi.pending) &&
	    v->mp_state == KVM_MP_STATE_INIT_RECEIVED)
		return -EINVAL;
	if ((e->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT) && !v->vm->triple_fault_event)
		return -EINVAL;
	return 0;
}

static void set_smi_events(struct vcpu *v, const struct kvm_vcpu_events *e)
{
	if (v->smm != !!e->smi.smm) {
		/* What VMX operation was on the other side nobody knows. */
		nested_leave(v);
		vcpu_set_smm(v, e->smi.smm);
	}
	WRITE_ONCE(v->smi_pending, !!e->smi.pending);
	v->smm_in_nmi = v->smm && e->smi.smm_inside_nmi;
	if (v->lapic)
		vcpu_set_latched_init(v, e->smi.latched_init);
}

/* KVM_SET_VCPU_EVENTS */
int vcpu_set_events(struct vcpu *v, const struct kvm_vcpu_events *e)
{
	bool payload = e->flags & KVM_VCPUEVENT_VALID_PAYLOAD;
	u32 shadow;
	int r;

	lockdep_assert_held(&v->mutex);
	r = events_check(v, e);
	if (r)
		return r;
	nested_untake_event(v);
	/* An entry that a signal ended may have left the old event with the hardware. */
	hw->inject(v, 0, 0, 0);

	v->ev.exc.injected = e->exception.injected;
	v->ev.exc.pending = payload && e->exception.pending;
	v->ev.exc.vector = e->exception.nr;
	v->ev.exc.has_error = e->exception.has_error_code;
	v->ev.exc.error = e->exception.error_code;
	v->ev.exc.has_payload = payload && e->exception_has_payload;
	v->ev.exc.payload = payload ? e->exception_payload : 0;
	v->ev.irq.injected = e->interrupt.injected;
	v->ev.irq.vector = e->interrupt.nr;
	v->ev.irq.soft = e->interrupt.soft;
	v->ev.user_irq_valid = false; /* told as injected, see vcpu_injected_irq() */
	v->ev.nmi_injected = e->nmi.injected;

	shadow = hw->get_intr_shadow(v);
	if (e->flags & KVM_VCPUEVENT_VALID_SHADOW)
		shadow = (shadow & INTR_SHADOW_NMI) | shadow_from_kvm(e->interrupt.shadow);
	shadow &= ~INTR_SHADOW_NMI;
	if (e->nmi.masked)
		shadow |= INTR_SHADOW_NMI;
	hw->set_intr_shadow(v, shadow);
	if (e->flags & KVM_VCPUEVENT_VALID_NMI_PENDING)
		atomic_set(&v->ev.nmi_pending, min_t(int, e->nmi.pending, 2));
	if ((e->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR) && v->lapic)
		vcpu_set_sipi_vector(v, e->sipi_vector);
	if (e->flags & KVM_VCPUEVENT_VALID_SMM)
		set_smi_events(v, e);
	if (e->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT) {
		if (e->triple_fault.pending)
			vcpu_request(v, REQ_TRIPLE_FAULT);
		else
			clear_bit(REQ_TRIPLE_FAULT, &v->requests);
	}
	vcpu_request(v, REQ_EVENT);
	return 0;
}
