/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_MEM_ENCRYPT_H
#define SHIM_LINUX_MEM_ENCRYPT_H

/* Nothing: asm/processor-flags.h wants sme_me_mask only for CR3_ADDR_MASK. */
#define __sme_clr(x) (x)

#endif
