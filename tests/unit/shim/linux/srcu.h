/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_SRCU_H
#define SHIM_LINUX_SRCU_H

struct srcu_struct {
	int unused;
};

#define srcu_read_lock(s) ((void)(s), 0)
#define srcu_read_unlock(s, idx) \
	do {                     \
		(void)(s);       \
		(void)(idx);     \
	} while (0)

#endif
