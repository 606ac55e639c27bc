// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions with operands in device memory. Each is run twice, on ordinary memory by the
 * processor and on device memory by the emulator: registers, flags that are defined, and memory
 * must come out the same. Then accesses that a page boundary splits, and their faults.
 */
#include "lib.h"

#define DEVICE	    0xd0000000ul
#define DEVICE_SIZE 0x1000ul
#define WINDOW	    256		   /* bytes that are compared; operands are at half of it */
#define NEAR	    0x8000000000ul /* the device's page alone, the next page is not present */

/* Status flags that an instruction defines. */
#define CF    0x001
#define PF    0x004
#define AF    0x010
#define ZF    0x040
#define SF    0x080
#define OF    0x800
#define ALL   (CF | PF | AF | ZF | SF | OF)
#define LOGIC (ALL & ~AF)
#define SHIFT (CF | PF | ZF | SF)

struct regs {
	u64 rax, rbx, rcx, rdx, rsi, rdi, flags;
	u64 xmm0[2];
};

struct insn {
	void *code;
	const char *text;
	u64 flags; /* that are compared */
};

extern struct insn insns[], insns_end[];

/*
 * One row: flags, then the instructions. RDI points to the operand, RSI into
 * ordinary memory, RAX to RDX and XMM0 hold constants.
 */
asm(".macro insn flags, code\n"
    "	.section .text.insn, \"ax\"\n"
    "1:	\\code\n"
    "	ret\n"
    "	.section .rodata.insn, \"a\"\n"
    "2:	.asciz \"\\code\"\n"
    "	.section .data.insn, \"aw\"\n"
    "	.quad 1b, 2b, \\flags\n"
    ".endm\n"
    ".macro alu op, flags\n"
    "	insn \\flags, \"\\op %al, (%rdi)\"\n"
    "	insn \\flags, \"\\op %ax, (%rdi)\"\n"
    "	insn \\flags, \"\\op %eax, (%rdi)\"\n"
    "	insn \\flags, \"\\op %rax, (%rdi)\"\n"
    "	insn \\flags, \"\\op (%rdi), %bl\"\n"
    "	insn \\flags, \"\\op (%rdi), %ebx\"\n"
    "	insn \\flags, \"\\op (%rdi), %rbx\"\n"
    "	insn \\flags, \"\\op\\()b $0x5a, (%rdi)\"\n"
    "	insn \\flags, \"\\op\\()w $-2, (%rdi)\"\n"
    "	insn \\flags, \"\\op\\()l $0x12345678, (%rdi)\"\n"
    "	insn \\flags, \"\\op\\()q $-77, (%rdi)\"\n"
    "	.ifnc \\op, cmp\n"
    "	insn \\flags, \"lock \\op %al, 1(%rdi)\"\n"
    "	insn \\flags, \"lock \\op %rax, (%rdi)\"\n"
    "	insn \\flags, \"lock \\op\\()l $9, 4(%rdi)\"\n"
    "	.endif\n"
    ".endm\n"
    ".macro one op, flags\n"
    "	insn \\flags, \"\\op\\()b (%rdi)\"\n"
    "	insn \\flags, \"\\op\\()w 2(%rdi)\"\n"
    "	insn \\flags, \"lock \\op\\()l (%rdi)\"\n"
    "	insn \\flags, \"lock \\op\\()q (%rdi)\"\n"
    ".endm\n"
    ".macro shift op, flags\n"
    "	insn \\flags, \"\\op\\()b (%rdi)\"\n"
    "	insn \\flags, \"\\op\\()w $3, (%rdi)\"\n"
    "	insn \\flags, \"\\op\\()l %cl, (%rdi)\"\n"
    "	insn \\flags, \"\\op\\()q $37, (%rdi)\"\n"
    ".endm\n"
    ".macro string op, flags\n"
    "	insn \\flags, \"\\op\\()b\"\n"
    "	insn \\flags, \"\\op\\()w\"\n"
    "	insn \\flags, \"\\op\\()l\"\n"
    "	insn \\flags, \"\\op\\()q\"\n"
    "	insn \\flags, \"std; \\op\\()l; cld\"\n"
    ".endm\n");

