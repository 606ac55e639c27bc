/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_RCUPDATE_H
#define SHIM_LINUX_RCUPDATE_H

#include <linux/slab.h>

struct rcu_head {
	void *unused;
};

#define kfree_rcu(p, m) kfree(p)

#endif
