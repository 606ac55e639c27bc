// SPDX-License-Identifier: GPL-2.0-only
/* Makes the parts of a payload's machine; see machine.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "machine.h"

int kvm;

_Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program, what, strerror(errno));
	exit(125);
}

int call(int fd, unsigned long req, void *arg, const char *what)
{
	int r = ioctl(fd, req, arg);

	if (r < 0)
		die(what);
	return r;
}

void open_kvm(const char *device)
{
	kvm = open(device, O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		die(device);
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		die("KVM_GET_API_VERSION");
}

int new_vm(void)
{
	return call(kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
}

int run_size(void)
{
	return call(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
}

int new_vcpu(int vm, uint32_t id, struct kvm_run **run)
{
	int fd = call(vm, KVM_CREATE_VCPU, (void *)(uintptr_t)id, "KVM_CREATE_VCPU");

	*run = mmap(NULL, run_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*run == MAP_FAILED)
		die("mmap of kvm_run");
	return fd;
}

void *map_memory(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap of guest memory");
	return at;
}

void set_slot(int vm, uint32_t slot, uint64_t gpa, void *at, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.userspace_addr = (uintptr_t)at,
		.memory_size = size,
	};

	call(vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
}

void get_supported_cpuid(struct cpuid_list *c)
{
	memset(c, 0, sizeof(*c));
	c->head.nent = sizeof(c->entries) / sizeof(c->entries[0]);
	call(kvm, KVM_GET_SUPPORTED_CPUID, c, "KVM_GET_SUPPORTED_CPUID");
}

/*
 * Intel-vendor CPUID on any host: the payloads that use VMX want it. The list that KVM gives leaves
 * out the TSC-deadline timer, which only the kernel's local APIC has.
 */
void intel_cpuid(struct cpuid_list *c, uint32_t apic_id, bool kernel_apic)
{
	bool deadline = kernel_apic && ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER);
	uint32_t i;

	get_supported_cpuid(c);
	for (i = 0; i < c->head.nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == 0 || e->function == 0x80000000) {
			e->ebx = 0x756e6547;
			e->edx = 0x49656e69;
			e->ecx = 0x6c65746e;
		}
		if (e->function == 1) {
			e->ebx = (e->ebx & 0xffffff) | apic_id << 24;
			e->ecx |= deadline ? CPUID_TSC_DEADLINE : 0;
		}
	}
}

/* The first vCPU begins with the payload's first byte, in real mode. */
void start_at_payload(int vcpu)
{
	struct kvm_regs r = { .rip = LOAD_AT, .rflags = 2, .rsp = LOAD_AT };
	struct kvm_sregs s;

	call(vcpu, KVM_GET_SREGS, &s, "KVM_GET_SREGS");
	s.cs.base = 0;
	s.cs.selector = 0;
	call(vcpu, KVM_SET_SREGS, &s, "KVM_SET_SREGS");
	call(vcpu, KVM_SET_REGS, &r, "KVM_SET_REGS");
}

void load(uint8_t *mem, const char *path)
{
	FILE *f = fopen(path, "rb");

	if (!f)
		die(path);
	if (!fread(mem + LOAD_AT, 1, MEM_SIZE - LOAD_AT, f))
		die("empty payload");
	fclose(f);
}
