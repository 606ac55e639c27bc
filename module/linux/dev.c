// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device nodes: /dev/turtles always, /dev/kvm when no other hypervisor has it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/miscdevice.h>
#include <linux/module.h>

#include "api/api.h"
#include "linux/parts.h"

static bool have_kvm_node;

static struct miscdevice turtles_node = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "turtles",
	.fops = &api_system_fops,
};

static struct miscdevice kvm_node = {
	.minor = KVM_MINOR,
	.name = "kvm",
	.fops = &api_system_fops,
};

bool dev_owns_kvm_node(void)
{
	return have_kvm_node;
}

int dev_init(void)
{
	int ret = misc_register(&turtles_node);

	if (ret) {
		pr_err("cannot create /dev/turtles (error %d)\n", ret);
		return ret;
	}
	ret = misc_register(&kvm_node);
	have_kvm_node = !ret;
	if (ret)
		pr_info("/dev/kvm belongs to another module (error %d): clients find us at /dev/turtles\n",
			ret);
	return 0;
}

void dev_exit(void)
{
	if (have_kvm_node)
		misc_deregister(&kvm_node);
	misc_deregister(&turtles_node);
}
