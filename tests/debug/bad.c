// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with one defect of each kind that the debug kernel detects; writing a name to the
 * parameter "do" commits it. It proves that the lab sees such a report: a detector that is
 * not there, or that the scan overlooks, makes tests/debug/detectors fail.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);
static int *volatile hidden;
static volatile int seven = 7, forty = 40;

static void use_after_free(void)
{
	hidden = kmalloc(64, GFP_KERNEL);
	kfree(hidden);
	hidden[1] = 1;
	hidden = NULL;
}

/* Beyond the end but in the same page: the page behind it is not mapped, and would be an oops. */
static void beyond_vmalloc(void)
{
	char *p = vmalloc(PAGE_SIZE / 2);

	hidden = (int *)p;
	if (p)
		pr_info("bad: %d\n", ((volatile char *)hidden)[PAGE_SIZE / 2 + 64]);
	hidden = NULL;
	vfree(p);
}

static void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void sleep_in_atomic(void)
{
	spin_lock(&spin);
	kfree(kmalloc(8, GFP_KERNEL));
	spin_unlock(&spin);
}

static void shift_too_far(void)
{
	pr_info("bad: %d\n", seven << forty);
}

static void array_index(void)
{
	static int table[4];
	int i = seven;

	table[i & 7] = 1;
	pr_info("bad: %d\n", table[i & 7]);
}

/* A timer without a function is one that has been shut down: mod_timer() would not start it. */
static void timer_expired(struct timer_list *unused)
{
}

static void free_live_timer(void)
{
	struct timer_list *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return;
	timer_setup(t, timer_expired, 0);
	mod_timer(t, jiffies + 3600 * HZ);
	/* The report comes before the memory goes, and repairs what it found. */
	kfree(t);
}

static int broken_list_thread(void *unused)
{
	LIST_HEAD(head);
	struct list_head a;

	list_add(&a, &head);
	head.next = &head;
	list_add(&a, &head);
	return 0;
}

/* The report is a BUG, which ends the thread. */
static void list_broken(void)
{
	if (!IS_ERR(kthread_run(broken_list_thread, NULL, "bad")))
		msleep(500);
}

static void rcu_unprotected(void)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "a reader outside its section");
}

static void rcu_stall(void)
{
	int i;

	preempt_disable();
	for (i = 0; i < 12000; i++)
		udelay(1000);
	preempt_enable();
}

static void leak(void)
{
	hidden = kmalloc(96, GFP_KERNEL);
	hidden = NULL;
}

static void page_leak(void)
{
	if (!alloc_page(GFP_KERNEL))
		pr_info("bad: no page to leak\n");
}

static const struct {
	const char *name;
	void (*commit)(void);
} defects[] = {
	{ "use-after-free", use_after_free },
	{ "beyond-vmalloc", beyond_vmalloc },
	{ "lock-order", lock_order },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "shift", shift_too_far },
	{ "index", array_index },
	{ "live-timer", free_live_timer },
	{ "list", list_broken },
	{ "rcu-reader", rcu_unprotected },
	{ "rcu-stall", rcu_stall },
	{ "leak", leak },
	{ "page-leak", page_leak },
};

static int set_do(const char *val, const struct kernel_param *kp)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(defects); i++) {
		if (sysfs_streq(val, defects[i].name)) {
			defects[i].commit();
			return 0;
		}
	}
	return -EINVAL;
}

static const struct kernel_param_ops do_ops = { .set = set_do };
module_param_cb(do, &do_ops, NULL, 0200);

static int __init bad_init(void)
{
	return 0;
}
module_init(bad_init);

static void __exit bad_exit(void)
{
}
module_exit(bad_exit);

MODULE_DESCRIPTION("Defects on demand");
MODULE_LICENSE("GPL");
