/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What hostile.c throws: random numbers, L2 programs, EPT tables, VMX instructions. Included by
 * hostile.c only; it is the half that makes things, hostile.c is the half that runs them.
 */
#ifndef GUEST_HOSTILE_H
#define GUEST_HOSTILE_H

#include "vmx.h"

#define MEM_SIZE (64ul << 20) /* the runner's */

/* L1 is below SANDBOX, which L2 may only read there; everything else is anybody's. */
#define SANDBOX	     0x800000ul
#define L2_PML4	     (SANDBOX + 0x10000)
#define L2_PDPT	     (SANDBOX + 0x11000)
#define L2_PD	     (SANDBOX + 0x12000) /* four */
#define L2_CODE	     (SANDBOX + 0x20000)
#define L2_STACK     (SANDBOX + 0x31000)
#define EPT_PML4     (SANDBOX + 0x40000)
#define EPT_PDPT     (SANDBOX + 0x41000)
#define EPT_PD	     (SANDBOX + 0x42000) /* four */
#define EPT_PT	     (SANDBOX + 0x46000) /* of SANDBOX's 2 MiB */
#define EPT_PAGES    7
#define PAGES_AT     (SANDBOX + 0x50000) /* bitmaps, virtual-APIC page and so on */
#define MSR_LIST     (SANDBOX + 0x60000)
#define VMXON_AT     (SANDBOX + 0x70000)
#define VMCS_AT	     (SANDBOX + 0x80000)
#define VMCS_PER_CPU 3
#define OPERANDS     (SANDBOX + 0x90000) /* of VMX instructions */

struct cpu {
	u64 index;
	u64 rng;
	u8 *vmxon_page;
	u64 regs[16]; /* L2's, by encoding; RSP unused */
	u64 entries, traps;
};

static u64 rnd(struct cpu *c)
{
	c->rng ^= c->rng >> 12;
	c->rng ^= c->rng << 25;
	c->rng ^= c->rng >> 27;
	return c->rng * 0x2545f4914f6cdd1dul;
}

static u32 below(struct cpu *c, u32 n)
{
	return (u32)((rnd(c) >> 33) % n);
}

static int one_in(struct cpu *c, u32 n)
{
	return !below(c, n);
}

static u64 odd_number(struct cpu *c)
{
	switch (below(c, 5)) {
	case 0:
		return below(c, 16);
	case 1:
		return rnd(c);
	case 2:
		return 0 - (u64)below(c, 16);
	case 3:
		return rnd(c) >> below(c, 64);
	default:
		return (1ul << below(c, 64)) + below(c, 3) - 1;
	}
}

/* In the sandbox mostly, page or not; else where there is no memory, or something that is none. */
static u64 odd_address(struct cpu *c)
{
	static const u64 edges[] = { 0xd0000000,  0xfee00000, 0xfec00000,	0xfffff000,
				     0x100000000, MEM_SIZE,   MEM_SIZE - 0x1000 };

	switch (below(c, 8)) {
	case 0:
		return edges[below(c, sizeof(edges) / 8)] + (one_in(c, 4) ? below(c, 4096) : 0);
	case 1:
		return odd_number(c) & ~0xffful;
	case 2:
		return odd_number(c);
	case 3:
		return SANDBOX + below(c, 0x100000);
	default:
		return SANDBOX + (below(c, 0x100) << 12);
	}
}

static u32 odd_msr(struct cpu *c)
{
	static const u32 first[] = { 0,	    0x10,	0x1b,	    0x3a,	0x48,
				     0x174, 0x1a0,	0x1d9,	    0x200,	0x277,
				     0x38f, 0x400,	0x480,	    0x6e0,	0x800,
				     0xd90, 0xc0000080, 0xc0000100, 0x4b564d00, 0x40000000 };

	return first[below(c, sizeof(first) / 4)] + below(c, 16);
}

/* ------------------------------------------------------------------ L2 */