#define STR_(x)		  #x
#define STR(x)		  STR_(x)
#define INSN(flags, code) asm("insn " STR(flags) ", \"" code "\"")
#define ALU(op, flags)	  asm("alu " op ", " STR(flags))
#define ONE(op, flags)	  asm("one " op ", " STR(flags))
#define SHIFTS(op, flags) asm("shift " op ", " STR(flags))
#define STRING(op, flags) asm("string \"" op "\", " STR(flags))

asm(".section .data.insn, \"aw\"\n"
    ".balign 8\n"
    ".globl insns, insns_end\n"
    "insns:");
ALU("add", ALL);
ALU("adc", ALL);
ALU("sub", ALL);
ALU("sbb", ALL);
ALU("cmp", ALL);
ALU("and", LOGIC);
ALU("or", LOGIC);
ALU("xor", LOGIC);
ONE("inc", ALL);
ONE("dec", ALL);
ONE("neg", ALL);
ONE("not", ALL);
SHIFTS("rol", CF);
SHIFTS("ror", CF);
SHIFTS("rcl", CF);
SHIFTS("rcr", CF);
SHIFTS("shl", SHIFT);
SHIFTS("shr", SHIFT);
SHIFTS("sar", SHIFT);
INSN(SHIFT, "shldl $5, %eax, (%rdi)");
INSN(SHIFT, "shrdq %cl, %rax, (%rdi)");
INSN(LOGIC, "testb $0x81, (%rdi)");
INSN(LOGIC, "testq %rax, (%rdi)");
/* Bits */
INSN(CF, "btl $7, (%rdi)");
INSN(CF, "lock btsl $30, (%rdi)");
INSN(CF, "lock btrq $60, (%rdi)");
INSN(CF, "btcw $3, (%rdi)");
INSN(CF, "movl $100, %eax; lock btsl %eax, (%rdi)");
INSN(CF, "movq $-100, %rax; btcq %rax, (%rdi)");
INSN(ZF, "bsfl (%rdi), %eax");
INSN(ZF, "bsrq (%rdi), %rax");
/* Exchanges */
INSN(0, "xchgb %al, (%rdi)");
INSN(0, "xchgq %rax, (%rdi)");
INSN(ALL, "lock xaddl %eax, (%rdi)");
INSN(ALL, "xaddb %al, 3(%rdi)");
INSN(ALL, "lock cmpxchgl %ebx, (%rdi)");
INSN(ALL, "movq (%rdi), %rax; lock cmpxchgq %rbx, (%rdi)");
INSN(ALL, "movb (%rdi), %al; cmpxchgb %bl, (%rdi)");
INSN(ZF, "lock cmpxchg8b (%rdi)");
INSN(ZF, "movl (%rdi), %eax; movl 4(%rdi), %edx; lock cmpxchg8b (%rdi)");
/* Moves */
INSN(0, "movb %al, (%rdi)");
INSN(0, "movb %ah, 1(%rdi)");
INSN(0, "movw $0x1234, (%rdi)");
INSN(0, "movq $-5, (%rdi)");
INSN(0, "movb (%rdi), %bh");
INSN(0, "movzbl (%rdi), %ebx");
INSN(0, "movzwq (%rdi), %rbx");
INSN(0, "movsbw (%rdi), %bx");
INSN(0, "movslq 4(%rdi), %rbx");
INSN(0, "movnti %rax, (%rdi)");
INSN(0, "movl $0x10, %eax; movl %eax, %es; movw %es, (%rdi)");
INSN(0, "movw $0x10, (%rdi); movw (%rdi), %es; movl %es, %ebx");
INSN(0, "setc (%rdi)");
INSN(0, "setnz (%rdi)");
INSN(0, "cmovcl (%rdi), %ebx");
INSN(0, "cmovnzq (%rdi), %rbx");
INSN(CF | OF, "imulq (%rdi), %rbx");
INSN(CF | OF, "imull $-7, (%rdi), %ebx");
INSN(CF | OF, "mulq (%rdi)");
INSN(0, "xorl %edx, %edx; divl (%rdi)");
INSN(0, "cqto; idivq (%rdi)");
/* The stack */
INSN(0, "pushq (%rdi); popq %rax");
INSN(0, "pushq %rbx; popq (%rdi)");
INSN(0, "leaq 3f(%rip), %rax; movq %rax, (%rdi); jmp *(%rdi); 3:");
INSN(0, "leaq 4f(%rip), %rax; movq %rax, (%rdi); call *(%rdi); jmp 5f; 4: ret; 5:");
/* Far forms: the pointer, or the table's address, is in device memory. */
INSN(0, "leaq 6f(%rip), %rax; movl %eax, (%rdi); movw $8, 4(%rdi); ljmpl *(%rdi); 6:");
INSN(0,
     "leaq 7f(%rip), %rax; movl %eax, (%rdi); movw $8, 4(%rdi); lcalll *(%rdi); jmp 8f; 7: lretl; 8:");
