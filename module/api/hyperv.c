// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of Hyper-V's interfaces: CPUID on the system and the vCPU fd, and the capabilities
 * that a vCPU has to have enabled.
 */
#include <linux/kvm.h>
#include <linux/uaccess.h>

#include "api/api.h"
#include "vcpu/hyperv.h"
#include "vcpu/nested.h"

long api_supported_hv_cpuid(struct vcpu *v, unsigned long arg)
{
	return api_fill_cpuid(v, hv_supported_cpuid, arg, false);
}

/* User space learns the versions: the u16 of leaf 0x4000000a. */
static long enable_evmcs(struct vcpu *v, u64 arg)
{
	u16 versions;
	int err = nested_enable_evmcs(v);

	if (err)
		return err;
	versions = nested_evmcs_versions(v);
	return put_user(versions, (u16 __user *)(unsigned long)arg) ? -EFAULT : 0;
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
	case KVM_CAP_HYPERV_ENLIGHTENED_VMCS:
		return enable_evmcs(v, cap->args[0]);
	case KVM_CAP_HYPERV_ENFORCE_CPUID:
		return hv_enforce_cpuid(v, cap->args[0]);
	default:
		return -EINVAL;
	}
}