/* Each leaves L2 one way or another; in 64-bit mode, and nearly the same in real mode. */
static const u8 l2_pieces[][6] = {
	{ 0x0f, 0xa2, 0x90, 0x90, 0x90, 0x90 }, /* cpuid */
	{ 0xf4, 0x90, 0x90, 0x90, 0x90, 0x90 }, /* hlt */
	{ 0xfb, 0xf4, 0x90, 0x90, 0x90, 0x90 }, /* sti; hlt */
	{ 0x0f, 0x32, 0x90, 0x90, 0x90, 0x90 }, /* rdmsr */
	{ 0x0f, 0x30, 0x90, 0x90, 0x90, 0x90 }, /* wrmsr */
	{ 0xe4, 0x21, 0xe6, 0x80, 0x90, 0x90 }, /* in, out */
	{ 0xf3, 0x6c, 0x90, 0xf3, 0x6e, 0x90 }, /* rep insb; rep outsb */
	{ 0x0f, 0x01, 0xc1, 0x90, 0x90, 0x90 }, /* vmcall */
	{ 0x0f, 0x01, 0xd9, 0x90, 0x90, 0x90 }, /* vmmcall */
	{ 0x0f, 0x01, 0xc2, 0x0f, 0x01, 0xc4 }, /* vmlaunch; vmxoff */
	{ 0x0f, 0x78, 0xc1, 0x0f, 0x79, 0xc1 }, /* vmread; vmwrite */
	{ 0x0f, 0xc7, 0x37, 0x0f, 0xc7, 0x3e }, /* vmptrld (%rdi); vmptrst (%rsi) */
	{ 0xf3, 0x0f, 0xc7, 0x37, 0x90, 0x90 }, /* vmxon (%rdi) */
	{ 0x8b, 0x07, 0x89, 0x06, 0x90, 0x90 }, /* mov (%rdi), %eax; mov %eax, (%rsi) */
	{ 0xf0, 0x01, 0x07, 0xf3, 0xa4, 0x90 }, /* lock add %eax, (%rdi); rep movsb */
	{ 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xd8 }, /* mov to and from CR3 */
	{ 0x0f, 0x22, 0xc0, 0x0f, 0x22, 0xe0 }, /* mov to CR0, CR4 */
	{ 0x0f, 0x23, 0xf8, 0x0f, 0x21, 0xf0 }, /* mov to DR7, from DR6 */
	{ 0x0f, 0x0b, 0x90, 0x90, 0x90, 0x90 }, /* ud2 */
	{ 0xcc, 0xcd, 0x80, 0xf1, 0x90, 0x90 }, /* int3; int $0x80; int1 */
	{ 0x0f, 0x31, 0x0f, 0x33, 0x90, 0x90 }, /* rdtsc; rdpmc */
	{ 0x0f, 0x01, 0xd1, 0x0f, 0x09, 0x90 }, /* xsetbv; wbinvd */
	{ 0x0f, 0x01, 0x3f, 0x90, 0xf3, 0x90 }, /* invlpg (%rdi); pause */
	{ 0x0f, 0x01, 0x17, 0x0f, 0x01, 0x1e }, /* lgdt (%rdi); lidt (%rsi) */
	{ 0xb9, 0x82, 0x00, 0x00, 0xc0, 0x90 }, /* mov $0xc0000082, %ecx */
	{ 0x48, 0x89, 0xf7, 0x50, 0x58, 0x90 }, /* mov %rsi, %rdi; push, pop */
	{ 0xb9, 0x30, 0x08, 0x00, 0x00, 0x90 }, /* mov $0x830, %ecx */
};

static void make_l2(struct cpu *c, int real_mode)
{
	volatile u8 *at = (volatile u8 *)L2_CODE;
	u32 i, j;

	(void)real_mode;
	if (one_in(c, 2)) {
		for (i = 0; i < 0x800; i++)
			at[i] = (u8)(rnd(c) >> 13);
		return;
	}
	for (i = 0; i + 8 < 0x800; i += 6) {
		const u8 *piece = l2_pieces[below(c, sizeof(l2_pieces) / 6)];

		for (j = 0; j < 6; j++)
			at[i + j] = piece[j];
		if (one_in(c, 30))
			at[i + below(c, 6)] ^= 1 << below(c, 8);
	}
	at[i] = 0xeb; /* jmp . */
	at[i + 1] = 0xfe;
}

/* L2's own page tables: all of the first 4 GiB, L1's part of it read-only. */
static void make_l2_tables(void)
{
	u64 i;

	*(u64 *)L2_PML4 = L2_PDPT | 7;
	for (i = 0; i < 4; i++)
		((u64 *)L2_PDPT)[i] = (L2_PD + i * 0x1000) | 7;
	for (i = 0; i < 2048; i++)
		((u64 *)L2_PD)[i] = i << 21 | (i < SANDBOX >> 21 ? 0x81 : 0x87);
}

/* ------------------------------------------------------------------ EPT */

static u64 ept_leaf(u64 page)
{
	u64 l1 = page < SANDBOX;
	u64 type = page >= 0xd0000000 && page < 0x100000000 ? 0 : 6;

	return page | type << 3 | (l1 ? 5 : 7);
}

