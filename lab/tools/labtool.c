// SPDX-License-Identifier: GPL-2.0-only
/*
 * labtool: what the levels' scripts need and busybox does not have. Static, so that it
 * runs in any initramfs.
 *
 *   console N FILE   copy stdin to stdout with each line's level in front of it, and
 *                    write level N's exit status to FILE when it passes by
 *   compute ROUNDS   count primes on every CPU at once and compare with the known number
 *   bench            median TSC ticks of intercepted instructions
 *   drain            wait until the terminal on stdin has sent everything
 *   shutdown         end Bochs
 *   kexec KERNEL INITRD CMDLINE         go on with another kernel, now
 *   nudge MS         interrupt every CPU but the first from there, every so often, for ever
 *   insmod MODULE    try once (busybox tries a second time when the first one fails)
 *   crash-kernel KERNEL INITRD CMDLINE  load the one that takes over after a panic
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

static int console(int level, const char *path)
{
	char line[4096], mark[32];
	FILE *file;

	snprintf(mark, sizeof(mark), "@@L%d exit=", level);
	setvbuf(stdout, NULL, _IOLBF, sizeof(line));
	while (fgets(line, sizeof(line), stdin)) {
		size_t len = strcspn(line, "\r\n");
		char *from = strstr(line, "@@L");

		line[len] = '\0';
		/* The firmware and the kernel may leave a line unfinished before a mark. */
		if (from && from[3] >= '0' && from[3] <= '9') {
			if (!strncmp(from, mark, strlen(mark))) {
				file = fopen(path, "w");
				if (file) {
					fprintf(file, "%d\n", atoi(from + strlen(mark)));
					fclose(file);
				}
			}
			puts(from);
		} else if (line[0] == 'L' && line[1] >= '0' && line[1] <= '9' && line[2] == '|') {
			puts(line);
		} else if (len) {
			printf("L%d| %s\n", level, line);
		}
	}
	return 0;
}

#define SIEVE  1000000
#define PRIMES 78498 /* primes below 1,000,000 */

struct worker {
	pthread_t thread;
	int cpu, rounds, right;
	int ran_on;
};

static int count_primes(unsigned char *composite)
{
	int i, j, count = 0;

	memset(composite, 0, SIEVE);
	for (i = 2; i < SIEVE; i++) {
		if (composite[i])
			continue;
		count++;
		for (j = 2 * i; j < SIEVE; j += i)
			composite[j] = 1;
	}
	return count;
}

/* The calling thread. 0, or -1. */
static int stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned char *sieve = malloc(SIEVE);
	int i;

	if (!sieve || stay_on(w->cpu))
		return NULL;
	for (i = 0; i < w->rounds; i++)
		w->right += count_primes(sieve) == PRIMES;
	w->ran_on = sched_getcpu();
	free(sieve);
	return NULL;
}

static int compute(int rounds)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), i, bad = 0;
	struct worker *w = calloc((size_t)cpus, sizeof(*w));

	if (!w)
		return 1;
	for (i = 0; i < cpus; i++) {
		w[i].cpu = i;
		w[i].rounds = rounds;
		w[i].ran_on = -1;
		if (pthread_create(&w[i].thread, NULL, work, &w[i]))
			return 1;
	}
	for (i = 0; i < cpus; i++) {
		pthread_join(w[i].thread, NULL);
		bad |= w[i].right != rounds || w[i].ran_on != i;
		printf("cpu %d: %d of %d times %d primes below %d\n", i, w[i].right, rounds, PRIMES,
		       SIEVE);
	}
	free(w);
	return bad;
}

#define RUNS 1001

static inline unsigned long ticks(void)
{
	unsigned int lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (unsigned long)hi << 32 | lo;
}

