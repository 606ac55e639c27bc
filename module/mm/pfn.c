// SPDX-License-Identifier: GPL-2.0-only
/*
 * hva to host frame: get_user_pages for ordinary memory, a page-table lookup for
 * VM_PFNMAP (device memory mapped by VFIO), and the size of the host's mapping.
 * Called by tdp.c, mdp.c and mm.c. Must not know of guest page tables.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/swap.h>
#include "linux/compat.h"
#include "mm/pfn.h"
#include "vcpu/vcpu.h"

#if COMPAT_HAS_FOLLOW_PFNMAP
static int pfnmap_lookup(struct vm_area_struct *vma, unsigned long hva, u64 *pfn, bool *writable)
{
	struct follow_pfnmap_args args = { .vma = vma, .address = hva };
	int ret = follow_pfnmap_start(&args);

	if (ret)
		return ret;
	*pfn = args.pfn;
	*writable = args.writable;
	follow_pfnmap_end(&args);
	return 0;
}
#else
static int pfnmap_lookup(struct vm_area_struct *vma, unsigned long hva, u64 *pfn, bool *writable)
{
	spinlock_t *ptl;
	pte_t *ptep;
	int ret = follow_pte(vma->vm_mm, hva, &ptep, &ptl);

	if (ret)
		return ret;
	*pfn = pte_pfn(*ptep);
	*writable = pte_write(*ptep);
	pte_unmap_unlock(ptep, ptl);
	return 0;
}
#endif

/* Memory without reference counts; the notifier alone keeps it ours. */
static int pfnmap_get(struct mm_struct *mm, unsigned long hva, bool write, struct gfn_page *p)
{
	struct vm_area_struct *vma;
	bool writable = false;
	bool unlocked = false;
	int ret = -EFAULT;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, hva);
	if (!vma || !(vma->vm_flags & (VM_IO | VM_PFNMAP)))
		goto out;
	ret = pfnmap_lookup(vma, hva, &p->pfn, &writable);
	if (ret || (write && !writable)) {
		ret = fixup_user_fault(mm, hva, write ? FAULT_FLAG_WRITE : 0, &unlocked);
		if (!ret)
			ret = -EAGAIN;
		goto out;
	}
	p->page = NULL;
	p->write &= writable;
	p->uc = !pfn_valid(p->pfn) || PageReserved(pfn_to_page(p->pfn));
out:
	mmap_read_unlock(mm);
	return ret;
}

/* 0, -EAGAIN (ask again), or why the user mapping gives no page. */
static int host_page_get(struct mm_struct *mm, unsigned long hva, bool write, struct gfn_page *p)
{
	int ret;

	p->uc = false;
	/* Most memory is writable, and finding that out now saves a second fault. */
	if (p->write && get_user_pages_fast_only(hva, 1, FOLL_WRITE, &p->page) == 1) {
		p->pfn = page_to_pfn(p->page);
		return 0;
	}
	ret = get_user_pages_fast(hva, 1, write ? FOLL_WRITE : 0, &p->page);
	if (ret == 1) {
		p->write = write;
		p->pfn = page_to_pfn(p->page);
		return 0;
	}
	p->page = NULL;
	return pfnmap_get(mm, hva, write, p);
}

enum mm_fault_result gfn_page_get(struct vm *vm, unsigned int as, u64 gfn, u32 access,
				  struct gfn_page *p)
{
	bool write = access & EPT_ACC_WRITE;
	int ret;

	/* get_user_pages_fast() works on the caller's own address space. */
	if (current->mm != vm->mm_user)
		return MM_BAD;
	p->slot = vm_slot(vm, as, gfn);
	if (!p->slot)
		return MM_MMIO;
	p->write = !(p->slot->flags & KVM_MEM_READONLY);
	if (write && !p->write)
		return MM_READONLY;
	p->gfn = gfn;
	p->hva = slot_hva(p->slot, gfn);
	p->seq = READ_ONCE(vm->mm->inv_seq);
	smp_rmb(); /* pairs with the lock around its change: seq before the page */
	ret = host_page_get(vm->mm_user, p->hva, write, p);
	if (ret == -EAGAIN)
		return MM_RETRY;
	if (ret == -ENOMEM)
		return MM_NOMEM;
	return ret ? MM_BAD : MM_MAPPED;
}

void gfn_page_put(struct gfn_page *p)
{
	if (p->page)
		put_page(p->page);
	p->page = NULL;
}

#define HOST_PRESENT_LARGE (_PAGE_PRESENT | _PAGE_PSE)

/*
 * Level of the host's own mapping of @hva. Interrupts off keep its tables from
 * being freed, as in get_user_pages_fast(); the answer is only true while the
 * notifier is held off by vm_mm.lock.
 */
static u8 host_map_level(struct mm_struct *mm, unsigned long hva)
{
	unsigned long flags;
	u8 level = 1;
	pgd_t pgd;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	local_irq_save(flags);
	pgd = READ_ONCE(*pgd_offset(mm, hva));
	if (pgd_none(pgd))
		goto out;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		goto out;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (!(pud_flags(pud) & _PAGE_PRESENT))
		goto out;
	if ((pud_flags(pud) & HOST_PRESENT_LARGE) == HOST_PRESENT_LARGE) {
		level = 3;
		goto out;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if ((pmd_flags(pmd) & HOST_PRESENT_LARGE) == HOST_PRESENT_LARGE)
		level = 2;
out:
	local_irq_restore(flags);
	return level;
}

/* May a leaf of @level around the frame be mapped: alignment, slot, no invalidation. */
static bool level_fits(const struct vm_mm *mm, const struct gfn_page *p, u8 level)
{
	const struct memslot *s = p->slot;
	u64 mask = pt_level_pages(level) - 1;
	u64 first = p->gfn & ~mask;
	unsigned long hva_first = p->hva & ~((mask << PAGE_SHIFT) | ~PAGE_MASK);

	if (first < s->base_gfn || first + mask >= s->base_gfn + s->npages)
		return false;
	if (((p->hva >> PAGE_SHIFT) ^ p->gfn) & mask || (p->pfn ^ p->gfn) & mask)
		return false;
	return !(mm->inv_count && hva_first < mm->inv_end &&
		 hva_first + pt_level_size(level) > mm->inv_start);
}

void gfn_page_grant(struct vm_mm *mm, const struct gfn_page *p, struct host_grant *grant)
{
	u8 level = 1;

	if (p->page && !p->slot->dirty) {
		level = min(host_map_level(mm->vm->mm_user, p->hva), mm->tdp[0].fmt->max_level);
		while (level > 1 && !level_fits(mm, p, level))
			level--;
	}
	grant->hpa = p->pfn << PAGE_SHIFT;
	grant->max_level = level;
	grant->write = p->write;
	grant->log = p->slot->dirty;
	grant->uc = p->uc;
	grant->nx_large = mm->nx_large;
}

void gfn_page_commit(struct gfn_page *p, bool write)
{
	if (write)
		slot_mark_dirty(p->slot, p->gfn);
	if (!p->page)
		return;
	/*
	 * The host cleans a page only after the notifier took it from us, so setting
	 * the flag while we still hold a reference and the lock is early enough.
	 */
	if (p->write && !PageReserved(p->page))
		SetPageDirty(p->page);
	mark_page_accessed(p->page);
}
