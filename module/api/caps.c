// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_CHECK_EXTENSION and KVM_ENABLE_CAP: what works, and only that. A capability that is not
 * in the table is answered 0.
 */
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <asm/cpufeature.h>

#include "api/api.h"
#include "nested/state.h"
#include "mm/mm.h"
#include "vcpu/nested.h"
#include "vcpu/vcpu.h"

#define MAX_IRQ_ROUTES 4096
#define DIRTY_PROTECT  (KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET)
#define USER_MSR \
	(KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER)

#define X2APIC_API (KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)

struct cap {
	u32 cap;
	u32 val;
};

static const struct cap caps[] = {
	/* Life and memory */
	{ KVM_CAP_USER_MEMORY, 1 },
	{ KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1 },
	{ KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1 },
	{ KVM_CAP_SYNC_MMU, 1 },
	{ KVM_CAP_READONLY_MEM, 1 },
	{ KVM_CAP_NR_MEMSLOTS, MM_MAX_SLOTS },
	{ KVM_CAP_MULTI_ADDRESS_SPACE, MM_NR_AS },
	{ KVM_CAP_MMU_SHADOW_CACHE_CONTROL, 1 },
	{ KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, DIRTY_PROTECT },
	{ KVM_CAP_MAX_VCPUS, VM_MAX_VCPUS },
	{ KVM_CAP_MAX_VCPU_ID, VM_MAX_VCPUS },
	{ KVM_CAP_SET_TSS_ADDR, 1 },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, 1 },
	{ KVM_CAP_SET_BOOT_CPU_ID, 1 },
	{ KVM_CAP_CHECK_EXTENSION_VM, 1 },
	{ KVM_CAP_ENABLE_CAP, 1 },
	{ KVM_CAP_ENABLE_CAP_VM, 1 },
	{ KVM_CAP_SYS_ATTRIBUTES, 1 },
	{ KVM_CAP_BINARY_STATS_FD, 1 },
	{ KVM_CAP_IMMEDIATE_EXIT, 1 },
	{ KVM_CAP_INTERNAL_ERROR_DATA, 1 },
	{ KVM_CAP_LAST_CPU, 1 },
	{ KVM_CAP_HLT, 1 },
	{ KVM_CAP_PCI_SEGMENT, 1 },

	/* Registers and events */
	{ KVM_CAP_EXT_CPUID, 1 },
	{ KVM_CAP_GET_MSR_FEATURES, 1 },
	{ KVM_CAP_MP_STATE, 1 },
	{ KVM_CAP_VCPU_EVENTS, 1 },
	{ KVM_CAP_INTR_SHADOW, 1 },
	{ KVM_CAP_EXCEPTION_PAYLOAD, 1 },
	{ KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1 },
	{ KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1 },
	{ KVM_CAP_DEBUGREGS, 1 },
	{ KVM_CAP_SET_GUEST_DEBUG, 1 },
	{ KVM_CAP_SET_GUEST_DEBUG2, VCPU_GUEST_DEBUG },
	{ KVM_CAP_X86_ROBUST_SINGLESTEP, 1 },
	{ KVM_CAP_SREGS2, 1 },
	{ KVM_CAP_NESTED_STATE, NESTED_STATE_SIZE_SHADOW },
	{ KVM_CAP_SYNC_REGS, KVM_SYNC_X86_VALID_FIELDS },
	{ KVM_CAP_XSAVE, 1 },
	{ KVM_CAP_XCRS, 1 },
	{ KVM_CAP_MCE, MCE_MAX_BANKS },
	{ KVM_CAP_USER_NMI, 1 },
	{ KVM_CAP_X86_SMM, 1 },
	{ KVM_CAP_X86_USER_SPACE_MSR, 1 },
	{ KVM_CAP_X86_MSR_FILTER, 1 },
	{ KVM_CAP_MSR_PLATFORM_INFO, 1 },
	{ KVM_CAP_DISABLE_QUIRKS, 1 },
	{ KVM_CAP_DISABLE_QUIRKS2, VM_QUIRKS },
	{ KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1 },

	/* Interrupts and I/O */
	{ KVM_CAP_IRQCHIP, 1 },
	{ KVM_CAP_IOAPIC_POLARITY_IGNORED, 1 },
	{ KVM_CAP_X2APIC_API, X2APIC_API },
	{ KVM_CAP_SPLIT_IRQCHIP, 1 },
	{ KVM_CAP_IRQ_ROUTING, MAX_IRQ_ROUTES },
	{ KVM_CAP_IRQ_INJECT_STATUS, 1 },
	{ KVM_CAP_SIGNAL_MSI, 1 },
	{ KVM_CAP_IRQFD, 1 },
	{ KVM_CAP_IRQFD_RESAMPLE, 1 },
	{ KVM_CAP_IOEVENTFD, 1 },
	{ KVM_CAP_IOEVENTFD_ANY_LENGTH, 1 },
	{ KVM_CAP_IOEVENTFD_NO_LENGTH, 1 },
	{ KVM_CAP_COALESCED_MMIO, KVM_COALESCED_MMIO_PAGE_OFFSET },
	{ KVM_CAP_COALESCED_PIO, 1 },
	{ KVM_CAP_PIT, 1 },
	{ KVM_CAP_PIT2, 1 },
	{ KVM_CAP_PIT_STATE2, 1 },
	{ KVM_CAP_REINJECT_CONTROL, 1 },
	{ KVM_CAP_NOP_IO_DELAY, 1 },
	{ KVM_CAP_VAPIC, 1 },

	/* Hyper-V's interfaces */
	{ KVM_CAP_HYPERV, 1 },
	{ KVM_CAP_HYPERV_VAPIC, 1 },
	{ KVM_CAP_HYPERV_SPIN, 1 },
	{ KVM_CAP_HYPERV_TIME, 1 },
	{ KVM_CAP_HYPERV_SYNIC, 1 },
	{ KVM_CAP_HYPERV_SYNIC2, 1 },
	{ KVM_CAP_HYPERV_VP_INDEX, 1 },
	{ KVM_CAP_HYPERV_EVENTFD, 1 },
	{ KVM_CAP_HYPERV_TLBFLUSH, 1 },
	{ KVM_CAP_HYPERV_SEND_IPI, 1 },
	{ KVM_CAP_HYPERV_CPUID, 1 },
	{ KVM_CAP_SYS_HYPERV_CPUID, 1 },
	{ KVM_CAP_HYPERV_ENFORCE_CPUID, 1 },

	/* Time */
	{ KVM_CAP_CLOCKSOURCE, 1 },
	{ KVM_CAP_ADJUST_CLOCK, KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC },
	{ KVM_CAP_KVMCLOCK_CTRL, 1 },
	{ KVM_CAP_GET_TSC_KHZ, 1 },
	{ KVM_CAP_VCPU_ATTRIBUTES, 1 },
	{ KVM_CAP_TSC_DEADLINE_TIMER, 1 },
};

