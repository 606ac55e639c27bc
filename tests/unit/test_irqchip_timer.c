// SPDX-License-Identifier: GPL-2.0-only
/* link: irqchip/irqchip.c irqchip/route.c irqchip/lapic.c irqchip/lapic_deliver.c irqchip/lapic_timer.c irqchip/lapic_state.c irqchip/ioapic.c irqchip/pic.c irqchip/pit.c */
/* The local APIC's timer in its three modes. */
#include "irqchip_harness.h"

#define VEC 0xec

static struct vcpu *start(struct vm **vm)
{
	*vm = new_vm(1, false);
	return (*vm)->v[0];
}

static void test_one_shot(void **state)
{
	struct vm *vm;
	struct vcpu *v = start(&vm);

	apic_out(v, APIC_TDCR, APIC_TDR_DIV_1);
	apic_out(v, APIC_LVTT, VEC);
	apic_out(v, APIC_TMICT, 1000);
	assert_int_equal(apic_in(v, APIC_TMICT), 1000);
	assert_int_equal(apic_in(v, APIC_TMCCT), 1000);
	advance(400);
	assert_int_equal(apic_in(v, APIC_TMCCT), 600);
	assert_int_equal(take(v), -1);
	v->events = 0;
	advance(600);
	assert_true(lapic_has_pending_timer(v));
	assert_int_equal(v->events, 1);
	assert_int_equal(take(v), VEC);
	assert_false(lapic_has_pending_timer(v));
	eoi(v);
	assert_int_equal(apic_in(v, APIC_TMCCT), 0);
	advance(10000);
	assert_int_equal(take(v), -1);
	/* Count 0 stops it. */
	apic_out(v, APIC_TMICT, 1000);
	apic_out(v, APIC_TMICT, 0);
	assert_int_equal(armed_timers(), 0);
	free_vm(vm);
}

static void test_divide(void **state)
{
	static const struct {
		u32 tdcr, divide;
	} t[] = { { 0, 2 },  { 1, 4 },	{ 2, 8 },     { 3, 16 },
		  { 8, 32 }, { 9, 64 }, { 0xa, 128 }, { 0xb, 1 } };
	struct vm *vm;
	struct vcpu *v = start(&vm);
	unsigned int i;

	apic_out(v, APIC_LVTT, VEC);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		apic_out(v, APIC_TDCR, t[i].tdcr);
		apic_out(v, APIC_TMICT, 100);
		advance(100 * t[i].divide - 1);
		assert_int_equal(take(v), -1);
		advance(1);
		assert_int_equal(take(v), VEC);
		eoi(v);
	}
	/* Changed while counting: the count stays, its speed changes. */
	apic_out(v, APIC_TDCR, 0xb);
	apic_out(v, APIC_TMICT, 1000);
	advance(500);
	apic_out(v, APIC_TDCR, 0);
	assert_int_equal(apic_in(v, APIC_TMCCT), 500);
	advance(999);
	assert_int_equal(take(v), -1);
	advance(1);
	assert_int_equal(take(v), VEC);
	free_vm(vm);
}

static void test_periodic(void **state)
{
	struct vm *vm;
	struct vcpu *v = start(&vm);
	int i;

	apic_out(v, APIC_TDCR, APIC_TDR_DIV_1);
	apic_out(v, APIC_LVTT, VEC | APIC_LVT_TIMER_PERIODIC);
	apic_out(v, APIC_TMICT, 1000000);
	for (i = 0; i < 5; i++) {
		advance(999999);
		assert_int_equal(take(v), -1);
		advance(1);
		assert_int_equal(take(v), VEC);
		eoi(v);
		assert_int_equal(apic_in(v, APIC_TMCCT), 1000000);
	}
	/* Masked: it runs on without interrupts. */
	apic_out(v, APIC_LVTT, VEC | APIC_LVT_TIMER_PERIODIC | APIC_LVT_MASKED);
	advance(1000000);
	assert_int_equal(take(v), -1);
	assert_int_equal(armed_timers(), 1);
	/* To one-shot: the running period is the last. */
	apic_out(v, APIC_LVTT, VEC);
	advance(1000000);
	assert_int_equal(take(v), VEC);
	eoi(v);
	advance(5000000);
	assert_int_equal(take(v), -1);
	free_vm(vm);
}