static void make_ept(struct cpu *c)
{
	u64 i;

	(void)c;
	*(volatile u64 *)EPT_PML4 = EPT_PDPT | 7;
	for (i = 0; i < 4; i++)
		((volatile u64 *)EPT_PDPT)[i] = (EPT_PD + i * 0x1000) | 7;
	for (i = 0; i < 2048; i++)
		((volatile u64 *)EPT_PD)[i] = ept_leaf(i << 21) | 0x80;
	for (i = 0; i < 512; i++)
		((volatile u64 *)EPT_PT)[i] = ept_leaf(SANDBOX + (i << 12));
	((volatile u64 *)EPT_PD)[SANDBOX >> 21] = EPT_PT | 7;
}

/* One entry on the way to @l2gpa is put right. */
static void mend_ept(struct cpu *c, u64 l2gpa)
{
	l2gpa &= 0xfffff000;
	if (one_in(c, 4))
		make_ept(c);
	else if (l2gpa >> 21 == SANDBOX >> 21)
		((volatile u64 *)EPT_PT)[l2gpa >> 12 & 511] = ept_leaf(l2gpa);
	else
		((volatile u64 *)EPT_PD)[l2gpa >> 21] = ept_leaf(l2gpa & ~0x1ffffful) | 0x80;
}

/* Loops, overlaps, misaligned large pages, reserved bits, addresses beyond all memory. */
static void spoil_ept(struct cpu *c)
{
	u64 table = EPT_PML4 + ((u64)below(c, EPT_PAGES) << 12), v;
	u32 slot = one_in(c, 2) ? below(c, 8) : below(c, 512);

	switch (below(c, 10)) {
	case 0:
		v = table | 7; /* itself */
		break;
	case 1:
		v = EPT_PML4 | 7;
		break;
	case 2:
		v = (EPT_PML4 + ((u64)below(c, EPT_PAGES) << 12)) | 7;
		break;
	case 3:
		v = (odd_address(c) & ~0xffful) | 7;
		break;
	case 4:
		v = (odd_address(c) & ~0xffful) | 0x80 | below(c, 128);
		break;
	case 5:
		v = *(volatile u64 *)(table + 8 * slot) ^ 1ul << below(c, 64);
		break;
	case 6:
		v = below(c, 8) | below(c, 8) << 3;
		break;
	case 7:
		v = ept_leaf(SANDBOX + (below(c, 512) << 12));
		break;
	default:
		v = odd_number(c);
	}
	*(volatile u64 *)(table + 8 * slot) = v;
	if (one_in(c, 2)) {
		struct {
			u64 eptp, zero;
		} d = { EPT_PML4 | 0x1e, 0 };

		if (VMX_INSN("invept %2, %3", "m"(d), "r"(1ul + below(c, 2))))
			return;
	}
}

/* ------------------------------------------------------------------ VMX instructions */

static const u8 vmx_forms[][4] = {
	{ 3, 0x0f, 0x01, 0xc1 },    /* vmcall */
	{ 3, 0x0f, 0x01, 0xc2 },    /* vmlaunch */
	{ 3, 0x0f, 0x01, 0xc3 },    /* vmresume */
	{ 3, 0x0f, 0x01, 0xc4 },    /* vmxoff */
	{ 3, 0x0f, 0x01, 0xd4 },    /* vmfunc */
	{ 0x12, 0x0f, 0xc7, 6 },    /* vmptrld, vmclear, vmxon by prefix */
	{ 0x12, 0x0f, 0xc7, 6 },    /* the same */
	{ 0x12, 0x0f, 0xc7, 7 },    /* vmptrst */
	{ 0x22, 0x0f, 0x78, 0 },    /* vmread */
	{ 0x22, 0x0f, 0x79, 0 },    /* vmwrite */
	{ 0x23, 0x0f, 0x38, 0x80 }, /* invept */
	{ 0x23, 0x0f, 0x38, 0x81 }, /* invvpid */
	{ 0x23, 0x0f, 0x38, 0x82 }, /* invpcid */
};

static u8 insn_code[64] __attribute__((aligned(64)));

/* ModRM with its SIB and displacement. A register operand is never RSP, which is L1's own. */
static u32 put_modrm(struct cpu *c, u8 *at, u32 reg)
{
	u32 mod = one_in(c, 4) ? 3 : below(c, 3), rm = below(c, 8), n = 1, disp, i;

	if (mod == 3 && rm == 4)
		rm = 0;
	at[0] = (u8)(mod << 6 | reg << 3 | rm);
	if (mod != 3 && rm == 4)
		at[n++] = (u8)rnd(c);
	disp = mod == 1 ? 1 : mod == 2 || (mod == 0 && rm == 5) ? 4 : 0;
	for (i = 0; i < disp; i++)
		at[n++] = i < 2 && one_in(c, 4) ? (u8)rnd(c) : 0;
	return n;
}

