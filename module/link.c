// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "directory.h"
#include "domain.h"
#include "inbox.h"
#include "link.h"
#include "mailbox.h"
#include "notify.h"
#include "peer.h"
#include "share.h"

static struct rhashtable links;

static const struct rhashtable_params table_params = {
	.head_offset = offsetof(struct mbx_link, node),
	.key_offset = offsetof(struct mbx_link, key),
	.key_len = sizeof(struct mbx_link_key),
	.automatic_shrinking = true,
};

static struct mbx_link_key key_of(const struct mbx_domain *domain, const struct pid *one,
				  const struct pid *other)
{
	return (struct mbx_link_key){
		.directory = &domain->directory,
		.processes = { min(one, other), max(one, other) },
	};
}

/* That of the current process. */
static struct mbx_link_side *own_side(struct mbx_link *link)
{
	return &link->sides[link->key.processes[1] == task_tgid(current)];
}

/**
 * mbx_link_may_signal() - may the current process send a signal to another?
 * @process: the other
 *
 * The rule of kill(2): real or effective user against real or saved user, or CAP_KILL over
 * the user namespace of the other.
 *
 * Return: 0; -EPERM; -ESRCH.
 */
int mbx_link_may_signal(struct pid *process)
{
	const struct cred *own = current_cred(), *other;
	struct task_struct *task;
	int ret = -ESRCH;

	rcu_read_lock();
	task = pid_task(process, PIDTYPE_TGID);
	if (task) {
		other = __task_cred(task);
		ret = uid_eq(own->euid, other->suid) || uid_eq(own->euid, other->uid) ||
				      uid_eq(own->uid, other->suid) ||
				      uid_eq(own->uid, other->uid) ||
				      ns_capable(other->user_ns, CAP_KILL) ?
			      0 :
			      -EPERM;
	}
	rcu_read_unlock();
	return ret;
}

/* By its own word, if there is any, the other has the inbox @to. */
static int may_begin(struct pid *process, const struct mbx_inbox *to)
{
	switch (to ? READ_ONCE(to->who) : MAILBOX_ALLOW_SIGNAL) {
	case MAILBOX_ALLOW_ANYBODY:
		return 0;
	case MAILBOX_ALLOW_NOBODY:
		return -EPERM;
	default:
		return mbx_link_may_signal(process);
	}
}

/* Who has spoken to us may be answered. */
static int may_send(const struct mbx_link_side *side)
{
	const struct mbx_link_side *other = mbx_link_other(side);

	if (atomic64_read(&other->sent))
		return 0;
	return may_begin(other->inbox->process, other->inbox);
}

static struct mbx_link *lookup(const struct mbx_link_key *key)
{
	return rhashtable_lookup(&links, key, table_params);
}

/**
 * mbx_link_put() - give a reference back
 * @link: the link
 *
 * Context: Process context, may sleep.
 */
void mbx_link_put(struct mbx_link *link)
{
	int i;

	if (!refcount_dec_and_test(&link->refs))
		return;
	for (i = 0; i < ARRAY_SIZE(link->sides); i++)
		if (link->sides[i].share)
			mbx_box_share_put(link->sides[!i].inbox->box, link->sides[i].share);
	for (i = 0; i < ARRAY_SIZE(link->sides); i++)
		mbx_inbox_put(link->sides[i].inbox);
	mbx_charge_drop(&link->charge);
	kfree_rcu(link, rcu);
}

/* Charged to the caller. */
static struct mbx_link *link_new(void)
{
	struct mbx_link *link;
	int ret;

	link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);
	if (!link)
		return ERR_PTR(-ENOMEM);
	ret = mbx_charge_take_own(&link->charge, sizeof(*link));
	if (ret) {
		kfree(link);
		return ERR_PTR(ret);
	}
	refcount_set(&link->refs, 1);
	return link;
}

/* Between two inboxes, whose references it takes. */
static struct mbx_link *link_make_locked(const struct mbx_link_key *key, struct mbx_inbox *own,
					 struct mbx_inbox *other)
{
	const bool first = key->processes[0] == own->process;
	struct mbx_link *link = link_new();
	int i;

