/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in: tests are single-threaded, so a lock only proves its own balance. */
#ifndef SHIM_LINUX_SPINLOCK_H
#define SHIM_LINUX_SPINLOCK_H

#include <stdlib.h>

typedef struct {
	int held;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *l)
{
	l->held = 0;
}

/* Taking a held lock would hang the kernel. */
static inline void spin_lock(spinlock_t *l)
{
	if (l->held++)
		abort();
}

static inline void spin_unlock(spinlock_t *l)
{
	if (--l->held)
		abort();
}

#define spin_lock_irqsave(l, flags) \
	do {                        \
		(flags) = 0;        \
		spin_lock(l);       \
	} while (0)
#define spin_unlock_irqrestore(l, flags) \
	do {                             \
		(void)(flags);           \
		spin_unlock(l);          \
	} while (0)
#define lockdep_assert_held(l)   \
	do {                     \
		if (!(l)->held)  \
			abort(); \
	} while (0)
#define DEFINE_SPINLOCK(name) spinlock_t name

#endif