/* Exits that a VM can do without. MWAIT wants a processor whose MWAIT the host can rely on. */
static u64 exits_to_disable(void)
{
	u64 exits = KVM_X86_DISABLE_EXITS_HLT | KVM_X86_DISABLE_EXITS_PAUSE;

	if (boot_cpu_has(X86_FEATURE_MWAIT) && boot_cpu_has(X86_FEATURE_ARAT) &&
	    !boot_cpu_has_bug(X86_BUG_MONITOR))
		exits |= KVM_X86_DISABLE_EXITS_MWAIT;
	return exits;
}

/**
 * api_check_extension - KVM_CHECK_EXTENSION
 * @vm: the VM, or NULL on the system fd; the answers do not differ
 * @cap: KVM_CAP_*
 */
long api_check_extension(struct vm *vm, unsigned long cap)
{
	size_t i;

	switch (cap) {
	case KVM_CAP_NR_VCPUS:
		return min_t(unsigned int, num_online_cpus(), VM_MAX_VCPUS);
	case KVM_CAP_X86_DISABLE_EXITS:
		return exits_to_disable();
	case KVM_CAP_STEAL_TIME:
		return steal_supported();
	case KVM_CAP_HYPERV_ENLIGHTENED_VMCS:
		return nested_evmcs_versions(NULL) != 0;
	case KVM_CAP_XSAVE2:
		return vcpu_xsave_size(NULL);
	}
	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		if (caps[i].cap == cap)
			return caps[i].val;
	}
	return 0;
}

