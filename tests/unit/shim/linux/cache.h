/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_CACHE_H
#define SHIM_LINUX_CACHE_H

#include <linux/compiler.h>

#define ____cacheline_aligned	     __aligned(64)
#define ____cacheline_aligned_in_smp __aligned(64)

#endif
