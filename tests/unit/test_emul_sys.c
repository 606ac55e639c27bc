/* link: emul/decode.c emul/optable.c emul/alu.c emul/exec.c emul/exec_alu.c emul/exec_data.c emul/exec_fast.c emul/exec_flow.c emul/exec_seg.c emul/exec_sse.c emul/exec_string.c emul/exec_system.c emul/operand.c emul/vme.c */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * The executor's system side: modes, branches, stack widths, control registers, MSRs, descriptor
 * tables, segment loads, far transfers, software interrupts. Expectations come from
 * the SDM's instruction pages.
 */
#include "unit.h"

#include "emul_world.h"

static struct world world;

static void test_real_mode(void **state)
{
	struct world *w = world_reset(&world, W_REAL);
	struct emul *e = &w->e;

	/* mov %al,%es:(%bx,%si) with wrap at 64 KiB */
	e->segs[X86_ES].base = 0x10000;
	e->regs[X86_RBX] = 0xfff0;
	e->regs[X86_RSI] = 0x20;
	e->regs[X86_RAX] = 0x5a;
	assert_int_equal(STEP(w, 0x26, 0x88, 0x00), EMUL_DONE);
	assert_int_equal(w->ram[0x10010], 0x5a);
	/* 67: 32-bit addressing, the limit still counts; no error code in real mode */
	e->regs[X86_RBX] = 0x10000;
	assert_fault(w, STEP(w, 0x67, 0x8b, 0x03), X86_TRAP_GP, 0);
	assert_false(e->fault.has_error);
	/* "unreal": a big limit is honoured */
	e->segs[X86_DS].limit = ~0u;
	assert_int_equal(STEP(w, 0x67, 0x8b, 0x03), EMUL_DONE);
	/* push keeps the upper half of ESP, and wraps SP */
	e->regs[X86_RSP] = 0x12340000;
	assert_int_equal(STEP(w, 0x50), EMUL_DONE);
	assert_int_equal(e->regs[X86_RSP], 0x1234fffe);
	/* mov %ax,%ds: base is selector * 16, the limit stays */
	e->regs[X86_RAX] = 0x1234;
	assert_int_equal(STEP(w, 0x8e, 0xd8), EMUL_DONE);
	assert_int_equal(e->segs[X86_DS].base, 0x12340);
	assert_int_equal(e->segs[X86_DS].limit, ~0u);
	/* ljmp $0x100,$0x200; lcall, lret */
	assert_int_equal(STEP(w, 0xea, 0x00, 0x02, 0x00, 0x01), EMUL_DONE);
	assert_int_equal(e->rip, 0x200);
	assert_int_equal(e->segs[X86_CS].base, 0x1000);
	e->regs[X86_RSP] = 0x3000;
	assert_int_equal(STEP(w, 0x9a, 0x34, 0x12, 0x00, 0x00), EMUL_DONE);
	assert_int_equal(e->rip, 0x1234);
	assert_int_equal(w_get(w, 0x2ffc, 2), 0x205);
	assert_int_equal(w_get(w, 0x2ffe, 2), 0x100);
	assert_int_equal(STEP(w, 0xca, 0x02, 0x00), EMUL_DONE);
	assert_int_equal(e->rip, 0x205);
	assert_int_equal(e->segs[X86_CS].selector, 0x100);
	assert_int_equal(e->regs[X86_RSP], 0x3002);
	/* iret */
	w_put(w, 0x3002, 0x0000000001000202, 6);
	w_put(w, 0x3006, 0x3002, 2);
	e->rflags |= X86_EFLAGS_CF;
	assert_int_equal(STEP(w, 0xcf), EMUL_DONE);
	assert_int_equal(e->rip, 0x202);
	assert_int_equal(e->rflags & 0x3fff, 0x3002);
	assert_int_equal(e->regs[X86_RSP], 0x3008);
	/* a near branch over the limit of CS */
	assert_fault(w, STEP(w, 0x66, 0xe9, 0, 0, 1, 0), X86_TRAP_GP, 0);
}

static void test_vm86(void **state)
{
	struct world *w = world_reset(&world, W_VM86);
	struct emul *e = &w->e;

	assert_int_equal(STEP(w, 0xfa), EMUL_DONE);
	assert_int_equal(STEP(w, 0x9c), EMUL_DONE);
	e->rflags &= ~(u64)X86_EFLAGS_IOPL;
	assert_fault(w, STEP(w, 0xfa), X86_TRAP_GP, 0);
	assert_true(e->fault.has_error);
	assert_fault(w, STEP(w, 0x9c), X86_TRAP_GP, 0);
	assert_fault(w, STEP(w, 0x9d), X86_TRAP_GP, 0);
	assert_fault(w, STEP(w, 0xcd, 0x10), X86_TRAP_GP, 0);
	assert_fault(w, STEP(w, 0xcf), X86_TRAP_GP, 0);
	assert_fault(w, STEP(w, 0x0f, 0x20, 0xc0), X86_TRAP_GP, 0);
	assert_fault(w, STEP(w, 0x0f, 0x00, 0xd0), X86_TRAP_UD, 0);
	/* INT3 is not sensitive */
	assert_int_equal(STEP(w, 0xcc), EMUL_FAULT);
	assert_true(e->fault.soft);
	/* ports always ask the TSS */
	w->io_allowed_result = EMUL_FAULT;
	e->rflags |= X86_EFLAGS_IOPL;
	assert_fault(w, STEP(w, 0xee), X86_TRAP_GP, 0);
	/* POPF cannot change IOPL */
	w_put(w, e->regs[X86_RSP], 0, 2);
	assert_int_equal(STEP(w, 0x9d), EMUL_DONE);
	assert_int_equal(e->rflags & X86_EFLAGS_IOPL, X86_EFLAGS_IOPL);
	assert_true(e->rflags & X86_EFLAGS_VM);
}

