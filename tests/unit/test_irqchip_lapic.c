// SPDX-License-Identifier: GPL-2.0-only
/* link: irqchip/irqchip.c irqchip/route.c irqchip/lapic.c irqchip/lapic_deliver.c irqchip/lapic_timer.c irqchip/lapic_state.c irqchip/ioapic.c irqchip/pic.c irqchip/pit.c */
/* Local APIC: registers in both modes, priorities, EOI, state, IA32_APIC_BASE. */
#include "irqchip_harness.h"

static void test_reset_values(void **state)
{
	struct vm *vm = new_vm(2, false);
	struct vcpu *v = vm->v[1];

	lapic_reset(v, false);
	assert_int_equal(apic_in(v, APIC_ID), 1 << 24);
	assert_int_equal(apic_in(v, APIC_LVR), 0x50014);
	assert_int_equal(apic_in(v, APIC_TASKPRI), 0);
	assert_int_equal(apic_in(v, APIC_LDR), 0);
	assert_int_equal(apic_in(v, APIC_DFR), 0xffffffff);
	assert_int_equal(apic_in(v, APIC_SPIV), 0xff);
	assert_int_equal(apic_in(v, APIC_ESR), 0);
	assert_int_equal(apic_in(v, APIC_LVTT), APIC_LVT_MASKED);
	assert_int_equal(apic_in(v, APIC_LVT0), APIC_LVT_MASKED);
	assert_int_equal(apic_in(v, APIC_LVTERR), APIC_LVT_MASKED);
	assert_int_equal(apic_in(v, APIC_TMICT), 0);
	assert_int_equal(apic_in(v, APIC_TDCR), 0);
	assert_int_equal(v->base, 0xfee00800);
	/* The boot processor: BSP bit, virtual wire. */
	lapic_reset(vm->v[0], false);
	assert_int_equal(vm->v[0]->base, 0xfee00900);
	assert_int_equal(apic_in(vm->v[0], APIC_LVT0), 0x700);
	vm->lint0_masked = true;
	lapic_reset(vm->v[0], false);
	assert_int_equal(apic_in(vm->v[0], APIC_LVT0), APIC_LVT_MASKED);
	free_vm(vm);
}

static void test_xapic_writes(void **state)
{
	static const struct {
		u32 reg, write, read;
	} t[] = {
		{ APIC_ID, 0xffffffff, 0xff000000 },
		{ APIC_LVR, 0xffffffff, 0x50014 },
		{ APIC_TASKPRI, 0xffffffff, 0xff },
		{ APIC_LDR, 0xffffffff, 0xff000000 },
		{ APIC_DFR, 0x0, 0x0fffffff },
		{ APIC_SPIV, 0xffffffff, 0x3ff },
		{ APIC_ICR2, 0xffffffff, 0xff000000 },
		{ APIC_LVTT, 0xffffffff & ~(3u << 17), 0x000100ff },
		{ APIC_LVTT, 0xffffffff & ~(2u << 17), 0x000300ff },
		{ APIC_LVTT, 0xffffffff & ~(1u << 17), 0x000500ff },
		{ APIC_LVTT, 0xffffffff, 0x000300ff }, /* mode 3 is reserved */
		{ APIC_LVTTHMR, 0xffffffff, 0x000107ff },
		{ APIC_LVTPC, 0xffffffff, 0x000107ff },
		{ APIC_LVT0, 0xffffffff, 0x0001a7ff },
		{ APIC_LVT1, 0xffffffff, 0x0001a7ff },
		{ APIC_LVTERR, 0xffffffff, 0x000100ff },
		{ APIC_TDCR, 0xffffffff, 0xb },
		{ APIC_ICR, 0xfff00, 0xfef00 }, /* busy is never seen */
	};
	struct vm *vm = new_vm(1, false);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		apic_out(vm->v[0], t[i].reg, t[i].write);
		assert_int_equal(apic_in(vm->v[0], t[i].reg), t[i].read);
	}
	free_vm(vm);
}

