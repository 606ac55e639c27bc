/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_EXPORT_H
#define SHIM_LINUX_EXPORT_H

#define EXPORT_SYMBOL_GPL(x)

#endif
