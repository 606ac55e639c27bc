// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the ioctls of /dev/turtles: processes with many threads on shared fds, each killed at
 * a random moment.
 *
 *   ioctl-fuzz [-d device] [-s seed] [-t seconds] [-j processes] [-o] [payload...]
 *
 * Each process has a seed of its own, which is printed; -o runs just the one of the given seed, for
 * -t seconds. Payloads are programs of tests/guests, which VMs may run beside what is done to
 * them. Last line: "fuzz: N calls, N processes, N seconds". Exit status 0, or 1 when a
 * process could not be killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_PARALLEL   16
#define KILL_PATIENCE  120 /* seconds: the machine is an emulated one, perhaps with a debug kernel */
#define PAYLOAD_MAX    (4ul << 20)
#define PROCESS_FACTOR 0x9e3779b97f4a7c15ull

static struct options opt = { .device = "/dev/turtles", .seed = 1, .seconds = 60, .parallel = 2 };
static struct shared *shared;

struct child {
	pid_t pid;
	double deadline;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A process ----------------------------------------------------------------------------- */

static void on_signal(int sig)
{
	(void)sig; /* it interrupts KVM_RUN, that is all */
}

static uint8_t *argument_buffer(void)
{
	uint8_t *p = mmap(NULL, BUF_SIZE + 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(3);
	mprotect(p + BUF_SIZE, 4096, PROT_NONE);
	return p;
}

/* Each thread has its own mixture of running guests, calls, and changes of memory. */
static void *thread_main(void *arg)
{
	struct thread *t = arg;
	uint32_t runs = below(&t->r, 4), calls = 1 + below(&t->r, 8), changes = below(&t->r, 3);

	t->buf = argument_buffer();
	kcov_start(t);
	for (;;) {
		uint32_t what;

		kcov_before(t);
		what = below(&t->r, runs + calls + changes);
		if (what < runs)
			run_vcpu(t);
		else if (what < runs + calls)
			one_call(t);
		else
			memory_change(t);
		kcov_after(t);
	}
	return NULL;
}

static void process_main(uint64_t seed)
{
	static struct thread threads[MAX_THREADS];
	static struct world world;
	pthread_t id[MAX_THREADS];
	unsigned int i, n;
	struct rng r;

	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	seed_rng(&r, seed);
	world.opt = &opt;
	world.shared = shared;
	world_start(&world, &r);
	n = 2 + below(&r, MAX_THREADS - 2);
	for (i = 0; i < n; i++) {
		threads[i].w = &world;
		seed_rng(&threads[i].r, rnd(&r));
		if (pthread_create(&id[i], NULL, thread_main, &threads[i]))
			_exit(3);
	}
	/* A guest may loop for ever: its thread comes back when it gets a signal. */
	for (;;) {
		usleep(1000 + below(&r, 8000));
		pthread_kill(id[below(&r, n)], SIGUSR1);
		if (one_in(&r, 2000))
			_exit(0); /* with its threads wherever they are */
	}
}

/* The parent ------------------------------------------------------------------------------ */

static void show(const char *path)
{
	char text[2048];
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		return;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	printf("%s:\n%s\n", path, text);
	fclose(f);
}

/* A process that a kill does not end: say where its threads are. */
static void report_stuck(pid_t pid)
{
	char path[64];
	pid_t tid;

	printf("fuzz: process %d cannot be killed\n", pid);
	for (tid = pid; tid < pid + 64; tid++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/stack", pid, tid);
		show(path);
	}
}

static int bury(pid_t pid)
{
	double end = now() + KILL_PATIENCE;
	int status;

	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (now() < end) {
		if (waitpid(pid, &status, WNOHANG) == pid || errno == ECHILD)
			return 0;
		usleep(2000);
	}
	report_stuck(pid);
	return 1;
}

static struct child spawn(uint64_t seed, double life)
{
	struct child c = { .deadline = now() + life };

	printf("fuzz: process seed %#llx\n", (unsigned long long)seed);
	fflush(stdout);
	c.pid = fork();
	if (c.pid < 0)
		return c;
	if (c.pid == 0) {
		setpgid(0, 0);
		process_main(seed);
	}
	setpgid(c.pid, c.pid);
	return c;
}

static int fuzz(void)
{
	struct child child[MAX_PARALLEL] = { 0 };
	unsigned long processes = 0;
	double start = now();
	unsigned int i;
	int bad = 0;
	struct rng r;

	seed_rng(&r, opt.seed);
	while (!bad && now() < start + opt.seconds) {
		for (i = 0; i < opt.parallel && !bad; i++) {
			if (child[i].pid > 0 && now() < child[i].deadline)
				continue;
			if (child[i].pid > 0)
				bad = bury(child[i].pid);
			child[i] = spawn(opt.seed + PROCESS_FACTOR * ++processes,
					 0.02 + (double)below(&r, 3000) / 1000);
		}
		usleep(2000);
	}
	for (i = 0; i < opt.parallel; i++)
		if (child[i].pid > 0)
			bad |= bury(child[i].pid);
	printf("fuzz: %llu of the calls did something, %llu of them entries; %llu places covered\n",
	       (unsigned long long)shared->worked, (unsigned long long)shared->entries,
	       (unsigned long long)shared->covered);
	printf("fuzz: %llu calls, %lu processes, %.0f seconds\n", (unsigned long long)shared->calls,
	       processes, now() - start);
	return bad || !shared->worked;
}

/* The one process of a seed that was seen to do harm. */
static int fuzz_one(void)
{
	struct child c = spawn(opt.seed, opt.seconds);

	while (c.pid > 0 && now() < c.deadline)
		usleep(10000);
	return c.pid > 0 ? bury(c.pid) : 2;
}

static void refuse(const char *what)
{
	fprintf(stderr, "ioctl-fuzz: %s\n", what);
	exit(2);
}

static void load_payload(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct payload *p;

	if (opt.nr_payloads == MAX_PAYLOADS)
		refuse("more than MAX_PAYLOADS payloads");
	p = &opt.payloads[opt.nr_payloads++];
	p->data = malloc(PAYLOAD_MAX);
	if (!f || !p->data)
		refuse(path);
	p->size = fread(p->data, 1, PAYLOAD_MAX, f);
	fclose(f);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	bool one = false;
	int c;

	while ((c = getopt(argc, argv, "d:s:t:j:o")) != -1) {
		switch (c) {
		case 'd':
			opt.device = optarg;
			break;
		case 's':
			opt.seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			opt.seconds = (unsigned int)atoi(optarg);
			break;
		case 'j':
			opt.parallel = (unsigned int)atoi(optarg);
			break;
		case 'o':
			one = true;
			break;
		default:
			refuse("see the head of main.c for its options");
		}
	}
	if (!opt.parallel || opt.parallel > MAX_PARALLEL)
		refuse("-j is 1 to MAX_PARALLEL");
	while (optind < argc)
		load_payload(argv[optind++]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		refuse("no shared memory");
	sigaction(SIGUSR1, &sa, NULL); /* without SA_RESTART */
	kcov_start(NULL);
	return one ? fuzz_one() : fuzz();
}
