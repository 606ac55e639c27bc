// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of the KVM API works here: every ioctl and capability that <linux/kvm.h> names, one line
 * each. `tests/api/check` runs it in a machine and makes the table of docs/api.md from its output.
 *
 *   surface [device]
 *
 *   ioctl NAME works | refused ERRNO | wrong what
 *   cap NAME value
 *   enable NAME works | wrong what
 *
 * An ioctl without a row must be ENOTTY on every kind of fd; a name that is added to the header
 * can so not be forgotten.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "surface.h"

/* Arguments of other architectures' ioctls, which this one's header leaves out. */
#define FOREIGN(s)            \
	struct s {            \
		char unknown; \
	}
FOREIGN(kvm_allocate_rma);
FOREIGN(kvm_arm_copy_mte_tags);
FOREIGN(kvm_create_spapr_tce);
FOREIGN(kvm_create_spapr_tce_64);
FOREIGN(kvm_get_htab_fd);
FOREIGN(kvm_ppc_cpu_char);
FOREIGN(kvm_ppc_mmuv3_cfg);
FOREIGN(kvm_ppc_rmmu_info);
FOREIGN(kvm_rtas_token_args);
FOREIGN(kvm_vcpu_init);

struct name {
	const char *name;
	unsigned long number;
};

static const struct name ioctls[] = {
#define IOCTL(x) { #x, x },
#define CAP(x)
#include "names.h"
#undef IOCTL
#undef CAP
};

static const struct name caps[] = {
#define IOCTL(x)
#define CAP(x) { #x, x },
#include "names.h"
#undef IOCTL
#undef CAP
};

static const struct row *const groups[] = { system_rows, vm_rows, irq_rows, vcpu_rows, state_rows };
static const char *device = "/dev/kvm";

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

bool call(struct world *w, int fd, unsigned long cmd, void *arg)
{
	if (ioctl(fd, cmd, arg) >= 0)
		return true;
	w->err = errno;
	return false;
}

bool calln(struct world *w, int fd, unsigned long cmd, unsigned long arg)
{
	return call(w, fd, cmd, (void *)arg);
}

bool refused(struct world *w, int fd, unsigned long cmd, void *arg, int err)
{
	return !call(w, fd, cmd, arg) && w->err == err;
}

bool refusedn(struct world *w, int fd, unsigned long cmd, unsigned long arg, int err)
{
	return refused(w, fd, cmd, (void *)arg, err);
}

bool bare_world(struct world *w)
{
	w->vcpu = -1;
	w->sys = open(device, O_RDWR | O_CLOEXEC);
	if (w->sys < 0)
		return false;
	w->vm = ioctl(w->sys, KVM_CREATE_VM, 0ul);
	return w->vm >= 0;
}

static bool make_vcpu(struct world *w)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = CODE_AT, .rflags = 2, .rsp = 0x8000 };
	int size = ioctl(w->sys, KVM_GET_VCPU_MMAP_SIZE, 0ul);

	w->vcpu = ioctl(w->vm, KVM_CREATE_VCPU, 0ul);
	if (w->vcpu < 0 || size < 0)
		return false;
	w->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, w->vcpu, 0);
	if (w->run == MAP_FAILED || !call(w, w->vcpu, KVM_GET_SREGS, &sregs))
		return false;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	return call(w, w->vcpu, KVM_SET_SREGS, &sregs) && call(w, w->vcpu, KVM_SET_REGS, &regs);
}

bool populate(struct world *w)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEM_SIZE };

	w->mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->mem == MAP_FAILED)
		return false;
	region.userspace_addr = (uintptr_t)w->mem;
	return call(w, w->vm, KVM_SET_USER_MEMORY_REGION, &region) && make_vcpu(w);
}

bool full_world(struct world *w)
{
	struct kvm_pit_config pit = { 0 };

	return bare_world(w) && calln(w, w->vm, KVM_SET_TSS_ADDR, 0xfffbd000) &&
	       calln(w, w->vm, KVM_CREATE_IRQCHIP, 0) && call(w, w->vm, KVM_CREATE_PIT2, &pit) &&
	       populate(w);
}

bool give_cpuid(struct world *w, struct cpuid_list *c)
{
	memset(c, 0, sizeof(*c));
	c->head.nent = COUNT(c->entries);
	return call(w, w->sys, KVM_GET_SUPPORTED_CPUID, c) && call(w, w->vcpu, KVM_SET_CPUID2, c);
}

