// SPDX-License-Identifier: GPL-2.0-only
/*
 * An L1 that means harm. Executes VMX instructions with random operands, enters L2 with VMCSs that
 * were valid before some fields were changed, or never were, changes VMCSs by writing the memory
 * that holds them, points bitmaps, lists and pages to where nothing is, and gives L2
 * EPT tables that loop, overlap, have reserved bits or lead out of memory, while a second CPU
 * rewrites all of that. L2's code is random as well.
 *
 * Its seed is in the latches (runner -p), with bit 31 set when there is a second CPU; from that
 * everything follows, up to when interrupts come and how the CPUs meet. It may well kill itself:
 * what counts is that nobody else notices. Last line: "hostile: entries N traps N", in hexadecimal.
 */
#include "hostile.h"

#define ROUNDS	  120
#define EXITS_MAX 12
#define VEC_TIMER 0x40
#define PAT	  0x0007040600070406ul

static struct cpu cpus[2] = { { .index = 0 }, { .index = 1 } };

/* Where BSP goes on when something of L1's own raises a trap; see guarded(). */
u64 resume_rip_, resume_rsp_;
extern char ap_again[];

/*
 * Calls @fn; a trap in it, or a VM exit that nobody expected, comes back here. Returns 1 then.
 */
int guarded(void (*fn)(struct cpu *), struct cpu *c);
asm(".globl guarded\n"
    "guarded:\n\t"
    "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n\t"
    "mov %rsp, resume_rsp_\n\t"
    "movq $guarded_landing, resume_rip_\n\t"
    "mov %rdi, %rax; mov %rsi, %rdi\n\t"
    "call *%rax\n\t"
    "xor %eax, %eax\n\t"
    "jmp 1f\n"
    ".globl guarded_landing\n"
    "guarded_landing:\n\t"
    "mov resume_rsp_, %rsp\n\t"
    "xor %eax, %eax\n\t"
    "mov %eax, %ds; mov %eax, %es; mov %eax, %ss\n\t"
    "inc %eax\n"
    "1: cld; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\t"
    "ret\n"
    ".globl ap_again\n"
    "ap_again:\n\t"
    "mov $1, %edi\n\t"
    "call ap_main\n\t"
    "jmp ap_again\n");

static void on_trap(struct trap_frame *f)
{
	u64 ap_stack = (u64)stack_top - GUEST_STACK_SIZE;

	f->cs = 8;
	f->ss = 0;
	f->rflags = 2;
	if ((u64)f < ap_stack) {
		cpus[1].traps++;
		f->rip = (u64)ap_again;
		f->rsp = ap_stack - 8;
		return;
	}
	cpus[0].traps++;
	if (!resume_rip_)
		outb(0xf4, 3);
	f->rip = resume_rip_;
	f->rsp = resume_rsp_;
}

/* ------------------------------------------------------------------ a VMCS that is valid */

static void guest_state(struct cpu *c, int real_mode)
{
	int i;

	for (i = 0; i < 6; i++) {
		if (real_mode)
			put_segment(by_vmwrite, i, 0, 0, 0xffff, i == 1 ? 0x9b : 0x93);
		else
			put_segment(by_vmwrite, i, i == 1 ? 8 : 0x10, 0, 0xffffffff,
				    i == 1 ? 0xa09b : 0xc093);
	}
	if (real_mode)
		put_segment(by_vmwrite, 1, L2_CODE >> 4 & 0xf000, L2_CODE & 0xf0000, 0xffff, 0x9b);
	put_segment(by_vmwrite, 6, 0, 0, 0xffff, 0x10000);
	put_segment(by_vmwrite, 7, 0x20, SANDBOX, 0x67, 0x8b);
	vmwrite(0x4810, 0xffff);
	vmwrite(0x4812, 0xffff);
	vmwrite(0x6816, SANDBOX);
	vmwrite(0x6818, SANDBOX + 0x1000);
	vmwrite(GUEST_CR0, real_mode ? 0x30 : READ_CR(0) | 0x10000);
	vmwrite(GUEST_CR3, L2_PML4);
	vmwrite(GUEST_CR4, READ_CR(4));
	vmwrite(0x681a, 0x400);
	vmwrite(GUEST_RSP, L2_STACK);
	vmwrite(GUEST_RIP, real_mode ? L2_CODE & 0xffff : L2_CODE);
	vmwrite(GUEST_RFLAGS, 2);
	vmwrite(0x2806, real_mode ? 0 : rdmsr(MSR_EFER));
	vmwrite(0x2804, PAT);
	vmwrite(0x2802, 0);
	vmwrite(0x6822, 0);
	vmwrite(0x6824, 0);
	vmwrite(0x6826, 0);
	vmwrite(0x482a, 0);
	vmwrite(0x482e, 1000 + below(c, 100000)); /* preemption timer */
	vmwrite(GUEST_INTR, 0);
	vmwrite(GUEST_ACTIVITY, 0);
	vmwrite(LINK_PTR, ~0ul);
}

