// SPDX-License-Identifier: GPL-2.0-only
/*
 * System-management mode. The runner takes an OUT to port 0xb2 for an SMI and one to 0xb3 for an
 * SMI by message a little later; memory from 0xa0000 to 0xaffff is other memory in SMM (SMRAM).
 *
 * One handler serves all tests. It notes what it finds, does what struct smm asks for, changes
 * the state-save map where the patch list of the phase says so, and executes RSM.
 */
#include "lib.h"

#define TRIES		10
#define SMBASE_AT_RESET 0x30000u
#define SMRAM		0xa0000u
#define VEC_TIMER	0x40
#define MSR_SMI_COUNT	0x34
#define MSR_SMBASE	0x9e

/* The AMD64 state-save map. */
#define MAP_CS_ATTR 0xfe12u
#define MAP_DS	    0xfe30u
#define MAP_HALT    0xfec9u
#define MAP_EFER    0xfed0u
#define MAP_SMBASE  0xff00u
#define MAP_CR4	    0xff48u
#define MAP_CR3	    0xff50u
#define MAP_CR0	    0xff58u
#define MAP_DR7	    0xff60u
#define MAP_RFLAGS  0xff70u
#define MAP_RIP	    0xff78u
#define MAP_R15	    0xff80u
#define MAP_RBX	    0xffe0u
#define MAP_RAX	    0xfff8u

#define NR_PHASES   3
#define NR_PATCHES  16

struct patch {
	u32 offset; /* 0 ends the list */
	u32 value;
};

/* The handler knows the offsets: see below. */
struct smm {
	u32 count;	      /* 0: SMIs so far */
	u32 phase;	      /* 4: which patch list is next */
	u32 poke, poke_value; /* 8, 12: 32-bit write to this address, when not 0 */
	u32 smram;	      /* 16: what SMRAM held at + 0x100; + 0x104 gets 0x51a8 */
	u32 cr0, cr4, efer;   /* 20, 24, 28: at entry */
	u32 cs, dr7, rflags;  /* 32, 36, 40 */
	u32 smbase;	      /* 44: the MSR */
	u32 nmis;	      /* 48: nmi_count when the handler ends */
	u32 reserved[3];      /* 52 */
	struct patch patch[NR_PHASES][NR_PATCHES]; /* 64 */
	u32 map[128];				   /* 448 */
};

struct smm smm;
volatile u32 nmi_count;
static volatile u32 timer_count;
volatile u32 seen16, seen32;
extern u8 smi_handler[], smi_handler_end[], code16[], code32[];

