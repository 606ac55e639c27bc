// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hypervisor that keeps the VMCSs of its L2 as enlightened ones (runner -E; TLFS "Enlightened
 * VMCS"), as Linux and Hyper-V do: what is entered and what is refused, each L2 exit told in the
 * page, two pages in turn, ordinary VMCSs before and after.
 */
#include "vmx.h"

#define MSR_ASSIST   0x40000073
#define REVISION     0
#define CLEAN_FIELDS 824
#define ALL_CLEAN    0xffff
#define FAR	     (1ul << 45)
#define ROUNDS	     400

#define BYTES_16     2
#define BYTES_32     4
#define BYTES_64     8
#define BYTES_N	     8

enum {
#define VMCS12_FIELD(enc, width, member, access, kind, needs, offset) \
	ENC_##member = (enc), SIZE_##member = BYTES_##width,
#include "../../module/nested/vmcs12_fields.def"
};

#define GROUP_IO_BITMAP	    (1u << 0)
#define GROUP_MSR_BITMAP    (1u << 1)
#define GROUP_CONTROL_GRP2  (1u << 2)
#define GROUP_CONTROL_GRP1  (1u << 3)
#define GROUP_CONTROL_PROC  (1u << 4)
#define GROUP_CONTROL_EVENT (1u << 5)
#define GROUP_CONTROL_ENTRY (1u << 6)
#define GROUP_CONTROL_EXCPN (1u << 7)
#define GROUP_CRDR	    (1u << 8)
#define GROUP_CONTROL_XLAT  (1u << 9)
#define GROUP_GUEST_BASIC   (1u << 10)
#define GROUP_GUEST_GRP1    (1u << 11)
#define GROUP_GUEST_GRP2    (1u << 12)
#define GROUP_HOST_POINTER  (1u << 13)
#define GROUP_HOST_GRP1	    (1u << 14)
#define GROUP_EVERY	    ALL_CLEAN
#define GROUP_ALWAYS	    0

static u8 vmxon_page[4096] __attribute__((aligned(4096)));
static u8 ordinary_page[4096] __attribute__((aligned(4096)));
static u8 assist_page[4096] __attribute__((aligned(4096)));
static u8 page_a[4096] __attribute__((aligned(4096)));
static u8 page_b[4096] __attribute__((aligned(4096)));
static u8 before[4096];
static u8 msr_bitmap[4096] __attribute__((aligned(4096)));
static u64 ept_pml4[512] __attribute__((aligned(4096)));
static u64 ept_pdpt[512] __attribute__((aligned(4096)));
static u64 ept_pd[512] __attribute__((aligned(4096)));
static u8 l2_stack[2][4096] __attribute__((aligned(16)));
static u8 *evmcs = page_a; /* the one that is accessed and entered */
static u64 l2_regs[16];	   /* by encoding */

static u32 *word(u8 *page, u32 offset)
{
	return (u32 *)(page + offset);
}

