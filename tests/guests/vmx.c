// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tiny hypervisor of our own as L1: VMX instructions and their failures, and an L2 whose exits
 * come in a known order, then one whose turns L1's timer ends, and one that an SMI interrupts. With
 * EPT when the capability MSRs offer it.
 */
#include "vmx.h"

static u8 vmxon_page[4096] __attribute__((aligned(4096)));
static u8 vmcs_page[4096] __attribute__((aligned(4096)));
static u8 other_page[4096] __attribute__((aligned(4096)));
static u8 msr_bitmap[4096] __attribute__((aligned(4096)));
static u64 ept_pml4[512] __attribute__((aligned(4096)));
static u64 ept_pdpt[512] __attribute__((aligned(4096)));
static u64 ept_pd[4][512] __attribute__((aligned(4096)));
static u64 ept_pt[512] __attribute__((aligned(4096)));
static u8 l2_stack[4096] __attribute__((aligned(16)));
static volatile u8 probe_page[8192] __attribute__((aligned(4096)));
static int have_ept;

static void do_vmxon(void *arg)
{
	vmxon(arg);
}

static void do_vmread(void *arg)
{
	vmread((u64)arg);
}

static u64 l2_regs[16]; /* by encoding */

static int vmx_run(int launched)
{
	return run_l2(launched, l2_regs, 0);
}

static void skip(void)
{
	vmwrite(GUEST_RIP, vmread(GUEST_RIP) + vmread(EXIT_INSN_LEN));
}

/* ------------------------------------------------------------------ L2 */

void l2_main(void);
asm(".globl l2_main\n"
    "l2_main:\n\t"
    "mov $0x40000055, %eax; xor %ecx, %ecx; cpuid\n\t" /* exit CPUID */
    "hlt\n\t"					       /* exit HLT */
    "mov $0x1234, %ecx; rdmsr\n\t"		       /* exit MSR read */
    "mov $0x174, %ecx; rdmsr\n\t"		       /* MSR bitmap: no exit */
    "mov %eax, %esi\n\t"
    "vmcall\n\t"			  /* exit VMCALL */
    "mov $0x5a, %al; outb %al, $0x80\n\t" /* exit I/O */
    "mov %cr4, %rax\n\t"		  /* read shadow */
    "mov %rax, %rdi\n\t"
    "ud2\n\t"		      /* exit exception */
    "mov probe_page, %bl\n\t" /* exit EPT violation, then the byte */
    "cpuid\n\t"
    "movb $0x77, probe_page+1\n\t" /* exit EPT violation for the write */
    "vmcall\n"
    "1: pause\n\t"
    "jmp 1b\n");

static void make_ept(void)
{
	int i, j;

	ept_pml4[0] = (u64)ept_pdpt | 7;
	for (i = 0; i < 4; i++) {
		ept_pdpt[i] = (u64)ept_pd[i] | 7;
		for (j = 0; j < 512; j++)
			ept_pd[i][j] = ((u64)i << 30 | (u64)j << 21) | 0xb7;
	}
	/* The 2 MiB that hold the program by 4-KiB pages. */
	for (j = 0; j < 512; j++)
		ept_pt[j] = (u64)j << 12 | 0x37;
	ept_pd[0][0] = (u64)ept_pt | 7;
}

static void guest_state(void)
{
	put_guest(by_vmwrite, (u64)l2_main, (u64)l2_stack + sizeof(l2_stack));
}

static void controls(void)
{
	put_controls(by_vmwrite, (u64)msr_bitmap, have_ept ? (u64)ept_pml4 | 0x1e : 0);
}

static void expect_exit(const char *name, int launched, u32 reason)
{
	int r = vmx_run(launched);

	if (r) {
		check_eq(name, (u64)r << 32 | vmread(INSN_ERROR), 0);
		return;
	}
	check_eq(name, vmread(EXIT_REASON), reason);
}

void l2_touch(void);
asm(".globl l2_touch\n"
    "l2_touch:\n\t"
    "mov probe_page, %bl\n\t"
    "cpuid\n\t"
    "movb $0x78, probe_page+1\n\t"
    "vmcall\n");