static void test_sw_disable_masks_lvts(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct vcpu *v = vm->v[0];

	apic_out(v, APIC_LVT1, 0x400);
	assert_int_equal(apic_in(v, APIC_LVT1), 0x400);
	apic_out(v, APIC_SPIV, 0xff);
	assert_false(lapic_sw_enabled(v));
	assert_int_equal(apic_in(v, APIC_LVT1), 0x10400);
	apic_out(v, APIC_LVT1, 0x400); /* cannot be unmasked while disabled */
	assert_int_equal(apic_in(v, APIC_LVT1), 0x10400);
	lapic_self_ipi(v->lapic, 0x40);
	assert_int_equal(lapic_pending_irq(v), -1);
	free_vm(vm);
}

static void test_mmio_access_rules(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct vcpu *v = vm->v[0];
	u64 val = 0x55;
	u8 byte;

	/* Outside the page, and with the APIC off. */
	assert_int_equal(lapic_mmio_read(v, 0xfee01000, 4, &val), -EOPNOTSUPP);
	assert_int_equal(lapic_mmio_write(v, 0xfedff0f0, 4, &val), -EOPNOTSUPP);
	/* Bytes of a register can be read, other sizes and places give 0 and an error. */
	assert_int_equal(lapic_mmio_read(v, 0xfee00032, 1, &byte), 0);
	assert_int_equal(byte, 5);
	assert_int_equal(lapic_mmio_read(v, 0xfee00030, 8, &val), 0);
	assert_int_equal(val, 0);
	assert_int_equal(lapic_mmio_read(v, 0xfee00004, 4, &val), 0);
	/* Stores of other sizes change nothing. */
	byte = 0x70;
	assert_int_equal(lapic_mmio_write(v, 0xfee00080, 1, &byte), 0);
	assert_int_equal(apic_in(v, APIC_TASKPRI), 0);
	/* An address that is no register counts as an error. */
	apic_out(v, APIC_ESR, 0);
	apic_out(v, APIC_ESR, 0);
	assert_int_equal(apic_in(v, APIC_ESR), 0);
	apic_out(v, 0x3f0, 0);
	apic_out(v, APIC_ESR, 0);
	assert_int_equal(apic_in(v, APIC_ESR), APIC_ESR_ILLREGA);
	/* x2APIC mode: no page. Disabled: none either. */
	go_x2apic(v);
	assert_int_equal(lapic_mmio_read(v, 0xfee00030, 4, &val), -EOPNOTSUPP);
	assert_int_equal(lapic_set_base(v, 0xfee00100, false), 0);
	assert_int_equal(lapic_mmio_read(v, 0xfee00030, 4, &val), -EOPNOTSUPP);
	free_vm(vm);
}

static void test_relocated_page(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct vcpu *v = vm->v[0];
	u32 val;

	assert_int_equal(lapic_set_base(v, 0x80000900, false), 0);
	assert_int_equal(lapic_mmio_read(v, 0xfee00030, 4, &val), -EOPNOTSUPP);
	assert_int_equal(lapic_mmio_read(v, 0x80000030, 4, &val), 0);
	assert_int_equal(val, 0x50014);
	free_vm(vm);
}

static void test_base_transitions(void **state)
{
	const u64 on = 0xfee00900, x2 = 0xfee00d00, off = 0xfee00100, bad = 0xfee00500;
	struct vm *vm = new_vm(1, false);
	struct vcpu *v = vm->v[0];

	assert_int_equal(lapic_set_base(v, on | 1, false), 1);
	assert_int_equal(lapic_set_base(v, on | BIT(9), false), 1);
	assert_int_equal(lapic_set_base(v, bad, false), 1);
	assert_int_equal(lapic_set_base(v, bad, true), 1);
	assert_int_equal(lapic_set_base(v, on, false), 0);
	assert_int_equal(lapic_set_base(v, x2, false), 0);
	assert_int_equal(lapic_set_base(v, on, false), 1); /* only through disabled */
	assert_int_equal(v->base, x2);
	assert_int_equal(lapic_set_base(v, on, true), 0); /* user space may */
	assert_int_equal(lapic_set_base(v, off, false), 0);
	assert_int_equal(lapic_set_base(v, x2, false), 1);
	assert_int_equal(lapic_set_base(v, on, false), 0);
	v->x2apic = false;
	assert_int_equal(lapic_set_base(v, x2, false), 1);
	free_vm(vm);
}

