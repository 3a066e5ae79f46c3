// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "domain.h"
#include "mailbox.h"

/* What the module keeps in each network namespace. */
struct mbx_net {
	struct mbx_domain *domain;
};

static unsigned int mbx_net_id;

static_assert(sizeof(unsigned long) == sizeof(u64), "an xarray index holds an id");

static int name_cmp(const void *key, const struct rb_node *node)
{
	return strcmp(key, rb_entry(node, struct mbx_box, by_name)->name);
}

static int name_cmp_nodes(struct rb_node *new, const struct rb_node *node)
{
	return name_cmp(rb_entry(new, struct mbx_box, by_name)->name, node);
}

/**
 * mbx_domain_get() - take a reference
 * @domain: the domain
 * Return: the domain.
 */
struct mbx_domain *mbx_domain_get(struct mbx_domain *domain)
{
	refcount_inc(&domain->refs);
	return domain;
}

/**
 * mbx_domain_of_current() - the domain of the caller's network namespace
 * Return: the domain with a reference.
 */
struct mbx_domain *mbx_domain_of_current(void)
{
	struct mbx_net *mn = net_generic(current->nsproxy->net_ns, mbx_net_id);

	/* Our own nsproxy keeps the namespace, and that keeps its domain. */
	return mbx_domain_get(mn->domain);
}

/**
 * mbx_domain_put() - give a reference back
 * @domain: the domain
 */
void mbx_domain_put(struct mbx_domain *domain)
{
	if (!refcount_dec_and_test(&domain->refs))
		return;
	xa_destroy(&domain->boxes);
	kfree(domain);
}

/**
 * mbx_name_is_valid() - can a mailbox have this name?
 * @name: MAILBOX_NAME_SIZE bytes
 *
 * Names end up on terminals and in paths.
 *
 * Return: true if so, also for the empty one.
 */
bool mbx_name_is_valid(const char *name)
{
	size_t length = strnlen(name, MAILBOX_NAME_SIZE), i;

	for (i = 0; i < length; i++) {
		unsigned char c = name[i];

		if (c < ' ' || c == 0x7f || c == '/')
			return false;
	}
	return length < MAILBOX_NAME_SIZE;
}

/**
 * mbx_domain_reserve() - give a mailbox an id, and keep its name free for it
 * @domain: where it will be
 * @box: the new mailbox, its name set; takes a reference on the domain
 *
 * Nobody finds it before mbx_domain_publish().
 *
 * Return: 0; -EEXIST when there is such a name; -ENOMEM; -EIDRM when the domain has
 * ended.
 */
int mbx_domain_reserve(struct mbx_domain *domain, struct mbx_box *box)
{
	int ret = 0;

	mutex_lock(&domain->lock);
	if (domain->ended) {
		ret = -EIDRM;
		goto out;
	}
	if (box->name[0] && rb_find_add(&box->by_name, &domain->names, name_cmp_nodes)) {
		ret = -EEXIST;
		goto out;
	}
	ret = xa_reserve(&domain->boxes, domain->last_id + 1, GFP_KERNEL_ACCOUNT);
	if (ret) {
		if (box->name[0])
			rb_erase(&box->by_name, &domain->names);
		goto out;
	}
	box->id = ++domain->last_id;
	box->domain = mbx_domain_get(domain);
out:
	mutex_unlock(&domain->lock);
	return ret;
}

static void forget_locked(struct mbx_box *box)
{
	xa_erase(&box->domain->boxes, box->id);
	if (box->name[0])
		rb_erase(&box->by_name, &box->domain->names);
}

/**
 * mbx_domain_unreserve() - undo mbx_domain_reserve()
 * @domain: the domain
 * @box: the mailbox, not published
 */
void mbx_domain_unreserve(struct mbx_domain *domain, struct mbx_box *box)
{
	mutex_lock(&domain->lock);
	forget_locked(box);
	mutex_unlock(&domain->lock);
}

/**
 * mbx_domain_publish() - let everybody find a mailbox
 * @domain: the domain
 * @box: one with a reserved id; the domain takes over the caller's reference
 * Return: 0, or -EIDRM when the domain has ended meanwhile: then nothing happened.
 */
int mbx_domain_publish(struct mbx_domain *domain, struct mbx_box *box)
{
	int ret = 0;

	mutex_lock(&domain->lock);
	if (domain->ended) {
		ret = -EIDRM;
	} else {
		/* The place was reserved, so there is nothing to allocate. */
		xa_store(&domain->boxes, box->id, box, GFP_KERNEL);
		box->published = true;
	}
	mutex_unlock(&domain->lock);
	return ret;
}

/**
 * mbx_domain_remove_locked() - take a mailbox's id and name away
 * @box: the mailbox
 *
 * Context: The domain lock is held.
 * Return: true if this call did it: the caller then owns the domain's reference and
 * is to close the mailbox.
 */
