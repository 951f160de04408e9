// SPDX-License-Identifier: GPL-2.0
/*
 * Notes in the trace buffer which of some functions are entered, by the name that is told
 * with each. Code in Rust has no place at which the kernel's own tracers could, and where
 * there is none, tracefs lets nobody put a probe.
 *
 *   echo 'SYMBOL NAME' >/proc/runix_entered        one function more
 *   echo PID >/sys/module/runix_entered/parameters/pid   whose calls are noted
 */

#include <linux/instruction_pointer.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/trace_printk.h>
#include <linux/uaccess.h>

struct entered {
	struct kprobe probe;
	struct list_head list;
	char *name;
	char symbol[];
};

static LIST_HEAD(probes);
static DEFINE_MUTEX(probes_lock);

static int pid;
module_param(pid, int, 0600);
MODULE_PARM_DESC(pid, "whose calls are noted");

static int note(struct kprobe *probe, struct pt_regs *regs)
{
	struct entered *entered = container_of(probe, struct entered, probe);

	if (current->tgid == READ_ONCE(pid))
		__trace_puts(_THIS_IP_, entered->name);
	return 0;
}

static ssize_t add(struct file *file, const char __user *text, size_t len, loff_t *off)
{
	struct entered *entered;
	int error = -EINVAL;

	if (len > PAGE_SIZE)
		return -EINVAL;
	entered = kzalloc(sizeof(*entered) + len + 1, GFP_KERNEL);
	if (!entered)
		return -ENOMEM;
	if (copy_from_user(entered->symbol, text, len)) {
		kfree(entered);
		return -EFAULT;
	}
	strim(entered->symbol);
	entered->name = strchr(entered->symbol, ' ');
	if (entered->name) {
		*entered->name++ = '\0';
		entered->probe.symbol_name = entered->symbol;
		entered->probe.pre_handler = note;
		error = register_kprobe(&entered->probe);
	}
	if (error) {
		kfree(entered);
		return error;
	}
	mutex_lock(&probes_lock);
	list_add(&entered->list, &probes);
	mutex_unlock(&probes_lock);
	return len;
}

static const struct proc_ops ops = { .proc_write = add };

static int __init entered_init(void)
{
	return proc_create("runix_entered", 0200, NULL, &ops) ? 0 : -ENOMEM;
}

static void __exit entered_exit(void)
{
	struct entered *entered, *next;

	remove_proc_entry("runix_entered", NULL);
	list_for_each_entry_safe(entered, next, &probes, list) {
		unregister_kprobe(&entered->probe);
		kfree(entered);
	}
}

module_init(entered_init);
module_exit(entered_exit);
MODULE_DESCRIPTION("notes which functions are entered, for make trace");
MODULE_LICENSE("GPL");
