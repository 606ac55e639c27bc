// SPDX-License-Identifier: GPL-2.0-only
/*
 * load: mixed work that checks itself, and a monitor that notices when time stands still.
 *
 *   load run NAME SECONDS [hash=1] [mem=MIB] [shared=1] [disk=DEVICE:MIB] [net=HOST:PORT]
 *	      [cpu=PERCENT]    of one CPU, for hash= and for mem= each (50)
 *	      [pace=MS]        pause between two I/Os, for disk= and for net= each (5)
 *   load serve PORT        the other end of net=: echoes, and tells its time
 *   load monitor SECONDS   the monitor alone
 *
 * "run" prints one line "load NAME ..." every ten seconds and at the end, which comes after
 * SECONDS or with SIGTERM; its status is 0 when nothing was wrong and every kind of work came
 * forward. Stalls are reported, not judged here.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define REPORT_SECONDS 10
#define SLEEP_NS       100000000ull

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("load: FAILED ", stdout);
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

void rest(const struct load *l, uint64_t began_ns)
{
	uint64_t spent = now_ns() - began_ns;

	if (l->cpu_percent < 100)
		usleep((useconds_t)(spent * (100 - l->cpu_percent) / l->cpu_percent / 1000));
}

static void raise_to(_Atomic uint64_t *max, uint64_t val)
{
	uint64_t old = atomic_load(max);

	while (old < val && !atomic_compare_exchange_weak(max, &old, val))
		;
}

void note(struct progress *p, uint64_t bytes, uint64_t started_ns)
{
	atomic_fetch_add(&p->bytes, bytes);
	raise_to(&p->max_ms, (now_ns() - started_ns) / 1000000);
}

uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* Every word differs from its neighbours, and the whole from what another place would hold. */
static uint64_t word(uint64_t what, size_t i)
{
	return (what + i) * 0x9e3779b97f4a7c15ull ^ what;
}

void fill_pattern(uint64_t *to, size_t bytes, uint64_t what)
{
	size_t i;

	for (i = 0; i < bytes / 8; i++)
		to[i] = word(what, i);
}

long check_pattern(const uint64_t *from, size_t bytes, uint64_t what)
{
	size_t i;

	for (i = 0; i < bytes / 8; i++)
		if (from[i] != word(what, i))
			return (long)(i * 8);
	return -1;
}

/* The monitor: on each CPU a real-time thread that sleeps 100 ms at a time. */

/*
 * The latest waking so far, and how much of the last second or so until then the level below had
 * given to others.
 */
static pthread_mutex_t latest_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	_Atomic uint64_t late_ms;
	uint64_t stolen_ms;
} latest;

/* Steal time so far of one CPU, or of all: the eighth number of its line in /proc/stat. */
static uint64_t steal_ms(const char *cpu)
{
	char line[256], name[32];
	unsigned long steal, found = 0;
	FILE *f = fopen("/proc/stat", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%31s %*u %*u %*u %*u %*u %*u %*u %lu", name, &steal) == 2 &&
		    !strcmp(name, cpu)) {
			found = steal;
			break;
		}
	}
	if (f)
		fclose(f);
	return found * 1000 / (unsigned long)sysconf(_SC_CLK_TCK);
}

/* What to write of a CPU's steal time is work for the kernel: asked for once in so many naps. */
#define NAPS_PER_ASKING 10

static void woke(uint64_t late_ms, const char *cpu, uint64_t steal_before)
{
	uint64_t stolen;

	if (late_ms <= atomic_load(&latest.late_ms))
		return;
	stolen = steal_ms(cpu) - steal_before;
	pthread_mutex_lock(&latest_lock);
	if (late_ms > latest.late_ms) {
		latest.late_ms = late_ms;
		latest.stolen_ms = stolen;
	}
	pthread_mutex_unlock(&latest_lock);
}

static void *monitor_thread(void *arg)
{
	const struct timespec nap = { 0, SLEEP_NS };
	int cpu = (int)(intptr_t)arg, naps;
	uint64_t before, steal = 0;
	cpu_set_t set;
	char name[16];

	snprintf(name, sizeof(name), "cpu%d", cpu);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("monitor: no affinity to CPU %d", cpu);
	for (naps = 0;; naps++) {
		if (naps % NAPS_PER_ASKING == 0)
			steal = steal_ms(name);
		before = now_ns();
		nanosleep(&nap, NULL);
		woke((now_ns() - before - SLEEP_NS) / 1000000, name, steal);
	}
	return NULL;
}

static void start(pthread_t *thread, int realtime, void *(*fn)(void *), void *arg)
{
	struct sched_param param = { .sched_priority = realtime ? 50 : 0 };
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, realtime ? SCHED_FIFO : SCHED_OTHER);
	pthread_attr_setschedparam(&attr, &param);
	if (pthread_create(thread, &attr, fn, arg))
		die("a thread does not start");
	pthread_attr_destroy(&attr);
}

