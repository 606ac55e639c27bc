/* link: nested/evmcs.c nested/insn.c nested/vmcs12.c nested/caps.c nested/check.c nested/check_ctls.c nested/check_host.c nested/check_guest.c nested/check_guest_seg.c nested/check_guest_late.c */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * The enlightened VMCS: its layout against the kernel's header, each field both ways, clean-field
 * groups, what it cannot express, and what the VMX instructions do with it.
 */
#include "insn_fixture.h"
#include <asm/hyperv-tlfs.h>
#include "nested/evmcs.h"

enum { IN = 1, OUT = 2, BOTH = 3 };

static const struct {
	const char *name;
	u16 offset, in_kernel, vmcs12;
	u8 size, in_kernel_size, direction;
	u32 group;
} rows[] = {
#define EVMCS_FIELD(off, member, grp, dir)                                           \
	{                                                                            \
		.name = #member,                                                     \
		.offset = (off),                                                     \
		.in_kernel = offsetof(struct hv_enlightened_vmcs, member),           \
		.in_kernel_size = sizeof(((struct hv_enlightened_vmcs *)0)->member), \
		.vmcs12 = offsetof(struct vmcs12, member),                           \
		.size = sizeof(((struct vmcs12 *)0)->member),                        \
		.direction = (dir),                                                  \
		.group = EVMCS_GROUP_##grp,                                          \
	},
#include "nested/evmcs_fields.def"
};

static const struct vmcs12_field *field_at(u16 offset)
{
	unsigned int i;

	for (i = 0; i < vmcs12_nr_fields; i++)
		if (vmcs12_fields[i].offset == offset)
			return &vmcs12_fields[i];
	fail_msg("no field at %u", offset);
	return NULL;
}

static void test_layout(void **state)
{
	unsigned int i;

	assert_int_equal(sizeof(struct hv_enlightened_vmcs), EVMCS_SIZE);
	assert_int_equal(offsetof(struct hv_enlightened_vmcs, hv_clean_fields), EVMCS_CLEAN);
	assert_int_equal(offsetof(struct hv_enlightened_vmcs, hv_enlightenments_control),
			 EVMCS_CONTROL);
	assert_int_equal(offsetof(struct hv_enlightened_vmcs, abort),
			 offsetof(struct vmcs12, abort));
	assert_int_equal(offsetof(struct hv_vp_assist_page, enlighten_vmentry),
			 EVMCS_ASSIST_OFFSET);
	assert_int_equal(offsetof(struct hv_vp_assist_page, current_nested_vmcs),
			 EVMCS_ASSIST_OFFSET + offsetof(struct evmcs_assist, current_nested_vmcs));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].offset != rows[i].in_kernel || rows[i].size != rows[i].in_kernel_size)
			fail_msg("%s: %u is %u", rows[i].name, rows[i].offset, rows[i].in_kernel);
		assert_true(!i || rows[i].offset >= rows[i - 1].offset + rows[i - 1].size);
		assert_int_equal(evmcs_offset(field_at(rows[i].vmcs12)), rows[i].offset);
	}
}

/* A group of fields is what the kernel's header calls one; one field of each. */
static void test_groups(void **state)
{
#define GROUP(name, member)                                    \
	{                                                      \
		HV_VMX_ENLIGHTENED_CLEAN_FIELD_##name, #member \
	}
	static const struct {
		u32 bit;
		const char *member;
	} of[] = {
		GROUP(IO_BITMAP, io_bitmap_b),
		GROUP(MSR_BITMAP, msr_bitmap),
		GROUP(CONTROL_GRP2, tsc_offset),
		GROUP(CONTROL_GRP1, secondary_vm_exec_control),
		GROUP(CONTROL_PROC, cpu_based_vm_exec_control),
		GROUP(CONTROL_EVENT, vm_entry_intr_info_field),
		GROUP(CONTROL_ENTRY, vm_entry_controls),
		GROUP(CONTROL_EXCPN, exception_bitmap),
		GROUP(CRDR, cr4_read_shadow),
		GROUP(CONTROL_XLAT, ept_pointer),
		GROUP(GUEST_BASIC, guest_rflags),
		GROUP(GUEST_GRP1, guest_ia32_efer),
		GROUP(GUEST_GRP2, guest_cs_ar_bytes),
		GROUP(HOST_POINTER, host_rsp),
		GROUP(HOST_GRP1, host_rip),
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(of); i++) {
		for (j = 0; j < ARRAY_SIZE(rows); j++)
			if (!strcmp(rows[j].name, of[i].member))
				break;
		assert_true(j < ARRAY_SIZE(rows));
		assert_int_equal(rows[j].group, of[i].bit);
	}
}

