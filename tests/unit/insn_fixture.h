/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of VMX instructions share: L1's memory, its registers and the operand in memory of
 * an instruction, and an L1 that may execute them.
 */
#ifndef TESTS_UNIT_INSN_FIXTURE_H
#define TESTS_UNIT_INSN_FIXTURE_H

#include "nested_fixture.h"
#include <linux/errno.h>
#include <asm/trapnr.h>
#include "nested/insn.h"

#define MEM_SIZE 0x10000

static u8 mem[MEM_SIZE];
static struct vmcs12 working;
static struct nested_state ns;
static struct vmx_caps caps12;
static struct vmx_insn in;
static struct vmx_insn_result res;
static u64 regs12[X86_NR_REGS];

/* What the memory operand holds, and how accesses to it end. */
static u8 operand[16];
static int operand_result;

static inline bool in_mem(u64 gpa, u32 len)
{
	return gpa < MEM_SIZE && gpa + len <= MEM_SIZE;
}

static inline int read_gpa(void *ctx, u64 gpa, void *buf, u32 len)
{
	if (!in_mem(gpa, len))
		return -EFAULT;
	memcpy(buf, mem + gpa, len);
	return 0;
}

static inline int write_gpa(void *ctx, u64 gpa, const void *buf, u32 len)
{
	if (!in_mem(gpa, len))
		return -EFAULT;
	memcpy(mem + gpa, buf, len);
	return 0;
}

static inline int operand_fails(struct vmx_insn_result *fault)
{
	if (operand_result == 1) {
		fault->vector = X86_TRAP_PF;
		fault->has_error = true;
		fault->error = 2;
		fault->cr2 = 0x1234;
	}
	return operand_result;
}

static inline int read_mem(void *ctx, const struct vmx_operand *op, void *buf, u32 len,
			   struct vmx_insn_result *fault)
{
	assert_true(len <= sizeof(operand));
	if (operand_result)
		return operand_fails(fault);
	memcpy(buf, operand, len);
	return 0;
}

static inline int write_mem(void *ctx, const struct vmx_operand *op, const void *buf, u32 len,
			    struct vmx_insn_result *fault)
{
	assert_true(len <= sizeof(operand));
	if (operand_result)
		return operand_fails(fault);
	memcpy(operand, buf, len);
	return 0;
}

static inline void set_operand(u64 lo, u64 hi)
{
	memcpy(operand, &lo, 8);
	memcpy(operand + 8, &hi, 8);
}

static inline u64 get_operand(void)
{
	u64 val;

	memcpy(&val, operand, 8);
	return val;
}

static inline void put_revision(u64 gpa, u32 revision)
{
	memcpy(mem + gpa, &revision, 4);
}

/* Empty memory, no VMX operation yet, CPL 0 of 64-bit code. */
static inline void fixture_insn(const struct nested_ops *ops)
{
	fixture_caps(&caps12);
	memset(mem, 0, sizeof(mem));
	memset(&working, 0, sizeof(working));
	memset(regs12, 0, sizeof(regs12));
	operand_result = 0;
	nested_state_init(&ns, &working);
	in = (struct vmx_insn){
		.ns = &ns,
		.caps = &caps12,
		.ops = ops,
		.regs = regs12,
		.cr0 = 0x80050033,
		.cr4 = X86_CR4_PAE | X86_CR4_VMXE,
		.rflags = X86_EFLAGS_FIXED,
		.efer = EFER_LMA | EFER_LME,
		.feature_control = 5,
		.cs_l = true,
		.maxphyaddr = 40,
		.linear_bits = 48,
	};
}

static inline enum vmx_insn_kind run(u32 reason)
{
	vmx_insn_execute(&in, reason, &res);
	return res.kind;
}

static inline enum vmx_insn_kind run_ptr(u32 reason, u64 ptr)
{
	set_operand(ptr, 0);
	return run(reason);
}

#endif /* TESTS_UNIT_INSN_FIXTURE_H */
