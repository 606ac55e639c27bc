// SPDX-License-Identifier: GPL-2.0-only
/*
 * turtles.ko comes up and goes down: every step of turtles_init() has its exact reverse in
 * turtles_exit(). Virtualization itself stays off until the first VM (power.c), so that the
 * module can be loaded beside an idle KVM.
 *
 * Unloading with VMs alive is refused by the kernel: each open fd holds the module.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpufeature.h>
#include <linux/module.h>
#include <linux/preempt.h>

#include "api/api.h"
#include "hw/hw.h"
#include "linux/parts.h"
#include "vcpu/vcpu.h"

static struct hw_ops *pick_backend(void)
{
	if (boot_cpu_has(X86_FEATURE_VMX))
		return &vmx_ops;
	if (boot_cpu_has(X86_FEATURE_SVM))
		return &svm_ops;
	return NULL;
}

static int __init turtles_init(void)
{
	int ret;

	hw = pick_backend();
	if (!hw) {
		pr_err("this CPU offers neither Intel VMX nor AMD SVM (or the firmware has it off)\n");
		return -EOPNOTSUPP;
	}
	ret = hw->hardware_setup();
	if (ret) {
		pr_err("%s: the processor cannot run guests (error %d)\n", hw->name, ret);
		return ret;
	}
	ret = irqfd_module_init();
	if (ret)
		goto err_hw;
	fpu_supported_xcr0();
	/*
	 * Patches the scheduler's code. Once per load and not once per VM: it interrupts every
	 * CPU, and emulators have been seen to run the old code for ever.
	 */
	preempt_notifier_inc();
	debugfs_init();
	power_init();
	ret = dev_init();
	if (ret)
		goto err_power;
	pr_info("ready on %s%s\n", hw->name,
		hw->nested_caps ? ", with nested VMX" : ", without nested VMX");
	return 0;

err_power:
	power_exit();
	debugfs_exit();
	preempt_notifier_dec();
	irqfd_module_exit();
err_hw:
	hw->hardware_unsetup();
	return ret;
}

static void __exit turtles_exit(void)
{
	dev_exit();
	power_exit();
	debugfs_exit();
	preempt_notifier_dec();
	irqfd_module_exit();
	hw->hardware_unsetup();
}

module_init(turtles_init);
module_exit(turtles_exit);

MODULE_DESCRIPTION("Turtles: a hypervisor for nested virtualization, with the KVM API");
MODULE_LICENSE("GPL");