/* What is guest state goes both ways, what is about the exit only out. */
static void test_directions(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		switch (field_at(rows[i].vmcs12)->kind) {
		case VMCS12_COPY:
			assert_int_equal(rows[i].direction, BOTH);
			break;
		case VMCS12_INFO:
			assert_int_equal(rows[i].direction, OUT);
			break;
		case VMCS12_HOST:
		case VMCS12_L0:
			assert_int_equal(rows[i].direction, IN);
			break;
		case VMCS12_NONE:
			fail_msg("%s is never offered", rows[i].name);
		}
	}
}

static void fill(void *buf, unsigned int len, u8 seed)
{
	u8 *p = buf;

	while (len--)
		*p++ = seed = seed * 5 + 17;
}

static bool same(const void *page, const struct vmcs12 *v, unsigned int row)
{
	return !memcmp((const u8 *)page + rows[row].offset, (const u8 *)v + rows[row].vmcs12,
		       rows[row].size);
}

static bool is_dirty(unsigned int row, u32 clean)
{
	if (rows[row].group == EVMCS_GROUP_ALWAYS)
		return true;
	return (clean & rows[row].group) != rows[row].group;
}

/* Each field comes from its place, and only if it may have changed. */
static void load(u32 clean)
{
	struct vmcs12 v, before;
	u8 page[EVMCS_SIZE];
	unsigned int i;

	fill(&v, sizeof(v), 3);
	fill(page, sizeof(page), 90);
	before = v;
	evmcs_load(&v, page, clean);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bool expected = (rows[i].direction & IN) && is_dirty(i, clean);

		if (same(page, &v, i) != expected)
			fail_msg("%s, clean %x", rows[i].name, clean);
		/* and what is not a field that is read stays */
		if (expected)
			memcpy((u8 *)&v + rows[i].vmcs12, (u8 *)&before + rows[i].vmcs12,
			       rows[i].size);
	}
	assert_memory_equal(&v, &before, sizeof(v));
}

static void test_load(void **state)
{
	unsigned int bit;

	load(0);
	load(EVMCS_GROUP_EVERY);
	load(~0u);
	for (bit = 0; bit < 16; bit++) {
		load(1u << bit);
		load(EVMCS_GROUP_EVERY & ~(1u << bit));
	}
}

static void test_store(void **state)
{
	u8 page[EVMCS_SIZE], before[EVMCS_SIZE];
	struct vmcs12 v;
	unsigned int i;

	fill(&v, sizeof(v), 3);
	fill(page, sizeof(page), 90);
	memcpy(before, page, sizeof(page));
	evmcs_store(page, &v);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bool expected = rows[i].direction & OUT;

		if (same(page, &v, i) != expected)
			fail_msg("%s", rows[i].name);
		if (expected)
			memcpy(page + rows[i].offset, before + rows[i].offset, rows[i].size);
	}
	assert_memory_equal(page, before, sizeof(page));
}

/* The runs are the fields that exits write, no byte more or less. */
static void test_runs(void **state)
{
	u8 by_run[EVMCS_SIZE] = {}, by_field[EVMCS_SIZE] = {};
	unsigned int i;

	for (i = 0; i < evmcs_nr_runs; i++)
		memset(by_run + evmcs_runs[i].from, 1, evmcs_runs[i].to - evmcs_runs[i].from);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].direction & OUT)
			memset(by_field + rows[i].offset, 1, rows[i].size);
	assert_memory_equal(by_run, by_field, EVMCS_SIZE);
}

/* A field that means something for L1 and has no place belongs to no control that is left. */
static void test_caps(void **state)
{
	struct vmx_caps caps, left;
	unsigned int i, gone = 0;

	fixture_caps(&caps);
	evmcs_caps(&left, &caps);
	for (i = 0; i < vmcs12_nr_fields; i++) {
		const struct vmcs12_field *f = &vmcs12_fields[i];

		if (evmcs_offset(f) >= 0) {
			assert_int_equal(vmx_caps_has(&left, f->needs),
					 vmx_caps_has(&caps, f->needs));
			continue;
		}
		assert_false(vmx_caps_has(&left, f->needs));
		gone += vmx_caps_has(&caps, f->needs);
	}
	assert_int_not_equal(gone, 0);
	assert_int_equal(caps.pin.may1 & ~left.pin.may1, PIN_BASED_VMX_PREEMPTION_TIMER);
	assert_int_equal(caps.exit.may1 & ~left.exit.may1, VM_EXIT_SAVE_VMX_PREEMPTION_TIMER);
	assert_int_equal(caps.proc2.may1 & ~left.proc2.may1,
			 SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES |
				 SECONDARY_EXEC_PAUSE_LOOP_EXITING | SECONDARY_EXEC_TSC_SCALING |
				 SECONDARY_EXEC_SHADOW_VMCS);
	assert_int_equal(caps.proc.may1, left.proc.may1);
	assert_int_equal(caps.entry.may1, left.entry.may1);
	/* what user space has made mandatory cannot stay so */
	caps.proc2.must1 = SECONDARY_EXEC_PAUSE_LOOP_EXITING | SECONDARY_EXEC_ENABLE_EPT;
	evmcs_caps(&left, &caps);
	assert_int_equal(left.proc2.must1, SECONDARY_EXEC_ENABLE_EPT);
}