bool run_code(struct world *w, const void *code, size_t size, uint32_t reason)
{
	memcpy(w->mem + CODE_AT, code, size);
	return calln(w, w->vcpu, KVM_RUN, 0) && w->run->exit_reason == reason;
}

static void on_alarm(int sig)
{
	(void)sig;
}

bool signal_soon(void)
{
	struct sigaction act = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value.tv_usec = 200000 };

	return !sigaction(SIGALRM, &act, NULL) && !setitimer(ITIMER_REAL, &soon, NULL);
}

/*
 * Runs one test in a process of its own, which a row may wreck. The child's answer is a line on
 * @out, so that a crash leaves none.
 */
static void in_child(const char *kind, const char *name, void (*body)(const void *),
		     const void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(30);
		printf("%s %s ", kind, name);
		body(arg);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		printf("%s %s wrong the test died\n", kind, name);
}

static void run_row(const void *arg)
{
	const struct row *row = arg;
	struct world w = { 0 };

	if (!full_world(&w)) {
		puts("wrong no VM");
		return;
	}
	w.err = 0;
	if (!row->good(&w)) {
		if (w.err)
			printf("refused %s\n", strerrorname_np(w.err));
		else
			puts("wrong it does not do what it says");
		return;
	}
	close(w.vcpu);
	close(w.vm);
	close(w.sys);
	memset(&w, 0, sizeof(w));
	if (row->bad && (!full_world(&w) || !row->bad(&w)))
		printf("wrong a bad call: %s\n", w.err ? strerrorname_np(w.err) : "accepted");
	else
		puts("works");
}

static void run_unknown(const void *arg)
{
	const struct name *name = arg;
	struct world w = { 0 };

	if (!full_world(&w))
		puts("wrong no VM");
	else if (refused(&w, w.sys, name->number, NULL, ENOTTY) &&
		 refused(&w, w.vm, name->number, NULL, ENOTTY) &&
		 refused(&w, w.vcpu, name->number, NULL, ENOTTY))
		puts("refused ENOTTY");
	else
		puts("wrong it has no test");
}

static const struct row *find_row(const char *name)
{
	const struct row *row;
	size_t i;

	for (i = 0; i < COUNT(groups); i++)
		for (row = groups[i]; row->name; row++)
			if (!strcmp(row->name, name))
				return row;
	return NULL;
}

static void run_cap(const void *arg)
{
	const struct cap_row *row = arg;
	struct kvm_enable_cap cap = { .cap = row->cap, .args = { row->good } };
	struct world w = { 0 };
	int fd;

	if (!(row->bare ? bare_world(&w) : full_world(&w))) {
		puts("wrong no VM");
		return;
	}
	fd = row->fd == VM ? w.vm : w.vcpu;
	cap.flags = 1;
	if (!refused(&w, fd, KVM_ENABLE_CAP, &cap, EINVAL)) {
		puts("wrong unknown flags are accepted");
		return;
	}
	cap.flags = 0;
	cap.args[0] = row->bad;
	if (row->bad && !refused(&w, fd, KVM_ENABLE_CAP, &cap, EINVAL)) {
		puts("wrong bad arguments are accepted");
		return;
	}
	cap.args[0] = row->good;
	if (!call(&w, fd, KVM_ENABLE_CAP, &cap))
		printf("wrong %s\n", strerrorname_np(w.err));
	else if (row->effect && !row->effect(&w))
		puts("wrong it does not do what it says");
	else
		puts("works");
}

int main(int argc, char **argv)
{
	const struct cap_row *cap;
	struct world w = { 0 };
	size_t i;

	if (argc > 1)
		device = argv[1];
	for (i = 0; i < COUNT(ioctls); i++) {
		const struct row *row = find_row(ioctls[i].name);

		if (row)
			in_child("ioctl", row->name, run_row, row);
		else
			in_child("ioctl", ioctls[i].name, run_unknown, &ioctls[i]);
	}
	if (!bare_world(&w)) {
		fprintf(stderr, "surface: %s: %s\n", device, strerror(errno));
		return 1;
	}
	for (i = 0; i < COUNT(caps); i++)
		printf("cap %s %d\n", caps[i].name,
		       ioctl(w.vm, KVM_CHECK_EXTENSION, caps[i].number));
	for (cap = cap_rows; cap->name; cap++)
		if (ioctl(w.vm, KVM_CHECK_EXTENSION, (unsigned long)cap->cap) > 0)
			in_child("enable", cap->name, run_cap, cap);
	return 0;
}
