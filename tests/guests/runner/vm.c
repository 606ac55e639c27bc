// SPDX-License-Identifier: GPL-2.0-only
/* The runner's VM: interrupt controllers as -i says, memory with SMRAM and a reset vector, vCPUs. */
#include <string.h>
#include <sys/ioctl.h>

#include "runner.h"

#define RESET_PAGE  0xfffff000ull
#define PAGE	    0x1000u
#define TSS_ADDR    0xfffbd000ul

#define SMRAM_BASE  0xa0000u
#define SMRAM_SIZE  0x10000u
#define SMM_SLOT(n) (1u << 16 | (n))

int vm;
static uint8_t *mem, *smram, *reset_page;

void make_vm(void)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	/* Without it an exception that L1 is to have is saved as one that L2 gets. */
	struct kvm_enable_cap payload = { .cap = KVM_CAP_EXCEPTION_PAYLOAD, .args = { 1 } };
	struct kvm_pit_config pit = { 0 };

	vm = new_vm();
	call(vm, KVM_ENABLE_CAP, &payload, "KVM_CAP_EXCEPTION_PAYLOAD");
	call(vm, KVM_SET_TSS_ADDR, (void *)TSS_ADDR, "KVM_SET_TSS_ADDR");
	if (irqchip == IRQCHIP_ON) {
		call(vm, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
		call(vm, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");
	} else if (irqchip == IRQCHIP_SPLIT) {
		call(vm, KVM_ENABLE_CAP, &split, "KVM_CAP_SPLIT_IRQCHIP");
	}
}

void make_vcpu(struct vcpu *c)
{
	struct cpuid_list cpuid;

	c->fd = new_vcpu(vm, c->id, &c->run);
	intel_cpuid(&cpuid, c->id, irqchip != IRQCHIP_OFF);
	if (enlightened)
		hyperv_enable_evmcs(c);
	if (hyperv || enlightened)
		hyperv_cpuid(c, &cpuid);
	call(c->fd, KVM_SET_CPUID2, &cpuid, "KVM_SET_CPUID2");
	if (hyperv)
		hyperv_enable(c);
}

/* What is in memory at the start; give_memory() makes a VM see it. */
void make_memory(const char *payload)
{
	/* As if there were firmware: a far jump to where the payload starts. */
	static const uint8_t jump[] = { 0xea, LOAD_AT & 0xff, LOAD_AT >> 8, 0, 0 };

	mem = map_memory(MEM_SIZE);
	smram = map_memory(SMRAM_SIZE);
	reset_page = map_memory(PAGE);
	memcpy(reset_page + 0xff0, jump, sizeof(jump));
	load(mem, payload);
}

/* In SMM all is the same but SMRAM. */
void give_memory(void)
{
	uint32_t above = SMRAM_BASE + SMRAM_SIZE;

	set_slot(vm, 0, 0, mem, MEM_SIZE);
	set_slot(vm, 1, RESET_PAGE, reset_page, PAGE);
	if (ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE) < 2)
		return;
	set_slot(vm, SMM_SLOT(0), 0, mem, SMRAM_BASE);
	set_slot(vm, SMM_SLOT(1), SMRAM_BASE, smram, SMRAM_SIZE);
	set_slot(vm, SMM_SLOT(2), above, mem + above, MEM_SIZE - above);
}
