// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells the kernel to fail the Nth allocation of this thread (kernel documentation "Fault injection
 * capabilities infrastructure").
 *
 * /proc/thread-self/fail-nth counts whatever can fail, copies from and to user space included. A payload's
 * run makes thousands of those and few allocations, so the two kinds of allocation are also counted
 * apart, by the attributes of failslab and fail_page_alloc.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault.h"
#include "machine.h"

#define PAGE 4096

/* How many failures of a kind are left to be made. */
static const char *const times_path[] = {
	[FAULT_SLAB] = "/sys/kernel/debug/failslab/times",
	[FAULT_PAGE] = "/sys/kernel/debug/fail_page_alloc/times",
};

static int fail_nth, make_it_fail, slab_interval, page_space, times[3];

static int open_rw(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

static void put(int fd, unsigned int n)
{
	char word[16];
	int len = snprintf(word, sizeof(word), "%u", n);

	if (write(fd, word, len) != len)
		die("a number for the fault injection");
}

/* Such a file is read from its beginning, once; to open it allocates, which may be what fails. */
static bool failed(enum fault_kind kind)
{
	int fd = open(times_path[kind], O_RDONLY | O_CLOEXEC);
	char word[16] = "";

	if (fd < 0 && errno == ENOMEM)
		return true;
	if (fd < 0 || read(fd, word, sizeof(word) - 1) <= 0)
		die(times_path[kind]);
	close(fd);
	return !strtoul(word, NULL, 10);
}

static void set(const char *path, const char *what)
{
	int fd = open_rw(path);

	if (write(fd, what, strlen(what)) < 0)
		die(path);
	close(fd);
}

static void setup_attribute(const char *name, const char *dump)
{
	static const char *const values[][2] = {
		{ "ignore-gfp-wait", "N" }, /* what may sleep fails too */
		{ "task-filter", "Y" },
		{ "interval", "1" },
		{ "probability", "100" },
	};
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", name, values[i][0]);
		set(path, values[i][1]);
	}
	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", name);
	set(path, dump);
}

/*
 * With an interval each Nth allocation fails, of a count that goes on from one use to the next. A failure
 * says that it is at a multiple of N, and with no failures left to make it stands still.
 */
static void start_interval(unsigned int n)
{
	put(slab_interval, n);
	if (n == 1)
		return;
	put(times[FAULT_SLAB], 1);
	while (!failed(FAULT_SLAB))
		;
}

void fault_arm(enum fault_kind kind, unsigned int n)
{
	if (kind == FAULT_ANY) {
		put(fail_nth, n);
		return;
	}
	put(make_it_fail, 1);
	if (kind == FAULT_SLAB)
		start_interval(n);
	else
		put(page_space, n);
	put(times[kind], 1);
}

/* What is left of fail-nth may hit these calls themselves. */
static bool disarm_nth(void)
{
	char word[16] = "";
	ssize_t len = pread(fail_nth, word, sizeof(word) - 1, 0);

	while (pwrite(fail_nth, "0", 1, 0) != 1)
		;
	return len > 0 && !atoi(word);
}

bool fault_disarm(enum fault_kind kind)
{
	bool hit;

	if (kind == FAULT_ANY)
		return disarm_nth();
	put(make_it_fail, 0);
	hit = failed(kind);
	put(times[kind], 0);
	return hit;
}

/* A payload may have nothing to fail: so that this is its own doing, some calls fail first. */
static void prove(enum fault_kind kind, unsigned int n)
{
	int i, fd;
	void *at;

	fault_arm(kind, n);
	for (i = 0; i < 4; i++) {
		fd = eventfd(0, EFD_CLOEXEC);
		if (fd >= 0)
			close(fd);
		at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (at != MAP_FAILED)
			munmap(at, PAGE);
	}
	if (!fault_disarm(kind))
		die("the kernel makes no failures");
}

void fault_setup(bool dump)
{
	const char *verbose = dump ? "2" : "0";

	fail_nth = open_rw("/proc/thread-self/fail-nth");
	make_it_fail = open_rw("/proc/thread-self/make-it-fail");
	setup_attribute("failslab", verbose);
	setup_attribute("fail_page_alloc", verbose);
	set("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	set("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	set("/sys/kernel/debug/fail_usercopy/verbose", verbose);
	times[FAULT_SLAB] = open_rw(times_path[FAULT_SLAB]);
	times[FAULT_PAGE] = open_rw(times_path[FAULT_PAGE]);
	slab_interval = open_rw("/sys/kernel/debug/failslab/interval");
	page_space = open_rw("/sys/kernel/debug/fail_page_alloc/space");
	put(times[FAULT_SLAB], 0);
	put(times[FAULT_PAGE], 0);
	prove(FAULT_ANY, 1);
	prove(FAULT_SLAB, 1);
	prove(FAULT_SLAB, 3);
	prove(FAULT_PAGE, 1);
	prove(FAULT_PAGE, 3);
}
