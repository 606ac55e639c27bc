/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs one user-mode instruction on the real processor with chosen registers, flags and XMM
 * registers, in 64-bit code or in 32-bit code of the same process, and returns
 * what it left. A fault is caught and reported as its vector. For tests that compare
 * the emulator with the processor; the caller picks only harmless instructions.
 */
#ifndef TESTS_NATIVE_H
#define TESTS_NATIVE_H

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "hw/x86_state.h"

/* All below 4 GiB, so that 32-bit code reaches it. */
#define NATIVE_STATE	0x20000000UL
#define NATIVE_CODE	0x20010000UL
#define NATIVE_STACK	0x20030000UL /* top of the stack of the stub in 32-bit code */
#define NATIVE_BUF	0x21000000UL
#define NATIVE_BUF_SIZE 8192

struct native_state {
	u64 regs[16];
	u64 rflags;
	u64 host_rsp;
	u8 xmm[16][16] __aligned(16);
	struct {
		u32 off;
		u16 sel;
	} __packed to32, to64;
};

struct native_code {
	u8 *p;
};

static sigjmp_buf native_jump;
static volatile int native_vector;
static struct native_state *const native = (void *)NATIVE_STATE;

static void native_signal(int sig, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	native_vector = uc->uc_mcontext.gregs[REG_TRAPNO];
	siglongjmp(native_jump, 1);
}

static void emit(struct native_code *c, const void *bytes, unsigned int n)
{
	memcpy(c->p, bytes, n);
	c->p += n;
}

#define EMIT(c, ...) emit(c, (const u8[]){ __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ }))

static u32 state_addr(const void *member)
{
	return (u32)(uintptr_t)member;
}

/* MOV between a register and absolute memory; opcode 8B loads, 89 stores. */
static void emit_mov(struct native_code *c, u8 op, unsigned int reg, const void *at, bool code64)
{
	u32 addr = state_addr(at);

	if (code64)
		EMIT(c, 0x48 | (reg >> 3) << 2, op, 0x04 | (reg & 7) << 3, 0x25);
	else
		EMIT(c, op, 0x05 | (reg & 7) << 3);
	emit(c, &addr, 4);
}

/* MOVUPS between an XMM register and absolute memory; 10 loads, 11 stores. */
static void emit_xmm(struct native_code *c, u8 op, unsigned int reg, const void *at, bool code64)
{
	u32 addr = state_addr(at);

	if (code64)
		EMIT(c, 0x40 | (reg >> 3) << 2, 0x0f, op, 0x04 | (reg & 7) << 3, 0x25);
	else
		EMIT(c, 0x0f, op, 0x05 | (reg & 7) << 3);
	emit(c, &addr, 4);
}

/* PUSH (FF /6) or POP (8F /0) of absolute memory. */
static void emit_stack(struct native_code *c, bool push, const void *at, bool code64)
{
	u32 addr = state_addr(at);

	if (code64)
		EMIT(c, push ? 0xff : 0x8f, push ? 0x34 : 0x04, 0x25);
	else
		EMIT(c, push ? 0xff : 0x8f, push ? 0x35 : 0x05);
	emit(c, &addr, 4);
}

static void emit_load_all(struct native_code *c, bool code64)
{
	unsigned int i, n = code64 ? 16 : 8;

	for (i = 0; i < n; i++)
		emit_xmm(c, 0x10, i, native->xmm[i], code64);
	emit_stack(c, true, &native->rflags, code64);
	EMIT(c, 0x9d); /* popf */
	for (i = 0; i < n; i++)
		emit_mov(c, 0x8b, i, &native->regs[i], code64);
}

static void emit_store_all(struct native_code *c, bool code64)
{
	unsigned int i, n = code64 ? 16 : 8;

	for (i = 0; i < n; i++)
		emit_mov(c, 0x89, i, &native->regs[i], code64);
	if (code64) {
		emit_mov(c, 0x8b, X86_RSP, &native->host_rsp, true);
	} else {
		u32 top = NATIVE_STACK;

		EMIT(c, 0xbc); /* mov $top,%esp */
		emit(c, &top, 4);
	}
	EMIT(c, 0x9c); /* pushf */
	emit_stack(c, false, &native->rflags, code64);
	EMIT(c, 0xfc); /* cld */
	for (i = 0; i < n; i++)
		emit_xmm(c, 0x11, i, native->xmm[i], code64);
}

/* 64-bit frame around the instruction, which runs in 64- or in 32-bit code. */
static void native_build(const u8 *insn, unsigned int len, bool code64)
{
	static const u8 push_all[] = { 0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57 };
	static const u8 pop_all[] = { 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d,
				      0x41, 0x5c, 0x5d, 0x5b, 0xc3 };
	struct native_code c = { (u8 *)NATIVE_CODE };
	u32 addr, top = NATIVE_STACK;

	emit(&c, push_all, sizeof(push_all));
	emit_mov(&c, 0x89, X86_RSP, &native->host_rsp, true);
	if (!code64) {
		addr = state_addr(&native->to32);
		EMIT(&c, 0xff, 0x2c, 0x25); /* ljmp *to32 */
		emit(&c, &addr, 4);
		native->to32.off = (u32)(uintptr_t)c.p;
		native->to32.sel = 0x23;
		EMIT(&c, 0xbc); /* mov $top,%esp */
		emit(&c, &top, 4);
		/* mov $0x2b,%eax; mov %eax,%ds; mov %eax,%es */
		EMIT(&c, 0xb8, 0x2b, 0, 0, 0, 0x8e, 0xd8, 0x8e, 0xc0);
	}
	emit_load_all(&c, code64);
	emit(&c, insn, len);
	emit_store_all(&c, code64);
	if (!code64) {
		addr = state_addr(&native->to64);
		EMIT(&c, 0xff, 0x2d); /* ljmp *to64 */
		emit(&c, &addr, 4);
		native->to64.off = (u32)(uintptr_t)c.p;
		native->to64.sel = 0x33;
		emit_mov(&c, 0x8b, X86_RSP, &native->host_rsp, true);
	}
	emit(&c, pop_all, sizeof(pop_all));
}

/* Run it. Returns the vector of the fault, or -1. */
static int native_run(const u8 *insn, unsigned int len, bool code64)
{
	native_build(insn, len, code64);
	native_vector = -1;
	if (!sigsetjmp(native_jump, 1))
		((void (*)(void))NATIVE_CODE)();
	return native_vector;
}

static void *native_map(unsigned long at, size_t size, int prot)
{
	void *p = mmap((void *)at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		       -1, 0);

	return p == (void *)at ? p : NULL;
}

/* Catch faults. cmocka sets its own handlers before every test: call it in the test. */
static void native_catch(void)
{
	static const int sigs[] = { SIGFPE, SIGSEGV, SIGILL, SIGBUS, SIGTRAP };
	static u8 stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = native_signal,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };
	unsigned int i;

	sigaltstack(&ss, NULL);
	for (i = 0; i < ARRAY_SIZE(sigs); i++)
		sigaction(sigs[i], &sa, NULL);
}

/* Map the memory. Returns false when this host does not allow it. */
static bool native_init(void)
{
	return native_map(NATIVE_STATE, 0x40000, PROT_READ | PROT_WRITE | PROT_EXEC) &&
	       native_map(NATIVE_BUF, NATIVE_BUF_SIZE, PROT_READ | PROT_WRITE);
}

#endif /* TESTS_NATIVE_H */
