/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_COMPILER_H
#define SHIM_LINUX_COMPILER_H

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#define noinline       __attribute__((__noinline__))
#define __packed       __attribute__((__packed__))
#define __aligned(x)   __attribute__((__aligned__(x)))
#define __maybe_unused __attribute__((__unused__))
#define __must_check   __attribute__((__warn_unused_result__))
#define __printf(a, b) __attribute__((__format__(printf, a, b)))
#define __init
#define __exit
#define __read_mostly
#define __ro_after_init
#define __user
#define __iomem
#define __percpu
#define __rcu
#define __force
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)
#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif
#define barrier()		__asm__ volatile("" : : : "memory")
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define smp_mb()		__sync_synchronize()
#define smp_rmb()		__sync_synchronize()
#define smp_wmb()		__sync_synchronize()
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

#endif