/* EPT with accessed and dirty flags: set by what L2 does, and not before. */
static void accessed_dirty(void)
{
	u64 *leaf = &ept_pt[(u64)probe_page >> 12];
	struct {
		u64 eptp, zero;
	} d = { (u64)ept_pml4 | 0x5e, 0 };

	*leaf &= ~0x300ul;
	ept_pd[0][0] &= ~0x100ul;
	vmwrite(EPTP, d.eptp);
	VMX_INSN("invept %2, %3", "m"(d), "r"(1ul));
	vmwrite(GUEST_RIP, (u64)l2_touch);
	expect_exit("exit: CPUID after a read, accessed and dirty flags on", 1, 10);
	check_eq("a read sets the leaf's A", *leaf & 0x300, 0x100);
	check_eq("a read sets the table's A", ept_pd[0][0] & 0x100, 0x100);
	skip();
	expect_exit("exit: VMCALL after a write, accessed and dirty flags on", 1, 18);
	check_eq("a write sets the leaf's D", *leaf & 0x300, 0x300);
	vmwrite(EPTP, (u64)ept_pml4 | 0x1e);
}

void l2_x87(void);
asm(".globl l2_x87\n"
    "l2_x87:\n\t"
    "fnstcw probe_page\n\t"
    "vmcall\n");

/* What L0 does not emulate is #UD for L2, and not the end of L1's VM. */
static void not_emulated(void)
{
	u64 *leaf = &ept_pt[(u64)probe_page >> 12], old = *leaf;
	struct {
		u64 eptp, zero;
	} all = { 0, 0 };

	*leaf = 0xd0000037; /* the runner's device */
	VMX_INSN("invept %2, %3", "m"(all), "r"(2ul));
	vmwrite(GUEST_RIP, (u64)l2_x87);
	expect_exit("exit: x87 on device memory", 1, 0);
	check_eq("x87 on device memory is #UD", vmread(EXIT_INTR_INFO), 0x80000306);
	*leaf = old;
	VMX_INSN("invept %2, %3", "m"(all), "r"(2ul));
	expect_exit("exit: VMCALL after x87 on memory", 1, 18);
}

static void l2_tests(void)
{
	u64 misc = rdmsr(MSR_VMX_MISC);

	(void)misc;
	expect_exit("exit: CPUID", 0, 10);
	check_eq("CPUID: length", vmread(EXIT_INSN_LEN), 2);
	check_eq("CPUID: eax of L2", l2_regs[0], 0x40000055);
	skip();
	expect_exit("exit: HLT", 1, 12);
	skip();
	expect_exit("exit: RDMSR", 1, 31);
	check_eq("RDMSR: ecx of L2", l2_regs[1], 0x1234);
	skip();
	wrmsr(0x174, 0xabc8);
	expect_exit("exit: VMCALL, past an MSR read that the bitmap lets through", 1, 18);
	check_eq("VMCALL: length", vmread(EXIT_INSN_LEN), 3);
	skip();
	expect_exit("exit: I/O", 1, 30);
	check_eq("I/O: qualification", vmread(EXIT_QUAL), 0x80ul << 16 | 0x40);
	check_eq("I/O: length", vmread(EXIT_INSN_LEN), 2);
	skip();
	expect_exit("exit: #UD", 1, 0);
	check_eq("#UD: interruption information", vmread(EXIT_INTR_INFO), 0x80000306);
	check_eq("CR4.VMXE is hidden by mask and shadow", l2_regs[7] & 0x2000, 0);
	vmwrite(GUEST_RIP, vmread(GUEST_RIP) + 2);
	if (!have_ept)
		return;

	ept_pt[(u64)probe_page >> 12] = 0;
	expect_exit("exit: EPT violation, read", 1, 48);
	check_eq("EPT violation: address", vmread(GUEST_PHYS), (u64)probe_page);
	check_eq("EPT violation: qualification", vmread(EXIT_QUAL) & 0x3f, 1);
	probe_page[4096] = 0x42;
	ept_pt[(u64)probe_page >> 12] = ((u64)probe_page + 4096) | 0x31;
	expect_exit("exit: CPUID after a read-only mapping", 1, 10);
	check_eq("L2 read through the new mapping", l2_regs[3] & 0xff, 0x42);
	skip();
	expect_exit("exit: EPT violation, write", 1, 48);
	check_eq("EPT violation: qualification of the write", vmread(EXIT_QUAL) & 0x3f, 0xa);
	ept_pt[(u64)probe_page >> 12] |= 2;
	{
		struct {
			u64 eptp, zero;
		} d = { (u64)ept_pml4 | 0x1e, 0 };

		check_eq("INVEPT, single context", (u64)VMX_INSN("invept %2, %3", "m"(d), "r"(1ul)),
			 0);
		check_eq("INVEPT, bad type", (u64)VMX_INSN("invept %2, %3", "m"(d), "r"(7ul)), 2);
		check_eq("INVEPT, bad type: error", vmread(INSN_ERROR), 28);
	}
	expect_exit("exit: VMCALL after the write", 1, 18);
	check_eq("L2 wrote through the mapping", probe_page[4097], 0x77);
	if (rdmsr(MSR_VMX_EPT_VPID_CAP) >> 21 & 1)
		accessed_dirty();
	not_emulated();
}

