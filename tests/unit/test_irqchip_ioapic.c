// SPDX-License-Identifier: GPL-2.0-only
/* link: irqchip/irqchip.c irqchip/route.c irqchip/lapic.c irqchip/lapic_deliver.c irqchip/lapic_timer.c irqchip/lapic_state.c irqchip/ioapic.c irqchip/pic.c irqchip/pit.c */
/* IOAPIC: registers, edge and level pins, EOI, notifiers, state. */
#include "irqchip_harness.h"

#define LEVEL  BIT(15)
#define REMOTE BIT(14)
#define MASKED BIT(16)

static void set_pin(struct vm *vm, int pin, u32 low, u8 dest)
{
	ioapic_out(vm, 0x10 + 2 * pin, MASKED);
	ioapic_out(vm, 0x11 + 2 * pin, (u32)dest << 24);
	ioapic_out(vm, 0x10 + 2 * pin, low);
}

static int line(struct vm *vm, int gsi, int level)
{
	return irq_set(vm, IRQ_SOURCE_USER, gsi, level);
}

static void test_registers(void **state)
{
	struct vm *vm = new_vm(1, true);
	u64 qword = 0;

	assert_int_equal(ioapic_in(vm, 1), 0x170011);
	ioapic_out(vm, 0, 0xffffffff);
	assert_int_equal(ioapic_in(vm, 0), 0x0f000000);
	assert_int_equal(ioapic_in(vm, 2), 0x0f000000);
	assert_int_equal(ioapic_in(vm, 0x10), MASKED);
	ioapic_out(vm, 0x10, 0xffffffff);
	ioapic_out(vm, 0x11, 0xffffffff);
	assert_int_equal(ioapic_in(vm, 0x10), 0x1afff); /* without status and remote IRR */
	assert_int_equal(ioapic_in(vm, 0x11), 0xff000000);
	/* Beyond the last pin; other registers; other offsets and sizes. */
	ioapic_out(vm, 0x40, 0xffffffff);
	assert_int_equal(ioapic_in(vm, 0x40), 0xffffffff);
	assert_int_equal(ioapic_in(vm, 0x05), 0xffffffff);
	bus_out(vm, BUS_MMIO, 0xfec00004, 0x11, 4);
	bus_out(vm, BUS_MMIO, 0xfec00020, 0x11, 4);
	assert_int_equal(bus_in(vm, BUS_MMIO, 0xfec00000, 4), 0x05);
	assert_int_equal(bus_in(vm, BUS_MMIO, 0xfec00020, 4), 0);
	bus_out(vm, BUS_MMIO, 0xfec00000, 0x12, 1);
	assert_int_equal(bus_in(vm, BUS_MMIO, 0xfec00000, 1), 0x12);
	bus_out(vm, BUS_MMIO, 0xfec00010, 0, 1); /* the window wants 32 bits */
	assert_int_equal(ioapic_in(vm, 0x12), MASKED);
	assert_int_equal(find_dev(vm, BUS_MMIO, 0xfec00000)
				 ->ops->read(vm->v[0], find_dev(vm, BUS_MMIO, 0xfec00000),
					     0xfec00010, 8, &qword),
			 0);
	assert_int_equal(qword, MASKED);
	free_vm(vm);
}

static void test_edge(void **state)
{
	struct vm *vm = new_vm(2, true);

	assert_int_equal(line(vm, 20, 1), -1); /* masked */
	line(vm, 20, 0);
	set_pin(vm, 20, 0x51, 1);
	assert_int_equal(line(vm, 20, 1), 1);
	assert_int_equal(take(vm->v[1]), 0x51);
	assert_int_equal(line(vm, 20, 1), 0); /* no new edge */
	assert_int_equal(line(vm, 20, 0), 1);
	assert_int_equal(line(vm, 20, 1), 1); /* pending again behind itself */
	line(vm, 20, 0);
	assert_int_equal(line(vm, 20, 1), 0); /* coalesced in the IRR */
	line(vm, 20, 0);
	eoi(vm->v[1]);
	assert_int_equal(take(vm->v[1]), 0x51);
	eoi(vm->v[1]);
	assert_int_equal(take(vm->v[1]), -1);
	free_vm(vm);
}

