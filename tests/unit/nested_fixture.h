/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of nested/ share: a backend that can give everything, and a
 * vmcs12 that passes every entry check with a 64-bit L1 and a 64-bit L2.
 */
#ifndef TESTS_UNIT_NESTED_FIXTURE_H
#define TESTS_UNIT_NESTED_FIXTURE_H

#include "unit.h"
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "nested/caps.h"
#include "nested/vmcs12.h"

static const struct hw_nested_caps fixture_hw = {
	.pin = ~0u,
	.proc = ~0u,
	.proc2 = ~0u,
	.exit = ~0u,
	.entry = ~0u,
	.ept = ~0ull,
	.misc = ~0ull,
	.ins_outs_info = true,
};

#define FIXTURE_CR4                                                                         \
	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE | X86_CR4_PAE | \
	 X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT |    \
	 X86_CR4_PCIDE | X86_CR4_OSXSAVE | X86_CR4_SMEP | X86_CR4_FSGSBASE)

static inline void fixture_caps(struct vmx_caps *caps)
{
	vmx_caps_init(caps, &fixture_hw);
	vmx_caps_set_cr4_valid(caps, FIXTURE_CR4);
}

static inline void fixture_controls(struct vmcs12 *v, const struct vmx_caps *caps)
{
	v->pin_based_vm_exec_control = caps->pin.must1;
	v->cpu_based_vm_exec_control = caps->proc.must1 | CPU_BASED_ACTIVATE_SECONDARY_CONTROLS |
				       CPU_BASED_HLT_EXITING;
	v->secondary_vm_exec_control = SECONDARY_EXEC_ENABLE_EPT;
	v->ept_pointer = 0x10000 | VMX_EPTP_MT_WB | VMX_EPTP_PWL_4;
	v->vm_exit_controls = caps->exit.must1 | VM_EXIT_HOST_ADDR_SPACE_SIZE |
			      VM_EXIT_LOAD_IA32_EFER | VM_EXIT_LOAD_IA32_PAT;
	v->vm_entry_controls = caps->entry.must1 | VM_ENTRY_IA32E_MODE | VM_ENTRY_LOAD_IA32_EFER |
			       VM_ENTRY_LOAD_IA32_PAT | VM_ENTRY_LOAD_DEBUG_CONTROLS;
}

static inline void fixture_host(struct vmcs12 *v)
{
	v->host_cr0 = 0x80050033;
	v->host_cr3 = 0x1000;
	v->host_cr4 = X86_CR4_PAE | X86_CR4_VMXE | X86_CR4_PGE;
	v->host_cs_selector = 0x10;
	v->host_ss_selector = 0x18;
	v->host_tr_selector = 0x40;
	v->host_fs_base = 0x7f0000000000;
	v->host_gs_base = 0xffff888000000000;
	v->host_tr_base = 0xfffffe0000001000;
	v->host_gdtr_base = 0xfffffe0000002000;
	v->host_idtr_base = 0xfffffe0000003000;
	v->host_ia32_sysenter_esp = 0xfffffe0000004000;
	v->host_ia32_sysenter_eip = 0xffffffff81000000;
	v->host_ia32_efer = EFER_LMA | EFER_LME | EFER_SCE | EFER_NX;
	v->host_ia32_pat = 0x0007040600070406;
	v->host_rip = 0xffffffff81000010;
	v->host_rsp = 0xffffc90000000000;
}

static inline void fixture_guest(struct vmcs12 *v)
{
	v->vmcs_link_pointer = VMCS12_NO_PTR;
	v->guest_cr0 = 0x80050033;
	v->guest_cr3 = 0x2000;
	v->guest_cr4 = X86_CR4_PAE | X86_CR4_VMXE;
	v->guest_dr7 = 0x400;
	v->guest_ia32_pat = 0x0007040600070406;
	v->guest_ia32_efer = EFER_LMA | EFER_LME | EFER_SCE;
	v->guest_rip = 0xffffffff80000000;
	v->guest_rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
	v->guest_cs_selector = 0x10;
	v->guest_cs_limit = 0xffffffff;
	v->guest_cs_ar_bytes = 0xa09b;
	v->guest_ss_selector = 0x18;
	v->guest_ss_limit = 0xffffffff;
	v->guest_ss_ar_bytes = 0xc093;
	v->guest_ds_ar_bytes = 0x10000;
	v->guest_es_selector = 0x18;
	v->guest_es_limit = 0xffffffff;
	v->guest_es_ar_bytes = 0xc093;
	v->guest_fs_selector = 0x18;
	v->guest_fs_limit = 0xffffffff;
	v->guest_fs_ar_bytes = 0xc093;
	v->guest_gs_ar_bytes = 0x10000;
	v->guest_ldtr_selector = 0x48;
	v->guest_ldtr_limit = 0xff;
	v->guest_ldtr_ar_bytes = 0x82;
	v->guest_tr_selector = 0x40;
	v->guest_tr_limit = 0x67;
	v->guest_tr_ar_bytes = 0x8b;
	v->guest_gdtr_limit = 0x7f;
	v->guest_idtr_limit = 0xfff;
}

/* A vmcs12 with which a 64-bit L1 may enter a 64-bit L2. */
static inline void fixture_vmcs12(struct vmcs12 *v, const struct vmx_caps *caps)
{
	memset(v, 0, sizeof(*v));
	v->revision_id = VMCS12_REVISION;
	fixture_controls(v, caps);
	fixture_host(v);
	fixture_guest(v);
}

#endif /* TESTS_UNIT_NESTED_FIXTURE_H */