asm(".text\n"
    ".code16\n"
    "smi_handler:\n"
    "	movl	$smm, %edi\n"
    "	movl	%cr0, %eax\n"
    "	movl	%eax, 20(%edi)\n"
    "	movl	%cr4, %eax\n"
    "	movl	%eax, 24(%edi)\n"
    "	movl	%dr7, %eax\n"
    "	movl	%eax, 36(%edi)\n"
    "	movl	%cs, %eax\n"
    "	movl	%eax, 32(%edi)\n"
    "	movl	$0x7800, %esp\n" /* the stack's address size is 16 */
    "	pushfl\n"
    "	popl	%eax\n"
    "	movl	%eax, 40(%edi)\n"
    "	movl	$0xc0000080, %ecx\n"
    "	rdmsr\n"
    "	movl	%eax, 28(%edi)\n"
    "	movl	$0x9e, %ecx\n"
    "	rdmsr\n"
    "	movl	%eax, 44(%edi)\n"
    "	movl	%eax, %ebx\n"
    "	incl	(%edi)\n"
    /* a copy of the map */
    "	leal	0xfe00(%ebx), %esi\n"
    "	leal	448(%edi), %ebp\n"
    "	movl	$128, %ecx\n"
    "1:	movl	(%esi), %eax\n"
    "	movl	%eax, %ds:(%ebp)\n"
    "	addl	$4, %esi\n"
    "	addl	$4, %ebp\n"
    "	decl	%ecx\n"
    "	jnz	1b\n"
    /* a copy of the handler to where SMRAM wants it, by the first SMI */
    "	cmpl	$0x30000, %ebx\n"
    "	jne	3f\n"
    "	movl	$smi_handler, %esi\n"
    "	movl	$0xa8000, %ebp\n"
    "	movl	$(smi_handler_end - smi_handler), %ecx\n"
    "2:	movb	(%esi), %al\n"
    "	movb	%al, %ds:(%ebp)\n"
    "	incl	%esi\n"
    "	incl	%ebp\n"
    "	decl	%ecx\n"
    "	jnz	2b\n"
    "3:	movl	$0xa0100, %esi\n"
    "	movl	(%esi), %eax\n"
    "	movl	%eax, 16(%edi)\n"
    "	movl	$0x51a8, 4(%esi)\n"
    /* what the test asks for */
    "	movl	8(%edi), %esi\n"
    "	testl	%esi, %esi\n"
    "	jz	4f\n"
    "	movl	12(%edi), %eax\n"
    "	movl	%eax, (%esi)\n"
    "	movl	$0, 8(%edi)\n" /* once */
    "	movl	$100, %ecx\n"  /* time for what it brought */
    "8:	pause\n"
    "	decl	%ecx\n"
    "	jnz	8b\n"
    "4:	movl	4(%edi), %eax\n"
    "	cmpl	$3, %eax\n"
    "	jae	6f\n"
    "	shll	$7, %eax\n"
    "	leal	64(%edi,%eax), %esi\n"
    "	incl	4(%edi)\n"
    "5:	movl	(%esi), %ecx\n"
    "	testl	%ecx, %ecx\n"
    "	jz	6f\n"
    "	movl	4(%esi), %eax\n"
    "	addl	%ebx, %ecx\n"
    "	movl	%eax, (%ecx)\n"
    "	addl	$8, %esi\n"
    "	jmp	5b\n"
    "6:	movl	$nmi_count, %esi\n"
    "	movl	(%esi), %eax\n"
    "	movl	%eax, 48(%edi)\n"
    "	outb	%al, $0xb9\n" /* a good moment to be moved */
    "	rsm\n"
    "smi_handler_end:\n"
    /* real mode, reached by RSM: leaves by the next SMI */
    "code16:\n"
    "	xorw	%ax, %ax\n"
    "	movw	%ax, %ds\n"
    "	movl	$seen16, %esi\n"
    "	addr32 movl $0x1616, %cs:(%esi)\n"
    "	outb	%al, $0xb2\n"
    "7:	jmp	7b\n"
    /* protected mode without paging, the same */
    ".code32\n"
    "code32:\n"
    "	movl	$0x3232, seen32\n"
    "	outb	%al, $0xb2\n"
    "7:	jmp	7b\n"
    ".code64\n"
    ".text\n");

static void on_nmi(struct trap_frame *f)
{
	(void)f;
	nmi_count++;
}

static void on_timer(struct trap_frame *f)
{
	(void)f;
	timer_count++;
	xapic_write(0xb0, 0);
}

/* The handler changes memory. */
static void smi(void)
{
	asm volatile("outb %%al, $0xb2" : : "a"(0) : "memory");
}

static void fresh(void)
{
	__builtin_memset(&smm, 0, sizeof(smm));
}

static void patch(unsigned int phase, unsigned int n, u32 offset, u64 value)
{
	smm.patch[phase][n] = (struct patch){ offset, (u32)value };
}

static u64 map64(u32 offset)
{
	u32 at = (offset - 0xfe00) / 4;

	return smm.map[at] | (u64)smm.map[at + 1] << 32;
}

/* Executed with the registers that the map must show. */
static u64 smi_with_registers(void)
{
	u64 rip, rbx = 0x1122334455667788, r15;

	asm volatile("movabs $0x8877665544332211, %%r15\n\t"
		     "outb %%al, $0xb2\n\t"
		     "1: lea 1b(%%rip), %0\n\t"
		     "mov %%r15, %2"
		     : "=&r"(rip), "+b"(rbx), "=&r"(r15)
		     : "a"(0xa5)
		     : "r15", "memory");
	check_eq("RSM restores RBX", rbx, 0x1122334455667788);
	check_eq("RSM restores R15", r15, 0x8877665544332211);
	return rip;
}