bool mbx_domain_remove_locked(struct mbx_box *box)
{
	lockdep_assert_held(&box->domain->lock);
	if (!box->published)
		return false;
	box->published = false;
	forget_locked(box);
	return true;
}

/**
 * mbx_domain_remove() - mbx_domain_remove_locked() without the lock held
 * @box: the mailbox
 * Return: as there.
 */
bool mbx_domain_remove(struct mbx_box *box)
{
	bool removed;

	mutex_lock(&box->domain->lock);
	removed = mbx_domain_remove_locked(box);
	mutex_unlock(&box->domain->lock);
	return removed;
}

/**
 * mbx_domain_find_locked() - look a mailbox up
 * @domain: the domain
 * @id: its id, or 0
 * @name: its name, when @id is 0
 *
 * Context: The domain lock is held.
 * Return: the mailbox, without a reference, or NULL.
 */
struct mbx_box *mbx_domain_find_locked(struct mbx_domain *domain, u64 id, const char *name)
{
	struct mbx_box *box;

	lockdep_assert_held(&domain->lock);
	if (id)
		return xa_load(&domain->boxes, id);
	box = rb_entry_safe(rb_find(name, &domain->names, name_cmp), struct mbx_box, by_name);
	return box && box->published ? box : NULL;
}

/**
 * mbx_domain_may_rename_locked() - can a mailbox have this name from now on?
 * @box: the mailbox, published
 * @name: the name, perhaps empty, perhaps the one that it has
 *
 * Context: The domain lock is held, and the answer holds for as long.
 * Return: 0; -EEXIST when another has it, published or not; -ENOENT when there is none to be
 * taken away.
 */
int mbx_domain_may_rename_locked(const struct mbx_box *box, const char *name)
{
	struct rb_node *node;

	lockdep_assert_held(&box->domain->lock);
	if (!name[0])
		return box->name[0] ? 0 : -ENOENT;
	node = rb_find(name, &box->domain->names, name_cmp);
	return node && node != &box->by_name ? -EEXIST : 0;
}

/**
 * mbx_domain_rename_locked() - give a mailbox another name
 * @box: the mailbox, published
 * @name: one that mbx_domain_may_rename_locked() allows; the old one afterwards
 *
 * Context: The domain lock is held: nobody finds it by both names, or by none.
 */
void mbx_domain_rename_locked(struct mbx_box *box, char **name)
{
	struct rb_root *names = &box->domain->names;

	lockdep_assert_held(&box->domain->lock);
	if (box->name[0])
		rb_erase(&box->by_name, names);
	swap(box->name, *name);
	if (box->name[0])
		rb_find_add(&box->by_name, names, name_cmp_nodes);
}

/* All mailboxes go, one after the other; none is added once the domain has ended. */
static void domain_end(struct mbx_domain *domain)
{
	struct mbx_box *box;
	unsigned long id;

	mutex_lock(&domain->lock);
	domain->ended = true;
	for (;;) {
		id = 0;
		box = xa_find(&domain->boxes, &id, ULONG_MAX, XA_PRESENT);
		if (!box)
			break;
		mbx_domain_remove_locked(box);
		mutex_unlock(&domain->lock);
		mbx_box_close(box);
		mbx_box_put(box);
		cond_resched();
		mutex_lock(&domain->lock);
	}
	mutex_unlock(&domain->lock);
}

static int __net_init domain_net_init(struct net *net)
{
	struct mbx_net *mn = net_generic(net, mbx_net_id);
	struct mbx_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);

	if (!domain)
		return -ENOMEM;
	refcount_set(&domain->refs, 1);
	mutex_init(&domain->lock);
	xa_init_flags(&domain->boxes, XA_FLAGS_ACCOUNT);
	domain->names = RB_ROOT;
	domain->stays = net_eq(net, &init_net);
	mbx_directory_init(&domain->directory);
	mn->domain = domain;
	return 0;
}

static void __net_exit domain_net_exit(struct net *net)
{
	struct mbx_net *mn = net_generic(net, mbx_net_id);

	domain_end(mn->domain);
	mbx_directory_end(&mn->domain->directory);
	mbx_domain_put(mn->domain);
}

static struct pernet_operations domain_net_ops = {
	.init = domain_net_init,
	.exit = domain_net_exit,
	.id = &mbx_net_id,
	.size = sizeof(struct mbx_net),
};

/**
 * mbx_domain_init() - make a domain in every network namespace, also in later ones
 * Return: 0 or a negative errno.
 */
int mbx_domain_init(void)
{
	return register_pernet_subsys(&domain_net_ops);
}

/**
 * mbx_domain_fini() - end all domains
 */
void mbx_domain_fini(void)
{
	unregister_pernet_subsys(&domain_net_ops);
}
