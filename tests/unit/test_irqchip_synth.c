// SPDX-License-Identifier: GPL-2.0-only
/* link: irqchip/irqchip.c irqchip/route.c irqchip/lapic.c irqchip/lapic_deliver.c irqchip/lapic_timer.c irqchip/lapic_state.c irqchip/ioapic.c irqchip/pic.c irqchip/pit.c */
/* Synthetic interrupt sources: their routes and notifiers, automatic EOI, the synthetic MSRs. */
#include "irqchip_harness.h"

static struct kvm_irq_routing_entry sint(u32 gsi, u32 vp, u32 nr)
{
	struct kvm_irq_routing_entry e = { .gsi = gsi, .type = KVM_IRQ_ROUTING_HV_SINT };

	e.u.hv_sint.vcpu = vp;
	e.u.hv_sint.sint = nr;
	return e;
}

static void test_route(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct kvm_irq_routing_entry e[] = { sint(40, 7, 2), sint(41, 1023, 15) };

	assert_int_equal(irq_routing_set(vm, e, 2), 0);
	assert_int_equal(irq_set(vm, 0, 40, 1), 1);
	assert_int_equal(vm->last_vp, 7);
	assert_int_equal(vm->last_sint, 2);
	assert_int_equal(irq_set(vm, 0, 40, 0), -1); /* only the rise counts */
	assert_int_equal(vm->sints_raised, 1);
	assert_int_equal(irq_set(vm, 0, 41, 1), 1);
	assert_int_equal(vm->last_sint, 15);
	assert_false(route_gsi_has_pin(vm->ic, 40, 0, 2));
	free_vm(vm);
}

static void test_bad_routes(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct kvm_irq_routing_entry e[] = { sint(40, 0, 16) };
	struct kvm_irq_routing_entry two[] = { sint(40, 0, 1), sint(40, 0, 2) };

	assert_int_equal(irq_routing_set(vm, e, 1), -EINVAL);
	e[0] = sint(40, 1024, 1);
	assert_int_equal(irq_routing_set(vm, e, 1), -EINVAL);
	assert_int_equal(irq_routing_set(vm, two, 2), -EINVAL); /* one source for a GSI */
	free_vm(vm);
}

static unsigned int acks;

static void on_ack(struct irq_ack_notifier *n)
{
	acks++;
}

static void test_ack(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct kvm_irq_routing_entry e[] = { sint(40, 0, 2), sint(41, 0, 3) };
	struct irq_ack_notifier n = { .gsi = 41, .acked = on_ack };

	acks = 0;
	irq_ack_sint(vm, 0, 3); /* nobody listens */
	assert_int_equal(irq_routing_set(vm, e, 2), 0);
	irq_ack_register(vm, &n);
	irq_ack_sint(vm, 0, 2);
	irq_ack_sint(vm, 1, 3);
	assert_int_equal(acks, 0);
	irq_ack_sint(vm, 0, 3);
	assert_int_equal(acks, 1);
	irq_ack_unregister(vm, &n);
	free_vm(vm);
}

static void test_auto_eoi(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct vcpu *v = vm->v[0];
	struct lapic_synth lines = {};

	__set_bit(0x51, lines.vectors);
	__set_bit(0x51, lines.auto_eoi);
	__set_bit(0x52, lines.vectors);
	lapic_set_synth(v, &lines);

	assert_int_equal(lapic_raise(v, 0x51), 1);
	assert_int_equal(lapic_raise(v, 0x51), 0); /* coalesced */
	assert_int_equal(take(v), 0x51);
	assert_int_equal(apic_in(v, APIC_ISR + 0x20), 0);
	assert_int_equal(lapic_raise(v, 0x41), 1);
	assert_int_equal(take(v), 0x41); /* not held back */
	assert_int_equal(lapic_raise(v, 0x31), 1);
	assert_int_equal(take(v), -1); /* 0x41 has no automatic EOI */
	eoi(v);
	assert_int_equal(v->synth_eois, 0);
	assert_int_equal(take(v), 0x31);
	eoi(v);

	assert_int_equal(lapic_raise(v, 0x52), 1);
	assert_int_equal(take(v), 0x52);
	assert_int_equal(v->synth_eois, 0);
	eoi(v);
	assert_int_equal(v->synth_eois, 1);
	assert_int_equal(v->synth_vector, 0x52);
	free_vm(vm);
}

/* An EOI that somebody waits for may not be skipped. */
static void test_no_pv_eoi(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct vcpu *v = vm->v[0];
	struct lapic_synth lines = {};

	__set_bit(0x52, lines.vectors);
	lapic_set_synth(v, &lines);
	assert_int_equal(lapic_set_pv_eoi(v, 0x101), 0);
	lapic_raise(v, 0x52);
	assert_int_equal(take(v), 0x52);
	lapic_arm_pv_eoi(v);
	assert_false(lapic_pv_eoi_armed(v));
	eoi(v);
	lapic_raise(v, 0x53);
	assert_int_equal(take(v), 0x53);
	lapic_arm_pv_eoi(v);
	assert_true(lapic_pv_eoi_armed(v));
	eoi(v);
	free_vm(vm);
}

static void test_raise_needs_apic(void **state)
{
	struct vm *vm = new_vm(1, true);

	apic_out(vm->v[0], APIC_SPIV, 0xff);
	assert_int_equal(lapic_raise(vm->v[0], 0x50), -1);
	free_vm(vm);
}

static void test_registers(void **state)
{
	struct vm *vm = new_vm(2, true);
	struct vcpu *v = vm->v[0];
	u64 val;

	assert_int_equal(lapic_reg_write(v, APIC_TASKPRI, 0x30), 0);
	assert_int_equal(apic_in(v, APIC_TASKPRI), 0x30);
	assert_int_equal(lapic_reg_read(v, APIC_TASKPRI, &val), 0);
	assert_int_equal(val, 0x30);
	assert_int_equal(lapic_reg_write(v, APIC_TASKPRI, 0), 0);

	/* To the processor with ID 1, in both modes. */
	assert_int_equal(lapic_reg_write(v, APIC_ICR, 1ull << 56 | 0x61), 0);
	assert_int_equal(take(vm->v[1]), 0x61);
	assert_int_equal(lapic_reg_read(v, APIC_ICR, &val), 0);
	assert_true(val == (1ull << 56 | 0x61));
	assert_int_equal(lapic_reg_write(vm->v[1], APIC_EOI, 1), 0);
	assert_int_equal(apic_in(vm->v[1], APIC_ISR + 0x30), 0);
	go_x2apic(v);
	assert_int_equal(lapic_reg_write(v, APIC_ICR, 1ull << 32 | 0x62), 0);
	assert_int_equal(take(vm->v[1]), 0x62);

	assert_int_equal(lapic_reg_read(v, APIC_EOI, &val), 1);
	free_vm(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_route),	  cmocka_unit_test(test_bad_routes),
		cmocka_unit_test(test_ack),	  cmocka_unit_test(test_auto_eoi),
		cmocka_unit_test(test_no_pv_eoi), cmocka_unit_test(test_raise_needs_apic),
		cmocka_unit_test(test_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