/* Every address field gets a page of the sandbox, so that any control may be switched on. */
static void addresses(struct cpu *c)
{
	static const u16 fields[] = { 0x2000, 0x2002, 0x2004, 0x2006, 0x2008, 0x200a, 0x2012,
				      0x2014, 0x2016, 0x200e, 0x2026, 0x2028, 0x202a, 0x2024 };
	u64 i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		vmwrite(fields[i], PAGES_AT + i * 0x1000);
	/* With L1's own MSRs in its hands L2 soon ends us both. */
	if (!one_in(c, 16))
		for (i = 0; i < 512; i++)
			((volatile u64 *)PAGES_AT)[2 * 512 + i] = ~0ul;
	vmwrite(0x400a, 0);
	vmwrite(0x400e, 0);
	vmwrite(0x4010, 0);
	vmwrite(0x4014, 0);
}

/* Wanted bits, and now and then others that the capability MSR allows. */
static u32 control(struct cpu *c, u32 msr, u32 want)
{
	u32 more = one_in(c, 3) ? (u32)rnd(c) & (u32)rnd(c) & (u32)rnd(c) : 0;

	return ctl(msr, want | more);
}

static int controls(struct cpu *c)
{
	u32 proc2 = 0, allowed = 0;
	int real_mode = 0;

	if (rdmsr(MSR_VMX_TRUE_PROC) >> 63)
		allowed = (u32)(rdmsr(MSR_VMX_PROCBASED_CTLS2) >> 32);
	if (!one_in(c, 8))
		proc2 |= 2;
	if (one_in(c, 3))
		proc2 |= 0x82;
	if (one_in(c, 2))
		proc2 |= 0x20;
	if (one_in(c, 3))
		proc2 |= (u32)rnd(c);
	proc2 &= allowed;
	real_mode = (proc2 & 0x82) == 0x82 && one_in(c, 2);
	vmwrite(PIN_CTLS, control(c, MSR_VMX_TRUE_PIN, one_in(c, 8) ? 0x40 : 0x41));
	vmwrite(PROC_CTLS,
		control(c, MSR_VMX_TRUE_PROC, 0x80 | 1u << 28 | 1u << 24 | (proc2 ? 1u << 31 : 0)));
	vmwrite(PROC2_CTLS, proc2);
	vmwrite(EXIT_CTLS, control(c, MSR_VMX_TRUE_EXIT, 1u << 9 | 1u << 15 | 1u << 20 | 1u << 21));
	vmwrite(ENTRY_CTLS, control(c, MSR_VMX_TRUE_ENTRY, (real_mode ? 0 : 1u << 9) | 1u << 15));
	vmwrite(EXC_BITMAP, (u32)rnd(c));
	vmwrite(ENTRY_INTR_INFO, 0);
	vmwrite(0x0, 1 + below(c, 3)); /* VPID */
	vmwrite(0x401c, 0);	       /* TPR threshold */
	vmwrite(CR0_MASK, 0);
	vmwrite(CR4_MASK, 0x2000);
	vmwrite(CR4_SHADOW, 0);
	vmwrite(EPTP, EPT_PML4 | 0x1e | (one_in(c, 2) ? 0x40 : 0));
	return real_mode;
}

