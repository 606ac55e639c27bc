/* link: emul/decode.c emul/optable.c emul/alu.c emul/exec.c emul/exec_alu.c emul/exec_data.c emul/exec_fast.c emul/exec_flow.c emul/exec_seg.c emul/exec_sse.c emul/exec_string.c emul/exec_system.c emul/operand.c emul/vme.c */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * The executor's contract: what the processor of this machine cannot show. Fetching, faults and
 * their order, devices that need user space, repeated and interrupted instructions,
 * ports, locked access. Modes and system instructions are in test_emul_sys.c.
 */
#include "unit.h"

#include "emul_world.h"

static struct world world;

static void test_every_row(void **state)
{
	unsigned int i, mode, done = 0;

	for (i = 0; i < emul_nr_opcodes; i++) {
		const struct emul_opcode *op = &emul_opcodes[i];
		u8 code[16] = {};
		unsigned int n = 0;

		if ((op->flags & F_PFX) && !(op->flags & F_NP))
			code[n++] = (op->flags & F_66) ? 0x66 : (op->flags & F_F3) ? 0xf3 : 0xf2;
		if (op->map != MAP_1)
			code[n++] = 0x0f;
		if (op->map == MAP_0F38)
			code[n++] = 0x38;
		if (op->map == MAP_0F3A)
			code[n++] = 0x3a;
		code[n++] = op->code;
		code[n] = 0x03 | (op->flags & F_HAS_G ? (op->flags & F_G_MASK) << 3 : 0);
		if (op->flags & F_HAS_RM)
			code[n] = (code[n] & 0xf8) | ((op->flags >> 4) & 7);
		if (op->flags & F_REG)
			code[n] |= 0xc0;
		for (mode = 0; mode < W_NR; mode++) {
			struct world *w = world_reset(&world, mode);
			enum emul_result r;

			w->e.regs[X86_RBX] = 0x4000;
			w_code(w, code, sizeof(code));
			r = emul_step(&w->e);
			if (w->e.insn.op != op)
				continue; /* not in this mode */
			if ((op->flags & F_PROT) && mode <= W_VM86)
				assert_fault(w, r, X86_TRAP_UD, 0);
			if (r == EMUL_DONE)
				done++;
			else
				assert_int_equal(w->e.regs[X86_RSP], 0x3000);
			if (!(op->flags & F_CPL0) || mode < W_PROT16)
				continue;
			/* The same at CPL 3. */
			world_reset(w, mode);
			w->e.regs[X86_RBX] = 0x4000;
			w->e.cpl = 3;
			w_code(w, code, sizeof(code));
			r = emul_step(&w->e);
			assert_fault(w, r, X86_TRAP_GP, 0);
		}
	}
	assert_true(done > 1500);
}

static void test_fetch(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);

	/* mov $imm64 across a page: two fetches, none further than needed */
	w->e.rip = 0x1ffa;
	assert_int_equal(STEP(w, 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8), EMUL_DONE);
	assert_int_equal(w->e.regs[X86_RAX], 0x0807060504030201);
	assert_int_equal(w->e.rip, 0x2004);
	assert_int_equal(w->fetches, 2);
	/* one that ends at the end of the page does not touch the next */
	world_reset(w, W_LONG64);
	w->e.rip = HOLE - 1;
	assert_int_equal(STEP(w, 0x90), EMUL_DONE);
	assert_int_equal(w->fetches, 1);
	/* one that goes on into a hole faults there */
	world_reset(w, W_LONG64);
	w->e.rip = HOLE - 1;
	w->ram[HOLE - 1] = 0x48;
	emul_init(&w->e, &world_ops, w);
	assert_fault(w, emul_step(&w->e), X86_TRAP_PF, 0);
	assert_int_equal(w->e.fault.payload, HOLE);
	/* beyond the CS limit */
	world_reset(w, W_PROT32);
	w->e.segs[X86_CS].limit = 0x1000;
	assert_fault(w, STEP(w, 0x66, 0x90), X86_TRAP_GP, 0);
	assert_int_equal(STEP(w, 0x90), EMUL_DONE);
	assert_fault(w, emul_step(&w->e), X86_TRAP_GP, 0);
	/* RIP not canonical */
	world_reset(w, W_LONG64);
	w->e.rip = 0x800000000000;
	assert_fault(w, emul_step(&w->e), X86_TRAP_GP, 0);
	/* supplied bytes are used, and more are fetched when they do not suffice */
	world_reset(w, W_LONG64);
	w_put(w, 0x1000, 0x04030201b8, 5);
	emul_init(&w->e, &world_ops, w);
	w->e.bytes[0] = 0xb9;
	w->e.nr_bytes = 1;
	assert_int_equal(emul_step(&w->e), EMUL_DONE);
	assert_int_equal(w->e.regs[X86_RCX], 0x04030201);
}