/* L2 with interrupts on: many entries, each with an exit soon. Its IDT has nothing in it. */
void l2_busy(void);
asm(".globl l2_busy\n"
    "l2_busy:\n\t"
    "cpuid\n\t"
    "jmp l2_busy\n");

#define VEC_TIMER     0x40
#define IRQ_ROUNDS    4000
#define BRIEF_ROUNDS  8
#define IRQ_MAX_EXITS 20000

/* One deadline of L1, due while L0 is somewhere between L2's exits and entries. */
static int deadline_round(u64 ticks)
{
	int i, r = 0;
	u64 reason = 10;

	wrmsr(0x6e0, rdtsc() + ticks);
	for (i = 0; i < IRQ_MAX_EXITS && reason == 10; i++) {
		r = vmx_run(1);
		if (r)
			break;
		reason = vmread(EXIT_REASON);
		if (reason == 10)
			skip();
	}
	if (r || reason != 1 || vmread(EXIT_INTR_INFO) != (0x80000000 | VEC_TIMER)) {
		check_eq("round of a deadline: VM entry", r, 0);
		check_eq("round of a deadline: exit reason", reason, 1);
		check_eq("round of a deadline: interrupt", vmread(EXIT_INTR_INFO),
			 0x80000000 | VEC_TIMER);
		return 0;
	}
	wrmsr(0x80b, 0);
	return 1;
}

/* External-interrupt exiting: each of L1's interrupts ends L2's turn, none reaches L2. */
static void interrupts(int wanted)
{
	u64 ticks = 1000;
	int rounds = 0;

	wrmsr(0x1b, rdmsr(0x1b) | 0x400);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, VEC_TIMER | 0x40000);
	vmwrite(PIN_CTLS, ctl(MSR_VMX_TRUE_PIN, 1));
	vmwrite(EXIT_CTLS, ctl(MSR_VMX_TRUE_EXIT, 1u << 9 | 1u << 15 | 1u << 20 | 1u << 21));
	vmwrite(GUEST_RIP, (u64)l2_busy);
	vmwrite(GUEST_RFLAGS, 0x202);
	while (rounds < wanted && deadline_round(ticks)) {
		ticks = 1000 + (ticks * 1103515245 + 12345) % 400000;
		rounds++;
	}
	check_eq("each of L1's interrupts exits from L2", (u64)rounds, (u64)wanted);
	controls();
	vmwrite(GUEST_RFLAGS, 2);
}

void l2_spin(void);
asm(".globl l2_spin\n"
    "l2_spin:\n\t"
    "pause\n\t"
    "jmp l2_spin\n");

#define PREEMPTION_TICKS 50000000ul

/* Long enough to be moved to other VMs meanwhile. */
static void preemption_timer(void)
{
	unsigned int rate = rdmsr(MSR_VMX_MISC) & 31;
	u64 start, ticks;

	if (!(rdmsr(MSR_VMX_TRUE_PIN) >> 38 & 1)) {
		puts("no VMX-preemption timer\n");
		return;
	}
	vmwrite(PIN_CTLS, ctl(MSR_VMX_TRUE_PIN, 1u << 6));
	vmwrite(PREEMPTION_TIMER, PREEMPTION_TICKS >> rate);
	vmwrite(GUEST_RIP, (u64)l2_spin);
	start = rdtsc();
	expect_exit("exit: VMX-preemption timer", 1, 52);
	ticks = rdtsc() - start;
	check("VMX-preemption timer: not too early", ticks >= ((PREEMPTION_TICKS >> rate) - 1)
								      << rate);
	controls();
}

