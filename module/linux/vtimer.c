// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct vtimer of irqchip/env.h over hrtimers. The expiry function runs in the hrtimer's
 * interrupt; it may start its own timer again, so the callback itself never restarts.
 */
#include <linux/hrtimer.h>
#include <linux/slab.h>
#include "irqchip/env.h"
#include "linux/compat.h"

struct vtimer {
	struct hrtimer hr;
	void (*fn)(void *arg);
	void *arg;
};

static enum hrtimer_restart vtimer_expired(struct hrtimer *hr)
{
	struct vtimer *t = container_of(hr, struct vtimer, hr);

	t->fn(t->arg);
	return HRTIMER_NORESTART;
}

/** vtimer_alloc - a stopped timer, or NULL without memory */
struct vtimer *vtimer_alloc(void (*fn)(void *arg), void *arg)
{
	struct vtimer *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	compat_hrtimer_setup(&t->hr, vtimer_expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	return t;
}

/**
 * vtimer_free - stop and wait for a running function
 * The owner has made sure that the function does not start the timer again (its own armed
 * flag is clear).
 */
void vtimer_free(struct vtimer *t)
{
	if (!t)
		return;
	hrtimer_cancel(&t->hr);
	kfree(t);
}

void vtimer_start(struct vtimer *t, u64 abs_ns)
{
	hrtimer_start(&t->hr, ns_to_ktime(min_t(u64, abs_ns, KTIME_MAX)), HRTIMER_MODE_ABS);
}

void vtimer_cancel(struct vtimer *t)
{
	hrtimer_try_to_cancel(&t->hr);
}