static void test_bad_encodings(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	unsigned int i;

	assert_fault(w, STEP(w, 0x0f, 0x0b), X86_TRAP_UD, 0);
	assert_fault(w, STEP(w, 0x0f, 0x04), X86_TRAP_UD, 0);
	assert_fault(w, STEP(w, 0xf0, 0x89, 0x03), X86_TRAP_UD, 0);
	/* 16 bytes */
	world_reset(w, W_LONG64);
	for (i = 0; i < 15; i++)
		w->ram[0x1000 + i] = 0x66;
	emul_init(&w->e, &world_ops, w);
	assert_fault(w, emul_step(&w->e), X86_TRAP_GP, 0);
	/* known, not emulated: the bytes are there for the report */
	assert_int_equal(STEP(w, 0xd9, 0x03), EMUL_UNHANDLEABLE);
	assert_int_equal(w->e.bytes[0], 0xd9);
	assert_int_equal(STEP(w, 0xc5, 0xfa, 0x6f, 0x03), EMUL_UNHANDLEABLE);
	assert_int_equal(w->e.rip, 0x1000);
}

static void test_device_read(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	/* movzwl (%rbx),%eax */
	e->regs[X86_RBX] = DEVICE + 0x10;
	e->regs[X86_RAX] = ~0ULL;
	assert_int_equal(STEP(w, 0x0f, 0xb7, 0x03), EMUL_IO);
	assert_true(w->dev_pending);
	assert_int_equal(w->dev_addr, DEVICE + 0x10);
	assert_int_equal(w->dev_len, 2);
	assert_int_equal(e->rip, 0x1000);
	assert_int_equal(e->regs[X86_RAX], ~0ULL);
	/* The guest rewrites its code meanwhile: the instruction stays what it was. */
	w_put(w, 0x1000, 0x0b0f, 2);
	w->dev_answered = true;
	w->dev_value = 0xbeef;
	assert_int_equal(emul_step(e), EMUL_DONE);
	assert_int_equal(e->regs[X86_RAX], 0xbeef);
	assert_int_equal(e->rip, 0x1003);
	assert_int_equal(w->intercepts, 1);
}

static void test_device_rmw(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	/* lock orl $0x10,(%rbx) on a device: read, answer, write once */
	e->regs[X86_RBX] = DEVICE;
	assert_int_equal(STEP(w, 0xf0, 0x83, 0x0b, 0x10), EMUL_IO);
	assert_int_equal(w->dev_writes, 0);
	w->dev_answered = true;
	w->dev_value = 0x01;
	assert_int_equal(emul_step(e), EMUL_DONE);
	assert_int_equal(w->dev_writes, 1);
	assert_int_equal(w->dev_last_value, 0x11);
	assert_int_equal(e->rip, 0x1004);
	/* movups to a device: one write of 16 bytes */
	memset(w->xmm[1], 0x5a, 16);
	assert_int_equal(STEP(w, 0x0f, 0x11, 0x0b), EMUL_DONE);
	assert_int_equal(w->dev_writes, 2);
}

