// SPDX-License-Identifier: GPL-2.0-only
/* link: irqchip/irqchip.c irqchip/route.c irqchip/lapic.c irqchip/lapic_deliver.c irqchip/lapic_timer.c irqchip/lapic_state.c irqchip/ioapic.c irqchip/pic.c irqchip/pit.c */
/* The 8254: access modes, counting modes, latches, reinjection, speaker port, state. */
#include "irqchip_harness.h"

#define HZ 1193182ull

static struct vm *pit_vm(u32 flags)
{
	struct vm *vm = new_vm(1, true);

	assert_int_equal(pit_create(vm, flags), 0);
	/* GSI 0 through the IOAPIC, as QEMU routes it by default: pin 0 here. */
	outb(vm, 0x21, 0xff);
	ioapic_out(vm, 0x11, 0);
	ioapic_out(vm, 0x10, 0x30);
	return vm;
}

/* The smallest time after which @n ticks have passed. */
static u64 ticks(u64 n)
{
	return (n * 1000000000ull + HZ - 1) / HZ;
}

static void program(struct vm *vm, int nr, int mode, int bcd, u16 count)
{
	outb(vm, 0x43, nr << 6 | 3 << 4 | mode << 1 | bcd);
	outb(vm, 0x40 + nr, count);
	outb(vm, 0x40 + nr, count >> 8);
}

static u16 latched(struct vm *vm, int nr)
{
	u16 val;

	outb(vm, 0x43, nr << 6);
	val = inb(vm, 0x40 + nr);
	return val | inb(vm, 0x40 + nr) << 8;
}

static u8 status(struct vm *vm, int nr)
{
	outb(vm, 0x43, 0xe0 | 2 << nr);
	return inb(vm, 0x40 + nr);
}

static void test_create(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct vm *full;

	assert_int_equal(pit_create(vm, 0), -ENXIO);
	assert_int_equal(irqchip_create_split(vm, 24, &vm->ic), 0);
	assert_int_equal(pit_create(vm, 0), -ENXIO);
	free_vm(vm);
	full = pit_vm(0);
	assert_int_equal(pit_create(full, 0), -EEXIST);
	assert_int_equal(pit_create(full, 2), -EINVAL);
	assert_null(find_dev(full, BUS_PIO, 0x61));
	free_vm(full);
}

static void test_mode0(void **state)
{
	struct vm *vm = pit_vm(0);
	struct vcpu *v = vm->v[0];

	program(vm, 0, 0, 0, 1000);
	assert_int_equal(latched(vm, 0), 1000);
	assert_int_equal(status(vm, 0), 0x30);
	advance(ticks(400));
	assert_int_equal(latched(vm, 0), 600);
	assert_int_equal(take(v), -1);
	advance(ticks(600));
	assert_int_equal(take(v), 0x30);
	eoi(v);
	assert_int_equal(status(vm, 0), 0xb0);
	advance(ticks(100000));
	assert_int_equal(take(v), -1); /* once */
	free_vm(vm);
}

static void test_mode2_and_3(void **state)
{
	struct vm *vm = pit_vm(0);
	struct vcpu *v = vm->v[0];
	int mode, i;

	for (mode = 2; mode <= 3; mode++) {
		program(vm, 0, mode, 0, 10000);
		for (i = 0; i < 3; i++) {
			advance(ticks(10000));
			assert_int_equal(take(v), 0x30);
			eoi(v);
			assert_int_equal(take(v), -1);
		}
	}
	program(vm, 2, 2, 0, 1000);
	advance(ticks(300));
	assert_int_equal(latched(vm, 2), 700);
	advance(ticks(1000));
	assert_in_range(latched(vm, 2), 698, 700);
	assert_int_equal(status(vm, 2) & 0x80, 0x80);
	program(vm, 2, 3, 0, 1000);
	advance(ticks(300));
	assert_int_equal(latched(vm, 2), 400); /* by two */
	assert_int_equal(status(vm, 2) & 0x80, 0x80);
	advance(ticks(300));
	assert_int_equal(status(vm, 2) & 0x80, 0);
	/* Modes 6 and 7 are 2 and 3. */
	outb(vm, 0x43, 0xbc);
	assert_int_equal(status(vm, 2) & 0xe, 4);
	outb(vm, 0x43, 0xbe);
	assert_int_equal(status(vm, 2) & 0xe, 6);
	free_vm(vm);
}

