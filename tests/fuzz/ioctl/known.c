// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the fuzzer has found, each as a short program that does it on purpose. Prints PASS and
 * FAIL lines and, last, "N passed, N failed".
 *
 *   known [-d device] [number]
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
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEM_SIZE 0x100000ul
#define CODE_AT	 0x7c00

static const char *device = "/dev/turtles";
static unsigned int passed, failed;

/* One VM with one vCPU in real mode, and no interrupt controller. */
struct machine {
	int sys, vm, vcpu;
	size_t run_size;
	struct kvm_run *run;
	uint8_t *mem;
};

static void check(const char *name, int ok)
{
	printf("%s %s\n", ok ? "PASS" : "FAIL", name);
	if (ok)
		passed++;
	else
		failed++;
}

static void die(const char *what)
{
	printf("FAIL %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct machine start(void)
{
	struct machine m;
	struct kvm_userspace_memory_region slot = { .memory_size = MEM_SIZE };
	struct kvm_regs regs = { .rip = CODE_AT, .rflags = 2, .rsp = CODE_AT };
	struct kvm_sregs s;

	m.sys = open(device, O_RDWR | O_CLOEXEC);
	m.vm = ioctl(m.sys, KVM_CREATE_VM, 0ul);
	m.vcpu = ioctl(m.vm, KVM_CREATE_VCPU, 0ul);
	if (m.vcpu < 0)
		die(device);
	m.run_size = (size_t)ioctl(m.sys, KVM_GET_VCPU_MMAP_SIZE, 0ul);
	m.run = mmap(NULL, m.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m.vcpu, 0);
	m.mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	slot.userspace_addr = (uintptr_t)m.mem;
	if (ioctl(m.vm, KVM_SET_USER_MEMORY_REGION, &slot) || ioctl(m.vcpu, KVM_GET_SREGS, &s))
		die("KVM_GET_SREGS");
	s.cs.base = 0;
	s.cs.selector = 0;
	if (ioctl(m.vcpu, KVM_SET_SREGS, &s) || ioctl(m.vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
	return m;
}

static void stop(struct machine *m)
{
	munmap(m->run, m->run_size);
	munmap(m->mem, MEM_SIZE);
	close(m->vcpu);
	close(m->vm);
	close(m->sys);
}

static void set_vector(struct machine *m, unsigned int vector, uint16_t at)
{
	uint16_t entry[2] = { at, 0 };

	memcpy(m->mem + vector * 4, entry, sizeof(entry));
}

/*
 * An NMI that waits behind an event which is being injected: on SVM the entry has to end as soon
 * as that event is delivered. The host called a null pointer then.
 */
static void nmi_behind_an_event(void)
{
	static const uint8_t on_nmi[] = { 0xe6, 0x80, 0xf4 }; /* out %al, $0x80; hlt */
	static const uint8_t spin[] = { 0xeb, 0xfe };
	struct machine m = start();
	struct kvm_vcpu_events e;

	set_vector(&m, 2, 0x7e00);
	set_vector(&m, 3, 0x7d00);
	memcpy(m.mem + 0x7e00, on_nmi, sizeof(on_nmi));
	memcpy(m.mem + 0x7d00, spin, sizeof(spin));
	memcpy(m.mem + CODE_AT, spin, sizeof(spin));
	memset(&e, 0, sizeof(e));
	if (ioctl(m.vcpu, KVM_GET_VCPU_EVENTS, &e))
		die("KVM_GET_VCPU_EVENTS");
	e.interrupt.injected = 1;
	e.interrupt.nr = 3;
	e.nmi.pending = 1;
	e.flags = KVM_VCPUEVENT_VALID_NMI_PENDING;
	if (ioctl(m.vcpu, KVM_SET_VCPU_EVENTS, &e))
		die("KVM_SET_VCPU_EVENTS");
	alarm(60);
	check("an NMI behind an event that is being injected is delivered",
	      !ioctl(m.vcpu, KVM_RUN, 0ul) && m.run->exit_reason == KVM_EXIT_IO &&
		      m.run->io.port == 0x80);
	alarm(0);
	stop(&m);
}

struct irqfd_race {
	int vm;
	struct kvm_irqfd arg;
	volatile int *stop;
};

static void *irqfd_loop(void *p)
{
	struct irqfd_race *r = p;

	while (!*r->stop)
		ioctl(r->vm, KVM_IRQFD, &r->arg);
	return NULL;
}

/* An irqfd that is deassigned before KVM_IRQFD has finished making it was freed under its hands. */
static void irqfd_deassigned_early(void)
{
	volatile int stop = 0;
	int sys = open(device, O_RDWR | O_CLOEXEC), vm = ioctl(sys, KVM_CREATE_VM, 0ul);
	int event = eventfd(0, EFD_NONBLOCK);
	struct irqfd_race race[4];
	pthread_t t[4];
	unsigned int i;

	if (vm < 0 || event < 0 || ioctl(vm, KVM_CREATE_IRQCHIP, 0ul))
		die("KVM_CREATE_IRQCHIP");
	for (i = 0; i < 4; i++) {
		race[i] = (struct irqfd_race){ .vm = vm, .stop = &stop };
		race[i].arg.fd = (uint32_t)event;
		race[i].arg.gsi = 5;
		race[i].arg.flags = i & 1 ? KVM_IRQFD_FLAG_DEASSIGN : 0;
		if (pthread_create(&t[i], NULL, irqfd_loop, &race[i]))
			die("pthread_create");
	}
	sleep(3);
	stop = 1;
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	race[1].arg.flags = KVM_IRQFD_FLAG_DEASSIGN;
	ioctl(vm, KVM_IRQFD, &race[1].arg);
	check("irqfds assigned and deassigned by several threads at once",
	      !ioctl(vm, KVM_IRQFD, &race[0].arg));
	close(event);
	close(vm);
	close(sys);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void (*const tests[])(void) = {
	nmi_behind_an_event,
	irqfd_deassigned_early,
};

#define NR_TESTS (sizeof(tests) / sizeof(tests[0]))

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	size_t i, only = NR_TESTS;
	int opt;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt(argc, argv, "d:")) != -1) {
		if (opt != 'd')
			return 2;
		device = optarg;
	}
	if (optind < argc)
		only = strtoul(argv[optind], NULL, 0);
	sigaction(SIGALRM, &sa, NULL);
	for (i = 0; i < NR_TESTS; i++)
		if (only == NR_TESTS || only == i)
			tests[i]();
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}