/*
 * Real mode as hypervisors without unrestricted guest run it: L2 in virtual-8086 mode with CR4.VME.
 * Its program is at 1000H, its interrupt handler at 1100H.
 */
#define V86_CODE    0x1000ul
#define V86_HANDLER 0x1100ul
#define V86_REDIR   104 /* in the TSS, below the I/O permission bit map */

static u32 v86_pd[1024] __attribute__((aligned(4096)));
static u8 v86_tss[V86_REDIR + 32 + 8193] __attribute__((aligned(4096)));

static const u8 v86_program[] = {
	0xcd, 0x20, /* int $0x20: redirected */
	0x0f, 0xa2, /* cpuid */
	0xcd, 0x21, /* int $0x21: not redirected */
	0x0f, 0xa2, /* cpuid */
	0xfb,	    /* sti */
	0x0f, 0xa2, /* cpuid */
	0xfa,	    /* cli */
	0x0f, 0xa2, /* cpuid */
};
static const u8 v86_handler[] = { 0xbb, 0x34, 0x12, 0xcf }; /* mov $0x1234, %bx; iret */

static void v86_state(void)
{
	volatile u16 *ivt = (volatile u16 *)0;
	int i;

	asm volatile("" : "+r"(ivt)); /* address 0 is meant */
	for (i = 0; i < (int)sizeof(v86_program); i++)
		((volatile u8 *)V86_CODE)[i] = v86_program[i];
	for (i = 0; i < (int)sizeof(v86_handler); i++)
		((volatile u8 *)V86_HANDLER)[i] = v86_handler[i];
	ivt[0x20 * 2] = V86_HANDLER - V86_CODE;
	ivt[0x20 * 2 + 1] = V86_CODE >> 4;
	v86_pd[0] = 0x87; /* 4 MiB, user */
	v86_pd[(u64)v86_tss >> 22] = ((u32)(u64)v86_tss & 0xffc00000) | 0x87;
	*(u16 *)(v86_tss + 102) = V86_REDIR + 32;
	v86_tss[V86_REDIR + 0x21 / 8] = 1 << (0x21 % 8);
	for (i = 0; i < 6; i++)
		put_segment(by_vmwrite, i, V86_CODE >> 4, V86_CODE, 0xffff, 0xf3);
	put_segment(by_vmwrite, 7, 0x20, (u64)v86_tss, sizeof(v86_tss) - 1, 0x8b);
	vmwrite(0x4812, 0); /* IDT */
	vmwrite(0x2806, 0); /* EFER */
	vmwrite(ENTRY_CTLS, ctl(MSR_VMX_TRUE_ENTRY, 1u << 15));
	vmwrite(GUEST_CR4, 0x2011); /* VMXE, PSE, VME */
	vmwrite(GUEST_CR3, (u64)v86_pd);
	vmwrite(GUEST_RIP, 0);
	vmwrite(GUEST_RSP, 0xf00);
	vmwrite(GUEST_RFLAGS, 0x23002);
	vmwrite(EXC_BITMAP, 1u << 13);
}

static void v86_tests(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	check_eq("CPUID: VME", r[3] >> 1 & 1, 1);
	v86_state();
	l2_regs[3] = 0;
	expect_exit("VME: CPUID after a redirected INT n", 1, 10);
	check_eq("VME: the program's handler ran", l2_regs[3] & 0xffff, 0x1234);
	check_eq("VME: and returned", vmread(GUEST_RIP), 2);
	check_eq("VME: with its stack", vmread(GUEST_RSP), 0xf00);
	skip();
	expect_exit("VME: INT n that is not redirected uses the IDT", 1, 0);
	check_eq("VME: that has no gate", vmread(EXIT_INTR_INFO), 0x80000b0d);
	check_eq("VME: for this vector", vmread(EXIT_INTR_ERROR), 0x21 * 8 + 2);
	vmwrite(GUEST_RIP, 8);
	vmwrite(GUEST_RFLAGS, 0x20002);
	expect_exit("VME: CPUID after STI with IOPL 0", 1, 10);
	check_eq("VME: STI sets VIF", vmread(GUEST_RFLAGS) & 0x80200, 0x80000);
	skip();
	expect_exit("VME: CPUID after CLI with IOPL 0", 1, 10);
	check_eq("VME: CLI clears VIF", vmread(GUEST_RFLAGS) & 0x80200, 0);
	guest_state();
	controls();
}