/* CR4.VME, IOPL < 3: the program's IF is VIF. */
static void test_vme_vif(void **state)
{
	struct world *w = world_reset(&world, W_VM86);
	struct emul *e = &w->e;

	e->cr4 |= X86_CR4_VME;
	e->rflags &= ~(u64)X86_EFLAGS_IOPL;
	e->rflags |= X86_EFLAGS_IF;
	assert_int_equal(STEP(w, 0xfb), EMUL_DONE); /* sti */
	assert_true(e->rflags & X86_EFLAGS_VIF);
	assert_int_equal(STEP(w, 0x9c), EMUL_DONE); /* pushf */
	assert_int_equal(w_get(w, e->regs[X86_RSP], 2) & 0x3200, 0x3200);
	assert_int_equal(STEP(w, 0xfa), EMUL_DONE); /* cli */
	assert_int_equal(e->rflags & (X86_EFLAGS_VIF | X86_EFLAGS_IF), X86_EFLAGS_IF);
	assert_int_equal(STEP(w, 0x9c), EMUL_DONE);
	assert_int_equal(w_get(w, e->regs[X86_RSP], 2) & 0x3200, 0x3000);
	assert_fault(w, STEP(w, 0x66, 0x9c), X86_TRAP_GP, 0);

	w_put(w, e->regs[X86_RSP], 0x0201, 2); /* popf: IF, CF */
	assert_int_equal(STEP(w, 0x9d), EMUL_DONE);
	assert_true(e->rflags & X86_EFLAGS_VIF);
	assert_true(e->rflags & X86_EFLAGS_CF);
	assert_int_equal(e->rflags & X86_EFLAGS_IOPL, 0);
	w_put(w, e->regs[X86_RSP], X86_EFLAGS_TF, 2);
	assert_fault(w, STEP(w, 0x9d), X86_TRAP_GP, 0);
	e->rflags |= X86_EFLAGS_VIP;
	assert_fault(w, STEP(w, 0xfb), X86_TRAP_GP, 0);
	w_put(w, e->regs[X86_RSP], X86_EFLAGS_IF, 2);
	assert_fault(w, STEP(w, 0x9d), X86_TRAP_GP, 0);
	e->rflags &= ~(u64)(X86_EFLAGS_VIP | X86_EFLAGS_VIF);

	w_put(w, e->regs[X86_RSP], 0x0200012000001234, 6); /* iret to 0120:1234 */
	w_put(w, e->regs[X86_RSP] + 2, 0x0120, 2);
	w_put(w, e->regs[X86_RSP] + 4, 0x0200, 2);
	assert_int_equal(STEP(w, 0xcf), EMUL_DONE);
	assert_int_equal(e->rip, 0x1234);
	assert_int_equal(e->segs[X86_CS].base, 0x1200);
	assert_true(e->rflags & X86_EFLAGS_VIF);
	assert_fault(w, STEP(w, 0x66, 0xcf), X86_TRAP_GP, 0);
}

/* CR4.VME: INT n as the redirection bit map says. */
static void test_vme_int(void **state)
{
	struct world *w = world_reset(&world, W_VM86);
	struct emul *e = &w->e;
	u64 sp;

	e->cr4 |= X86_CR4_VME;
	w->redirected_int = 0x10;
	w_put(w, 0x40, 0x3456, 2);
	w_put(w, 0x42, 0x0200, 2);
	e->rflags |= X86_EFLAGS_IF | X86_EFLAGS_CF;
	sp = e->regs[X86_RSP];
	assert_int_equal(STEP(w, 0xcd, 0x10), EMUL_DONE);
	assert_int_equal(e->rip, 0x3456);
	assert_int_equal(e->segs[X86_CS].base, 0x2000);
	assert_int_equal(e->regs[X86_RSP], sp - 6);
	assert_int_equal(w_get(w, sp - 2, 2) & 0x3201, 0x3201);
	assert_int_equal(e->rflags & X86_EFLAGS_IF, 0);
	/* not redirected: the IDT's, an event of the instruction */
	assert_int_equal(STEP(w, 0xcd, 0x11), EMUL_FAULT);
	assert_true(e->fault.soft);
	/* IOPL < 3: VIF instead of IF, and the IDT's become #GP */
	e->rflags = (e->rflags & ~(u64)X86_EFLAGS_IOPL) | X86_EFLAGS_IF | X86_EFLAGS_VIF;
	sp = e->regs[X86_RSP];
	assert_int_equal(STEP(w, 0xcd, 0x10), EMUL_DONE);
	assert_int_equal(w_get(w, sp - 2, 2) & 0x3200, 0x3200);
	assert_int_equal(e->rflags & (X86_EFLAGS_IF | X86_EFLAGS_VIF), X86_EFLAGS_IF);
	assert_fault(w, STEP(w, 0xcd, 0x11), X86_TRAP_GP, 0);
}

