/* link: nested/vmcs12.c nested/caps.c nested/insn.c nested/evmcs.c nested/check.c nested/check_ctls.c nested/check_host.c nested/check_guest.c nested/check_guest_seg.c nested/check_guest_late.c */
// SPDX-License-Identifier: GPL-2.0-only
/* VMX instructions of L1: permissions, operands, and what they do to the state. */
#include "insn_fixture.h"

#define VMXON_PTR 0x1000
#define VMCS_A	  0x2000
#define VMCS_B	  0x3000

/* What was invalidated. */
static struct {
	int invept, invvpid, changing;
	bool single;
	u64 eptp, gla;
	u32 type;
	u16 vpid;
} seen;

static void invept(void *ctx, bool single, u64 eptp)
{
	seen.invept++;
	seen.single = single;
	seen.eptp = eptp;
}

static void invvpid(void *ctx, u32 type, u16 vpid, u64 gla)
{
	seen.invvpid++;
	seen.type = type;
	seen.vpid = vpid;
	seen.gla = gla;
}

static void vmcs_changing(void *ctx)
{
	seen.changing++;
}

static const struct nested_ops ops = {
	.read_gpa = read_gpa,
	.write_gpa = write_gpa,
	.read_mem = read_mem,
	.write_mem = write_mem,
	.invept = invept,
	.invvpid = invvpid,
	.vmcs_changing = vmcs_changing,
};

static void reset(void)
{
	fixture_insn(&ops);
	memset(&seen, 0, sizeof(seen));
	put_revision(VMXON_PTR, VMCS12_REVISION);
	put_revision(VMCS_A, VMCS12_REVISION);
	put_revision(VMCS_B, VMCS12_REVISION);
}

/* In VMX operation, with VMCS A current. */
static void reset_root(void)
{
	reset();
	assert_int_equal(run_ptr(EXIT_REASON_VMON, VMXON_PTR), VMX_SUCCEED);
	assert_int_equal(run_ptr(EXIT_REASON_VMPTRLD, VMCS_A), VMX_SUCCEED);
}

static void assert_fault(u32 reason, u8 vector)
{
	assert_int_equal(run(reason), VMX_FAULT);
	assert_int_equal(res.vector, vector);
	assert_int_equal(res.has_error, vector == X86_TRAP_GP);
	assert_int_equal(res.error, 0);
}

static void assert_fail(u32 error)
{
	assert_int_equal(res.kind, VMX_FAIL_VALID);
	assert_int_equal(res.error, error);
	assert_int_equal(working.vm_instruction_error, error);
}

static const u32 all[] = {
	EXIT_REASON_VMCLEAR, EXIT_REASON_VMLAUNCH, EXIT_REASON_VMPTRLD, EXIT_REASON_VMPTRST,
	EXIT_REASON_VMREAD,  EXIT_REASON_VMRESUME, EXIT_REASON_VMWRITE, EXIT_REASON_VMOFF,
	EXIT_REASON_VMON,    EXIT_REASON_INVEPT,   EXIT_REASON_INVVPID,
};

/* Each condition of the permission checks, for every instruction. */
static void test_permissions(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		assert_true(vmx_insn_known(all[i]));
		reset_root();
		in.cr0 &= ~(u64)X86_CR0_PE;
		assert_fault(all[i], X86_TRAP_UD);
		reset_root();
		in.rflags |= X86_EFLAGS_VM;
		assert_fault(all[i], X86_TRAP_UD);
		reset_root();
		in.cs_l = false;
		assert_fault(all[i], X86_TRAP_UD);
		reset_root();
		in.cpl = 3;
		assert_fault(all[i], X86_TRAP_GP);
		reset();
		if (all[i] != EXIT_REASON_VMON)
			assert_fault(all[i], X86_TRAP_UD);
	}
	reset_root();
	assert_false(vmx_insn_known(EXIT_REASON_VMFUNC));
	assert_fault(EXIT_REASON_VMFUNC, X86_TRAP_UD);
}

/* Instructions that have no register form. */
static void test_register_form(void **state)
{
	static const u32 mem_only[] = {
		EXIT_REASON_VMCLEAR, EXIT_REASON_VMPTRLD, EXIT_REASON_VMPTRST,
		EXIT_REASON_VMON,    EXIT_REASON_INVEPT,  EXIT_REASON_INVVPID,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mem_only); i++) {
		reset_root();
		in.op.is_reg = true;
		assert_fault(mem_only[i], X86_TRAP_UD);
	}
}

