/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in: the physical address of test memory is its address. */
#ifndef SHIM_ASM_IO_H
#define SHIM_ASM_IO_H

#include <linux/types.h>

static inline phys_addr_t virt_to_phys(const volatile void *p)
{
	return (uintptr_t)p;
}

static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(uintptr_t)pa;
}

#endif
