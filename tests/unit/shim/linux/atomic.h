/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_ATOMIC_H
#define SHIM_LINUX_ATOMIC_H

#include <linux/types.h>

#define cmpxchg(p, o, n)                                                      \
	({                                                                    \
		__typeof__(*(p)) _old = (o);                                  \
		__atomic_compare_exchange_n((p), &_old, (n), false,           \
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		_old;                                                         \
	})
#define xchg(p, n) __atomic_exchange_n((p), (n), __ATOMIC_SEQ_CST)

#endif
