// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_X86_SET_MSR_FILTER: which MSRs the guest's own RDMSR and WRMSR may reach. User space and
 * the x2APIC's registers are never filtered.
 */
#include <linux/bitmap.h>
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>

#include "vcpu/msr.h"
#include "vcpu/vcpu.h"

struct filter_range {
	u32 flags;
	u32 base;
	u32 nmsrs;
	unsigned long *bitmap; /* a set bit allows */
};

struct msr_filter {
	bool default_allow;
	u32 nr;
	struct filter_range r[KVM_MSR_FILTER_MAX_RANGES];
};

bool msr_allowed(struct vcpu *v, u32 index, bool write)
{
	const struct msr_filter *f = srcu_dereference(v->vm->msr_filter, &v->vm->srcu);
	u32 type = write ? KVM_MSR_FILTER_WRITE : KVM_MSR_FILTER_READ, i;

	if (likely(!f) || index - 0x800u < 0x100u)
		return true;
	for (i = 0; i < f->nr; i++) {
		const struct filter_range *r = &f->r[i];

		if (index - r->base < r->nmsrs && (r->flags & type))
			return test_bit(index - r->base, r->bitmap);
	}
	return f->default_allow;
}

static void free_filter(struct msr_filter *f)
{
	u32 i;

	if (!f)
		return;
	for (i = 0; i < f->nr; i++)
		kfree(f->r[i].bitmap);
	kfree(f);
}

static int copy_range(struct msr_filter *f, const struct kvm_msr_filter_range *in)
{
	struct filter_range *r = &f->r[f->nr];
	size_t size;
	void *bitmap;

	if (!in->nmsrs)
		return 0;
	if (in->flags & ~(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE))
		return -EINVAL;
	size = BITS_TO_LONGS((size_t)in->nmsrs) * sizeof(long);
	if (size > KVM_MSR_FILTER_MAX_BITMAP_SIZE)
		return -EINVAL;
	bitmap = memdup_user((const void __user *)in->bitmap, size);
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	r->flags = in->flags;
	r->base = in->base;
	r->nmsrs = in->nmsrs;
	r->bitmap = bitmap;
	f->nr++;
	return 0;
}

static int build_filter(const struct kvm_msr_filter *in, struct msr_filter **out)
{
	struct msr_filter *f;
	int err = 0;
	u32 i;

	if (in->flags & ~KVM_MSR_FILTER_DEFAULT_DENY)
		return -EINVAL;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->default_allow = !(in->flags & KVM_MSR_FILTER_DEFAULT_DENY);
	for (i = 0; i < KVM_MSR_FILTER_MAX_RANGES && !err; i++)
		err = copy_range(f, &in->ranges[i]);
	/* Denying everything is certainly a mistake: a guest cannot run like that. */
	if (!err && !f->nr && !f->default_allow)
		err = -EINVAL;
	if (err) {
		free_filter(f);
		return err;
	}
	if (!f->nr) { /* allows everything: as good as none, and faster */
		free_filter(f);
		f = NULL;
	}
	*out = f;
	return 0;
}

/* What a backend may leave to the guest without an exit. */
static const u32 passed_through[] = {
	MSR_IA32_TSC,
	MSR_IA32_SPEC_CTRL,
	MSR_IA32_SYSENTER_CS,
	MSR_IA32_SYSENTER_ESP,
	MSR_IA32_SYSENTER_EIP,
	MSR_IA32_DEBUGCTLMSR,
	MSR_IA32_CR_PAT,
	MSR_STAR,
	MSR_LSTAR,
	MSR_CSTAR,
	MSR_SYSCALL_MASK,
	MSR_FS_BASE,
	MSR_GS_BASE,
	MSR_KERNEL_GS_BASE,
	MSR_TSC_AUX,
};

/*
 * vcpu_apply_msr_filter - make denied accesses exit; vm->srcu held
 *
 * Only adds: after the filter is lifted such an MSR goes on to exit, which costs time and
 * nothing else.
 */
void vcpu_apply_msr_filter(struct vcpu *v)
{
	u32 i;

	v->deadline_allowed = msr_allowed(v, MSR_IA32_TSC_DEADLINE, true);
	for (i = 0; i < ARRAY_SIZE(passed_through); i++)
		if (!msr_allowed(v, passed_through[i], false) ||
		    !msr_allowed(v, passed_through[i], true))
			hw->set_msr_intercept(v, passed_through[i], true, true);
}

/**
 * vm_set_msr_filter - KVM_X86_SET_MSR_FILTER; @in NULL: the VM dies
 * @in's bitmaps are user memory. Returns 0, -EINVAL, -EFAULT, -ENOMEM; on failure the old filter
 * stays.
 */
int vm_set_msr_filter(struct vm *vm, const struct kvm_msr_filter *in)
{
	struct msr_filter *new = NULL, *old;
	int err = in ? build_filter(in, &new) : 0;

	if (err)
		return err;
	mutex_lock(&vm->lock);
	old = rcu_replace_pointer(vm->msr_filter, new, lockdep_is_held(&vm->lock));
	mutex_unlock(&vm->lock);
	if (in)
		vm_request_all(vm, REQ_MSR_FILTER);
	if (old) {
		synchronize_srcu(&vm->srcu);
		free_filter(old);
	}
	return 0;
}