/* -- Instructions ------------------------------------------------------------ */

#define VMXON_PTR 0x1000
#define ORDINARY  0x2000
#define PAGE_A	  0x3000
#define PAGE_B	  0x4000
#define ASSIST	  0x5000

static u8 copy[EVMCS_SIZE];

static const struct nested_ops ops = {
	.read_gpa = read_gpa,
	.write_gpa = write_gpa,
	.read_mem = read_mem,
	.write_mem = write_mem,
};

static struct hv_vp_assist_page *assist(void)
{
	return (struct hv_vp_assist_page *)(mem + ASSIST);
}

static struct hv_enlightened_vmcs *page(u64 ptr)
{
	return (struct hv_enlightened_vmcs *)(mem + ptr);
}

static void choose(u64 ptr)
{
	assist()->enlighten_vmentry = 1;
	assist()->current_nested_vmcs = ptr;
}

/* In VMX operation, no VMCS, page A chosen. */
static void reset(void)
{
	fixture_insn(&ops);
	in.evmcs = copy;
	in.vp_assist = ASSIST;
	memset(copy, 0xee, sizeof(copy));
	memset(&working, 0xdd, sizeof(working));
	put_revision(VMXON_PTR, VMCS12_REVISION);
	put_revision(ORDINARY, VMCS12_REVISION);
	assert_int_equal(run_ptr(EXIT_REASON_VMON, VMXON_PTR), VMX_SUCCEED);
	page(PAGE_A)->revision_id = 1;
	page(PAGE_B)->revision_id = 1;
	choose(PAGE_A);
}

static void test_enter(void **state)
{
	reset();
	page(PAGE_A)->guest_rip = 0x1234;
	page(PAGE_A)->host_rip = 0x5678;
	page(PAGE_A)->hv_clean_fields = 0xffff;
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_ENTER);
	assert_int_equal(ns.evmcs_ptr, PAGE_A);
	assert_int_equal(ns.current_vmptr, VMCS12_NO_PTR);
	assert_int_equal(working.revision_id, VMCS12_REVISION);
	assert_int_equal(working.launch_state, VMCS12_CLEAR);
	assert_int_equal(working.guest_rip, 0x1234);
	/* nothing is clean at a launch, and nothing is left of what was there before */
	assert_int_equal(in.clean, 0);
	assert_int_equal(working.host_rip, 0x5678);
	assert_int_equal(working.ple_gap, 0);

	page(PAGE_A)->guest_rip = 0x2222;
	page(PAGE_A)->host_rip = 0x3333;
	assert_int_equal(run(EXIT_REASON_VMRESUME), VMX_ENTER);
	assert_int_equal(working.launch_state, VMCS12_LAUNCHED);
	assert_int_equal(in.clean, 0xffff);
	assert_int_equal(working.guest_rip, 0x2222);
	assert_int_equal(working.host_rip, 0x5678);
	page(PAGE_A)->hv_clean_fields = 0xffff & ~EVMCS_GROUP_HOST_GRP1;
	assert_int_equal(run(EXIT_REASON_VMRESUME), VMX_ENTER);
	assert_int_equal(working.host_rip, 0x3333);

	/* another one: VMRESUME works, its clean fields do not count, nor do they back at the first */
	page(PAGE_B)->hv_clean_fields = 0xffff;
	page(PAGE_B)->host_rip = 0x4444;
	choose(PAGE_B);
	assert_int_equal(run(EXIT_REASON_VMRESUME), VMX_ENTER);
	assert_int_equal(ns.evmcs_ptr, PAGE_B);
	assert_int_equal(working.host_rip, 0x4444);
	page(PAGE_A)->hv_clean_fields = 0xffff;
	choose(PAGE_A);
	assert_int_equal(run(EXIT_REASON_VMRESUME), VMX_ENTER);
	assert_int_equal(working.host_rip, 0x3333);
}