static void test_level(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct vcpu *v = vm->v[0];

	set_pin(vm, 20, 0x52 | LEVEL, 0);
	assert_int_equal(line(vm, 20, 1), 1);
	assert_int_equal(ioapic_in(vm, 0x10 + 40), 0x52 | LEVEL | REMOTE);
	assert_int_equal(line(vm, 20, 1), 0); /* in service */
	assert_int_equal(take(v), 0x52);
	assert_int_equal(take(v), -1);
	eoi(v); /* the line is still up: again */
	assert_int_equal(take(v), 0x52);
	line(vm, 20, 0);
	eoi(v);
	assert_int_equal(take(v), -1);
	assert_int_equal(ioapic_in(vm, 0x10 + 40), 0x52 | LEVEL);
	/* Masked while in service: nothing comes again; unmasked: it does. */
	line(vm, 20, 1);
	assert_int_equal(take(v), 0x52);
	ioapic_out(vm, 0x10 + 40, 0x52 | LEVEL | MASKED);
	eoi(v);
	assert_int_equal(take(v), -1);
	ioapic_out(vm, 0x10 + 40, 0x52 | LEVEL);
	assert_int_equal(take(v), 0x52);
	/* Software without an EOI register flips to edge and back. */
	ioapic_out(vm, 0x10 + 40, 0x52 | MASKED);
	assert_int_equal(ioapic_in(vm, 0x10 + 40) & REMOTE, 0);
	free_vm(vm);
}

static void test_level_without_target(void **state)
{
	struct vm *vm = new_vm(1, true);

	set_pin(vm, 20, 0x52 | LEVEL, 5);
	assert_int_equal(line(vm, 20, 1), -1);
	assert_int_equal(ioapic_in(vm, 0x10 + 40) & REMOTE, 0);
	ioapic_out(vm, 0x11 + 40, 0); /* now there is one */
	assert_int_equal(take(vm->v[0]), 0x52);
	free_vm(vm);
}

static void test_sources_are_ored(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct vcpu *v = vm->v[0];

	set_pin(vm, 20, 0x52 | LEVEL, 0);
	irq_set(vm, IRQ_SOURCE_USER, 20, 1);
	irq_set(vm, IRQ_SOURCE_RESAMPLE, 20, 1);
	assert_int_equal(take(v), 0x52);
	irq_set(vm, IRQ_SOURCE_USER, 20, 0);
	eoi(v);
	assert_int_equal(take(v), 0x52);
	irq_set(vm, IRQ_SOURCE_RESAMPLE, 20, 0);
	eoi(v);
	assert_int_equal(take(v), -1);
	free_vm(vm);
}

static void test_delivery_modes(void **state)
{
	struct vm *vm = new_vm(2, true);

	set_pin(vm, 20, 0x400, 1); /* NMI */
	assert_int_equal(line(vm, 20, 1), 1);
	assert_int_equal(vm->v[1]->nmis, 1);
	set_pin(vm, 21, 0x500, 1); /* INIT */
	line(vm, 21, 1);
	assert_int_equal(vm->v[1]->inits, 1);
	set_pin(vm, 22, 0x400 | LEVEL, 1); /* a level NMI has no EOI to wait for */
	line(vm, 22, 1);
	assert_int_equal(ioapic_in(vm, 0x10 + 44) & REMOTE, 0);
	apic_out(vm->v[0], APIC_LDR, 0x01000000);
	apic_out(vm->v[1], APIC_LDR, 0x02000000);
	set_pin(vm, 23, 0x61 | 0x900, 3); /* lowest priority, logical */
	assert_int_equal(line(vm, 23, 1), 1);
	assert_int_equal((take(vm->v[0]) == 0x61) + (take(vm->v[1]) == 0x61), 1);
	free_vm(vm);
}

/* A line that nobody ever lowers gets a pause after many rounds. */
static void test_storm(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct vcpu *v = vm->v[0];
	int rounds;

	set_pin(vm, 20, 0x52 | LEVEL, 0);
	line(vm, 20, 1);
	for (rounds = 0; take(v) == 0x52; rounds++) {
		assert_true(rounds < 20000);
		eoi(v);
	}
	assert_true(rounds >= 1000);
	advance(10000000);
	assert_int_equal(take(v), 0x52);
	free_vm(vm);
}

struct test_notifier {
	struct irq_ack_notifier n;
	struct vm *vm;
	unsigned int calls;
	bool lower;
};

static void on_ack(struct irq_ack_notifier *n)
{
	struct test_notifier *t = container_of(n, struct test_notifier, n);

	t->calls++;
	if (t->lower)
		irq_set(t->vm, IRQ_SOURCE_RESAMPLE, n->gsi, 0);
}

