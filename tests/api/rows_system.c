// SPDX-License-Identifier: GPL-2.0-only
/* The system fd's ioctls, and the VM's that are about its life and memory. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "surface.h"

/* System ----------------------------------------------------------------- */

static bool api_version(struct world *w)
{
	return ioctl(w->sys, KVM_GET_API_VERSION, 0ul) == 12;
}

static bool api_version_bad(struct world *w)
{
	return refusedn(w, w->sys, KVM_GET_API_VERSION, 1, EINVAL);
}

static bool create_vm(struct world *w)
{
	return calln(w, w->sys, KVM_CREATE_VM, 0);
}

static bool create_vm_bad(struct world *w)
{
	return refusedn(w, w->sys, KVM_CREATE_VM, 77, EINVAL);
}

static bool check_extension(struct world *w)
{
	return ioctl(w->sys, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY) == 1 &&
	       ioctl(w->vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY) == 1;
}

static bool check_extension_bad(struct world *w)
{
	return ioctl(w->sys, KVM_CHECK_EXTENSION, 100000ul) == 0;
}

static bool mmap_size(struct world *w)
{
	return ioctl(w->sys, KVM_GET_VCPU_MMAP_SIZE, 0ul) >= 4096;
}

static bool mmap_size_bad(struct world *w)
{
	return refusedn(w, w->sys, KVM_GET_VCPU_MMAP_SIZE, 1, EINVAL);
}

/* Both MSR lists: too small tells the size, the right size gives the list. */
static bool msr_list(struct world *w, unsigned long cmd)
{
	struct {
		struct kvm_msr_list head;
		uint32_t indices[1024];
	} l = { 0 };

	if (!refused(w, w->sys, cmd, &l, E2BIG))
		return false;
	w->err = 0;
	return l.head.nmsrs && l.head.nmsrs <= 1024 && call(w, w->sys, cmd, &l) && l.indices[0];
}

static bool msr_index_list(struct world *w)
{
	return msr_list(w, KVM_GET_MSR_INDEX_LIST);
}

static bool msr_index_list_bad(struct world *w)
{
	return refused(w, w->sys, KVM_GET_MSR_INDEX_LIST, NOT_MAPPED, EFAULT);
}

static bool msr_feature_list(struct world *w)
{
	return msr_list(w, KVM_GET_MSR_FEATURE_INDEX_LIST);
}

static bool msr_feature_list_bad(struct world *w)
{
	return refused(w, w->sys, KVM_GET_MSR_FEATURE_INDEX_LIST, NOT_MAPPED, EFAULT);
}

static bool cpuid_list(struct world *w, unsigned long cmd, uint32_t first)
{
	struct cpuid_list c = { .head.nent = 256 };
	uint32_t i;

	if (!call(w, w->sys, cmd, &c))
		return false;
	for (i = 0; i < c.head.nent; i++)
		if (c.entries[i].function == first)
			return true;
	return false;
}

static bool cpuid_list_bad(struct world *w, unsigned long cmd)
{
	struct cpuid_list c = { .head.nent = 0 };

	return refused(w, w->sys, cmd, &c, E2BIG);
}

/* The TSC-deadline timer belongs to the local APIC in the kernel, which is not always there. */
static bool supported_cpuid(struct world *w)
{
	struct cpuid_list c = { .head.nent = 256 };
	uint32_t i;

	if (!call(w, w->sys, KVM_GET_SUPPORTED_CPUID, &c))
		return false;
	for (i = 0; i < c.head.nent; i++)
		if (c.entries[i].function == 1)
			return !(c.entries[i].ecx & 1u << 24);
	return false;
}

static bool supported_cpuid_bad(struct world *w)
{
	return cpuid_list_bad(w, KVM_GET_SUPPORTED_CPUID);
}

static bool emulated_cpuid(struct world *w)
{
	return cpuid_list(w, KVM_GET_EMULATED_CPUID, 7);
}

