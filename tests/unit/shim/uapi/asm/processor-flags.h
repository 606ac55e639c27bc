/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_UAPI_ASM_PROCESSOR_FLAGS_H
#define SHIM_UAPI_ASM_PROCESSOR_FLAGS_H

#include <arch/x86/include/uapi/asm/processor-flags.h>

#endif
