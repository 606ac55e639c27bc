// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtualization on and off: on every CPU with the first VM, off with the last, and
 * through CPU hotplug, suspend, reboot and crash.
 *
 * Called by vm_create() and vm_destroy() through hw/hw.h. Knows nothing of VMX or SVM.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/reboot.h>
#include <linux/sched.h>

#include "hw/hw.h"
#include "linux/compat.h"
#include "linux/parts.h"
#include "vcpu/vcpu.h"

#define OFFLINE_DRAIN_MS 20
#define REBOOT_DRAIN_MS	 200

static DEFINE_MUTEX(power_lock); /* users, hotplug_state, emergency; going_down is written */
static unsigned int users;
static enum cpuhp_state hotplug_state;
static bool emergency;
static bool going_down; /* the machine reboots: nothing is switched on any more */
static DEFINE_PER_CPU(bool, hw_on);

bool hw_on_this_cpu(void)
{
	return this_cpu_read(hw_on);
}

static int on_here(void)
{
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = hw->cpu_enable();
	if (!ret)
		this_cpu_write(hw_on, true);
	local_irq_restore(flags);
	return ret;
}

static void off_here(void *unused)
{
	unsigned long flags;

	local_irq_save(flags);
	if (this_cpu_read(hw_on)) {
		this_cpu_write(hw_on, false);
		hw->cpu_disable();
	}
	local_irq_restore(flags);
}

/* In a crash, on each CPU, possibly in an NMI. */
static void emergency_off(void)
{
	if (this_cpu_read(hw_on)) {
		this_cpu_write(hw_on, false);
		hw->cpu_disable();
	}
}

static int cpu_comes(unsigned int cpu)
{
	int ret;

	if (READ_ONCE(going_down))
		return 0;
	ret = on_here();
	if (ret == -EBUSY)
		pr_err("CPU %u: %s is set: another hypervisor%s is using it; stop its VMs first\n",
		       cpu, hw->in_use_flag,
		       dev_owns_kvm_node() ? "" : " (KVM, which has /dev/kvm?)");
	else if (ret)
		pr_err("CPU %u: cannot switch virtualization on (error %d)\n", cpu, ret);
	return ret;
}

/*
 * A CPU that goes offline is inactive already: the scheduler moves every thread away as soon
 * as it is switched to. Let it do so for the vCPU threads queued here; load_on_cpu() and the
 * need_resched() test before each entry deal with whichever still arrives later.
 */
static int cpu_goes(unsigned int cpu)
{
	if (!cpu_active(cpu))
		msleep(OFFLINE_DRAIN_MS);
	off_here(NULL);
	return 0;
}

/**
 * hw_power_get - one more VM: switch virtualization on if it is the first
 *
 * Return: 0, -EBUSY when another hypervisor owns a CPU, -ESHUTDOWN when the machine is about to
 * reboot, another error of the backend.
 */
int hw_power_get(void)
{
	int ret = 0;

	mutex_lock(&power_lock);
	if (going_down) {
		ret = -ESHUTDOWN;
	} else if (!users) {
		ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "virt/turtles:online", cpu_comes,
					cpu_goes);
		if (ret >= 0) {
			hotplug_state = ret;
			ret = 0;
			/* There is one such callback in the system; an idle KVM has it. */
			emergency = dev_owns_kvm_node();
			if (emergency)
				compat_register_emergency(emergency_off);
		}
	}
	if (!ret)
		users++;
	mutex_unlock(&power_lock);
	return ret;
}

void hw_power_put(void)
{
	mutex_lock(&power_lock);
	if (!--users) {
		if (emergency)
			compat_unregister_emergency(emergency_off);
		emergency = false;
		cpuhp_remove_state(hotplug_state);
	}
	mutex_unlock(&power_lock);
}

/* Suspend and resume of the last CPU, interrupts off; the others went through hotplug. */

static bool was_on;

static int syscore_suspend_off(SYSCORE_ARG)
{
	was_on = this_cpu_read(hw_on);
	off_here(NULL);
	tsc_host_suspends();
	return 0;
}

static void syscore_resume_on(SYSCORE_ARG)
{
	tsc_host_resumed();
	if (was_on && on_here())
		pr_err("virtualization did not come back after suspend: no VM can run\n");
}

static void kill_vm(struct vm *vm, void *unused)
{
	vm_request_all(vm, REQ_VM_DEAD);
}

static void find_loaded(struct vm *vm, void *found)
{
	unsigned int i;
	struct vcpu *v;

	vm_for_each_vcpu(vm, i, v)
	{
		if (READ_ONCE(v->loaded))
			*(bool *)found = true;
	}
}

/*
 * Reboot and kexec: a CPU in VMX operation would not take the INIT of the next kernel, and SVM
 * left on would look like another hypervisor to it. A notifier and not a syscore operation,
 * because kernels before 6.9 do not call these on the way to kexec.
 */
static int reboot_off(struct notifier_block *nb, unsigned long action, void *unused)
{
	unsigned int ms;

	mutex_lock(&power_lock);
	WRITE_ONCE(going_down, true);
	mutex_unlock(&power_lock);
	vm_for_each(kill_vm, NULL);
	for (ms = 0; ms < REBOOT_DRAIN_MS; ms++) {
		bool loaded = false;

		vm_for_each(find_loaded, &loaded);
		if (!loaded)
			break;
		msleep(1);
	}
	on_each_cpu(off_here, NULL, 1);
	return NOTIFY_OK;
}

static struct notifier_block reboot_notifier = { .notifier_call = reboot_off };

COMPAT_SYSCORE(turtles_syscore, .suspend = syscore_suspend_off, .resume = syscore_resume_on, );

void power_init(void)
{
	compat_register_syscore(&turtles_syscore);
	register_reboot_notifier(&reboot_notifier);
}

void power_exit(void)
{
	unregister_reboot_notifier(&reboot_notifier);
	compat_unregister_syscore(&turtles_syscore);
}
