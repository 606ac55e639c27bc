// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC timer: one-shot, periodic and TSC-deadline mode.
 *
 * The vtimer's function runs in interrupt context and only notes the expiry; the vCPU's own
 * thread turns it into an IRR bit. A deadline that has already passed never sees a vtimer.
 *
 * SDM "APIC Timer". The timer's input clock is 1 GHz, as KVM's clients expect: one tick per ns.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include "irqchip/lapic.h"

static u32 lvtt_mode(u32 lvtt)
{
	return lvtt & LAPIC_TIMER_MODE_MASK;
}

static void timer_fn(void *arg)
{
	struct lapic *l = arg;
	struct lapic_timer *t = &l->timer;
	bool fire = false;
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	/* A stop or restart that raced with us wins: nothing armed, or not due yet. Starting the
	 * vtimer again does no harm then, and never loses an expiry if clocks disagree. */
	if (t->armed && env_now_ns() < t->target_ns) {
		vtimer_start(t->vt, t->target_ns);
	} else if (t->armed) {
		fire = true;
		if (t->periodic) {
			u64 period = max_t(u64, t->period_ns, LAPIC_MIN_PERIOD_NS);
			u64 now = env_now_ns();

			t->target_ns += period;
			if (t->target_ns <= now)
				t->target_ns = now + period;
			vtimer_start(t->vt, t->target_ns);
		} else {
			t->armed = false;
		}
	}
	spin_unlock_irqrestore(&t->lock, flags);
	if (fire && !test_and_set_bit(0, &t->pending))
		env_event(l->v);
}

static void timer_stop(struct lapic *l)
{
	struct lapic_timer *t = &l->timer;
	unsigned long flags;

	if (!READ_ONCE(t->armed)) /* only the vCPU's thread arms a stopped timer */
		return;
	spin_lock_irqsave(&t->lock, flags);
	t->armed = false;
	vtimer_cancel(t->vt);
	spin_unlock_irqrestore(&t->lock, flags);
}

static void timer_arm(struct lapic *l, u64 target_ns, u64 period_ns, bool periodic)
{
	struct lapic_timer *t = &l->timer;
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	t->armed = true;
	t->periodic = periodic;
	t->period_ns = period_ns;
	t->target_ns = target_ns;
	vtimer_start(t->vt, target_ns);
	spin_unlock_irqrestore(&t->lock, flags);
}

/* The interrupt of LVT Timer, on the vCPU's thread. */
static void timer_interrupt(struct lapic *l)
{
	u32 lvtt = lapic_reg(l, APIC_LVTT);
	struct apic_msg m = { .vector = lvtt & APIC_VECTOR_MASK };

	if (!(lvtt & APIC_LVT_MASKED))
		lapic_accept(l, &m);
}

void lapic_service_timer(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);

	if (!test_and_clear_bit(0, &l->timer.pending))
		return;
	if (lvtt_mode(lapic_reg(l, APIC_LVTT)) == APIC_LVT_TIMER_TSCDEADLINE)
		l->timer.deadline = 0;
	timer_interrupt(l);
}

bool lapic_has_pending_timer(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);

	return l && READ_ONCE(l->timer.pending);
}

/* Start (or restart) counting down from TMICT, @remaining_ns from now to the first expiry. */
static void start_count(struct lapic *l, u64 period_ns, u64 remaining_ns)
{
	bool periodic = lvtt_mode(lapic_reg(l, APIC_LVTT)) == APIC_LVT_TIMER_PERIODIC;

	if (periodic)
		remaining_ns = max_t(u64, remaining_ns, min_t(u64, period_ns, LAPIC_MIN_PERIOD_NS));
	timer_arm(l, env_now_ns() + remaining_ns, period_ns, periodic);
}

static u64 remaining_ns(struct lapic *l)
{
	struct lapic_timer *t = &l->timer;
	unsigned long flags;
	u64 now, left = 0;

	spin_lock_irqsave(&t->lock, flags);
	now = env_now_ns();
	if (t->armed && t->target_ns > now)
		left = t->target_ns - now;
	spin_unlock_irqrestore(&t->lock, flags);
	return left;
}

u32 lapic_timer_count(struct lapic *l)
{
	u64 ns;

	if (lvtt_mode(lapic_reg(l, APIC_LVTT)) == APIC_LVT_TIMER_TSCDEADLINE)
		return 0;
	ns = remaining_ns(l);
	/* A period that was stretched to protect the host still counts in its own range. */
	if (l->timer.period_ns && ns > l->timer.period_ns)
		ns = l->timer.period_ns;
	return min_t(u64, div_u64(ns, l->divide), 0xffffffffu);
}

void lapic_timer_set_count(struct lapic *l, u32 tmict)
{
	u64 period;

	if (lvtt_mode(lapic_reg(l, APIC_LVTT)) == APIC_LVT_TIMER_TSCDEADLINE)
		return;
	timer_stop(l);
	lapic_put(l, APIC_TMICT, tmict);
	if (!tmict)
		return;
	period = (u64)tmict * l->divide;
	start_count(l, period, period);
}

static u32 divide_of(u32 tdcr)
{
	u32 code = (tdcr & 3) | (tdcr & 8) >> 1;

	return 1u << ((code + 1) & 7);
}