static bool emulated_cpuid_bad(struct world *w)
{
	return cpuid_list_bad(w, KVM_GET_EMULATED_CPUID);
}

static bool hv_cpuid(struct world *w)
{
	return cpuid_list(w, KVM_GET_SUPPORTED_HV_CPUID, 0x40000000);
}

static bool hv_cpuid_bad(struct world *w)
{
	return cpuid_list_bad(w, KVM_GET_SUPPORTED_HV_CPUID);
}

static bool mce_cap(struct world *w)
{
	uint64_t cap = 0;

	return call(w, w->sys, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap) && cap;
}

static bool mce_cap_bad(struct world *w)
{
	return refused(w, w->sys, KVM_X86_GET_MCE_CAP_SUPPORTED, NOT_MAPPED, EFAULT);
}

static bool get_attr(struct world *w)
{
	uint64_t xcr0 = 0;
	struct kvm_device_attr a = { .attr = KVM_X86_XCOMP_GUEST_SUPP, .addr = (uintptr_t)&xcr0 };

	return call(w, w->sys, KVM_GET_DEVICE_ATTR, &a) && (xcr0 & 3) == 3;
}

static bool get_attr_bad(struct world *w)
{
	struct kvm_device_attr a = { .group = 5 };

	return refused(w, w->sys, KVM_GET_DEVICE_ATTR, &a, ENXIO);
}

static bool has_attr(struct world *w)
{
	struct kvm_device_attr a = { .attr = KVM_X86_XCOMP_GUEST_SUPP };

	return call(w, w->sys, KVM_HAS_DEVICE_ATTR, &a);
}

static bool has_attr_bad(struct world *w)
{
	struct kvm_device_attr a = { .group = 5 };

	return refused(w, w->sys, KVM_HAS_DEVICE_ATTR, &a, ENXIO);
}

const struct row system_rows[] = {
	{ "KVM_GET_API_VERSION", SYS, api_version, api_version_bad },
	{ "KVM_CREATE_VM", SYS, create_vm, create_vm_bad },
	{ "KVM_CHECK_EXTENSION", SYS, check_extension, check_extension_bad },
	{ "KVM_GET_VCPU_MMAP_SIZE", SYS, mmap_size, mmap_size_bad },
	{ "KVM_GET_MSR_INDEX_LIST", SYS, msr_index_list, msr_index_list_bad },
	{ "KVM_GET_MSR_FEATURE_INDEX_LIST", SYS, msr_feature_list, msr_feature_list_bad },
	{ "KVM_GET_SUPPORTED_CPUID", SYS, supported_cpuid, supported_cpuid_bad },
	{ "KVM_GET_EMULATED_CPUID", SYS, emulated_cpuid, emulated_cpuid_bad },
	{ "KVM_GET_SUPPORTED_HV_CPUID", SYS, hv_cpuid, hv_cpuid_bad },
	{ "KVM_X86_GET_MCE_CAP_SUPPORTED", SYS, mce_cap, mce_cap_bad },
	{ "KVM_GET_DEVICE_ATTR", SYS, get_attr, get_attr_bad },
	{ "KVM_HAS_DEVICE_ATTR", SYS, has_attr, has_attr_bad },
	{ 0 },
};

/* VM ----------------------------------------------------------------- */

static bool create_vcpu(struct world *w)
{
	return calln(w, w->vm, KVM_CREATE_VCPU, 3);
}

static bool create_vcpu_bad(struct world *w)
{
	return refusedn(w, w->vm, KVM_CREATE_VCPU, 0, EEXIST) &&
	       refusedn(w, w->vm, KVM_CREATE_VCPU, 1 << 20, EINVAL);
}