static void test_lost_race(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;
	u64 flags;

	e->regs[X86_RBX] = 0x4000;
	w_put(w, 0x4000, 0xffffffff, 4);
	w->lost_races = 2;
	flags = e->rflags;
	/* lock incl (%rbx) */
	assert_int_equal(STEP(w, 0xf0, 0xff, 0x03), EMUL_AGAIN);
	assert_int_equal(e->rflags, flags);
	assert_int_equal(e->rip, 0x1000);
	assert_int_equal(emul_step(e), EMUL_AGAIN);
	assert_int_equal(emul_step(e), EMUL_DONE);
	assert_int_equal(w_get(w, 0x4000, 4), 0);
	assert_true(e->rflags & X86_EFLAGS_ZF);
	/* xchg is locked without the prefix; mov is not */
	w->lost_races = 1;
	assert_int_equal(STEP(w, 0x87, 0x03), EMUL_AGAIN);
	w->lost_races = 1;
	assert_int_equal(STEP(w, 0x89, 0x03), EMUL_DONE);
	assert_int_equal(w->lost_races, 1);
}

static void test_rep_commit(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	/* rep movsb, fault in the middle: what was done stays done */
	memset(w->ram + 0x4000, 0x77, 16);
	e->regs[X86_RSI] = 0x4000;
	e->regs[X86_RDI] = HOLE - 3;
	e->regs[X86_RCX] = 10;
	assert_fault(w, STEP(w, 0xf3, 0xa4), X86_TRAP_PF, 2);
	assert_int_equal(e->regs[X86_RCX], 7);
	assert_int_equal(e->regs[X86_RSI], 0x4003);
	assert_int_equal(e->regs[X86_RDI], HOLE);
	assert_int_equal(e->rip, 0x1000);
	assert_int_equal(w->ram[HOLE - 1], 0x77);
	/* interrupted after 4 iterations, then finished */
	e->regs[X86_RDI] = 0x5000;
	e->regs[X86_RCX] = 10;
	w->interrupt_after = 4;
	assert_int_equal(STEP(w, 0xf3, 0xa4), EMUL_AGAIN);
	assert_int_equal(e->regs[X86_RCX], 6);
	assert_int_equal(e->rip, 0x1000);
	assert_int_equal(emul_step(e), EMUL_DONE);
	assert_int_equal(e->regs[X86_RCX], 0);
	assert_int_equal(e->rip, 0x1002);
	/* bounded */
	e->regs[X86_RDI] = 0x5000;
	e->regs[X86_RCX] = 1025;
	assert_int_equal(STEP(w, 0xf3, 0xaa), EMUL_AGAIN);
	assert_int_equal(e->regs[X86_RCX], 1);
	assert_int_equal(emul_step(e), EMUL_DONE);
	/* nothing to do: no access at all */
	e->regs[X86_RDI] = HOLE;
	assert_int_equal(STEP(w, 0xf3, 0xaa), EMUL_DONE);
	/* repe cmpsb stops at the difference */
	memcpy(w->ram + 0x4000, "abcX", 4);
	memcpy(w->ram + 0x5000, "abcd", 4);
	e->regs[X86_RSI] = 0x4000;
	e->regs[X86_RDI] = 0x5000;
	e->regs[X86_RCX] = 4;
	assert_int_equal(STEP(w, 0xf3, 0xa6), EMUL_DONE);
	assert_int_equal(e->regs[X86_RCX], 0);
	assert_false(e->rflags & X86_EFLAGS_ZF);
	e->regs[X86_RDI] = 0x5000;
	e->regs[X86_RCX] = ~0ULL;
	e->regs[X86_RAX] = 'c';
	assert_int_equal(STEP(w, 0xf2, 0xae), EMUL_DONE);
	assert_int_equal(e->regs[X86_RDI], 0x5003);
}

