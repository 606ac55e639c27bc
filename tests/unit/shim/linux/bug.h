/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_BUG_H
#define SHIM_LINUX_BUG_H

#include <stdlib.h>

#include <linux/build_bug.h>

/* A warning is a failed test: no input may reach one. */
#define WARN_ON(cond)            \
	({                       \
		if (cond)        \
			abort(); \
		false;           \
	})
#define WARN_ON_ONCE(cond)   WARN_ON(cond)
#define WARN_ONCE(cond, ...) WARN_ON(cond)
#define BUG_ON(cond)             \
	do {                     \
		if (cond)        \
			abort(); \
	} while (0)

#endif
