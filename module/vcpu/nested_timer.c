// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMX-preemption timer of L2: counts L1's TSC divided by 2^rate, where rate is what
 * IA32_VMX_MISC tells L1 (SDM "VMX-Preemption Timer"). It is kept as the host TSC at which it
 * expires, since for L1 it runs on while L0 has the processor. The backend makes L2 exit then, or,
 * where the hardware has no such timer, a timer of the host does.
 */
#include <linux/hrtimer.h>
#include <asm/msr.h>
#include <asm/vmx.h>

#include "linux/compat.h"
#include "nested/check.h"
#include "vcpu/nested_int.h"

static enum hrtimer_restart timer_fn(struct hrtimer *t)
{
	struct vcpu_nested *n = container_of(t, struct vcpu_nested, timer);
	struct vcpu *v = n->vcpu;

	WRITE_ONCE(n->timer_fired, true);
	vcpu_request_and_kick(v, REQ_EVENT);
	return HRTIMER_NORESTART;
}

void nested_timer_init(struct vcpu *v)
{
	compat_hrtimer_setup(&v->nested->timer, timer_fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
}

static unsigned int timer_rate(struct vcpu *v)
{
	return v->nested->caps.misc & CAP_MISC_TIMER_RATE;
}

static void arm(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;
	u64 now = rdtsc(), ns;

	if (now >= n->timer_deadline) {
		WRITE_ONCE(n->timer_fired, true);
		vcpu_request(v, REQ_EVENT);
		return;
	}
	ns = mul_u64_u32_div(n->timer_deadline - now, 1000000, vcpu_tsc_khz(v));
	hrtimer_start(&n->timer, ktime_add_ns(ktime_get(), ns), HRTIMER_MODE_ABS);
}

/* The hardware's timer stands still while the vCPU waits; L1's does not. */
void nested_timer_block(struct vcpu *v)
{
	if (v->in_l2 && v->nested->timer_on && hw->l2_set_timer)
		arm(v);
}

void nested_timer_unblock(struct vcpu *v)
{
	if (v->in_l2 && v->nested->timer_on && hw->l2_set_timer)
		hrtimer_cancel(&v->nested->timer);
}

/**
 * nested_timer_start_at - arm the timer
 * @v:	      the vCPU, in L2
 * @deadline: host TSC at which it expires
 */
void nested_timer_start_at(struct vcpu *v, u64 deadline)
{
	struct vcpu_nested *n = v->nested;

	n->timer_on = true;
	n->timer_deadline = deadline;
	WRITE_ONCE(n->timer_fired, false);
	if (hw->l2_set_timer)
		hw->l2_set_timer(v, deadline);
	else
		arm(v);
}

/**
 * nested_timer_start - arm the timer as VM entry does
 * @v:	   the vCPU, in L2
 * @value: of the VMX-preemption timer-value field
 */
void nested_timer_start(struct vcpu *v, u32 value)
{
	nested_timer_start_at(v, rdtsc() + ((u64)value << timer_rate(v)));
}

/* As VM exit does: saves the rest when L1 asked for that. */
void nested_timer_stop(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;
	u64 now;

	if (!n->timer_on)
		return;
	if (!hw->l2_set_timer)
		hrtimer_cancel(&n->timer);
	n->timer_on = false;
	if (!exit_has(n->vmcs12, VM_EXIT_SAVE_VMX_PREEMPTION_TIMER))
		return;
	now = rdtsc();
	n->vmcs12->vmx_preemption_timer_value =
		now < n->timer_deadline ? (n->timer_deadline - now) >> timer_rate(v) : 0;
}

bool nested_timer_expired(struct vcpu *v)
{
	return v->in_l2 && v->nested->timer_on && READ_ONCE(v->nested->timer_fired);
}

/*
 * The saved form of the deadline: L1's TSC divided by 2^rate (struct kvm_vmx_nested_state_hdr).
 * Rounded up, and back to the end of that tick: never too early.
 */
static u64 saved_deadline(struct vcpu *v)
{
	u64 unit = 1ull << timer_rate(v);

	return (v->nested->timer_deadline + v->tsc_offset + unit - 1) >> timer_rate(v);
}

/**
 * nested_timer_get - the deadline of the running L2's timer
 * @v:	      the vCPU, in L2
 * @deadline: set to its saved form
 *
 * Return: whether L2 has a timer.
 */
bool nested_timer_get(struct vcpu *v, u64 *deadline)
{
	struct vcpu_nested *n = v->nested;

	*deadline = n->timer_on ? saved_deadline(v) : n->restored_deadline;
	return n->timer_on || (n->restored & RESTORED_DEADLINE);
}

void nested_timer_restore(struct vcpu *v, u64 saved)
{
	u64 now = rdtsc(), l1_now = now + v->tsc_offset;
	u64 left = saved - (l1_now >> timer_rate(v));

	/* A value that no timer can have is one that has expired. */
	if ((s64)left < 0 || left > U32_MAX)
		left = 0;
	nested_timer_start_at(v, now + (left << timer_rate(v)));
}
