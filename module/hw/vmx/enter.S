/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch. Called by vmx_enter() alone, interrupts off, with the
 * VMCS current and everything but the general-purpose registers in place.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>

#ifndef ENDBR
#define ENDBR
#endif

#define R(n)		((n) * 8)	/* struct vcpu.regs[], enum x86_reg */

/* struct vmx_switch */
#define SW_HOST_RSP	0
#define SW_GUEST_SPEC	8
#define SW_HOST_SPEC	16

/* VMX_RUN_*_BIT */
#define RUN_RESUME	0
#define RUN_VERW	1
#define RUN_SPEC	2
#define RUN_SPEC_SAVE	3

#define FIELD_HOST_RSP	0x6c14

	.section .rodata
	.align 2
.Lverw_selector:
	.word __KERNEL_DS

	.section .text, "ax"
/*
 * unsigned long vmx_world_switch(u64 *regs, struct vmx_switch *sw,
 *				  unsigned long flags)
 *
 * Stack during the run: flags, sw, regs, callee-saved registers.
 */
SYM_FUNC_START(vmx_world_switch)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	push	%rsi
	push	%rdx

	cmp	%rsp, SW_HOST_RSP(%rsi)
	je	.Lrsp_done
	mov	%rsp, SW_HOST_RSP(%rsi)
	mov	$FIELD_HOST_RSP, %eax
	vmwrite	%rsp, %rax
.Lrsp_done:
	bt	$RUN_SPEC, %edx
	jnc	.Lspec_in
	mov	SW_GUEST_SPEC(%rsi), %eax
	mov	SW_GUEST_SPEC+4(%rsi), %edx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
	mov	(%rsp), %rdx
.Lspec_in:
	bt	$RUN_VERW, %edx
	jnc	.Lverw_done
	verw	.Lverw_selector(%rip)
.Lverw_done:
	/* MOV leaves CF alone: it tells VMRESUME from VMLAUNCH below. */
	bt	$RUN_RESUME, %edx
	mov	R(0)(%rdi), %rax
	mov	R(1)(%rdi), %rcx
	mov	R(2)(%rdi), %rdx
	mov	R(3)(%rdi), %rbx
	mov	R(5)(%rdi), %rbp
	mov	R(6)(%rdi), %rsi
	mov	R(8)(%rdi), %r8
	mov	R(9)(%rdi), %r9
	mov	R(10)(%rdi), %r10
	mov	R(11)(%rdi), %r11
	mov	R(12)(%rdi), %r12
	mov	R(13)(%rdi), %r13
	mov	R(14)(%rdi), %r14
	mov	R(15)(%rdi), %r15
	mov	R(7)(%rdi), %rdi
	UNWIND_HINT_SAVE
	jnc	.Llaunch
.Lresume:
	vmresume
	jmp	.Lfailed
.Llaunch:
	vmlaunch
	jmp	.Lfailed

	_ASM_EXTABLE(.Lresume, .Lfailed)
	_ASM_EXTABLE(.Llaunch, .Lfailed)

/* HOST_RIP. The stack is as it was before the entry, flags are 2. */
SYM_INNER_LABEL(vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	push	%rax
	mov	24(%rsp), %rax			/* regs */
	mov	%rcx, R(1)(%rax)
	mov	%rdx, R(2)(%rax)
	mov	%rbx, R(3)(%rax)
	mov	%rbp, R(5)(%rax)
	mov	%rsi, R(6)(%rax)
	mov	%rdi, R(7)(%rax)
	mov	%r8, R(8)(%rax)
	mov	%r9, R(9)(%rax)
	mov	%r10, R(10)(%rax)
	mov	%r11, R(11)(%rax)
	mov	%r12, R(12)(%rax)
	mov	%r13, R(13)(%rax)
	mov	%r14, R(14)(%rax)
	mov	%r15, R(15)(%rax)
	pop	R(0)(%rax)
	xor	%ebx, %ebx			/* returned: no failure */

.Lback:
	/* Nothing of the guest stays in a register that C might speculate on. */
	xor	%ecx, %ecx
	xor	%ebp, %ebp
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d

	/* Before the first RET: the guest may have trained the return stack. */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT,\
			   X86_FEATURE_RSB_VMEXIT_LITE

	pop	%rdx				/* flags */
	pop	%rsi				/* sw */
	bt	$RUN_SPEC, %edx
	jnc	.Lspec_out
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	bt	$RUN_SPEC_SAVE, %edx
	jnc	.Lspec_restore
	rdmsr
	mov	%eax, SW_GUEST_SPEC(%rsi)
	mov	%edx, SW_GUEST_SPEC+4(%rsi)
.Lspec_restore:
	mov	SW_HOST_SPEC(%rsi), %eax
	mov	SW_HOST_SPEC+4(%rsi), %edx
	wrmsr
	lfence
.Lspec_out:
	mov	%rbx, %rax
	pop	%rdi				/* regs, dropped */
	xor	%edi, %edi
	xor	%edx, %edx
	xor	%esi, %esi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET

.Lfailed:
	mov	$1, %ebx
	jmp	.Lback
SYM_FUNC_END(vmx_world_switch)
