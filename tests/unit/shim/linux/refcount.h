/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_REFCOUNT_H
#define SHIM_LINUX_REFCOUNT_H

#include <linux/types.h>

typedef struct {
	int n;
} refcount_t;

#define refcount_set(r, v)	 ((r)->n = (v))
#define refcount_read(r)	 ((r)->n)
#define refcount_inc(r)		 ((r)->n++)
#define refcount_dec_and_test(r) (--(r)->n == 0)

#endif