/* A monitor trap flag that the entry injects: an exit before the first instruction. */
static void pending_mtf(void)
{
	if (!(rdmsr(MSR_VMX_TRUE_PROC) >> 59 & 1))
		return;
	vmwrite(GUEST_RIP, (u64)l2_busy);
	vmwrite(ENTRY_INTR_INFO, 0x80000700);
	expect_exit("exit: an injected MTF", 1, 37);
	check_eq("injected MTF: no instruction was executed", vmread(GUEST_RIP), (u64)l2_busy);
	check_eq("injected MTF: is gone", vmread(ENTRY_INTR_INFO), 0x700);
	expect_exit("exit: CPUID after the MTF", 1, 10);
}

static u8 shadow_bitmap[4096] __attribute__((aligned(4096)));
volatile u64 shadow_seen;

void l2_shadow(void);
asm(".globl l2_shadow\n"
    "l2_shadow:\n\t"
    "mov $0x681e, %eax; vmread %rax, shadow_seen\n\t"
    "mov $0x5678, %ebx; vmwrite %rbx, %rax\n\t"
    "vmread %rax, %rbx\n\t"
    "mov $0x6fff, %eax; vmread %rax, %rcx\n\t" /* no such field: ZF */
    "setz %dl\n\t"
    "vmcall\n\t"
    "mov $0x681c, %eax; vmread %rax, %rbx\n\t" /* in the bitmap */
    "vmcall\n");

/* L2 reads and writes the VMCS that L1 has linked, and only fields that L1 lets it. */
static void shadow_vmcs(void)
{
	if (!(rdmsr(MSR_VMX_PROCBASED_CTLS2) >> 46 & 1))
		return;
	*(u32 *)other_page = (u32)rdmsr(MSR_VMX_BASIC) | 1u << 31;
	shadow_bitmap[0x681c / 8] = 1 << (0x681c % 8);
	check_eq("VMPTRLD of a shadow VMCS", (u64)vmptrld(other_page), 0);
	vmwrite(GUEST_RIP, 0x1234);
	check_eq("VMLAUNCH of a shadow VMCS", (u64)vmx_run(0), 1);
	check_eq("VMPTRLD back", (u64)vmptrld(vmcs_page), 0);

	vmwrite(PROC_CTLS, vmread(PROC_CTLS) | 1u << 31);
	vmwrite(PROC2_CTLS, vmread(PROC2_CTLS) | 1u << 14);
	vmwrite(0x2026, (u64)shadow_bitmap);
	vmwrite(0x2028, (u64)shadow_bitmap);
	vmwrite(LINK_PTR, (u64)vmcs_page);
	vmwrite(GUEST_RIP, (u64)l2_shadow);
	check_eq("linked to itself: entry ends in an exit", (u64)vmx_run(1), 0);
	check_eq("linked to itself: qualification", vmread(EXIT_QUAL), 4);
	vmwrite(LINK_PTR, (u64)other_page);
	expect_exit("exit: VMCALL after the shadow VMCS", 1, 18);
	check_eq("L2 read the shadow VMCS", shadow_seen, 0x1234);
	check_eq("L2 read what it had written", l2_regs[3], 0x5678);
	check_eq("L2's VMREAD of no field failed", l2_regs[2] & 0xff, 1);
	skip();
	expect_exit("exit: VMREAD of a field in the bitmap", 1, 23);
	check_eq("VMREAD: length", vmread(EXIT_INSN_LEN), 3);

	vmwrite(LINK_PTR, ~0ull);
	controls();
	check_eq("VMPTRLD of the shadow VMCS", (u64)vmptrld(other_page), 0);
	check_eq("L1 finds what L2 has written", vmread(GUEST_RIP), 0x5678);
	check_eq("L1 finds L2's error", vmread(INSN_ERROR), 12);
	vmptrld(vmcs_page);
}