INSN(0, "sgdt (%rdi); lgdt (%rdi)");
INSN(0, "sidt (%rdi); lidt (%rdi)");
INSN(0, "smsw (%rdi)");
INSN(0, "sldt (%rdi)");
INSN(0, "strw (%rdi)");
INSN(0, "clflush (%rdi)");
INSN(0, "prefetcht0 (%rdi)");
/* SSE moves */
INSN(0, "movups %xmm0, 3(%rdi)");
INSN(0, "movups 3(%rdi), %xmm0");
INSN(0, "movaps %xmm0, (%rdi)");
INSN(0, "movaps (%rdi), %xmm0");
INSN(0, "movupd %xmm0, (%rdi)");
INSN(0, "movapd (%rdi), %xmm0");
INSN(0, "movdqu %xmm0, 1(%rdi)");
INSN(0, "movdqu 1(%rdi), %xmm0");
INSN(0, "movdqa %xmm0, (%rdi)");
INSN(0, "movdqa (%rdi), %xmm0");
INSN(0, "movntdq %xmm0, (%rdi)");
INSN(0, "movntps %xmm0, (%rdi)");
INSN(0, "movss (%rdi), %xmm0");
INSN(0, "movss %xmm0, (%rdi)");
INSN(0, "movsd (%rdi), %xmm0");
INSN(0, "movsd %xmm0, (%rdi)");
INSN(0, "movd (%rdi), %xmm0");
INSN(0, "movd %xmm0, (%rdi)");
INSN(0, "movq (%rdi), %xmm0");
INSN(0, "movq %xmm0, (%rdi)");
INSN(0, "movlps (%rdi), %xmm0");
INSN(0, "movhps (%rdi), %xmm0");
INSN(0, "movhpd %xmm0, (%rdi)");
INSN(0, "lddqu 5(%rdi), %xmm0");
/* Strings: RCX is 5 */
STRING("movs", 0);
STRING("stos", 0);
STRING("lods", 0);
STRING("scas", ALL);
STRING("cmps", ALL);
STRING("rep movs", 0);
STRING("rep stos", 0);
STRING("repne scas", ALL);
STRING("repe cmps", ALL);
INSN(0, "xchgq %rsi, %rdi; rep movsb");
INSN(0, "xchgq %rsi, %rdi; rep movsq");
INSN(0, "leaq 64(%rdi), %rsi; rep movsl");
INSN(0, "leaq 2(%rdi), %rsi; rep movsw");
INSN(0, "xorl %ecx, %ecx; rep stosq");
INSN(0, "movl $0xf0, %edx; rep outsb");
INSN(0, "movl $0xf0, %edx; xchgq %rsi, %rdi; rep outsb");
INSN(0, "movl $0xf0, %edx; rep insb");
asm("insns_end:\n"
    ".text");