static void test_x2apic_registers(void **state)
{
	struct vm *vm = new_vm(36, false);
	struct vcpu *v = vm->v[35];
	u64 val;

	assert_int_equal(lapic_msr_read(v, 0x802, &val), 1); /* not in x2APIC mode */
	assert_int_equal(lapic_msr_write(v, 0x808, 0), 1);
	go_x2apic(v);
	assert_int_equal(x2_in(v, APIC_ID), 35);
	assert_int_equal(x2_in(v, APIC_LVR), 0x50014);
	assert_int_equal(x2_in(v, APIC_LDR), 0x20008);
	assert_int_equal(x2_out(v, APIC_TASKPRI, 0x50), 0);
	assert_int_equal(x2_in(v, APIC_TASKPRI), 0x50);
	assert_int_equal(x2_in(v, APIC_PROCPRI), 0x50);
	/* #GP: reserved bits, high halves, read-only, write-only, absent. */
	assert_int_equal(x2_out(v, APIC_TASKPRI, 0x100), 1);
	assert_int_equal(x2_out(v, APIC_SPIV, 1ull << 32), 1);
	assert_int_equal(x2_out(v, APIC_ID, 1), 1);
	assert_int_equal(x2_out(v, APIC_LDR, 1), 1);
	assert_int_equal(x2_out(v, APIC_LVR, 1), 1);
	assert_int_equal(x2_out(v, APIC_ISR, 1), 1);
	assert_int_equal(x2_out(v, APIC_EOI, 1), 1);
	assert_int_equal(x2_out(v, APIC_ESR, 1), 1);
	assert_int_equal(x2_out(v, APIC_SELF_IPI, 0x100), 1);
	assert_int_equal(x2_out(v, APIC_DFR, 0), 1);
	assert_int_equal(x2_out(v, APIC_ICR2, 0), 1);
	assert_int_equal(x2_out(v, APIC_TMCCT, 0), 1);
	assert_int_equal(lapic_msr_read(v, 0x80b, &val), 1);
	assert_int_equal(lapic_msr_read(v, 0x80e, &val), 1);
	assert_int_equal(lapic_msr_read(v, 0x831, &val), 1);
	assert_int_equal(lapic_msr_read(v, 0x83f, &val), 1);
	assert_int_equal(lapic_msr_read(v, 0x8ff, &val), 1);
	assert_int_equal(lapic_msr_write(v, 0x8ff, 0), 1);
	/* ICR is one register. */
	assert_int_equal(x2_out(v, APIC_ICR, 0x1234567800000440ull), 0);
	assert_int_equal(x2_in(v, APIC_ICR), 0x1234567800000440ull);
	free_vm(vm);
}

static void test_priority_and_eoi(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct vcpu *v = vm->v[0];

	lapic_self_ipi(v->lapic, 0x31);
	lapic_self_ipi(v->lapic, 0x52);
	assert_int_equal(apic_in(v, APIC_IRR + 0x10), 1u << 17);
	assert_int_equal(apic_in(v, APIC_IRR + 0x20), 1u << 18);
	assert_int_equal(take(v), 0x52);
	assert_int_equal(apic_in(v, APIC_ISR + 0x20), 1u << 18);
	assert_int_equal(apic_in(v, APIC_PROCPRI), 0x50);
	assert_int_equal(take(v), -1);
	lapic_self_ipi(v->lapic, 0x5f); /* same class: waits */
	assert_int_equal(take(v), -1);
	lapic_self_ipi(v->lapic, 0x60);
	assert_int_equal(take(v), 0x60);
	v->events = 0;
	eoi(v);
	assert_int_equal(apic_in(v, APIC_PROCPRI), 0x50);
	assert_int_equal(take(v), -1);
	eoi(v);
	assert_true(v->events > 0);
	assert_int_equal(take(v), 0x5f);
	eoi(v);
	assert_int_equal(take(v), 0x31);
	eoi(v);
	eoi(v); /* one too many is harmless */
	assert_int_equal(apic_in(v, APIC_PROCPRI), 0);
	free_vm(vm);
}

