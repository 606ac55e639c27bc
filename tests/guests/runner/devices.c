// SPDX-License-Identifier: GPL-2.0-only
/* The devices of a payload's machine: ports and a page of memory; see machine.h. */
#include <string.h>

#include "machine.h"

#define MMIO_SIZE  0x1000u
#define LATCH_PORT 0xf0
#define END_PORT   0xf4

uint8_t latch[4];
static uint8_t mmio[MMIO_SIZE];

bool is_out(const struct kvm_run *run)
{
	return run->io.direction == KVM_EXIT_IO_OUT;
}

/* What an IN of any size reads. */
void put_port(const struct kvm_run *run, uint8_t *data, uint32_t value)
{
	memcpy(data, &value, run->io.size < 4 ? run->io.size : 4);
}

static void one_access(struct kvm_run *run, uint8_t *data)
{
	uint32_t off = run->io.port - LATCH_PORT, n;

	if (run->io.port >= LATCH_PORT && off < sizeof(latch)) {
		n = run->io.size < sizeof(latch) - off ? run->io.size : sizeof(latch) - off;
		if (is_out(run))
			memcpy(latch + off, data, n);
		else
			memcpy(data, latch + off, n);
	} else if (!is_out(run)) {
		memset(data, 0xff, run->io.size);
	}
}

/**
 * port_io - serve KVM_EXIT_IO
 * @run: the vCPU's run page
 * @own: asked first at each access
 * @arg: for @own
 *
 * Returns -1, or the exit status that the payload asked for.
 */
int port_io(struct kvm_run *run, port_server own, void *arg)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t i;

	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.port == END_PORT && is_out(run))
			return data[0];
		if (!own(run, data, arg))
			one_access(run, data);
	}
	return -1;
}

/* Serves KVM_EXIT_MMIO. */
void device_memory(struct kvm_run *run)
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