static void test_mode1_4_5(void **state)
{
	struct vm *vm = pit_vm(KVM_PIT_SPEAKER_DUMMY);
	struct vcpu *v = vm->v[0];

	/* Counter 0 never sees a gate edge: no interrupt in modes 1 and 5. */
	program(vm, 0, 1, 0, 1000);
	advance(ticks(2000));
	program(vm, 0, 5, 0, 1000);
	advance(ticks(2000));
	assert_int_equal(take(v), -1);
	program(vm, 0, 4, 0, 1000);
	advance(ticks(1000));
	assert_int_equal(take(v), 0x30);
	/* Mode 1 on counter 2: OUT low for the count after a gate edge. */
	outb(vm, 0x61, 0);
	program(vm, 2, 1, 0, 1000);
	outb(vm, 0x61, 1);
	assert_int_equal(inb(vm, 0x61) & 0x21, 1);
	advance(ticks(1000));
	assert_int_equal(inb(vm, 0x61) & 0x21, 0x21);
	outb(vm, 0x61, 0);
	outb(vm, 0x61, 1);
	assert_int_equal(inb(vm, 0x61) & 0x20, 0);
	free_vm(vm);
}

static void test_access_modes(void **state)
{
	struct vm *vm = pit_vm(0);
	u16 val;

	outb(vm, 0x43, 0x90 | 4); /* LSB only */
	outb(vm, 0x42, 200);
	assert_int_equal(inb(vm, 0x42), 200);
	assert_int_equal(inb(vm, 0x42), 200);
	outb(vm, 0x43, 0xa0 | 4); /* MSB only */
	outb(vm, 0x42, 3);
	assert_int_equal(inb(vm, 0x42), 3);
	program(vm, 2, 2, 0, 0x1234);
	val = inb(vm, 0x42);
	val |= inb(vm, 0x42) << 8;
	assert_int_equal(val, 0x1234);
	assert_int_equal(inb(vm, 0x43), 0); /* the control word cannot be read */
	program(vm, 2, 2, 0, 0);	    /* 0 = 65536 */
	advance(ticks(1));
	assert_int_equal(latched(vm, 2), 0xffff);
	free_vm(vm);
}

static void test_latches(void **state)
{
	struct vm *vm = pit_vm(0);

	program(vm, 2, 2, 0, 1000);
	advance(ticks(100));
	outb(vm, 0x43, 0x80);
	advance(ticks(100));
	outb(vm, 0x43, 0x80); /* the first latch holds until read */
	assert_int_equal(inb(vm, 0x42), 900 & 0xff);
	assert_int_equal(inb(vm, 0x42), 900 >> 8);
	/* Read-back of status and count: status comes first. */
	outb(vm, 0x43, 0xc0 | 8);
	assert_int_equal(inb(vm, 0x42), 0xb4);
	assert_int_equal(inb(vm, 0x42), 800 & 0xff);
	assert_int_equal(inb(vm, 0x42), 800 >> 8);
	/* Null count until a count is written. */
	outb(vm, 0x43, 0xb4);
	assert_int_equal(status(vm, 2) & 0x40, 0x40);
	outb(vm, 0x42, 1);
	outb(vm, 0x42, 1);
	assert_int_equal(status(vm, 2) & 0x40, 0);
	free_vm(vm);
}

