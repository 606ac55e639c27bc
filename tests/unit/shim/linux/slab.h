/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <stdlib.h>

#include <linux/types.h>

#define GFP_KERNEL	    0
#define GFP_KERNEL_ACCOUNT  0
#define kmalloc(n, gfp)	    malloc(n)
#define kzalloc(n, gfp)	    calloc(1, (n))
#define kcalloc(n, s, gfp)  calloc((n), (s))
#define kvzalloc(n, gfp)    calloc(1, (n))
#define kvcalloc(n, s, gfp) calloc((n), (s))
#define kfree(p)	    free((void *)(p))
#define kvfree(p)	    free((void *)(p))

#endif