static void test_notifiers(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct vcpu *v = vm->v[0];
	struct test_notifier level = { .n = { .gsi = 20, .acked = on_ack },
				       .vm = vm,
				       .lower = true };
	struct test_notifier edge = { .n = { .gsi = 21, .acked = on_ack }, .vm = vm };

	irq_ack_register(vm, &level.n);
	set_pin(vm, 20, 0x52 | LEVEL, 0);
	set_pin(vm, 21, 0x53, 0);
	irq_ack_register(vm, &edge.n); /* after the pin was programmed */
	irq_set(vm, IRQ_SOURCE_RESAMPLE, 20, 1);
	assert_int_equal(take(v), 0x52);
	assert_int_equal(level.calls, 0);
	eoi(v);
	assert_int_equal(level.calls, 1);
	assert_int_equal(take(v), -1); /* the notifier has lowered it */
	line(vm, 21, 1);
	assert_int_equal(take(v), 0x53);
	eoi(v);
	assert_int_equal(edge.calls, 1);
	assert_int_equal(level.calls, 1);
	/* Moved to another vector. */
	line(vm, 21, 0);
	set_pin(vm, 21, 0x63, 0);
	line(vm, 21, 1);
	assert_int_equal(take(v), 0x63);
	eoi(v);
	assert_int_equal(edge.calls, 2);
	irq_ack_unregister(vm, &edge.n);
	line(vm, 21, 0);
	line(vm, 21, 1);
	assert_int_equal(take(v), 0x63);
	eoi(v);
	assert_int_equal(edge.calls, 2);
	irq_ack_unregister(vm, &level.n);
	free_vm(vm);
}

static void test_state(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct vcpu *v = vm->v[0];
	struct kvm_irqchip a = { .chip_id = KVM_IRQCHIP_IOAPIC }, b = a;

	set_pin(vm, 20, 0x52 | LEVEL, 0);
	set_pin(vm, 21, 0x53, 0);
	line(vm, 20, 1);
	line(vm, 21, 1);
	assert_int_equal(take(v), 0x53);
	assert_int_equal(take(v), -1);
	assert_int_equal(irqchip_get_state(vm, &a), 0);
	assert_int_equal(a.chip.ioapic.base_address, 0xfec00000);
	assert_int_equal(a.chip.ioapic.irr, 1u << 20); /* the edge was sent */
	assert_int_equal(a.chip.ioapic.redirtbl[20].bits, 0x52 | LEVEL | REMOTE);
	assert_int_equal(irqchip_set_state(vm, &a), 0);
	assert_int_equal(irqchip_get_state(vm, &b), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	eoi(v);
	assert_int_equal(take(v), 0x52);
	line(vm, 20, 0);
	eoi(v);
	assert_int_equal(take(v), -1);
	/* A level that had not been delivered is, on restore. */
	a.chip.ioapic.redirtbl[20].bits = 0x52 | LEVEL;
	assert_int_equal(irqchip_set_state(vm, &a), 0);
	assert_int_equal(take(v), 0x52);
	a.chip_id = 3;
	assert_int_equal(irqchip_get_state(vm, &a), -EINVAL);
	assert_int_equal(irqchip_set_state(vm, &a), -EINVAL);
	/* Garbage. */
	a.chip_id = KVM_IRQCHIP_IOAPIC;
	memset(&a.chip, 0xff, sizeof(a.chip));
	assert_int_equal(irqchip_set_state(vm, &a), 0);
	assert_int_equal(ioapic_in(vm, 0x10), 0x1ffff);
	assert_int_equal(ioapic_in(vm, 0x11), 0xff000000);
	assert_int_equal(ioapic_in(vm, 0), 0x0f000000);
	free_vm(vm);
}

static void test_no_chip(void **state)
{
	struct vm vm = {};
	struct kvm_irqchip s = {};

	assert_int_equal(irq_set(&vm, 0, 1, 1), -ENXIO);
	assert_int_equal(irqchip_get_state(&vm, &s), -ENXIO);
	assert_int_equal(irqchip_set_state(&vm, &s), -ENXIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_edge),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_level_without_target),
		cmocka_unit_test(test_sources_are_ored),
		cmocka_unit_test(test_delivery_modes),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_notifiers),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_no_chip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