static void test_tpr_and_cr8(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct vcpu *v = vm->v[0];

	assert_int_equal(lapic_tpr_threshold(v), 0);
	lapic_set_cr8(v, 5);
	assert_int_equal(apic_in(v, APIC_TASKPRI), 0x50);
	assert_int_equal(lapic_get_cr8(v), 5);
	lapic_self_ipi(v->lapic, 0x55);
	assert_int_equal(take(v), -1);
	assert_int_equal(lapic_tpr_threshold(v), 5);
	v->events = 0;
	lapic_set_cr8(v, 4);
	assert_int_equal(v->events, 1);
	assert_int_equal(lapic_tpr_threshold(v), 0);
	assert_int_equal(take(v), 0x55);
	apic_out(v, APIC_TASKPRI, 0x63);
	assert_int_equal(apic_in(v, APIC_PROCPRI), 0x63);
	free_vm(vm);
}

static void test_tpr_word(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct vcpu *v = vm->v[0];

	apic_out(v, APIC_SPIV, 0x1ff);
	assert_int_equal(lapic_tpr_word(v), 0);
	lapic_set_tpr(v, 0x53);
	assert_int_equal(apic_in(v, APIC_TASKPRI), 0x53);
	assert_int_equal(lapic_get_cr8(v), 5);
	assert_int_equal(lapic_tpr_word(v), 0x53);
	/* One requested below it, then in service: a byte each. */
	apic_out(v, APIC_ICR, APIC_DEST_SELF | 0x45);
	assert_int_equal(lapic_tpr_word(v), 0x45000053);
	assert_int_equal(lapic_pending_irq(v), -1);
	lapic_set_tpr(v, 0);
	assert_int_equal(lapic_ack_irq(v), 0x45);
	assert_int_equal(lapic_tpr_word(v), 0x4000);
	apic_out(v, APIC_EOI, 0);
	assert_int_equal(lapic_tpr_word(v), 0);
	free_vm(vm);
}

static void test_esr(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct vcpu *v = vm->v[0];

	apic_out(v, APIC_LVTERR, 0xfe);
	apic_out(v, APIC_ICR, APIC_DEST_SELF | 5); /* illegal vector */
	assert_int_equal(apic_in(v, APIC_ESR), 0); /* not before a write */
	assert_int_equal(take(v), 0xfe);
	eoi(v);
	apic_out(v, APIC_ESR, 0);
	assert_int_equal(apic_in(v, APIC_ESR), APIC_ESR_SENDILL);
	apic_out(v, APIC_ESR, 0);
	assert_int_equal(apic_in(v, APIC_ESR), 0);
	/* An illegal vector in LVT Error itself does not recurse. */
	apic_out(v, APIC_LVTERR, 0x0);
	apic_out(v, APIC_ICR, APIC_DEST_SELF | 5);
	assert_int_equal(take(v), -1);
	free_vm(vm);
}

/* LVT CMCI is there when the machine-check capabilities say so, and only then. */
static void test_cmci(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct vcpu *v = vm->v[0];
	struct kvm_lapic_state s;
	u64 val;

	assert_int_not_equal(lapic_reg_read(v, APIC_LVTCMCI, &val), 0);
	assert_int_not_equal(lapic_reg_write(v, APIC_LVTCMCI, 0x45), 0);
	lapic_cmci(v);
	assert_int_equal(take(v), -1);

	lapic_set_cmci(v, true);
	assert_int_equal(apic_in(v, APIC_LVR), 0x60014);
	assert_int_equal(apic_in(v, APIC_LVTCMCI), APIC_LVT_MASKED);
	lapic_cmci(v);
	assert_int_equal(take(v), -1);
	apic_out(v, APIC_LVTCMCI, 0xffffffff);
	assert_int_equal(apic_in(v, APIC_LVTCMCI), 0x000107ff);
	apic_out(v, APIC_LVTCMCI, 0x45);
	lapic_cmci(v);
	assert_int_equal(take(v), 0x45);
	eoi(v);
	apic_out(v, APIC_LVTCMCI, APIC_DM_NMI);
	lapic_cmci(v);
	assert_int_equal(v->nmis, 1);

	apic_out(v, APIC_LVTCMCI, 0x45);
	lapic_get_state(v, &s);
	apic_out(v, APIC_SPIV, 0xff);
	assert_int_equal(apic_in(v, APIC_LVTCMCI), APIC_LVT_MASKED | 0x45);
	assert_int_equal(lapic_set_state(v, &s), 0);
	assert_int_equal(apic_in(v, APIC_LVTCMCI), 0x45);
	lapic_reset(v, false);
	assert_int_equal(apic_in(v, APIC_LVR), 0x60014);
	assert_int_equal(apic_in(v, APIC_LVTCMCI), APIC_LVT_MASKED);

	lapic_set_cmci(v, false);
	assert_int_equal(apic_in(v, APIC_LVR), 0x50014);
	assert_int_not_equal(lapic_reg_read(v, APIC_LVTCMCI, &val), 0);
	free_vm(vm);
}

