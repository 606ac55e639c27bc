// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a bare-metal payload in a VM over the KVM API, without QEMU: starts in a
 * few milliseconds and shows every exit that user space gets.
 *
 *   runner [-d device] [-v] [-H] [-c vcpus] [-i on|split|off] [-m microseconds] [-t seconds] [-p value]
 *	   payload.bin
 *
 * The payload is loaded at 0x7c00 and started there in real mode, as a boot sector is. Ports
 * that it talks to: 0xe9 prints a character, 0xf4 ends the run with the written byte as exit
 * status, 0x0f0-0x0f3 are plain latches (what was written is read back; -p sets them), and 0xd0000000 is a
 * page of device memory that behaves like a latch array. The reset vector leads to 0x7c00 as well,
 * with memory as it is.
 *
 * -i says where the interrupt controllers are, as QEMU's kernel-irqchip does. Unless they are all
 * in the kernel, the runner has one for vCPU 0: a vector written to 0xe0 is raised at once, one
 * written to 0xe1 at the next HLT. Port 0xe3 says which mode it is, 0xe4 how many KVM_EXIT_SET_TPR
 * came, 0xe8 gives kvm_run.apic_base; after a 1 to 0xe5 the vCPU's events are saved and restored
 * between KVM_INTERRUPT and KVM_RUN.
 *
 * 0xd0 takes the address of the TPR page (KVM_SET_VAPIC_ADDR), 0xd4 switches the reports of TPR
 * accesses on and off, 0xd5 counts them, 0xd6 says if the last was a write, 0xd8 gives its RIP.
 *
 * With -m the VM is moved (move.c) whenever that time has passed, and after a write to port 0xb9.
 *
 * -H gives the guest Hyper-V's interfaces. Then 0xf8 reads how often HvCallSignalEvent has signalled
 * port 5 since the last time, 0xf9 the last event (KVM_SYSTEM_EVENT_*) that user space was told
 * of, 0xfa the low byte of the last SynIC MSR. Hypercalls that come here are answered 0x7e.
 *
 * System-management mode: a write to port 0xb2 is an SMI to the vCPU, one to 0xb3 an SMI by message
 * to APIC ID 0 some time later. SMRAM_BASE is other memory in SMM than outside. An address written to
 * port 0xb8 is where the next shutdown goes on, with the registers of the moment of the write.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "runner.h"

#define MEM_SIZE      (64u << 20)
#define LOAD_AT	      0x7c00u
#define MMIO_BASE     0xd0000000ull
#define MMIO_SIZE     0x1000u
#define MAX_VCPUS     8
#define HV_PORT	      5

#define RESET_PAGE    0xfffff000ull
#define PAGE	      0x1000u

#define SMRAM_BASE    0xa0000u
#define SMRAM_SIZE    0x10000u
#define SMM_SLOT(n)   (1u << 16 | (n))
#define LATER_US      50000
#define MSI_TO_APIC_0 0xfee00000u
#define MSI_SMI	      0x200u

enum irqchip { IRQCHIP_ON, IRQCHIP_SPLIT, IRQCHIP_OFF };

int kvm, vm;
static int verbose, hyperv, port_fd;
static uint8_t last_event, last_synic_msr;
static enum irqchip irqchip;
static struct {
	int waiting, at_hlt; /* vectors, or -1 */
	uint32_t set_tpr;
	int save_events;
} pic = { .waiting = -1, .at_hlt = -1 };
static struct {
	uint8_t reports, was_write;
	uint32_t rip;
} tpr;
static unsigned int move_us;
static volatile sig_atomic_t move_due;
static struct kvm_run *volatile the_run; /* of the vCPU that is moved */
static uint8_t *mem, *smram, *reset_page;
static uint8_t latch[4], mmio[MMIO_SIZE];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

_Noreturn void die(const char *what)
{
	fprintf(stderr, "runner: %s: %s\n", what, strerror(errno));
	exit(125);
}

int call(int fd, unsigned long req, void *arg, const char *what)
{
	int r = ioctl(fd, req, arg);

	if (r < 0)
		die(what);
	return r;
}

/* The interrupt controller's ports; false for all others. */
static int pic_io(struct kvm_run *run, uint8_t *data)
{
	int out = run->io.direction == KVM_EXIT_IO_OUT;
	uint32_t base = (uint32_t)run->apic_base;

	switch (run->io.port) {
	case 0xe0:
		if (out)
			pic.waiting = data[0];
		return 1;
	case 0xe1:
		if (out)
			pic.at_hlt = data[0];
		return 1;
	case 0xe3:
		data[0] = irqchip;
		return 1;
	case 0xe4:
		data[0] = pic.set_tpr;
		return 1;
	case 0xe5:
		pic.save_events = data[0];
		return 1;
	case 0xe8:
		memcpy(data, &base, run->io.size < 4 ? run->io.size : 4);
		return 1;
	}
	return 0;
}

