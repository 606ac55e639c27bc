// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of struct vm_mm, table pages, and the entry points that choose between the
 * tdp and a composed tree. Called by vcpu/ (mm_root, mm_fault) and by the rest of mm/.
 */
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <asm/cpufeature.h>
#include <asm/io.h>
#include "mm/mdp.h"
#include "mm/pfn.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

u64 *mm_table_alloc(struct vm_mm *mm)
{
	u64 *table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	if (table)
		atomic_long_add(PAGE_SIZE, &mm->bytes);
	return table;
}

void mm_table_free(void *ctx, u64 *table)
{
	struct vm_mm *mm = ctx;

	atomic_long_sub(PAGE_SIZE, &mm->bytes);
	free_page((unsigned long)table);
}

bool pt_cache_fill(struct vm_mm *mm, struct pt_cache *c, u8 levels)
{
	while (c->n < levels - 1) {
		u64 *table = mm_table_alloc(mm);

		if (!table)
			return false;
		c->table[c->n++] = table;
	}
	return true;
}

void pt_cache_drain(struct vm_mm *mm, struct pt_cache *c)
{
	while (c->n)
		mm_table_free(mm, c->table[--c->n]);
}

static void gather_sync(void *ctx)
{
	struct vm_mm *mm = ctx;

	vm_request_all(mm->vm, REQ_TLB_FLUSH);
}

void mm_gather_init(struct vm_mm *mm, struct pt_gather *g)
{
	pt_gather_init(g, mm, gather_sync);
}

bool mm_zap_gfns(struct vm_mm *mm, unsigned int as, u64 start, u64 end, struct pt_gather *g)
{
	bool found;

	lockdep_assert_held_write(&mm->lock);
	WRITE_ONCE(mm->inv_seq, mm->inv_seq + 1);
	found = pt_zap(&mm->tdp[as], start << PAGE_SHIFT, end << PAGE_SHIFT, g);
	if (as)
		return found;
	found |= mdp_zap_gfns(mm, start, end, g);
	mm_drop_pins(mm, start, end);
	return found;
}

bool mm_write_protect_gfns(struct vm_mm *mm, unsigned int as, u64 start, u64 end)
{
	bool changed;

	lockdep_assert_held_write(&mm->lock);
	changed = pt_write_protect(&mm->tdp[as], start << PAGE_SHIFT, end << PAGE_SHIFT);
	if (!as)
		changed |= mdp_write_protect_gfns(mm, start, end);
	return changed;
}

bool mm_age_gfns(struct vm_mm *mm, unsigned int as, u64 start, u64 end, bool clear)
{
	bool young = pt_age(&mm->tdp[as], start << PAGE_SHIFT, end << PAGE_SHIFT, clear);

	if (!as)
		young |= mdp_age_gfns(mm, start, end, clear);
	return young;
}

/* False when memory ran out; what was made is there to be destroyed. */
static bool tdp_create(struct vm_mm *mm)
{
	unsigned int as;

	for (as = 0; as < MM_NR_AS; as++) {
		mm->tdp[as] = (struct pt){ .fmt = &hw->pt, .ctx = mm, .free = mm_table_free };
		mm->tdp[as].root = mm_table_alloc(mm);
		if (!mm->tdp[as].root)
			return false;
	}
	return true;
}

static void tdp_destroy(struct vm_mm *mm)
{
	unsigned int as;

	for (as = 0; as < MM_NR_AS && mm->tdp[as].root; as++)
		pt_destroy(&mm->tdp[as]);
}

