/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_ERRNO_H
#define SHIM_LINUX_ERRNO_H

#include_next <linux/errno.h>

#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

#endif
