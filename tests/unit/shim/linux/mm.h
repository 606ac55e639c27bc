/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in: only kvzalloc() and friends are wanted of this header. */
#ifndef SHIM_LINUX_MM_H
#define SHIM_LINUX_MM_H

#include <linux/slab.h>

#endif