int vm_mm_create(struct vm *vm)
{
	struct vm_mm *mm = kzalloc(sizeof(*mm), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!mm)
		return -ENOMEM;
	mm->vm = vm;
	rwlock_init(&mm->lock);
	spin_lock_init(&mm->pin_lock);
	INIT_LIST_HEAD(&mm->mdp_roots);
	INIT_LIST_HEAD(&mm->pins);
	xa_init_flags(&mm->slots_by_id, XA_FLAGS_ACCOUNT);
	mm->hva_tree = RB_ROOT_CACHED;
	/* An executable large page can hang such a processor: fetches get 4K leaves. */
	mm->nx_large = boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off();
	if (!tdp_create(mm))
		goto free;
	vm->mm = mm;
	ret = mm_notifier_register(mm);
	if (!ret)
		return 0;
	vm->mm = NULL;
free:
	tdp_destroy(mm);
	kfree(mm);
	return ret;
}

/*
 * Nobody can reach the VM, but its creator may live on and change its memory. The notifier's last
 * call removes all mappings and makes requests of the vCPUs, as any call of it may: they are there.
 */
void vm_mm_detach(struct vm *vm)
{
	mm_notifier_unregister(vm->mm);
}

/* After vm_mm_detach(), and no vCPU is left. */
void vm_mm_destroy(struct vm *vm)
{
	struct vm_mm *mm = vm->mm;

	mdp_roots_destroy(mm);
	tdp_destroy(mm);
	vm_slots_destroy(vm);
	vm->mm = NULL;
	kfree(mm);
}

void mm_vcpu_free(struct vcpu *v)
{
	mdp_root_put(v->mdp_root);
	v->mdp_root = NULL;
}

u64 mm_root(struct vcpu *v, bool l2_ept, u64 eptp)
{
	struct mdp_root *r = v->mdp_root;

	lockdep_assert_held(&v->mutex);
	might_sleep();
	if (!l2_ept)
		return v->root_hpa = virt_to_phys(v->vm->mm->tdp[vcpu_as(v)].root);

	/*
	 * The same as last time: no lock. Should it die right now, the request to load it
	 * again is made before its pages go, and stops this vCPU before the guest.
	 */
	if (!r || r->eptp != eptp || READ_ONCE(r->dead)) {
		r = mdp_root_find(v->vm->mm, eptp);
		if (!r)
			return 0;
		mdp_root_put(v->mdp_root);
		v->mdp_root = r;
		/* Its page may have been another root, of which this CPU has translations. */
		vcpu_request(v, REQ_TLB_FLUSH);
	}
	v->root_hpa = virt_to_phys(r->pt.root);
	if (mdp_root_plain(r))
		v->root_hpa |= HW_ROOT_NO_AD;
	return v->root_hpa;
}

enum mm_fault_result mm_fault(struct vcpu *v, u64 gpa, u32 access, bool l2_ept, u64 eptp,
			      u64 *gpa_out, u64 *qual)
{
	int idx = srcu_read_lock(&v->vm->srcu);
	enum mm_fault_result res;

	lockdep_assert(srcu_read_lock_held(&v->vm->srcu));
	might_sleep();
	if (l2_ept) {
		res = mdp_fault(v, gpa, access, eptp, gpa_out, qual);
	} else {
		*gpa_out = gpa;
		*qual = 0;
		res = tdp_fault(v->vm, vcpu_as(v), gpa, access);
	}
	srcu_read_unlock(&v->vm->srcu, idx);
	return res;
}

size_t vm_mm_footprint(struct vm *vm)
{
	return vm->mm ? atomic_long_read(&vm->mm->bytes) : 0;
}

void vm_mm_leaf_counts(struct vm *vm, u64 tdp[4], u64 mdp[4])
{
	struct vm_mm *mm = vm->mm;
	struct mdp_root *r;
	unsigned int as;

	memset(tdp, 0, 4 * sizeof(u64));
	memset(mdp, 0, 4 * sizeof(u64));
	read_lock(&mm->lock);
	for (as = 0; as < MM_NR_AS; as++)
		pt_count(&mm->tdp[as], tdp);
	list_for_each_entry(r, &mm->mdp_roots, link)
		pt_count(&r->pt, mdp);
	read_unlock(&mm->lock);
}
