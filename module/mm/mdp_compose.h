/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Composition of one mapping: what L1's EPT allows, and what L0 allows for the
 * L1 frame behind it. Pure; mdp.c and the unit tests call it.
 */
#ifndef TURTLES_MM_MDP_COMPOSE_H
#define TURTLES_MM_MDP_COMPOSE_H

#include <linux/types.h>
#include "mm/mm.h"
#include "mm/pt.h"

/**
 * struct host_grant - what L0 allows for one L1 frame
 * @hpa:	of the 4K frame at the l1gpa
 * @max_level:	largest leaf the slot and the host mapping allow around it
 * @write:	slot and host mapping allow writes
 * @log:	the slot is logged: a write right is only given for a write
 * @uc:		map it uncacheable (device memory)
 * @nx_large:	large leaves may not be executable (iTLB multihit)
 */
struct host_grant {
	u64 hpa;
	u8 max_level;
	bool write, log, uc, nx_large;
};

/* @ept12 NULL: no second guest level, the tdp's own mapping. */
void mm_compose(const struct ept12_result *ept12, const struct host_grant *host, u32 access,
		struct pt_leaf *leaf);

#endif