/* The ports of the TPR tests; false for all others. */
static int tpr_io(int fd, struct kvm_run *run, uint8_t *data)
{
	struct kvm_tpr_access_ctl ctl = { .enabled = data[0] };
	struct kvm_vapic_addr page = { 0 };

	switch (run->io.port) {
	case 0xd0:
		memcpy(&page.vapic_addr, data, run->io.size < 4 ? run->io.size : 4);
		call(fd, KVM_SET_VAPIC_ADDR, &page, "KVM_SET_VAPIC_ADDR");
		return 1;
	case 0xd4:
		call(fd, KVM_TPR_ACCESS_REPORTING, &ctl, "KVM_TPR_ACCESS_REPORTING");
		return 1;
	case 0xd5:
		data[0] = tpr.reports;
		return 1;
	case 0xd6:
		data[0] = tpr.was_write;
		return 1;
	case 0xd8:
		memcpy(data, &tpr.rip, run->io.size < 4 ? run->io.size : 4);
		return 1;
	}
	return 0;
}

/* A machine saved and restored between KVM_INTERRUPT and KVM_RUN: the interrupt must come along. */
static void save_and_restore(int fd, uint8_t vector)
{
	struct kvm_vcpu_events e, none;

	call(fd, KVM_GET_VCPU_EVENTS, &e, "KVM_GET_VCPU_EVENTS");
	if (!e.interrupt.injected || e.interrupt.nr != vector) {
		printf("FAIL queued interrupt is not in KVM_GET_VCPU_EVENTS\n");
		return;
	}
	none = e;
	none.interrupt.injected = 0;
	call(fd, KVM_SET_VCPU_EVENTS, &none, "KVM_SET_VCPU_EVENTS");
	call(fd, KVM_SET_VCPU_EVENTS, &e, "KVM_SET_VCPU_EVENTS");
}

/* Before KVM_RUN: hand over what the vCPU takes now, or ask to be told when it does. */
static void pic_before_run(int fd, struct kvm_run *run)
{
	struct kvm_interrupt irq = { .irq = (uint32_t)pic.waiting };

	run->request_interrupt_window = 0;
	/* Priorities are a local APIC's affair, and it is here only if it is not in the kernel. */
	if (pic.waiting < 0 || (irqchip == IRQCHIP_OFF && pic.waiting >> 4 <= (int)run->cr8))
		return;
	if (!run->ready_for_interrupt_injection || !run->if_flag) {
		run->request_interrupt_window = 1;
		return;
	}
	pic.waiting = -1;
	call(fd, KVM_INTERRUPT, &irq, "KVM_INTERRUPT");
	if (pic.save_events)
		save_and_restore(fd, irq.irq);
}

