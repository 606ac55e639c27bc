// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machine checks of the guest: the banks and their MSRs, and errors that user space reports
 * (KVM_X86_SET_MCE). No error of the host's own memory comes here by itself.
 *
 * SDM "Machine-Check Architecture". Everything is done by the vCPU's thread or with its mutex held.
 */
#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/lockdep.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/mce.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "irqchip/irqchip.h"
#include "vcpu/core.h"
#include "vcpu/msr.h"
#include "vcpu/vcpu.h"

#define COUNT	      0xffull	  /* of MCG_CAP: banks */
#define EXT_COUNT     0xff0000ull /* of MCG_CAP: further registers, of which there are none */
#define CTL2_WRITABLE (MCI_CTL2_CMCI_EN | MCI_CTL2_CMCI_THRESHOLD_MASK)

enum bank_word { CTL, STATUS, ADDR, MISC, BANK_WORDS };

/** vcpu_mce_create - what a vCPU starts with: all banks, and none of the capabilities; 0 or -ENOMEM */
int vcpu_mce_create(struct vcpu *v)
{
	u32 i;

	v->mce_banks = kcalloc(MCE_MAX_BANKS * (BANK_WORDS + 1), sizeof(u64), GFP_KERNEL_ACCOUNT);
	if (!v->mce_banks)
		return -ENOMEM;
	v->mce_ctl2 = v->mce_banks + MCE_MAX_BANKS * BANK_WORDS;
	v->mcg_cap = MCE_MAX_BANKS;
	for (i = 0; i < MCE_MAX_BANKS; i++)
		v->mce_banks[i * BANK_WORDS + CTL] = ~0ull;
	return 0;
}

/** vcpu_mce_reset - RESET; the banks outlive it, for software to find out why it came */
void vcpu_mce_reset(struct vcpu *v)
{
	v->mcg_status = 0;
	memset(v->mce_ctl2, 0, MCE_MAX_BANKS * sizeof(u64));
}

/* MSRs -------------------------------------------------------------------------- */

int get_mcg(struct vcpu *v, u32 index, u64 *val, bool host)
{
	switch (index) {
	case MSR_IA32_MCG_CAP:
		*val = v->mcg_cap;
		return 0;
	case MSR_IA32_MCG_STATUS:
		*val = v->mcg_status;
		return 0;
	default:
		if (!(v->mcg_cap & MCG_CTL_P) && !host)
			return MSR_FAULT;
		*val = v->mcg_ctl;
		return 0;
	}
}

int set_mcg(struct vcpu *v, u32 index, u64 val, bool host)
{
	switch (index) {
	case MSR_IA32_MCG_STATUS:
		v->mcg_status = val;
		return 0;
	case MSR_IA32_MCG_CTL:
		if (!(v->mcg_cap & MCG_CTL_P) && (val || !host))
			return MSR_FAULT;
		if (val && val != ~0ull)
			return MSR_FAULT;
		v->mcg_ctl = val;
		return 0;
	default:
		return MSR_FAULT; /* MCG_CAP comes by KVM_X86_SETUP_MCE */
	}
}

static u64 *mce_bank(struct vcpu *v, u32 index)
{
	u32 word = index - MSR_IA32_MC0_CTL, words = BANK_WORDS * (v->mcg_cap & COUNT);

	return word < words ? &v->mce_banks[array_index_nospec(word, words)] : NULL;
}

int get_mce_bank(struct vcpu *v, u32 index, u64 *val, bool host)
{
	u64 *word = mce_bank(v, index);

	if (!word)
		return MSR_FAULT;
	*val = *word;
	return 0;
}

int set_mce_bank(struct vcpu *v, u32 index, u64 val, bool host)
{
	u64 *word = mce_bank(v, index);

	if (!word)
		return MSR_FAULT;
	switch ((index - MSR_IA32_MC0_CTL) % BANK_WORDS) {
	case CTL: /* all or nothing, but Linux clears bit 10 (bank 4) or 0 on its own */
		if (val && (val | BIT_ULL(10) | 1) != ~0ull)
			return MSR_FAULT;
		break;
	case STATUS: /* software can only clear, unless HWCR.McStatusWrEn */
		if (!host && val && !(v->hwcr & BIT_ULL(18)))
			return MSR_FAULT;
		break;
	}
	*word = val;
	return 0;
}

static u64 *mce_ctl2(struct vcpu *v, u32 index)
{
	u32 bank = index - MSR_IA32_MC0_CTL2, banks = v->mcg_cap & COUNT;

	if (!(v->mcg_cap & MCG_CMCI_P) || bank >= banks)
		return NULL;
	return &v->mce_ctl2[array_index_nospec(bank, banks)];
}

