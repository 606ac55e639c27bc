// SPDX-License-Identifier: GPL-2.0-only
/*
 * Multi-dimensional paging: an EPT violation of L2 is answered by walking L1's EPT12
 * in software and composing the result with L0's view of L1's memory. Called by
 * mm_fault() and by the glue of nested VMX.
 */
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/srcu.h>
#include <asm/vmx.h>
#include "mm/mdp.h"
#include "mm/pfn.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

static int read_entry(void *ctx, u64 gpa, u64 *entry)
{
	struct vcpu *v = ctx;

	return vm_read_guest(v->vm, gpa, entry, sizeof(*entry));
}

static int set_ad(void *ctx, u64 gpa, u64 old, u64 new)
{
	struct vcpu *v = ctx;

	return vm_cmpxchg_guest(v->vm, gpa, &old, new, sizeof(new));
}

static enum ept12_status walk(struct vcpu *v, u64 eptp, u64 l2gpa, u32 access,
			      struct ept12_result *res)
{
	struct ept12_env env = {
		.eptp = eptp,
		.maxphyaddr = vcpu_maxphyaddr(v),
		.ad = eptp & VMX_EPTP_AD_ENABLE_BIT,
		.exec_only = hw->pt.exec_only,
		.pages_2m = true,
		.pages_1g = true,
		.ctx = v,
		.read = read_entry,
		.set_ad = set_ad,
	};

	return ept12_walk(&env, l2gpa, access, res);
}

static enum mm_fault_result walk_result(enum ept12_status st)
{
	switch (st) {
	case EPT12_OK:
		return MM_MAPPED;
	case EPT12_VIOLATION:
		return MM_L1_VIOLATION;
	case EPT12_MISCONFIG:
		return MM_L1_MISCONFIG;
	default:
		return MM_RETRY;
	}
}

/**
 * mdp_translate - l2gpa to l1gpa in software, for emulation and L2's page walks
 * Caller is in vm->srcu.
 */
enum mm_fault_result mdp_translate(struct vcpu *v, u64 eptp, u64 l2gpa, u32 access, u64 *l1gpa,
				   u64 *qual)
{
	struct ept12_result res;
	enum ept12_status st = walk(v, eptp, l2gpa, access, &res);

	*l1gpa = res.l1gpa;
	*qual = res.qual;
	return walk_result(st);
}

/*
 * The caches of one VM may hold an eighth of its memory; a guest that maps its frames at
 * absurdly many places starts over instead of taking the host's memory.
 */
static bool over_budget(struct vm_mm *mm)
{
	u64 limit = (READ_ONCE(mm->nr_pages) << PAGE_SHIFT) / 8 + SZ_64M;

	return (u64)atomic_long_read(&mm->bytes) > limit;
}

static void empty_all(struct vm_mm *mm)
{
	struct pt_gather g;
	struct mdp_root *r;

	mm_gather_init(mm, &g);
	write_lock(&mm->lock);
	list_for_each_entry(r, &mm->mdp_roots, link)
		mdp_root_empty(r, &g);
	pt_gather_finish(&g);
	write_unlock(&mm->lock);
}

/*
 * Index and snapshot must know of the leaf before it exists. Its size is only certain under
 * the lock, so the index gets the size that is possible now, and no larger leaf is installed.
 */
static enum mm_fault_result compose(struct mdp_root *r, u64 l2gpa, u32 access,
				    const struct ept12_result *ept12, struct gfn_page *page,
				    unsigned long gen)
{
	struct vm_mm *mm = r->mm;
	struct host_grant grant;
	struct pt_leaf leaf;
	int ret;

	ret = mdp_snap_record(r, l2gpa, ept12);
	if (ret)
		return ret == -EAGAIN ? MM_RETRY : MM_NOMEM;
	gfn_page_grant(mm, page, &grant);
	mm_compose(ept12, &grant, access, &leaf);
	ret = mdp_index_add(r, page->gfn, l2gpa >> PAGE_SHIFT, leaf.level);
	if (ret == -ENOSPC || over_budget(mm)) {
		empty_all(mm);
		return MM_RETRY;
	}
	if (ret)
		return MM_NOMEM;
	return mm_install(mm, &r->pt, l2gpa, ept12, page, access, leaf.level, &r->gen, gen);
}

enum mm_fault_result mdp_fault(struct vcpu *v, u64 l2gpa, u32 access, u64 eptp, u64 *l1gpa,
			       u64 *qual)
{
	struct mdp_root *r = v->mdp_root;
	struct gfn_page page = { 0 };
	enum mm_fault_result res;
	struct ept12_result ept12;
	unsigned long gen;

	if (!r || r->eptp != eptp || READ_ONCE(r->dead)) {
		vcpu_request(v, REQ_MMU_RELOAD);
		return MM_RETRY;
	}
	gen = READ_ONCE(r->gen);
	smp_rmb(); /* generation before L1's tables; checked again under the lock */

	res = walk_result(walk(v, eptp, l2gpa, access, &ept12));
	*l1gpa = ept12.l1gpa;
	*qual = ept12.qual;
	if (res != MM_MAPPED)
		return res;

	res = gfn_page_get(v->vm, 0, ept12.l1gpa >> PAGE_SHIFT, access, &page);
	if (res != MM_MAPPED)
		return res;
	res = compose(r, l2gpa, access, &ept12, &page, gen);
	gfn_page_put(&page);
	return res;
}

/* INVEPT's single-context type goes by EPTP bits 51:12. */
static bool same_context(u64 a, u64 b)
{
	return !((a ^ b) & GENMASK_ULL(51, 12));
}

/**
 * mdp_invept - L1 executed INVEPT
 * @single: only the context of @eptp
 * Called by the vCPU's thread. What still agrees with L1's tables stays.
 */
void mdp_invept(struct vcpu *v, bool single, u64 eptp)
{
	struct vm_mm *mm = v->vm->mm;
	struct mdp_root *roots[MDP_MAX_ROOTS];
	unsigned int i, n = 0;
	struct mdp_root *r;
	int idx;

	read_lock(&mm->lock);
	list_for_each_entry(r, &mm->mdp_roots, link) {
		if (single && !same_context(r->eptp, eptp))
			continue;
		refcount_inc(&r->refs);
		roots[n++] = r;
	}
	read_unlock(&mm->lock);

	idx = srcu_read_lock(&v->vm->srcu);
	for (i = 0; i < n; i++) {
		mdp_snap_compare(roots[i]);
		mdp_root_put(roots[i]);
	}
	srcu_read_unlock(&v->vm->srcu, idx);
}