/* CR4.PVI: CLI and STI of a program at CPL 3. */
static void test_pvi(void **state)
{
	struct world *w = world_reset(&world, W_PROT32);
	struct emul *e = &w->e;

	e->cpl = 3;
	assert_fault(w, STEP(w, 0xfb), X86_TRAP_GP, 0);
	e->cr4 |= X86_CR4_PVI;
	assert_int_equal(STEP(w, 0xfb), EMUL_DONE);
	assert_true(e->rflags & X86_EFLAGS_VIF);
	assert_int_equal(STEP(w, 0xfa), EMUL_DONE);
	assert_int_equal(e->rflags & X86_EFLAGS_VIF, 0);
	e->cpl = 2;
	assert_fault(w, STEP(w, 0xfa), X86_TRAP_GP, 0);
}

static void test_branches(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	assert_int_equal(STEP(w, 0xeb, 0xfe), EMUL_DONE);
	assert_int_equal(e->rip, 0x1000);
	assert_int_equal(STEP(w, 0xe9, 0xfb, 0x0f, 0, 0), EMUL_DONE);
	assert_int_equal(e->rip, 0x2000);
	e->rflags |= X86_EFLAGS_ZF;
	assert_int_equal(STEP(w, 0x75, 0x10), EMUL_DONE);
	assert_int_equal(e->rip, 0x2002);
	assert_int_equal(STEP(w, 0x74, 0x10), EMUL_DONE);
	assert_int_equal(e->rip, 0x2014);
	/* call *%rax, ret $8 */
	e->regs[X86_RAX] = 0x4000;
	assert_int_equal(STEP(w, 0xff, 0xd0), EMUL_DONE);
	assert_int_equal(e->rip, 0x4000);
	assert_int_equal(w_get(w, 0x2ff8, 8), 0x2016);
	assert_int_equal(STEP(w, 0xc2, 0x08, 0x00), EMUL_DONE);
	assert_int_equal(e->rip, 0x2016);
	assert_int_equal(e->regs[X86_RSP], 0x3008);
	/* not canonical */
	e->regs[X86_RAX] = 0x800000000000;
	assert_fault(w, STEP(w, 0xff, 0xe0), X86_TRAP_GP, 0);
	assert_int_equal(e->rip, 0x2016);
	/* loop, jrcxz, jecxz */
	e->regs[X86_RCX] = 0x100000001;
	assert_int_equal(STEP(w, 0x67, 0xe2, 0x10), EMUL_DONE);
	assert_int_equal(e->regs[X86_RCX], 0);
	assert_int_equal(e->rip, 0x2019);
	assert_int_equal(STEP(w, 0xe2, 0x10), EMUL_DONE);
	assert_int_equal(e->rip, 0x202b);
	assert_int_equal(e->regs[X86_RCX], ~0ULL);
	assert_int_equal(STEP(w, 0xe3, 0x10), EMUL_DONE);
	assert_int_equal(e->rip, 0x202d);
	assert_int_equal(STEP(w, 0xe1, 0x10), EMUL_DONE);
	assert_int_equal(e->rip, 0x203f);
	assert_int_equal(STEP(w, 0xe0, 0x10), EMUL_DONE);
	assert_int_equal(e->rip, 0x2041);
	/* RIP wraps at 4 GiB outside 64-bit mode */
	world_reset(w, W_PROT32);
	assert_int_equal(STEP(w, 0xe9, 0x00, 0x00, 0x00, 0x80), EMUL_DONE);
	assert_int_equal(e->rip, 0x80001005);
	world_reset(w, W_PROT32);
	assert_int_equal(STEP(w, 0x66, 0xe9, 0xff, 0xff), EMUL_DONE);
	assert_int_equal(e->rip, 0x1003);
}

