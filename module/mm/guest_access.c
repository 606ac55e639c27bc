// SPDX-License-Identifier: GPL-2.0-only
/*
 * L0's own reads and writes of guest memory by guest-physical address. Called by
 * everyone above hw/. The user mapping is used as it is, so all that user space
 * and the host do to it (swap, copy on write, userfaultfd) just works.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include "mm/slots.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

/*
 * Make vm->mm_user the current address space: it is for a vCPU thread; a kernel
 * thread borrows it. Another process may not reach into it this way.
 */
static bool user_mm_enter(struct vm *vm, bool *borrowed)
{
	*borrowed = false;
	if (current->mm == vm->mm_user)
		return true;
	if (!(current->flags & PF_KTHREAD) || current->mm || !mmget_not_zero(vm->mm_user))
		return false;
	kthread_use_mm(vm->mm_user);
	*borrowed = true;
	return true;
}

static void user_mm_leave(struct vm *vm, bool borrowed)
{
	if (!borrowed)
		return;
	kthread_unuse_mm(vm->mm_user);
	mmput(vm->mm_user);
}

/* The part of [gpa, gpa + len) that lies in gpa's page. */
static size_t in_page(u64 gpa, size_t len)
{
	return min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
}

static int read_page(struct vm *vm, unsigned int as, u64 gpa, void *buf, size_t len)
{
	const struct memslot *s = vm_slot(vm, as, gpa >> PAGE_SHIFT);

	if (!s ||
	    copy_from_user(buf,
			   (void __user *)(slot_hva(s, gpa >> PAGE_SHIFT) + offset_in_page(gpa)),
			   len))
		return -EFAULT;
	return 0;
}

static int write_page(struct vm *vm, unsigned int as, u64 gpa, const void *buf, size_t len)
{
	struct memslot *s = vm_slot(vm, as, gpa >> PAGE_SHIFT);

	if (!s || (s->flags & KVM_MEM_READONLY) ||
	    copy_to_user((void __user *)(slot_hva(s, gpa >> PAGE_SHIFT) + offset_in_page(gpa)), buf,
			 len))
		return -EFAULT;
	slot_mark_dirty(s, gpa >> PAGE_SHIFT);
	return 0;
}

static int read_as(struct vm *vm, unsigned int as, u64 gpa, void *buf, size_t len)
{
	bool borrowed;
	int ret = 0;

	lockdep_assert(srcu_read_lock_held(&vm->srcu));
	if (!user_mm_enter(vm, &borrowed))
		return -EFAULT;
	while (len && !ret) {
		size_t n = in_page(gpa, len);

		ret = read_page(vm, as, gpa, buf, n);
		gpa += n;
		buf += n;
		len -= n;
	}
	user_mm_leave(vm, borrowed);
	return ret;
}

static int write_as(struct vm *vm, unsigned int as, u64 gpa, const void *buf, size_t len)
{
	bool borrowed;
	int ret = 0;

	lockdep_assert(srcu_read_lock_held(&vm->srcu));
	if (!user_mm_enter(vm, &borrowed))
		return -EFAULT;
	while (len && !ret) {
		size_t n = in_page(gpa, len);

		ret = write_page(vm, as, gpa, buf, n);
		gpa += n;
		buf += n;
		len -= n;
	}
	user_mm_leave(vm, borrowed);
	return ret;
}

/*
 * 0 exchanged, 1 it differed (*old updated), -EFAULT. The names have a prefix because the kernel's
 * macro has variables of its own, _old among them, and would take those for ours.
 */
#define cmpxchg_user(type, uaddr, old, new)                                                      \
	({                                                                                       \
		type __user *cu_addr = (type __user *)(uaddr);                                   \
		type cu_old = *(old);                                                            \
		int cu_ret = -EFAULT;                                                            \
                                                                                                 \
		if (user_access_begin(cu_addr, sizeof(type))) {                                  \
			cu_ret = !unsafe_try_cmpxchg_user(cu_addr, &cu_old, (type)(new), fault); \
			user_access_end();                                                       \
		}                                                                                \
		*(old) = cu_old;                                                                 \
		cu_ret;                                                                          \
	})

static int cmpxchg_hva(unsigned long hva, u64 *old, u64 new, int len)
{
	switch (len) {
	case 1:
		return cmpxchg_user(u8, hva, old, new);
	case 2:
		return cmpxchg_user(u16, hva, old, new);
	case 4:
		return cmpxchg_user(u32, hva, old, new);
	case 8:
		return cmpxchg_user(u64, hva, old, new);
	default:
		return -EFAULT;
	}
fault:
	user_access_end();
	return -EFAULT;
}

static int cmpxchg_as(struct vm *vm, unsigned int as, u64 gpa, u64 *old, u64 new, int len)
{
	struct memslot *s = vm_slot(vm, as, gpa >> PAGE_SHIFT);
	bool borrowed;
	int ret;

	lockdep_assert(srcu_read_lock_held(&vm->srcu));
	if (!s || (s->flags & KVM_MEM_READONLY) || len <= 0 || gpa & (len - 1))
		return -EFAULT;
	if (!user_mm_enter(vm, &borrowed))
		return -EFAULT;
	ret = cmpxchg_hva(slot_hva(s, gpa >> PAGE_SHIFT) + offset_in_page(gpa), old, new, len);
	if (!ret)
		slot_mark_dirty(s, gpa >> PAGE_SHIFT);
	user_mm_leave(vm, borrowed);
	return ret;
}

int vm_read_guest(struct vm *vm, u64 gpa, void *buf, size_t len)
{
	return read_as(vm, 0, gpa, buf, len);
}

int vm_write_guest(struct vm *vm, u64 gpa, const void *buf, size_t len)
{
	return write_as(vm, 0, gpa, buf, len);
}

int vm_cmpxchg_guest(struct vm *vm, u64 gpa, u64 *old, u64 new, int len)
{
	return cmpxchg_as(vm, 0, gpa, old, new, len);
}

int vcpu_read_guest(struct vcpu *v, u64 gpa, void *buf, size_t len)
{
	return read_as(v->vm, vcpu_as(v), gpa, buf, len);
}

int vcpu_write_guest(struct vcpu *v, u64 gpa, const void *buf, size_t len)
{
	return write_as(v->vm, vcpu_as(v), gpa, buf, len);
}

int vcpu_cmpxchg_guest(struct vcpu *v, u64 gpa, u64 *old, u64 new, int len)
{
	return cmpxchg_as(v->vm, vcpu_as(v), gpa, old, new, len);
}
