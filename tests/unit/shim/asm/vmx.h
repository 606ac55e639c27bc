/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_ASM_VMX_H
#define SHIM_ASM_VMX_H

#include <arch/x86/include/asm/vmx.h>

#endif