static void entry_and_map(void)
{
	u64 rip;

	__builtin_memcpy((void *)(u64)(SMBASE_AT_RESET + 0x8000), smi_handler,
			 smi_handler_end - smi_handler);
	fresh();
	rip = smi_with_registers();
	check_eq("an SMI was taken", smm.count, 1);
	check_eq("SMM: CR0.PE, EM, TS, PG", smm.cr0 & 0x8000000d, 0);
	check_eq("SMM: CR4", smm.cr4, 0);
	check_eq("SMM: EFER", smm.efer, 0);
	check_eq("SMM: CS", smm.cs, SMBASE_AT_RESET >> 4);
	check_eq("SMM: DR7", smm.dr7, 0x400);
	check_eq("SMM: EFLAGS", smm.rflags & ~0xffu, 0);
	check_eq("SMM: IA32_SMBASE", smm.smbase, SMBASE_AT_RESET);
	check_eq("map: RIP", map64(MAP_RIP), rip);
	check_eq("map: RBX", map64(MAP_RBX), 0x1122334455667788);
	check_eq("map: R15", map64(MAP_R15), 0x8877665544332211);
	check_eq("map: RAX", map64(MAP_RAX) & 0xff, 0xa5);
	check_eq("map: CR0", map64(MAP_CR0), READ_CR(0));
	check_eq("map: CR3", map64(MAP_CR3), READ_CR(3));
	check_eq("map: CR4", map64(MAP_CR4), READ_CR(4));
	check_eq("map: EFER", map64(MAP_EFER), rdmsr(0xc0000080));
	check_eq("map: RFLAGS bit 1", map64(MAP_RFLAGS) & 0x202, 2);
	check_eq("map: CS attributes", (smm.map[(0xfe10 - 0xfe00) / 4] >> 16) & 0x209b, 0x209b);
	check_eq("map: revision", smm.map[(0xfefc - 0xfe00) / 4], 0x20064);
	check_eq("map: SMBASE", smm.map[(0xff00 - 0xfe00) / 4], SMBASE_AT_RESET);
	check_eq("map: auto-HALT restart", smm.map[(0xfec8 - 0xfe00) / 4] >> 8 & 0xff, 0);
}

static void relocation(void)
{
	volatile u32 *hidden = (volatile u32 *)(u64)(SMRAM + 0x100);

	fresh();
	patch(0, 0, MAP_SMBASE, SMRAM);
	smi();
	hidden[0] = 0x11111111;
	hidden[1] = 0x22222222;
	smi();
	check_eq("SMBASE relocated", smm.smbase, SMRAM);
	check_eq("SMBASE relocated: CS", smm.cs, SMRAM >> 4 & 0xffff);
	check("SMRAM is other memory in SMM", smm.smram != 0x11111111);
	check_eq("SMRAM cannot be written from outside", hidden[1], 0x22222222);
	fresh();
	smi();
	check_eq("SMRAM keeps its contents", smm.count, 1);
}

/* From 64-bit code to @code by one RSM, and back by the next. */
static void through(u8 *code, u32 cr0, u32 cs_attr)
{
	fresh();
	patch(0, 0, MAP_CR0, cr0);
	patch(0, 1, MAP_EFER, 0);
	patch(0, 2, MAP_CR4, 0);
	patch(0, 3, MAP_CS_ATTR - 2, cs_attr << 16);
	patch(0, 4, MAP_RIP, (u64)code);
	patch(0, 5, MAP_RFLAGS, 2);
	patch(0, 6, MAP_DS, 0xc093 << 16 | 0x10);
	patch(0, 7, MAP_DS + 4, 0xffffffff);
	patch(1, 0, MAP_CR0, READ_CR(0));
	patch(1, 1, MAP_EFER, rdmsr(0xc0000080));
	patch(1, 2, MAP_CR4, READ_CR(4));
	patch(1, 3, MAP_CS_ATTR - 2, 0xa09b << 16 | 8);
	patch(1, 4, MAP_RIP, 0); /* by the code below */
	patch(1, 5, MAP_RFLAGS, 2);
	asm volatile("push %%rbp\n\t"
		     "lea 1f(%%rip), %%rax\n\t"
		     "mov %%eax, %0\n\t"
		     "outb %%al, $0xb2\n\t"
		     "1: pop %%rbp\n\t"
		     "mov $0x10, %%eax\n\t"
		     "mov %%eax, %%ds\n\t"
		     : "=m"(smm.patch[1][4].value)
		     : "m"(smm)
		     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
		       "r13", "r14", "r15", "memory", "cc");
}