int monitor_start(void)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), cpu;
	pthread_t thread;

	for (cpu = 0; cpu < cpus; cpu++)
		start(&thread, 1, monitor_thread, (void *)(intptr_t)cpu);
	return cpus;
}

static void report(const struct load *l, const char *state, uint64_t began)
{
	uint64_t late, stolen, steal = steal_ms("cpu");

	pthread_mutex_lock(&latest_lock);
	late = latest.late_ms;
	stolen = latest.stolen_ms;
	pthread_mutex_unlock(&latest_lock);
	printf("load %s %s seconds=%llu hash=%llu mem=%llu disk=%llu net=%llu stall_ms=%llu "
	       "stolen_ms=%llu disk_ms=%llu net_ms=%llu drift_us=%lld steal_ms=%llu\n",
	       l->name, state, (unsigned long long)((now_ns() - began) / 1000000000ull),
	       (unsigned long long)l->did[HASH].bytes, (unsigned long long)l->did[MEMORY].bytes,
	       (unsigned long long)l->did[DISK].bytes, (unsigned long long)l->did[NET].bytes,
	       (unsigned long long)late, (unsigned long long)stolen,
	       (unsigned long long)l->did[DISK].max_ms, (unsigned long long)l->did[NET].max_ms,
	       (long long)l->drift_us, (unsigned long long)steal);
	fflush(stdout);
}

static volatile sig_atomic_t terminated;

static void on_term(int sig)
{
	terminated = sig;
}

static void follow(struct load *l, uint64_t began)
{
	uint64_t end = began + l->seconds * 1000000000ull, next = began, now;

	while ((now = now_ns()) < end && !terminated) {
		if (now - next >= REPORT_SECONDS * 1000000000ull) {
			report(l, "beat", began);
			next = now;
		}
		usleep(200000);
	}
}

static int run(struct load *l)
{
	static void *(*const work[KINDS])(void *) = { hash_thread, memory_thread, disk_thread,
						      net_thread };
	const int wanted[KINDS] = { l->hash, l->mem_mib != 0, l->disk != NULL, l->net != NULL };
	pthread_t thread[KINDS];
	uint64_t began = now_ns();
	int i;

	signal(SIGTERM, on_term);
	monitor_start();
	for (i = 0; i < KINDS; i++)
		if (wanted[i])
			start(&thread[i], 0, work[i], l);
	follow(l, began);
	atomic_store(&l->stop, 1);
	for (i = 0; i < KINDS; i++)
		if (wanted[i])
			pthread_join(thread[i], NULL);
	for (i = 0; i < KINDS; i++)
		if (wanted[i] && !l->did[i].bytes)
			die("%s: work of kind %d did nothing", l->name, i);
	report(l, "end", began);
	return 0;
}

static void option(struct load *l, char *text)
{
	char *value = strchr(text, '='), *colon;

	if (!value)
		die("'%s' is no option", text);
	*value++ = '\0';
	if (!strcmp(text, "cpu")) {
		l->cpu_percent = (unsigned int)atoi(value);
		if (l->cpu_percent < 1 || l->cpu_percent > 100)
			die("cpu= is 1 to 100");
	} else if (!strcmp(text, "pace")) {
		l->pace_ms = (unsigned int)atoi(value);
	} else if (!strcmp(text, "hash")) {
		l->hash = atoi(value);
	} else if (!strcmp(text, "mem")) {
		l->mem_mib = (unsigned int)atoi(value);
	} else if (!strcmp(text, "shared")) {
		l->shared = atoi(value);
	} else if (!strcmp(text, "net")) {
		l->net = value;
	} else if (!strcmp(text, "disk") && (colon = strchr(value, ':'))) {
		*colon = '\0';
		l->disk = value;
		l->disk_mib = (unsigned int)atoi(colon + 1);
	} else {
		die("'%s' is no option", text);
	}
}

int main(int argc, char **argv)
{
	static struct load l;
	const char *c;
	int i;

	if (argc == 3 && !strcmp(argv[1], "serve"))
		return net_serve(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "monitor")) {
		l.name = "monitor";
		l.seconds = (unsigned int)atoi(argv[2]);
		return run(&l);
	}
	if (argc < 4 || strcmp(argv[1], "run")) {
		fprintf(stderr,
			"load: run NAME SECONDS [option...], serve PORT or monitor SECONDS\n");
		return 2;
	}
	l.name = argv[2];
	l.seconds = (unsigned int)atoi(argv[3]);
	l.cpu_percent = 50;
	l.pace_ms = 5;
	for (c = l.name; *c; c++)
		l.seed = l.seed * 31 + (unsigned char)*c;
	for (i = 4; i < argc; i++)
		option(&l, argv[i]);
	return run(&l);
}