int get_mce_ctl2(struct vcpu *v, u32 index, u64 *val, bool host)
{
	u64 *word = mce_ctl2(v, index);

	if (!word)
		return MSR_FAULT;
	*val = *word;
	return 0;
}

int set_mce_ctl2(struct vcpu *v, u32 index, u64 val, bool host)
{
	u64 *word = mce_ctl2(v, index);

	if (!word || (val & ~(u64)CTL2_WRITABLE))
		return MSR_FAULT;
	*word = val;
	return 0;
}

/* User space ------------------------------------------------------------------------ */

/**
 * vcpu_setup_mce - KVM_X86_SETUP_MCE
 * @v:	 the vCPU, mutex held
 * @cap: its IA32_MCG_CAP: number of banks and MCE_CAP_SUPPORTED
 * Return: 0 or -EINVAL.
 */
int vcpu_setup_mce(struct vcpu *v, u64 cap)
{
	u32 banks = cap & COUNT, i;

	lockdep_assert_held(&v->mutex);
	if (!banks || banks > MCE_MAX_BANKS || cap & ~(MCE_CAP_SUPPORTED | COUNT | EXT_COUNT))
		return -EINVAL;
	v->mcg_cap = cap;
	if (cap & MCG_CTL_P)
		v->mcg_ctl = ~0ull;
	for (i = 0; i < banks; i++)
		v->mce_banks[i * BANK_WORDS + CTL] = ~0ull;
	memset(v->mce_ctl2, 0, MCE_MAX_BANKS * sizeof(u64));
	lapic_set_cmci(v, cap & MCG_CMCI_P);
	return 0;
}

static void log_error(u64 *bank, const struct kvm_x86_mce *m)
{
	bank[STATUS] = m->status | (bank[STATUS] & MCI_STATUS_VAL ? MCI_STATUS_OVER : 0);
	bank[ADDR] = m->addr;
	bank[MISC] = m->misc;
}

/* SDM "UCR Error Classification": uncorrected, no action required. It is signaled like a corrected one. */
static bool is_ucna(const struct vcpu *v, const struct kvm_x86_mce *m)
{
	return (v->mcg_cap & MCG_SER_P) && !m->mcg_status &&
	       !(m->status & (MCI_STATUS_PCC | MCI_STATUS_S | MCI_STATUS_AR));
}

static void log_ucna(struct vcpu *v, u64 *bank, const struct kvm_x86_mce *m)
{
	log_error(bank, m);
	if ((v->mcg_cap & MCG_CMCI_P) && (v->mce_ctl2[m->bank] & MCI_CTL2_CMCI_EN))
		lapic_cmci(v);
}

static void machine_check(struct vcpu *v, u64 *bank, const struct kvm_x86_mce *m)
{
	/* Reporting switched off, for all banks or for this one. */
	if (((v->mcg_cap & MCG_CTL_P) && v->mcg_ctl != ~0ull) || bank[CTL] != ~0ull)
		return;
	if ((v->mcg_status & MCG_STATUS_MCIP) || !(hw->get_cr4(v) & X86_CR4_MCE)) {
		vcpu_request(v, REQ_TRIPLE_FAULT);
		return;
	}
	log_error(bank, m);
	v->mcg_status = m->mcg_status;
	vcpu_inject_exception(v, X86_TRAP_MC);
}

/**
 * vcpu_set_mce - KVM_X86_SET_MCE
 * @v: the vCPU, mutex held, loaded
 * @m: bank and what it reports
 * Return: 0; -EINVAL for a bank that is not there or a status that is not valid.
 */
int vcpu_set_mce(struct vcpu *v, const struct kvm_x86_mce *m)
{
	u32 banks = v->mcg_cap & COUNT;
	u64 *bank;

	lockdep_assert_held(&v->mutex);
	if (m->bank >= banks || !(m->status & MCI_STATUS_VAL))
		return -EINVAL;
	bank = &v->mce_banks[array_index_nospec(m->bank, banks) * BANK_WORDS];
	if (!(m->status & MCI_STATUS_UC)) {
		/* A corrected error never replaces an uncorrected one. */
		if (bank[STATUS] & MCI_STATUS_VAL && bank[STATUS] & MCI_STATUS_UC)
			bank[STATUS] |= MCI_STATUS_OVER;
		else
			log_error(bank, m);
	} else if (is_ucna(v, m)) {
		log_ucna(v, bank, m);
	} else {
		machine_check(v, bank, m);
	}
	return 0;
}
