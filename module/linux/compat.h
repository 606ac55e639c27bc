/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the kernels that Turtles builds for (6.1, 6.12, 7.x),
 * and nothing else. Whoever needs one includes this file; the code around it
 * looks the same for every version.
 */
#ifndef TURTLES_LINUX_COMPAT_H
#define TURTLES_LINUX_COMPAT_H

#include <linux/eventfd.h>
#include <linux/smp.h>
#include <linux/syscore_ops.h>
#include <linux/version.h>
#include <asm/cpufeature.h>
#include <asm/reboot.h>
#include <asm/tlbflush.h>

/* eventfd_signal() lost its count in 6.8. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define compat_eventfd_signal(ctx) eventfd_signal(ctx, 1)
#else
#define compat_eventfd_signal(ctx) eventfd_signal(ctx)
#endif

/* Since 6.4 smp_send_reschedule() also traces; the tracepoint need not be importable. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define compat_send_reschedule(cpu) smp_send_reschedule(cpu)
#else
#define compat_send_reschedule(cpu) arch_smp_send_reschedule(cpu)
#endif

/* Syscore callbacks got an argument, and their registration a new name, in 6.19. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define SYSCORE_ARG		  void
#define compat_syscore		  struct syscore_ops
#define COMPAT_SYSCORE(name, ...) static struct syscore_ops name = { __VA_ARGS__ }
#define compat_register_syscore	  register_syscore_ops
#define compat_unregister_syscore unregister_syscore_ops
#else
#define SYSCORE_ARG    void *unused
#define compat_syscore struct syscore
#define COMPAT_SYSCORE(name, ...)                                     \
	static const struct syscore_ops name##_ops = { __VA_ARGS__ }; \
	static struct syscore name = { .ops = &name##_ops }
#define compat_register_syscore	  register_syscore
#define compat_unregister_syscore unregister_syscore
#endif

/*
 * The callback that turns virtualization off on every CPU in a crash. Later kernels keep it
 * to KVM's own modules; there a crash while VMs run leaves VMX or SVM on.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0) && \
	(IS_ENABLED(CONFIG_KVM_INTEL) || IS_ENABLED(CONFIG_KVM_AMD))
#define COMPAT_HAS_EMERGENCY_CALLBACK	1
#define compat_register_emergency(fn)	cpu_emergency_register_virt_callback(fn)
#define compat_unregister_emergency(fn) cpu_emergency_unregister_virt_callback(fn)
#else
#define COMPAT_HAS_EMERGENCY_CALLBACK 0
#define compat_register_emergency(fn) \
	do {                          \
		(void)(fn);           \
	} while (0)
#define compat_unregister_emergency(fn) \
	do {                            \
		(void)(fn);             \
	} while (0)
#endif

/* What the MMU notifier's questions about age answer with: int, later bool. */
#define compat_young_t \
	__typeof__(((const struct mmu_notifier_ops *)NULL)->test_young(NULL, NULL, 0))

/* Looking up a page that has no struct page changed its interface in 6.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define COMPAT_HAS_FOLLOW_PFNMAP 1
#else
#define COMPAT_HAS_FOLLOW_PFNMAP 0
#endif

/* hrtimer_init() became hrtimer_setup(), which takes the function too, in 6.13. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define compat_hrtimer_setup(timer, fn, clock, mode)    \
	do {                                            \
		hrtimer_init((timer), (clock), (mode)); \
		(timer)->function = (fn);               \
	} while (0)
#else
#define compat_hrtimer_setup(timer, fn, clock, mode) hrtimer_setup((timer), (fn), (clock), (mode))
#endif

/*
 * CR4.VMXE, in the register and in the kernel's shadow of it: a shadow without the
 * bit would have the next change of CR4 clear it, which faults in VMX operation.
 * Newer kernels keep the function that does both, and VMXON itself, to themselves
 * and KVM's own modules. With FRED on, INT 2 is not how an NMI is handed on.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define compat_cr4_set_vmxe()	cr4_set_bits_irqsoff(X86_CR4_VMXE)
#define compat_cr4_clear_vmxe() cr4_clear_bits_irqsoff(X86_CR4_VMXE)
#ifdef X86_FEATURE_FRED
#define compat_vmx_supported() (boot_cpu_has(X86_FEATURE_FRED) ? -EOPNOTSUPP : 0)
#else
#define compat_vmx_supported() 0
#endif
#else
#define compat_cr4_set_vmxe() \
	do {                  \
	} while (0)
#define compat_cr4_clear_vmxe() \
	do {                    \
	} while (0)
#define compat_vmx_supported() (-EOPNOTSUPP)
#endif

#endif /* TURTLES_LINUX_COMPAT_H */
