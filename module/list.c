// SPDX-License-Identifier: GPL-2.0-only
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "list.h"

/* Write the next entry to user memory. Return: as @next of struct mbx_list, or -EFAULT. */
static int put_next(struct mbx_list *list, u64 *after, u8 __user *to)
{
	const size_t part = min(list->entry_size, list->known);
	int ret;

	ret = list->next(list->of, after, list->entry);
	if (ret <= 0)
		return ret;
	*(u32 *)list->entry = list->entry_size;
	if (copy_to_user(to, list->entry, part) || clear_user(to + part, list->entry_size - part))
		return -EFAULT;
	return 1;
}

/**
 * mbx_list_fill() - walk on until the array of the caller is full or the list ends
 * @list: the walk; @nr and @after move only when this succeeds
 *
 * Context: Process context, may sleep.
 * Return: 0; -EFAULT; -EINTR; or what @next says.
 */
int mbx_list_fill(struct mbx_list *list)
{
	u8 __user *to = u64_to_user_ptr(list->entries);
	u64 after = list->after;
	u32 nr = 0;
	int ret;

	while (nr < list->nr) {
		ret = put_next(list, &after, to);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		if (ret == -EAGAIN)
			continue;
		if (ret < 0)
			return ret;
		if (!ret)
			break;
		to += list->entry_size;
		nr++;
	}
	list->nr = nr;
	list->after = after;
	return 0;
}