/* As VMWRITE, and the group of the field is no longer clean. */
static void ewrite(u32 field, u64 val)
{
	u32 i;

	switch (field) {
#define EVMCS_FIELD(offset, member, group, direction)         \
	case ENC_##member:                                    \
		for (i = 0; i < SIZE_##member; i++)           \
			evmcs[(offset) + i] = val >> (i * 8); \
		*word(evmcs, CLEAN_FIELDS) &= ~GROUP_##group; \
		return;
#include "../../module/nested/evmcs_fields.def"
	}
	check_eq("a field that has a place", field, 0);
}

static u64 eread(u32 field)
{
	u64 val = 0;
	u32 i;

	switch (field) {
#define EVMCS_FIELD(offset, member, group, direction)               \
	case ENC_##member:                                          \
		for (i = 0; i < SIZE_##member; i++)                 \
			val |= (u64)evmcs[(offset) + i] << (i * 8); \
		return val;
#include "../../module/nested/evmcs_fields.def"
	}
	check_eq("a field that has a place", field, 0);
	return 0;
}

static void choose(u64 page)
{
	*(u64 *)(assist_page + 48) = page;
	assist_page[40] = 1;
}

static int enter(int launched)
{
	int r;

	*word(evmcs, CLEAN_FIELDS) &= ~GROUP_HOST_POINTER;
	r = run_l2(launched, l2_regs, (u64 *)(evmcs + 616));
	/* As Linux: what the exit has written is what L0 knows. */
	*word(evmcs, CLEAN_FIELDS) = ALL_CLEAN;
	return r;
}

static void do_launch(void *arg)
{
	(void)arg;
	VMX_INSN("vmlaunch", "r"(0));
}

static void expect_exit(const char *name, int launched, u32 reason)
{
	int r = enter(launched);

	if (r)
		check_eq(name, (u64)r << 32 | eread(INSN_ERROR), 0);
	else
		check_eq(name, eread(EXIT_REASON), reason);
}

static void skip(void)
{
	ewrite(GUEST_RIP, eread(GUEST_RIP) + eread(EXIT_INSN_LEN));
}

/* ------------------------------------------------------------------ L2 */

void l2_first(void);
asm(".globl l2_first\n"
    "l2_first:\n\t"
    "mov $0x1234, %ebx; cpuid\n\t"
    "mov $0x1234, %ecx; rdmsr\n\t" /* in the bitmap */
    "mov $0x174, %ecx; rdmsr\n\t"  /* not in it */
    "mov $0x5a, %al; outb %al, $0x80\n\t"
    "mov %cr4, %rax\n\t" /* read shadow */
    "vmcall\n\t"
    "mov %cr4, %rax\n\t"
    "vmcall\n\t"
    "ud2\n");

/* Counts in registers and on the stack, and lets L1 count as well. */
void l2_count(void);
asm(".globl l2_count\n"
    "l2_count:\n\t"
    "xor %ebx, %ebx\n"
    "1: mov $3000, %ecx\n"
    "2: push %rbx; inc %rbx; pop %rdx; dec %ecx; jnz 2b\n\t"
    "vmcall\n\t"
    "jmp 1b\n");

/* An SMI from L2; its handler may find itself in another VM. Both ports are the runner's. */
#define SMI_HANDLER_AT 0x38000ul

volatile u32 smi_count;
extern u8 smi_code[], smi_code_end[];
void l2_smi(void);
void l2_smi_done(void);
asm("smi_code:\n"
    ".code16\n\t"
    "movl $smi_count, %edi; incl (%edi)\n\t"
    "outb %al, $0xb9\n\t" /* a good moment to be moved */
    "rsm\n"
    ".code64\n"
    "smi_code_end:\n"
    ".globl l2_smi\n"
    "l2_smi:\n\t"
    "movabs $0x1122334455667788, %rbx\n\t"
    "outb %al, $0xb2\n"
    ".globl l2_smi_done\n"
    "l2_smi_done:\n\t"
    "vmcall\n");

static void make_ept(void)
{
	u32 i;

	ept_pml4[0] = (u64)ept_pdpt | 7;
	ept_pdpt[0] = (u64)ept_pd | 7;
	for (i = 0; i < 512; i++)
		ept_pd[i] = (u64)i << 21 | 0xb7;
}

static void fill(u8 *page, u64 rip, u8 *stack)
{
	evmcs = page;
	*word(page, REVISION) = 1;
	put_host(ewrite);
	put_guest(ewrite, rip, (u64)stack + sizeof(l2_stack[0]));
	put_controls(ewrite, (u64)msr_bitmap, offers_ept() ? (u64)ept_pml4 | 0x1e : 0);
}

/* --------------------------------------------------------------- tests */

static void offered(void)
{
	u32 r[4];

	cpuid(0x40000004, 0, r);
	check_eq("CPUID: enlightened VMCS recommended", r[0] >> 14 & 1, 1);
	cpuid(0x4000000a, 0, r);
	check_eq("CPUID: versions 1 to 1", r[0] & 0xffff, 0x101);
	check_eq("no VMX-preemption timer", rdmsr(MSR_VMX_TRUE_PIN) >> 38 & 1, 0);
	check_eq("no APIC accesses, PAUSE loops, shadow VMCS, TSC scaling",
		 rdmsr(MSR_VMX_PROCBASED_CTLS2) >> 32 & (1 | 1 << 10 | 1 << 14 | 1 << 25), 0);
}

static void start_vmx(void)
{
	wrmsr(MSR_FEATURE_CONTROL, 5);
	WRITE_CR(0, READ_CR(0) | rdmsr(MSR_VMX_CR0_FIXED0));
	WRITE_CR(4, READ_CR(4) | rdmsr(MSR_VMX_CR4_FIXED0));
	*word(vmxon_page, 0) = (u32)rdmsr(MSR_VMX_BASIC);
	*word(ordinary_page, 0) = (u32)rdmsr(MSR_VMX_BASIC);
	check_eq("VMXON", (u64)vmxon(vmxon_page), 0);
}

static void refused(void)
{
	u64 rip;

	fill(page_a, (u64)l2_first, l2_stack[0]);
	wrmsr(MSR_ASSIST, (u64)assist_page | 1);
	check_eq("VMLAUNCH, not enlightened", (u64)enter(0), 1);
	choose(0xdeadbeef);
	check_eq("VMLAUNCH, no page address: #UD", (u64)expect_trap(do_launch, 0), 6);
	choose(FAR);
	check_eq("VMLAUNCH, no memory: #UD", (u64)expect_trap(do_launch, 0), 6);
	choose((u64)page_a);
	*word(page_a, REVISION) = 2;
	check_eq("VMLAUNCH, unknown version", (u64)enter(0), 1);
	*word(page_a, REVISION) = -1u;
	check_eq("VMLAUNCH, no version", (u64)enter(0), 1);
	*word(page_a, REVISION) = 1;

	/* what is not offered is not taken */
	ewrite(PIN_CTLS, ctl(MSR_VMX_TRUE_PIN, 0) | 1 << 6);
	check_eq("VMLAUNCH with the preemption timer", (u64)enter(0), 2);
	check_eq("VMLAUNCH with the preemption timer: error", eread(INSN_ERROR), 7);
	ewrite(PIN_CTLS, ctl(MSR_VMX_TRUE_PIN, 0));
	rip = eread(HOST_RIP);
	ewrite(HOST_RIP, FAR << 8);
	check_eq("VMLAUNCH with a bad host RIP", (u64)enter(0), 2);
	check_eq("VMLAUNCH with a bad host RIP: error", eread(INSN_ERROR), 8);
	ewrite(HOST_RIP, rip);
	ewrite(GUEST_RFLAGS, 0);
	check_eq("bad guest state: VMLAUNCH ends in an exit", (u64)enter(0), 0);
	check_eq("bad guest state: reason", eread(EXIT_REASON), 0x80000021);
	check_eq("bad guest state: RIP is L1's", eread(GUEST_RIP), (u64)l2_first);
	ewrite(GUEST_RFLAGS, 2);
}

static void exits(void)
{
	ewrite(CR4_SHADOW, 0x2000);
	expect_exit("exit: CPUID", 0, 10);
	check_eq("CPUID: length", eread(EXIT_INSN_LEN), 2);
	check_eq("CPUID: L2's register", l2_regs[3], 0x1234);
	check_eq("CPUID: RFLAGS", eread(GUEST_RFLAGS) & ~0xd5ul, 2);
	check_eq("CPUID: code segment", eread(0x802) << 32 | eread(0x4816), 0x80000a09b);
	check_eq("CPUID: CR3", eread(GUEST_CR3), READ_CR(3));
	skip();
	expect_exit("exit: RDMSR", 1, 31);
	skip();
	expect_exit("exit: OUT", 1, 30);
	check_eq("OUT: qualification", eread(EXIT_QUAL), 0x800040);
	skip();
	expect_exit("exit: VMCALL", 1, 18);
	check_eq("VMCALL: L2's CR4 has the shadow's bit", l2_regs[0] & 0x2000, 0x2000);
	ewrite(CR4_SHADOW, 0);
	skip();
	expect_exit("exit: VMCALL after a change of the shadow", 1, 18);
	check_eq("VMCALL: L2's CR4 has not", l2_regs[0] & 0x2000, 0);
	skip();
	expect_exit("exit: UD2", 1, 0);
	check_eq("UD2: interruption information", eread(EXIT_INTR_INFO), 0x80000306);
}

static void instructions(void)
{
	u64 ptr = 0;
	u32 i, same = 1;

	check_eq("VMREAD of a place", vmread(EXIT_INTR_INFO), 0x80000306);
	check_eq("VMREAD of a field without", (u64)vmread_status(0x4020), 2);
	check_eq("VMREAD of a field without: error", eread(INSN_ERROR), 12);
	check_eq("VMWRITE", (u64)vmwrite(GUEST_RIP, 0), 1);
	asm volatile("vmptrst %0" : "+m"(ptr) : : "cc");
	check_eq("VMPTRST", ptr, ~0ul);
	check_eq("VMPTRLD of it", (u64)vmptrld(page_a), 2);
	check_eq("VMPTRLD of it: error", eread(INSN_ERROR), 11);

	for (i = 0; i < sizeof(before); i++)
		before[i] = page_a[i];
	check_eq("VMCLEAR of it", (u64)vmclear(page_a), 0);
	check_eq("VMCLEAR of another", (u64)vmclear(page_b), 0);
	for (i = 0; i < sizeof(before); i++)
		same &= before[i] == page_a[i] && (i < 4 || !page_b[i]);
	check("VMCLEAR changes nothing", same);
	check_eq("VMREAD without any", (u64)vmread_status(EXIT_REASON), 1);

	/* everything but the host's RSP is called clean, and is not known to L0 any more */
	ewrite(GUEST_RIP, (u64)l2_first);
	*word(page_a, CLEAN_FIELDS) = ALL_CLEAN;
	expect_exit("exit: CPUID, launched again", 0, 10);
}

/* Two L2s in turn, for long. */
static void in_turn(void)
{
	u64 regs[2][16] = { { 0 }, { 0 } };
	u8 *pages[2] = { page_a, page_b };
	u32 i, j, wrong = 0;

	*word(page_b, REVISION) = 1;
	fill(page_a, (u64)l2_count, l2_stack[0]);
	fill(page_b, (u64)l2_count, l2_stack[1]);
	for (i = 0; i < ROUNDS; i++) {
		u32 n = i & 1;

		evmcs = pages[n];
		choose((u64)evmcs);
		for (j = 0; j < 16; j++)
			l2_regs[j] = regs[n][j];
		wrong += enter(i >= 2) || eread(EXIT_REASON) != 18 ||
			 l2_regs[3] != (i / 2 + 1) * 3000 ||
			 eread(GUEST_RSP) != (u64)l2_stack[n] + sizeof(l2_stack[n]);
		for (j = 0; j < 16; j++)
			regs[n][j] = l2_regs[j];
		skip();
	}
	check_eq("two in turn: rounds that went wrong", wrong, 0);
}

static void smi(void)
{
	__builtin_memcpy((void *)SMI_HANDLER_AT, smi_code, smi_code_end - smi_code);
	fill(page_a, (u64)l2_smi, l2_stack[0]);
	choose((u64)page_a);
	ewrite(PROC_CTLS, eread(PROC_CTLS) & ~(1ul << 24)); /* no exit by OUT */
	expect_exit("exit: VMCALL after an SMI in L2", 0, 18);
	check_eq("SMI in L2", smi_count, 1);
	check_eq("RSM to L2: RIP", eread(GUEST_RIP), (u64)l2_smi_done);
	check_eq("RSM to L2: RBX", l2_regs[3], 0x1122334455667788);

	/* one in L1, which has changed the page since the exit: the change counts */
	ewrite(GUEST_RIP, (u64)l2_first);
	outb(0xb2, 0);
	check_eq("SMI in L1", smi_count, 2);
	expect_exit("exit: CPUID after an SMI in L1", 1, 10);
	check_eq("VMREAD after it", vmread(EXIT_INSN_LEN), 2);
}

static void ordinary(void)
{
	u64 ptr = 0;

	assist_page[40] = 0;
	check_eq("VMRESUME when no longer enlightened", (u64)enter(1), 1);
	check_eq("VMCLEAR of an ordinary VMCS", (u64)vmclear(ordinary_page), 0);
	check_eq("VMPTRLD of an ordinary VMCS", (u64)vmptrld(ordinary_page), 0);
	check_eq("VMWRITE to it", (u64)vmwrite(GUEST_RIP, 0x1234), 0);
	evmcs = page_a;
	choose((u64)page_a);
	ewrite(GUEST_RIP, (u64)l2_first);
	expect_exit("exit: CPUID, in place of the ordinary one", 0, 10);
	asm volatile("vmptrst %0" : "+m"(ptr) : : "cc");
	check_eq("VMPTRST: there is no ordinary one", ptr, ~0ul);
	check_eq("VMPTRLD of the ordinary one again", (u64)vmptrld(ordinary_page), 0);
	check_eq("which has kept its field", vmread(GUEST_RIP), 0x1234);
	*word(page_a, REVISION) = (u32)rdmsr(MSR_VMX_BASIC);
	ewrite(GUEST_RIP, (u64)l2_first);
	expect_exit("exit: CPUID, with the revision that Hyper-V writes", 0, 10);
}

int main(void)
{
	make_ept();
	msr_bitmap[0x1234 / 8] |= 1 << (0x1234 % 8);
	offered();
	start_vmx();
	refused();
	exits();
	instructions();
	in_turn();
	smi();
	ordinary();
	check_eq("VMXOFF", (u64)VMX_INSN("vmxoff", "r"(0)), 0);
	return fails();
}