	if (IS_ERR(link))
		return link;
	link->key = *key;
	link->sides[!first].inbox = own;
	link->sides[first].inbox = other;
	if (rhashtable_insert_fast(&links, &link->node, table_params)) {
		mbx_charge_drop(&link->charge);
		kfree(link);
		return ERR_PTR(-ENOMEM);
	}
	for (i = 0; i < ARRAY_SIZE(link->sides); i++) {
		struct mbx_link_side *side = &link->sides[i];

		side->link = link;
		list_add_tail(&side->others, &side->inbox->links);
		WRITE_ONCE(side->inbox->users, side->inbox->users + 1);
	}
	return link;
}

/* One of the two processes has. */
static void tell_ended(struct mbx_inbox *inbox)
{
	spin_lock(&inbox->box->lock);
	inbox->ended++;
	mbx_box_wake_all_pollers_locked(inbox->box, MBX_POLL_ENDED);
	spin_unlock(&inbox->box->lock);
}

/**
 * mbx_link_remove_locked() - end a link
 * @link: one that is not gone, the directory lock held
 * @idle: where inboxes are put that nobody uses any more, for mbx_inbox_bury()
 */
void mbx_link_remove_locked(struct mbx_link *link, struct list_head *idle)
{
	struct mbx_directory *directory = &link->sides[0].inbox->domain->directory;
	int i;

	lockdep_assert_held(&directory->lock);
	link->gone = true;
	rhashtable_remove_fast(&links, &link->node, table_params);
	if (link->established)
		rb_erase(&link->by_number, &directory->links);
	for (i = 0; i < ARRAY_SIZE(link->sides); i++) {
		struct mbx_inbox *inbox = link->sides[i].inbox;

		if (link->established)
			tell_ended(inbox);
		list_del(&link->sides[i].others);
		WRITE_ONCE(inbox->users, inbox->users - 1);
		mbx_inbox_tidy_locked(inbox, idle);
	}
	mbx_link_put(link);
}

/* Both inboxes and the link itself, what is missing of them. */
static struct mbx_link *make_locked(struct mbx_domain *domain, struct pid *process,
				    const struct mbx_link_key *key)
{
	struct mbx_inbox *own, *other;
	struct mbx_link *link;
	LIST_HEAD(idle);

	own = mbx_inbox_get_locked(domain, task_tgid(current));
	if (IS_ERR(own))
		return ERR_CAST(own);
	other = mbx_inbox_get_locked(domain, process);
	link = IS_ERR(other) ? ERR_CAST(other) : link_make_locked(key, own, other);
	if (!IS_ERR(link))
		return link;
	if (!IS_ERR(other)) {
		mbx_inbox_tidy_locked(other, &idle);
		mbx_inbox_put(other);
	}
	mbx_inbox_tidy_locked(own, &idle);
	mbx_inbox_put(own);
	mbx_inbox_bury(&idle);
	return link;
}

/* May the current process be the first to speak? */
static int check_begin(struct mbx_domain *domain, struct pid *process)
{
	struct mbx_inbox *to = mbx_inbox_find(domain, process);
	int ret = may_begin(process, to);

	if (to)
		mbx_inbox_put(to);
	return ret;
}

static struct mbx_link_side *begin_first(struct mbx_domain *domain, struct pid *process,
					 const struct mbx_link_key *key)
{
	struct mbx_directory *directory = &domain->directory;
	struct mbx_link *link;
	int ret = 0;

	mutex_lock(&directory->lock);
	rcu_read_lock();
	link = lookup(key);
	rcu_read_unlock();
	/* Under the lock it stays. */
	ret = link ? may_send(own_side(link)) : check_begin(domain, process);
	if (!ret && !link)
		link = make_locked(domain, process, key);
	if (ret)
		link = ERR_PTR(ret);
	if (!IS_ERR(link)) {
		link->sends++;
		refcount_inc(&link->refs);
		atomic64_inc(&own_side(link)->sent);
	}
	mutex_unlock(&directory->lock);
	return IS_ERR(link) ? ERR_CAST(link) : own_side(link);
}

/**
 * mbx_link_begin() - the link to another process, for one message
 * @domain: where
 * @process: the other process
 * @first: for mbx_link_end()
 *
 * The message counts as sent from now on: it may be answered before we are back.
 *
 * Context: Process context, may sleep.
 * Return: the side of the current process, for mbx_link_end(); or ERR_PTR: -EPERM; -ESRCH;
 * -EIDRM; -EDQUOT; -ENOMEM.
 */
