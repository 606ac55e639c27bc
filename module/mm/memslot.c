// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots: KVM_SET_USER_MEMORY_REGION and the lookups. Called by api/ and by
 * the rest of mm/. Must not know how the trees are built; it only asks mm.c to
 * take frames out of them.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/processor.h>
#include "mm/pfn.h"
#include "mm/slots.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

#define SLOT_MAX_PAGES ((1UL << 31) - 1)

static struct slot_set *slots_of(struct vm *vm, unsigned int as)
{
	return srcu_dereference_check(vm->mm->slots[as], &vm->srcu,
				      lockdep_is_held(&vm->slots_lock));
}

/* Index of the first slot that starts above @gfn. */
static unsigned int first_above(const struct slot_set *set, u64 gfn)
{
	unsigned int lo = 0, hi = set->n;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (set->slot[mid]->base_gfn <= gfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct memslot *vm_slot(struct vm *vm, unsigned int as, u64 gfn)
{
	const struct slot_set *set = slots_of(vm, as);
	unsigned int i = set ? first_above(set, gfn) : 0;
	struct memslot *s;

	if (!i)
		return NULL;
	s = set->slot[i - 1];
	return gfn - s->base_gfn < s->npages ? s : NULL;
}

/* The upper half of an id is an address space. */
int vm_slot_by_id(struct vm *vm, u32 id, struct memslot **s)
{
	lockdep_assert_held(&vm->slots_lock);
	if ((id >> 16) >= MM_NR_AS || (u16)id >= MM_MAX_SLOTS)
		return -EINVAL;
	*s = xa_load(&vm->mm->slots_by_id, id);
	return 0;
}

static struct slot_set *slot_set_alloc(unsigned int n)
{
	struct slot_set *set = kvmalloc(struct_size(set, slot, n), GFP_KERNEL_ACCOUNT);

	if (set)
		set->n = 0;
	return set;
}

/* Slots are few in most VMs and tens of thousands in some: whole stretches are moved. */
static void remove_at(struct slot_set *set, unsigned int i)
{
	set->n--;
	memmove(&set->slot[i], &set->slot[i + 1], (set->n - i) * sizeof(set->slot[0]));
}

static void insert_at(struct slot_set *set, unsigned int i, struct memslot *s)
{
	memmove(&set->slot[i + 1], &set->slot[i], (set->n - i) * sizeof(set->slot[0]));
	set->slot[i] = s;
	set->n++;
}

/* The set @cur without @old and with @new; each may be NULL. */
static struct slot_set *slot_set_build(const struct slot_set *cur, struct memslot *old,
				       struct memslot *new)
{
	unsigned int n = cur ? cur->n : 0;
	struct slot_set *set = slot_set_alloc(n + 1);

	if (!set)
		return NULL;
	if (n)
		memcpy(set->slot, cur->slot, n * sizeof(set->slot[0]));
	set->n = n;
	if (old)
		remove_at(set, first_above(set, old->base_gfn) - 1);
	if (new)
		insert_at(set, first_above(set, new->base_gfn), new);
	return set;
}

static bool overlaps(struct vm *vm, const struct memslot *new, const struct memslot *except)
{
	const struct slot_set *set = slots_of(vm, new->as);
	unsigned int i = set ? first_above(set, new->base_gfn + new->npages - 1) : 0;

	/* Backwards from the last that starts inside or below @new. */
	while (i--) {
		const struct memslot *s = set->slot[i];

		if (s->base_gfn + s->npages <= new->base_gfn)
			return false;
		if (s != except)
			return true;
	}
	return false;
}

static void slot_free(struct memslot *s, bool dirty_too)
{
	if (!s)
		return;
	if (dirty_too)
		kvfree(s->dirty);
	kfree(s);
}

static void hva_insert(struct vm_mm *mm, struct memslot *s)
{
	s->hva_node.start = s->hva;
	s->hva_node.last = s->hva + (s->npages << PAGE_SHIFT) - 1;
	write_lock(&mm->lock);
	interval_tree_insert(&s->hva_node, &mm->hva_tree);
	write_unlock(&mm->lock);
}

static void hva_remove(struct vm_mm *mm, struct memslot *s, bool zap)
{
	struct pt_gather g;

	mm_gather_init(mm, &g);
	write_lock(&mm->lock);
	if (zap)
		mm_zap_gfns(mm, s->as, s->base_gfn, s->base_gfn + s->npages, &g);
	pt_gather_finish(&g);
	interval_tree_remove(&s->hva_node, &mm->hva_tree);
	write_unlock(&mm->lock);
}

/*
 * Publish the change and wait until nobody uses what was before. @new is in the
 * notifier's tree before anyone can map through it, and @old until its last
 * mapping is gone.
 */
static int slot_switch(struct vm *vm, struct memslot *old, struct memslot *new, bool zap)
{
	struct vm_mm *mm = vm->mm;
	unsigned int as = new ? new->as : old->as;
	struct slot_set *was = slots_of(vm, as);
	struct slot_set *set = slot_set_build(was, old, new);
	u32 id = new ? new->id : old->id;

	if (!set)
		return -ENOMEM;
	if (new &&xa_is_err(xa_store(&mm->slots_by_id, id, new, GFP_KERNEL_ACCOUNT))) {
		kvfree(set);
		return -ENOMEM;
	}
	if (!new)
		xa_erase(&mm->slots_by_id, id);
	else
		hva_insert(mm, new);

	if (!as)
		WRITE_ONCE(mm->nr_pages,
			   mm->nr_pages + (new ? new->npages : 0) - (old ? old->npages : 0));
	rcu_assign_pointer(mm->slots[as], set);
	synchronize_srcu_expedited(&vm->srcu);
	if (old)
		hva_remove(mm, old, zap);
	kvfree(was);
	return 0;
}

static int slot_create(struct vm *vm, struct memslot *new)
{
	int ret;

	if (overlaps(vm, new, NULL))
		return -EEXIST;
	if (new->flags & KVM_MEM_LOG_DIRTY_PAGES) {
		ret = slot_alloc_dirty(new, vm->dirty_protect_flags & KVM_DIRTY_LOG_INITIALLY_SET);
		if (ret)
			return ret;
	}
	ret = slot_switch(vm, NULL, new, false);
	if (ret)
		kvfree(new->dirty);
	return ret;
}

static int slot_delete(struct vm *vm, struct memslot *old)
{
	int ret = slot_switch(vm, old, NULL, true);

	if (!ret)
		slot_free(old, true);
	return ret;
}

/* Move, or change of KVM_MEM_LOG_DIRTY_PAGES; size, memory and READONLY stay. */
static int slot_change(struct vm *vm, struct memslot *old, struct memslot *new)
{
	bool move = new->base_gfn != old->base_gfn;
	bool log = new->flags &KVM_MEM_LOG_DIRTY_PAGES;
	bool keep = log && old->dirty && !move;
	int ret;

	if (move && overlaps(vm, new, old))
		return -EEXIST;
	if (keep) {
		new->dirty = old->dirty;
	} else if (log) {
		ret = slot_alloc_dirty(new, vm->dirty_protect_flags & KVM_DIRTY_LOG_INITIALLY_SET);
		if (ret)
			return ret;
	}
	/* Logging ends: drop the small leaves, large ones may come back. */
	ret = slot_switch(vm, old, new, move || (old->dirty && !log));
	if (ret) {
		if (!keep)
			kvfree(new->dirty);
		return ret;
	}
	if (log && !old->dirty && !move)
		slot_start_logging(vm, new);
	slot_free(old, !keep);
	return 0;
}

static u64 max_gfn(struct vm *vm)
{
	u64 bits = min_t(u64, boot_cpu_data.x86_phys_bits, 12 + 9 * vm->mm->tdp[0].fmt->levels);

	return 1ULL << (bits - PAGE_SHIFT);
}

static int check_region(struct vm *vm, const struct kvm_userspace_memory_region *r)
{
	u64 pages = r->memory_size >> PAGE_SHIFT;

	if (r->flags & ~(u32)(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY))
		return -EINVAL;
	if ((r->memory_size | r->guest_phys_addr | r->userspace_addr) & ~PAGE_MASK)
		return -EINVAL;
	if (r->memory_size != (unsigned long)r->memory_size ||
	    !access_ok((void __user *)(unsigned long)r->userspace_addr, r->memory_size))
		return -EINVAL;
	if (r->guest_phys_addr + r->memory_size < r->guest_phys_addr || pages > SLOT_MAX_PAGES)
		return -EINVAL;
	return 0;
}

static int set_region_locked(struct vm *vm, const struct kvm_userspace_memory_region *r)
{
	struct memslot *old, *new;
	int ret = vm_slot_by_id(vm, r->slot, &old);

	if (ret)
		return ret;
	if (!r->memory_size)
		return old ? slot_delete(vm, old) : -EINVAL;
	if ((r->guest_phys_addr + r->memory_size - 1) >> PAGE_SHIFT >= max_gfn(vm))
		return -EINVAL;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->base_gfn = r->guest_phys_addr >> PAGE_SHIFT;
	new->npages = r->memory_size >> PAGE_SHIFT;
	new->hva = r->userspace_addr;
	new->id = r->slot;
	new->as = r->slot >> 16;
	new->flags = r->flags;

	if (!old) {
		ret = slot_create(vm, new);
	} else if (new->npages != old->npages || new->hva != old->hva ||
		   (new->flags ^ old->flags) & KVM_MEM_READONLY) {
		ret = -EINVAL;
	} else if (new->base_gfn == old->base_gfn &&new->flags == old->flags) {
		kfree(new);
		return 0;
	} else {
		ret = slot_change(vm, old, new);
	}
	if (ret)
		kfree(new);
	return ret;
}

/**
 * vm_set_memory_region - KVM_SET_USER_MEMORY_REGION
 * Process context, no lock held but possibly vm->lock; not inside vm->srcu.
 */
int vm_set_memory_region(struct vm *vm, const struct kvm_userspace_memory_region *r)
{
	int ret = check_region(vm, r);

	if (ret)
		return ret;
	mutex_lock(&vm->slots_lock);
	ret = set_region_locked(vm, r);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

bool vcpu_gfn_is_memory(struct vcpu *v, u64 gfn, bool write)
{
	const struct memslot *s = vm_slot(v->vm, vcpu_as(v), gfn);

	return s && !(write && (s->flags & KVM_MEM_READONLY));
}

/** vm_nr_pages - guest pages in all slots, just now */
u64 vm_nr_pages(struct vm *vm)
{
	return READ_ONCE(vm->mm->nr_pages);
}

/* The VM is dying: no vCPU, no reader, no notifier, no mapping any more. */
void vm_slots_destroy(struct vm *vm)
{
	struct memslot *s;
	unsigned long id;
	unsigned int as;

	xa_for_each(&vm->mm->slots_by_id, id, s)
		slot_free(s, true);
	xa_destroy(&vm->mm->slots_by_id);
	for (as = 0; as < MM_NR_AS; as++) {
		kvfree(rcu_dereference_protected(vm->mm->slots[as], true));
		RCU_INIT_POINTER(vm->mm->slots[as], NULL);
	}
}
