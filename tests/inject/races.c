// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads at the same objects of one VM, each call against its opposite, for two seconds a pair.
 * What they return does not matter, that the kernel survives it does: the debug kernel's detectors
 * judge.
 *
 *   races [-d device] [-t seconds]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"

#define SLOT_SIZE 0x200000ull
#define SLOT_BASE 0x10000000ull

const char program[] = "races";

static int vm, event, resample;
static uint8_t *memory;
static volatile bool stop;
static unsigned long done[2];

static void irqfd(uint32_t flags)
{
	struct kvm_irqfd f = { .fd = event, .gsi = 10, .flags = flags, .resamplefd = resample };

	ioctl(vm, KVM_IRQFD, &f);
}

static void irqfd_on(void)
{
	irqfd(0);
}

static void irqfd_resample_on(void)
{
	irqfd(KVM_IRQFD_FLAG_RESAMPLE);
}

static void irqfd_off(void)
{
	irqfd(KVM_IRQFD_FLAG_DEASSIGN);
}

/* The last reference to the eventfd goes while others look at it. */
static void event_renewed(void)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd >= 0 && dup2(fd, event) >= 0)
		close(fd);
}

static void event_signalled(void)
{
	uint64_t one = 1;

	if (write(event, &one, sizeof(one)) < 0)
		return;
}

static void ioeventfd(uint32_t flags)
{
	struct kvm_ioeventfd f = { .fd = event, .addr = MMIO_BASE, .flags = flags };

	ioctl(vm, KVM_IOEVENTFD, &f);
}

static void ioeventfd_on(void)
{
	ioeventfd(0);
}

static void ioeventfd_off(void)
{
	ioeventfd(KVM_IOEVENTFD_FLAG_DEASSIGN);
}

static void line(void)
{
	struct kvm_irq_level l = { .irq = 10, .level = 1 };

	ioctl(vm, KVM_IRQ_LINE, &l);
	l.level = 0;
	ioctl(vm, KVM_IRQ_LINE, &l);
}

static void routing(void)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry e[1];
	} r = { .head.nr = 1 };

	r.e[0].gsi = 10;
	r.e[0].type = KVM_IRQ_ROUTING_MSI;
	r.e[0].u.msi.address_lo = 0xfee00000;
	r.e[0].u.msi.data = 0x40;
	ioctl(vm, KVM_SET_GSI_ROUTING, &r);
}

static void change_slot(uint64_t size, uint32_t flags)
{
	struct kvm_userspace_memory_region r = {
		.slot = 3,
		.flags = flags,
		.guest_phys_addr = SLOT_BASE,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static void slot_on(void)
{
	change_slot(SLOT_SIZE, KVM_MEM_LOG_DIRTY_PAGES);
}

static void slot_off(void)
{
	change_slot(0, 0);
}

static void dirty_log(void)
{
	uint64_t bits[SLOT_SIZE / 4096 / 64];
	struct kvm_dirty_log log = { .slot = 3, .dirty_bitmap = bits };

	ioctl(vm, KVM_GET_DIRTY_LOG, &log);
}

/* What the slot is made of goes and comes back: the MMU notifier's part. */
static void discard(void)
{
	madvise(memory, SLOT_SIZE, MADV_DONTNEED);
	memory[0] = 1;
}

static void vcpu_made(void)
{
	int fd = ioctl(vm, KVM_CREATE_VCPU, 1ul);

	if (fd >= 0)
		close(fd);
}

static void irqchip_made(void)
{
	ioctl(vm, KVM_CREATE_IRQCHIP, 0);
}

static void pit_made(void)
{
	struct kvm_pit_config pit = { 0 };

	ioctl(vm, KVM_CREATE_PIT2, &pit);
}

static void vm_made(void)
{
	int fd = ioctl(kvm, KVM_CREATE_VM, 0ul);

	if (fd >= 0)
		close(fd);
}

static const struct race {
	const char *name;
	bool irqchip; /* there from the start */
	void (*side[2])(void);
} races[] = {
	{ "irqfd on/off", true, { irqfd_on, irqfd_off } },
	{ "irqfd with resample on/off", true, { irqfd_resample_on, irqfd_off } },
	{ "irqfd on/eventfd closed", true, { irqfd_on, event_renewed } },
	{ "irqfd on/eventfd signalled", true, { irqfd_on, event_signalled } },
	{ "ioeventfd on/off", true, { ioeventfd_on, ioeventfd_off } },
	{ "interrupt/routing", true, { line, routing } },
	{ "slot on/off", true, { slot_on, slot_off } },
	{ "slot on/dirty log", true, { slot_on, dirty_log } },
	{ "slot on/memory discarded", true, { slot_on, discard } },
	{ "vCPU/irqchip", false, { vcpu_made, irqchip_made } },
	{ "irqchip/PIT", false, { irqchip_made, pit_made } },
	{ "VM/VM", true, { vm_made, vm_made } },
};

static const struct race *now;

static void *one_side(void *arg)
{
	int side = (int)(intptr_t)arg;

	while (!stop) {
		now->side[side]();
		done[side]++;
	}
	return NULL;
}

static void run_race(unsigned int seconds)
{
	pthread_t t[2];
	int i;

	vm = new_vm();
	if (now->irqchip)
		call(vm, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
	stop = false;
	for (i = 0; i < 2; i++) {
		done[i] = 0;
		if (pthread_create(&t[i], NULL, one_side, (void *)(intptr_t)i))
			die("pthread_create");
	}
	sleep(seconds);
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	close(vm);
	printf("%s %s: %lu and %lu calls\n", done[0] && done[1] ? "PASS" : "FAIL", now->name,
	       done[0], done[1]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *dev = "/dev/kvm";
	unsigned int seconds = 2;
	size_t i;
	int opt;

	while ((opt = getopt(argc, argv, "d:t:")) != -1) {
		if (opt == 'd')
			dev = optarg;
		else if (opt == 't')
			seconds = atoi(optarg);
		else
			return 125;
	}
	open_kvm(dev);
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	resample = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0 || resample < 0)
		die("eventfd");
	memory = map_memory(SLOT_SIZE);
	for (i = 0; i < sizeof(races) / sizeof(races[0]); i++) {
		now = &races[i];
		run_race(seconds);
	}
	return 0;
}