static void test_state_roundtrip(void **state)
{
	struct vm *vm = new_vm(2, false);
	struct vcpu *v = vm->v[1];
	struct kvm_lapic_state s, t;

	apic_out(v, APIC_TASKPRI, 0x20);
	apic_out(v, APIC_LDR, 0x02000000);
	apic_out(v, APIC_LVT1, 0x400);
	apic_out(v, APIC_ICR2, 0x7000000);
	lapic_self_ipi(v->lapic, 0x91);
	assert_int_equal(take(v), 0x91);
	lapic_self_ipi(v->lapic, 0x92);
	lapic_get_state(v, &s);
	lapic_reset(v, false);
	assert_int_equal(lapic_set_state(v, &s), 0);
	lapic_get_state(v, &t);
	assert_memory_equal(&s, &t, sizeof(s));
	assert_int_equal(take(v), -1);
	eoi(v);
	assert_int_equal(take(v), 0x92);
	free_vm(vm);
}

static void test_state_x2apic(void **state)
{
	struct vm *vm = new_vm(20, false);
	struct vcpu *v = vm->v[19];
	struct kvm_lapic_state s;
	u32 word;

	go_x2apic(v);
	assert_int_equal(x2_out(v, APIC_ICR, 0xabcd000000000440ull), 0);
	lapic_get_state(v, &s);
	memcpy(&word, s.regs + APIC_ID, 4);
	assert_int_equal(word, 19u << 24);
	memcpy(&word, s.regs + APIC_ICR2, 4);
	assert_int_equal(word, 0xabcd0000);
	memset(s.regs + APIC_ID, 0xff, 4); /* ID and LDR are not state */
	memset(s.regs + APIC_LDR, 0xff, 4);
	assert_int_equal(lapic_set_state(v, &s), 0);
	assert_int_equal(x2_in(v, APIC_ID), 19);
	assert_int_equal(x2_in(v, APIC_LDR), 0x10008);
	assert_int_equal(x2_in(v, APIC_ICR), 0xabcd000000000440ull);
	free_vm(vm);
}

/* Whatever user space puts in, nothing breaks and what is readable makes sense. */
static void test_state_hostile(void **state)
{
	struct vm *vm = new_vm(2, true);
	u64 seed = 42;
	int round;

	for (round = 0; round < 2000; round++) {
		struct vcpu *v = vm->v[round & 1];
		struct kvm_lapic_state s;
		unsigned int i;

		for (i = 0; i < sizeof(s.regs); i++)
			s.regs[i] = unit_rand(&seed);
		assert_int_equal(lapic_set_state(v, &s), 0);
		assert_int_equal(apic_in(v, APIC_LVR), 0x50014);
		apic_in(v, APIC_TMCCT);
		for (i = 0; i < 40; i++) {
			apic_out(v, (unit_rand(&seed) & 0x3f) << 4, unit_rand(&seed));
			if (unit_rand(&seed) & 1)
				take(v);
		}
		advance(unit_rand(&seed) % 1000000);
		lapic_reset(v, round & 2);
	}
	free_vm(vm);
}

static void test_reset_by_init(void **state)
{
	struct vm *vm = new_vm(2, false);
	struct vcpu *v = vm->v[1];

	go_x2apic(v);
	lapic_self_ipi(v->lapic, 0x40);
	lapic_reset(v, true);
	assert_true(v->base & X2APIC_ENABLE); /* INIT keeps the mode */
	assert_int_equal(x2_in(v, APIC_ID), 1);
	assert_int_equal(x2_in(v, APIC_SPIV), 0xff);
	assert_int_equal(take(v), -1);
	lapic_reset(v, false);
	assert_int_equal(v->base, 0xfee00800);
	assert_int_equal(apic_in(v, APIC_ID), 1 << 24);
	free_vm(vm);
}

