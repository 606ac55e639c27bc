// SPDX-License-Identifier: GPL-2.0-only
/*
 * Composes one second-level leaf; see mdp_compose.h. It is the only place that
 * decides rights and sizes, for the tdp (no EPT12) and for composed trees.
 */
#include <linux/kernel.h>
#include "mm/mdp_compose.h"

void mm_compose(const struct ept12_result *ept12, const struct host_grant *host, u32 access,
		struct pt_leaf *leaf)
{
	bool read = true, write = true, exec = true;
	u8 level = host->max_level;

	if (ept12) {
		read = ept12->read;
		/* Without D in EPT12's leaf a write must come here first to set it. */
		write = ept12->write && ept12->dirty;
		exec = ept12->exec;
		level = min(level, ept12->level);
	}
	if (host->log || (host->nx_large && (access & EPT_ACC_FETCH)))
		level = 1;

	leaf->level = level;
	leaf->hpa = host->hpa & ~(pt_level_size(level) - 1);
	leaf->read = read;
	leaf->write = write && host->write && (!host->log || (access & EPT_ACC_WRITE));
	leaf->exec = exec && !(host->nx_large && level > 1);
	/* The mark means "ask nobody": not even L1, so composed leaves never have it. */
	leaf->host_write = !ept12 && host->write;
	leaf->uc = host->uc;
}