static void test_control_regs(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	e->regs[X86_RDI] = 0xffffffff000006f0;
	assert_int_equal(STEP(w, 0x0f, 0x22, 0xe7), EMUL_DONE);
	assert_int_equal(w->cr[4], 0xffffffff000006f0);
	assert_int_equal(STEP(w, 0x0f, 0x20, 0xe0), EMUL_DONE);
	assert_int_equal(e->regs[X86_RAX], 0xffffffff000006f0);
	e->regs[X86_RAX] = 16;
	assert_fault(w, STEP(w, 0x44, 0x0f, 0x22, 0xc0), X86_TRAP_GP, 0);
	e->cpl = 3;
	assert_fault(w, STEP(w, 0x0f, 0x20, 0xe0), X86_TRAP_GP, 0);
	e->cpl = 0;
	w->cr[0] = X86_CR0_PE | X86_CR0_TS;
	assert_int_equal(STEP(w, 0x0f, 0x06), EMUL_DONE);
	assert_int_equal(w->cr[0], X86_CR0_PE);
	/* lmsw: cannot clear PE, sets the low four bits only */
	e->regs[X86_RAX] = 0xfffe;
	assert_int_equal(STEP(w, 0x0f, 0x01, 0xf0), EMUL_DONE);
	assert_int_equal(w->cr[0], 0xf);
	/* smsw to memory is 16 bits, to a register the whole CR0 */
	w->cr[0] = 0x80050033;
	e->regs[X86_RBX] = 0x4000;
	w_put(w, 0x4000, ~0ULL, 8);
	assert_int_equal(STEP(w, 0x0f, 0x01, 0x23), EMUL_DONE);
	assert_int_equal(w_get(w, 0x4000, 4), 0xffff0033);
	assert_int_equal(STEP(w, 0x48, 0x0f, 0x01, 0xe0), EMUL_DONE);
	assert_int_equal(e->regs[X86_RAX], 0x80050033);
	/* so do SLDT and STR */
	w->ldtr.selector = 0x28;
	w->tr.selector = 0x48;
	w_put(w, 0x4000, ~0ULL, 8);
	assert_int_equal(STEP(w, 0x0f, 0x00, 0x03), EMUL_DONE);
	assert_int_equal(w_get(w, 0x4000, 4), 0xffff0028);
	assert_int_equal(STEP(w, 0x0f, 0x00, 0x0b), EMUL_DONE);
	assert_int_equal(w_get(w, 0x4000, 4), 0xffff0048);
	assert_int_equal(STEP(w, 0x48, 0x0f, 0x00, 0xc8), EMUL_DONE);
	assert_int_equal(e->regs[X86_RAX], 0x48);
	e->cr4 |= X86_CR4_UMIP;
	e->cpl = 3;
	assert_fault(w, STEP(w, 0x0f, 0x01, 0xe0), X86_TRAP_GP, 0);
	assert_fault(w, STEP(w, 0x0f, 0x00, 0x03), X86_TRAP_GP, 0);
	assert_fault(w, STEP(w, 0x0f, 0x00, 0x0b), X86_TRAP_GP, 0);
	/* 32-bit */
	world_reset(w, W_PROT32);
	e->regs[X86_RAX] = 0x1234;
	assert_int_equal(STEP(w, 0x0f, 0x22, 0xd8), EMUL_DONE);
	assert_int_equal(w->cr[3], 0x1234);
}

static void test_debug_regs(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	e->regs[X86_RAX] = 0x1000;
	assert_int_equal(STEP(w, 0x0f, 0x23, 0xd8), EMUL_DONE);
	assert_int_equal(w->dr[3], 0x1000);
	w->dr[6] = 0xffff0ff0;
	assert_int_equal(STEP(w, 0x0f, 0x21, 0xe3), EMUL_DONE);
	assert_int_equal(e->regs[X86_RBX], 0xffff0ff0);
	e->cr4 |= X86_CR4_DE;
	assert_fault(w, STEP(w, 0x0f, 0x21, 0xe3), X86_TRAP_UD, 0);
	e->regs[X86_RAX] = 1ULL << 32;
	assert_fault(w, STEP(w, 0x0f, 0x23, 0xf8), X86_TRAP_GP, 0);
	w->dr[7] = 1 << 13;
	assert_fault(w, STEP(w, 0x0f, 0x21, 0xc0), X86_TRAP_DB, 0);
	assert_int_equal(e->fault.payload, 1 << 13);
}

static void test_msrs(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	w->msr_tsc = 0x1122334455667788;
	w->msr_aux = 7;
	e->regs[X86_RAX] = ~0ULL;
	e->regs[X86_RCX] = MSR_IA32_TSC;
	assert_int_equal(STEP(w, 0x0f, 0x32), EMUL_DONE);
	assert_int_equal(e->regs[X86_RAX], 0x55667788);
	assert_int_equal(e->regs[X86_RDX], 0x11223344);
	e->regs[X86_RCX] = 0xbad;
	assert_fault(w, STEP(w, 0x0f, 0x32), X86_TRAP_GP, 0);
	assert_fault(w, STEP(w, 0x0f, 0x30), X86_TRAP_GP, 0);
	e->regs[X86_RCX] = 0xffffffff00000123;
	assert_int_equal(STEP(w, 0x0f, 0x30), EMUL_DONE);
	assert_int_equal(w->msr_index, 0x123);
	assert_int_equal(w->msr_last, 0x1122334455667788);
	assert_int_equal(STEP(w, 0x0f, 0x01, 0xf9), EMUL_DONE);
	assert_int_equal(e->regs[X86_RCX], 7);
	e->regs[X86_RCX] = 1;
	assert_int_equal(STEP(w, 0x0f, 0x33), EMUL_DONE);
	assert_int_equal(e->regs[X86_RAX], 0x33334445);
	e->cpl = 3;
	assert_int_equal(STEP(w, 0x0f, 0x31), EMUL_DONE);
	assert_fault(w, STEP(w, 0x0f, 0x33), X86_TRAP_GP, 0);
	e->cr4 |= X86_CR4_TSD;
	assert_fault(w, STEP(w, 0x0f, 0x31), X86_TRAP_GP, 0);
	assert_fault(w, STEP(w, 0x0f, 0x32), X86_TRAP_GP, 0);
	assert_fault(w, STEP(w, 0x0f, 0x30), X86_TRAP_GP, 0);
	/* cpuid, swapgs */
	world_reset(w, W_LONG64);
	e->regs[X86_RAX] = 1;
	e->regs[X86_RCX] = 2;
	assert_int_equal(STEP(w, 0x0f, 0xa2), EMUL_DONE);
	assert_int_equal(e->regs[X86_RBX], 0xb);
	assert_int_equal(e->regs[X86_RDX], 3);
	w->msr_kernel_gs = 0x1111;
	e->segs[X86_GS].base = 0x2222;
	assert_int_equal(STEP(w, 0x0f, 0x01, 0xf8), EMUL_DONE);
	assert_int_equal(w->msr_kernel_gs, 0x2222);
	assert_int_equal(e->segs[X86_GS].base, 0x1111);
}

