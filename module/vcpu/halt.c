// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that does not run: HLT, wait-for-SIPI, and INIT/SIPI themselves
 * (SDM "MP Initialization Protocol").
 */
#include <linux/rcuwait.h>
#include <linux/sched/signal.h>

#include "irqchip/irqchip.h"
#include "vcpu/core.h"
#include "vcpu/nested.h"

#define SIPI_INIT    BIT(SIPI_INIT_BIT)
#define SIPI_PENDING BIT(SIPI_PENDING_BIT)

void vcpu_post_init(struct vcpu *v)
{
	unsigned long old = READ_ONCE(v->sipi);

	/* An INIT forgets a SIPI that has not been taken. */
	while (!try_cmpxchg(&v->sipi, &old, SIPI_INIT))
		;
	vcpu_request_and_kick(v, REQ_EVENT);
}

void vcpu_post_sipi(struct vcpu *v, u8 vector)
{
	unsigned long old = READ_ONCE(v->sipi);

	while (!try_cmpxchg(&v->sipi, &old, (old & SIPI_INIT) | SIPI_PENDING | vector))
		;
	vcpu_request_and_kick(v, REQ_EVENT);
}

static void start_at_sipi(struct vcpu *v, u8 vector)
{
	struct x86_seg cs;

	hw->get_seg(v, X86_CS, &cs);
	cs.selector = vector << 8;
	cs.base = (u64)vector << 12;
	hw->set_seg(v, X86_CS, &cs);
	v->rip = 0;
	v->mp_state = KVM_MP_STATE_RUNNABLE;
}

/**
 * vcpu_accept_init_sipi - take a pending INIT, then a pending SIPI
 * @v: the vCPU, loaded, by its own thread
 *
 * INIT is blocked in VMX root operation and ends an L2 (SDM "VMX-Specific
 * Capabilities", "Other Causes of VM Exits"), and is latched in SMM; a SIPI is dropped unless it is
 * waited for.
 * Return: RESUME_GUEST, or what a nested exit came to.
 */
int vcpu_accept_init_sipi(struct vcpu *v)
{
	unsigned long old = READ_ONCE(v->sipi);

	if (likely(!old))
		return RESUME_GUEST;
	if (v->smm) {
		clear_bit(SIPI_PENDING_BIT, &v->sipi);
		return RESUME_GUEST;
	}

	if (old & SIPI_INIT) {
		if (v->in_l2)
			return RESUME_GUEST; /* nested_check_events() exits first */
		if (nested_vmxon(v))
			return RESUME_GUEST; /* stays pending until VMXOFF */
		clear_bit(SIPI_INIT_BIT, &v->sipi);
		vcpu_reset(v, true);
		if (v->id == v->vm->bsp_vcpu_id)
			v->mp_state = KVM_MP_STATE_RUNNABLE;
		else
			v->mp_state = KVM_MP_STATE_INIT_RECEIVED;
	}

	old = READ_ONCE(v->sipi);
	if (old & SIPI_PENDING) {
		while (!try_cmpxchg(&v->sipi, &old, old & SIPI_INIT))
			;
		if (v->mp_state == KVM_MP_STATE_INIT_RECEIVED)
			start_at_sipi(v, old & SIPI_VECTOR);
	}
	return RESUME_GUEST;
}

/* INIT waits to be turned into a nested exit; clears it when it does. */
bool vcpu_take_init(struct vcpu *v)
{
	return test_and_clear_bit(SIPI_INIT_BIT, &v->sipi);
}

/* What user space restores: an INIT latched in SMM, a SIPI's vector, and that a SIPI has come. */
void vcpu_set_latched_init(struct vcpu *v, bool latched)
{
	if (latched)
		set_bit(SIPI_INIT_BIT, &v->sipi);
	else
		clear_bit(SIPI_INIT_BIT, &v->sipi);
}

