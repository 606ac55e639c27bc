// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second-level roots, VPIDs, INVEPT and INVVPID (SDM "Caching Translation
 * Information"). Under EPT the processor caches guest-physical mappings by EPTP
 * and combined mappings by EPTP and VPID; INVEPT drops both for an EPTP, so it
 * is what every flush of ours comes down to, but for a single linear address.
 */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/spinlock.h>
#include "hw/vmx/vmx.h"

static DECLARE_BITMAP(vpids, VMX_NR_VPIDS);
static DEFINE_SPINLOCK(vpid_lock); /* vpids */

/* 0 is the host's own. -ENOSPC when all are taken: such a context runs untagged. */
int vmx_vpid_alloc(u16 *vpid)
{
	unsigned long n;
	int r = -ENOSPC;

	*vpid = 0;
	spin_lock(&vpid_lock);
	n = find_next_zero_bit(vpids, VMX_NR_VPIDS, 1);
	if (n < VMX_NR_VPIDS) {
		__set_bit(n, vpids);
		*vpid = n;
		r = 0;
	}
	spin_unlock(&vpid_lock);
	return r;
}

void vmx_vpid_free(u16 vpid)
{
	if (!vpid)
		return;
	spin_lock(&vpid_lock);
	__clear_bit(vpid, vpids);
	spin_unlock(&vpid_lock);
}

static void invept(unsigned long type, u64 eptp)
{
	struct {
		u64 eptp, reserved;
	} desc = { eptp, 0 };

	asm volatile goto("1: invept %[desc], %[type]\n\t" VMX_INSN_FIXUP
			  :
			  : [desc] "m"(desc), [type] "r"(type)
			  : "cc", "memory"
			  : fail);
	return;
fail:
	vmx_insn_failed("INVEPT", type, eptp);
}

static void invvpid(unsigned long type, u16 vpid, u64 gva)
{
	struct {
		u64 vpid, gva;
	} desc = { vpid, gva };

	asm volatile goto("1: invvpid %[desc], %[type]\n\t" VMX_INSN_FIXUP
			  :
			  : [desc] "m"(desc), [type] "r"(type)
			  : "cc", "memory"
			  : fail);
	return;
fail:
	vmx_insn_failed("INVVPID", type, vpid);
}

static void invept_context(u64 eptp)
{
	if (vmx_caps.ept & VMX_EPT_EXTENT_CONTEXT_BIT)
		invept(VMX_EPT_EXTENT_CONTEXT, eptp);
	else
		invept(VMX_EPT_EXTENT_GLOBAL, 0);
}

static void invept_all(u64 eptp)
{
	if (vmx_caps.ept & VMX_EPT_EXTENT_GLOBAL_BIT)
		invept(VMX_EPT_EXTENT_GLOBAL, 0);
	else
		invept(VMX_EPT_EXTENT_CONTEXT, eptp);
}

static void invvpid_context(u16 vpid)
{
	if (!vpid)
		return; /* untagged: every entry and exit flushes */
	if (vmx_caps.vpid & VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT)
		invvpid(VMX_VPID_EXTENT_SINGLE_CONTEXT, vpid, 0);
	else
		invvpid(VMX_VPID_EXTENT_ALL_CONTEXT, 0, 0);
}

/* A CPU on which VMX has just been switched on may hold entries of an earlier user. */
void vmx_tlb_flush_cpu(void)
{
	if (vmx_caps.ept & VMX_EPT_EXTENT_GLOBAL_BIT)
		invept(VMX_EPT_EXTENT_GLOBAL, 0);
	if (vmx_caps.use_vpid && (vmx_caps.vpid & VMX_VPID_EXTENT_GLOBAL_CONTEXT_BIT))
		invvpid(VMX_VPID_EXTENT_ALL_CONTEXT, 0, 0);
}

/* Before an entry, interrupts off: what the flags ask for, on this CPU. */
void vmx_tlb_serve(struct vmx_ctx *c)
{
	if (c->flush_ept) {
		if (c->flush_ept_all)
			invept_all(c->eptp);
		else
			invept_context(c->eptp);
	}
	if (c->flush_vpid)
		invvpid_context(c->vpid);
	c->flush_ept = false;
	c->flush_ept_all = false;
	c->flush_vpid = false;
}

/**
 * vmx_set_root - second-level root of the current context
 * @v:	      the vCPU
 * @root_hpa: physical address of the top table, plus HW_ROOT_NO_AD
 */
void vmx_set_root(struct vcpu *v, u64 root_hpa)
{
	struct vmx_ctx *c = v->vmx->cur;
	u64 eptp = (root_hpa & ~HW_ROOT_NO_AD) | VMX_EPTP_MT_WB | VMX_EPTP_PWL_4;

	if (vmx_caps.ept_ad && !(root_hpa & HW_ROOT_NO_AD))
		eptp |= VMX_EPTP_AD_ENABLE_BIT;
	if (eptp == c->eptp)
		return;
	c->eptp = eptp;
	vmwrite(EPT_POINTER, eptp);
	/* The page may have been the root of something else before. */
	c->flush_ept = true;
}

void vmx_tlb_flush(struct vcpu *v, bool all)
{
	struct vmx_vcpu *x = v->vmx;

	x->cur->flush_ept = true;
	if (all) {
		x->c01.flush_ept = x->c01.flush_ept_all = true;
		x->c02.flush_ept = x->c02.flush_ept_all = true;
	}
}

void vmx_tlb_flush_gva(struct vcpu *v, u64 gva)
{
	struct vmx_ctx *c = v->vmx->cur;

	preempt_disable();
	if (c->vpid && (vmx_caps.vpid & VMX_VPID_EXTENT_INDIVIDUAL_ADDR_BIT) &&
	    v->vmx->last_cpu == smp_processor_id())
		invvpid(VMX_VPID_EXTENT_INDIVIDUAL_ADDR, c->vpid, gva);
	else
		c->flush_vpid = true;
	preempt_enable();
}
