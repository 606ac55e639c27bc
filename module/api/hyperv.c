// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of Hyper-V's interfaces: CPUID on the system and the vCPU fd, ports on the VM fd, and
 * the capabilities that a vCPU has to have enabled.
 */
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "api/api.h"
#include "vcpu/hyperv.h"

long api_supported_hv_cpuid(struct vcpu *v, unsigned long arg)
{
	struct kvm_cpuid2 __user *u = (void __user *)arg;
	struct kvm_cpuid_entry2 *e;
	u32 nent;
	long ret;

	if (get_user(nent, &u->nent))
		return -EFAULT;
	nent = min_t(u32, nent, API_MAX_CPUID_ENTRIES);
	e = kvcalloc(nent ?: 1, sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	ret = hv_supported_cpuid(v, e, &nent);
	if (!ret && (put_user(nent, &u->nent) || copy_to_user(u->entries, e, nent * sizeof(*e))))
		ret = -EFAULT;
	kvfree(e);
	return ret;
}

long api_enable_hv_cap(struct vcpu *v, const struct kvm_enable_cap *cap)
{
	switch (cap->cap) {
	case KVM_CAP_HYPERV_SYNIC2:
		if (cap->args[0])
			return -EINVAL;
		fallthrough;
	case KVM_CAP_HYPERV_SYNIC:
		return hv_enable_synic(v, cap->cap == KVM_CAP_HYPERV_SYNIC2);
	case KVM_CAP_HYPERV_ENFORCE_CPUID:
		return hv_enforce_cpuid(v, cap->args[0]);
	default:
		return -EINVAL;
	}
}

long api_hv_eventfd(struct vm *vm, const struct kvm_hyperv_eventfd *arg)
{
	return vm_hv_eventfd(vm, arg);
}
