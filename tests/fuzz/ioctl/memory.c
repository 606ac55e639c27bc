// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes under the VMs' feet: of the arena that their memory slots are in, of the pages that
 * vCPUs share with user space, and of who has the file descriptors.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

void scribble(void *to, const void *from, size_t n)
{
	struct iovec local = { (void *)from, n }, remote = { to, n };

	if (process_vm_writev(getpid(), &local, 1, &remote, 1, 0) < 0)
		return; /* it is not mapped just now */
}

/* A piece of the arena: mostly small, sometimes all of it. */
static uint8_t *piece(struct world *w, struct rng *r, size_t *n)
{
	size_t page = below(r, ARENA_SIZE >> 12), max = (ARENA_SIZE >> 12) - page;
	size_t pages = one_in(r, 32) ? max : 1 + below(r, one_in(r, 4) ? 1024 : 16);

	*n = (pages < max ? pages : max) << 12;
	return w->arena + (page << 12);
}

static void map_again(struct world *w, struct rng *r, uint8_t *at, size_t n)
{
	static const int prots[] = { PROT_READ | PROT_WRITE,
				     PROT_READ | PROT_WRITE,
				     PROT_READ | PROT_WRITE,
				     PROT_READ,
				     PROT_NONE,
				     PROT_READ | PROT_WRITE | PROT_EXEC };
	int prot = prots[below(r, 6)], flags = MAP_FIXED | MAP_NORESERVE, fd = -1;

	switch (below(r, 5)) {
	case 0:
		flags |= MAP_SHARED | MAP_ANONYMOUS;
		break;
	case 1:
		flags |= one_in(r, 2) ? MAP_SHARED : MAP_PRIVATE;
		fd = w->memfd;
		break;
	case 2: /* another vCPU's run page, as guest memory */
		flags |= MAP_SHARED;
		fd = get_fd(w, r, FD_VCPU);
		break;
	default:
		flags |= MAP_PRIVATE | MAP_ANONYMOUS;
	}
	mmap(at, n, prot, flags, fd, fd >= 0 ? (off_t)below(r, 4) << 12 : 0);
}

static void advise(struct rng *r, uint8_t *at, size_t n)
{
	static const int advice[] = {
		MADV_DONTNEED,	 MADV_DONTNEED,	  MADV_FREE,	     MADV_REMOVE,   MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_COLD,	  MADV_PAGEOUT,	     MADV_WILLNEED, MADV_MERGEABLE,
		MADV_DONTFORK,	 MADV_WIPEONFORK, 25 /* COLLAPSE */, MADV_DOFORK,
	};

	madvise(at, n, advice[below(r, sizeof(advice) / sizeof(advice[0]))]);
}

static void move(struct world *w, struct rng *r, uint8_t *at, size_t n)
{
	size_t m;
	uint8_t *to = piece(w, r, &m);

	if (m > n)
		m = n;
	if (to + m <= at || at + m <= to)
		mremap(at, m, m, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

/* The run page is user space's to write any time; the kernel must read each field once. */
static void scribble_run_page(struct world *w, struct rng *r)
{
	uint8_t *run =
		(uint8_t *)__atomic_load_n(&w->run[below(r, FDS_PER_KIND)], __ATOMIC_RELAXED);
	uint64_t v = odd_number(r);

	if (!run)
		return;
	switch (below(r, 6)) {
	case 0:
		v &= 7;
		scribble(run + offsetof(struct kvm_run, kvm_dirty_regs), &v, 8);
		break;
	case 1:
		v &= 7;
		scribble(run + offsetof(struct kvm_run, kvm_valid_regs), &v, 8);
		break;
	case 2:
		scribble(run + offsetof(struct kvm_run, s.regs) + below(r, 2048), &v, 8);
		break;
	case 3: /* the coalesced ring's indices */
		v %= 200;
		scribble(run + 8192, &v, 8);
		break;
	case 4:
		v &= 1;
		scribble(run, &v, 1 + below(r, 2)); /* request_interrupt_window, immediate_exit */
		break;
	default:
		scribble(run + below(r, 3 * 4096 - 8), &v, 8);
	}
}

/* Another process with the same fds, and the guest's memory copied on write. */
static void fork_child(struct thread *t)
{
	int status;
	pid_t pid = (pid_t)syscall(SYS_fork);

	if (pid == 0) {
		unsigned int i;

		seed_rng(&t->r, rnd(&t->r));
		for (i = below(&t->r, 32); i; i--)
			one_call(t);
		_exit(0);
	}
	if (pid > 0 && one_in(&t->r, 2))
		waitpid(pid, &status, 0);
}

void memory_change(struct thread *t)
{
	struct world *w = t->w;
	struct rng *r = &t->r;
	uint8_t bytes[64], *at;
	size_t n;

	at = piece(w, r, &n);
	switch (below(r, 16)) {
	case 0:
		munmap(at, n);
		break;
	case 1:
	case 2:
	case 3:
		map_again(w, r, at, n);
		break;
	case 4:
		mprotect(at, n, below(r, 8));
		break;
	case 5:
	case 6:
	case 7:
		advise(r, at, n);
		break;
	case 8:
		move(w, r, at, n);
		break;
	case 9:
		if (one_in(r, 32))
			fork_child(t);
		break;
	case 10:
		drop_fd(w, r);
		break;
	case 11: /* code, tables, whatever the guest has there */
		random_bytes(r, bytes, sizeof(bytes));
		scribble(w->arena + rnd(r) % (ARENA_SIZE - 64), bytes, 1 + below(r, 64));
		break;
	case 12:
		n = guest_program(r, t->buf, 4096);
		scribble(w->arena + LOAD_AT, t->buf, n);
		break;
	default:
		scribble_run_page(w, r);
	}
}