static bool memory_region(struct world *w)
{
	struct kvm_userspace_memory_region r = { .slot = 5,
						 .guest_phys_addr = 0x40000000,
						 .memory_size = 0x1000,
						 .userspace_addr = (uintptr_t)w->mem };

	if (!call(w, w->vm, KVM_SET_USER_MEMORY_REGION, &r))
		return false;
	r.memory_size = 0;
	return call(w, w->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static bool memory_region_bad(struct world *w)
{
	struct kvm_userspace_memory_region r = { .slot = 5,
						 .memory_size = 0x1000,
						 .userspace_addr = (uintptr_t)w->mem };
	bool overlap = refused(w, w->vm, KVM_SET_USER_MEMORY_REGION, &r, EEXIST);

	r.guest_phys_addr = 0x40000001;
	return overlap && refused(w, w->vm, KVM_SET_USER_MEMORY_REGION, &r, EINVAL);
}

/* Makes slot 0 log, writes one page of it in the guest. */
static bool dirty_a_page(struct world *w)
{
	static const uint8_t code[] = {
		0xa2, 0x00, 0x50, /* mov %al, 0x5000 */
		0xe6, 0xe9,	  /* out %al, $0xe9 */
	};
	struct kvm_userspace_memory_region r = { .flags = KVM_MEM_LOG_DIRTY_PAGES,
						 .memory_size = MEM_SIZE,
						 .userspace_addr = (uintptr_t)w->mem };

	return call(w, w->vm, KVM_SET_USER_MEMORY_REGION, &r) &&
	       run_code(w, code, sizeof(code), KVM_EXIT_IO);
}

static bool get_dirty_log(struct world *w)
{
	uint64_t bits[MEM_SIZE / 4096 / 64] = { 0 };
	struct kvm_dirty_log log = { .dirty_bitmap = bits };

	return dirty_a_page(w) && call(w, w->vm, KVM_GET_DIRTY_LOG, &log) && bits[0] == 1 << 5;
}

static bool get_dirty_log_bad(struct world *w)
{
	uint64_t bits[MEM_SIZE / 4096 / 64] = { 0 };
	struct kvm_dirty_log log = { .slot = 7, .dirty_bitmap = bits };

	return refused(w, w->vm, KVM_GET_DIRTY_LOG, &log, ENOENT);
}

static bool manual_protect(struct world *w)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { 1 } };

	return call(w, w->vm, KVM_ENABLE_CAP, &cap);
}

static bool clear_dirty_log(struct world *w)
{
	uint64_t bits[MEM_SIZE / 4096 / 64] = { 0 }, again[MEM_SIZE / 4096 / 64] = { 0 };
	struct kvm_dirty_log log = { .dirty_bitmap = bits };
	struct kvm_clear_dirty_log clear = { .num_pages = MEM_SIZE / 4096, .dirty_bitmap = bits };

	if (!manual_protect(w) || !dirty_a_page(w) || !call(w, w->vm, KVM_GET_DIRTY_LOG, &log) ||
	    !call(w, w->vm, KVM_CLEAR_DIRTY_LOG, &clear))
		return false;
	log.dirty_bitmap = again;
	return call(w, w->vm, KVM_GET_DIRTY_LOG, &log) && bits[0] == 1 << 5 && !again[0];
}

static bool clear_dirty_log_bad(struct world *w)
{
	struct kvm_clear_dirty_log clear = { .first_page = 1, .num_pages = 64 };

	return manual_protect(w) && dirty_a_page(w) &&
	       refused(w, w->vm, KVM_CLEAR_DIRTY_LOG, &clear, EINVAL);
}

static bool set_tss(struct world *w)
{
	return calln(w, w->vm, KVM_SET_TSS_ADDR, 0xfeffd000);
}

static bool set_tss_bad(struct world *w)
{
	return refusedn(w, w->vm, KVM_SET_TSS_ADDR, 0xfffff000, EINVAL);
}

static bool identity_map(struct world *w)
{
	uint64_t addr = 0xfeffc000;
	struct world bare;

	return bare_world(&bare) && call(w, bare.vm, KVM_SET_IDENTITY_MAP_ADDR, &addr);
}