static void entry_failures(void)
{
	u64 rip = vmread(GUEST_RIP);

	vmwrite(0x681a, 1ul << 40);
	vmwrite(GUEST_RFLAGS, 0);
	check_eq("entry with bad RFLAGS ends in an exit", (u64)vmx_run(1), 0);
	check_eq("bad RFLAGS: reason", vmread(EXIT_REASON), 0x80000021);
	vmwrite(GUEST_RFLAGS, 2);
	vmwrite(0x681a, 0x400);
	vmwrite(0x6c00, 0);
	check_eq("entry with a bad host CR0 fails", (u64)vmx_run(1), 2);
	check_eq("bad host CR0: error", vmread(INSN_ERROR), 8);
	vmwrite(0x6c00, READ_CR(0));
	vmwrite(PIN_CTLS, ~0u);
	check_eq("entry with bad controls fails", (u64)vmx_run(1), 2);
	check_eq("bad controls: error", vmread(INSN_ERROR), 7);
	controls();
	check_eq("VMLAUNCH of a launched VMCS fails", (u64)vmx_run(0), 2);
	check_eq("VMLAUNCH of a launched VMCS: error", vmread(INSN_ERROR), 4);
	vmwrite(GUEST_RIP, rip);
}

/*
 * SMIs in VMX operation. The handler sees none of it: CR4.VMXE is clear. Port 0xb2 is the runner's.
 */
#define SMI_HANDLER_AT 0x38000ul

volatile u32 smi_count, smi_cr4;
extern u8 smi_code[], smi_code_end[];
void l2_smi(void);
void l2_smi_done(void);
asm("smi_code:\n"
    ".code16\n\t"
    "movl $smi_count, %edi; incl (%edi)\n\t"
    "movl $smi_cr4, %edi; movl %cr4, %eax; movl %eax, (%edi)\n\t"
    "xorl %ebx, %ebx\n\t"
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
    "vmcall\n\t"
    "hlt\n");

static void smi_tests(void)
{
	u64 cr3 = vmread(GUEST_CR3), rsp = vmread(GUEST_RSP);

	__builtin_memcpy((void *)SMI_HANDLER_AT, smi_code, smi_code_end - smi_code);
	smi_cr4 = ~0u;
	outb(0xb2, 0);
	check_eq("SMI in VMX root operation", smi_count, 1);
	check_eq("SMI in VMX root operation: no VMXE in SMM", smi_cr4, 0);
	check_eq("RSM: CR4.VMXE", READ_CR(4) & 0x2000, 0x2000);
	check_eq("RSM: the current VMCS", vmread(GUEST_RSP), rsp);

	controls();
	vmwrite(PROC_CTLS, vmread(PROC_CTLS) & ~(1ul << 24)); /* no exit by OUT */
	guest_state();
	vmwrite(GUEST_RIP, (u64)l2_smi);
	smi_cr4 = ~0u;
	expect_exit("exit: VMCALL after an SMI in L2", 1, 18);
	check_eq("SMI in L2", smi_count, 2);
	check_eq("SMI in L2: no VMXE in SMM", smi_cr4, 0);
	check_eq("RSM to L2: RIP", vmread(GUEST_RIP), (u64)l2_smi_done);
	check_eq("RSM to L2: RBX", l2_regs[3], 0x1122334455667788);
	check_eq("RSM to L2: CR3", vmread(GUEST_CR3), cr3);
	check_eq("RSM to L2: CR4.VMXE of L1", READ_CR(4) & 0x2000, 0x2000);
	skip();
	expect_exit("exit: HLT of the same L2", 1, 12);
	controls();
}

void l2_smi_spin(void);
asm(".globl l2_smi_spin\n"
    "l2_smi_spin:\n\t"
    "outb %al, $0xb2\n"
    "1: pause\n\t"
    "jmp 1b\n");

/* L2's time is not forgotten over the SMI, nor when it is saved and loaded then. */
static void timer_and_smi(void)
{
	if (!(rdmsr(MSR_VMX_TRUE_PIN) >> 38 & 1))
		return;
	vmwrite(PIN_CTLS, ctl(MSR_VMX_TRUE_PIN, 1u << 6));
	vmwrite(PROC_CTLS, vmread(PROC_CTLS) & ~(1ul << 24)); /* no exit by OUT */
	vmwrite(PREEMPTION_TIMER, 0x100000);
	vmwrite(GUEST_RIP, (u64)l2_smi_spin);
	expect_exit("exit: VMX-preemption timer after an SMI in L2", 1, 52);
	check_eq("SMI in L2 before the timer", smi_count, 3);
	controls();
}

