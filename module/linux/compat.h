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
#include <asm/reboot.h>

/* eventfd_signal() lost its count in 6.8. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define compat_eventfd_signal(ctx)	eventfd_signal(ctx, 1)
#else
#define compat_eventfd_signal(ctx)	eventfd_signal(ctx)
#endif

/* Since 6.4 smp_send_reschedule() also traces; the tracepoint need not be importable. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define compat_send_reschedule(cpu)	smp_send_reschedule(cpu)
#else
#define compat_send_reschedule(cpu)	arch_smp_send_reschedule(cpu)
#endif

/* Syscore callbacks got an argument, and their registration a new name, in 6.19. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define SYSCORE_ARG			void
#define compat_syscore			struct syscore_ops
#define COMPAT_SYSCORE(name, ...)					\
	static struct syscore_ops name = { __VA_ARGS__ }
#define compat_register_syscore		register_syscore_ops
#define compat_unregister_syscore	unregister_syscore_ops
#else
#define SYSCORE_ARG			void *unused
#define compat_syscore			struct syscore
#define COMPAT_SYSCORE(name, ...)					\
	static const struct syscore_ops name##_ops = { __VA_ARGS__ };	\
	static struct syscore name = { .ops = &name##_ops }
#define compat_register_syscore		register_syscore
#define compat_unregister_syscore	unregister_syscore
#endif

/*
 * The callback that turns virtualization off on every CPU in a crash. Later kernels keep it
 * to KVM's own modules; there a crash while VMs run leaves VMX or SVM on.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0) && \
	(IS_ENABLED(CONFIG_KVM_INTEL) || IS_ENABLED(CONFIG_KVM_AMD))
#define COMPAT_HAS_EMERGENCY_CALLBACK	1
#define compat_register_emergency(fn)	cpu_emergency_register_virt_callback(fn)
#define compat_unregister_emergency(fn)	cpu_emergency_unregister_virt_callback(fn)
#else
#define COMPAT_HAS_EMERGENCY_CALLBACK	0
#define compat_register_emergency(fn)	do { (void)(fn); } while (0)
#define compat_unregister_emergency(fn)	do { (void)(fn); } while (0)
#endif

#endif /* TURTLES_LINUX_COMPAT_H */
