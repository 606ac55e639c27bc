/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the Hyper-V Top-Level Functional Specification (TLFS) defines and Turtles uses: CPUID
 * leaves and privileges, synthetic MSRs, hypercalls, SynIC. The kernel has a header of its own for
 * this, under another name in every few versions; names here have a prefix because of it.
 */
#ifndef TURTLES_VCPU_HYPERV_TLFS_H
#define TURTLES_VCPU_HYPERV_TLFS_H

#include <linux/bits.h>
#include <linux/types.h>

/* CPUID leaves (TLFS "Hypervisor CPUID Leaves") */
#define TLFS_CPUID_VENDOR	   0x40000000u
#define TLFS_CPUID_INTERFACE	   0x40000001u
#define TLFS_CPUID_VERSION	   0x40000002u
#define TLFS_CPUID_FEATURES	   0x40000003u
#define TLFS_CPUID_HINTS	   0x40000004u
#define TLFS_CPUID_LIMITS	   0x40000005u
#define TLFS_CPUID_NESTED	   0x4000000au
#define TLFS_CPUID_DEBUG_VENDOR	   0x40000080u
#define TLFS_CPUID_DEBUG_INTERFACE 0x40000081u
#define TLFS_CPUID_DEBUG_CAPS	   0x40000082u

#define TLFS_SIGNATURE_HV1	   0x31237648u /* "Hv#1", leaf 0x40000001 EAX */
#define TLFS_SIGNATURE_VS1	   0x31235356u /* "VS#1", leaf 0x40000081 EAX */

/* Leaf 0x40000003 EAX: access to MSRs */
#define TLFS_MSR_VP_RUNTIME	 BIT(0)
#define TLFS_MSR_REF_COUNT	 BIT(1)
#define TLFS_MSR_SYNIC		 BIT(2)
#define TLFS_MSR_STIMER		 BIT(3)
#define TLFS_MSR_APIC		 BIT(4)
#define TLFS_MSR_HYPERCALL	 BIT(5)
#define TLFS_MSR_VP_INDEX	 BIT(6)
#define TLFS_MSR_RESET		 BIT(7)
#define TLFS_MSR_REF_TSC	 BIT(9)
#define TLFS_MSR_FREQUENCY	 BIT(11)
#define TLFS_MSR_REENLIGHTENMENT BIT(13)

/* EBX: hypercalls */
#define TLFS_POST_MESSAGES	 BIT(4)
#define TLFS_SIGNAL_EVENTS	 BIT(5)
#define TLFS_DEBUGGING		 BIT(11)
#define TLFS_EXTENDED_HYPERCALLS BIT(20)

/* EDX: miscellaneous features */
#define TLFS_GUEST_DEBUGGING BIT(1)
#define TLFS_XMM_INPUT	     BIT(4)
#define TLFS_FREQUENCY_MSRS  BIT(8)
#define TLFS_CRASH_MSRS	     BIT(10)
#define TLFS_DEBUG_MSRS	     BIT(11)
#define TLFS_STIMER_DIRECT   BIT(19)

/* Leaf 0x40000004 EAX: recommendations. EBX: spins before a long-spin-wait call */
#define TLFS_HINT_REMOTE_FLUSH	 BIT(2)
#define TLFS_HINT_APIC_MSRS	 BIT(3)
#define TLFS_HINT_RELAXED_TIMING BIT(5)
#define TLFS_HINT_CLUSTER_IPI	 BIT(10)
#define TLFS_HINT_EX_MASKS	 BIT(11)
#define TLFS_HINT_EVMCS		 BIT(14)
#define TLFS_NO_CORE_SHARING	 BIT(18)

/* Leaf 0x4000000a EAX: nested virtualization; versions of the enlightened VMCS in bits 15:0 */
#define TLFS_NESTED_MSR_BITMAP BIT(19)

/* Leaf 0x40000082 EAX */
#define TLFS_DEBUG_CAP_KERNEL BIT(1)

