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

/*
 * L2 to its next exit. @regs as run_l2()'s, and @rsp is where the host RSP goes. 0, or how VMLAUNCH
 * or VMRESUME failed.
 */
int run_enlightened(int launched, u64 *regs, u64 *rsp);
asm(".globl run_enlightened\n"
    "run_enlightened:\n\t"
    "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rsi\n\t"
    "mov %rsp, (%rdx)\n\t"
    "test %edi, %edi\n\t"
    "mov 0(%rsi), %rax; mov 8(%rsi), %rcx; mov 16(%rsi), %rdx; mov 24(%rsi), %rbx\n\t"
    "mov 40(%rsi), %rbp; mov 56(%rsi), %rdi; mov 48(%rsi), %rsi\n\t"
    "jnz 1f\n\t"
    "vmlaunch\n\t"
    "jmp 2f\n"
    "1: vmresume\n"
    "2: mov $1, %eax\n\t"
    "jc 3f\n\t"
    "mov $2, %eax\n"
    "3: pop %rsi; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\t"
    "cld\n\t"
    "ret\n"
    ".globl evmcs_exit\n"
    "evmcs_exit:\n\t"
    "xchg %rsi, (%rsp)\n\t"
    "mov %rax, 0(%rsi); mov %rcx, 8(%rsi); mov %rdx, 16(%rsi); mov %rbx, 24(%rsi)\n\t"
    "mov %rbp, 40(%rsi); mov %rdi, 56(%rsi)\n\t"
    "mov (%rsp), %rax; mov %rax, 48(%rsi)\n\t"
    "xor %eax, %eax\n\t"
    "jmp 3b\n");
extern char evmcs_exit[];

static int enter(int launched)
{
	int r;

	*word(evmcs, CLEAN_FIELDS) &= ~GROUP_HOST_POINTER;
	r = run_enlightened(launched, l2_regs, (u64 *)(evmcs + 616));
	/* As Linux: what the exit has written is what L0 knows. */
	*word(evmcs, CLEAN_FIELDS) = ALL_CLEAN;
	return r;
}

static int vmread_status(u64 f)
{
	u64 v;
	u8 c, z;

	asm volatile("vmread %3, %0; setc %1; setz %2"
		     : "=r"(v), "=qm"(c), "=qm"(z)
		     : "r"(f)
		     : "cc");
	return c ? 1 : z ? 2 : 0;
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

static void put_segment(int i, u16 sel, u32 limit, u32 ar)
{
	ewrite(0x800 + 2 * i, sel);
	ewrite(0x4800 + 2 * i, limit);
	ewrite(0x4814 + 2 * i, ar);
	ewrite(0x6806 + 2 * i, 0);
}

static void put_host(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) dt;
	u32 f;

	for (f = 0xc00; f <= 0xc0a; f += 2)
		ewrite(f, f == 0xc02 ? 8 : 0);
	ewrite(0xc0c, 0x20);
	ewrite(0x6c00, READ_CR(0));
	ewrite(0x6c02, READ_CR(3));
	ewrite(0x6c04, READ_CR(4));
	for (f = 0x6c06; f <= 0x6c12; f += 2)
		ewrite(f, 0);
	asm volatile("sgdt %0" : "=m"(dt));
	ewrite(0x6c0c, dt.base);
	asm volatile("sidt %0" : "=m"(dt));
	ewrite(0x6c0e, dt.base);
	ewrite(0x2c02, rdmsr(MSR_EFER));
	ewrite(HOST_RIP, (u64)evmcs_exit);
}

static void put_guest(u64 rip, u64 rsp)
{
	int i;

	for (i = 0; i < 6; i++)
		put_segment(i, i == 1 ? 8 : 0x10, 0xffffffff, i == 1 ? 0xa09b : 0xc093);
	put_segment(6, 0, 0xffff, 0x10000);
	put_segment(7, 0x20, 0x67, 0x8b);
	ewrite(0x4810, 0xffff);
	ewrite(0x4812, 0xffff);
	ewrite(GUEST_CR0, READ_CR(0));
	ewrite(GUEST_CR3, READ_CR(3));
	ewrite(GUEST_CR4, READ_CR(4));
	ewrite(0x681a, 0x400);
	ewrite(GUEST_RSP, rsp);
	ewrite(GUEST_RIP, rip);
	ewrite(GUEST_RFLAGS, 2);
	ewrite(0x2806, rdmsr(MSR_EFER));
	ewrite(LINK_PTR, ~0ul);
}

static void put_controls(void)
{
	int ept = (rdmsr(MSR_VMX_TRUE_PROC) >> 63) && ((rdmsr(MSR_VMX_PROCBASED_CTLS2) >> 33) & 1);

	ewrite(PIN_CTLS, ctl(MSR_VMX_TRUE_PIN, 0));
	ewrite(PROC_CTLS, ctl(MSR_VMX_TRUE_PROC, 0x80 | 1u << 28 | 1u << 24 | (u32)ept << 31));
	ewrite(PROC2_CTLS, ept ? 2 : 0);
	ewrite(EPTP, (u64)ept_pml4 | 0x1e);
	ewrite(EXIT_CTLS, ctl(MSR_VMX_TRUE_EXIT, 1u << 9 | 1u << 20 | 1u << 21));
	ewrite(ENTRY_CTLS, ctl(MSR_VMX_TRUE_ENTRY, 1u << 9 | 1u << 15));
	ewrite(EXC_BITMAP, 1u << 6);
	ewrite(MSR_BITMAP, (u64)msr_bitmap);
	ewrite(CR4_MASK, 0x2000);
}

static void fill(u8 *page, u64 rip, u8 *stack)
{
	evmcs = page;
	*word(page, REVISION) = 1;
	put_host();
	put_guest(rip, (u64)stack + sizeof(l2_stack[0]));
	put_controls();
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