/* A guest cannot make the host serve a timer every nanosecond. */
static void test_period_is_limited(void **state)
{
	struct vm *vm;
	struct vcpu *v = start(&vm);

	apic_out(v, APIC_TDCR, APIC_TDR_DIV_1);
	apic_out(v, APIC_LVTT, VEC | APIC_LVT_TIMER_PERIODIC);
	apic_out(v, APIC_TMICT, 1);
	v->events = 0;
	advance(10000000);
	assert_true(v->events <= 1);
	assert_true(apic_in(v, APIC_TMCCT) <= 1);
	free_vm(vm);
}

static void deadline_mode(struct vcpu *v)
{
	apic_out(v, APIC_LVTT, VEC | APIC_LVT_TIMER_TSCDEADLINE);
}

static void test_deadline(void **state)
{
	struct vm *vm;
	struct vcpu *v = start(&vm);
	u64 val;

	deadline_mode(v);
	assert_int_equal(lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, env_guest_tsc(v) + 2000), 0);
	assert_int_equal(lapic_msr_read(v, MSR_IA32_TSC_DEADLINE, &val), 0);
	assert_int_equal(val, env_guest_tsc(v) + 2000);
	assert_int_equal(apic_in(v, APIC_TMCCT), 0);
	advance(999);
	assert_int_equal(take(v), -1);
	advance(1);
	assert_int_equal(take(v), VEC);
	eoi(v);
	assert_int_equal(lapic_get_tsc_deadline(v), 0); /* disarmed by firing */
	/* Due already: at once, without a timer. */
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, 1);
	assert_int_equal(armed_timers(), 0);
	assert_int_equal(take(v), VEC);
	eoi(v);
	assert_int_equal(lapic_get_tsc_deadline(v), 0);
	/* 0 disarms; centuries away neither fires nor wraps. */
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, env_guest_tsc(v) + 2000);
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, 0);
	assert_int_equal(armed_timers(), 0);
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, ~0ull);
	advance(1000000);
	assert_int_equal(take(v), -1);
	/* A new deadline replaces one that has fired but was not yet seen. */
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, env_guest_tsc(v) + 20);
	advance(10);
	assert_true(lapic_has_pending_timer(v));
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, env_guest_tsc(v) + 2000);
	assert_int_equal(take(v), -1);
	free_vm(vm);
}

static void test_deadline_mode_changes(void **state)
{
	struct vm *vm;
	struct vcpu *v = start(&vm);

	/* Leaving the mode disarms. */
	deadline_mode(v);
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, env_guest_tsc(v) + 2000);
	apic_out(v, APIC_LVTT, VEC);
	assert_int_equal(armed_timers(), 0);
	assert_int_equal(lapic_get_tsc_deadline(v), 0);
	/* TMICT does nothing in the mode. */
	deadline_mode(v);
	apic_out(v, APIC_TMICT, 1000);
	assert_int_equal(armed_timers(), 0);
	/* Masked: fires without an interrupt. */
	apic_out(v, APIC_LVTT, VEC | APIC_LVT_TIMER_TSCDEADLINE | APIC_LVT_MASKED);
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, env_guest_tsc(v) + 2000);
	advance(1000);
	assert_int_equal(take(v), -1);
	assert_int_equal(lapic_get_tsc_deadline(v), 0);
	/* Without the CPUID bit there is no such MSR and no such mode. */
	v->tsc_deadline = false;
	assert_int_equal(lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, 1), 1);
	deadline_mode(v);
	assert_int_equal(apic_in(v, APIC_LVTT), VEC);
	free_vm(vm);
}