/* Faults and errors of the operand leave the state alone. */
static void test_operand_faults(void **state)
{
	static const u32 with_mem[] = {
		EXIT_REASON_VMCLEAR, EXIT_REASON_VMPTRLD, EXIT_REASON_VMPTRST, EXIT_REASON_VMREAD,
		EXIT_REASON_VMWRITE, EXIT_REASON_INVEPT,  EXIT_REASON_INVVPID,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(with_mem); i++) {
		struct nested_state before;

		reset_root();
		/* a field for VMREAD/VMWRITE, a type for INVEPT/INVVPID */
		regs12[1] = with_mem[i] == EXIT_REASON_VMREAD ||
					    with_mem[i] == EXIT_REASON_VMWRITE ?
				    GUEST_RIP :
				    1;
		in.op.reg2 = 1;
		before = ns;
		operand_result = 1;
		assert_int_equal(run(with_mem[i]), VMX_FAULT);
		assert_int_equal(res.vector, X86_TRAP_PF);
		assert_int_equal(res.cr2, 0x1234);
		operand_result = -EINTR;
		assert_int_equal(run(with_mem[i]), VMX_ERROR);
		assert_int_equal(res.err, -EINTR);
		assert_memory_equal(&before, &ns, sizeof(ns));
	}
}

static void test_vmxon(void **state)
{
	reset();
	in.cr4 &= ~(u64)X86_CR4_VMXE;
	assert_fault(EXIT_REASON_VMON, X86_TRAP_UD);
	reset();
	in.cpl = 1;
	assert_fault(EXIT_REASON_VMON, X86_TRAP_GP);
	reset();
	in.cr0 &= ~(u64)X86_CR0_NE;
	assert_fault(EXIT_REASON_VMON, X86_TRAP_GP);
	reset();
	in.cr4 |= 1ull << 31;
	assert_fault(EXIT_REASON_VMON, X86_TRAP_GP);
	reset();
	in.feature_control = 4;
	assert_fault(EXIT_REASON_VMON, X86_TRAP_GP);
	in.feature_control = 3;
	assert_fault(EXIT_REASON_VMON, X86_TRAP_GP);

	reset();
	assert_int_equal(run_ptr(EXIT_REASON_VMON, VMXON_PTR + 1), VMX_FAIL_INVALID);
	assert_int_equal(run_ptr(EXIT_REASON_VMON, 1ull << 40), VMX_FAIL_INVALID);
	assert_int_equal(run_ptr(EXIT_REASON_VMON, MEM_SIZE), VMX_FAIL_INVALID);
	assert_int_equal(run_ptr(EXIT_REASON_VMON, 0x5000), VMX_FAIL_INVALID);
	put_revision(0x5000, VMCS12_REVISION | 1u << 31);
	assert_int_equal(run_ptr(EXIT_REASON_VMON, 0x5000), VMX_FAIL_INVALID);
	assert_false(ns.vmxon);

	assert_int_equal(run_ptr(EXIT_REASON_VMON, VMXON_PTR), VMX_SUCCEED);
	assert_true(ns.vmxon);
	assert_int_equal(ns.vmxon_ptr, VMXON_PTR);
	assert_int_equal(ns.current_vmptr, VMCS12_NO_PTR);
	/* again, without and with a current VMCS */
	assert_int_equal(run_ptr(EXIT_REASON_VMON, VMXON_PTR), VMX_FAIL_INVALID);
	reset_root();
	run_ptr(EXIT_REASON_VMON, VMXON_PTR);
	assert_fail(15);
}

static void test_vmxoff(void **state)
{
	reset_root();
	working.guest_rip = 0x77;
	assert_int_equal(run(EXIT_REASON_VMOFF), VMX_SUCCEED);
	assert_false(ns.vmxon);
	assert_int_equal(ns.vmxon_ptr, VMCS12_NO_PTR);
	assert_int_equal(ns.current_vmptr, VMCS12_NO_PTR);
	assert_int_equal(((struct vmcs12 *)(mem + VMCS_A))->guest_rip, 0x77);
	assert_fault(EXIT_REASON_VMOFF, X86_TRAP_UD);
}

