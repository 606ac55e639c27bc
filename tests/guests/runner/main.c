// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a bare-metal payload in a VM over the KVM API, without QEMU: starts in a
 * few milliseconds and shows every exit that user space gets.
 *
 *   runner [-d device] [-v] [-H] [-E] [-c vcpus] [-i on|split|off] [-m microseconds] [-t seconds] [-p value]
 *	   payload.bin
 *
 * The machine is that of machine.h. -p sets its latches, and port 0xe9 prints a character. The reset
 * vector leads to the payload's start as well, with memory as it is; in SMM, SMRAM_BASE is other
 * memory than outside (vm.c, smm.c).
 *
 * -i says where the interrupt controllers are, as QEMU's kernel-irqchip does; unless they are all in
 * the kernel, the runner has one (pic.c). -H gives the guest Hyper-V's interfaces (hyperv.c), -E
 * those that enlightened VMCSs want. With -m the VM is moved whenever that time has passed, and
 * after a write to port 0xb9 (move.c).
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runner.h"

#define MAX_VCPUS 8

const char program[] = "runner";

enum irqchip irqchip;
bool hyperv, enlightened;
unsigned int move_us;
pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *device = "/dev/kvm";
static bool verbose;
static unsigned int vcpus = 1, limit = 60;

static void report(const struct vcpu *c)
{
	const struct kvm_run *run = c->run;
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
	if (!ioctl(c->fd, KVM_GET_REGS, &r) && !ioctl(c->fd, KVM_GET_SREGS, &s))
		fprintf(stderr,
			"\nrip %llx cs %x:%llx rflags %llx rsp %llx\nrax %llx rbx %llx rcx %llx rdx %llx\n"
			"cr0 %llx cr2 %llx cr3 %llx cr4 %llx efer %llx\n",
			r.rip, s.cs.selector, s.cs.base, r.rflags, r.rsp, r.rax, r.rbx, r.rcx,
			r.rdx, s.cr0, s.cr2, s.cr3, s.cr4, s.efer);
}

static void end(int status)
{
	if (move_us)
		printf("%s moved %u times, in L2 %u, with its entry pending %u, in SMM %u\n",
		       moves ? "PASS" : "FAIL", moves, moves_in_l2, moves_pending, moves_in_smm);
	fflush(stdout);
	_exit(status);
}

/* The ports that machine.h does not have. */
static bool own_port(struct kvm_run *run, uint8_t *data, void *arg)
{
	struct vcpu *c = arg;

	if (run->io.port == 0xe9 && is_out(run)) {
		putchar(data[0]);
		return true;
	}
	if (run->io.port == 0xb9 && is_out(run) && move_us) {
		move_soon();
		return true;
	}
	return smm_port(c, data) || tpr_port(c, data) ||
	       (irqchip != IRQCHIP_ON && pic_port(run, data)) || (hyperv && hyperv_port(run, data));
}

/* -1, or the exit status that the run ends with. */
static int serve_exit(struct vcpu *c)
{
	struct kvm_run *run = c->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return port_io(run, own_port, c);
	case KVM_EXIT_MMIO:
		device_memory(run);
		return -1;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return -1;
	case KVM_EXIT_TPR_ACCESS:
		tpr_accessed(run);
		return -1;
	case KVM_EXIT_SET_TPR:
		pic_tpr_set();
		return -1;
	case KVM_EXIT_HLT:
		pic_at_hlt();
		return -1;
	case KVM_EXIT_HYPERV:
		hyperv_exit(run);
		return -1;
	case KVM_EXIT_SYSTEM_EVENT:
		hyperv_system_event(run);
		return -1;
	case KVM_EXIT_SHUTDOWN:
		if (smm_after_shutdown(c))
			return -1;
		break;
	}
	report(c);
	return 124;
}

/*
 * vCPUs are made in the order of their IDs: Hyper-V's VP index is the place in it. None runs before
 * all are there, for what one sends to another that is not there yet is lost.
 */
static void make_vcpu_in_turn(struct vcpu *c)
{
	static atomic_uint made;

	while (atomic_load(&made) != c->id)
		sched_yield();
	make_vcpu(c);
	atomic_fetch_add(&made, 1);
	while (atomic_load(&made) != vcpus)
		sched_yield();
}

static void *vcpu_thread(void *arg)
{
	struct vcpu c = { .id = (uint32_t)(uintptr_t)arg };
	int status;

	make_vcpu_in_turn(&c);
	if (c.id == 0)
		start_at_payload(c.fd);
	if (move_us)
		start_moving(&c);
	for (;;) {
		if (irqchip != IRQCHIP_ON && c.id == 0)
			pic_before_run(&c);
		if (ioctl(c.fd, KVM_RUN, 0) < 0) {
			/* With immediate_exit EINTR says that nothing of the last exit is left open. */
			if (errno == EINTR && move_if_due(&c))
				continue;
			if (errno != EAGAIN && errno != EINTR)
				die("KVM_RUN");
			continue;
		}
		if (verbose)
			fprintf(stderr, "runner: vcpu %u exit %u\n", c.id, c.run->exit_reason);
		pthread_mutex_lock(&lock);
		status = serve_exit(&c);
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

static bool take_option(int option)
{
	uint32_t parameter;

	switch (option) {
	case 'i':
		irqchip = !strcmp(optarg, "off")   ? IRQCHIP_OFF :
			  !strcmp(optarg, "split") ? IRQCHIP_SPLIT :
						     IRQCHIP_ON;
		return true;
	case 'd':
		device = optarg;
		return true;
	case 'v':
		verbose = true;
		return true;
	case 'H':
		hyperv = true;
		return true;
	case 'E':
		enlightened = true;
		return true;
	case 'c':
		vcpus = atoi(optarg);
		return true;
	case 'm':
		move_us = atoi(optarg);
		return true;
	case 't':
		limit = atoi(optarg);
		return true;
	case 'p':
		parameter = (uint32_t)strtoul(optarg, NULL, 0);
		memcpy(latch, &parameter, sizeof(latch));
		return true;
	}
	return false;
}

/* The payload's name, or NULL. */
static const char *command_line(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "d:vHEc:i:m:t:p:")) != -1)
		if (!take_option(option))
			return NULL;
	if (optind + 1 != argc || !vcpus || vcpus > MAX_VCPUS)
		return NULL;
	/* A VM that moves is saved whole, and with one vCPU. */
	if (move_us && (vcpus > 1 || irqchip != IRQCHIP_ON || hyperv))
		return NULL;
	return argv[optind];
}

int main(int argc, char **argv)
{
	const char *payload = command_line(argc, argv);
	pthread_t t[MAX_VCPUS];
	unsigned int i;

	if (!payload) {
		fprintf(stderr,
			"usage: runner [-d device] [-v] [-H] [-E] [-c vcpus] [-i on|split|off] [-m microseconds]\n"
			"              [-t seconds] [-p value] payload.bin\n");
		return 125;
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* the time limit must not lose lines */
	signal(SIGALRM, on_alarm);
	alarm(limit);

	open_kvm(device);
	make_vm();
	if (hyperv)
		hyperv_make_port();
	make_memory(payload);
	give_memory();

	for (i = 1; i < vcpus; i++)
		if (pthread_create(&t[i], NULL, vcpu_thread, (void *)(uintptr_t)i))
			die("pthread_create");
	vcpu_thread(NULL);
	return 0;
}