static void modes(void)
{
	through(code16, 0x10, 0x93);
	check_eq("RSM to 16-bit code, and back", seen16, 0x1616);
	check_eq("two SMIs", smm.count, 2);
	through(code32, 0x11, 0xc09b);
	check_eq("RSM to 32-bit code, and back", seen32, 0x3232);
	check_eq("two SMIs", smm.count, 2);
}

static void rsm(void *arg)
{
	(void)arg;
	asm volatile("rsm");
}

static void read_smbase(void *arg)
{
	(void)arg;
	rdmsr(MSR_SMBASE);
}

static void outside(void)
{
	check_eq("RSM outside SMM: #UD", (u64)expect_trap(rsm, 0), 6);
	check_eq("IA32_SMBASE outside SMM: #GP", (u64)expect_trap(read_smbase, 0), 13);
}

static void counted(void)
{
	u64 before = rdmsr(MSR_SMI_COUNT);

	fresh();
	smi();
	check_eq("MSR_SMI_COUNT", rdmsr(MSR_SMI_COUNT), before + 1);
	xapic_write(0x310, 0);
	xapic_write(0x300, 0x200); /* SMI, to APIC ID 0 */
	check_eq("SMI by IPI", smm.count, 2);
}

/*
 * Bochs 2.7 keeps NMIs blocked, in spite of what a VM entry says, until an IRET: runner's -p 1. The
 * handler of #BP has one.
 */
static int keeps_nmis_blocked;

static void on_bp(struct trap_frame *f)
{
	(void)f;
}

static void nmi_blocked(void)
{
	handlers[2] = on_nmi;
	handlers[3] = on_bp;
	fresh();
	smm.poke = XAPIC + 0x300;
	smm.poke_value = 0x400; /* NMI, to itself */
	nmi_count = 0;
	smi();
	check_eq("NMI in SMM is held", smm.nmis, 0);
	if (keeps_nmis_blocked)
		asm volatile("int3" : : : "memory");
	check_eq("NMI after RSM", nmi_count, 1);
}

/* The SMI handler asks for an SMI: it comes after RSM. */
static void smi_blocked(void)
{
	fresh();
	smm.poke = XAPIC + 0x300;
	smm.poke_value = 0x200;
	smi();
	check_eq("SMI in SMM is held until RSM", smm.count, 2);
}

static void wait_for_timer(u32 ticks)
{
	timer_count = 0;
	xapic_write(0x3e0, 0xb);
	xapic_write(0x320, VEC_TIMER);
	xapic_write(0x380, ticks);
}

/* HLT, an SMI some time later, and the timer after @ticks. */
static void smi_in_hlt(u32 ticks)
{
	outb(0xb3, 0);
	wait_for_timer(ticks);
	asm volatile("sti; hlt; cli" : : : "memory");
}

static int map_says_halted(void)
{
	return (smm.map[(0xfec8 - 0xfe00) / 4] >> 8 & 0xff) == 1;
}