static void instructions(void)
{
	u32 rev = (u32)rdmsr(MSR_VMX_BASIC);

	check_eq("VMXON without CR4.VMXE: #UD", (u64)expect_trap(do_vmxon, vmxon_page), 6);
	WRITE_CR(4, READ_CR(4) | 0x2000);
	check_eq("VMREAD outside VMX operation: #UD", (u64)expect_trap(do_vmread, 0), 6);
	if (!(rdmsr(MSR_FEATURE_CONTROL) & 1)) {
		check_eq("VMXON with IA32_FEATURE_CONTROL unlocked: #GP",
			 (u64)expect_trap(do_vmxon, vmxon_page), 13);
		wrmsr(MSR_FEATURE_CONTROL, 5);
	}
	check_eq("VMXON, misaligned", (u64)vmxon(vmxon_page + 8), 1);
	*(u32 *)vmxon_page = rev ^ 1;
	check_eq("VMXON, bad revision", (u64)vmxon(vmxon_page), 1);
	*(u32 *)vmxon_page = rev;
	WRITE_CR(0, READ_CR(0) | rdmsr(MSR_VMX_CR0_FIXED0));
	check_eq("VMXON", (u64)vmxon(vmxon_page), 0);
	check_eq("VMREAD without a current VMCS", (u64)vmread_status(GUEST_RIP), 1);
	*(u32 *)vmcs_page = rev;
	*(u32 *)other_page = rev ^ 1;
	check_eq("VMCLEAR", (u64)vmclear(vmcs_page), 0);
	check_eq("VMPTRLD", (u64)vmptrld(vmcs_page), 0);
	check_eq("VMPTRLD, bad revision", (u64)vmptrld(other_page), 2);
	check_eq("VMPTRLD, bad revision: error", vmread(INSN_ERROR), 11);
	check_eq("VMPTRLD of the VMXON page", (u64)vmptrld(vmxon_page), 2);
	check_eq("VMPTRLD of the VMXON page: error", vmread(INSN_ERROR), 10);
	check_eq("VMXON in VMX operation", (u64)vmxon(vmxon_page), 2);
	check_eq("VMXON in VMX operation: error", vmread(INSN_ERROR), 15);
	check_eq("VMWRITE", (u64)vmwrite(GUEST_RSP, 0x1122334455667788), 0);
	check_eq("VMREAD", vmread(GUEST_RSP), 0x1122334455667788);
	check_eq("VMREAD of no field", (u64)vmread_status(0x6fff), 2);
	check_eq("VMREAD of no field: error", vmread(INSN_ERROR), 12);
	check_eq("VMRESUME of a clear VMCS", (u64)vmx_run(1), 2);
	check_eq("VMRESUME of a clear VMCS: error", vmread(INSN_ERROR), 5);
}

int main(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	if (!(r[2] & 32)) {
		puts("SKIP no VMX in CPUID\n");
		return 77;
	}
	have_ept = offers_ept();
	puts(have_ept ? "with EPT\n" : "without EPT\n");
	make_ept();
	msr_bitmap[0x1234 / 8] |= 1 << (0x1234 % 8);
	instructions();
	put_host(by_vmwrite);
	guest_state();
	controls();
	l2_tests();
	/*
	 * runner -p 1: for tests that end us at a random moment, likely one of L2's. With 2 we are one of
	 * many runs.
	 */
	do {
		interrupts(inl(0xf0) == 2 ? BRIEF_ROUNDS : IRQ_ROUNDS);
	} while (inl(0xf0) == 1);
	preemption_timer();
	smi_tests();
	timer_and_smi();
	v86_tests();
	pending_mtf();
	shadow_vmcs();
	entry_failures();
	check_eq("VMXOFF", (u64)VMX_INSN("vmxoff", "r"(0)), 0);
	check_eq("VMREAD after VMXOFF: #UD", (u64)expect_trap(do_vmread, 0), 6);
	return fails();
}