/* MSRs */
#define TLFS_MSR_INDEX_GUEST_OS_ID     0x40000000u
#define TLFS_MSR_INDEX_HYPERCALL       0x40000001u
#define TLFS_MSR_INDEX_VP_INDEX	       0x40000002u
#define TLFS_MSR_INDEX_RESET	       0x40000003u
#define TLFS_MSR_INDEX_VP_RUNTIME      0x40000010u
#define TLFS_MSR_INDEX_REF_COUNT       0x40000020u
#define TLFS_MSR_INDEX_REF_TSC	       0x40000021u
#define TLFS_MSR_INDEX_TSC_FREQUENCY   0x40000022u
#define TLFS_MSR_INDEX_APIC_FREQUENCY  0x40000023u
#define TLFS_MSR_INDEX_EOI	       0x40000070u
#define TLFS_MSR_INDEX_ICR	       0x40000071u
#define TLFS_MSR_INDEX_TPR	       0x40000072u
#define TLFS_MSR_INDEX_VP_ASSIST       0x40000073u
#define TLFS_MSR_INDEX_SCONTROL	       0x40000080u
#define TLFS_MSR_INDEX_SVERSION	       0x40000081u
#define TLFS_MSR_INDEX_SIEFP	       0x40000082u
#define TLFS_MSR_INDEX_SIMP	       0x40000083u
#define TLFS_MSR_INDEX_EOM	       0x40000084u
#define TLFS_MSR_INDEX_SINT0	       0x40000090u
#define TLFS_MSR_INDEX_SINT15	       0x4000009fu
#define TLFS_MSR_INDEX_STIMER0_CONFIG  0x400000b0u
#define TLFS_MSR_INDEX_STIMER3_COUNT   0x400000b7u
#define TLFS_MSR_INDEX_SYNDBG_CONTROL  0x400000f1u
#define TLFS_MSR_INDEX_SYNDBG_STATUS   0x400000f2u
#define TLFS_MSR_INDEX_SYNDBG_SEND     0x400000f3u
#define TLFS_MSR_INDEX_SYNDBG_RECV     0x400000f4u
#define TLFS_MSR_INDEX_SYNDBG_PENDING  0x400000f5u
#define TLFS_MSR_INDEX_SYNDBG_OPTIONS  0x400000ffu
#define TLFS_MSR_INDEX_CRASH_P0	       0x40000100u
#define TLFS_MSR_INDEX_CRASH_P4	       0x40000104u
#define TLFS_MSR_INDEX_CRASH_CTL       0x40000105u
#define TLFS_MSR_INDEX_REENLIGHTENMENT 0x40000106u
#define TLFS_MSR_INDEX_TSC_EMULATION   0x40000107u
#define TLFS_MSR_INDEX_TSC_EMUL_STATUS 0x40000108u

/* MSRs that name a page: bit 0 enables it, the address is in bits 63:12. */
#define TLFS_PAGE_ENABLE       BIT_ULL(0)
#define TLFS_PAGE_ADDRESS(msr) ((msr) & ~0xfffull)
#define TLFS_HYPERCALL_LOCKED  BIT_ULL(1)
#define TLFS_CRASH_NOTIFY      BIT_ULL(63)
#define TLFS_RESET_NOW	       BIT_ULL(0)

/* Synthetic interrupt controller */
#define TLFS_SYNIC_VERSION	1
#define TLFS_NR_SINTS		16
#define TLFS_NR_STIMERS		4
#define TLFS_FIRST_VECTOR	16
#define TLFS_SINT_VECTOR(sint)	((u8)(sint))
#define TLFS_SINT_MASKED	BIT_ULL(16)
#define TLFS_SINT_AUTO_EOI	BIT_ULL(17)
#define TLFS_SINT_POLLING	BIT_ULL(18)

#define TLFS_STIMER_ENABLE	BIT_ULL(0)
#define TLFS_STIMER_PERIODIC	BIT_ULL(1)
#define TLFS_STIMER_AUTO_ENABLE BIT_ULL(3)
#define TLFS_STIMER_DIRECT_MODE BIT_ULL(12)
#define TLFS_STIMER_VECTOR(cfg) ((u8)((cfg) >> 4))
#define TLFS_STIMER_SINT(cfg)	((unsigned int)((cfg) >> 16) & 15)

#define TLFS_MESSAGE_NONE	0u
#define TLFS_MESSAGE_TIMER	0x80000010u
#define TLFS_MESSAGE_PENDING	1 /* in flags: another message waits, do write EOM */

/* A slot of the message page. */
struct tlfs_message {
	u32 type;
	u8 payload_size;
	u8 flags;
	u16 reserved;
	u64 sender;
	u64 payload[30];
};

struct tlfs_timer_payload {
	u32 index;
	u32 reserved;
	u64 expiration; /* both in units of 100 ns of reference time */
	u64 delivery;
};

/* The reference TSC page: time = (TSC * scale >> 64) + offset, unless sequence is 0. */
struct tlfs_tsc_page {
	u32 sequence;
	u32 reserved;
	u64 scale;
	u64 offset;
};

/* Hypercalls */
#define TLFS_CALL_FLUSH_SPACE	      0x0002
#define TLFS_CALL_FLUSH_LIST	      0x0003
#define TLFS_CALL_LONG_SPIN_WAIT      0x0008
#define TLFS_CALL_SEND_IPI	      0x000b
#define TLFS_CALL_FLUSH_SPACE_EX      0x0013
#define TLFS_CALL_FLUSH_LIST_EX	      0x0014
#define TLFS_CALL_SEND_IPI_EX	      0x0015
#define TLFS_CALL_POST_MESSAGE	      0x005c
#define TLFS_CALL_SIGNAL_EVENT	      0x005d
#define TLFS_CALL_POST_DEBUG	      0x0069
#define TLFS_CALL_RETRIEVE_DEBUG      0x006a
#define TLFS_CALL_RESET_DEBUG	      0x006b
#define TLFS_CALL_EXT_QUERY	      0x8001

#define TLFS_FLUSH_ALL_PROCESSORS     BIT_ULL(0)
#define TLFS_SET_SPARSE		      0
#define TLFS_SET_ALL		      1

#define TLFS_STATUS_SUCCESS	      0
#define TLFS_STATUS_INVALID_CODE      2
#define TLFS_STATUS_INVALID_INPUT     3
#define TLFS_STATUS_INVALID_ALIGNMENT 4
#define TLFS_STATUS_ACCESS_DENIED     6
#define TLFS_STATUS_OPERATION_DENIED  8
#define TLFS_STATUS_INVALID_PORT_ID   17

#endif /* TURTLES_VCPU_HYPERV_TLFS_H */