static void test_rearm(void **state)
{
	struct vm *vm;
	struct vcpu *v = start(&vm);

	deadline_mode(v);
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, env_guest_tsc(v) + 1000000);
	tsc_per_ns = 4; /* the guest's TSC has jumped past the deadline */
	lapic_rearm_timer(v);
	tsc_per_ns = 2;
	assert_int_equal(take(v), VEC);
	free_vm(vm);
}

/* User space restores the MSR first and the LVT later, or the other way round. */
static void test_restore_order(void **state)
{
	struct vm *vm;
	struct vcpu *v = start(&vm);
	struct kvm_lapic_state s;
	u64 deadline;

	deadline_mode(v);
	deadline = env_guest_tsc(v) + 2000;
	lapic_get_state(v, &s);
	lapic_reset(v, false);
	lapic_set_tsc_deadline(v, deadline);
	assert_int_equal(armed_timers(), 0);
	lapic_set_state(v, &s);
	assert_int_equal(lapic_get_tsc_deadline(v), deadline);
	advance(1000);
	assert_int_equal(take(v), VEC);
	free_vm(vm);
}

/* The deadline passes between the two reads of user space: either tells of the interrupt. */
static void test_save_order(void **state)
{
	struct vm *vm;
	struct vcpu *v = start(&vm);
	struct kvm_lapic_state s;
	u64 deadline, val;

	deadline_mode(v);
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, env_guest_tsc(v) + 2000);
	lapic_get_state(v, &s);
	advance(1000);
	deadline = lapic_get_tsc_deadline(v);
	assert_int_not_equal(deadline, 0);
	lapic_reset(v, false);
	lapic_set_state(v, &s);
	lapic_set_tsc_deadline(v, deadline);
	assert_int_equal(take(v), VEC);
	eoi(v);
	/* The guest itself sees it disarmed. */
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, env_guest_tsc(v) + 2000);
	advance(1000);
	assert_int_equal(lapic_msr_read(v, MSR_IA32_TSC_DEADLINE, &val), 0);
	assert_int_equal(val, 0);
	assert_int_equal(take(v), VEC);
	eoi(v);
	/* The other way round the interrupt is in the page. */
	lapic_msr_write(v, MSR_IA32_TSC_DEADLINE, env_guest_tsc(v) + 2000);
	deadline = lapic_get_tsc_deadline(v);
	advance(1000);
	lapic_get_state(v, &s);
	lapic_reset(v, false);
	lapic_set_tsc_deadline(v, deadline);
	lapic_set_state(v, &s);
	assert_int_equal(take(v), VEC);
	eoi(v);
	assert_int_equal(take(v), -1);
	free_vm(vm);
}

static void test_restore_counting(void **state)
{
	struct vm *vm;
	struct vcpu *v = start(&vm);
	struct kvm_lapic_state s;

	apic_out(v, APIC_TDCR, APIC_TDR_DIV_1);
	apic_out(v, APIC_LVTT, VEC | APIC_LVT_TIMER_PERIODIC);
	apic_out(v, APIC_TMICT, 1000000);
	advance(700000);
	lapic_get_state(v, &s);
	lapic_reset(v, false);
	assert_int_equal(armed_timers(), 0);
	lapic_set_state(v, &s);
	advance(299999);
	assert_int_equal(take(v), -1);
	advance(1);
	assert_int_equal(take(v), VEC);
	eoi(v);
	advance(1000000);
	assert_int_equal(take(v), VEC);
	free_vm(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_shot),   cmocka_unit_test(test_divide),
		cmocka_unit_test(test_periodic),   cmocka_unit_test(test_period_is_limited),
		cmocka_unit_test(test_deadline),   cmocka_unit_test(test_deadline_mode_changes),
		cmocka_unit_test(test_rearm),	   cmocka_unit_test(test_restore_order),
		cmocka_unit_test(test_save_order), cmocka_unit_test(test_restore_counting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
