/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_ASM_GENERIC_HYPERV_TLFS_H
#define SHIM_ASM_GENERIC_HYPERV_TLFS_H

#include <include/asm-generic/hyperv-tlfs.h>

#endif
