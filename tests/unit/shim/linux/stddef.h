/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_STDDEF_H
#define SHIM_LINUX_STDDEF_H

#include_next <linux/stddef.h>
#include <stddef.h>

#define sizeof_field(t, m) sizeof(((t *)0)->m)
#define offsetofend(t, m)  (offsetof(t, m) + sizeof_field(t, m))

#endif
