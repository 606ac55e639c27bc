// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's CPUID: KVM_SET_CPUID2 and KVM_GET_CPUID2, the CPUID instruction, and what the rest
 * of the core wants to know of it. What may be offered is cpuid_host.c's business; here the
 * client's word is law, so that any CPU model of any vendor can be shown to the guest.
 */
#include <linux/kernel.h>
#include <linux/kvm_para.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "vcpu/cpuid.h"
#include "vcpu/hyperv.h"
#include "vcpu/nested.h"
#include "vcpu/vcpu.h"

#define DEFAULT_MAXPHYADDR 36

/* Number of the list head of @function, or CPUID_NR_HEADS: to be searched. */
static unsigned int head_of(u32 function)
{
	if (function < CPUID_BASIC_HEADS)
		return function;
	if (function - 0x80000000u < CPUID_EXT_HEADS)
		return CPUID_BASIC_HEADS + (function - 0x80000000u);
	if (function - 0x40000000u < CPUID_HV_HEADS)
		return CPUID_BASIC_HEADS + CPUID_EXT_HEADS + (function - 0x40000000u);
	return CPUID_NR_HEADS;
}

static bool entry_matches(const struct kvm_cpuid_entry2 *e, u32 function, u32 index)
{
	return e->function == function &&
	       (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == index);
}

static struct kvm_cpuid_entry2 *find(struct vcpu_cpuid *c, u32 function, u32 index)
{
	unsigned int head = head_of(function);
	u32 i;

	if (likely(head < CPUID_NR_HEADS)) {
		for (i = c->head[head]; i != CPUID_NO_ENTRY; i = c->next[i])
			if (entry_matches(&c->e[i], function, index))
				return &c->e[i];
		return NULL;
	}
	for (i = 0; i < c->nent; i++)
		if (entry_matches(&c->e[i], function, index))
			return &c->e[i];
	return NULL;
}

static void build_heads(struct vcpu_cpuid *c)
{
	u32 i = c->nent;

	memset(c->head, 0xff, sizeof(c->head));
	while (i--) {
		unsigned int head = head_of(c->e[i].function);

		if (head >= CPUID_NR_HEADS)
			continue;
		c->next[i] = c->head[head];
		c->head[head] = i;
	}
}

enum cpuid_out { OUT_EAX, OUT_EBX, OUT_ECX, OUT_EDX };

static void build_features(struct vcpu_cpuid *c)
{
	static const struct {
		u8 word;
		u8 out;
		u8 index;
		u32 function;
	} words[] = {
		{ CPUID_1_EDX, OUT_EDX, 0, 1 },
		{ CPUID_1_ECX, OUT_ECX, 0, 1 },
		{ CPUID_8000_0001_EDX, OUT_EDX, 0, 0x80000001 },
		{ CPUID_8000_0001_ECX, OUT_ECX, 0, 0x80000001 },
		{ CPUID_7_0_EBX, OUT_EBX, 0, 7 },
		{ CPUID_7_ECX, OUT_ECX, 0, 7 },
		{ CPUID_7_EDX, OUT_EDX, 0, 7 },
		{ CPUID_7_1_EAX, OUT_EAX, 1, 7 },
		{ CPUID_D_1_EAX, OUT_EAX, 1, 0xd },
		{ CPUID_6_EAX, OUT_EAX, 0, 6 },
		{ CPUID_8000_0008_EBX, OUT_EBX, 0, 0x80000008 },
		{ CPUID_8000_000A_EDX, OUT_EDX, 0, 0x8000000a },
		{ CPUID_8000_001F_EAX, OUT_EAX, 0, 0x8000001f },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		const struct kvm_cpuid_entry2 *e = find(c, words[i].function, words[i].index);

		if (e)
			c->features[words[i].word] = (&e->eax)[words[i].out];
	}
}

static bool vendor_is(const struct kvm_cpuid_entry2 *e, const char name[12])
{
	return e && !memcmp(&e->ebx, name, 4) && !memcmp(&e->edx, name + 4, 4) &&
	       !memcmp(&e->ecx, name + 8, 4);
}