/* On a machine that is busy enough the SMI comes before the HLT, and proves nothing: once more. */
static void halted(void)
{
	unsigned int i;

	handlers[VEC_TIMER] = on_timer;
	xapic_write(0xf0, 0x1ff);

	/* The SMI comes first: HLT goes on after RSM, until the timer. */
	for (i = 0; i < TRIES && (!i || !map_says_halted()); i++) {
		fresh();
		smi_in_hlt(1000 * 1000 * 1000u);
	}
	check_eq("SMI in HLT", smm.count, 1);
	check("SMI in HLT: the map says so", map_says_halted());
	check_eq("auto-HALT restart: back into HLT", timer_count, 1);

	for (i = 0; i < TRIES && (!i || timer_count); i++) {
		fresh();
		patch(0, 0, MAP_HALT - 1, 0);
		smi_in_hlt(3000 * 1000 * 1000u);
	}
	check_eq("no auto-HALT restart: behind HLT", timer_count, 0);
	check_eq("no auto-HALT restart: one SMI", smm.count, 1);
	xapic_write(0x380, 0);
}

/*
 * An SMI after whose RSM the processor is expected to shut down. The runner then goes on at the
 * address last written to port 0xb8, with the registers of that moment.
 */
static int shuts_down(u32 offset, u64 value)
{
	u32 down = 0;

	fresh();
	if (offset)
		patch(0, 0, offset, value);
	asm volatile("push %%rbp\n\t"
		     "lea 1f(%%rip), %%rax\n\t"
		     "outl %%eax, $0xb8\n\t"
		     "outb %%al, $0xb2\n\t"
		     "xor %%eax, %%eax\n\t"
		     "jmp 2f\n\t"
		     "1: mov $1, %%eax\n\t"
		     "2: pop %%rbp\n\t"
		     : "=&a"(down)
		     :
		     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
		       "r14", "r15", "memory", "cc");
	return down;
}

static void bad_state(void)
{
	u64 cr0 = READ_CR(0), cr4 = READ_CR(4);

	check_eq("unchanged state: no shutdown", shuts_down(0, 0), 0);
	check_eq("bad state: reserved bit of CR4", shuts_down(MAP_CR4, cr4 | 1u << 31), 1);
	check_eq("bad state: CR0.PG without PE", shuts_down(MAP_CR0, cr0 & ~1ul), 1);
	check_eq("bad state: CR0.NW without CD", shuts_down(MAP_CR0, cr0 | 1u << 29), 1);
	check_eq("CR0.NW with CD", shuts_down(MAP_CR0, cr0 | 3u << 29), 0);
	WRITE_CR(0, cr0);
	check_eq("bad state: long mode without PAE", shuts_down(MAP_CR4, cr4 & ~0x20ul), 1);
	check_eq("bad state: upper half of DR7", shuts_down(MAP_DR7 + 4, 1), 1);
	check_eq("bad state: upper half of CR0", shuts_down(MAP_CR0 + 4, 1), 1);
	check_eq("bad state: EFER", shuts_down(MAP_EFER, 0xffffffff), 1);
	check_eq("bad state: CR3 too wide", shuts_down(MAP_CR3 + 4, 0xffffffff), 1);
	check_eq("bad state: RIP not canonical", shuts_down(MAP_RIP + 4, 0x12345678), 1);
	check_eq("bad state: CS.L with CS.D", shuts_down(MAP_CS_ATTR - 2, 0xe09b << 16 | 8), 1);
	check_eq("still unchanged: no shutdown", shuts_down(0, 0), 0);
}

/*
 * INIT in SMM waits for RSM. It ends in the runner's reset vector, and that at _start again, which
 * takes it for one more CPU.
 */
static void init_latched(void)
{
	fresh();
	smm.poke = XAPIC + 0x300;
	smm.poke_value = 0x4500; /* INIT, to itself */
	smi();
	check("INIT after RSM", 0);
}

void ap_main(u64 cpu)
{
	(void)cpu;
	check_eq("INIT in SMM: the handler went on", smm.phase, 1);
	check_eq("INIT in SMM: one SMI", smm.count, 1);
	fresh();
	smi();
	check_eq("INIT leaves SMBASE alone", smm.smbase, SMRAM);
	outb(0xf4, (u8)fails());
}

int main(void)
{
	keeps_nmis_blocked = inb(0xf0) == 1;
	entry_and_map();
	relocation();
	outside();
	counted();
	nmi_blocked();
	smi_blocked();
	modes();
	halted();
	bad_state();
	init_latched();
	return fails();
}
