/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_ATOMIC_H
#define SHIM_LINUX_ATOMIC_H

#include <linux/types.h>

#define cmpxchg(p, o, n)                                                              \
	({                                                                            \
		__typeof__(*(p)) _old = (o);                                          \
		__atomic_compare_exchange_n((p), &_old, (n), false, __ATOMIC_SEQ_CST, \
					    __ATOMIC_SEQ_CST);                        \
		_old;                                                                 \
	})
typedef struct {
	long counter;
} atomic_long_t;

#define atomic_long_set(a, v) __atomic_store_n(&(a)->counter, (v), __ATOMIC_SEQ_CST)
#define atomic_long_read(a)   __atomic_load_n(&(a)->counter, __ATOMIC_SEQ_CST)
#define atomic_long_add(v, a) __atomic_fetch_add(&(a)->counter, (long)(v), __ATOMIC_SEQ_CST)
#define atomic_long_sub(v, a) __atomic_fetch_sub(&(a)->counter, (long)(v), __ATOMIC_SEQ_CST)
#define atomic_long_inc(a)    atomic_long_add(1, a)

#define xchg(p, n)	      __atomic_exchange_n((p), (n), __ATOMIC_SEQ_CST)

#endif