static long set_max_vcpu_id(struct vm *vm, u64 max)
{
	long ret = -EINVAL;

	if (!max || max > VM_MAX_VCPUS)
		return -EINVAL;
	mutex_lock(&vm->lock);
	if (vm->max_vcpu_id == max) {
		ret = 0;
	} else if (!vm->max_vcpu_id && !vm_nr_vcpus(vm)) {
		vm->max_vcpu_id = max;
		ret = 0;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

static long disable_exits(struct vm *vm, u64 exits)
{
	long ret = -EINVAL;

	if (exits & ~exits_to_disable())
		return -EINVAL;
	/* A vCPU takes them when it is made. */
	mutex_lock(&vm->lock);
	if (!vm_nr_vcpus(vm)) {
		vm->disabled_exits |= exits;
		ret = 0;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

static long enable_x2apic_api(struct vm *vm, u64 flags)
{
	if (flags & ~(u64)X2APIC_API)
		return -EINVAL;
	mutex_lock(&vm->lock);
	WRITE_ONCE(vm->x2apic_api, vm->x2apic_api | flags);
	mutex_unlock(&vm->lock);
	return 0;
}

static long set_dirty_protect(struct vm *vm, u64 flags)
{
	/* Initially-set bitmaps only make sense with manual protection. */
	if (flags & ~(u64)DIRTY_PROTECT || flags == KVM_DIRTY_LOG_INITIALLY_SET)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	vm->dirty_protect_flags = flags;
	mutex_unlock(&vm->slots_lock);
	return 0;
}

/**
 * api_enable_vm_cap - KVM_ENABLE_CAP on the VM fd
 * @vm: the VM
 * @cap: hostile; already in kernel memory
 */
long api_enable_vm_cap(struct vm *vm, const struct kvm_enable_cap *cap)
{
	u64 arg = cap->args[0];

	if (cap->flags)
		return -EINVAL;
	switch (cap->cap) {
	case KVM_CAP_EXCEPTION_PAYLOAD:
		vm->exception_payload = arg;
		return 0;
	case KVM_CAP_X86_TRIPLE_FAULT_EVENT:
		vm->triple_fault_event = arg;
		return 0;
	case KVM_CAP_EXIT_ON_EMULATION_FAILURE:
		if (arg & ~1ull)
			return -EINVAL;
		vm->exit_on_emulation_failure = arg;
		return 0;
	case KVM_CAP_X86_USER_SPACE_MSR:
		if (arg & ~(u64)USER_MSR)
			return -EINVAL;
		vm->user_space_msr_mask = arg;
		return 0;
	case KVM_CAP_DISABLE_QUIRKS2:
		if (arg & ~(u64)VM_QUIRKS)
			return -EINVAL;
		fallthrough;
	case KVM_CAP_DISABLE_QUIRKS:
		WRITE_ONCE(vm->disabled_quirks, arg & VM_QUIRKS);
		return 0;
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return set_dirty_protect(vm, arg);
	case KVM_CAP_X86_DISABLE_EXITS:
		return disable_exits(vm, arg);
	case KVM_CAP_X2APIC_API:
		return enable_x2apic_api(vm, arg);
	case KVM_CAP_MAX_VCPU_ID:
		return set_max_vcpu_id(vm, arg);
	case KVM_CAP_MSR_PLATFORM_INFO:
		vm->hide_platform_info = !arg;
		return 0;
	case KVM_CAP_SPLIT_IRQCHIP:
		return api_create_irqchip_split(vm, arg);
	default:
		return -EINVAL;
	}
}