static void test_enter_refused(void **state)
{
	static const u64 no_memory[] = { MEM_SIZE, PAGE_A + 8, 1ull << 40, ~0ull, 0xdeadbeef };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(no_memory); i++) {
		reset();
		assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_ENTER);
		choose(no_memory[i]);
		assert_int_equal(run(EXIT_REASON_VMRESUME), VMX_FAULT);
		assert_int_equal(res.vector, X86_TRAP_UD);
		assert_int_equal(ns.evmcs_ptr, VMCS12_NO_PTR);
	}
	reset();
	page(PAGE_A)->revision_id = 2;
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_FAIL_INVALID);
	assert_int_equal(ns.evmcs_ptr, VMCS12_NO_PTR);
	page(PAGE_A)->revision_id = -1u;
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_FAIL_INVALID);
	page(PAGE_A)->revision_id = VMCS12_REVISION; /* as Hyper-V does */
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_ENTER);

	/* permissions come first, interrupt shadow after */
	in.cpl = 3;
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_FAULT);
	assert_int_equal(res.vector, X86_TRAP_GP);
	in.cpl = 0;
	in.blocked_by_mov_ss = true;
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_FAIL_VALID);
	assert_int_equal(res.error, 26);
	assert_int_equal(working.vm_instruction_error, 26);

	/* switched off, or the VP assist page gone: there is no VMCS at all */
	in.blocked_by_mov_ss = false;
	assist()->enlighten_vmentry = 0;
	assert_int_equal(run(EXIT_REASON_VMRESUME), VMX_FAIL_INVALID);
	assert_int_equal(ns.evmcs_ptr, VMCS12_NO_PTR);
	choose(PAGE_A);
	in.vp_assist = MEM_SIZE;
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_FAIL_INVALID);
	in.vp_assist = ASSIST;
	in.evmcs = NULL;
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_FAIL_INVALID);
}

/* Ordinary and enlightened VMCSs take each other's place. */
static void test_ordinary(void **state)
{
	const struct vmcs12 *in_memory = (const struct vmcs12 *)(mem + ORDINARY);

	reset();
	assert_int_equal(run_ptr(EXIT_REASON_VMPTRLD, ORDINARY), VMX_SUCCEED);
	working.guest_rip = 0x77;
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_ENTER);
	assert_int_equal(ns.evmcs_ptr, PAGE_A);
	assert_int_equal(ns.current_vmptr, VMCS12_NO_PTR);
	assert_int_equal(in_memory->guest_rip, 0x77);
	assert_int_equal(run_ptr(EXIT_REASON_VMPTRST, 0), VMX_SUCCEED);
	assert_int_equal(get_operand(), ~0ull);

	assert_int_equal(run_ptr(EXIT_REASON_VMPTRLD, ORDINARY), VMX_SUCCEED);
	assert_int_equal(ns.current_vmptr, ORDINARY);
	assert_int_equal(ns.evmcs_ptr, VMCS12_NO_PTR);
	assert_int_equal(working.guest_rip, 0x77);
	/* its revision is none of an ordinary one */
	assert_int_equal(run_ptr(EXIT_REASON_VMPTRLD, PAGE_A), VMX_FAIL_VALID);
	assert_int_equal(res.error, 11);

	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_ENTER);
	assert_int_equal(run(EXIT_REASON_VMOFF), VMX_SUCCEED);
	assert_int_equal(ns.evmcs_ptr, VMCS12_NO_PTR);
}

static void test_vmclear(void **state)
{
	u8 before[EVMCS_SIZE];

	reset();
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_ENTER);
	fill(mem + PAGE_A + 4, EVMCS_SIZE - 4, 3);
	memcpy(before, mem + PAGE_A, sizeof(before));
	assert_int_equal(run_ptr(EXIT_REASON_VMCLEAR, PAGE_A), VMX_SUCCEED);
	assert_int_equal(ns.evmcs_ptr, VMCS12_NO_PTR);
	assert_memory_equal(mem + PAGE_A, before, sizeof(before));
	/* one that is not active: where an ordinary one has its launch state there is something else */
	fill(mem + PAGE_B, EVMCS_SIZE, 9);
	memcpy(before, mem + PAGE_B, sizeof(before));
	assert_int_equal(run_ptr(EXIT_REASON_VMCLEAR, PAGE_B), VMX_SUCCEED);
	assert_memory_equal(mem + PAGE_B, before, sizeof(before));
	/* clean fields mean nothing after VMCLEAR */
	page(PAGE_A)->revision_id = 1;
	page(PAGE_A)->hv_clean_fields = 0xffff;
	assert_int_equal(run(EXIT_REASON_VMRESUME), VMX_ENTER);
	assert_int_equal(in.clean, 0);
	/* entries are not enlightened: an ordinary one */
	assist()->enlighten_vmentry = 0;
	((struct vmcs12 *)(mem + ORDINARY))->launch_state = VMCS12_LAUNCHED;
	assert_int_equal(run_ptr(EXIT_REASON_VMCLEAR, ORDINARY), VMX_SUCCEED);
	assert_int_equal(((struct vmcs12 *)(mem + ORDINARY))->launch_state, VMCS12_CLEAR);
}

