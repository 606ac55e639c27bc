// SPDX-License-Identifier: GPL-2.0-only
/*
 * Synthetic timers: four for each vCPU, counting reference time, that send a message to a
 * synthetic interrupt source or, in direct mode, raise a vector (TLFS "Synthetic Timers").
 *
 * The host's timer only makes a request: messages are written to guest memory, by the vCPU's
 * thread. So do not expect a timer to run out while nobody is in KVM_RUN.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/nospec.h>

#include "irqchip/env.h"
#include "vcpu/hyperv.h"

/* Shortest period that the host is prepared to serve, and longest sleep: both in 100 ns. */
#define MIN_PERIOD 1000ull
#define MAX_SLEEP  (1ull << 50)

static void ran_out(void *arg)
{
	struct hv_stimer *t = arg;

	hv_pend(t->v, HV_PENDING_TIMER0 + t->nr);
}

int hv_stimers_create(struct vcpu *v, struct hv_synic *s)
{
	unsigned int i;

	for (i = 0; i < TLFS_NR_STIMERS; i++) {
		struct hv_stimer *t = &s->timers[i];

		t->v = v;
		t->nr = i;
		t->vt = vtimer_alloc(ran_out, t);
		if (!t->vt) {
			hv_stimers_free(s);
			return -ENOMEM;
		}
	}
	return 0;
}

void hv_stimers_free(struct hv_synic *s)
{
	unsigned int i;

	for (i = 0; i < TLFS_NR_STIMERS; i++) {
		vtimer_free(s->timers[i].vt);
		s->timers[i].vt = NULL;
	}
}

static void stop(struct hv_stimer *t)
{
	if (t->vt)
		vtimer_cancel(t->vt);
	t->expires = 0;
	t->undelivered = false;
}

/* The next expiry of a periodic timer: whole periods that were missed are not made up for. */
static u64 next_period(const struct hv_stimer *t, u64 now)
{
	u64 period = max(t->count, MIN_PERIOD), missed;

	/* Later than a period from now: reference time has been set back. */
	if (!t->expires || t->expires > now + period)
		return now + period;
	if (t->expires > now)
		return t->expires;
	div64_u64_rem(now - t->expires, period, &missed);
	return now + period - missed;
}

static void start(struct hv_stimer *t)
{
	u64 now = hv_ref_time(t->v), left;

	t->expires = t->config & TLFS_STIMER_PERIODIC ? next_period(t, now) : t->count;
	left = t->expires > now ? t->expires - now : 0;
	if (left)
		vtimer_start(t->vt, env_now_ns() + min(left, MAX_SLEEP) * 100);
	else
		hv_pend(t->v, HV_PENDING_TIMER0 + t->nr);
}

static int deliver(struct hv_stimer *t, u64 now)
{
	struct tlfs_timer_payload p = {
		.index = t->nr,
		.expiration = t->expires,
		.delivery = now,
	};

	if (!(t->config & TLFS_STIMER_DIRECT_MODE))
		return hv_post_timer_message(t->v, TLFS_STIMER_SINT(t->config), &p);
	lapic_raise(t->v, TLFS_STIMER_VECTOR(t->config));
	return 0;
}

static void expire(struct hv_stimer *t, u64 now)
{
	t->undelivered = deliver(t, now);
	if (!t->undelivered && !(t->config & TLFS_STIMER_PERIODIC))
		t->config &= ~TLFS_STIMER_ENABLE;
}

/** hv_stimer_serve - the timer has been set, has run out, or can deliver at last */
void hv_stimer_serve(struct vcpu *v, unsigned int nr)
{
	struct hv_stimer *t = &v->hv->synic.timers[nr];
	u64 now;

	if (!(t->config & TLFS_STIMER_ENABLE) || !t->count)
		return;
	now = hv_ref_time(v);
	if (t->expires && now >= t->expires)
		expire(t, now);
	if ((t->config & TLFS_STIMER_ENABLE) && !t->undelivered)
		start(t);
}

/** hv_stimers_look - reference time has jumped, or a message page has come */
void hv_stimers_look(struct vcpu *v)
{
	unsigned int i;

	for (i = 0; i < TLFS_NR_STIMERS; i++) {
		if (v->hv->synic.timers[i].config & TLFS_STIMER_ENABLE)
			hv_pend(v, HV_PENDING_TIMER0 + i);
	}
}

void hv_stimers_retry(struct vcpu *v, unsigned int sint)
{
	unsigned int i;

	for (i = 0; i < TLFS_NR_STIMERS; i++) {
		const struct hv_stimer *t = &v->hv->synic.timers[i];

		if (t->undelivered && TLFS_STIMER_SINT(t->config) == sint)
			hv_pend(v, HV_PENDING_TIMER0 + i);
	}
}

/* MSRs ------------------------------------------------------------------------------ */

/* Config and count alternate. */
static bool is_config(u32 index)
{
	return !((index - TLFS_MSR_INDEX_STIMER0_CONFIG) & 1);
}

static struct hv_stimer *timer_of(struct vcpu *v, u32 index)
{
	u32 nr = (index - TLFS_MSR_INDEX_STIMER0_CONFIG) / 2;

	return &v->hv->synic.timers[array_index_nospec(nr, TLFS_NR_STIMERS)];
}

int hv_stimer_get_msr(struct vcpu *v, u32 index, u64 *val, bool host)
{
	const struct hv_stimer *t = timer_of(v, index);

	if (!v->hv->synic.active && !host)
		return 1;
	*val = is_config(index) ? t->config : t->count;
	return 0;
}

static int set_config(struct hv_stimer *t, u64 val, bool host)
{
	if ((val & TLFS_STIMER_DIRECT_MODE) && !host &&
	    !hv_granted(t->v->hv, HV_FEATURES, TLFS_STIMER_DIRECT))
		return 1;
	/* Source 0 is the hypervisor's own: a timer that names it stays off. */
	if (!(val & TLFS_STIMER_DIRECT_MODE) && !TLFS_STIMER_SINT(val))
		val &= ~TLFS_STIMER_ENABLE;
	t->config = val;
	return 0;
}

static void set_count(struct hv_stimer *t, u64 val, bool host)
{
	t->count = val;
	if (host)
		return;
	if (!val)
		t->config &= ~TLFS_STIMER_ENABLE;
	else if (t->config & TLFS_STIMER_AUTO_ENABLE)
		t->config |= TLFS_STIMER_ENABLE;
}

int hv_stimer_set_msr(struct vcpu *v, u32 index, u64 val, bool host)
{
	struct hv_stimer *t = timer_of(v, index);

	if (!v->hv->synic.active)
		return host && !val ? 0 : 1;
	if (is_config(index)) {
		if (set_config(t, val, host))
			return 1;
	} else {
		set_count(t, val, host);
	}
	stop(t);
	if (t->config & TLFS_STIMER_ENABLE)
		hv_pend(v, HV_PENDING_TIMER0 + t->nr);
	return 0;
}