static void test_bcd(void **state)
{
	struct vm *vm = pit_vm(0);

	program(vm, 2, 2, 1, 0x1000);
	advance(ticks(1));
	assert_int_equal(latched(vm, 2), 0x0999);
	program(vm, 2, 0, 1, 0); /* 10000 */
	advance(ticks(1));
	assert_int_equal(latched(vm, 2), 0x9999);
	free_vm(vm);
}

static void test_reinject(void **state)
{
	struct vm *vm = pit_vm(0);
	struct vcpu *v = vm->v[0];
	struct kvm_reinject_control c = { .pit_reinject = 0 };
	int i;

	program(vm, 0, 2, 0, 10000);
	advance(ticks(50000)); /* five ticks, none taken yet */
	for (i = 0; i < 5; i++) {
		assert_int_equal(take(v), 0x30);
		eoi(v);
	}
	assert_int_equal(take(v), -1);
	assert_int_equal(pit_reinject(vm, &c), 0);
	advance(ticks(50000));
	assert_int_equal(take(v), 0x30);
	eoi(v);
	assert_int_equal(take(v), -1); /* the others are lost */
	/* Masked: ticks do not pile up. */
	c.pit_reinject = 1;
	assert_int_equal(pit_reinject(vm, &c), 0);
	outb(vm, 0x21, 0xff);
	ioapic_out(vm, 0x10, 0x10030);
	advance(ticks(50000));
	ioapic_out(vm, 0x10, 0x30);
	assert_int_equal(take(v), -1);
	advance(ticks(10000));
	assert_int_equal(take(v), 0x30);
	eoi(v);
	assert_int_equal(take(v), -1);
	free_vm(vm);
}

/* The same through the PIC, acknowledged by its EOI. */
static void test_reinject_pic(void **state)
{
	struct vm *vm = pit_vm(0);
	struct vcpu *v = vm->v[0];
	int i;

	ioapic_out(vm, 0x10, 0x10000);
	apic_out(v, APIC_LVT0, 0x700);
	outb(vm, 0x20, 0x11);
	outb(vm, 0x21, 0x08);
	outb(vm, 0x21, 0x04);
	outb(vm, 0x21, 0x01);
	outb(vm, 0x21, 0xfe);
	program(vm, 0, 2, 0, 10000);
	advance(ticks(30000));
	for (i = 0; i < 3; i++) {
		assert_int_equal(take(v), 0x08);
		outb(vm, 0x20, 0x20);
	}
	assert_int_equal(take(v), -1);
	free_vm(vm);
}

static void test_short_period_is_limited(void **state)
{
	struct vm *vm = pit_vm(0);
	struct vcpu *v = vm->v[0];
	int n = 0;

	program(vm, 0, 2, 0, 1);
	advance(10000000);
	while (take(v) == 0x30) {
		eoi(v);
		assert_true(++n <= 50);
	}
	free_vm(vm);
}

static void test_speaker(void **state)
{
	struct vm *vm = pit_vm(KVM_PIT_SPEAKER_DUMMY);
	struct kvm_pit_state2 s;
	u8 a, b;

	outb(vm, 0x61, 3);
	assert_int_equal(inb(vm, 0x61) & 3, 3);
	a = inb(vm, 0x61) & 0x10;
	advance(15085);
	b = inb(vm, 0x61) & 0x10;
	assert_int_not_equal(a, b); /* the refresh bit */
	assert_int_equal(pit_get_state(vm, &s), 0);
	assert_int_equal(s.flags, 2);
	assert_int_equal(s.channels[2].gate, 1);
	outb(vm, 0x61, 0);
	assert_int_equal(inb(vm, 0x61) & 3, 0);
	free_vm(vm);
}

