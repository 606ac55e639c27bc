/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_INTERVAL_TREE_H
#define SHIM_LINUX_INTERVAL_TREE_H

struct interval_tree_node {
	unsigned long start, last;
};

#endif
