// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file descriptors and the VM that a world starts with.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

int get_fd(struct world *w, struct rng *r, enum fd_kind kind)
{
	unsigned int at = below(r, FDS_PER_KIND), i;
	bool empty_too = one_in(r, 16);
	int fd = -1;

	for (i = 0; i < FDS_PER_KIND && fd < 0; i++) {
		fd = __atomic_load_n(&w->fd[kind][(at + i) % FDS_PER_KIND], __ATOMIC_RELAXED);
		if (empty_too)
			break;
	}
	return fd;
}

/* In some place; what was there is closed, and its mapping goes. */
void put_fd(struct world *w, struct rng *r, enum fd_kind kind, int fd)
{
	unsigned int i = below(r, FDS_PER_KIND);
	int old = __atomic_exchange_n(&w->fd[kind][i], fd, __ATOMIC_RELAXED);
	struct kvm_run *run = NULL;

	if (kind == FD_VCPU) {
		if (fd >= 0)
			run = mmap(NULL, w->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (run == MAP_FAILED)
			run = NULL;
		run = __atomic_exchange_n(&w->run[i], run, __ATOMIC_RELAXED);
		if (run)
			munmap(run, w->run_size);
	}
	if (old >= 0)
		close(old);
}

/* Closes one, opens the device again, or makes a second name of one. */
void drop_fd(struct world *w, struct rng *r)
{
	enum fd_kind kind = below(r, NR_FD_KINDS);
	int fd;

	if (kind == FD_SYSTEM)
		fd = open(w->opt->device, O_RDWR | O_CLOEXEC);
	else if (kind == FD_EVENT)
		fd = eventfd(below(r, 2), EFD_NONBLOCK | (one_in(r, 2) ? EFD_SEMAPHORE : 0));
	else if (one_in(r, 2))
		fd = dup(get_fd(w, r, kind));
	else
		fd = -1;
	put_fd(w, r, kind, fd);
}

static void give_cpuid(struct rng *r, int sys, int vcpu)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + 256 * sizeof(c->entries[0]));
	uint32_t i;

	if (!c)
		return;
	c->nent = 256;
	if (!ioctl(sys, KVM_GET_SUPPORTED_CPUID, c)) {
		for (i = 0; i < c->nent; i++) {
			struct kvm_cpuid_entry2 *e = &c->entries[i];

			if (e->function == 0 || e->function == 0x80000000) {
				e->ebx = 0x756e6547; /* GenuineIntel: the payloads want VMX */
				e->edx = 0x49656e69;
				e->ecx = 0x6c65746e;
			}
			if (e->function == 1)
				e->ecx |= 1u << 24; /* TSC-deadline timer */
		}
		if (one_in(r, 8))
			mutate(r, c->entries, c->nent * sizeof(c->entries[0]));
		ioctl(vcpu, KVM_SET_CPUID2, c);
	}
	free(c);
}

static void start_vcpu(struct world *w, struct rng *r, int sys, int vm, unsigned long id)
{
	struct kvm_regs regs = { .rip = LOAD_AT, .rflags = 2, .rsp = LOAD_AT };
	int fd = ioctl(vm, KVM_CREATE_VCPU, id);
	struct kvm_sregs s;

	if (fd < 0)
		return;
	give_cpuid(r, sys, fd);
	if (!ioctl(fd, KVM_GET_SREGS, &s)) {
		s.cs.base = 0;
		s.cs.selector = 0;
		s.ds.limit = s.es.limit = s.ss.limit = s.cs.limit = 0xffffffff;
		s.ds.g = s.es.g = s.ss.g = s.cs.g = 1;
		ioctl(fd, KVM_SET_SREGS, &s);
	}
	ioctl(fd, KVM_SET_REGS, &regs);
	put_fd(w, r, FD_VCPU, fd);
}

static void start_vm(struct world *w, struct rng *r, int sys)
{
	struct kvm_userspace_memory_region slot = {
		.memory_size = GUEST_MEM,
		.userspace_addr = (uintptr_t)w->arena,
		.flags = one_in(r, 4) ? KVM_MEM_LOG_DIRTY_PAGES : 0,
	};
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	struct kvm_pit_config pit = { 0 };
	unsigned long i, vcpus = 1 + below(r, 3);
	int vm = ioctl(sys, KVM_CREATE_VM, 0ul);

	if (vm < 0)
		return;
	switch (below(r, 4)) {
	case 0:
		break; /* user space has it all */
	case 1:
		ioctl(vm, KVM_ENABLE_CAP, &split);
		break;
	default:
		ioctl(vm, KVM_CREATE_IRQCHIP, 0);
		if (one_in(r, 2))
			ioctl(vm, KVM_CREATE_PIT2, &pit);
	}
	ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot);
	for (i = 0; i < vcpus; i++)
		start_vcpu(w, r, sys, vm, i);
	put_fd(w, r, FD_VM, vm);
}

static void load_guest(struct world *w, struct rng *r)
{
	const struct payload *p;

	if (w->opt->nr_payloads && one_in(r, 2)) {
		p = &w->opt->payloads[below(r, w->opt->nr_payloads)];
		memcpy(w->arena + LOAD_AT, p->data, p->size);
	} else if (one_in(r, 4)) {
		random_bytes(r, w->arena + LOAD_AT, 4096);
	} else {
		guest_program(r, w->arena + LOAD_AT, 4096);
	}
}

/* Usually one or two VMs that could run; what the threads make of them is another matter. */
void world_start(struct world *w, struct rng *r)
{
	unsigned int k, i, vms = one_in(r, 16) ? 0 : 1 + below(r, 2);
	int sys, size;

	for (k = 0; k < NR_FD_KINDS; k++)
		for (i = 0; i < FDS_PER_KIND; i++)
			w->fd[k][i] = -1;
	w->memfd = memfd_create("fuzz", MFD_CLOEXEC);
	if (w->memfd < 0 || ftruncate(w->memfd, ARENA_SIZE))
		_exit(3);
	/* Slots often want the alignment that large pages have. */
	w->arena = mmap((void *)0x200000000ul, ARENA_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (w->arena == MAP_FAILED)
		_exit(3);
	sys = open(w->opt->device, O_RDWR | O_CLOEXEC);
	if (sys < 0)
		_exit(4);
	size = ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size <= 0)
		_exit(4);
	w->run_size = size;
	load_guest(w, r);
	for (i = 0; i < 3; i++)
		put_fd(w, r, FD_EVENT, eventfd(0, EFD_NONBLOCK));
	for (i = 0; i < vms; i++)
		start_vm(w, r, sys);
	put_fd(w, r, FD_SYSTEM, sys);
}