static void test_vmclear(void **state)
{
	reset_root();
	run_ptr(EXIT_REASON_VMCLEAR, VMCS_A + 8);
	assert_fail(2);
	run_ptr(EXIT_REASON_VMCLEAR, 1ull << 40);
	assert_fail(2);
	run_ptr(EXIT_REASON_VMCLEAR, VMXON_PTR);
	assert_fail(3);
	/* another VMCS: only its launch state */
	mem[VMCS_B + 8] = 1;
	assert_int_equal(run_ptr(EXIT_REASON_VMCLEAR, VMCS_B), VMX_SUCCEED);
	assert_int_equal(mem[VMCS_B + 8], 0);
	assert_int_equal(ns.current_vmptr, VMCS_A);
	/* memory that is not there is no error */
	assert_int_equal(run_ptr(EXIT_REASON_VMCLEAR, MEM_SIZE), VMX_SUCCEED);
	/* the current one: written back, no longer current */
	working.launch_state = VMCS12_LAUNCHED;
	working.guest_rsp = 0x55;
	assert_int_equal(run_ptr(EXIT_REASON_VMCLEAR, VMCS_A), VMX_SUCCEED);
	assert_int_equal(ns.current_vmptr, VMCS12_NO_PTR);
	assert_int_equal(((struct vmcs12 *)(mem + VMCS_A))->guest_rsp, 0x55);
	assert_int_equal(((struct vmcs12 *)(mem + VMCS_A))->launch_state, VMCS12_CLEAR);
	assert_true(seen.changing > 0);
	/* without a current VMCS, failures are VMfailInvalid */
	assert_int_equal(run_ptr(EXIT_REASON_VMCLEAR, 1), VMX_FAIL_INVALID);
}

static void test_vmptrld(void **state)
{
	reset_root();
	run_ptr(EXIT_REASON_VMPTRLD, VMCS_B + 1);
	assert_fail(9);
	run_ptr(EXIT_REASON_VMPTRLD, 1ull << 40);
	assert_fail(9);
	run_ptr(EXIT_REASON_VMPTRLD, VMXON_PTR);
	assert_fail(10);
	run_ptr(EXIT_REASON_VMPTRLD, 0x5000);
	assert_fail(11);
	run_ptr(EXIT_REASON_VMPTRLD, MEM_SIZE);
	assert_fail(11);
	/* a shadow VMCS: only where VMCS shadowing is offered */
	put_revision(0x5000, VMCS12_REVISION | VMCS12_SHADOW);
	caps12.proc2.may1 &= ~SECONDARY_EXEC_SHADOW_VMCS;
	run_ptr(EXIT_REASON_VMPTRLD, 0x5000);
	assert_fail(11);
	assert_int_equal(ns.current_vmptr, VMCS_A);

	/* the same one again: the working copy stays */
	working.guest_rip = 0x99;
	assert_int_equal(run_ptr(EXIT_REASON_VMPTRLD, VMCS_A), VMX_SUCCEED);
	assert_int_equal(working.guest_rip, 0x99);
	/* another and back */
	ns.dirty = 0;
	assert_int_equal(run_ptr(EXIT_REASON_VMPTRLD, VMCS_B), VMX_SUCCEED);
	assert_int_equal(ns.current_vmptr, VMCS_B);
	assert_int_equal(ns.dirty, NESTED_DIRTY_ALL);
	assert_int_equal(working.guest_rip, 0);
	assert_int_equal(run_ptr(EXIT_REASON_VMPTRLD, VMCS_A), VMX_SUCCEED);
	assert_int_equal(working.guest_rip, 0x99);
}

/* A shadow VMCS can be current, read and written, but not entered. */
static void test_shadow_vmcs(void **state)
{
	reset_root();
	put_revision(0x5000, VMCS12_REVISION | VMCS12_SHADOW);
	assert_int_equal(run_ptr(EXIT_REASON_VMPTRLD, 0x5000), VMX_SUCCEED);
	assert_int_equal(working.revision_id, VMCS12_REVISION | VMCS12_SHADOW);
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_FAIL_INVALID);
	working.launch_state = VMCS12_LAUNCHED;
	assert_int_equal(run(EXIT_REASON_VMRESUME), VMX_FAIL_INVALID);
	assert_int_equal(run_ptr(EXIT_REASON_VMPTRLD, VMCS_A), VMX_SUCCEED);
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_ENTER);
}

