/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_BITS_H
#define SHIM_LINUX_BITS_H

#include <linux/const.h>

#define BITS_PER_LONG	   64
#define BITS_PER_LONG_LONG 64
#define BITS_PER_BYTE	   8
#define BIT(n)		   (1UL << (n))
#define BIT_ULL(n)	   (1ULL << (n))
#define BIT_MASK(n)	   (1UL << ((n) % BITS_PER_LONG))
#define BIT_WORD(n)	   ((n) / BITS_PER_LONG)
#define GENMASK(h, l)	   ((~0UL << (l)) & (~0UL >> (BITS_PER_LONG - 1 - (h))))
#define GENMASK_ULL(h, l)  ((~0ULL << (l)) & (~0ULL >> (BITS_PER_LONG_LONG - 1 - (h))))

#endif