/* KVM's leaves start at a multiple of 0x100 that its signature marks. */
static u32 find_kvm_base(const struct vcpu_cpuid *c)
{
	static const char signature[12] = KVM_SIGNATURE;
	u32 i;

	for (i = 0; i < c->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &c->e[i];

		if ((e->function & 0xffff00ff) == KVM_CPUID_SIGNATURE &&
		    !memcmp(&e->ebx, signature, 12))
			return e->function;
	}
	return 0;
}

static void build_derived(struct vcpu_cpuid *c)
{
	const struct kvm_cpuid_entry2 *d1;

	build_heads(c);
	build_features(c);
	c->intel = vendor_is(find(c, 0, 0), "GenuineIntel");
	c->dynamic.leaf1 = find(c, 1, 0);
	c->dynamic.leaf7 = find(c, 7, 0);
	c->dynamic.leaf_d0 = find(c, 0xd, 0);
	c->dynamic.leaf_d1 = find(c, 0xd, 1);
	d1 = c->dynamic.leaf_d1;
	c->xsavec = d1 && (d1->eax & (BIT(X86_FEATURE_XSAVEC & 31) | BIT(X86_FEATURE_XSAVES & 31)));
	c->xsave_xcr0 = 0;
	c->kvm_base = find_kvm_base(c);
}

static void set_bits(u32 *reg, u32 bits, bool on)
{
	*reg = on ? *reg | bits : *reg & ~bits;
}

/* Before there is a CPUID any CR4 that some guest here could have can be restored. */
static u64 host_cr4_reserved(void)
{
	static const struct {
		u16 feature;
		u32 bit;
	} bits[] = {
		{ X86_FEATURE_UMIP, X86_CR4_UMIP },  { X86_FEATURE_FSGSBASE, X86_CR4_FSGSBASE },
		{ X86_FEATURE_PCID, X86_CR4_PCIDE }, { X86_FEATURE_XSAVE, X86_CR4_OSXSAVE },
		{ X86_FEATURE_SMEP, X86_CR4_SMEP },  { X86_FEATURE_SMAP, X86_CR4_SMAP },
		{ X86_FEATURE_OSPKE, X86_CR4_PKE },
	};
	u64 allowed = 0x7ff; /* VME to OSXMMEXCPT */
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (boot_cpu_has(bits[i].feature))
			allowed |= bits[i].bit;
	if (hw->nested_caps)
		allowed |= X86_CR4_VMXE;
	return ~allowed;
}

/*
 * vcpu_cpuid_update - bring what depends on each other in CPUID and the vCPU up to date
 *
 * While L2 runs CR4 is L2's; CPUID of L2 is L1's to answer, so L1's bits stay as they are.
 */
void vcpu_cpuid_update(struct vcpu *v)
{
	struct vcpu_cpuid *c = v->cpuid;
	u64 cr4;

	v->cr4_reserved = c ? vcpu_cr4_reserved(v) : host_cr4_reserved();
	nested_cpuid_changed(v);
	if (!c) {
		v->maxphyaddr = DEFAULT_MAXPHYADDR;
		v->guest_xcr0 = 1;
		return;
	}
	if (c->dynamic.leaf1)
		set_bits(&c->dynamic.leaf1->edx, BIT(X86_FEATURE_APIC & 31),
			 v->apic_base & MSR_IA32_APICBASE_ENABLE);
	if (c->dynamic.leaf1 && !vm_has_quirk(v->vm, KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT)) {
		bool on = v->misc_enable & MSR_IA32_MISC_ENABLE_MWAIT;

		set_bits(&c->dynamic.leaf1->ecx, BIT(X86_FEATURE_MWAIT & 31), on);
		set_bits(&c->features[X86_FEATURE_MWAIT / 32], BIT(X86_FEATURE_MWAIT & 31), on);
	}
	if (!v->in_l2) {
		cr4 = hw->get_cr4(v);
		if (c->dynamic.leaf1)
			set_bits(&c->dynamic.leaf1->ecx, BIT(X86_FEATURE_OSXSAVE & 31),
				 cr4 & X86_CR4_OSXSAVE);
		if (c->dynamic.leaf7)
			set_bits(&c->dynamic.leaf7->ecx, BIT(X86_FEATURE_OSPKE & 31),
				 cr4 & X86_CR4_PKE);
	}
	if (c->xsave_xcr0 == v->xcr0)
		return;
	c->xsave_xcr0 = v->xcr0;
	if (c->dynamic.leaf_d0)
		c->dynamic.leaf_d0->ebx = cpuid_xsave_size(v->xcr0, false);
	if (c->xsavec)
		c->dynamic.leaf_d1->ebx = cpuid_xsave_size(v->xcr0 | v->xss, true);
}