/* ------------------------------------------------------------------ and how it is spoilt */

static void spoil_field(struct cpu *c)
{
	u32 type = below(c, 4), width = below(c, 4);

	if (type == 3 && !one_in(c, 8))
		type = 0; /* bad host state only kills us */
	vmwrite(width << 13 | type << 10 | below(c, 0x20) << 1, odd_number(c));
}

static void spoil_address(struct cpu *c)
{
	vmwrite(0x2000 + 2 * below(c, 0x1c), odd_address(c));
}

static void spoil_msr_lists(struct cpu *c)
{
	static const u16 counts[] = { 0x400e, 0x4010, 0x4014 };
	static const u16 lists[] = { 0x2006, 0x2008, 0x200a };
	/* A list of VM exit that fails is the end of us, so mostly that of VM entry. */
	u32 i, which = one_in(c, 40) ? below(c, 2) : 2;
	u32 n = one_in(c, 8) ? (u32)odd_number(c) : below(c, 40);
	u32 *entry = (u32 *)MSR_LIST;

	for (i = 0; i < 40; i++, entry += 4) {
		entry[0] = odd_msr(c);
		entry[1] = one_in(c, 16);
		*(u64 *)(entry + 2) = odd_number(c);
	}
	vmwrite(counts[which], n);
	vmwrite(lists[which], one_in(c, 4) ? odd_address(c) : MSR_LIST);
}

/* The memory that holds a VMCS, active or not: this CPU's, or the other's. */
static void spoil_memory(struct cpu *c)
{
	u64 page = VMCS_AT + (u64)below(c, 2 * VMCS_PER_CPU) * 0x1000;

	*(volatile u64 *)(page + (below(c, 512) << 3)) = odd_number(c);
}

static void spoil(struct cpu *c)
{
	u32 n = one_in(c, 4) ? 0 : 1 + below(c, 4);

	while (n--) {
		switch (below(c, 8)) {
		case 0:
			spoil_address(c);
			break;
		case 1:
			spoil_msr_lists(c);
			break;
		case 2:
			spoil_memory(c);
			break;
		case 3:
			vmwrite(ENTRY_INTR_INFO, 0x80000000 | (u32)rnd(c) % 0x1000);
			vmwrite(0x401a, below(c, 17));
			break;
		case 4:
			spoil_ept(c);
			break;
		default:
			spoil_field(c);
		}
	}
}

/* ------------------------------------------------------------------ a round */

static int start_vmx(struct cpu *c)
{
	u32 rev = (u32)rdmsr(MSR_VMX_BASIC);

	WRITE_CR(4, READ_CR(4) | 0x2000);
	if (!(rdmsr(MSR_FEATURE_CONTROL) & 1))
		wrmsr(MSR_FEATURE_CONTROL, 5);
	WRITE_CR(0, READ_CR(0) | rdmsr(MSR_VMX_CR0_FIXED0));
	*(u32 *)c->vmxon_page = rev;
	return vmxon(c->vmxon_page);
}

static void take_vmcs(struct cpu *c)
{
	u8 *page = (u8 *)VMCS_AT + (c->index * VMCS_PER_CPU + below(c, VMCS_PER_CPU)) * 0x1000;
	u64 i;

	vmclear(page);
	if (one_in(c, 16)) /* never was valid */
		for (i = 8; i < 0x1000; i += 8)
			*(u64 *)(page + i) = odd_number(c);
	*(u32 *)page = (u32)rdmsr(MSR_VMX_BASIC);
	vmptrld(page);
}

