// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system fd: /dev/turtles and /dev/kvm.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <asm/mce.h>

#include "api/api.h"
#include "vcpu/vcpu.h"

/* The file exists before the VM does, so that nothing is left half done. */
static long sys_create_vm(void *unused, void *buf, unsigned long type)
{
	struct file *file;
	struct vm *vm;
	int fd, ret;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile("kvm-vm", &api_vm_fops, NULL, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	ret = vm_create(type, &vm);
	if (ret) {
		fput(file);
		put_unused_fd(fd);
		return ret;
	}
	file->private_data = vm;
	fd_install(fd, file);
	return fd;
}

static long sys_get_api_version(void *unused, void *buf, unsigned long arg)
{
	return arg ? -EINVAL : KVM_API_VERSION;
}

static long sys_check_extension(void *unused, void *buf, unsigned long arg)
{
	return api_check_extension(NULL, arg);
}

/* The run page, the port I/O data page, the coalesced ring. */
static long sys_get_vcpu_mmap_size(void *unused, void *buf, unsigned long arg)
{
	return arg ? -EINVAL : 3 * PAGE_SIZE;
}

/* KVM_GET_MSR_INDEX_LIST and its feature sibling: E2BIG also tells how many there are. */
static long msr_list(unsigned long arg, int (*list)(u32 *out, u32 *n))
{
	struct kvm_msr_list __user *u = (void __user *)arg;
	u32 n, *indices;
	long ret;

	if (get_user(n, &u->nmsrs))
		return -EFAULT;
	n = min(n, 4096u);
	indices = kvcalloc(n ?: 1, sizeof(*indices), GFP_KERNEL_ACCOUNT);
	if (!indices)
		return -ENOMEM;
	ret = list(indices, &n);
	if (put_user(n, &u->nmsrs))
		ret = -EFAULT;
	if (!ret && copy_to_user(u->indices, indices, n * sizeof(*indices)))
		ret = -EFAULT;
	kvfree(indices);
	return ret;
}

static long sys_get_msr_index_list(void *unused, void *buf, unsigned long arg)
{
	return msr_list(arg, msr_index_list);
}

static long sys_get_msr_feature_list(void *unused, void *buf, unsigned long arg)
{
	return msr_list(arg, msr_feature_list);
}

static int supported_cpuid(struct vcpu *none, struct kvm_cpuid_entry2 *out, u32 *nent)
{
	return cpuid_supported(out, nent);
}

static long sys_get_supported_cpuid(void *unused, void *buf, unsigned long arg)
{
	return api_fill_cpuid(NULL, supported_cpuid, arg, false);
}

static long sys_get_supported_hv_cpuid(void *unused, void *buf, unsigned long arg)
{
	return api_supported_hv_cpuid(NULL, arg);
}

static long sys_get_mce_cap(void *unused, void *buf, unsigned long arg)
{
	*(u64 *)buf = MCE_CAP_SUPPORTED;
	return 0;
}

static int read_feature_msr(struct vcpu *unused, struct kvm_msr_entry *e)
{
	u64 val;
	int ret = msr_get_feature(e->index, &val);

	if (!ret)
		e->data = val;
	return ret;
}

static long sys_get_msrs(void *unused, void *buf, unsigned long arg)
{
	return api_msrs(NULL, read_feature_msr, arg, true);
}

/* The only attribute: which XCR0 components guests may be given. */
static long device_attr(const struct kvm_device_attr *a, bool get)
{
	if (a->group || a->attr != KVM_X86_XCOMP_GUEST_SUPP)
		return -ENXIO;
	if (get && put_user(fpu_supported_xcr0(), (u64 __user *)(unsigned long)a->addr))
		return -EFAULT;
	return 0;
}

static long sys_get_device_attr(void *unused, void *buf, unsigned long arg)
{
	return device_attr(buf, true);
}

static long sys_has_device_attr(void *unused, void *buf, unsigned long arg)
{
	return device_attr(buf, false);
}

static const struct api_call system_calls[] = {
	API_NONE(KVM_GET_API_VERSION, sys_get_api_version),
	API_NONE(KVM_CREATE_VM, sys_create_vm),
	API_NONE(KVM_CHECK_EXTENSION, sys_check_extension),
	API_NONE(KVM_GET_VCPU_MMAP_SIZE, sys_get_vcpu_mmap_size),
	API_NONE(KVM_GET_MSR_INDEX_LIST, sys_get_msr_index_list),
	API_NONE(KVM_GET_MSR_FEATURE_INDEX_LIST, sys_get_msr_feature_list),
	API_NONE(KVM_GET_SUPPORTED_CPUID, sys_get_supported_cpuid),
	API_NONE(KVM_GET_SUPPORTED_HV_CPUID, sys_get_supported_hv_cpuid),
	API_NONE(KVM_GET_MSRS, sys_get_msrs),
	API_CALL(KVM_X86_GET_MCE_CAP_SUPPORTED, API_OUT, u64, sys_get_mce_cap),
	API_CALL(KVM_GET_DEVICE_ATTR, API_IN, struct kvm_device_attr, sys_get_device_attr),
	API_CALL(KVM_HAS_DEVICE_ATTR, API_IN, struct kvm_device_attr, sys_has_device_attr),
};

static long system_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct api_call *call = api_find(system_calls, ARRAY_SIZE(system_calls), cmd);

	return call ? api_call(call, NULL, arg) : -ENOTTY;
}

const struct file_operations api_system_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = system_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};
