/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The KVM API: ioctls on the system, VM and vCPU fds. Each handler copies in, calls the
 * core, and copies out; it decides nothing but what the API's document says.
 * docs/api.md lists what is supported, what differs and what is refused.
 */
#ifndef TURTLES_API_API_H
#define TURTLES_API_API_H

#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/types.h>

struct vm;
struct vcpu;

/* Where struct api_call says that the argument is copied, and when. */
#define API_IN	0x1u /* user to kernel before the handler */
#define API_OUT 0x2u /* kernel to user after it, unless it failed */

/**
 * struct api_call - one ioctl
 * @cmd: its number
 * @dir: API_IN, API_OUT
 * @size: bytes to copy; at least what @cmd encodes. 0 = the handler has @arg as it is
 * @fn: handler. @buf is the copied argument or NULL, @arg the ioctl's argument.
 *	Returns the ioctl's result or a negative errno
 */
struct api_call {
	u32 cmd;
	u16 dir;
	u16 size;
	long (*fn)(void *obj, void *buf, unsigned long arg);
};

#define API_NONE(c, f)                \
	{                             \
		.cmd = (c), .fn = (f) \
	}
#define API_CALL(c, d, type, f)                                         \
	{                                                               \
		.cmd = (c), .dir = (d), .size = sizeof(type), .fn = (f) \
	}

/* ioctl.c */
const struct api_call *api_find(const struct api_call *table, size_t n, u32 cmd);
long api_call(const struct api_call *call, void *obj, unsigned long arg);
typedef int (*api_cpuid_fill)(struct vcpu *v, struct kvm_cpuid_entry2 *out, u32 *nent);
long api_fill_cpuid(struct vcpu *v, api_cpuid_fill fill, unsigned long arg, bool count_always);
typedef int (*api_msr_fn)(struct vcpu *v, struct kvm_msr_entry *e);
long api_msrs(struct vcpu *v, api_msr_fn fn, unsigned long arg, bool copy_back);

/* One file_operations per kind of fd. */
extern const struct file_operations api_system_fops; /* system.c */
extern const struct file_operations api_vm_fops;     /* vm.c */
extern const struct file_operations api_vcpu_fops;   /* vcpu.c */

/* caps.c: KVM_CHECK_EXTENSION; @vm NULL on the system fd */
long api_check_extension(struct vm *vm, unsigned long cap);
long api_enable_vm_cap(struct vm *vm, const struct kvm_enable_cap *cap);

/* system.c */
#define API_MAX_MSRS	      256
#define API_MAX_CPUID_ENTRIES 256
long api_system_device_attr(const struct kvm_device_attr *a, bool get);

/* irq.c: what of the VM fd concerns interrupt controllers */
extern const struct api_call api_irq_calls[];
extern const size_t api_nr_irq_calls;
long api_create_irqchip_split(struct vm *vm, u64 nr_pins);

/* vcpu_state.c: tables of the vCPU fd */
extern const struct api_call api_vcpu_calls[];
extern const size_t api_nr_vcpu_calls;

/* irqfd.c, ioeventfd.c, coalesced.c */
int irqfd_module_init(void);
void irqfd_module_exit(void);
long api_irqfd(struct vm *vm, const struct kvm_irqfd *arg);
void irqfd_release(struct vm *vm); /* the VM fd is closed */
long api_ioeventfd(struct vm *vm, const struct kvm_ioeventfd *arg);
long api_register_coalesced(struct vm *vm, const struct kvm_coalesced_mmio_zone *z);
long api_unregister_coalesced(struct vm *vm, const struct kvm_coalesced_mmio_zone *z);

/* hyperv.c: KVM_GET_SUPPORTED_HV_CPUID (@v NULL on the system fd), capabilities of a vCPU */
long api_supported_hv_cpuid(struct vcpu *v, unsigned long arg);
long api_enable_hv_cap(struct vcpu *v, const struct kvm_enable_cap *cap);

/* stats.c: KVM_GET_STATS_FD */
long api_vm_stats_fd(struct vm *vm);
long api_vcpu_stats_fd(struct vcpu *v);

#endif /* TURTLES_API_API_H */