static u8 ram[WINDOW] __attribute__((aligned(64)));
static u8 source[2][128] __attribute__((aligned(64)));

/* Calls @code with the registers of @r, and puts them back there. */
static void run(void *code, struct regs *r)
{
	asm volatile("pushq %%rbp\n\t"
		     "pushq %%rbx\n\t"
		     "pushq %[r]\n\t"
		     "pushq %[code]\n\t"
		     "movq %[r], %%rbp\n\t"
		     "movdqu 56(%%rbp), %%xmm0\n\t"
		     "movq 0(%%rbp), %%rax\n\t"
		     "movq 8(%%rbp), %%rbx\n\t"
		     "movq 16(%%rbp), %%rcx\n\t"
		     "movq 24(%%rbp), %%rdx\n\t"
		     "movq 32(%%rbp), %%rsi\n\t"
		     "movq 40(%%rbp), %%rdi\n\t"
		     "pushq 48(%%rbp)\n\t"
		     "popfq\n\t"
		     "call *(%%rsp)\n\t"
		     "pushfq\n\t"
		     "movq 16(%%rsp), %%rbp\n\t"
		     "popq 48(%%rbp)\n\t"
		     "movq %%rax, 0(%%rbp)\n\t"
		     "movq %%rbx, 8(%%rbp)\n\t"
		     "movq %%rcx, 16(%%rbp)\n\t"
		     "movq %%rdx, 24(%%rbp)\n\t"
		     "movq %%rsi, 32(%%rbp)\n\t"
		     "movq %%rdi, 40(%%rbp)\n\t"
		     "movdqu %%xmm0, 56(%%rbp)\n\t"
		     "cld\n\t"
		     "addq $16, %%rsp\n\t"
		     "popq %%rbx\n\t"
		     "popq %%rbp"
		     : [r] "+S"(r), [code] "+D"(code)
		     :
		     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
}

static struct regs run_at(void *code, u8 *window, u8 *src)
{
	struct regs r = { .rax = 0x8877665544332211,
			  .rbx = 0x0123456789abcdef,
			  .rcx = 5,
			  .rdx = 0x00000000fedcba98,
			  .rsi = (u64)src + 32,
			  .rdi = (u64)window + WINDOW / 2,
			  .flags = 2 | CF,
			  .xmm0 = { 0x1716151413121110, 0x1f1e1d1c1b1a1918 } };
	unsigned int i;

	for (i = 0; i < WINDOW; i++)
		((volatile u8 *)window)[i] = (u8)(i * 37 + 11);
	for (i = 0; i < sizeof(source[0]); i++)
		src[i] = (u8)(i * 5 + 1);
	outl(0xf0, 0xa1b2c3d4);
	run(code, &r);
	return r;
}

/* A pointer that moved: where it is, seen from its window or source. */
static u64 place(u64 ptr, const u8 *window, const u8 *src)
{
	if (ptr - (u64)window < WINDOW)
		return ptr - (u64)window;
	if (ptr - (u64)src < sizeof(source[0]))
		return 0x1000 + ptr - (u64)src;
	return ptr;
}

static int same(const struct insn *in, u8 *window)
{
	struct regs a = run_at(in->code, ram, source[0]);
	struct regs b = run_at(in->code, window, source[1]);
	int ok = a.rax == b.rax && a.rbx == b.rbx && a.rcx == b.rcx && a.rdx == b.rdx &&
		 a.xmm0[0] == b.xmm0[0] && a.xmm0[1] == b.xmm0[1] &&
		 !((a.flags ^ b.flags) & in->flags) &&
		 place(a.rsi, ram, source[0]) == place(b.rsi, window, source[1]) &&
		 place(a.rdi, ram, source[0]) == place(b.rdi, window, source[1]);
	unsigned int i;

	for (i = 0; i < WINDOW; i++)
		ok &= ram[i] == ((volatile u8 *)window)[i];
	for (i = 0; i < sizeof(source[0]); i++)
		ok &= source[0][i] == source[1][i];
	return ok;
}

/* Where device memory meets the end of what is there, and of what is mapped ------------ */

extern u64 pml4[512];
static u64 near_pdpt[512] __attribute__((aligned(4096)));
static u64 near_pd[512] __attribute__((aligned(4096)));
static u64 near_pt[512] __attribute__((aligned(4096)));

static void map_near(u64 flags)
{
	near_pt[0] = DEVICE | flags;
	near_pd[0] = (u64)near_pt | 3;
	near_pdpt[0] = (u64)near_pd | 3;
	pml4[1] = (u64)near_pdpt | 3;
	WRITE_CR(3, READ_CR(3));
}

static void store8(void *p)
{
	*(volatile u64 *)p = 0x1122334455667788;
}

static void load8(void *p)
{
	(void)*(volatile u64 *)p;
}

static void store16(void *p)
{
	asm volatile("movups %%xmm0, (%0)" : : "r"(p) : "memory");
}

static void aligned16(void *p)
{
	asm volatile("movaps %%xmm0, (%0)" : : "r"(p) : "memory");
}

static u64 moved;

/* Bytes copied before the fault: RCX of the interrupted instruction. */
static void copy64(void *p)
{
	void *dst = p;
	const void *src = ram;
	u64 n = 64;

	moved = n;
	asm volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
	moved = n;
}

static void faults(void)
{
	volatile u8 *end = (volatile u8 *)(DEVICE + DEVICE_SIZE - 4);
	char *near_end = (char *)NEAR + DEVICE_SIZE;
	unsigned int i;

	for (i = 0; i < 4; i++)
		end[i] = 0x42;
	map_near(3);
	check_eq("split store to a page that is not there", (u64)expect_trap(store8, near_end - 4),
		 14);
	check_eq("... CR2 is the second page", last_cr2, (u64)near_end);
	check_eq("... error code", last_error, 2);
	check_eq("... and nothing was stored", *(volatile u32 *)end, 0x42424242);
	check_eq("split load", (u64)expect_trap(load8, near_end - 4), 14);
	check_eq("... error code", last_error, 0);
	check_eq("split 16-byte store", (u64)expect_trap(store16, near_end - 8), 14);
	check_eq("... and nothing was stored", *(volatile u32 *)end, 0x42424242);
	check_eq("misaligned MOVAPS", (u64)expect_trap(aligned16, (char *)NEAR + 8), 13);
	check_eq("REP MOVSB into the page that is not there",
		 (u64)expect_trap(copy64, near_end - 16), 14);
	check_eq("... stops there", last_cr2, (u64)near_end);
	for (i = 0; i < 16; i++)
		if (((volatile u8 *)DEVICE)[DEVICE_SIZE - 16 + i] != ram[i])
			break;
	check_eq("... after what fits", i, 16);

	WRITE_CR(0, READ_CR(0) | 0x10000);
	map_near(1);
	check_eq("store to a read-only page", (u64)expect_trap(store8, (void *)NEAR), 14);
	check_eq("... error code", last_error, 3);
	check_eq("load of it", (u64)expect_trap(load8, (void *)NEAR), (u64)-1);

	/* The end of memory is in a page, the device's end too: both halves count. */
	end[0] = 1;
	*(volatile u64 *)end = 0x8877665544332211;
	check_eq("store over the end of the device", *(volatile u32 *)end, 0x44332211);
	check_eq("load over the end of the device", *(volatile u64 *)end, 0xffffffff44332211);
}

int main(void)
{
	const struct insn *in;

	for (in = insns; in < insns_end; in++)
		check(in->text, same(in, (u8 *)DEVICE + 1024));
	faults();
	return fails();
}
