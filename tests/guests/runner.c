// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a bare-metal payload in a VM over the KVM API, without QEMU: starts in a
 * few milliseconds and shows every exit that user space gets.
 *
 *   runner [-d device] [-v] [-c vcpus] [-t seconds] [-p value] payload.bin
 *
 * The payload is loaded at 0x7c00 and started there in real mode, as a boot sector is. Ports
 * that it talks to: 0xe9 prints a character, 0xf4 ends the run with the written byte as exit
 * status, 0x0f0-0x0f3 are plain latches (what was written is read back; -p sets them), and 0xd0000000 is a
 * page of device memory that behaves like a latch array.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEM_SIZE  (64u << 20)
#define LOAD_AT	  0x7c00u
#define MMIO_BASE 0xd0000000ull
#define MMIO_SIZE 0x1000u
#define MAX_VCPUS 8

static int kvm, vm, verbose;
static uint8_t latch[4], mmio[MMIO_SIZE];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what)
{
	fprintf(stderr, "runner: %s: %s\n", what, strerror(errno));
	exit(125);
}

static int call(int fd, unsigned long req, void *arg, const char *what)
{
	int r = ioctl(fd, req, arg);

	if (r < 0)
		die(what);
	return r;
}

/* Port I/O; returns -1, or the exit status that the payload asked for. */
static int port_io(struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t i;

	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		int out = run->io.direction == KVM_EXIT_IO_OUT;

		if (run->io.port == 0xf4 && out)
			return data[0];
		if (run->io.port == 0xe9 && out) {
			putchar(data[0]);
		} else if (run->io.port >= 0xf0 && run->io.port < 0xf4) {
			uint32_t off = run->io.port - 0xf0;
			uint32_t n = run->io.size < 4 - off ? run->io.size : 4 - off;

			if (out)
				memcpy(latch + off, data, n);
			else
				memcpy(data, latch + off, n);
		} else if (!out) {
			memset(data, 0xff, run->io.size);
		}
	}
	return -1;
}

static void device_memory(struct kvm_run *run)
{
	uint64_t off = run->mmio.phys_addr - MMIO_BASE;

	if (off + run->mmio.len > MMIO_SIZE) {
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		return;
	}
	if (run->mmio.is_write)
		memcpy(mmio + off, run->mmio.data, run->mmio.len);
	else
		memcpy(run->mmio.data, mmio + off, run->mmio.len);
}

static void report(int fd, const struct kvm_run *run)
{
	struct kvm_regs r;
	struct kvm_sregs s;
	unsigned int i;

	fprintf(stderr, "runner: exit %u", run->exit_reason);
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR) {
		fprintf(stderr, " suberror %u", run->internal.suberror);
		for (i = 0; i < run->internal.ndata && i < 16; i++)
			fprintf(stderr, " %llx", (unsigned long long)run->internal.data[i]);
	} else if (run->exit_reason == KVM_EXIT_FAIL_ENTRY) {
		fprintf(stderr, " hardware reason %llx",
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
	}
	if (!ioctl(fd, KVM_GET_REGS, &r) && !ioctl(fd, KVM_GET_SREGS, &s))
		fprintf(stderr,
			"\nrip %llx cs %x:%llx rflags %llx rsp %llx\nrax %llx rbx %llx rcx %llx rdx %llx\n"
			"cr0 %llx cr2 %llx cr3 %llx cr4 %llx efer %llx\n",
			r.rip, s.cs.selector, s.cs.base, r.rflags, r.rsp, r.rax, r.rbx, r.rcx,
			r.rdx, s.cr0, s.cr2, s.cr3, s.cr4, s.efer);
}

/* Intel-vendor CPUID on any host: the payloads that use VMX want it. */
static void give_cpuid(int fd, uint32_t id)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + 256 * sizeof(c->entries[0]));
	uint32_t i;

	if (!c)
		die("calloc");
	c->nent = 256;
	call(kvm, KVM_GET_SUPPORTED_CPUID, c, "KVM_GET_SUPPORTED_CPUID");
	for (i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == 0 || e->function == 0x80000000) {
			e->ebx = 0x756e6547;
			e->edx = 0x49656e69;
			e->ecx = 0x6c65746e;
		}
		if (e->function == 1)
			e->ebx = (e->ebx & 0xffffff) | id << 24;
	}
	call(fd, KVM_SET_CPUID2, c, "KVM_SET_CPUID2");
	free(c);
}

