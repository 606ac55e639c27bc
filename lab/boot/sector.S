/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Bochs machine's boot sector: the whole boot loader.
 *
 * Bochs itself has placed the kernel's real-mode part, with the command line behind it, at
 * 0x90000. The protected-mode part and the initramfs follow this sector on the disk. They
 * are read here with plain ATA port I/O in a flat 32-bit segment, because the BIOS would
 * spend hundreds of millions of instructions on that; then the kernel is started as
 * the kernel's boot document says ("RUNNING THE KERNEL").
 *
 * The lab writes the two extents: first sector, number of sectors, destination.
 */
	.set	DATA, 0x1f0
	.set	CHUNK, 128

	.code16
	.globl	_start
_start:
	cli
	cld
	ljmp	$0, $1f
1:	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$0x7c00, %sp
	inb	$0x92, %al			/* fast A20 gate */
	orb	$2, %al
	outb	%al, $0x92
	lgdt	gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmp	$8, $protected

	.code32
protected:
	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$0x7c00, %esp
	movb	$2, %al				/* no interrupts from the disk */
	movw	$DATA + 0x206, %dx
	outb	%al, %dx
	movl	$extents, %esi
	call	read_extent
	call	read_extent
	ljmp	$24, $leave

	.code16
leave:
	movl	%cr0, %eax
	andb	$0xfe, %al
	movl	%eax, %cr0
	ljmp	$0, $real
real:
	movw	$0x9000, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movw	$0xdff0, %sp
	ljmp	$0x9020, $0

	.code32
/* %esi: the extent; on return the next one. */
read_extent:
	lodsl
	movl	%eax, %ebx			/* next sector */
	lodsl
	movl	%eax, %ebp			/* sectors left */
	lodsl
	movl	%eax, %edi
next_chunk:
	testl	%ebp, %ebp
	jz	done
	movl	$CHUNK, %ecx
	cmpl	%ecx, %ebp
	jae	1f
	movl	%ebp, %ecx
1:	subl	%ecx, %ebp
	movw	$DATA + 2, %dx			/* sector count */
	movb	%cl, %al
	outb	%al, %dx
	movl	%ebx, %eax			/* LBA, bits 0-23 */
	incw	%dx
	outb	%al, %dx
	incw	%dx
	shrl	$8, %eax
	outb	%al, %dx
	incw	%dx
	shrl	$8, %eax
	outb	%al, %dx
	incw	%dx
	movb	%ah, %al			/* LBA, bits 24-27; master */
	orb	$0xe0, %al
	outb	%al, %dx
	incw	%dx
	movb	$0x20, %al			/* READ SECTORS */
	outb	%al, %dx
	addl	%ecx, %ebx
next_sector:
	movw	$DATA + 7, %dx
1:	inb	%dx, %al
	testb	$0x80, %al			/* busy */
	jnz	1b
	testb	$0x08, %al			/* data request */
	jz	1b
	movw	$DATA, %dx
	pushl	%ecx
	movl	$128, %ecx
	rep insl
	popl	%ecx
	loop	next_sector
	jmp	next_chunk
done:
	ret

	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff		/* 8: flat 32-bit code */
	.quad	0x00cf93000000ffff		/* 16: flat data */
	.quad	0x00009b000000ffff		/* 24: 16-bit code, to leave protected mode */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.org	486
extents:
	.long	0, 0, 0
	.long	0, 0, 0
	.word	0xaa55
