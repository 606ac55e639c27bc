/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_CONST_H
#define SHIM_LINUX_CONST_H

#include_next <linux/const.h>

#ifndef _AC
#ifdef __ASSEMBLY__
#define _AC(X, Y) X
#else
#define __AC(X, Y) (X##Y)
#define _AC(X, Y)  __AC(X, Y)
#endif
#define _AT(T, X) ((T)(X))
#endif
#ifndef UL
#define UL(x)  _AC(x, UL)
#define ULL(x) _AC(x, ULL)
#endif

#endif
