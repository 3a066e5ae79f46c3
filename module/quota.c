// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <uapi/linux/mailbox.h>

#include "quota.h"

static uint max_message_size = 1024 * 1024;
module_param(max_message_size, uint, 0644);
MODULE_PARM_DESC(max_message_size, "Bytes one message may have (at most 16 MiB)");

static ulong max_mailboxes_per_user = 16384;
module_param(max_mailboxes_per_user, ulong, 0644);
MODULE_PARM_DESC(max_mailboxes_per_user, "Mailboxes one user may own");

static ulong max_messages_per_user = 1024 * 1024;
module_param(max_messages_per_user, ulong, 0644);
MODULE_PARM_DESC(max_messages_per_user, "Messages one user may have queued");

static ulong max_bytes_per_user = 128 * 1024 * 1024;
module_param(max_bytes_per_user, ulong, 0644);
MODULE_PARM_DESC(max_bytes_per_user,
		 "Bytes of memory the messages, regions and lanes of one user may take");

/* Guards the table below and the step of a user's references from one to none. */
static DEFINE_SPINLOCK(users_lock);
static struct rb_root users = RB_ROOT;

static int user_cmp(const void *key, const struct rb_node *node)
{
	const kuid_t *uid = key;
	kuid_t other = rb_entry(node, struct mbx_user, node)->uid;

	return uid_eq(*uid, other) ? 0 : uid_lt(*uid, other) ? -1 : 1;
}

static int user_cmp_nodes(struct rb_node *new, const struct rb_node *node)
{
	return user_cmp(&rb_entry(new, struct mbx_user, node)->uid, node);
}

/**
 * mbx_user_get() - the quota of a user
 * @uid: the user
 *
 * The first one to ask makes it, the last one to put it ends it.
 *
 * Context: Process context, may sleep.
 * Return: the user with a reference, or ERR_PTR(-ENOMEM).
 */
struct mbx_user *mbx_user_get(kuid_t uid)
{
	struct mbx_user *user, *new;
	struct rb_node *node;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return ERR_PTR(-ENOMEM);
	new->uid = uid;
	refcount_set(&new->refs, 1);

	spin_lock(&users_lock);
	node = rb_find_add(&new->node, &users, user_cmp_nodes);
	user = rb_entry_safe(node, struct mbx_user, node);
	if (user)
		refcount_inc(&user->refs);
	spin_unlock(&users_lock);

	if (!user)
		return new;
	kfree(new);
	return user;
}

/**
 * mbx_user_put() - give a reference back
 * @user: the user, or NULL
 *
 * Context: Any but interrupts; does not sleep.
 */
void mbx_user_put(struct mbx_user *user)
{
	bool last;

	if (!user || refcount_dec_not_one(&user->refs))
		return;
	/* Under the lock, or somebody may be about to find it. */
	spin_lock(&users_lock);
	last = refcount_dec_and_test(&user->refs);
	if (last)
		rb_erase(&user->node, &users);
	spin_unlock(&users_lock);
	if (last)
		kfree(user);
}

static bool counter_add(atomic_long_t *counter, long by, unsigned long max)
{
	long old;

	if (!by)
		return true;
	old = atomic_long_read(counter);
	do {
		if ((unsigned long)old + by > max)
			return false;
	} while (!atomic_long_try_cmpxchg(counter, &old, old + by));
	return true;
}

static bool add_all(struct mbx_user *user, const struct mbx_charge *amount,
		    const struct mbx_limits *max, unsigned long max_files)
{
	if (!counter_add(&user->mailboxes, amount->mailboxes, max->mailboxes))
		return false;
	if (!counter_add(&user->messages, amount->messages, max->messages))
		goto err_mailboxes;
	if (!counter_add(&user->bytes, amount->bytes, max->bytes))
		goto err_messages;
	if (counter_add(&user->files, amount->files, max_files))
		return true;
	atomic_long_sub(amount->bytes, &user->bytes);
err_messages:
	atomic_long_sub(amount->messages, &user->messages);
err_mailboxes:
	atomic_long_sub(amount->mailboxes, &user->mailboxes);
	return false;
}

/*
 * CAP_SYS_RESOURCE in the first user namespace exceeds quotas: any user can have
 * it in a namespace of its own, so there it must not count. Nor does it exceed the quota of
 * another: a caller, who keeps the answer for as long as it likes.
 */
static bool may_exceed(const struct mbx_user *user)
{
	/* Asked last, so that it leaves no trace where it is not needed. */
	return uid_eq(user->uid, current_euid()) && capable(CAP_SYS_RESOURCE);
}

static int charge_take(struct mbx_charge *charge, const struct mbx_charge amount)
{
	unsigned long max_files = amount.files ? rlimit(RLIMIT_NOFILE) : 0;
	struct mbx_limits max;

	mbx_limits_read(&max);
	if (!add_all(amount.user, &amount, &max, max_files)) {
		if (!may_exceed(amount.user))
			return -EDQUOT;
		max.mailboxes = LONG_MAX;
		max.messages = LONG_MAX;
		max.bytes = LONG_MAX;
		if (!add_all(amount.user, &amount, &max, LONG_MAX))
			return -EDQUOT;
	}
	refcount_inc(&amount.user->refs);
	*charge = amount;
	return 0;
}

/**
 * mbx_charge_take() - charge a user for all of it, or for nothing
 * @charge: filled in; hand it to mbx_charge_drop() to undo
 * @user: who pays
 * @mailboxes: mailboxes to charge
 * @messages: messages to charge
 * @bytes: bytes of kernel memory to charge
 *
 * Return: 0, or -EDQUOT.
 */