static bool identity_map_bad(struct world *w)
{
	uint64_t addr = 0xfeffc000;

	return refused(w, w->vm, KVM_SET_IDENTITY_MAP_ADDR, &addr, EINVAL);
}

static bool boot_cpu(struct world *w)
{
	struct world bare;

	return bare_world(&bare) && calln(w, bare.vm, KVM_SET_BOOT_CPU_ID, 1);
}

static bool boot_cpu_bad(struct world *w)
{
	return refusedn(w, w->vm, KVM_SET_BOOT_CPU_ID, 1, EBUSY);
}

static bool clock(struct world *w)
{
	struct kvm_clock_data set = { .clock = 1000000000000000ull }, get = { 0 };

	return call(w, w->vm, KVM_SET_CLOCK, &set) && call(w, w->vm, KVM_GET_CLOCK, &get) &&
	       get.clock >= set.clock && get.clock < set.clock + 60000000000ull;
}

static bool clock_bad(struct world *w)
{
	struct kvm_clock_data set = { .flags = 1u << 31 };

	return refused(w, w->vm, KVM_SET_CLOCK, &set, EINVAL);
}

static bool get_clock_bad(struct world *w)
{
	return refused(w, w->vm, KVM_GET_CLOCK, NOT_MAPPED, EFAULT);
}

static bool mmu_pages(struct world *w)
{
	return calln(w, w->vm, KVM_SET_NR_MMU_PAGES, 100) &&
	       ioctl(w->vm, KVM_GET_NR_MMU_PAGES, 0ul) == 100;
}

static bool mmu_pages_bad(struct world *w)
{
	return refusedn(w, w->vm, KVM_SET_NR_MMU_PAGES, 1, EINVAL);
}

static bool msr_filter(struct world *w)
{
	uint8_t bitmap[8] = { 0 };
	struct kvm_msr_filter f = { .ranges = { { .flags = KVM_MSR_FILTER_READ,
						  .nmsrs = 64,
						  .base = 0x174,
						  .bitmap = bitmap } } };

	return call(w, w->vm, KVM_X86_SET_MSR_FILTER, &f);
}

static bool msr_filter_bad(struct world *w)
{
	struct kvm_msr_filter f = { .flags = 0x80 };

	return refused(w, w->vm, KVM_X86_SET_MSR_FILTER, &f, EINVAL);
}

static bool ioeventfd(struct world *w)
{
	static const uint8_t code[] = {
		0xe6, 0x99, /* out %al, $0x99: to the eventfd */
		0xe6, 0xe9, /* out %al, $0xe9 */
	};
	int fd = eventfd(0, EFD_NONBLOCK);
	struct kvm_ioeventfd e = {
		.addr = 0x99, .len = 1, .fd = fd, .flags = KVM_IOEVENTFD_FLAG_PIO
	};
	uint64_t count = 0;

	return call(w, w->vm, KVM_IOEVENTFD, &e) && run_code(w, code, sizeof(code), KVM_EXIT_IO) &&
	       w->run->io.port == 0xe9 && read(fd, &count, sizeof(count)) == 8 && count == 1;
}

static bool ioeventfd_bad(struct world *w)
{
	struct kvm_ioeventfd e = { .addr = 0x99, .len = 3, .fd = eventfd(0, 0) };

	return refused(w, w->vm, KVM_IOEVENTFD, &e, EINVAL);
}

static bool coalesced(struct world *w)
{
	struct kvm_coalesced_mmio_zone z = { .addr = 0xd0000000, .size = 0x1000 };

	return call(w, w->vm, KVM_REGISTER_COALESCED_MMIO, &z) &&
	       call(w, w->vm, KVM_UNREGISTER_COALESCED_MMIO, &z);
}

