// SPDX-License-Identifier: GPL-2.0-only
/*
 * IN and OUT without a string: the port, the size and the direction are in the exit
 * qualification, so nothing is decoded. String forms go to the emulator.
 */
#include <linux/kvm.h>
#include <linux/string.h>

#include "linux/trace.h"
#include "vcpu/bus.h"
#include "vcpu/core.h"
#include "vcpu/emulate.h"

/* Exit qualification for I/O instructions (SDM, table of that name). */
#define IO_QUAL_SIZE(q) (((q)&7) + 1)
#define IO_QUAL_IN	BIT(3)
#define IO_QUAL_STRING	BIT(4)
#define IO_QUAL_PORT(q) ((u16)((q) >> 16))

/* Describe a port access to user space. */
int vcpu_user_pio(struct vcpu *v, bool in, u16 port, unsigned int size, unsigned int count)
{
	v->run->exit_reason = KVM_EXIT_IO;
	v->run->io.direction = in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	v->run->io.size = size;
	v->run->io.port = port;
	v->run->io.count = count;
	v->run->io.data_offset = PAGE_SIZE;
	return EXIT_TO_USER;
}

/* The register write of IN: 32-bit operands zero-extend. */
static void write_rax(struct vcpu *v, unsigned int size, u32 val)
{
	u64 *rax = &v->regs[X86_RAX];

	if (size == 1)
		*rax = (*rax & ~0xffull) | (u8)val;
	else if (size == 2)
		*rax = (*rax & ~0xffffull) | (u16)val;
	else
		*rax = val;
}

static int complete_in(struct vcpu *v)
{
	u32 val = 0;

	/* State restored in between moved RIP: then the answer is for nobody. */
	if (v->rip != v->emul->pio_next_rip)
		return RESUME_GUEST;
	memcpy(&val, v->pio_data, v->emul->pio_size);
	trace_turtles_pio(false, IO_QUAL_PORT(v->exit.qual), v->emul->pio_size, 1, val);
	write_rax(v, v->emul->pio_size, val);
	return vcpu_skip_insn(v);
}

/**
 * vcpu_io_in_kernel - serve the exit "I/O instruction" from a device of the kernel
 * @v: the vCPU; vm->srcu held; does not sleep when v->exit.insn_len is known
 *
 * Return: false when there is no such device, or the instruction has to be emulated; nothing has
 * been done then.
 */
bool vcpu_io_in_kernel(struct vcpu *v)
{
	u64 qual = v->exit.qual;
	unsigned int size = IO_QUAL_SIZE(qual);
	u16 port = IO_QUAL_PORT(qual);
	u32 val = v->regs[X86_RAX];

	if (qual & IO_QUAL_STRING)
		return false;
	if (!(qual & IO_QUAL_IN)) {
		if (bus_write(v, BUS_PIO, port, size, &val))
			return false;
	} else {
		val = 0;
		if (bus_read(v, BUS_PIO, port, size, &val))
			return false;
		write_rax(v, size, val);
	}
	trace_turtles_pio(!(qual & IO_QUAL_IN), port, size, 1, val);
	v->stats.pio++;
	return vcpu_skip_insn(v) == RESUME_GUEST;
}

/**
 * vcpu_handle_io - exit reason "I/O instruction"
 * @v: the vCPU
 *
 * RIP moves past an OUT before user space sees it, and past an IN when its answer is here,
 * so that state saved in between is consistent.
 */
int vcpu_handle_io(struct vcpu *v)
{
	u64 qual = v->exit.qual;
	unsigned int size = IO_QUAL_SIZE(qual);
	u16 port = IO_QUAL_PORT(qual);
	int r;

	if (vcpu_io_in_kernel(v))
		return RESUME_GUEST;
	v->stats.pio++;
	if (qual & IO_QUAL_STRING)
		return vcpu_emulate(v);

	if (qual & IO_QUAL_IN) {
		v->emul->pio_size = size;
		v->emul->pio_next_rip = v->rip;
		v->emul->complete = complete_in;
		return vcpu_user_pio(v, true, port, size, 1);
	}
	trace_turtles_pio(true, port, size, 1, v->regs[X86_RAX]);
	memcpy(v->pio_data, &v->regs[X86_RAX], size);
	r = vcpu_skip_insn(v);
	return r == RESUME_GUEST ? vcpu_user_pio(v, false, port, size, 1) : r;
}