struct mbx_link_side *mbx_link_begin(struct mbx_domain *domain, struct pid *process, bool *first)
{
	const struct mbx_link_key key = key_of(domain, task_tgid(current), process);
	struct mbx_link_side *side;
	struct mbx_share *share;
	struct mbx_link *link;
	int ret;

	/* Also where its inbox has not yet been told. */
	if (mbx_peer_has_ended(process))
		return ERR_PTR(-ESRCH);
	rcu_read_lock();
	link = lookup(&key);
	if (link) {
		/* Pairs with smp_store_release() in keep_share_locked(): established before. */
		share = smp_load_acquire(&own_side(link)->share);
		if (!share || !refcount_inc_not_zero(&link->refs))
			link = NULL;
	}
	rcu_read_unlock();
	*first = !link;
	if (unlikely(!link))
		return begin_first(domain, process, &key);
	side = own_side(link);
	ret = may_send(side);
	if (ret) {
		mbx_link_put(link);
		return ERR_PTR(ret);
	}
	atomic64_inc(&side->sent);
	return side;
}

static void number_locked(struct mbx_link *link, struct mbx_directory *directory)
{
	struct rb_node **place = &directory->links.rb_node, *parent = NULL;

	link->number = ++directory->last_number;
	link->created = ktime_get_ns();
	while (*place) {
		parent = *place;
		place = &parent->rb_right;
	}
	rb_link_node(&link->by_number, parent, place);
	rb_insert_color(&link->by_number, &directory->links);
	link->established = true;
}

/* Pins a share, so that later messages of this user need not look it up. */
static void keep_share_locked(struct mbx_link_side *side)
{
	struct mbx_share *share;
	struct mbx_user *user;

	user = mbx_user_get(current_euid());
	if (IS_ERR(user))
		return;
	share = mbx_box_share_get(mbx_link_other(side)->inbox->box, user);
	mbx_user_put(user);
	if (IS_ERR(share))
		return;
	/* Pairs with smp_load_acquire() in mbx_link_begin(). */
	smp_store_release(&side->share, share);
}

static void end_first(struct mbx_link_side *side, bool sent)
{
	struct mbx_directory *directory = &side->inbox->domain->directory;
	struct mbx_link *link = side->link;
	LIST_HEAD(idle);

	mutex_lock(&directory->lock);
	link->sends--;
	if (!link->gone) {
		if (sent && !link->established)
			number_locked(link, directory);
		if (sent && !side->share)
			keep_share_locked(side);
		if (!link->established && !link->sends)
			mbx_link_remove_locked(link, &idle);
	}
	mutex_unlock(&directory->lock);
	mbx_inbox_bury(&idle);
}

/**
 * mbx_link_end() - undo mbx_link_begin()
 * @side: what it returned
 * @first: what it said
 * @sent: the message was sent
 *
 * Context: Process context, may sleep.
 */
void mbx_link_end(struct mbx_link_side *side, bool first, bool sent)
{
	if (!sent)
		atomic64_dec(&side->sent);
	if (unlikely(first))
		end_first(side, sent);
	mbx_link_put(side->link);
}

/**
 * mbx_link_next_locked() - walk over the links of a domain
 * @directory: of the domain, its lock held
 * @after: number of the one before, 0 to begin
 * Return: the next that has carried a message, or NULL.
 */
struct mbx_link *mbx_link_next_locked(struct mbx_directory *directory, u64 after)
{
	struct mbx_link *at = rb_entry_safe(directory->links.rb_node, struct mbx_link, by_number);
	struct mbx_link *found = NULL;

	lockdep_assert_held(&directory->lock);
	while (at) {
		const bool later = at->number > after;

		if (later)
			found = at;
		at = rb_entry_safe(later ? at->by_number.rb_left : at->by_number.rb_right,
				   struct mbx_link, by_number);
	}
	return found;
}

/**
 * mbx_links_init() - before the first link
 * Return: 0 or a negative errno.
 */
int mbx_links_init(void)
{
	return rhashtable_init(&links, &table_params);
}

/**
 * mbx_links_fini() - after the last link
 */
void mbx_links_fini(void)
{
	rhashtable_destroy(&links);
}