/* What a hypervisor would do with an exit, more or less. */
static void after_exit(struct cpu *c)
{
	u32 reason = (u32)vmread(EXIT_REASON) & 0xffff;

	switch (reason) {
	case 1:
		wrmsr(0x80b, 0);
		break;
	case 48:
	case 49:
		mend_ept(c, vmread(GUEST_PHYS));
		break;
	default:
		if (reason >= 10 && reason <= 60 && !one_in(c, 8)) {
			vmwrite(GUEST_RIP, vmread(GUEST_RIP) + vmread(EXIT_INSN_LEN));
			break;
		}
		vmwrite(GUEST_RIP, L2_CODE + below(c, 0x800));
	}
	if (one_in(c, 4))
		vmwrite(ENTRY_INTR_INFO, 0);
	if (one_in(c, 6))
		spoil(c);
}

static void enter_l2(struct cpu *c)
{
	u64 i, launched = 0;

	for (i = 0; i < 16; i++)
		c->regs[i] = one_in(c, 2) ? odd_address(c) : odd_number(c);
	for (i = 0; i < EXITS_MAX; i++) {
		/* L2 may loop: the next deadline of L1's ends that, if nothing was spoilt there. */
		wrmsr(0x6e0, rdtsc() + 2000 + below(c, 400000));
		if (run_l2((int)launched, c->regs, 0)) {
			vmread(INSN_ERROR);
			return;
		}
		launched = 1;
		c->entries++;
		after_exit(c);
	}
}

static void entry_round(struct cpu *c)
{
	int real_mode;

	take_vmcs(c);
	put_host(by_vmwrite);
	vmwrite(0x2c00, PAT);
	addresses(c);
	real_mode = controls(c);
	guest_state(c, real_mode);
	make_l2(c, real_mode);
	spoil(c);
	enter_l2(c);
}

static void spoil_pages(struct cpu *c)
{
	u32 n = 1 + below(c, 16);

	while (n--) {
		switch (below(c, 4)) {
		case 0:
			spoil_memory(c);
			break;
		case 1:
			*(volatile u64 *)(PAGES_AT + (below(c, 14 * 512) << 3)) = odd_number(c);
			break;
		case 2:
			((volatile u8 *)L2_CODE)[below(c, 0x800)] = (u8)rnd(c);
			break;
		default:
			spoil_ept(c);
		}
	}
}

static void one_round(struct cpu *c)
{
	start_vmx(c); /* harmless when it is on already */
	wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
	wrmsr(0x80f, 0x1ff);
	wrmsr(0x832, VEC_TIMER | 0x40000);
	if (one_in(c, 4))
		make_ept(c);
	if (c->index == 0 && one_in(c, 2))
		random_insns(c);
	else
		entry_round(c);
	if (one_in(c, 4))
		spoil_pages(c);
}

/* The second CPU: half of the time it runs L2s of its own on the same tables. */
void ap_main(u64 cpu)
{
	struct cpu *c = &cpus[1];
	u32 wait;

	(void)cpu;
	for (;;) {
		if (one_in(c, 2))
			one_round(c);
		else
			spoil_pages(c);
		for (wait = below(c, 2000); wait; wait--)
			asm volatile("pause");
	}
}

/* Often, because the rest of the count dies with us. */
static void progress(void)
{
	puts("hostile: entries ");
	puthex(cpus[0].entries + cpus[1].entries);
	puts(" traps ");
	puthex(cpus[0].traps + cpus[1].traps);
	puts("\n");
}

int main(void)
{
	u32 seed = inl(0xf0), r[4], i; /* bit 31: there is a second CPU */

	cpuid(1, 0, r);
	if (!(r[2] & 32)) {
		puts("SKIP no VMX in CPUID\n");
		return 77;
	}
	for (i = 0; i < 256; i++)
		handlers[i] = on_trap;
	for (i = 0; i < 2; i++) {
		cpus[i].rng = (seed * 2ul + i + 1) * 0x9e3779b97f4a7c15ul | 1;
		cpus[i].vmxon_page = (u8 *)VMXON_AT + i * 0x1000;
	}
	make_ept(&cpus[0]);
	make_l2_tables();
	if (seed >> 31 && !start_cpu(1))
		puts("hostile: the second CPU does not start\n");
	for (i = 0; i < ROUNDS; i++) {
		guarded(one_round, &cpus[0]);
		if (i % 16 == 15)
			progress();
	}
	progress();
	return 0;
}
