// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to guest memory by linear address: the vCPU's paging state handed to the pure walker
 * of mm/walk.c. In L2 under EPT12 every guest-physical address of the walk, and its
 * result, goes through EPT12 first.
 */
#include <linux/kernel.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/page.h>
#include <asm/processor-flags.h>

#include "mm/mm.h"
#include "vcpu/core.h"
#include "vcpu/nested.h"

struct walk_ctx {
	struct vcpu *v;
	struct gva_fault *f;
	bool l2_ept;
	u64 eptp;
	bool again;
};

/* A guest-physical address of the running level to an L1 one: 0, 1 (fault), -EFAULT. */
static int to_l1(struct walk_ctx *c, u64 gpa, u32 access, u64 *l1gpa)
{
	u64 qual = 0;

	*l1gpa = gpa;
	if (!c->l2_ept)
		return 0;

	switch (mdp_translate(c->v, c->eptp, gpa, access, l1gpa, &qual)) {
	case MM_MAPPED:
		return 0;
	case MM_L1_MISCONFIG:
		c->f->misconfig = true;
		fallthrough;
	case MM_L1_VIOLATION:
		c->f->l2gpa = gpa;
		c->f->qual = qual;
		return 1;
	case MM_RETRY:
		c->again = true;
		fallthrough;
	default:
		return -EFAULT;
	}
}

static int read_entry(void *ctx, u64 gpa, void *entry, int len)
{
	struct walk_ctx *c = ctx;
	u64 l1gpa;
	int r = to_l1(c, gpa, EPT_ACC_READ, &l1gpa);

	return r ?: vcpu_read_guest(c->v, l1gpa, entry, len);
}

static int cmpxchg_entry(void *ctx, u64 gpa, u64 old, u64 new, int len)
{
	struct walk_ctx *c = ctx;
	u64 l1gpa;
	int r = to_l1(c, gpa, EPT_ACC_READ | EPT_ACC_WRITE, &l1gpa);

	if (r)
		return r;
	r = vcpu_cmpxchg_guest(c->v, l1gpa, &old, new, len);
	return r == 1 ? -EAGAIN : r;
}

static void fill_env(struct vcpu *v, struct walk_env *env, struct walk_ctx *c)
{
	memset(env, 0, sizeof(*env));
	env->cr0 = hw->get_cr0(v);
	env->cr3 = hw->get_cr3(v);
	env->cr4 = hw->get_cr4(v);
	env->efer = hw->get_efer(v);
	env->rflags = v->rflags;
	env->pkru = vcpu_get_pkru(v);
	env->maxphyaddr = vcpu_maxphyaddr(v);
	env->nx = env->efer & EFER_NX;
	env->gbpages = vcpu_has_feature(v, X86_FEATURE_GBPAGES);
	env->pse36 = vcpu_has_feature(v, X86_FEATURE_PSE36);
	env->pdpte_a = hw->sets_pdpte_a;
	env->ctx = c;
	env->read = read_entry;
	env->cmpxchg = cmpxchg_entry;
}

static u32 ept_access(u32 access)
{
	if (access & WALK_FETCH)
		return EPT_ACC_FETCH;
	return access & WALK_WRITE ? EPT_ACC_READ | EPT_ACC_WRITE : EPT_ACC_READ;
}

/**
 * vcpu_translate_gva - linear address to L1 guest-physical address
 * @v:	    the vCPU, loaded; vm->srcu held; may sleep
 * @gva:    linear address, canonical
 * @access: WALK_*
 * @gpa:    result
 * @f:	    filled when the result is a fault
 */
enum gva_kind vcpu_translate_gva(struct vcpu *v, u64 gva, u32 access, u64 *gpa, struct gva_fault *f)
{
	struct walk_ctx c = { .v = v, .f = f, .l2_ept = nested_uses_ept(v), .eptp = nested_eptp(v) };
	struct walk_result res = { .gpa = gva };
	struct walk_env env;
	int r;

	memset(f, 0, sizeof(*f));
	f->gva = gva;
	fill_env(v, &env, &c);

	switch (guest_walk(&env, gva, access, &res)) {
	case WALK_OK:
		break;
	case WALK_FAULT:
		f->pf_error = res.pf_error;
		return GVA_PAGE_FAULT;
	case WALK_NESTED_FAULT:
		/* Bit 7: the linear address is valid; bit 8 clear: a paging-structure access. */
		f->qual |= BIT(7);
		return GVA_NESTED_FAULT;
	case WALK_NO_MEMORY:
		return c.again ? GVA_AGAIN : GVA_NO_MEMORY;
	}

	r = to_l1(&c, res.gpa, ept_access(access), gpa);
	if (!r)
		return GVA_OK;
	if (c.again)
		return GVA_AGAIN;
	f->qual |= BIT(7) | BIT(8);
	return r == 1 ? GVA_NESTED_FAULT : GVA_NO_MEMORY;
}

enum gva_kind vcpu_read_gva(struct vcpu *v, u64 gva, void *buf, unsigned int len, u32 access,
			    struct gva_fault *f)
{
	while (len) {
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - (gva & ~PAGE_MASK));
		enum gva_kind k;
		u64 gpa;

		k = vcpu_translate_gva(v, gva, access, &gpa, f);
		if (k != GVA_OK)
			return k;
		if (vcpu_read_guest(v, gpa, buf, n))
			return GVA_NO_MEMORY;
		gva += n;
		buf += n;
		len -= n;
	}
	return GVA_OK;
}

enum gva_kind vcpu_write_gva(struct vcpu *v, u64 gva, const void *buf, unsigned int len, u32 access,
			     struct gva_fault *f)
{
	unsigned int first = min_t(unsigned int, len, PAGE_SIZE - (gva & ~PAGE_MASK));
	enum gva_kind k;
	u64 gpa[2];

	/* Both pages are translated before anything is written. */
	k = vcpu_translate_gva(v, gva, access | WALK_WRITE, &gpa[0], f);
	if (k == GVA_OK && len > first)
		k = vcpu_translate_gva(v, gva + first, access | WALK_WRITE, &gpa[1], f);
	if (k != GVA_OK)
		return k;
	if (vcpu_write_guest(v, gpa[0], buf, first))
		return GVA_NO_MEMORY;
	if (len > first && vcpu_write_guest(v, gpa[1], buf + first, len - first))
		return GVA_NO_MEMORY;
	return GVA_OK;
}

int vcpu_raise_gva_fault(struct vcpu *v, enum gva_kind kind, const struct gva_fault *f)
{
	switch (kind) {
	case GVA_PAGE_FAULT:
		vcpu_inject_pf(v, f->gva, f->pf_error);
		return RESUME_GUEST;
	case GVA_NESTED_FAULT:
		return nested_ept_fault_exit(v, f->l2gpa, f->gva, f->qual, f->misconfig);
	case GVA_AGAIN:
		return RESUME_GUEST;
	default:
		/* Operands in device memory or behind a hole: no hypervisor keeps them there. */
		return vcpu_internal_error(v, KVM_INTERNAL_ERROR_EMULATION);
	}
}
