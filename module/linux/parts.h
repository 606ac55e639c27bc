/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pieces of the module that main.c builds up and takes down, each with its reverse.
 */
#ifndef TURTLES_LINUX_PARTS_H
#define TURTLES_LINUX_PARTS_H

#include <linux/types.h>

/* dev.c: /dev/turtles, and /dev/kvm when it is free */
int dev_init(void);
void dev_exit(void);
bool dev_owns_kvm_node(void);

/* power.c: suspend, resume and reboot; the rest of it is in hw/hw.h */
void power_init(void);
void power_exit(void);

/* debugfs.c: /sys/kernel/debug/turtles */
void debugfs_init(void);
void debugfs_exit(void);

#endif /* TURTLES_LINUX_PARTS_H */