void vcpu_set_sipi_vector(struct vcpu *v, u8 vector)
{
	unsigned long old = READ_ONCE(v->sipi);

	while (!try_cmpxchg(&v->sipi, &old, (old & ~SIPI_VECTOR) | vector))
		;
}

void vcpu_set_sipi_pending(struct vcpu *v)
{
	set_bit(SIPI_PENDING_BIT, &v->sipi);
}

bool vcpu_runnable(struct vcpu *v)
{
	return v->mp_state == KVM_MP_STATE_RUNNABLE && !v->l2_halted;
}

/* An event is there that ends HLT (SDM "HLT—Halt"). */
static bool guest_wakes(struct vcpu *v)
{
	if (v->ev.exc.pending || v->ev.exc.injected || v->ev.nmi_injected || v->ev.irq.injected)
		return true;
	if (atomic_read(&v->ev.nmi_pending) && !(hw->get_intr_shadow(v) & INTR_SHADOW_NMI))
		return true;
	return vcpu_irq_pending(v) && (vcpu_irq_allowed(v) || nested_exits_on_irq(v));
}

static bool init_sipi_waits(struct vcpu *v)
{
	unsigned long sipi = READ_ONCE(v->sipi);

	if (v->smm)
		return false;
	if (sipi & SIPI_INIT)
		return v->in_l2 || !nested_vmxon(v);
	return (sipi & SIPI_PENDING) && v->mp_state == KVM_MP_STATE_INIT_RECEIVED;
}

/* The thread has something to do, be it for the guest or only for us. */
bool vcpu_has_work(struct vcpu *v)
{
	unsigned long requests = READ_ONCE(v->requests);

	if (init_sipi_waits(v))
		return true;
	/* All other requests are for what runs after INIT and SIPI; some are there from the start. */
	if (v->mp_state == KVM_MP_STATE_UNINITIALIZED)
		return requests & BIT(REQ_VM_DEAD);
	/* Its own way through the scheduler makes REQ_STEAL_UPDATE: that is no work for a waiter. */
	if (requests & ~(BIT(REQ_EVENT) | BIT(REQ_STEAL_UPDATE)))
		return true;
	if (v->mp_state == KVM_MP_STATE_INIT_RECEIVED)
		return false;
	if (READ_ONCE(v->smi_pending) && !v->smm)
		return true;
	return guest_wakes(v) || (v->lapic && lapic_has_pending_timer(v)) ||
	       nested_timer_expired(v);
}

/**
 * vcpu_block - wait until there is something to do
 * @v: the vCPU, loaded, by its own thread; may sleep
 *
 * Return: RESUME_GUEST, or -EINTR for a signal.
 */
int vcpu_block(struct vcpu *v)
{
	int r = RESUME_GUEST;

	nested_timer_block(v);
	prepare_to_rcuwait(&v->wait);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (vcpu_has_work(v))
			break;
		if (signal_pending(current)) {
			r = -EINTR;
			break;
		}
		schedule();
	}
	finish_rcuwait(&v->wait);
	nested_timer_unblock(v);

	if (v->lapic)
		lapic_service_timer(v);
	if (r == RESUME_GUEST) {
		vcpu_request(v, REQ_EVENT);
		if (guest_wakes(v) || nested_timer_expired(v)) {
			if (v->mp_state == KVM_MP_STATE_HALTED)
				v->mp_state = KVM_MP_STATE_RUNNABLE;
			v->l2_halted = false;
			v->stats.halt_wakeups++;
		}
	}
	return r;
}

/**
 * vcpu_halt - the guest executed HLT; RIP is behind it already
 * @v: the vCPU
 *
 * Return: RESUME_GUEST when the wait is ours, EXIT_TO_USER without in-kernel APIC.
 */
int vcpu_halt(struct vcpu *v)
{
	if (!v->lapic) {
		v->run->exit_reason = KVM_EXIT_HLT;
		return EXIT_TO_USER;
	}
	v->mp_state = KVM_MP_STATE_HALTED;
	return RESUME_GUEST;
}