static void test_vmptrst(void **state)
{
	reset();
	run_ptr(EXIT_REASON_VMON, VMXON_PTR);
	assert_int_equal(run(EXIT_REASON_VMPTRST), VMX_SUCCEED);
	assert_int_equal(get_operand(), VMCS12_NO_PTR);
	reset_root();
	assert_int_equal(run(EXIT_REASON_VMPTRST), VMX_SUCCEED);
	assert_int_equal(get_operand(), VMCS_A);
}

static enum vmx_insn_kind access(u32 reason, u64 field, bool is_reg)
{
	in.op = (struct vmx_operand){ .is_reg = is_reg, .reg = 3, .reg2 = 1 };
	regs12[1] = field;
	return run(reason);
}

static void test_vmread(void **state)
{
	reset();
	run_ptr(EXIT_REASON_VMON, VMXON_PTR);
	assert_int_equal(access(EXIT_REASON_VMREAD, GUEST_RIP, true), VMX_FAIL_INVALID);
	reset_root();
	working.guest_rip = 0x1122334455667788;
	assert_int_equal(access(EXIT_REASON_VMREAD, GUEST_RIP, true), VMX_SUCCEED);
	assert_int_equal(regs12[3], 0x1122334455667788);
	set_operand(0, 0);
	assert_int_equal(access(EXIT_REASON_VMREAD, GUEST_RIP, false), VMX_SUCCEED);
	assert_int_equal(get_operand(), 0x1122334455667788);
	working.tsc_offset = 0xaaaaaaaabbbbbbbb;
	access(EXIT_REASON_VMREAD, TSC_OFFSET_HIGH, true);
	assert_int_equal(regs12[3], 0xaaaaaaaa);
	/* 32-bit mode: 32 bits, in registers and in memory */
	in.efer = 0;
	set_operand(~0ull, 0);
	access(EXIT_REASON_VMREAD, 0xff00000000000000ull | GUEST_RIP, false);
	assert_int_equal(get_operand(), 0xffffffff55667788);
	access(EXIT_REASON_VMREAD, GUEST_RIP, true);
	assert_int_equal(regs12[3], 0x55667788);
	in.efer = EFER_LMA;
	access(EXIT_REASON_VMREAD, 0xff00000000000000ull | GUEST_RIP, true);
	assert_fail(12);
	access(EXIT_REASON_VMREAD, 0x7ffe, true);
	assert_fail(12);
	/* in the list, but not offered */
	access(EXIT_REASON_VMREAD, PML_ADDRESS, true);
	assert_fail(12);
	/* exists only as long as the capability does */
	assert_int_equal(access(EXIT_REASON_VMREAD, EPT_POINTER, true), VMX_SUCCEED);
	caps12.proc2.may1 &= ~SECONDARY_EXEC_ENABLE_EPT;
	access(EXIT_REASON_VMREAD, EPT_POINTER, true);
	assert_fail(12);
}

static void test_vmwrite(void **state)
{
	reset_root();
	ns.dirty = 0;
	regs12[3] = 0x1122334455667788;
	assert_int_equal(access(EXIT_REASON_VMWRITE, GUEST_RIP, true), VMX_SUCCEED);
	assert_int_equal(working.guest_rip, 0x1122334455667788);
	assert_int_equal(ns.dirty, 1u << VMCS12_COPY);
	set_operand(0x42, 0);
	access(EXIT_REASON_VMWRITE, EXCEPTION_BITMAP, false);
	assert_int_equal(working.exception_bitmap, 0x42);
	assert_int_equal(ns.dirty, 1u << VMCS12_COPY | 1u << VMCS12_MERGE);
	/* read-only fields are writable only if IA32_VMX_MISC[29] says so */
	assert_int_equal(access(EXIT_REASON_VMWRITE, VM_EXIT_REASON, true), VMX_SUCCEED);
	caps12.misc &= ~CAP_MISC_VMWRITE_ANY;
	access(EXIT_REASON_VMWRITE, VM_EXIT_REASON, true);
	assert_fail(13);
	access(EXIT_REASON_VMWRITE, 0x4ffe, true);
	assert_fail(12);
	/* 32-bit mode clears what it cannot reach */
	in.efer = 0;
	access(EXIT_REASON_VMWRITE, GUEST_RIP, true);
	assert_int_equal(working.guest_rip, 0x55667788);
}

