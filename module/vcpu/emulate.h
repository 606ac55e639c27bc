/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vCPU's instruction emulation: what is kept between an exit to user space and the
 * KVM_RUN that continues it. Private to vcpu/.
 */
#ifndef TURTLES_VCPU_EMULATE_H
#define TURTLES_VCPU_EMULATE_H

#include "emul/emul.h"
#include "vcpu/vcpu.h"

#define EMUL_NR_READS  8 /* device reads that one instruction can depend on */
#define EMUL_NR_WRITES 4 /* device writes that one instruction can post */

/* A device access of up to 8 bytes. */
struct mmio_frag {
	u64 gpa;
	u32 len;
	u8 data[8];
};

/**
 * struct vcpu_emul - emulation state of one vCPU, used by its own thread
 * @e:		the instruction
 * @complete:	what the next KVM_RUN does first, NULL = enter the guest
 * @reads:	device reads already answered for this instruction: it is executed again
 *		after each answer and finds the earlier ones here, in order
 * @read_pos:	how many of them the current attempt has consumed
 * @wants_read: @pending is to be read by user space, then appended to @reads
 * @writes:	device writes that user space has still to see
 * @write_pos:	the next one to show
 * @pio_in_valid: the data page holds the answer to @pio_port, @pio_size, @pio_count
 * @pio_out_posted: run->io describes an output that user space has still to see
 */
struct vcpu_emul {
	struct emul e;
	int (*complete)(struct vcpu *v);

	struct mmio_frag reads[EMUL_NR_READS];
	unsigned int nr_reads, read_pos;
	bool wants_read;
	struct mmio_frag pending;

	struct mmio_frag writes[EMUL_NR_WRITES];
	unsigned int nr_writes, write_pos;

	bool pio_in_valid, pio_wants_in, pio_out_posted;
	u16 pio_port;
	u32 pio_size, pio_count;
	u64 pio_next_rip;

	/* A nested exit that a callback asked for; carried out after the step. */
	bool nested_fault;
	struct gva_fault_store {
		u64 l2gpa, qual, gva;
		bool misconfig;
	} nf;
	int system_result; /* enum vcpu_next or -errno of emul_ops.system */
	bool system_done;
	bool bad_memory; /* a slot's memory is not there: KVM_RUN ends with EFAULT */
};

#endif /* TURTLES_VCPU_EMULATE_H */