void lapic_timer_set_divide(struct lapic *l, u32 tdcr)
{
	u32 left = 0;
	bool running = READ_ONCE(l->timer.armed) &&
		       lvtt_mode(lapic_reg(l, APIC_LVTT)) != APIC_LVT_TIMER_TSCDEADLINE;

	if (running) {
		left = lapic_timer_count(l);
		timer_stop(l);
	}
	lapic_put(l, APIC_TDCR, tdcr);
	l->divide = divide_of(tdcr);
	if (running)
		start_count(l, (u64)lapic_reg(l, APIC_TMICT) * l->divide, (u64)left * l->divide);
}

void lapic_timer_set_lvtt(struct lapic *l, u32 lvtt)
{
	u32 old = lvtt_mode(lapic_reg(l, APIC_LVTT)), new = lvtt_mode(lvtt);

	/* Without the feature bit 18 is reserved; mode 3 is reserved always. */
	if (!env_has_tsc_deadline(l->v) || new == LAPIC_TIMER_MODE_MASK)
		lvtt &= ~APIC_LVT_TIMER_TSCDEADLINE;
	new = lvtt_mode(lvtt);
	lapic_put(l, APIC_LVTT, lvtt);
	if (old == new)
		return;
	if (old == APIC_LVT_TIMER_TSCDEADLINE || new == APIC_LVT_TIMER_TSCDEADLINE) {
		timer_stop(l);
		clear_bit(0, &l->timer.pending);
		l->timer.deadline = 0;
		lapic_put(l, APIC_TMICT, 0);
	} else if (READ_ONCE(l->timer.armed)) {
		start_count(l, l->timer.period_ns, remaining_ns(l));
	}
}

/**
 * lapic_get_tsc_deadline - IA32_TSC_DEADLINE as user space saves it
 * @v: the vCPU, mutex held
 *
 * A deadline that has passed is still told until its interrupt is in the IRR. User space that has
 * read the IRR before (KVM_GET_LAPIC) would lose the interrupt if reading this put it there.
 */
u64 lapic_get_tsc_deadline(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);

	if (!l || lvtt_mode(lapic_reg(l, APIC_LVTT)) != APIC_LVT_TIMER_TSCDEADLINE)
		return 0;
	return l->timer.deadline;
}

static void arm_deadline(struct lapic *l)
{
	struct lapic_timer *t = &l->timer;
	u64 now, ns;

	if (!t->deadline) {
		timer_stop(l);
		return;
	}
	now = env_guest_tsc(l->v);
	if (t->deadline <= now) {
		timer_stop(l);
		t->deadline = 0;
		timer_interrupt(l);
		return;
	}
	/* The guest chooses the distance: centuries must not wrap around to now. */
	ns = min_t(u64, env_tsc_to_ns(l->v, t->deadline - now), S64_MAX / 2);
	timer_arm(l, env_now_ns() + ns, 0, false);
}

/**
 * lapic_set_tsc_deadline - write IA32_TSC_DEADLINE
 * Outside TSC-deadline mode a write has no effect on the timer; the value is kept nevertheless,
 * because user space may restore this MSR before the LVT (KVM_SET_MSRS before KVM_SET_LAPIC).
 */
void lapic_set_tsc_deadline(struct vcpu *v, u64 deadline)
{
	struct lapic *l = env_lapic(v);

	if (!l)
		return;
	clear_bit(0, &l->timer.pending);
	l->timer.deadline = deadline;
	if (lvtt_mode(lapic_reg(l, APIC_LVTT)) == APIC_LVT_TIMER_TSCDEADLINE)
		arm_deadline(l);
}

void lapic_rearm_timer(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);

	if (l && lvtt_mode(lapic_reg(l, APIC_LVTT)) == APIC_LVT_TIMER_TSCDEADLINE &&
	    l->timer.deadline && !READ_ONCE(l->timer.pending))
		arm_deadline(l);
}

/* After KVM_SET_LAPIC: go on from the restored registers. */
void lapic_timer_restore(struct lapic *l, u32 tmcct)
{
	u32 mode = lvtt_mode(lapic_reg(l, APIC_LVTT));
	u64 period = (u64)lapic_reg(l, APIC_TMICT);

	timer_stop(l);
	clear_bit(0, &l->timer.pending);
	l->divide = divide_of(lapic_reg(l, APIC_TDCR));
	period *= l->divide;
	if (mode == APIC_LVT_TIMER_TSCDEADLINE) {
		arm_deadline(l);
		return;
	}
	if (!period)
		return;
	if (tmcct)
		start_count(l, period, min_t(u64, (u64)tmcct * l->divide, period));
	else if (mode == APIC_LVT_TIMER_PERIODIC)
		start_count(l, period, period);
}

int lapic_timer_create(struct lapic *l)
{
	spin_lock_init(&l->timer.lock);
	l->timer.vt = vtimer_alloc(timer_fn, l);
	return l->timer.vt ? 0 : -ENOMEM;
}

void lapic_timer_free(struct lapic *l)
{
	timer_stop(l);
	vtimer_free(l->timer.vt);
}

void lapic_timer_reset(struct lapic *l)
{
	timer_stop(l);
	clear_bit(0, &l->timer.pending);
	l->timer.deadline = 0;
	l->timer.period_ns = 0;
}