static bool coalesced_bad(struct world *w)
{
	struct kvm_coalesced_mmio_zone z = { .addr = 0xd0000000, .size = 0x1000, .pio = 2 };

	return refused(w, w->vm, KVM_REGISTER_COALESCED_MMIO, &z, EINVAL);
}

static bool uncoalesced_bad(struct world *w)
{
	struct kvm_coalesced_mmio_zone z = { .addr = 0xd0000000, .size = 0x1000, .pio = 2 };

	return refused(w, w->vm, KVM_UNREGISTER_COALESCED_MMIO, &z, EINVAL);
}

static bool stats_fd(struct world *w)
{
	struct kvm_stats_header vm = { 0 }, vcpu = { 0 };
	int fd = ioctl(w->vm, KVM_GET_STATS_FD, 0ul), vfd = ioctl(w->vcpu, KVM_GET_STATS_FD, 0ul);

	return fd >= 0 && vfd >= 0 && pread(fd, &vm, sizeof(vm), 0) == sizeof(vm) && vm.num_desc &&
	       pread(vfd, &vcpu, sizeof(vcpu), 0) == sizeof(vcpu) && vcpu.num_desc;
}

static bool hyperv_eventfd(struct world *w)
{
	struct kvm_hyperv_eventfd e = { .conn_id = 1, .fd = eventfd(0, 0) };

	return call(w, w->vm, KVM_HYPERV_EVENTFD, &e);
}

static bool hyperv_eventfd_bad(struct world *w)
{
	struct kvm_hyperv_eventfd e = { .conn_id = 1 << 25, .fd = eventfd(0, 0) };

	return refused(w, w->vm, KVM_HYPERV_EVENTFD, &e, EINVAL);
}

static bool enable_cap(struct world *w)
{
	return manual_protect(w);
}

static bool enable_cap_bad(struct world *w)
{
	struct kvm_enable_cap cap = { .cap = 100000 };

	return refused(w, w->vm, KVM_ENABLE_CAP, &cap, EINVAL);
}

const struct row vm_rows[] = {
	{ "KVM_CREATE_VCPU", VM, create_vcpu, create_vcpu_bad },
	{ "KVM_SET_USER_MEMORY_REGION", VM, memory_region, memory_region_bad },
	{ "KVM_GET_DIRTY_LOG", VM, get_dirty_log, get_dirty_log_bad },
	{ "KVM_CLEAR_DIRTY_LOG", VM, clear_dirty_log, clear_dirty_log_bad },
	{ "KVM_SET_TSS_ADDR", VM, set_tss, set_tss_bad },
	{ "KVM_SET_IDENTITY_MAP_ADDR", VM, identity_map, identity_map_bad },
	{ "KVM_SET_BOOT_CPU_ID", VM, boot_cpu, boot_cpu_bad },
	{ "KVM_SET_CLOCK", VM, clock, clock_bad },
	{ "KVM_GET_CLOCK", VM, clock, get_clock_bad },
	{ "KVM_SET_NR_MMU_PAGES", VM, mmu_pages, mmu_pages_bad },
	{ "KVM_GET_NR_MMU_PAGES", VM, mmu_pages, NULL },
	{ "KVM_X86_SET_MSR_FILTER", VM, msr_filter, msr_filter_bad },
	{ "KVM_IOEVENTFD", VM, ioeventfd, ioeventfd_bad },
	{ "KVM_REGISTER_COALESCED_MMIO", VM, coalesced, coalesced_bad },
	{ "KVM_UNREGISTER_COALESCED_MMIO", VM, coalesced, uncoalesced_bad },
	{ "KVM_GET_STATS_FD", VM, stats_fd, NULL },
	{ "KVM_HYPERV_EVENTFD", VM, hyperv_eventfd, hyperv_eventfd_bad },
	{ "KVM_ENABLE_CAP", VM, enable_cap, enable_cap_bad },
	{ 0 },
};

