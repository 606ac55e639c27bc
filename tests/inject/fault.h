/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's fault injection, for the calling thread alone. */
#ifndef TESTS_INJECT_FAULT_H
#define TESTS_INJECT_FAULT_H

#include <stdbool.h>

/**
 * enum fault_kind - what fails
 * @FAULT_ANY:	allocations of both kinds, and copies from and to user space
 * @FAULT_SLAB: kmalloc() and its like
 * @FAULT_PAGE: pages
 */
enum fault_kind { FAULT_ANY, FAULT_SLAB, FAULT_PAGE };

/* Before anything else; with @dump the kernel's log says where each failure was. */
void fault_setup(bool dump);

/* The Nth from now on fails, for N from 1, and only that. */
void fault_arm(enum fault_kind kind, unsigned int n);

/* No failure from now on. True when it has happened. */
bool fault_disarm(enum fault_kind kind);

#endif /* TESTS_INJECT_FAULT_H */