static void test_desc_tables(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	e->regs[X86_RBX] = 0x4000;
	w_put(w, 0x4000, 0x0fff, 2);
	w_put(w, 0x4002, 0xffff800000001000, 8);
	assert_int_equal(STEP(w, 0x0f, 0x01, 0x13), EMUL_DONE);
	assert_int_equal(w->dt[EMUL_GDT].base, 0xffff800000001000);
	assert_int_equal(w->dt[EMUL_GDT].limit, 0x0fff);
	w_put(w, 0x4002, 0x8000000000001000, 8);
	assert_fault(w, STEP(w, 0x0f, 0x01, 0x1b), X86_TRAP_GP, 0);
	e->regs[X86_RBX] = 0x5000;
	assert_int_equal(STEP(w, 0x0f, 0x01, 0x03), EMUL_DONE);
	assert_int_equal(w_get(w, 0x5002, 8), 0xffff800000001000);
	e->cpl = 3;
	assert_fault(w, STEP(w, 0x0f, 0x01, 0x13), X86_TRAP_GP, 0);
	/* 16-bit operand size: 24 bits of base */
	world_reset(w, W_REAL);
	e->regs[X86_RBX] = 0x4000;
	w_put(w, 0x4000, 0x12345678ffff, 6);
	assert_int_equal(STEP(w, 0x0f, 0x01, 0x1f), EMUL_DONE);
	assert_int_equal(w->dt[EMUL_IDT].base, 0x345678);
	assert_int_equal(STEP(w, 0x66, 0x0f, 0x01, 0x1f), EMUL_DONE);
	assert_int_equal(w->dt[EMUL_IDT].base, 0x12345678);
}

static void test_system_hook(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	assert_int_equal(STEP(w, 0xf4), EMUL_DONE);
	assert_int_equal(STEP(w, 0x0f, 0x01, 0xc1), EMUL_DONE);
	assert_int_equal(STEP(w, 0x0f, 0x01, 0xd1), EMUL_DONE);
	assert_int_equal(w->systems, 3);
	assert_int_equal(e->rip, 0x1007);
	/* SVM instructions are undefined without EFER.SVME */
	assert_fault(w, STEP(w, 0x0f, 0x01, 0xd8), X86_TRAP_UD, 0);
	/* invlpg: the address is not checked, and 64-bit mode ignores DS's base */
	e->regs[X86_RBX] = 0x823456789000;
	assert_int_equal(STEP(w, 0x0f, 0x01, 0x3b), EMUL_DONE);
	assert_int_equal(w->invlpgs, 0);
	e->segs[X86_DS].base = 0x1000;
	e->regs[X86_RBX] = 0x7fff5678a000;
	assert_int_equal(STEP(w, 0x0f, 0x01, 0x3b), EMUL_DONE);
	assert_int_equal(w->invlpg_addr, 0x7fff5678a000);
}

