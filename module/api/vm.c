// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM fd: vCPUs, memory, switches, clock. Its interrupt part is in irq.c.
 */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>

#include "api/api.h"
#include "mm/mm.h"
#include "vcpu/hyperv.h"
#include "vcpu/vcpu.h"

#define TSS_PAGES	     3
#define IDENTITY_MAP_DEFAULT 0xfffbc000ull
#define MIN_MMU_PAGES	     64

static long vm_create_vcpu(void *obj, void *buf, unsigned long id)
{
	struct vm *vm = obj;
	struct file *file;
	struct vcpu *v;
	char name[24];
	int fd, ret;

	if (id >= VM_MAX_VCPUS)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	snprintf(name, sizeof(name), "kvm-vcpu:%lu", id);
	file = anon_inode_getfile(name, &api_vcpu_fops, NULL, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	ret = vcpu_create(vm, id, &v);
	if (ret) {
		fput(file);
		put_unused_fd(fd);
		return ret;
	}
	vm_get(vm);
	file->private_data = v;
	fd_install(fd, file);
	return fd;
}

static long vm_check_extension(void *vm, void *buf, unsigned long arg)
{
	return api_check_extension(vm, arg);
}

static long vm_enable_cap(void *vm, void *buf, unsigned long arg)
{
	return api_enable_vm_cap(vm, buf);
}

static long vm_user_memory(void *vm, void *buf, unsigned long arg)
{
	return vm_set_memory_region(vm, buf);
}

static long vm_dirty_log(void *vm, void *buf, unsigned long arg)
{
	return vm_get_dirty_log(vm, buf);
}

static long vm_clear_log(void *vm, void *buf, unsigned long arg)
{
	return vm_clear_dirty_log(vm, buf);
}

/*
 * Where VMX of the first generation kept what it needed for real mode. Unrestricted guest,
 * which Turtles asks for, needs neither; they are taken and remembered.
 */
static long vm_set_tss_addr(void *obj, void *buf, unsigned long addr)
{
	struct vm *vm = obj;

	if (addr > U32_MAX - TSS_PAGES * PAGE_SIZE)
		return -EINVAL;
	vm->tss_addr = addr;
	return 0;
}

static long vm_set_identity_map(void *obj, void *buf, unsigned long arg)
{
	struct vm *vm = obj;
	u64 addr = *(u64 *)buf;
	long ret = -EINVAL;

	mutex_lock(&vm->lock);
	if (!vm_nr_vcpus(vm)) {
		vm->identity_map_addr = addr ?: IDENTITY_MAP_DEFAULT;
		ret = 0;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

static long vm_set_boot_cpu(void *obj, void *buf, unsigned long id)
{
	struct vm *vm = obj;
	long ret = -EBUSY;

	mutex_lock(&vm->lock);
	if (!vm_nr_vcpus(vm)) {
		vm->bsp_vcpu_id = id;
		ret = 0;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

/*
 * A limit for the shadow pages of a hypervisor that builds many of them. Here the tables of a VM
 * grow with its slots and with what L1 maps for L2, both bounded, and are charged to the creator's
 * memory cgroup; so the number is kept for whoever asks, as stock KVM does under nested paging.
 */
static long vm_set_nr_mmu_pages(void *obj, void *buf, unsigned long n)
{
	struct vm *vm = obj;

	if (n < MIN_MMU_PAGES || n > U32_MAX)
		return -EINVAL;
	WRITE_ONCE(vm->nr_mmu_pages, n);
	return 0;
}

static long vm_get_nr_mmu_pages(void *obj, void *buf, unsigned long arg)
{
	struct vm *vm = obj;

	return READ_ONCE(vm->nr_mmu_pages) ?: max_t(u64, vm_nr_pages(vm) / 50, MIN_MMU_PAGES);
}

static long vm_clock_get(void *vm, void *buf, unsigned long arg)
{
	return vm_get_clock(vm, buf);
}

static long vm_clock_set(void *vm, void *buf, unsigned long arg)
{
	return vm_set_clock(vm, buf);
}

static long vm_tsc_khz(void *vm, void *buf, unsigned long arg)
{
	return tsc_khz;
}

static long vm_msr_filter(void *vm, void *buf, unsigned long arg)
{
	return vm_set_msr_filter(vm, buf);
}

static long vm_ioeventfd(void *vm, void *buf, unsigned long arg)
{
	return api_ioeventfd(vm, buf);
}

static long vm_register_coalesced(void *vm, void *buf, unsigned long arg)
{
	return api_register_coalesced(vm, buf);
}

static long vm_unregister_coalesced(void *vm, void *buf, unsigned long arg)
{
	return api_unregister_coalesced(vm, buf);
}

static long vm_hyperv_eventfd(void *vm, void *buf, unsigned long arg)
{
	return vm_hv_eventfd(vm, buf);
}

static long vm_stats_fd(void *vm, void *buf, unsigned long arg)
{
	return api_vm_stats_fd(vm);
}

static const struct api_call vm_calls[] = {
	API_NONE(KVM_CHECK_EXTENSION, vm_check_extension),
	API_CALL(KVM_ENABLE_CAP, API_IN, struct kvm_enable_cap, vm_enable_cap),
	API_NONE(KVM_CREATE_VCPU, vm_create_vcpu),
	API_CALL(KVM_SET_USER_MEMORY_REGION, API_IN, struct kvm_userspace_memory_region,
		 vm_user_memory),
	API_CALL(KVM_GET_DIRTY_LOG, API_IN, struct kvm_dirty_log, vm_dirty_log),
	API_CALL(KVM_CLEAR_DIRTY_LOG, API_IN, struct kvm_clear_dirty_log, vm_clear_log),
	API_NONE(KVM_SET_NR_MMU_PAGES, vm_set_nr_mmu_pages),
	API_NONE(KVM_GET_NR_MMU_PAGES, vm_get_nr_mmu_pages),
	API_NONE(KVM_SET_TSS_ADDR, vm_set_tss_addr),
	API_CALL(KVM_SET_IDENTITY_MAP_ADDR, API_IN, u64, vm_set_identity_map),
	API_NONE(KVM_SET_BOOT_CPU_ID, vm_set_boot_cpu),
	API_CALL(KVM_GET_CLOCK, API_OUT, struct kvm_clock_data, vm_clock_get),
	API_CALL(KVM_SET_CLOCK, API_IN, struct kvm_clock_data, vm_clock_set),
	API_NONE(KVM_GET_TSC_KHZ, vm_tsc_khz),
	API_CALL(KVM_X86_SET_MSR_FILTER, API_IN, struct kvm_msr_filter, vm_msr_filter),
	API_CALL(KVM_IOEVENTFD, API_IN, struct kvm_ioeventfd, vm_ioeventfd),
	API_CALL(KVM_REGISTER_COALESCED_MMIO, API_IN, struct kvm_coalesced_mmio_zone,
		 vm_register_coalesced),
	API_CALL(KVM_UNREGISTER_COALESCED_MMIO, API_IN, struct kvm_coalesced_mmio_zone,
		 vm_unregister_coalesced),
	API_CALL(KVM_HYPERV_EVENTFD, API_IN, struct kvm_hyperv_eventfd, vm_hyperv_eventfd),
	API_NONE(KVM_GET_STATS_FD, vm_stats_fd),
};

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vm *vm = file->private_data;
	const struct api_call *call;

	/* The guest's memory is the creator's: nobody else may drive the VM. */
	if (vm->mm_user != current->mm)
		return -EIO;
	call = api_find(api_irq_calls, api_nr_irq_calls, cmd);
	if (!call)
		call = api_find(vm_calls, ARRAY_SIZE(vm_calls), cmd);
	return call ? api_call(call, vm, arg) : -ENOTTY;
}

#ifdef CONFIG_COMPAT
/* The structs that hold pointers look different to a 32-bit process. */
struct compat_msr_filter_range {
	u32 flags;
	u32 nmsrs;
	u32 base;
	compat_uptr_t bitmap;
};

struct compat_msr_filter {
	u32 flags;
	struct compat_msr_filter_range ranges[KVM_MSR_FILTER_MAX_RANGES];
};

#define COMPAT_SET_MSR_FILTER _IOW(KVMIO, 0xc6, struct compat_msr_filter)

static long compat_msr_filter(struct vm *vm, void __user *arg)
{
	struct compat_msr_filter in;
	struct kvm_msr_filter f = {};
	int i;

	if (copy_from_user(&in, arg, sizeof(in)))
		return -EFAULT;
	f.flags = in.flags;
	for (i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		f.ranges[i].flags = in.ranges[i].flags;
		f.ranges[i].nmsrs = in.ranges[i].nmsrs;
		f.ranges[i].base = in.ranges[i].base;
		f.ranges[i].bitmap = (u8 __force *)compat_ptr(in.ranges[i].bitmap);
	}
	return vm_set_msr_filter(vm, &f);
}

static long compat_dirty_log(struct vm *vm, void __user *arg)
{
	struct kvm_dirty_log log;

	if (copy_from_user(&log, arg, sizeof(log)))
		return -EFAULT;
	log.dirty_bitmap = compat_ptr((compat_uptr_t)log.padding2);
	return vm_get_dirty_log(vm, &log);
}

static long compat_clear_log(struct vm *vm, void __user *arg)
{
	struct kvm_clear_dirty_log log;

	if (copy_from_user(&log, arg, sizeof(log)))
		return -EFAULT;
	log.dirty_bitmap = compat_ptr((compat_uptr_t)log.padding2);
	return vm_clear_dirty_log(vm, &log);
}

static long vm_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vm *vm = file->private_data;

	if (vm->mm_user != current->mm)
		return -EIO;
	switch (cmd) {
	case COMPAT_SET_MSR_FILTER:
		return compat_msr_filter(vm, compat_ptr(arg));
	case KVM_GET_DIRTY_LOG:
		return compat_dirty_log(vm, compat_ptr(arg));
	case KVM_CLEAR_DIRTY_LOG:
		return compat_clear_log(vm, compat_ptr(arg));
	default:
		return vm_ioctl(file, cmd, (unsigned long)compat_ptr(arg));
	}
}
#else
#define vm_compat_ioctl NULL
#endif

static int vm_release(struct inode *inode, struct file *file)
{
	struct vm *vm = file->private_data;

	/* NULL when KVM_CREATE_VM failed after the file was made. */
	if (vm) {
		irqfd_release(vm);
		vm_put(vm);
	}
	return 0;
}

const struct file_operations api_vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = vm_compat_ioctl,
	.llseek = noop_llseek,
};