static enum vmx_insn_kind inv(u32 reason, u64 type, u64 lo, u64 hi)
{
	in.op = (struct vmx_operand){ .reg2 = 2 };
	regs12[2] = type;
	set_operand(lo, hi);
	return run(reason);
}

#define GOOD_EPTP (0x4000 | 6 | 3 << 3)

static void test_invept(void **state)
{
	reset_root();
	assert_int_equal(inv(EXIT_REASON_INVEPT, 1, GOOD_EPTP, 0), VMX_SUCCEED);
	assert_true(seen.invept == 1 && seen.single && seen.eptp == GOOD_EPTP);
	assert_int_equal(inv(EXIT_REASON_INVEPT, 2, ~0ull, 0), VMX_SUCCEED);
	assert_true(seen.invept == 2 && !seen.single);
	inv(EXIT_REASON_INVEPT, 0, GOOD_EPTP, 0);
	assert_fail(28);
	inv(EXIT_REASON_INVEPT, 3, GOOD_EPTP, 0);
	assert_fail(28);
	inv(EXIT_REASON_INVEPT, 1ull << 32 | 1, GOOD_EPTP, 0);
	assert_fail(28);
	inv(EXIT_REASON_INVEPT, 1, GOOD_EPTP ^ 1, 0);
	assert_fail(28);
	inv(EXIT_REASON_INVEPT, 1, GOOD_EPTP, 1);
	assert_fail(28);
	caps12.ept_vpid &= ~CAP_EPT_INVEPT_GLOBAL;
	inv(EXIT_REASON_INVEPT, 2, 0, 0);
	assert_fail(28);
	assert_int_equal(seen.invept, 2);
	caps12.ept_vpid &= ~CAP_EPT_INVEPT;
	assert_fault(EXIT_REASON_INVEPT, X86_TRAP_UD);
}

static void test_invvpid(void **state)
{
	u64 type;

	reset_root();
	for (type = 0; type <= 3; type++) {
		assert_int_equal(inv(EXIT_REASON_INVVPID, type, 9, 0x1000), VMX_SUCCEED);
		assert_int_equal(seen.type, type);
		assert_int_equal(seen.vpid, 9);
		assert_int_equal(seen.gla, 0x1000);
		inv(EXIT_REASON_INVVPID, type, 0, 0);
		if (type == 2)
			assert_int_equal(res.kind, VMX_SUCCEED);
		else
			assert_fail(28);
		inv(EXIT_REASON_INVVPID, type, 0x10009, 0);
		assert_fail(28);
		inv(EXIT_REASON_INVVPID, type, 1ull << 63 | 9, 0);
		assert_fail(28);
		caps12.ept_vpid &= ~(CAP_VPID_ADDRESS << type);
		inv(EXIT_REASON_INVVPID, type, 9, 0);
		assert_fail(28);
	}
	reset_root();
	inv(EXIT_REASON_INVVPID, 4, 9, 0);
	assert_fail(28);
	inv(EXIT_REASON_INVVPID, 0, 9, 0x0000800000000000);
	assert_fail(28);
	assert_int_equal(inv(EXIT_REASON_INVVPID, 1, 9, 0x0000800000000000), VMX_SUCCEED);
	caps12.ept_vpid &= ~CAP_VPID_INVVPID;
	assert_fault(EXIT_REASON_INVVPID, X86_TRAP_UD);
}

static void test_enter(void **state)
{
	reset();
	run_ptr(EXIT_REASON_VMON, VMXON_PTR);
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_FAIL_INVALID);
	assert_int_equal(run(EXIT_REASON_VMRESUME), VMX_FAIL_INVALID);
	reset_root();
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_ENTER);
	run(EXIT_REASON_VMRESUME);
	assert_fail(5);
	working.launch_state = VMCS12_LAUNCHED;
	assert_int_equal(run(EXIT_REASON_VMRESUME), VMX_ENTER);
	run(EXIT_REASON_VMLAUNCH);
	assert_fail(4);
	in.blocked_by_mov_ss = true;
	run(EXIT_REASON_VMRESUME);
	assert_fail(26);
	run(EXIT_REASON_VMLAUNCH);
	assert_fail(26);
}