static void put_insn(struct cpu *c)
{
	static const u8 prefixes[] = { 0x66, 0xf2, 0xf3, 0x67, 0x2e, 0x36, 0x64, 0xf0, 0x48, 0x41 };
	const u8 *form = vmx_forms[below(c, sizeof(vmx_forms) / 4)];
	u32 n = 0, i, len = form[0] & 15, reg;

	if (form[0] == 0x23 || (form[0] == 0x12 && form[3] == 6 && one_in(c, 2)))
		insn_code[n++] = 0x66;
	else if (form[0] == 0x12 && form[3] == 6 && one_in(c, 4))
		insn_code[n++] = 0xf3;
	while (one_in(c, 6) && n < 4)
		insn_code[n++] = prefixes[below(c, sizeof(prefixes))];
	for (i = 0; i < len; i++)
		insn_code[n++] = form[1 + i];
	if (form[0] >> 4) {
		reg = form[0] == 0x12 ? form[3] : below(c, 8);
		n += put_modrm(c, insn_code + n, reg == 4 && form[0] == 0x22 ? 0 : reg);
	}
	/* Whatever length it has after all, it returns. */
	while (n < sizeof(insn_code))
		insn_code[n++] = 0xc3;
}

/* Memory operands: VMCS addresses, descriptors, fields. */
static void put_operands(struct cpu *c)
{
	volatile u64 *at = (volatile u64 *)OPERANDS;
	u32 i;

	for (i = 0; i < 64; i++)
		at[i] = one_in(c, 2) ? VMCS_AT + (below(c, 2 * VMCS_PER_CPU) << 12) :
				       odd_address(c);
}

extern char guarded_landing[];

/* Loads registers and calls the instruction; traps and VM exits land in guarded(). */
void call_insn(u64 *regs);
asm(".globl call_insn\n"
    "call_insn:\n\t"
    "push %rbx; push %rbp\n\t"
    "mov 0(%rdi), %rax; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx; mov 24(%rdi), %rbx\n\t"
    "mov 40(%rdi), %rbp; mov 48(%rdi), %rsi; mov 64(%rdi), %r8; mov 56(%rdi), %rdi\n\t"
    "call insn_code\n\t"
    "pop %rbp; pop %rbx\n\t"
    "ret\n"
    /* The same from 32-bit code: a far return there, a far jump back. */
    ".globl call_insn32\n"
    "call_insn32:\n\t"
    "push %rbx; push %rbp\n\t"
    "mov $0x10, %eax; mov %eax, %ss; mov %eax, %ds; mov %eax, %es\n\t"
    "mov 0(%rdi), %rax; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx; mov 24(%rdi), %rbx\n\t"
    "mov 40(%rdi), %rbp; mov 48(%rdi), %rsi; mov 56(%rdi), %rdi\n\t"
    "pushq $0x18; pushq $1f; lretq\n\t"
    ".code32\n"
    "1: call insn_code\n\t"
    "ljmp $8, $2f\n\t"
    ".code64\n"
    "2: pop %rbp; pop %rbx\n\t"
    "xor %eax, %eax; mov %eax, %ss; mov %eax, %ds; mov %eax, %es\n\t"
    "ret\n");
void call_insn32(u64 *regs);

static void random_insns(struct cpu *c)
{
	static const u16 fields[] = {
		GUEST_RIP, 0x4400, 0x2800, 0x6c00, 0x681c, 0x0, 0x2001, 0x6fff
	};
	u32 n = 1 + below(c, 24), i;

	while (n--) {
		put_insn(c);
		put_operands(c);
		for (i = 0; i < 16; i++) {
			switch (below(c, 5)) {
			case 0:
				c->regs[i] = below(c, 4);
				break;
			case 1:
				c->regs[i] = fields[below(c, sizeof(fields) / 2)];
				break;
			case 2: /* #PF or #GP; in a hole or a device the VM would end at once */
				c->regs[i] = odd_number(c);
				if (!one_in(c, 64))
					c->regs[i] |= 1ul << 40;
				break;
			default:
				c->regs[i] = OPERANDS + (below(c, 64) << 3);
			}
		}
		/* An entry that succeeds comes back to guarded(). */
		if (!(READ_CR(4) & 0x2000) || one_in(c, 64))
			WRITE_CR(4, READ_CR(4) ^ 0x2000);
		else if (vmwrite(HOST_RIP, (u64)guarded_landing) == 0)
			vmwrite(HOST_RSP, (u64)stack_top - 0x2000);
		if (one_in(c, 6))
			call_insn32(c->regs);
		else
			call_insn(c->regs);
	}
}

#endif /* GUEST_HOSTILE_H */