/* A descriptor in the GDT of the test machine. */
static void put_desc(struct world *w, unsigned int sel, u32 base, u32 limit, u32 ar)
{
	u64 d = (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(ar & 0xff) << 40 |
		(u64)(limit >> 16 & 15) << 48 | (u64)(ar >> 12 & 15) << 52 |
		(u64)(base >> 24) << 56;

	w_put(w, GDT_BASE + (sel & ~7u), d, 8);
}

static void test_segment_loads(void **state)
{
	struct world *w = world_reset(&world, W_PROT32);
	struct emul *e = &w->e;

	/* mov %eax,%ds: unpacked, accessed bit set in memory */
	put_desc(w, 0x18, 0x12345678, 0xfffff, 0xc092);
	e->regs[X86_RAX] = 0x18;
	assert_int_equal(STEP(w, 0x8e, 0xd8), EMUL_DONE);
	assert_int_equal(e->segs[X86_DS].base, 0x12345678);
	assert_int_equal(e->segs[X86_DS].limit, 0xffffffff);
	assert_int_equal(e->segs[X86_DS].ar, 0xc093);
	assert_int_equal(w->ram[GDT_BASE + 0x1d], 0x93);
	/* null is allowed for DS, not for SS */
	e->regs[X86_RAX] = 3;
	assert_int_equal(STEP(w, 0x8e, 0xd8), EMUL_DONE);
	assert_true(e->segs[X86_DS].ar & SEG_AR_UNUSABLE);
	assert_fault(w, STEP(w, 0x8e, 0xd0), X86_TRAP_GP, 0);
	/* beyond the table, in a missing LDT */
	e->regs[X86_RAX] = 0x100;
	assert_fault(w, STEP(w, 0x8e, 0xd8), X86_TRAP_GP, 0x100);
	e->regs[X86_RAX] = 0x0f;
	assert_fault(w, STEP(w, 0x8e, 0xd8), X86_TRAP_GP, 0x0c);
	w->ldtr.ar = 0x82;
	w->ldtr.base = LDT_BASE;
	w->ldtr.limit = 0x0f;
	w_put(w, LDT_BASE + 8, 0x00cff2000000ffff, 8);
	assert_int_equal(STEP(w, 0x8e, 0xc0), EMUL_DONE);
	/* not present, and by register */
	put_desc(w, 0x20, 0, 0xfffff, 0xc012);
	e->regs[X86_RAX] = 0x20;
	assert_fault(w, STEP(w, 0x8e, 0xd8), X86_TRAP_NP, 0x20);
	assert_fault(w, STEP(w, 0x8e, 0xd0), X86_TRAP_SS, 0x20);
	/* system descriptor, execute-only code, read-only stack */
	put_desc(w, 0x20, 0, 0xfffff, 0x0082);
	assert_fault(w, STEP(w, 0x8e, 0xd8), X86_TRAP_GP, 0x20);
	put_desc(w, 0x20, 0, 0xfffff, 0xc098);
	assert_fault(w, STEP(w, 0x8e, 0xd8), X86_TRAP_GP, 0x20);
	put_desc(w, 0x20, 0, 0xfffff, 0xc090);
	assert_fault(w, STEP(w, 0x8e, 0xd0), X86_TRAP_GP, 0x20);
	/* privilege */
	put_desc(w, 0x20, 0, 0xfffff, 0xc093);
	e->regs[X86_RAX] = 0x23;
	assert_fault(w, STEP(w, 0x8e, 0xd8), X86_TRAP_GP, 0x20);
	assert_fault(w, STEP(w, 0x8e, 0xd0), X86_TRAP_GP, 0x20);
	e->regs[X86_RAX] = 0x20;
	assert_int_equal(STEP(w, 0x8e, 0xd0), EMUL_DONE);
	assert_int_equal(e->shadow, EMUL_SHADOW_MOVSS);
	/* push, pop, and reading */
	assert_int_equal(STEP(w, 0x1e), EMUL_DONE);
	assert_int_equal(STEP(w, 0x8c, 0xd1), EMUL_DONE);
	assert_int_equal(e->regs[X86_RCX], 0x20);
	assert_int_equal(STEP(w, 0x07), EMUL_DONE);
	/* les */
	e->regs[X86_RBX] = 0x4000;
	w_put(w, 0x4000, 0x002011223344, 6);
	e->segs[X86_DS] = e->segs[X86_SS];
	assert_int_equal(STEP(w, 0xc4, 0x0b), EMUL_DONE);
	assert_int_equal(e->regs[X86_RCX], 0x11223344);
	assert_int_equal(e->segs[X86_ES].selector, 0x20);
}

static void test_far_transfers(void **state)
{
	struct world *w = world_reset(&world, W_PROT32);
	struct emul *e = &w->e;

	put_desc(w, 0x18, 0x2000, 0xffff, 0x409a);
	assert_int_equal(STEP(w, 0xea, 0x10, 0, 0, 0, 0x18, 0), EMUL_DONE);
	assert_int_equal(e->rip, 0x10);
	assert_int_equal(e->segs[X86_CS].base, 0x2000);
	assert_int_equal(e->segs[X86_CS].ar, 0x409b);
	/* lcall and lret */
	put_desc(w, 0x20, 0, 0xfffff, 0xc09a);
	e->rip = 0x1000;
	e->segs[X86_CS].base = 0;
	assert_int_equal(STEP(w, 0x9a, 0x34, 0x12, 0, 0, 0x20, 0), EMUL_DONE);
	assert_int_equal(w_get(w, 0x2ff8, 4), 0x1007);
	assert_int_equal(w_get(w, 0x2ffc, 4), 0x18);
	assert_int_equal(STEP(w, 0xcb), EMUL_DONE);
	assert_int_equal(e->rip, 0x1007);
	assert_int_equal(e->regs[X86_RSP], 0x3000);
	/* target outside the segment, data segment, null, gate */
	e->segs[X86_CS].base = 0;
	assert_fault(w, STEP(w, 0xea, 0, 0, 1, 0, 0x18, 0), X86_TRAP_GP, 0);
	put_desc(w, 0x28, 0, 0xfffff, 0xc092);
	assert_fault(w, STEP(w, 0xea, 0, 0, 0, 0, 0x28, 0), X86_TRAP_GP, 0x28);
	assert_fault(w, STEP(w, 0xea, 0, 0, 0, 0, 0x03, 0), X86_TRAP_GP, 0);
	put_desc(w, 0x28, 0, 0, 0x008c);
	assert_int_equal(STEP(w, 0xea, 0, 0, 0, 0, 0x28, 0), EMUL_UNHANDLEABLE);
	put_desc(w, 0x28, 0, 0xfffff, 0xc01a);
	assert_fault(w, STEP(w, 0xea, 0, 0, 0, 0, 0x28, 0), X86_TRAP_NP, 0x28);
	/* return to an outer level: refused; to an inner one: #GP */
	put_desc(w, 0x30, 0, 0xfffff, 0xc0fa);
	w_put(w, 0x3000, 0x0000003300001234, 8);
	assert_int_equal(STEP(w, 0xcb), EMUL_UNHANDLEABLE);
	assert_int_equal(e->regs[X86_RSP], 0x3000);
	/* iret within the level; nested task refused */
	put_desc(w, 0x18, 0, 0xfffff, 0xc09a);
	w_put(w, 0x3000, 0x0000001800001234, 8);
	w_put(w, 0x3008, 0x10002, 4);
	assert_int_equal(STEP(w, 0xcf), EMUL_DONE);
	assert_int_equal(e->rip, 0x1234);
	assert_int_equal(e->regs[X86_RSP], 0x300c);
	assert_int_equal(e->rflags, 0x10002);
	e->rflags |= X86_EFLAGS_NT;
	assert_int_equal(STEP(w, 0xcf), EMUL_UNHANDLEABLE);
	/* iretq pops the stack, too */
	world_reset(w, W_LONG64);
	put_desc(w, 0x10, 0, 0, 0xa09a);
	w_put(w, 0x3000, 0x1234, 8);
	w_put(w, 0x3008, 0x10, 8);
	w_put(w, 0x3010, 0x202, 8);
	w_put(w, 0x3018, 0x5000, 8);
	w_put(w, 0x3020, 0, 8);
	assert_int_equal(STEP(w, 0x48, 0xcf), EMUL_DONE);
	assert_int_equal(e->rip, 0x1234);
	assert_int_equal(e->regs[X86_RSP], 0x5000);
}

static void test_soft_interrupts(void **state)
{
	struct world *w = world_reset(&world, W_PROT32);
	struct emul *e = &w->e;

	assert_int_equal(STEP(w, 0xcd, 0x80), EMUL_FAULT);
	assert_int_equal(e->fault.vector, 0x80);
	assert_true(e->fault.soft);
	assert_int_equal(e->fault.insn_len, 2);
	assert_int_equal(e->rip, 0x1000);
	/* a vector that pushes an error code when it is an exception */
	assert_int_equal(STEP(w, 0xcd, 0x0d), EMUL_FAULT);
	assert_false(e->fault.has_error);
	assert_int_equal(STEP(w, 0xce), EMUL_DONE);
	e->rflags |= X86_EFLAGS_OF;
	assert_int_equal(STEP(w, 0xce), EMUL_FAULT);
	assert_int_equal(e->fault.vector, X86_TRAP_OF);
	assert_int_equal(STEP(w, 0xf1), EMUL_FAULT);
	assert_int_equal(e->fault.vector, X86_TRAP_DB);
}

static void test_flags(void **state)
{
	struct world *w = world_reset(&world, W_PROT32);
	struct emul *e = &w->e;

	/* cli, sti and the shadow it leaves, once */
	assert_int_equal(STEP(w, 0xfa), EMUL_DONE);
	assert_false(e->rflags & X86_EFLAGS_IF);
	assert_int_equal(STEP(w, 0xfb), EMUL_DONE);
	assert_int_equal(e->shadow, EMUL_SHADOW_STI);
	assert_int_equal(STEP(w, 0xfb), EMUL_DONE);
	assert_int_equal(e->shadow, 0);
	/* RF is cleared by a completed instruction, kept by a faulting one */
	e->rflags |= X86_EFLAGS_RF;
	assert_fault(w, STEP(w, 0x0f, 0x0b), X86_TRAP_UD, 0);
	assert_true(e->rflags & X86_EFLAGS_RF);
	assert_int_equal(STEP(w, 0x90), EMUL_DONE);
	assert_false(e->rflags & X86_EFLAGS_RF);
	/* above IOPL, POPF leaves IF and IOPL alone */
	e->cpl = 3;
	assert_fault(w, STEP(w, 0xfa), X86_TRAP_GP, 0);
	w_put(w, 0x3000, 0x3003, 4);
	assert_int_equal(STEP(w, 0x9d), EMUL_DONE);
	assert_int_equal(e->rflags, X86_EFLAGS_IF | 3);
	e->cpl = 0;
	e->regs[X86_RSP] = 0x3000;
	assert_int_equal(STEP(w, 0x9d), EMUL_DONE);
	assert_int_equal(e->rflags, 0x3003);
	/* division errors, AAM 0, BOUND */
	assert_fault(w, STEP(w, 0xf7, 0xf1), X86_TRAP_DE, 0);
	assert_fault(w, STEP(w, 0xd4, 0x00), X86_TRAP_DE, 0);
	e->regs[X86_RBX] = 0x4000;
	e->regs[X86_RAX] = 5;
	w_put(w, 0x4000, 0x0000000500000000, 8);
	assert_int_equal(STEP(w, 0x62, 0x03), EMUL_DONE);
	e->regs[X86_RAX] = 6;
	assert_fault(w, STEP(w, 0x62, 0x03), X86_TRAP_BR, 0);
}

static void test_sysenter(void **state)
{
	struct world *w = world_reset(&world, W_COMPAT32);
	struct emul *e = &w->e;

	e->cpl = 3;
	assert_fault(w, STEP(w, 0x0f, 0x34), X86_TRAP_GP, 0);
	w->sysenter[0] = 0x10;
	w->sysenter[1] = 0xffff800000003000;
	w->sysenter[2] = 0xffff800000001000;
	assert_int_equal(STEP(w, 0x0f, 0x34), EMUL_DONE);
	assert_int_equal(e->rip, 0xffff800000001000);
	assert_int_equal(e->regs[X86_RSP], 0xffff800000003000);
	assert_int_equal(e->segs[X86_CS].selector, 0x10);
	assert_int_equal(e->segs[X86_CS].ar, 0xa09b);
	assert_int_equal(e->segs[X86_SS].selector, 0x18);
	assert_int_equal(e->segs[X86_SS].ar, 0xc093);
	assert_int_equal(e->cpl, 0);
	assert_false(e->rflags & X86_EFLAGS_IF);
	/* and back, to 32-bit and to 64-bit code */
	e->rip = 0x1000;
	e->regs[X86_RCX] = 0x100003000;
	e->regs[X86_RDX] = 0x100001000;
	assert_int_equal(STEP(w, 0x0f, 0x35), EMUL_DONE);
	assert_int_equal(e->rip, 0x1000);
	assert_int_equal(e->regs[X86_RSP], 0x3000);
	assert_int_equal(e->segs[X86_CS].selector, 0x23);
	assert_int_equal(e->segs[X86_CS].ar, 0xc0fb);
	assert_int_equal(e->segs[X86_SS].selector, 0x2b);
	assert_fault(w, STEP(w, 0x0f, 0x35), X86_TRAP_GP, 0);
	world_reset(w, W_LONG64);
	w->sysenter[0] = 0x10;
	e->regs[X86_RDX] = 0x2000;
	assert_int_equal(STEP(w, 0x48, 0x0f, 0x35), EMUL_DONE);
	assert_int_equal(e->segs[X86_CS].selector, 0x33);
	assert_int_equal(e->segs[X86_CS].ar, 0xa0fb);
	world_reset(w, W_LONG64);
	w->sysenter[0] = 0x10;
	e->regs[X86_RDX] = 0x800000000000;
	assert_fault(w, STEP(w, 0x48, 0x0f, 0x35), X86_TRAP_GP, 0);
	/* not in real mode */
	world_reset(w, W_REAL);
	assert_fault(w, STEP(w, 0x0f, 0x34), X86_TRAP_GP, 0);
}

static void test_cache_lines(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	e->regs[X86_RBX] = DEVICE;
	assert_int_equal(STEP(w, 0x0f, 0xae, 0x3b), EMUL_DONE);
	assert_int_equal(STEP(w, 0x66, 0x0f, 0xae, 0x3b), EMUL_DONE);
	assert_int_equal(STEP(w, 0x66, 0x0f, 0xae, 0x33), EMUL_DONE);
	assert_false(w->dev_pending);
	e->regs[X86_RBX] = HOLE;
	assert_fault(w, STEP(w, 0x0f, 0xae, 0x3b), X86_TRAP_PF, 0);
}

static void test_sse_state(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;

	e->regs[X86_RBX] = 0x4008;
	assert_int_equal(STEP(w, 0x0f, 0x10, 0x03), EMUL_DONE);
	assert_fault(w, STEP(w, 0x0f, 0x28, 0x03), X86_TRAP_GP, 0);
	e->cr0 |= X86_CR0_TS;
	assert_fault(w, STEP(w, 0x0f, 0x10, 0x03), X86_TRAP_NM, 0);
	e->cr0 |= X86_CR0_EM;
	assert_fault(w, STEP(w, 0x0f, 0x10, 0x03), X86_TRAP_UD, 0);
	e->cr0 &= ~(u64)(X86_CR0_TS | X86_CR0_EM);
	e->cr4 = 0;
	assert_fault(w, STEP(w, 0x0f, 0x10, 0x03), X86_TRAP_UD, 0);
}

static void test_vmx_operand(void **state)
{
	struct world *w = world_reset(&world, W_LONG64);
	struct emul *e = &w->e;
	u64 linear;

	/* vmptrld 8(%rsp): found by the #UD path without executing it */
	w_code(w, (const u8[]){ 0x0f, 0xc7, 0x74, 0x24, 0x08 }, 5);
	assert_int_equal(emul_fetch_decode(e), EMUL_OK);
	assert_int_equal(e->insn.op->id, OPC_VMPTRLD);
	assert_int_equal(emul_mem_operand(e, 8, false, &linear), EMUL_OK);
	assert_int_equal(linear, 0x3008);
	e->regs[X86_RSP] = 0x800000000000 - 8;
	assert_int_equal(emul_mem_operand(e, 8, false, &linear), EMUL_FAULT);
	assert_int_equal(e->fault.vector, X86_TRAP_SS);
	/* vmread %rax,(%rbx): operands by number */
	w_code(w, (const u8[]){ 0x0f, 0x78, 0x03 }, 3);
	assert_int_equal(emul_fetch_decode(e), EMUL_OK);
	assert_int_equal(e->insn.op->id, OPC_VMREAD);
	assert_true(e->insn.is_mem);
	assert_int_equal(e->insn.reg, X86_RAX);
	/* a register form has no memory operand */
	w_code(w, (const u8[]){ 0x0f, 0x78, 0xc3 }, 3);
	assert_int_equal(emul_fetch_decode(e), EMUL_OK);
	assert_int_equal(emul_mem_operand(e, 8, false, &linear), EMUL_FAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_mode),     cmocka_unit_test(test_vm86),
		cmocka_unit_test(test_vme_vif),	      cmocka_unit_test(test_vme_int),
		cmocka_unit_test(test_pvi),	      cmocka_unit_test(test_branches),
		cmocka_unit_test(test_control_regs),  cmocka_unit_test(test_debug_regs),
		cmocka_unit_test(test_msrs),	      cmocka_unit_test(test_desc_tables),
		cmocka_unit_test(test_system_hook),   cmocka_unit_test(test_segment_loads),
		cmocka_unit_test(test_far_transfers), cmocka_unit_test(test_soft_interrupts),
		cmocka_unit_test(test_flags),	      cmocka_unit_test(test_sysenter),
		cmocka_unit_test(test_cache_lines),   cmocka_unit_test(test_sse_state),
		cmocka_unit_test(test_vmx_operand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