static void test_state(void **state)
{
	struct vm *vm = pit_vm(0);
	struct vcpu *v = vm->v[0];
	struct kvm_pit_state2 s, t;
	u64 seed = 3;
	int i, j;

	program(vm, 0, 2, 0, 10000);
	program(vm, 2, 3, 0, 777);
	assert_int_equal(pit_get_state(vm, &s), 0);
	assert_int_equal(s.channels[0].count, 10000);
	assert_int_equal(s.channels[0].mode, 2);
	assert_int_equal(s.channels[0].rw_mode, 3);
	assert_int_equal(s.channels[2].count, 777);
	program(vm, 0, 0, 0, 1);
	advance(1000000);
	take(v);
	eoi(v);
	assert_int_equal(pit_set_state(vm, &s), 0);
	assert_int_equal(pit_get_state(vm, &t), 0);
	t.channels[0].count_load_time = s.channels[0].count_load_time;
	t.channels[1].count_load_time = s.channels[1].count_load_time;
	t.channels[2].count_load_time = s.channels[2].count_load_time;
	assert_memory_equal(&s, &t, sizeof(s));
	advance(ticks(10000));
	assert_int_equal(take(v), 0x30);
	eoi(v);
	/* The HPET has taken over GSI 0, and gives it back. */
	s.flags = KVM_PIT_FLAGS_HPET_LEGACY;
	assert_int_equal(pit_set_state(vm, &s), 0);
	assert_int_equal(armed_timers(), 0);
	s.flags = 0;
	assert_int_equal(pit_set_state(vm, &s), 0);
	assert_int_equal(armed_timers(), 1);
	/* Garbage. */
	for (i = 0; i < 1000; i++) {
		for (j = 0; j < (int)sizeof(s); j++)
			((u8 *)&s)[j] = unit_rand(&seed);
		assert_int_equal(pit_set_state(vm, &s), 0);
		advance(unit_rand(&seed) % 1000000);
		for (j = 0; j < 12; j++)
			outb(vm, 0x40 + (unit_rand(&seed) & 3), unit_rand(&seed));
		for (j = 0; j < 6; j++)
			inb(vm, 0x40 + j % 3);
		take(v);
		eoi(v);
	}
	free_vm(vm);
}

/* What nobody has programmed does not tick, on the other side of a migration neither. */
static void test_state_unused(void **state)
{
	struct vm *vm = pit_vm(0);
	struct vcpu *v = vm->v[0];
	struct kvm_pit_state2 s;

	assert_int_equal(pit_get_state(vm, &s), 0);
	assert_int_equal(s.channels[0].mode, 0xff);
	assert_int_equal(pit_set_state(vm, &s), 0);
	assert_int_equal(armed_timers(), 0);
	advance(ticks(0x20000));
	assert_int_equal(take(v), -1);
	assert_int_equal(pit_get_state(vm, &s), 0);
	assert_int_equal(s.channels[0].mode, 0xff);
	/* The first control word puts it to use. */
	program(vm, 0, 2, 0, 1000);
	assert_int_equal(pit_get_state(vm, &s), 0);
	assert_int_equal(s.channels[0].mode, 2);
	assert_int_equal(pit_set_state(vm, &s), 0);
	advance(ticks(1000));
	assert_int_equal(take(v), 0x30);
	free_vm(vm);
}

static void test_no_pit(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct kvm_pit_state2 s = {};
	struct kvm_reinject_control c = {};

	assert_int_equal(pit_get_state(vm, &s), -ENXIO);
	assert_int_equal(pit_set_state(vm, &s), -ENXIO);
	assert_int_equal(pit_reinject(vm, &c), -ENXIO);
	free_vm(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),	     cmocka_unit_test(test_mode0),
		cmocka_unit_test(test_mode2_and_3),  cmocka_unit_test(test_mode1_4_5),
		cmocka_unit_test(test_access_modes), cmocka_unit_test(test_latches),
		cmocka_unit_test(test_bcd),	     cmocka_unit_test(test_reinject),
		cmocka_unit_test(test_reinject_pic), cmocka_unit_test(test_short_period_is_limited),
		cmocka_unit_test(test_speaker),	     cmocka_unit_test(test_state),
		cmocka_unit_test(test_state_unused), cmocka_unit_test(test_no_pit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