static enum vmx_insn_kind vmread(u64 encoding)
{
	regs12[1] = encoding;
	in.op = (struct vmx_operand){ .is_reg = true, .reg = 2, .reg2 = 1 };
	return run(EXIT_REASON_VMREAD);
}

static void test_vmread(void **state)
{
	reset();
	assert_int_equal(vmread(GUEST_RIP), VMX_FAIL_INVALID);
	in.op = (struct vmx_operand){};
	assert_int_equal(run(EXIT_REASON_VMLAUNCH), VMX_ENTER);
	page(PAGE_A)->guest_rip = 0x123456789abc;
	page(PAGE_A)->guest_cs_selector = 0x10;
	page(PAGE_A)->guest_physical_address = 0x1111222233334444;
	page(PAGE_A)->guest_cs_limit = 0x55555;
	assert_int_equal(vmread(GUEST_RIP), VMX_SUCCEED);
	assert_int_equal(regs12[2], 0x123456789abc);
	assert_int_equal(vmread(GUEST_CS_SELECTOR), VMX_SUCCEED);
	assert_int_equal(regs12[2], 0x10);
	assert_int_equal(vmread(GUEST_PHYSICAL_ADDRESS_HIGH), VMX_SUCCEED);
	assert_int_equal(regs12[2], 0x11112222);
	assert_int_equal(vmread(GUEST_CS_LIMIT), VMX_SUCCEED);
	assert_int_equal(regs12[2], 0x55555);
	/* no place, no field */
	assert_int_equal(vmread(PLE_GAP), VMX_FAIL_VALID);
	assert_int_equal(res.error, 12);
	assert_int_equal(vmread(0x7ffe), VMX_FAIL_VALID);
	/* there is no VMWRITE */
	assert_int_equal(run(EXIT_REASON_VMWRITE), VMX_FAIL_INVALID);
	assert_int_equal(page(PAGE_A)->guest_rip, 0x123456789abc);
	/* not known yet where it is; not there any more */
	ns.evmcs_ptr = EVMCS_PENDING;
	assert_int_equal(vmread(GUEST_RIP), VMX_FAIL_INVALID);
	ns.evmcs_ptr = MEM_SIZE;
	assert_int_equal(vmread(GUEST_RIP), VMX_FAIL_INVALID);
}

/* L0's copy alone counts, whatever L1 does to the page meanwhile. */
static void test_write_runs(void **state)
{
	u8 expected[EVMCS_SIZE];
	unsigned int i;

	reset();
	fill(mem + PAGE_A, EVMCS_SIZE, 1);
	memcpy(expected, mem + PAGE_A, EVMCS_SIZE);
	fill(copy, EVMCS_SIZE, 77);
	for (i = 0; i < evmcs_nr_runs; i++)
		memcpy(expected + evmcs_runs[i].from, copy + evmcs_runs[i].from,
		       evmcs_runs[i].to - evmcs_runs[i].from);
	assert_int_equal(evmcs_write_runs(&ops, NULL, PAGE_A, copy), 0);
	assert_memory_equal(mem + PAGE_A, expected, EVMCS_SIZE);
	assert_int_not_equal(evmcs_write_runs(&ops, NULL, MEM_SIZE - 256, copy), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),	      cmocka_unit_test(test_groups),
		cmocka_unit_test(test_directions),    cmocka_unit_test(test_load),
		cmocka_unit_test(test_store),	      cmocka_unit_test(test_runs),
		cmocka_unit_test(test_caps),	      cmocka_unit_test(test_enter),
		cmocka_unit_test(test_enter_refused), cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_vmclear),	      cmocka_unit_test(test_vmread),
		cmocka_unit_test(test_write_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
