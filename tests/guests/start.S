/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start of every payload: from real mode at 0x7c00 to main() in 64-bit mode, with the first
 * 4 GiB mapped one to one by 2-MiB pages, an IDT whose entries end in trap(), and a stack. Further
 * CPUs (start_cpu() in lib.c) come here too and end in ap_main(), with the same tables.
 */
#define STACK_SIZE 16384 /* GUEST_STACK_SIZE in lib.h */

	.section .start, "ax"
	.code16
	.globl _start
_start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	lgdtl	gdt_desc
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$0x18, $start32

	.code32
start32:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	cmpl	$0, cpus_started
	jne	3f
	/* four page directories of 2-MiB pages */
	movl	$pd, %edi
	movl	$0x83, %eax
	xorl	%edx, %edx
	movl	$2048, %ecx
1:	movl	%eax, (%edi)
	movl	%edx, 4(%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	1b
	movl	$pd + 3, %eax
	movl	$pdpt, %edi
	movl	$4, %ecx
2:	movl	%eax, (%edi)
	addl	$0x1000, %eax
	addl	$8, %edi
	loop	2b
	movl	$pdpt + 3, pml4
3:	movl	%cr4, %eax
	orl	$0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	movl	%eax, %cr4
	movl	$pml4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x100, %eax		/* LME */
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000022, %eax	/* PG, NE, MP */
	andl	$~0x60000004, %eax	/* not CD, NW, EM */
	movl	%eax, %cr0
	ljmpl	$0x08, $start64

	.code64
start64:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	/* Each CPU has a part of the stack; all but the first go to ap_main(). */
	movl	$1, %edi
	lock xaddl %edi, cpus_started
	imull	$-STACK_SIZE, %edi, %esp
	addl	$stack_top, %esp
	testl	%edi, %edi
	jnz	4f
	/* TSS descriptor base */
	movl	$tss, %eax
	movw	%ax, gdt_tss + 2
	shrl	$16, %eax
	movb	%al, gdt_tss + 4
	movb	%ah, gdt_tss + 7
	movl	$0x20, %eax
	ltr	%ax
	call	lib_init
	call	main
	movzbl	%al, %eax
	outb	%al, $0xf4
3:	hlt
	jmp	3b
4:	pushq	%rdi
	call	lib_load_idt
	popq	%rdi
	subl	$8, %esp
	call	ap_main
	jmp	3b

	/* 256 entry points of 16 bytes: push an error code where the CPU does not, and the vector */
	.balign	16
	.globl	trap_entries
trap_entries:
	.set	vec, 0
	.rept	256
	.balign	16
	.if	!(vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21)
	pushq	$0
	.endif
	pushq	$vec
	jmp	trap_common
	.set	vec, vec + 1
	.endr

trap_common:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %rdi
	cld
	call	trap
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

	.data
	.balign	16
	.globl	gdt
gdt:	.quad	0
	.quad	0x00af9a000000ffff	/* 08: 64-bit code */
	.quad	0x00cf92000000ffff	/* 10: data */
	.quad	0x00cf9a000000ffff	/* 18: 32-bit code */
gdt_tss:
	.quad	0x0000890000000067	/* 20: TSS */
	.quad	0
	.globl	gdt_desc
gdt_desc:
	.word	. - gdt - 1
	.quad	gdt

	.bss
	.balign	4096
	.globl	pml4
pml4:	.skip	4096
pdpt:	.skip	4096
pd:	.skip	4 * 4096
	.globl	tss
tss:	.skip	104
	.balign	16
	.skip	4 * STACK_SIZE
	.globl	stack_top
stack_top:
	.globl	cpus_started
cpus_started:
	.skip	4

	.section .note.GNU-stack, "", @progbits
