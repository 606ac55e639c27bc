// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes each allocation, and each copy from or to user space, of the KVM API's calls fail once.
 *
 *   inject [-d device] [-v] payload.bin...
 *
 * For N = 1, 2, 3...: a fresh VM, prepared as far as the call needs; the kernel is told to fail the
 * Nth of those in this thread; the call is made. It may succeed, or be refused with ENOMEM or
 * EFAULT, and then the same call without a failure must succeed: nothing half done stays behind.
 * That goes on until an N was not reached. Then the payloads run that way (payload.c).
 *
 * Leaks and bad reports are for the debug kernel to find, when the program has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inject.h"

#define SLOT	  3
#define SMM_SLOT  (1u << 16)
#define SLOT_BASE 0x10000000ull
#define SLOT_SIZE 0x200000ull

struct op {
	const char *name;
	int cap; /* the capability it needs, or 0 */
	void (*prepare)(struct world *w);
	long (*call)(struct world *w);
};

const char program[] = "inject";

static int passed, failed;

/* ------------------------------------------------------------------ worlds, step by step */

static void nothing(struct world *w)
{
	(void)w;
}

static void with_vm(struct world *w)
{
	w->vm = new_vm();
	call(w->vm, KVM_SET_TSS_ADDR, (void *)0xfffbd000ul, "KVM_SET_TSS_ADDR");
}

static void with_irqchip(struct world *w)
{
	with_vm(w);
	call(w->vm, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
	w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->resample = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->event < 0 || w->resample < 0)
		die("eventfd");
}

static void with_vcpu(struct world *w)
{
	with_irqchip(w);
	w->vcpu = new_vcpu(w->vm, 0, &w->run);
	/* Present before anything is injected: a page fault of ours is not what is tested. */
	w->run->immediate_exit = 0;
}

static void with_memory(struct world *w)
{
	with_vm(w);
	w->mem_size = SLOT_SIZE;
	w->mem = map_memory(SLOT_SIZE);
}

static void with_slot(struct world *w)
{
	with_memory(w);
	set_slot(w->vm, SLOT, SLOT_BASE, w->mem, SLOT_SIZE);
}

void with_payload(struct world *w)
{
	struct kvm_pit_config pit = { 0 };
	struct cpuid_list cpuid;

	with_vcpu(w);
	call(w->vm, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");
	w->mem_size = MEM_SIZE;
	w->mem = map_memory(MEM_SIZE);
	load(w->mem, w->payload);
	set_slot(w->vm, 0, 0, w->mem, MEM_SIZE);
	if (ioctl(w->vm, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE) >= 2)
		set_slot(w->vm, SMM_SLOT, 0, w->mem, MEM_SIZE);
	intel_cpuid(&cpuid, 0, true);
	call(w->vcpu, KVM_SET_CPUID2, &cpuid, "KVM_SET_CPUID2");
	start_at_payload(w->vcpu);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void end(struct world *w)
{
	if (w->run)
		munmap(w->run, run_size());
	close_fd(&w->vcpu);
	close_fd(&w->vm);
	close_fd(&w->event);
	close_fd(&w->resample);
	if (w->mem)
		munmap(w->mem, w->mem_size);
}

/* ------------------------------------------------------------------ the calls */

static long create_vm(struct world *w)
{
	w->vm = ioctl(kvm, KVM_CREATE_VM, 0ul);
	return w->vm;
}

static long supported_cpuid(struct world *w)
{
	struct cpuid_list c = { .head.nent = 256 };

	(void)w;
	return ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &c);
}

static long msr_index_list(struct world *w)
{
	struct {
		struct kvm_msr_list head;
		uint32_t index[1024];
	} l = { .head.nmsrs = 1024 };

	(void)w;
	return ioctl(kvm, KVM_GET_MSR_INDEX_LIST, &l);
}

static long create_irqchip(struct world *w)
{
	return ioctl(w->vm, KVM_CREATE_IRQCHIP, 0);
}

static long split_irqchip(struct world *w)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };

	return ioctl(w->vm, KVM_ENABLE_CAP, &cap);
}

static long create_pit(struct world *w)
{
	struct kvm_pit_config pit = { 0 };

	return ioctl(w->vm, KVM_CREATE_PIT2, &pit);
}

static long create_vcpu(struct world *w)
{
	w->vcpu = ioctl(w->vm, KVM_CREATE_VCPU, 0ul);
	return w->vcpu;
}

static struct kvm_userspace_memory_region slot(struct world *w)
{
	return (struct kvm_userspace_memory_region){
		.slot = SLOT,
		.guest_phys_addr = SLOT_BASE,
		.memory_size = SLOT_SIZE,
		.userspace_addr = (uintptr_t)w->mem,
	};
}