/* HLT stays in the guest: only a signal ends it, where it would else be KVM_EXIT_HLT. */
static bool no_hlt_exit(struct world *w)
{
	static const uint8_t code[] = { 0xfb, 0xf4 }; /* sti; hlt */

	return populate(w) && signal_soon() && !run_code(w, code, sizeof(code), KVM_EXIT_HLT) &&
	       w->err == EINTR;
}

/* Where KVM_CAP_HYPERV_ENLIGHTENED_VMCS puts the versions, which CPUID then has as well. */
static uint16_t evmcs_versions;

static bool evmcs_offered(struct world *w)
{
	static struct cpuid_list c;
	uint32_t hints = 0, nested = 0, i;

	c.head.nent = sizeof(c.entries) / sizeof(c.entries[0]);
	if (evmcs_versions != 0x101 || !call(w, w->vcpu, KVM_GET_SUPPORTED_HV_CPUID, &c))
		return false;
	for (i = 0; i < c.head.nent; i++) {
		if (c.entries[i].function == 0x40000004)
			hints = c.entries[i].eax;
		if (c.entries[i].function == 0x4000000a)
			nested = c.entries[i].eax;
	}
	return (hints >> 14 & 1) && (nested & 0xffff) == evmcs_versions;
}

/* Capabilities that KVM_ENABLE_CAP takes; 0 for @bad where every argument is good. */
#define ENABLE(c, ...)                            \
	{                                         \
		.name = #c, .cap = c, __VA_ARGS__ \
	}

const struct cap_row cap_rows[] = {
	ENABLE(KVM_CAP_EXCEPTION_PAYLOAD, .fd = VM, .good = 1),
	ENABLE(KVM_CAP_X86_TRIPLE_FAULT_EVENT, .fd = VM, .good = 1),
	ENABLE(KVM_CAP_X86_USER_SPACE_MSR, .fd = VM, .good = KVM_MSR_EXIT_REASON_UNKNOWN,
	       .bad = 1u << 30),
	ENABLE(KVM_CAP_DISABLE_QUIRKS, .fd = VM, .good = 1),
	ENABLE(KVM_CAP_DISABLE_QUIRKS2, .fd = VM, .good = 1, .bad = 1ull << 40),
	ENABLE(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .fd = VM, .good = 3, .bad = 2),
	ENABLE(KVM_CAP_MAX_VCPU_ID, .fd = VM, .good = 8, .bad = 1 << 20, .bare = true),
	ENABLE(KVM_CAP_MSR_PLATFORM_INFO, .fd = VM, .good = 0),
	ENABLE(KVM_CAP_SPLIT_IRQCHIP, .fd = VM, .good = 24, .bad = 100000, .bare = true),
	ENABLE(KVM_CAP_EXIT_ON_EMULATION_FAILURE, .fd = VM, .good = 1, .bad = 2),
	ENABLE(KVM_CAP_X2APIC_API, .fd = VM, .good = 3, .bad = 1 << 8),
	ENABLE(KVM_CAP_X86_DISABLE_EXITS, .fd = VM, .good = KVM_X86_DISABLE_EXITS_HLT,
	       .effect = no_hlt_exit, .bad = 1u << 20, .bare = true),
	ENABLE(KVM_CAP_HALT_POLL, .fd = VM, .good = 1000),
	ENABLE(KVM_CAP_ENFORCE_PV_FEATURE_CPUID, .fd = VCPU, .good = 1),
	ENABLE(KVM_CAP_HYPERV_SYNIC, .fd = VCPU, .good = 0),
	ENABLE(KVM_CAP_HYPERV_SYNIC2, .fd = VCPU, .good = 0, .bad = 1),
	ENABLE(KVM_CAP_HYPERV_ENLIGHTENED_VMCS, .fd = VCPU, .good = (uintptr_t)&evmcs_versions,
	       .effect = evmcs_offered),
	ENABLE(KVM_CAP_HYPERV_ENFORCE_CPUID, .fd = VCPU, .good = 1),
	{ 0 },
};