static void test_rep_device(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;
	unsigned int i;

	/* rep movsl from a device: every element is one question to user space */
	e->regs[X86_RSI] = DEVICE;
	e->regs[X86_RDI] = 0x5000;
	e->regs[X86_RCX] = 3;
	w_code(w, (const u8[]){ 0xf3, 0xa5 }, 2);
	for (i = 0; i < 3; i++) {
		assert_int_equal(emul_step(e), EMUL_IO);
		assert_int_equal(e->regs[X86_RCX], 3 - i);
		assert_int_equal(w->dev_addr, DEVICE + 4 * i);
		w->dev_answered = true;
		w->dev_value = 0x100 + i;
	}
	assert_int_equal(emul_step(e), EMUL_DONE);
	assert_int_equal(w_get(w, 0x5008, 4), 0x102);
	assert_int_equal(e->regs[X86_RSI], DEVICE + 12);
}

static void test_pio(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	/* out %al,$0x80; out %eax,%dx */
	e->regs[X86_RAX] = 0x1122334455667788;
	e->regs[X86_RDX] = 0x12345;
	assert_int_equal(STEP(w, 0xe6, 0x80), EMUL_DONE);
	assert_int_equal(w->pio_port, 0x80);
	assert_int_equal(w->pio_data[0], 0x88);
	assert_int_equal(STEP(w, 0xef), EMUL_DONE);
	assert_int_equal(w->pio_port, 0x2345);
	assert_int_equal(w->pio_size, 4);
	/* in %dx,%eax clears the upper half, in %dx,%ax does not */
	assert_int_equal(STEP(w, 0xed), EMUL_IO);
	w->pio_answered = true;
	memcpy(w->pio_data, "\xef\xbe\xad\xde", 4);
	assert_int_equal(emul_step(e), EMUL_DONE);
	assert_int_equal(e->regs[X86_RAX], 0xdeadbeef);
	assert_int_equal(STEP(w, 0x66, 0xed), EMUL_IO);
	assert_int_equal(w->pio_size, 2);
	/* the TSS decides above IOPL */
	e->cpl = 3;
	assert_int_equal(STEP(w, 0xee), EMUL_DONE);
	w->io_allowed_result = EMUL_FAULT;
	assert_fault(w, STEP(w, 0xee), X86_TRAP_GP, 0);
	e->rflags |= X86_EFLAGS_IOPL;
	assert_int_equal(STEP(w, 0xee), EMUL_DONE);
}

static void test_pio_strings(void **state)
{
	struct world *w = world_reset(&world, W_REAL);
	struct emul *e = &w->e;

	/* rep insw in real mode, 256 words: one batch, to the end of the page */
	e->segs[X86_ES].base = 0x10000;
	e->regs[X86_RDI] = 0x1f00;
	e->regs[X86_RCX] = 256;
	e->regs[X86_RDX] = 0x170;
	assert_int_equal(STEP(w, 0xf3, 0x6d), EMUL_IO);
	assert_int_equal(w->pio_count, 128);
	assert_int_equal(e->regs[X86_RCX], 256);
	w->pio_answered = true;
	memset(w->pio_data, 0xa5, sizeof(w->pio_data));
	assert_int_equal(emul_step(e), EMUL_AGAIN);
	assert_int_equal(e->regs[X86_RCX], 128);
	assert_int_equal(e->regs[X86_RDI], 0x2000);
	assert_int_equal(emul_step(e), EMUL_IO);
	assert_int_equal(w->pio_count, 128);
	w->pio_answered = true;
	assert_int_equal(emul_step(e), EMUL_DONE);
	assert_int_equal(e->regs[X86_RCX], 0);
	assert_int_equal(e->rip, 0x1002);
	assert_int_equal(w->ram[0x120ff], 0xa5);
	assert_int_equal(w->ram[0x12100], 0);
	/* a destination that cannot be written is found before the device is read */
	world_reset(w, W_PROT32);
	e->regs[X86_RDI] = READONLY;
	w->pio_calls = 0;
	assert_fault(w, STEP(w, 0x6c), X86_TRAP_PF, 3);
	assert_int_equal(w->pio_calls, 0);
	/* backwards: one at a time */
	world_reset(w, W_PROT32);
	e->rflags |= X86_EFLAGS_DF;
	e->regs[X86_RSI] = 0x5004;
	e->regs[X86_RCX] = 2;
	assert_int_equal(STEP(w, 0xf3, 0x6f), EMUL_AGAIN);
	assert_int_equal(w->pio_count, 1);
	assert_int_equal(emul_step(e), EMUL_DONE);
	assert_int_equal(w->pio_outs, 2);
	assert_int_equal(e->regs[X86_RSI], 0x4ffc);
	/* not around the end of a 16-bit address space, nor over the limit */
	world_reset(w, W_REAL);
	e->regs[X86_RSI] = 0xfffe;
	e->regs[X86_RCX] = 3;
	assert_int_equal(STEP(w, 0xf3, 0x6e), EMUL_AGAIN);
	assert_true(w->pio_count <= 2);
	world_reset(w, W_REAL);
	e->regs[X86_RSI] = 0xffff;
	e->regs[X86_RCX] = 1;
	assert_fault(w, STEP(w, 0xf3, 0x6f), X86_TRAP_GP, 0);
	/* at most 1024 bytes */
	world_reset(w, W_LONG64);
	e->regs[X86_RSI] = 0x5000;
	e->regs[X86_RCX] = 1000;
	assert_int_equal(STEP(w, 0xf3, 0x6f), EMUL_AGAIN);
	assert_int_equal(w->pio_count, 256);
	/* count 0 touches nothing */
	e->regs[X86_RCX] = 0;
	e->regs[X86_RSI] = HOLE;
	assert_int_equal(STEP(w, 0xf3, 0x6f), EMUL_DONE);
}