static void *vcpu_thread(void *arg)
{
	uint32_t id = (uint32_t)(uintptr_t)arg;
	int fd = ioctl(vm, KVM_CREATE_VCPU, (unsigned long)id);
	struct kvm_run *run;
	struct kvm_sregs s;
	struct kvm_regs r = { .rip = LOAD_AT, .rflags = 2, .rsp = LOAD_AT };
	int size, status;

	if (fd < 0)
		die("KVM_CREATE_VCPU");
	size = call(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED)
		die("mmap of kvm_run");
	give_cpuid(fd, id);
	if (id == 0) {
		call(fd, KVM_GET_SREGS, &s, "KVM_GET_SREGS");
		s.cs.base = 0;
		s.cs.selector = 0;
		call(fd, KVM_SET_SREGS, &s, "KVM_SET_SREGS");
		call(fd, KVM_SET_REGS, &r, "KVM_SET_REGS");
	}
	for (;;) {
		if (ioctl(fd, KVM_RUN, 0) < 0) {
			if (errno == EAGAIN || errno == EINTR)
				continue;
			die("KVM_RUN");
		}
		if (verbose)
			fprintf(stderr, "runner: vcpu %u exit %u\n", id, run->exit_reason);
		status = -1;
		pthread_mutex_lock(&lock);
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			status = port_io(run);
			break;
		case KVM_EXIT_MMIO:
			device_memory(run);
			break;
		default:
			report(fd, run);
			status = 124;
		}
		if (status >= 0) {
			fflush(stdout);
			_exit(status);
		}
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void on_alarm(int sig)
{
	static const char msg[] = "runner: time limit\n";

	(void)sig;
	if (write(2, msg, sizeof(msg) - 1) < 0)
		_exit(123);
	_exit(123);
}

static void load(uint8_t *mem, const char *path)
{
	FILE *f = fopen(path, "rb");

	if (!f)
		die(path);
	if (!fread(mem + LOAD_AT, 1, MEM_SIZE - LOAD_AT, f))
		die("empty payload");
	fclose(f);
}

int main(int argc, char **argv)
{
	const char *dev = "/dev/kvm";
	struct kvm_userspace_memory_region region = { .memory_size = MEM_SIZE };
	struct kvm_pit_config pit = { 0 };
	pthread_t t[MAX_VCPUS];
	unsigned int i, vcpus = 1, limit = 60;
	uint32_t parameter = 0;
	uint8_t *mem;
	int opt;

	while ((opt = getopt(argc, argv, "d:vc:t:p:")) != -1) {
		switch (opt) {
		case 'd':
			dev = optarg;
			break;
		case 'v':
			verbose = 1;
			break;
		case 'c':
			vcpus = atoi(optarg);
			break;
		case 't':
			limit = atoi(optarg);
			break;
		case 'p':
			parameter = atoi(optarg);
			memcpy(latch, &parameter, sizeof(latch));
			break;
		default:
			return 125;
		}
	}
	if (optind + 1 != argc || !vcpus || vcpus > MAX_VCPUS) {
		fprintf(stderr,
			"usage: runner [-d device] [-v] [-c vcpus] [-t seconds] [-p value] payload.bin\n");
		return 125;
	}
	signal(SIGALRM, on_alarm);
	alarm(limit);

	kvm = open(dev, O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		die(dev);
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		die("KVM_GET_API_VERSION");
	vm = ioctl(kvm, KVM_CREATE_VM, 0ul);
	if (vm < 0)
		die("KVM_CREATE_VM");
	call(vm, KVM_SET_TSS_ADDR, (void *)0xfffbd000ul, "KVM_SET_TSS_ADDR");
	call(vm, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
	call(vm, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");

	mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		die("mmap of guest memory");
	load(mem, argv[optind]);
	region.userspace_addr = (uintptr_t)mem;
	call(vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");

	for (i = 1; i < vcpus; i++)
		if (pthread_create(&t[i], NULL, vcpu_thread, (void *)(uintptr_t)i))
			die("pthread_create");
	vcpu_thread(NULL);
	return 0;
}