int mbx_charge_take(struct mbx_charge *charge, struct mbx_user *user, u8 mailboxes, u16 messages,
		    u32 bytes)
{
	return charge_take(charge, (struct mbx_charge){
					   .user = user,
					   .mailboxes = mailboxes,
					   .messages = messages,
					   .bytes = bytes,
				   });
}

/**
 * mbx_charge_take_own() - charge the current user for memory
 * @charge: filled in; hand it to mbx_charge_drop() to undo
 * @bytes: bytes of kernel memory to charge
 *
 * Context: Process context, may sleep.
 * Return: 0; -EDQUOT; -ENOMEM.
 */
int mbx_charge_take_own(struct mbx_charge *charge, u32 bytes)
{
	struct mbx_user *user = mbx_user_get(current_euid());
	int ret;

	if (IS_ERR(user))
		return PTR_ERR(user);
	ret = mbx_charge_take(charge, user, 0, 0, bytes);
	mbx_user_put(user);
	return ret;
}

/**
 * mbx_charge_take_files() - charge a user for files in flight, or for nothing
 * @charge: filled in; hand it to mbx_charge_drop() to undo
 * @user: who pays
 * @files: how many
 * @bytes: bytes of kernel memory to charge
 *
 * As many may be in flight as the process may have open, as with Unix sockets.
 *
 * Return: 0, or -EDQUOT.
 */
int mbx_charge_take_files(struct mbx_charge *charge, struct mbx_user *user, u8 files, u32 bytes)
{
	return charge_take(charge, (struct mbx_charge){
					   .user = user,
					   .files = files,
					   .bytes = bytes,
				   });
}

/**
 * mbx_charge_drop() - undo a charge
 * @charge: the charge; nothing happens when nothing is charged
 */
void mbx_charge_drop(struct mbx_charge *charge)
{
	struct mbx_user *user = charge->user;

	if (!user)
		return;
	atomic_long_sub(charge->mailboxes, &user->mailboxes);
	atomic_long_sub(charge->messages, &user->messages);
	atomic_long_sub(charge->bytes, &user->bytes);
	if (charge->files)
		atomic_long_sub(charge->files, &user->files);
	charge->user = NULL;
	mbx_user_put(user);
}

/**
 * mbx_bytes_take() - charge a user for bytes of a region, which may be very many
 * @user: who pays
 * @bytes: how many
 *
 * Return: 0, or -EDQUOT.
 */
int mbx_bytes_take(struct mbx_user *user, u64 bytes)
{
	struct mbx_limits max;

	mbx_limits_read(&max);
	if (bytes > LONG_MAX)
		return -EDQUOT;
	if (counter_add(&user->bytes, bytes, max.bytes))
		return 0;
	return may_exceed(user) && counter_add(&user->bytes, bytes, LONG_MAX) ? 0 : -EDQUOT;
}

/**
 * mbx_bytes_drop() - undo mbx_bytes_take()
 * @user: who has paid
 * @bytes: how many
 */
void mbx_bytes_drop(struct mbx_user *user, u64 bytes)
{
	atomic_long_sub(bytes, &user->bytes);
}

/**
 * mbx_keep_begin() - may one more mailbox keep many spent messages of a user?
 * @user: the user, who is charged for them
 *
 * All that may, and keep as much as they may, take up an eighth of the quota.
 *
 * Context: Any but interrupts; does not sleep.
 * Return: true if so, and then the user has one reference more.
 */
bool mbx_keep_begin(struct mbx_user *user)
{
	struct mbx_limits max;

	mbx_limits_read(&max);
	/* Half for what is kept, half for the spare, which may be as large. */
	if (!counter_add(&user->keeping, 1,
			 min(max.bytes / 8 / (2 * MBX_KEEP_BYTES), max.messages / 8 / MBX_KEEP_NR)))
		return false;
	refcount_inc(&user->refs);
	return true;
}

/**
 * mbx_keep_more() - may more of a user's spent messages be kept?
 * @user: the user, for whom a mailbox may keep many
 *
 * Not when limits were lowered below what there is: what is kept can be sent again.
 *
 * Return: true if so.
 */
bool mbx_keep_more(const struct mbx_user *user)
{
	struct mbx_limits max;

	mbx_limits_read(&max);
	return (unsigned long)atomic_long_read(&user->messages) <= max.messages &&
	       (unsigned long)atomic_long_read(&user->bytes) <= max.bytes;
}

/**
 * mbx_keep_end() - undo mbx_keep_begin()
 * @user: the user
 */
void mbx_keep_end(struct mbx_user *user)
{
	atomic_long_dec(&user->keeping);
	mbx_user_put(user);
}

/**
 * mbx_limits_read() - the limits in force
 * @limits: filled in
 */
void mbx_limits_read(struct mbx_limits *limits)
{
	/* Plain words that root may write at any time in /sys/module. */
	limits->message_size = min_t(uint, READ_ONCE(max_message_size), MAILBOX_MESSAGE_SIZE_MAX);
	limits->mailboxes = min_t(ulong, READ_ONCE(max_mailboxes_per_user), LONG_MAX);
	limits->messages = min_t(ulong, READ_ONCE(max_messages_per_user), LONG_MAX);
	limits->bytes = min_t(ulong, READ_ONCE(max_bytes_per_user), LONG_MAX);
}