/* What the vCPU takes from its new table. */
static void apply(struct vcpu *v)
{
	struct vcpu_cpuid *c = v->cpuid;
	const struct kvm_cpuid_entry2 *max = find(c, 0x80000000, 0);
	const struct kvm_cpuid_entry2 *e = find(c, 0x80000008, 0);

	v->maxphyaddr = DEFAULT_MAXPHYADDR;
	if (max && max->eax >= 0x80000008 && e && (e->eax & 0xff) >= 32)
		v->maxphyaddr = min_t(u32, e->eax & 0xff, 52);
	v->guest_xcr0 = 1;
	e = c->dynamic.leaf_d0;
	if (e && vcpu_has_feature(v, X86_FEATURE_XSAVE))
		v->guest_xcr0 |= (e->eax | (u64)e->edx << 32) & fpu_supported_xcr0();
	hv_apply_cpuid(v);
	vcpu_cpuid_update(v);
}

static bool same_table(const struct vcpu_cpuid *old, const struct vcpu_cpuid *new)
{
	u32 i;

	if (!old || old->nent != new->nent)
		return false;
	for (i = 0; i < new->nent; i++) {
		const struct kvm_cpuid_entry2 *a = &old->e[i], *b = &new->e[i];

		if (a->function != b->function || a->index != b->index || a->flags != b->flags ||
		    a->eax != b->eax || a->ebx != b->ebx || a->ecx != b->ecx || a->edx != b->edx)
			return false;
	}
	return true;
}

static int check_table(struct vcpu_cpuid *c)
{
	const struct kvm_cpuid_entry2 *e = find(c, 0x80000008, 0);
	u32 bits;

	if (!e)
		return 0;
	bits = e->eax >> 8 & 0xff;
	return bits == 0 || bits == 48 || bits == 57 ? 0 : -EINVAL;
}

static u32 interface_of(struct vcpu_cpuid *c)
{
	const struct kvm_cpuid_entry2 *e = find(c, TLFS_CPUID_INTERFACE, 0);

	return e ? e->eax : 0;
}

/**
 * vcpu_set_cpuid - KVM_SET_CPUID2
 * @v:	  the vCPU, mutex held, loaded
 * @e:	  entries, copied
 * @nent: how many
 *
 * Return: 0; -E2BIG for too many entries; -EINVAL for an impossible address width, or for a
 * change of the table after the vCPU has run; -ENOMEM.
 */
int vcpu_set_cpuid(struct vcpu *v, const struct kvm_cpuid_entry2 *e, u32 nent)
{
	struct vcpu_cpuid *c, *old = v->cpuid;
	int err;

	lockdep_assert_held(&v->mutex);
	if (nent > CPUID_MAX_ENTRIES)
		return -E2BIG;
	c = kvzalloc(struct_size(c, e, nent), GFP_KERNEL_ACCOUNT);
	if (!c)
		return -ENOMEM;
	c->nent = nent;
	memcpy(c->e, e, nent * sizeof(*e));
	build_derived(c);
	err = check_table(c);
	if (!err)
		err = hv_prepare_cpuid(v, interface_of(c));
	if (err)
		goto fail;

	v->cpuid = c;
	if (v->stats.hw_exits) {
		vcpu_cpuid_update(v);
		if (!same_table(old, c)) {
			v->cpuid = old;
			vcpu_cpuid_update(v);
			err = -EINVAL;
			goto fail;
		}
	}
	apply(v);
	kvfree(old);
	return 0;
fail:
	kvfree(c);
	return err;
}