static uint8_t hyperv_port(uint16_t port)
{
	uint64_t count = 0;

	switch (port) {
	case 0xf8:
		return read(port_fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
	case 0xf9:
		return last_event;
	default:
		return last_synic_msr;
	}
}

static void hyperv_exit(struct kvm_run *run)
{
	if (run->hyperv.type == KVM_EXIT_HYPERV_HCALL)
		run->hyperv.u.hcall.result = 0x7e;
	if (run->hyperv.type == KVM_EXIT_HYPERV_SYNIC)
		last_synic_msr = run->hyperv.u.synic.msr;
}

/* Where a vCPU goes on after a shutdown; rip 0: nowhere, it ends the run. */
struct resume {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
};

static void *smi_later(void *arg)
{
	struct kvm_msi msi = { .address_lo = MSI_TO_APIC_0, .data = MSI_SMI };

	(void)arg;
	usleep(LATER_US);
	pthread_mutex_lock(&lock); /* the VM may be moving */
	call(vm, KVM_SIGNAL_MSI, &msi, "KVM_SIGNAL_MSI");
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Also when it comes just before KVM_RUN: immediate_exit makes that return at once. */
static void on_move(int sig)
{
	(void)sig;
	move_due = 1;
	if (the_run)
		the_run->immediate_exit = 1;
}

static void smm_port(int fd, uint16_t port, uint32_t value, struct resume *resume)
{
	pthread_t t;

	switch (port) {
	case 0xb2:
		call(fd, KVM_SMI, NULL, "KVM_SMI");
		break;
	case 0xb3:
		if (pthread_create(&t, NULL, smi_later, NULL) || pthread_detach(t))
			die("pthread_create");
		break;
	case 0xb9:
		if (move_us)
			on_move(0);
		break;
	case 0xb8:
		call(fd, KVM_GET_REGS, &resume->regs, "KVM_GET_REGS");
		call(fd, KVM_GET_SREGS, &resume->sregs, "KVM_GET_SREGS");
		resume->regs.rip = value;
		break;
	}
}

/* The processor has shut down: out of SMM, and on where the payload said; 0 if it has not. */
static int after_shutdown(int fd, struct resume *resume)
{
	struct kvm_vcpu_events ev;

	if (!resume->regs.rip)
		return 0;
	call(fd, KVM_GET_VCPU_EVENTS, &ev, "KVM_GET_VCPU_EVENTS");
	memset(&ev.smi, 0, sizeof(ev.smi));
	ev.nmi.masked = 0;
	ev.flags = KVM_VCPUEVENT_VALID_SMM;
	call(fd, KVM_SET_VCPU_EVENTS, &ev, "KVM_SET_VCPU_EVENTS");
	call(fd, KVM_SET_SREGS, &resume->sregs, "KVM_SET_SREGS");
	call(fd, KVM_SET_REGS, &resume->regs, "KVM_SET_REGS");
	resume->regs.rip = 0;
	return 1;
}

/* Port I/O; returns -1, or the exit status that the payload asked for. */
static int port_io(int fd, struct kvm_run *run, struct resume *resume)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t i;

	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		int out = run->io.direction == KVM_EXIT_IO_OUT;

		if (run->io.port == 0xf4 && out)
			return data[0];
		if (out)
			smm_port(fd, run->io.port, run->io.size == 4 ? *(uint32_t *)data : *data,
				 resume);
		if (tpr_io(fd, run, data) || (irqchip != IRQCHIP_ON && pic_io(run, data)))
			continue;
		if (run->io.port == 0xe9 && out) {
			putchar(data[0]);
		} else if (run->io.port >= 0xf0 && run->io.port < 0xf4) {
			uint32_t off = run->io.port - 0xf0;
			uint32_t n = run->io.size < 4 - off ? run->io.size : 4 - off;

			if (out)
				memcpy(latch + off, data, n);
			else
				memcpy(data, latch + off, n);
		} else if (hyperv && !out && run->io.port >= 0xf8 && run->io.port <= 0xfa) {
			data[0] = hyperv_port(run->io.port);
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

/* Hyper-V's leaves in place of KVM's, under the name that guests know them by. */
static void give_hyperv_leaves(struct kvm_cpuid2 *c)
{
	struct kvm_cpuid2 *hv = calloc(1, sizeof(*hv) + 32 * sizeof(hv->entries[0]));
	uint32_t i, n = 0;

	if (!hv)
		die("calloc");
	hv->nent = 32;
	call(kvm, KVM_GET_SUPPORTED_HV_CPUID, hv, "KVM_GET_SUPPORTED_HV_CPUID");
	for (i = 0; i < c->nent; i++)
		if (c->entries[i].function >> 8 != 0x400000)
			c->entries[n++] = c->entries[i];
	for (i = 0; i < hv->nent && n < 256; i++) {
		c->entries[n] = hv->entries[i];
		if (hv->entries[i].function == 0x40000000)
			memcpy(&c->entries[n].ebx, "Microsoft Hv", 12);
		n++;
	}
	c->nent = n;
	free(hv);
}

static void enable_hyperv(int fd)
{
	struct kvm_enable_cap synic = { .cap = KVM_CAP_HYPERV_SYNIC };
	struct kvm_enable_cap enforce = { .cap = KVM_CAP_HYPERV_ENFORCE_CPUID, .args = { 1 } };

	call(fd, KVM_ENABLE_CAP, &synic, "KVM_CAP_HYPERV_SYNIC");
	call(fd, KVM_ENABLE_CAP, &enforce, "KVM_CAP_HYPERV_ENFORCE_CPUID");
}

static void make_port(void)
{
	struct kvm_hyperv_eventfd port = { .conn_id = HV_PORT };

	port_fd = eventfd(0, EFD_NONBLOCK);
	port.fd = port_fd;
	call(vm, KVM_HYPERV_EVENTFD, &port, "KVM_HYPERV_EVENTFD");
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
	if (hyperv)
		give_hyperv_leaves(c);
	call(fd, KVM_SET_CPUID2, c, "KVM_SET_CPUID2");
	free(c);
}

int run_size(void)
{
	return call(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
}

int make_vcpu(uint32_t id, struct kvm_run **run)
{
	int fd = ioctl(vm, KVM_CREATE_VCPU, (unsigned long)id);

	if (fd < 0)
		die("KVM_CREATE_VCPU");
	*run = mmap(NULL, run_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*run == MAP_FAILED)
		die("mmap of kvm_run");
	give_cpuid(fd, id);
	if (hyperv)
		enable_hyperv(fd);
	return fd;
}

int make_vm(void)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	struct kvm_pit_config pit = { 0 };
	int fd = ioctl(kvm, KVM_CREATE_VM, 0ul);

	if (fd < 0)
		die("KVM_CREATE_VM");
	call(fd, KVM_SET_TSS_ADDR, (void *)0xfffbd000ul, "KVM_SET_TSS_ADDR");
	if (irqchip == IRQCHIP_ON) {
		call(fd, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
		call(fd, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");
	} else if (irqchip == IRQCHIP_SPLIT) {
		call(fd, KVM_ENABLE_CAP, &split, "KVM_CAP_SPLIT_IRQCHIP");
	}
	return fd;
}

static void add_slot(uint32_t slot, uint64_t gpa, uint8_t *at, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.userspace_addr = (uintptr_t)at,
		.memory_size = size,
	};

	call(vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
}

static uint8_t *map_memory(size_t size)
{
	uint8_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap of guest memory");
	return at;
}

static void make_memory(void)
{
	/* As if there were firmware: a far jump to where the payload starts. */
	static const uint8_t jump[] = { 0xea, LOAD_AT & 0xff, LOAD_AT >> 8, 0, 0 };

	mem = map_memory(MEM_SIZE);
	smram = map_memory(SMRAM_SIZE);
	reset_page = map_memory(PAGE);
	memcpy(reset_page + 0xff0, jump, sizeof(jump));
}

/* In SMM all is the same but SMRAM. */
void give_memory(void)
{
	uint32_t above = SMRAM_BASE + SMRAM_SIZE;

	add_slot(0, 0, mem, MEM_SIZE);
	add_slot(1, RESET_PAGE, reset_page, PAGE);
	if (ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE) < 2)
		return;
	add_slot(SMM_SLOT(0), 0, mem, SMRAM_BASE);
	add_slot(SMM_SLOT(1), SMRAM_BASE, smram, SMRAM_SIZE);
	add_slot(SMM_SLOT(2), above, mem + above, MEM_SIZE - above);
}

/* One shot, since moving itself takes time; 0 stops it. */
static void set_move_timer(long ns)
{
	static timer_t timer;
	static int made;
	struct itimerspec in = { .it_value = { ns / 1000000000, ns % 1000000000 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };

	if (!made && timer_create(CLOCK_MONOTONIC, &ev, &timer))
		die("timer_create");
	made = 1;
	move_due = 0;
	if (timer_settime(timer, 0, &in, NULL))
		die("timer_settime");
}

/* Now shorter, now longer, up to seven times -m. */
static void start_move_timer(void)
{
	set_move_timer(move_us * 1000l * (1 + moves % 7));
}

static int move(int fd, struct kvm_run **run)
{
	the_run = NULL;
	(*run)->immediate_exit = 0;
	/* After port 0xb9 it is still to come: no ioctl of the move may end with EINTR. */
	set_move_timer(0);
	pthread_mutex_lock(&lock);
	fd = move_vm(fd, run);
	pthread_mutex_unlock(&lock);
	the_run = *run;
	start_move_timer();
	return fd;
}

static void end(int status)
{
	if (move_us)
		printf("%s moved %u times, in L2 %u, with its entry pending %u, in SMM %u\n",
		       moves ? "PASS" : "FAIL", moves, moves_in_l2, moves_pending, moves_in_smm);
	fflush(stdout);
	_exit(status);
}

/* vCPUs are made in the order of their IDs: Hyper-V's VP index is the place in it. */
static int make_vcpu_in_turn(uint32_t id, struct kvm_run **run)
{
	static atomic_uint made;
	int fd;

	while (atomic_load(&made) != id)
		sched_yield();
	fd = make_vcpu(id, run);
	atomic_fetch_add(&made, 1);
	return fd;
}

static void *vcpu_thread(void *arg)
{
	uint32_t id = (uint32_t)(uintptr_t)arg;
	struct kvm_run *run;
	struct kvm_sregs s;
	struct resume resume = { 0 };
	struct kvm_regs r = { .rip = LOAD_AT, .rflags = 2, .rsp = LOAD_AT };
	int fd = make_vcpu_in_turn(id, &run), status;

	if (id == 0) {
		call(fd, KVM_GET_SREGS, &s, "KVM_GET_SREGS");
		s.cs.base = 0;
		s.cs.selector = 0;
		call(fd, KVM_SET_SREGS, &s, "KVM_SET_SREGS");
		call(fd, KVM_SET_REGS, &r, "KVM_SET_REGS");
	}
	if (move_us) {
		the_run = run;
		start_move_timer();
	}
	for (;;) {
		if (irqchip != IRQCHIP_ON && id == 0)
			pic_before_run(fd, run);
		if (ioctl(fd, KVM_RUN, 0) < 0) {
			/* With immediate_exit EINTR says that nothing of the last exit is left open. */
			if (errno == EINTR && move_due)
				fd = move(fd, &run);
			else if (errno != EAGAIN && errno != EINTR)
				die("KVM_RUN");
			continue;
		}
		if (verbose)
			fprintf(stderr, "runner: vcpu %u exit %u\n", id, run->exit_reason);
		status = -1;
		pthread_mutex_lock(&lock);
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			status = port_io(fd, run, &resume);
			break;
		case KVM_EXIT_MMIO:
			device_memory(run);
			break;
		case KVM_EXIT_IRQ_WINDOW_OPEN:
			break;
		case KVM_EXIT_TPR_ACCESS:
			tpr.reports++;
			tpr.was_write = run->tpr_access.is_write;
			tpr.rip = (uint32_t)run->tpr_access.rip;
			break;
		case KVM_EXIT_SET_TPR:
			pic.set_tpr++;
			break;
		case KVM_EXIT_HLT:
			if (pic.at_hlt >= 0)
				pic.waiting = pic.at_hlt;
			pic.at_hlt = -1;
			break;
		case KVM_EXIT_HYPERV:
			hyperv_exit(run);
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			last_event = run->system_event.type;
			break;
		case KVM_EXIT_SHUTDOWN:
			if (after_shutdown(fd, &resume))
				break;
			/* fall through */
		default:
			report(fd, run);
			status = 124;
		}
		if (status >= 0)
			end(status);
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
	pthread_t t[MAX_VCPUS];
	unsigned int i, vcpus = 1, limit = 60;
	uint32_t parameter;
	int opt;

	while ((opt = getopt(argc, argv, "d:vHc:i:m:t:p:")) != -1) {
		switch (opt) {
		case 'i':
			irqchip = !strcmp(optarg, "off")   ? IRQCHIP_OFF :
				  !strcmp(optarg, "split") ? IRQCHIP_SPLIT :
							     IRQCHIP_ON;
			break;
		case 'd':
			dev = optarg;
			break;
		case 'v':
			verbose = 1;
			break;
		case 'H':
			hyperv = 1;
			break;
		case 'c':
			vcpus = atoi(optarg);
			break;
		case 'm':
			move_us = atoi(optarg);
			break;
		case 't':
			limit = atoi(optarg);
			break;
		case 'p':
			parameter = (uint32_t)strtoul(optarg, NULL, 0);
			memcpy(latch, &parameter, sizeof(latch));
			break;
		default:
			return 125;
		}
	}
	if (optind + 1 != argc || !vcpus || vcpus > MAX_VCPUS ||
	    (move_us && (vcpus > 1 || irqchip != IRQCHIP_ON || hyperv))) {
		fprintf(stderr,
			"usage: runner [-d device] [-v] [-H] [-c vcpus] [-i on|split|off] [-m microseconds]\n"
			"              [-t seconds] [-p value] payload.bin\n");
		return 125;
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* the time limit must not lose lines */
	signal(SIGALRM, on_alarm);
	signal(SIGUSR1, on_move);
	alarm(limit);

	kvm = open(dev, O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		die(dev);
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		die("KVM_GET_API_VERSION");
	vm = make_vm();

	if (hyperv)
		make_port();

	make_memory();
	load(mem, argv[optind]);
	give_memory();

	for (i = 1; i < vcpus; i++)
		if (pthread_create(&t[i], NULL, vcpu_thread, (void *)(uintptr_t)i))
			die("pthread_create");
	vcpu_thread(NULL);
	return 0;
}