static void test_segment_checks(void **state)
{
	struct world *w = world_reset(&world, W_PROT32);
	struct emul *e = &w->e;

	e->regs[X86_RBX] = 0x4000;
	/* limit: the last byte counts */
	e->segs[X86_DS].limit = 0x4002;
	assert_fault(w, STEP(w, 0x8b, 0x03), X86_TRAP_GP, 0);
	e->segs[X86_DS].limit = 0x4003;
	assert_int_equal(STEP(w, 0x8b, 0x03), EMUL_DONE);
	/* read-only, execute-only, unusable */
	e->segs[X86_DS].ar = 0xc091;
	assert_int_equal(STEP(w, 0x8b, 0x03), EMUL_DONE);
	assert_fault(w, STEP(w, 0x89, 0x03), X86_TRAP_GP, 0);
	e->segs[X86_DS].ar = 0xc099;
	assert_fault(w, STEP(w, 0x8b, 0x03), X86_TRAP_GP, 0);
	e->segs[X86_DS].ar = SEG_AR_UNUSABLE;
	assert_fault(w, STEP(w, 0x8b, 0x03), X86_TRAP_GP, 0);
	/* expand-down: valid above the limit */
	e->segs[X86_DS].ar = 0xc097;
	e->segs[X86_DS].limit = 0x3fff;
	assert_int_equal(STEP(w, 0x8b, 0x03), EMUL_DONE);
	e->segs[X86_DS].limit = 0x4000;
	assert_fault(w, STEP(w, 0x8b, 0x03), X86_TRAP_GP, 0);
	/* through SS it is #SS, and DS's trouble does not matter */
	e->regs[X86_RBP] = 0x4000;
	assert_int_equal(STEP(w, 0x8b, 0x45, 0), EMUL_DONE);
	e->segs[X86_SS].limit = 0x100;
	assert_fault(w, STEP(w, 0x8b, 0x45, 0), X86_TRAP_SS, 0);
	assert_fault(w, STEP(w, 0x50), X86_TRAP_SS, 0);
	/* override, and base */
	e->segs[X86_GS].base = 0x1000;
	w_put(w, 0x5000, 0xabcd, 4);
	assert_int_equal(STEP(w, 0x65, 0x8b, 0x03), EMUL_DONE);
	assert_int_equal(e->regs[X86_RAX], 0xabcd);
}

