/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SVM world switch. One function, called by run.c with interrupts off;
 * it must not know what a vCPU is beyond struct svm_switch.
 *
 * Everything between CLGI and STGI runs with GIF clear (APM "Global Interrupt
 * Flag, STGI and CLGI Instructions"): no interrupt, NMI, INIT or SMI is taken.
 * RFLAGS.IF is set there because with V_INTR_MASKING the IF that VMRUN saves
 * for the host decides whether a physical interrupt ends the guest's run; it
 * is cleared again before STGI, so that interrupts stay pending for the core
 * and only an NMI is taken at STGI.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <linux/version.h>
#include <asm/alternative.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include "hw/svm/switch.h"

/* Offsets into v->regs, instruction-encoding order. */
#define R_RCX	0x08
#define R_RDX	0x10
#define R_RBX	0x18
#define R_RBP	0x28
#define R_RSI	0x30
#define R_RDI	0x38
#define R_R8	0x40
#define R_R9	0x48
#define R_R10	0x50
#define R_R11	0x58
#define R_R12	0x60
#define R_R13	0x68
#define R_R14	0x70
#define R_R15	0x78

	.section .rodata
	.balign 2
/* A selector for VERW, which clears CPU buffers as a side effect. */
.Lverw_selector:
	.word	__KERNEL_DS

	.text

/*
 * Overwrite all 32 return predictions with harmless ones, so that no RET below
 * is predicted by what the guest left in the return stack buffer.
 */
.macro STUFF_RETURNS
	ALTERNATIVE "jmp .Lstuffed_\@", "", X86_FEATURE_RSB_VMEXIT
	movl	$16, %eax
.Lagain_\@:
	ANNOTATE_INTRA_FUNCTION_CALL
	call	.Lfirst_\@
	int3
.Lfirst_\@:
	ANNOTATE_INTRA_FUNCTION_CALL
	call	.Lsecond_\@
	int3
.Lsecond_\@:
	addq	$16, %rsp
	decl	%eax
	jnz	.Lagain_\@
	lfence
.Lstuffed_\@:
.endm

/*
 * Returns of the host must not use predictions trained by the guest (Retbleed,
 * SRSO). Newer kernels do not give modules the barrier that their own macro
 * may call: there SWF_IBPB asks for the architectural barrier instead.
 */
.macro SECURE_RETURNS
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0) && defined(CONFIG_CPU_UNRET_ENTRY)
	CALL_UNTRAIN_RET
#endif
.endm

/* void svm_world_switch(const struct svm_switch *sw) */
SYM_FUNC_START(svm_world_switch)
	pushq	%rbp
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbx
	pushq	%rdi

	clgi
	sti

	testl	$SWF_SPEC, SW_FLAGS(%rdi)
	jz	.Lguest_spec_done
	movl	$MSR_IA32_SPEC_CTRL, %ecx
	movl	SW_GUEST_SPEC(%rdi), %eax
	xorl	%edx, %edx
	wrmsr
.Lguest_spec_done:
	movq	SW_VMCB_PA(%rdi), %rax
	movq	SW_REGS(%rdi), %rsi
	movq	R_RCX(%rsi), %rcx
	movq	R_RDX(%rsi), %rdx
	movq	R_RBX(%rsi), %rbx
	movq	R_RBP(%rsi), %rbp
	movq	R_RDI(%rsi), %rdi
	movq	R_R8(%rsi), %r8
	movq	R_R9(%rsi), %r9
	movq	R_R10(%rsi), %r10
	movq	R_R11(%rsi), %r11
	movq	R_R12(%rsi), %r12
	movq	R_R13(%rsi), %r13
	movq	R_R14(%rsi), %r14
	movq	R_R15(%rsi), %r15
	movq	R_RSI(%rsi), %rsi

#ifdef X86_FEATURE_CLEAR_CPU_BUF_VM
	ALTERNATIVE "jmp .Lverw_done", "", X86_FEATURE_CLEAR_CPU_BUF_VM
	verw	.Lverw_selector(%rip)
.Lverw_done:
#endif
	vmload	%rax
	vmrun	%rax
	vmsave	%rax

	/* RAX and RSP are the host's again; GS is still the guest's. */
	movq	(%rsp), %rax
	movq	SW_REGS(%rax), %rax
	movq	%rcx, R_RCX(%rax)
	movq	%rdx, R_RDX(%rax)
	movq	%rbx, R_RBX(%rax)
	movq	%rbp, R_RBP(%rax)
	movq	%rsi, R_RSI(%rax)
	movq	%rdi, R_RDI(%rax)
	movq	%r8, R_R8(%rax)
	movq	%r9, R_R9(%rax)
	movq	%r10, R_R10(%rax)
	movq	%r11, R_R11(%rax)
	movq	%r12, R_R12(%rax)
	movq	%r13, R_R13(%rax)
	movq	%r14, R_R14(%rax)
	movq	%r15, R_R15(%rax)
	movq	(%rsp), %rdi
	movq	SW_HOST_PA(%rdi), %rax
	vmload	%rax

	STUFF_RETURNS

	testl	$SWF_SPEC, SW_FLAGS(%rdi)
	jz	.Lhost_spec_done
	movl	$MSR_IA32_SPEC_CTRL, %ecx
	movl	SW_HOST_SPEC(%rdi), %eax
	xorl	%edx, %edx
	wrmsr
.Lhost_spec_done:
	/* Not before the branch above is known to have gone the right way. */
	lfence

	SECURE_RETURNS

	testl	$SWF_IBPB, SW_FLAGS(%rdi)
	jz	.Libpb_done
	movl	$MSR_IA32_PRED_CMD, %ecx
	movl	$1, %eax		/* PRED_CMD_IBPB */
	xorl	%edx, %edx
	wrmsr
.Libpb_done:

	/* The guest's values must not be around for speculation to use. */
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%esi, %esi
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d

	cli
	stgi

	popq	%rdi
	popq	%rbx
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	popq	%rbp
	RET
SYM_FUNC_END(svm_world_switch)