static void test_pv_eoi(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct vcpu *v = vm->v[0];
	u32 *word = (u32 *)(vm->memory + 0x100);
	struct kvm_lapic_state s;
	struct apic_msg level = { .vector = 0x70, .level = true };

	assert_int_equal(lapic_set_pv_eoi(v, 0x102), 1);
	assert_int_equal(lapic_set_pv_eoi(v, 0x101), 0);
	assert_int_equal(lapic_get_pv_eoi(v), 0x101);
	lapic_arm_pv_eoi(v); /* nothing in service */
	assert_int_equal(*word, 0);
	lapic_self_ipi(v->lapic, 0x41);
	assert_int_equal(take(v), 0x41);
	lapic_arm_pv_eoi(v);
	assert_int_equal(*word, 1);
	/* Left without having used it: the permission stays, until user space looks. */
	lapic_sync_pv_eoi(v);
	assert_int_equal(*word, 1);
	lapic_get_state(v, &s);
	assert_int_equal(*word, 0);
	assert_int_equal(apic_in(v, APIC_ISR + 0x20), 2);
	/* Or until another interrupt waits for the EOI. */
	lapic_arm_pv_eoi(v);
	lapic_self_ipi(v->lapic, 0x21);
	lapic_sync_pv_eoi(v);
	assert_int_equal(*word, 0);
	eoi(v);
	assert_int_equal(take(v), 0x21);
	/* Used: the interrupt is finished. */
	lapic_arm_pv_eoi(v);
	*word = 0;
	lapic_sync_pv_eoi(v);
	assert_int_equal(apic_in(v, APIC_ISR + 0x10), 0);
	/* Another one waits: its delivery needs a real EOI. */
	lapic_self_ipi(v->lapic, 0x41);
	assert_int_equal(take(v), 0x41);
	lapic_self_ipi(v->lapic, 0x42);
	lapic_arm_pv_eoi(v);
	assert_int_equal(*word, 0);
	/* A real EOI although it was not needed; a nested interrupt that is level triggered. */
	eoi(v);
	assert_int_equal(take(v), 0x42);
	lapic_arm_pv_eoi(v);
	assert_int_equal(*word, 1);
	eoi(v);
	assert_int_equal(*word, 0);
	lapic_self_ipi(v->lapic, 0x42);
	assert_int_equal(take(v), 0x42);
	lapic_arm_pv_eoi(v);
	assert_int_equal(apic_deliver(vm, &level), 1);
	assert_int_equal(take(v), 0x70);
	lapic_arm_pv_eoi(v);
	assert_int_equal(*word, 0);
	eoi(v);
	lapic_self_ipi(v->lapic, 0x42);
	/* Memory that is not there: never armed. */
	eoi(v);
	assert_int_equal(take(v), 0x42);
	assert_int_equal(lapic_set_pv_eoi(v, 0x100001), 0);
	lapic_arm_pv_eoi(v);
	assert_false(v->lapic->pv_eoi_armed);
	free_vm(vm);
}

static void test_create_failure(void **state)
{
	struct vm vm = {};
	struct vcpu v = { .vm = &vm };

	fail_vtimer_alloc = true;
	assert_int_equal(lapic_create(&v), -ENOMEM);
	assert_int_equal(irqchip_create(&vm, &vm.ic), -ENOMEM);
	fail_vtimer_alloc = false;
	assert_null(v.lapic);
	lapic_free(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_values),
		cmocka_unit_test(test_xapic_writes),
		cmocka_unit_test(test_sw_disable_masks_lvts),
		cmocka_unit_test(test_mmio_access_rules),
		cmocka_unit_test(test_relocated_page),
		cmocka_unit_test(test_base_transitions),
		cmocka_unit_test(test_x2apic_registers),
		cmocka_unit_test(test_priority_and_eoi),
		cmocka_unit_test(test_tpr_and_cr8),
		cmocka_unit_test(test_tpr_word),
		cmocka_unit_test(test_esr),
		cmocka_unit_test(test_cmci),
		cmocka_unit_test(test_state_roundtrip),
		cmocka_unit_test(test_state_x2apic),
		cmocka_unit_test(test_state_hostile),
		cmocka_unit_test(test_reset_by_init),
		cmocka_unit_test(test_pv_eoi),
		cmocka_unit_test(test_create_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
