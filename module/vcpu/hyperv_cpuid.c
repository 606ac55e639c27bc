// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_SUPPORTED_HV_CPUID: what a client may put into a guest's CPUID leaves 0x40000000 and up.
 * A bit that is not named here is not offered. That there are enlightened VMCSs a vCPU says only when
 * user space has enabled them.
 */
#include <linux/cpu.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/string.h>

#include "vcpu/hyperv.h"
#include "vcpu/nested.h"

#define NR_LEAVES 10

/* The version of the TLFS interface: that of Windows Server 2016, 10.0 build 14393. */
#define INTERFACE_BUILD	  14393
#define INTERFACE_VERSION (10u << 16)

#define SPINS_BEFORE_CALL 0xfffu
#define MAX_LOGICAL_CPUS \
	64u /* of one partition's physical machine, as the interface's version has it */

static void vendor(struct kvm_cpuid_entry2 *e, u32 max)
{
	static const char signature[12] = "Linux KVM Hv"; /* as KVM's clients know it */

	e->eax = max;
	memcpy(&e->ebx, signature, 4);
	memcpy(&e->ecx, signature + 4, 4);
	memcpy(&e->edx, signature + 8, 4);
}

static void features(struct kvm_cpuid_entry2 *e, bool lapic)
{
	e->eax = TLFS_MSR_VP_RUNTIME | TLFS_MSR_REF_COUNT | TLFS_MSR_SYNIC | TLFS_MSR_STIMER |
		 TLFS_MSR_APIC | TLFS_MSR_HYPERCALL | TLFS_MSR_VP_INDEX | TLFS_MSR_RESET |
		 TLFS_MSR_REF_TSC | TLFS_MSR_FREQUENCY | TLFS_MSR_REENLIGHTENMENT;
	e->ebx = TLFS_POST_MESSAGES | TLFS_SIGNAL_EVENTS | TLFS_DEBUGGING;
	e->edx = TLFS_GUEST_DEBUGGING | TLFS_XMM_INPUT | TLFS_FREQUENCY_MSRS | TLFS_CRASH_MSRS |
		 TLFS_DEBUG_MSRS;
	if (lapic)
		e->edx |= TLFS_STIMER_DIRECT;
}

static void hints(struct kvm_cpuid_entry2 *e, const struct vcpu *v)
{
	e->eax = TLFS_HINT_REMOTE_FLUSH | TLFS_HINT_APIC_MSRS | TLFS_HINT_RELAXED_TIMING |
		 TLFS_HINT_CLUSTER_IPI | TLFS_HINT_EX_MASKS;
	if (!cpu_smt_possible())
		e->eax |= TLFS_NO_CORE_SHARING;
	if (nested_evmcs_versions(v))
		e->eax |= TLFS_HINT_EVMCS;
	e->ebx = SPINS_BEFORE_CALL;
}

static void fill(struct kvm_cpuid_entry2 *e, const struct vcpu *v)
{
	switch (e->function) {
	case TLFS_CPUID_VENDOR:
	case TLFS_CPUID_DEBUG_VENDOR:
		vendor(e, TLFS_CPUID_DEBUG_CAPS);
		break;
	case TLFS_CPUID_INTERFACE:
		e->eax = TLFS_SIGNATURE_HV1;
		break;
	case TLFS_CPUID_VERSION:
		e->eax = INTERFACE_BUILD;
		e->ebx = INTERFACE_VERSION;
		break;
	case TLFS_CPUID_FEATURES:
		features(e, !v || v->lapic);
		break;
	case TLFS_CPUID_HINTS:
		hints(e, v);
		break;
	case TLFS_CPUID_LIMITS:
		e->eax = VM_MAX_VCPUS;
		e->ebx = MAX_LOGICAL_CPUS;
		break;
	case TLFS_CPUID_NESTED:
		e->eax = TLFS_NESTED_MSR_BITMAP | nested_evmcs_versions(v);
		break;
	case TLFS_CPUID_DEBUG_INTERFACE:
		e->eax = TLFS_SIGNATURE_VS1;
		break;
	case TLFS_CPUID_DEBUG_CAPS:
		e->eax = TLFS_DEBUG_CAP_KERNEL;
		break;
	}
}

/**
 * hv_supported_cpuid - KVM_GET_SUPPORTED_HV_CPUID
 * @v:	  the vCPU, or NULL on the system fd, which answers for vCPUs with a local APIC
 * @out:  room for *@nent entries
 * @nent: in: room; out: entries filled
 */
int hv_supported_cpuid(struct vcpu *v, struct kvm_cpuid_entry2 *out, u32 *nent)
{
	static const u32 leaves[NR_LEAVES] = {
		TLFS_CPUID_VENDOR,     TLFS_CPUID_INTERFACE,	TLFS_CPUID_VERSION,
		TLFS_CPUID_FEATURES,   TLFS_CPUID_HINTS,	TLFS_CPUID_LIMITS,
		TLFS_CPUID_NESTED,     TLFS_CPUID_DEBUG_VENDOR, TLFS_CPUID_DEBUG_INTERFACE,
		TLFS_CPUID_DEBUG_CAPS,
	};
	u32 i, room = *nent;

	*nent = NR_LEAVES;
	if (room < NR_LEAVES)
		return -E2BIG;
	for (i = 0; i < NR_LEAVES; i++) {
		memset(&out[i], 0, sizeof(out[i]));
		out[i].function = leaves[i];
		fill(&out[i], v);
	}
	return 0;
}
