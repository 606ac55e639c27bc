/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that a payload runs in, for user-space programs that are its VMM.
 *
 * The payload is loaded at 0x7c00 and started there in real mode, as a boot sector is. Ports
 * that it talks to: 0xe9 prints a character, 0xf4 ends the run with the written byte as exit
 * status, 0x0f0-0x0f3 are plain latches (what was written is read back), and 0xd0000000 is a
 * page of device memory that behaves like a latch array.
 *
 * The program that includes this defines PROGRAM, its name, and print_char().
 */
#ifndef GUESTS_MACHINE_H
#define GUESTS_MACHINE_H

#include <errno.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MEM_SIZE  (64u << 20)
#define LOAD_AT	  0x7c00u
#define MMIO_BASE 0xd0000000ull
#define MMIO_SIZE 0x1000u

static uint8_t latch[4], mmio[MMIO_SIZE];

static void print_char(int c);

static void die(const char *what)
{
	fprintf(stderr, PROGRAM ": %s: %s\n", what, strerror(errno));
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
			print_char(data[0]);
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

/* Intel-vendor CPUID on any host: the payloads that use VMX want it. */
static void give_cpuid(int kvm, int fd, uint32_t id)
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

/* The first vCPU begins with the payload's first byte, in real mode. */
static void start_at_payload(int fd)
{
	struct kvm_regs r = { .rip = LOAD_AT, .rflags = 2, .rsp = LOAD_AT };
	struct kvm_sregs s;

	call(fd, KVM_GET_SREGS, &s, "KVM_GET_SREGS");
	s.cs.base = 0;
	s.cs.selector = 0;
	call(fd, KVM_SET_SREGS, &s, "KVM_SET_SREGS");
	call(fd, KVM_SET_REGS, &r, "KVM_SET_REGS");
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

#endif