/** vcpu_get_cpuid - KVM_GET_CPUID2; -E2BIG with *@nent = entries needed */
int vcpu_get_cpuid(struct vcpu *v, struct kvm_cpuid_entry2 *out, u32 *nent)
{
	struct vcpu_cpuid *c = v->cpuid;
	u32 have = c ? c->nent : 0, room = *nent;

	lockdep_assert_held(&v->mutex);
	*nent = have;
	if (room < have)
		return -E2BIG;
	if (have)
		memcpy(out, c->e, have * sizeof(*out));
	return 0;
}

void vcpu_free_cpuid(struct vcpu *v)
{
	kvfree(v->cpuid);
	v->cpuid = NULL;
}

/*
 * SDM "CPUID—CPU Identification": an Intel processor answers a leaf above the maximum of its
 * range with the data of the highest basic leaf. Others answer zeros.
 */
static struct kvm_cpuid_entry2 *out_of_range(struct vcpu_cpuid *c, u32 function, u32 index)
{
	const struct kvm_cpuid_entry2 *basic = find(c, 0, 0), *class = basic;

	if (!c->intel || !basic)
		return NULL;
	if (function >= 0x80000000)
		class = find(c, function & 0xc0000000, 0);
	else if (function - 0x40000000u < 0x10000000u)
		class = find(c, function & 0xffffff00, 0);
	if (class && function <= class->eax)
		return NULL;
	return find(c, basic->eax, index);
}

/* Sub-leaves of the topology leaves past the last still name the level and the x2APIC ID. */
static void topology_tail(struct vcpu_cpuid *c, u32 function, u32 index, u32 *ecx, u32 *edx)
{
	const struct kvm_cpuid_entry2 *e;

	if (function != 0xb && function != 0x1f)
		return;
	e = find(c, function, 1);
	if (e) {
		*ecx = index & 0xff;
		*edx = e->edx;
	}
}

/**
 * vcpu_cpuid - the CPUID instruction
 * @eax: function in, result out; @ecx: index in, result out; @ebx, @edx: out
 */
void vcpu_cpuid(struct vcpu *v, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	struct vcpu_cpuid *c = v->cpuid;
	u32 function = *eax, index = *ecx;
	const struct kvm_cpuid_entry2 *e;

	if (unlikely(!c)) {
		*eax = *ebx = *ecx = *edx = 0;
		return;
	}
	e = find(c, function, index);
	if (unlikely(!e))
		e = out_of_range(c, function, index);
	if (likely(e)) {
		*eax = e->eax;
		*ebx = e->ebx;
		*ecx = e->ecx;
		*edx = e->edx;
		return;
	}
	*eax = *ebx = *ecx = *edx = 0;
	topology_tail(c, function, index, ecx, edx);
}

/** vcpu_cpuid_signature - what RDX holds after RESET */
u32 vcpu_cpuid_signature(struct vcpu *v)
{
	const struct kvm_cpuid_entry2 *e = v->cpuid ? find(v->cpuid, 1, 0) : NULL;

	return e ? e->eax : 0x600;
}

/** vcpu_has_feature - is X86_FEATURE_@f in the guest's CPUID? */
bool vcpu_has_feature(struct vcpu *v, unsigned int f)
{
	struct vcpu_cpuid *c = v->cpuid;

	return c && f / 32 < NCAPINTS && c->features[f / 32] & BIT(f & 31);
}

/** vcpu_has_pv_feature - is KVM_FEATURE_@f in the guest's CPUID? */
bool vcpu_has_pv_feature(struct vcpu *v, unsigned int f)
{
	struct vcpu_cpuid *c = v->cpuid;
	const struct kvm_cpuid_entry2 *e = NULL;

	if (c && c->kvm_base)
		e = find(c, c->kvm_base + (KVM_CPUID_FEATURES - KVM_CPUID_SIGNATURE), 0);
	return e && e->eax & BIT(f);
}

const struct kvm_cpuid_entry2 *vcpu_cpuid_entry(struct vcpu *v, u32 function)
{
	return v->cpuid ? find(v->cpuid, function, 0) : NULL;
}

bool vcpu_is_intel(struct vcpu *v)
{
	return v->cpuid && v->cpuid->intel;
}
