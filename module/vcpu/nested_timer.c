// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMX-preemption timer of L2, in software: counts L1's TSC divided by 2^rate, where rate is
 * what IA32_VMX_MISC tells L1 (SDM "VMX-Preemption Timer").
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

/**
 * nested_timer_start - arm the timer as VM entry does
 * @v:	   the vCPU
 * @value: of the VMX-preemption timer-value field
 */
void nested_timer_start(struct vcpu *v, u32 value)
{
	struct vcpu_nested *n = v->nested;
	u64 ticks = (u64)value << timer_rate(v);

	n->timer_on = true;
	WRITE_ONCE(n->timer_fired, !value);
	n->timer_deadline = rdtsc() + ticks;
	if (!value) {
		vcpu_request(v, REQ_EVENT);
		return;
	}
	hrtimer_start(&n->timer,
		      ktime_add_ns(ktime_get(), mul_u64_u32_div(ticks, 1000000, vcpu_tsc_khz(v))),
		      HRTIMER_MODE_ABS);
}

void nested_timer_stop(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;
	u64 now = rdtsc();

	if (!n->timer_on)
		return;
	hrtimer_cancel(&n->timer);
	n->timer_on = false;
	if (exit_has(n->vmcs12, VM_EXIT_SAVE_VMX_PREEMPTION_TIMER))
		n->vmcs12->vmx_preemption_timer_value =
			now < n->timer_deadline ? (n->timer_deadline - now) >> timer_rate(v) : 0;
}

bool nested_timer_expired(struct vcpu *v)
{
	return v->in_l2 && v->nested->timer_on && READ_ONCE(v->nested->timer_fired);
}
