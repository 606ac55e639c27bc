/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_RWLOCK_H
#define SHIM_LINUX_RWLOCK_H

#include <stdlib.h>

/* Tests are single-threaded: the lock proves its own balance and is never waited for. */
typedef struct {
	int readers, writer;
	int held; /* either way, for lockdep_assert_held() */
} rwlock_t;

static inline void rwlock_init(rwlock_t *l)
{
	l->readers = l->writer = l->held = 0;
}

static inline void read_lock(rwlock_t *l)
{
	if (l->writer || l->readers++)
		abort();
	l->held = 1;
}

static inline void read_unlock(rwlock_t *l)
{
	if (--l->readers)
		abort();
	l->held = 0;
}

static inline void write_lock(rwlock_t *l)
{
	if (l->readers || l->writer++)
		abort();
	l->held = 1;
}

static inline void write_unlock(rwlock_t *l)
{
	if (--l->writer)
		abort();
	l->held = 0;
}

#define lockdep_assert_held_write(l) \
	do {                         \
		if (!(l)->writer)    \
			abort();     \
	} while (0)

#endif
