/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_ASM_APICDEF_H
#define SHIM_ASM_APICDEF_H

#include <arch/x86/include/asm/apicdef.h>

#endif