static void test_canonical(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	e->regs[X86_RBX] = 0x00007ffffffffffd;
	assert_fault(w, STEP(w, 0x8b, 0x03), X86_TRAP_GP, 0);
	e->regs[X86_RBX] = 0x00007ffffffffffc;
	assert_fault(w, STEP(w, 0x8b, 0x03), X86_TRAP_PF, 0);
	e->regs[X86_RBP] = 0x0000800000000000;
	assert_fault(w, STEP(w, 0x8b, 0x45, 0), X86_TRAP_SS, 0);
	e->cr4 |= X86_CR4_LA57;
	assert_fault(w, STEP(w, 0x8b, 0x45, 0), X86_TRAP_PF, 0);
	/* limits and bases of DS are ignored, FS base is not */
	e->segs[X86_DS].base = 0x123;
	e->segs[X86_DS].limit = 0;
	e->segs[X86_FS].base = 0x1000;
	e->regs[X86_RBX] = 0x4000;
	w_put(w, 0x4000, 1, 4);
	w_put(w, 0x5000, 2, 4);
	assert_int_equal(STEP(w, 0x8b, 0x03), EMUL_DONE);
	assert_int_equal(e->regs[X86_RAX], 1);
	assert_int_equal(STEP(w, 0x64, 0x8b, 0x03), EMUL_DONE);
	assert_int_equal(e->regs[X86_RAX], 2);
	/* RIP-relative, with the length of the whole instruction */
	e->rip = 0x1000;
	assert_int_equal(STEP(w, 0xc7, 0x05, 0xf6, 0x3f, 0, 0, 9, 0, 0, 0), EMUL_DONE);
	assert_int_equal(w_get(w, 0x5000, 4), 9);
}

static void test_alignment(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	e->regs[X86_RBX] = 0x4001;
	e->cr0 |= X86_CR0_AM;
	e->rflags |= X86_EFLAGS_AC;
	assert_int_equal(STEP(w, 0x8b, 0x03), EMUL_DONE);
	e->cpl = 3;
	assert_fault(w, STEP(w, 0x8b, 0x03), X86_TRAP_AC, 0);
	assert_int_equal(STEP(w, 0x8a, 0x03), EMUL_DONE);
}

static void test_intercept(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);

	w->intercept_result = EMUL_INTERCEPTED;
	assert_int_equal(STEP(w, 0x0f, 0xa2), EMUL_INTERCEPTED);
	assert_int_equal(w->e.rip, 0x1000);
	/* privilege comes first */
	w->intercepts = 0;
	w->e.cpl = 3;
	assert_fault(w, STEP(w, 0xf4), X86_TRAP_GP, 0);
	assert_int_equal(w->intercepts, 0);
}

static void test_failed_push_changes_nothing(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	e->regs[X86_RSP] = HOLE + 8;
	assert_fault(w, STEP(w, 0x50), X86_TRAP_PF, 2);
	assert_int_equal(e->regs[X86_RSP], HOLE + 8);
	/* call: the target is not taken either */
	assert_fault(w, STEP(w, 0xe8, 0, 1, 0, 0), X86_TRAP_PF, 2);
	assert_int_equal(e->rip, 0x1000);
	/* add to memory that can be read but not written: flags stay */
	e->regs[X86_RBX] = READONLY;
	e->regs[X86_RAX] = 0;
	assert_fault(w, STEP(w, 0x01, 0x03), X86_TRAP_PF, 3);
	assert_false(e->rflags & X86_EFLAGS_ZF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_bad_encodings),
		cmocka_unit_test(test_device_read),
		cmocka_unit_test(test_device_rmw),
		cmocka_unit_test(test_lost_race),
		cmocka_unit_test(test_rep_commit),
		cmocka_unit_test(test_rep_device),
		cmocka_unit_test(test_pio),
		cmocka_unit_test(test_pio_strings),
		cmocka_unit_test(test_segment_checks),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_intercept),
		cmocka_unit_test(test_failed_push_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
