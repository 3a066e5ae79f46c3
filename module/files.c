// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "domain.h"
#include "files.h"
#include "mailbox.h"

/* Nothing is exported by which a module could tell it. */
static bool is_io_uring(const struct file *file)
{
	const struct dentry *dentry = file->f_path.dentry;

	return dentry->d_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp(dentry->d_name.name, "[io_uring]");
}

/*
 * Could it keep a mailbox, and with it the message that it travels in? See DOC: Files in
 * messages in the uapi header.
 */
static bool may_keep_others(struct file *file)
{
	struct socket *socket = sock_from_file(file);
	const struct proto_ops *ops = socket ? READ_ONCE(socket->ops) : NULL;

	return file->f_op->owner == THIS_MODULE || (ops && ops->family == PF_UNIX) ||
	       is_io_uring(file);
}

static int add_file(struct mbx_files *files, s32 fd)
{
	/* Also those of O_PATH, which keep nothing open. */
	struct file *file = fget_raw(fd);

	if (!file)
		return -EBADF;
	files->file[files->nr++] = file;
	return may_keep_others(file) ? -ELOOP : 0;
}

/* Return: likewise, with no files yet. */
static struct mbx_files *files_new(u32 nr)
{
	struct mbx_files *files;
	struct mbx_user *user;
	int ret;

	user = mbx_user_get(current_euid());
	if (IS_ERR(user))
		return ERR_CAST(user);
	files = kzalloc(struct_size(files, file, nr), GFP_KERNEL_ACCOUNT);
	ret = files ? mbx_charge_take_files(&files->charge, user, nr,
					    struct_size(files, file, nr)) :
		      -ENOMEM;
	mbx_user_put(user);
	if (!ret)
		return files;
	kfree(files);
	return ERR_PTR(ret);
}

/**
 * mbx_files_of_user() - take the files that a send names
 * @arg: the send, with MAILBOX_FILES among its flags
 * @size: bytes there
 *
 * Context: Process context, may sleep.
 * Return: the files; or ERR_PTR: -EINVAL, -EFAULT, -EBADF, -ELOOP, -EDQUOT, -ENOMEM.
 */
struct mbx_files *mbx_files_of_user(const struct mailbox_send __user *arg, u32 size)
{
	s32 fds[MAILBOX_FILES_MAX];
	struct mbx_files *files;
	u32 nr, reserved, i;
	u64 from;
	int ret;

	if (size < offsetofend(struct mailbox_send, reserved_files))
		return ERR_PTR(-EINVAL);
	if (get_user(from, &arg->files) || get_user(nr, &arg->nr_files) ||
	    get_user(reserved, &arg->reserved_files))
		return ERR_PTR(-EFAULT);
	if (reserved || nr < 1 || nr > MAILBOX_FILES_MAX)
		return ERR_PTR(-EINVAL);
	if (copy_from_user(fds, u64_to_user_ptr(from), nr * sizeof(fds[0])))
		return ERR_PTR(-EFAULT);

	files = files_new(nr);
	if (IS_ERR(files))
		return files;
	for (i = 0; i < nr; i++) {
		ret = add_file(files, fds[i]);
		if (ret) {
			mbx_files_free(files);
			return ERR_PTR(ret);
		}
	}
	return files;
}

/* Undo mbx_files_enter(). */
static void leave(struct mbx_files *files)
{
	struct mbx_box *box = files->box;

	if (!box)
		return;
	files->box = NULL;
	spin_lock(&box->lock);
	box->with_files--;
	spin_unlock(&box->lock);
	mbx_box_put(box);
}

/**
 * mbx_files_enter() - files go to a mailbox, with a message
 * @files: the files; where they were before, they are not any more
 * @box: the mailbox, with a reference of the caller
 *
 * One that counts any does not become permanent: see set.c.
 *
 * Context: Process context, may sleep.
 * Return: 0; -ELOOP, and nothing has changed, where they could keep the mailbox: it is
 * permanent, and there until its network namespace ends.
 */
int mbx_files_enter(struct mbx_files *files, struct mbx_box *box)
{
	bool may;

	spin_lock(&box->lock);
	may = !box->permanent || box->domain->stays;
	if (may)
		box->with_files++;
	spin_unlock(&box->lock);
	if (!may)
		return -ELOOP;
	leave(files);
	refcount_inc(&box->refs);
	files->box = box;
	return 0;
}

/**
 * mbx_files_free() - close files and give their charge back
 * @files: the files, or NULL
 *
 * Context: Process context, no lock is held.
 */
void mbx_files_free(struct mbx_files *files)
{
	u32 i;

	if (!files)
		return;
	for (i = 0; i < files->nr; i++)
		fput(files->file[i]);
	leave(files);
	mbx_charge_drop(&files->charge);
	kfree(files);
}

/**
 * mbx_delivery_ask() - read where a receive wants files
 * @delivery: filled in
 * @arg: the receive, with MAILBOX_FILES among its flags
 * @size: bytes there
 * Return: 0; -EINVAL; -EFAULT.
 */
int mbx_delivery_ask(struct mbx_delivery *delivery, struct mailbox_receive __user *arg, u32 size)
{
	u64 to;

	if (size < offsetofend(struct mailbox_receive, files))
		return -EINVAL;
	if (get_user(to, &arg->files) || get_user(delivery->room, &arg->nr_files))
		return -EFAULT;
	delivery->to = u64_to_user_ptr(to);
	delivery->count = &arg->nr_files;
	delivery->nr = 0;
	delivery->told = false;
	return 0;
}

static int reserve_one(struct mbx_delivery *delivery, struct file *file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	delivery->fd[delivery->nr] = fd;
	delivery->file[delivery->nr] = get_file(file);
	return put_user(fd, delivery->to + delivery->nr++);
}

/**
 * mbx_delivery_prepare() - reserve descriptors for the files of a message, and tell them
 * @delivery: of the receive
 * @msg: a message that nobody changes or frees meanwhile
 * @peek: only tell how many there are
 *
 * Context: Process context, may sleep.
 * Return: 0; -EFAULT; -EMFILE; -ENOMEM. Whichever, mbx_delivery_end() is due.
 */
int mbx_delivery_prepare(struct mbx_delivery *delivery, const struct mbx_message *msg, bool peek)
{
	const u32 nr = mbx_files_nr(msg);
	u32 i;
	int ret;

	for (i = 0; !peek && i < min(nr, delivery->room); i++) {
		ret = reserve_one(delivery, msg->files->file[i]);
		if (ret)
			return ret;
	}
	delivery->told = true;
	return put_user(nr, delivery->count);
}

/**
 * mbx_delivery_end() - install descriptors, or undo mbx_delivery_prepare()
 * @delivery: of the receive
 * @success: the message has been received
 *
 * Context: Process context, no lock is held.
 */
void mbx_delivery_end(struct mbx_delivery *delivery, bool success)
{
	u32 i;

	for (i = 0; i < delivery->nr; i++) {
		if (success) {
			fd_install(delivery->fd[i], delivery->file[i]);
		} else {
			put_unused_fd(delivery->fd[i]);
			fput(delivery->file[i]);
		}
	}
	/* Should a signal have us called again, it is as it was. */
	if (!success && delivery->told)
		put_user(delivery->room, delivery->count);
	delivery->nr = 0;
	delivery->told = false;
}