static long add_slot(struct world *w)
{
	struct kvm_userspace_memory_region r = slot(w);

	return ioctl(w->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static long move_slot(struct world *w)
{
	struct kvm_userspace_memory_region r = slot(w);

	r.guest_phys_addr += SLOT_SIZE;
	return ioctl(w->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static long delete_slot(struct world *w)
{
	struct kvm_userspace_memory_region r = slot(w);

	r.memory_size = 0;
	return ioctl(w->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static long log_slot(struct world *w)
{
	struct kvm_userspace_memory_region r = slot(w);

	r.flags = KVM_MEM_LOG_DIRTY_PAGES;
	return ioctl(w->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static void with_logged_slot(struct world *w)
{
	with_memory(w);
	if (log_slot(w))
		die("KVM_SET_USER_MEMORY_REGION");
}

static long get_dirty_log(struct world *w)
{
	uint64_t bits[SLOT_SIZE / 4096 / 64];
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bits };

	return ioctl(w->vm, KVM_GET_DIRTY_LOG, &log);
}

static long gsi_routing(struct world *w)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry e[64];
	} r = { .head.nr = 64 };
	unsigned int i;

	for (i = 0; i < 64; i++) {
		r.e[i].gsi = i;
		if (i < 24) {
			r.e[i].type = KVM_IRQ_ROUTING_IRQCHIP;
			r.e[i].u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
			r.e[i].u.irqchip.pin = i;
		} else {
			r.e[i].type = KVM_IRQ_ROUTING_MSI;
			r.e[i].u.msi.address_lo = 0xfee00000;
			r.e[i].u.msi.data = 0x40 + i;
		}
	}
	return ioctl(w->vm, KVM_SET_GSI_ROUTING, &r);
}

static long irqfd(struct world *w)
{
	struct kvm_irqfd f = { .fd = w->event, .gsi = 10 };

	return ioctl(w->vm, KVM_IRQFD, &f);
}

static long irqfd_resample(struct world *w)
{
	struct kvm_irqfd f = { .fd = w->event,
			       .gsi = 10,
			       .flags = KVM_IRQFD_FLAG_RESAMPLE,
			       .resamplefd = w->resample };

	return ioctl(w->vm, KVM_IRQFD, &f);
}

static long ioeventfd_port(struct world *w)
{
	struct kvm_ioeventfd f = { .fd = w->event,
				   .addr = 0x510,
				   .len = 2,
				   .datamatch = 3,
				   .flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH };

	return ioctl(w->vm, KVM_IOEVENTFD, &f);
}

static long ioeventfd_memory(struct world *w)
{
	struct kvm_ioeventfd f = { .fd = w->event, .addr = MMIO_BASE };

	return ioctl(w->vm, KVM_IOEVENTFD, &f);
}

static void with_ioeventfd(struct world *w)
{
	with_irqchip(w);
	if (ioeventfd_memory(w))
		die("KVM_IOEVENTFD");
}

static long ioeventfd_off(struct world *w)
{
	struct kvm_ioeventfd f = { .fd = w->event,
				   .addr = MMIO_BASE,
				   .flags = KVM_IOEVENTFD_FLAG_DEASSIGN };

	return ioctl(w->vm, KVM_IOEVENTFD, &f);
}

static long coalesced(struct world *w)
{
	struct kvm_coalesced_mmio_zone z = { .addr = MMIO_BASE, .size = 4096 };

	return ioctl(w->vm, KVM_REGISTER_COALESCED_MMIO, &z);
}

static long msr_filter(struct world *w)
{
	uint8_t bits[128] = { 0xf0 };
	struct kvm_msr_filter f = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		f.ranges[i].flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE;
		f.ranges[i].base = 0x1000 * i;
		f.ranges[i].nmsrs = 1024;
		f.ranges[i].bitmap = bits;
	}
	return ioctl(w->vm, KVM_X86_SET_MSR_FILTER, &f);
}

static long vm_stats(struct world *w)
{
	int fd = ioctl(w->vm, KVM_GET_STATS_FD, NULL);

	if (fd >= 0)
		close(fd);
	return fd;
}

static long vcpu_stats(struct world *w)
{
	int fd = ioctl(w->vcpu, KVM_GET_STATS_FD, NULL);

	if (fd >= 0)
		close(fd);
	return fd;
}

static long set_cpuid(struct world *w)
{
	static struct cpuid_list c;

	/* Asked for once, before the first failure. */
	if (!c.head.nent)
		get_supported_cpuid(&c);
	return ioctl(w->vcpu, KVM_SET_CPUID2, &c);
}

static void with_cpuid(struct world *w)
{
	with_vcpu(w);
	if (set_cpuid(w))
		die("KVM_SET_CPUID2");
}

static const uint32_t some_msrs[] = { 0x10, 0x174, 0x175, 0x176, 0xc0000080, 0xc0000081 };
#define SOME_MSRS (sizeof(some_msrs) / sizeof(some_msrs[0]))

/* As many as were asked for, or it counts as refused. */
static long do_msrs(struct world *w, unsigned long request)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e[SOME_MSRS];
	} m = { .head.nmsrs = SOME_MSRS };
	unsigned int i;
	long r;

	for (i = 0; i < SOME_MSRS; i++)
		m.e[i].index = some_msrs[i];
	r = ioctl(w->vcpu, request, &m);
	if (r >= 0 && r != SOME_MSRS) {
		errno = EFAULT;
		return -1;
	}
	return r;
}

static long set_msrs(struct world *w)
{
	return do_msrs(w, KVM_SET_MSRS);
}

static long get_msrs(struct world *w)
{
	return do_msrs(w, KVM_GET_MSRS);
}

static long set_lapic(struct world *w)
{
	struct kvm_lapic_state s;

	if (ioctl(w->vcpu, KVM_GET_LAPIC, &s))
		return -1;
	return ioctl(w->vcpu, KVM_SET_LAPIC, &s);
}

static long set_xsave(struct world *w)
{
	struct kvm_xsave x;

	if (ioctl(w->vcpu, KVM_GET_XSAVE, &x))
		return -1;
	return ioctl(w->vcpu, KVM_SET_XSAVE, &x);
}

static long set_sregs(struct world *w)
{
	struct kvm_sregs s;

	if (ioctl(w->vcpu, KVM_GET_SREGS, &s))
		return -1;
	return ioctl(w->vcpu, KVM_SET_SREGS, &s);
}

static void with_new_payload(struct world *w)
{
	w->payload = "vmx.bin";
	with_payload(w);
}

static long get_nested(struct world *w)
{
	w->nested.head.size = sizeof(w->nested);
	return ioctl(w->vcpu, KVM_GET_NESTED_STATE, &w->nested);
}

/* Of a vCPU that has never run: it is not in VMX operation. */
static void with_nested(struct world *w)
{
	with_new_payload(w);
	if (get_nested(w))
		die("KVM_GET_NESTED_STATE");
}

static long set_nested(struct world *w)
{
	return ioctl(w->vcpu, KVM_SET_NESTED_STATE, &w->nested);
}

static long signal_mask(struct world *w)
{
	struct {
		struct kvm_signal_mask head;
		uint8_t set[8];
	} m = { .head.len = 8 };

	return ioctl(w->vcpu, KVM_SET_SIGNAL_MASK, &m);
}

static const struct op ops[] = {
	{ "KVM_GET_SUPPORTED_CPUID", 0, nothing, supported_cpuid },
	{ "KVM_GET_MSR_INDEX_LIST", 0, nothing, msr_index_list },
	{ "KVM_CREATE_VM", 0, nothing, create_vm },
	{ "KVM_CREATE_IRQCHIP", 0, with_vm, create_irqchip },
	{ "KVM_CAP_SPLIT_IRQCHIP", KVM_CAP_SPLIT_IRQCHIP, with_vm, split_irqchip },
	{ "KVM_CREATE_PIT2", 0, with_irqchip, create_pit },
	{ "KVM_CREATE_VCPU", 0, with_irqchip, create_vcpu },
	{ "KVM_CREATE_VCPU, no irqchip", 0, with_vm, create_vcpu },
	{ "memory slot, new", 0, with_memory, add_slot },
	{ "memory slot, moved", 0, with_slot, move_slot },
	{ "memory slot, deleted", 0, with_slot, delete_slot },
	{ "dirty log, on", 0, with_slot, log_slot },
	{ "KVM_GET_DIRTY_LOG", 0, with_logged_slot, get_dirty_log },
	{ "KVM_SET_GSI_ROUTING", 0, with_irqchip, gsi_routing },
	{ "KVM_IRQFD", 0, with_irqchip, irqfd },
	{ "KVM_IRQFD, resample", 0, with_irqchip, irqfd_resample },
	{ "KVM_IOEVENTFD, port", 0, with_irqchip, ioeventfd_port },
	{ "KVM_IOEVENTFD, memory", 0, with_irqchip, ioeventfd_memory },
	{ "KVM_IOEVENTFD, deassign", 0, with_ioeventfd, ioeventfd_off },
	{ "KVM_REGISTER_COALESCED_MMIO", 0, with_vm, coalesced },
	{ "KVM_X86_SET_MSR_FILTER", 0, with_vm, msr_filter },
	{ "KVM_GET_STATS_FD, VM", 0, with_vm, vm_stats },
	{ "KVM_GET_STATS_FD, vCPU", 0, with_vcpu, vcpu_stats },
	{ "KVM_SET_CPUID2", 0, with_vcpu, set_cpuid },
	{ "KVM_SET_MSRS", 0, with_cpuid, set_msrs },
	{ "KVM_GET_MSRS", 0, with_cpuid, get_msrs },
	{ "KVM_GET/SET_LAPIC", 0, with_cpuid, set_lapic },
	{ "KVM_GET/SET_XSAVE", 0, with_cpuid, set_xsave },
	{ "KVM_GET/SET_SREGS", 0, with_cpuid, set_sregs },
	{ "KVM_GET_NESTED_STATE", 0, with_new_payload, get_nested },
	{ "KVM_SET_NESTED_STATE", 0, with_nested, set_nested },
	{ "KVM_GET_NESTED_STATE, in L2", 0, with_l2, get_nested },
	{ "KVM_SET_NESTED_STATE, in L2", 0, with_l2, set_nested },
	{ "KVM_SET_SIGNAL_MASK", 0, with_vcpu, signal_mask },
};

/* ------------------------------------------------------------------ the passes */

void verdict(bool ok, const char *name, const struct tally *t, const char *why)
{
	printf("%s %s: %d injected, %d survived, %d ENOMEM, %d EFAULT%s%s\n", ok ? "PASS" : "FAIL",
	       name, t->injected, t->survived, t->no_memory, t->fault, *why ? "; " : "", why);
	fflush(stdout);
	if (ok)
		passed++;
	else
		failed++;
}

bool count_refusal(struct tally *t, int error)
{
	if (error == ENOMEM)
		t->no_memory++;
	else if (error == EFAULT)
		t->fault++;
	else
		return false;
	return true;
}

/* One call with its Nth failure; false at the end, or with @why set. */
static bool inject_once(const struct op *op, unsigned int n, struct tally *t, char *why,
			size_t size)
{
	struct world w = NO_WORLD;
	bool hit;
	long r;
	int error;

	op->prepare(&w);
	fault_arm(FAULT_ANY, n);
	r = op->call(&w);
	error = errno;
	hit = fault_disarm(FAULT_ANY);
	if (hit) {
		t->injected++;
		if (r >= 0)
			t->survived++;
		else if (!count_refusal(t, error))
			snprintf(why, size, "N=%u: %s", n, strerror(error));
		else if (op->call(&w) < 0)
			snprintf(why, size, "N=%u: afterwards %s", n, strerror(errno));
	} else if (r < 0) {
		snprintf(why, size, "N=%u: without a failure %s", n, strerror(error));
	}
	end(&w);
	return hit && !*why;
}

static void inject(const struct op *op)
{
	struct world w = NO_WORLD;
	struct tally t = { 0 };
	char why[128] = "";
	unsigned int n;

	if (op->cap && ioctl(kvm, KVM_CHECK_EXTENSION, (long)op->cap) <= 0) {
		printf("SKIP %s: not offered\n", op->name);
		return;
	}
	/* Whatever is made once only, by the first call, is there before the count begins. */
	op->prepare(&w);
	if (op->call(&w) < 0)
		snprintf(why, sizeof(why), "does not work: %s", strerror(errno));
	end(&w);
	for (n = 1; n < MAX_N && !*why && inject_once(op, n, &t, why, sizeof(why)); n++)
		;
	if (!*why && !t.injected)
		snprintf(why, sizeof(why), "nothing to fail");
	verdict(!*why, op->name, &t, why);
}

int main(int argc, char **argv)
{
	const char *dev = "/dev/kvm";
	bool dump = false;
	size_t i;
	int opt;

	while ((opt = getopt(argc, argv, "d:v")) != -1) {
		switch (opt) {
		case 'd':
			dev = optarg;
			break;
		case 'v':
			dump = true;
			break;
		default:
			return 125;
		}
	}
	open_kvm(dev);
	fault_setup(dump);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		inject(&ops[i]);
	for (; optind < argc; optind++)
		inject_into_payload(argv[optind]);
	printf("%d passed, %d failed\n", passed, failed);
	return failed ? 1 : 0;
}