static void test_result_apply(void **state)
{
	struct vmx_insn_result r = { .kind = VMX_SUCCEED };
	u64 flags = X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_CF | X86_EFLAGS_PF |
		    X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF;

	vmx_insn_result_apply(&flags, &r);
	assert_int_equal(flags, X86_EFLAGS_FIXED | X86_EFLAGS_IF);
	r.kind = VMX_FAIL_INVALID;
	vmx_insn_result_apply(&flags, &r);
	assert_int_equal(flags, X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_CF);
	r.kind = VMX_FAIL_VALID;
	vmx_insn_result_apply(&flags, &r);
	assert_int_equal(flags, X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_ZF);
}

/* SDM "VM-Exit Instruction-Information Field as Used for VMREAD and VMWRITE". */
static u32 info(u32 scale, u32 asize, u32 seg, int index, int base, u32 reg2)
{
	return scale | asize << 7 | seg << 15 | (index < 0 ? 1u << 22 : (u32)index << 18) |
	       (base < 0 ? 1u << 27 : (u32)base << 23) | reg2 << 28;
}

static void test_operand_decode(void **state)
{
	struct vmx_operand op;
	u64 r[X86_NR_REGS] = { [X86_RBX] = 0x100001000, [X86_RSI] = 0x20, [X86_R13] = 7 };

	vmx_operand_decode(&op, 1u << 10 | 5 << 3 | 9u << 28, 0, r);
	assert_true(op.is_reg && op.reg == 5 && op.reg2 == 9);
	vmx_operand_decode(&op, info(3, 2, X86_SS, X86_RSI, X86_RBX, 13), -0x10ull, r);
	assert_true(!op.is_reg && op.seg == X86_SS && op.reg2 == 13);
	assert_int_equal(op.addr, 0x100001000 + 0x20 * 8 - 0x10);
	vmx_operand_decode(&op, info(0, 1, X86_DS, -1, X86_RBX, 0), 4, r);
	assert_int_equal(op.addr, 0x1004);
	vmx_operand_decode(&op, info(0, 0, X86_DS, X86_R13, X86_RBX, 0), 0xf000, r);
	assert_int_equal(op.addr, 0x0007);
	vmx_operand_decode(&op, info(0, 2, X86_GS, -1, -1, 0), 0xffffffff80001234, r);
	assert_int_equal(op.addr, 0xffffffff80001234);
	assert_int_equal(op.seg, X86_GS);
	vmx_operand_decode(&op, info(0, 2, 7, -1, -1, 0), 0, r);
	assert_int_equal(op.seg, X86_DS);
}

/* Any instruction with any operands in any state: it ends, and with an answer. */
static void test_random(void **state)
{
	u64 seed = 7;
	int i;

	reset();
	for (i = 0; i < 300000; i++) {
		u32 reason = unit_rand(&seed) % 64;

		in.op = (struct vmx_operand){ .is_reg = unit_rand(&seed) & 1,
					      .reg = unit_rand(&seed) & 15,
					      .reg2 = unit_rand(&seed) & 15 };
		regs12[in.op.reg2] = unit_rand(&seed) >> unit_rand(&seed) % 64;
		set_operand((unit_rand(&seed) & 0xf) << 12 | !(unit_rand(&seed) & 15),
			    unit_rand(&seed));
		operand_result = unit_rand(&seed) % 16 ? 0 : 1;
		in.cpl = unit_rand(&seed) % 32 ? 0 : 3;
		run(reason);
		if (res.kind == VMX_FAIL_VALID)
			assert_true(res.error > 0 && res.error <= 28);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_permissions),    cmocka_unit_test(test_register_form),
		cmocka_unit_test(test_operand_faults), cmocka_unit_test(test_vmxon),
		cmocka_unit_test(test_vmxoff),	       cmocka_unit_test(test_vmclear),
		cmocka_unit_test(test_vmptrld),	       cmocka_unit_test(test_vmptrst),
		cmocka_unit_test(test_vmread),	       cmocka_unit_test(test_vmwrite),
		cmocka_unit_test(test_invept),	       cmocka_unit_test(test_invvpid),
		cmocka_unit_test(test_enter),	       cmocka_unit_test(test_shadow_vmcs),
		cmocka_unit_test(test_result_apply),   cmocka_unit_test(test_operand_decode),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