static int by_value(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

static void do_nothing(void)
{
	asm volatile("" ::: "memory");
}

static void do_cpuid(void)
{
	unsigned int a = 1, b, c = 0, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}

/* The PIC's mask register: kernel-irqchip=on handles it without leaving for QEMU. */
static void do_in(void)
{
	inb(0x21);
}

static unsigned long median(void (*op)(void))
{
	static unsigned long t[RUNS];
	int i;

	for (i = 0; i < RUNS; i++) {
		t[i] = ticks();
		op();
		t[i] = ticks() - t[i];
	}
	qsort(t, RUNS, sizeof(*t), by_value);
	return t[RUNS / 2];
}

static int bench(void)
{
	static const struct {
		const char *name;
		void (*op)(void);
	} ops[] = { { "nothing", do_nothing }, { "cpuid", do_cpuid }, { "in", do_in } };
	size_t i;

	if (iopl(3) || mlockall(MCL_CURRENT)) {
		perror("labtool bench");
		return 1;
	}
	for (i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		median(ops[i].op); /* the first pass fills every cache of the path */
		printf("%s %lu\n", ops[i].name, median(ops[i].op));
	}
	return 0;
}

static int bochs_shutdown(void)
{
	const char *word = "Shutdown";

	if (iopl(3))
		return 1;
	while (*word)
		outb((unsigned char)*word++, 0x8900);
	return 0;
}

/* kexec_file_load(2); @flags 0 is for a jump that follows at once, as "kexec -e" does. */
static int next_kernel(char **names, unsigned long flags)
{
	int kernel = open(names[0], O_RDONLY), initrd = open(names[1], O_RDONLY);

	if (kernel < 0 || initrd < 0 ||
	    syscall(SYS_kexec_file_load, kernel, initrd, strlen(names[2]) + 1, names[2], flags)) {
		perror("labtool: kexec_file_load");
		return 1;
	}
	if (flags & KEXEC_FILE_ON_CRASH)
		return 0;
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	perror("labtool: reboot");
	return 1;
}

/* Without either it is still a wake-up, only not there or not as soon. */
static void be_ready_on(int cpu)
{
	const struct sched_param param = { .sched_priority = 1 };

	stay_on(cpu);
	sched_setscheduler(0, SCHED_FIFO, &param);
}

struct nudged {
	int cpu, fd;
};

static void *wake_up(void *arg)
{
	const struct nudged *n = arg;
	eventfd_t count;

	be_ready_on(n->cpu);
	while (!eventfd_read(n->fd, &count))
		;
	return NULL;
}

/* Each wake-up on a busy CPU is an interrupt from the first one (docs/lab.md says what for). */
static int nudge(int ms)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), i;
	struct nudged *n = calloc((size_t)cpus, sizeof(*n));
	pthread_t thread;

	if (!n || ms < 1)
		return 1;
	be_ready_on(0);
	for (i = 1; i < cpus; i++) {
		n[i] = (struct nudged){ .cpu = i, .fd = eventfd(0, 0) };
		if (n[i].fd < 0 || pthread_create(&thread, NULL, wake_up, &n[i]))
			return 1;
	}
	for (;;) {
		usleep((useconds_t)ms * 1000);
		for (i = 1; i < cpus; i++)
			eventfd_write(n[i].fd, 1);
	}
}

static int load_module(const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd >= 0 && !syscall(SYS_finit_module, fd, "", 0))
		return 0;
	perror("labtool: finit_module");
	return 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "console") && argc == 4)
		return console(atoi(argv[2]), argv[3]);
	if (!strcmp(what, "compute") && argc == 3)
		return compute(atoi(argv[2]));
	if (!strcmp(what, "bench"))
		return bench();
	if (!strcmp(what, "drain"))
		return tcdrain(0) ? 1 : 0;
	if (!strcmp(what, "shutdown"))
		return bochs_shutdown();
	if (!strcmp(what, "nudge") && argc == 3)
		return nudge(atoi(argv[2]));
	if (!strcmp(what, "insmod") && argc == 3)
		return load_module(argv[2]);
	if (!strcmp(what, "kexec") && argc == 5)
		return next_kernel(argv + 2, 0);
	if (!strcmp(what, "crash-kernel") && argc == 5)
		return next_kernel(argv + 2, KEXEC_FILE_ON_CRASH);
	fprintf(stderr,
		"labtool: console, compute, bench, drain, shutdown, nudge, insmod, kexec or crash-kernel\n");
	return 2;
}
