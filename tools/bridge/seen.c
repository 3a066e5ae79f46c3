// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a route that receives, in a file that is mapped by all bridges that come one after
 * the other.
 *
 * Why a bridge that is killed cannot have sent a message without knowing it: what the ioctl SEND
 * is given lies in this file, and the kernel writes the number of the message into it, in the
 * same entry in which it accepts the message (send_user() in module/send.c). On the way there
 *
 * - the kernel writes 0 to that place before it begins, so that it can be written;
 * - it accepts the message, and does not sleep between that and the number: we send without
 *   waiting, and a signal, SIGKILL too, is looked at only when it returns to user space;
 * - the page is there: it was written to before, is locked in memory, and is one of a file that
 *   is never written back to a disk, so that no writeback makes it read-only in between. That is
 *   why the folder has to be on a tmpfs. The kernel may move a locked page; then the access
 *   waits until it has been moved, which SIGKILL does not cut short.
 *
 * So a slot with a number was sent, and one without was not. Other fields need only an order: a
 * thread that is killed has done all of its stores before one point, and none after it, so it is
 * the compiler alone that must not change places, hence atomic_signal_fence().
 *
 * What is in a file of an earlier boot means nothing: its mailboxes are gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "seen.h"

#define SEEN_MAGIC   0x6e6565732d78626dULL /* "mbx-seen" */
#define SEEN_VERSION 3
#define SEEN_MAX     65536
#define NR_BLOCKS    (SEEN_RECENT / SEEN_RECENT_BLOCK)

#define BYTES_OF_RECENT \
	(NR_BLOCKS * sizeof(struct seen_recent) + SEEN_RECENT_IDS * sizeof(struct seen_recent_id))

/* Of what the kernel writes to. */
static size_t bytes_of_slots(unsigned int nr)
{
	return sizeof(struct seen_head) + (size_t)nr * sizeof(struct seen_slot);
}

static size_t bytes_of(unsigned int nr)
{
	return bytes_of_slots(nr) + BYTES_OF_RECENT;
}

static void set_head(struct seen *seen, void *head, unsigned int nr)
{
	seen->head = head;
	seen->nr = nr;
	seen->slots = (struct seen_slot *)(seen->head + 1);
	seen->recent = (struct seen_recent *)(seen->slots + nr);
	seen->recent_ids = (struct seen_recent_id *)(seen->recent + NR_BLOCKS);
}

static int fail(int error, char *text, size_t size, const char *path, const char *what)
{
	snprintf(text, size, "%s: %s (%s)", path, what, strerror(-error));
	return error;
}

/* The folder, and that it is of the kind that is needed. */
static int have_folder(const char *state, char *text, size_t size)
{
	struct statfs what;

	if (mkdir(state, 0700) && errno != EEXIST)
		return fail(-errno, text, size, state,
			    "cannot be made: say another folder as 'state'");
	if (statfs(state, &what))
		return fail(-errno, text, size, state, "cannot be used as 'state'");
	if (what.f_type == TMPFS_MAGIC || what.f_type == RAMFS_MAGIC)
		return 0;
	snprintf(text, size, "%s is not on a tmpfs: say a folder in /run as 'state'", state);
	return -EINVAL;
}

/* For as long as the process lives; a file of its own, as the other one may be replaced. */
static int take_lock(const char *path, char *text, size_t size)
{
	int error, fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail(-errno, text, size, path, "cannot be opened");
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	error = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return fail(error, text, size, path,
		    "another bridge has this route: stop it, or say another 'state'");
}

/* Make a file that has nothing in it but memory. */
static int make(const char *path, const char *boot, unsigned int nr, struct seen *seen)
{
	void *start = NULL;
	int error, fd;

	if (unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	seen->size = bytes_of(nr);
	error = -posix_fallocate(fd, 0, seen->size);
	if (!error) {
		start = mmap(NULL, seen->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (start == MAP_FAILED)
			error = -errno;
	}
	close(fd);
	if (error) {
		unlink(path);
		return error;
	}
	set_head(seen, start, nr);
	seen->head->version = SEEN_VERSION;
	seen->head->slot_size = sizeof(struct seen_slot);
	seen->head->nr_slots = nr;
	snprintf(seen->head->boot, sizeof(seen->head->boot), "%s", boot);
	seen->head->magic = SEEN_MAGIC;
	return 0;
}

static bool is_whole(const struct seen_head *head, off_t size)
{
	return head->magic == SEEN_MAGIC && head->version == SEEN_VERSION &&
	       head->slot_size == sizeof(struct seen_slot) && head->nr_slots <= SEEN_MAX &&
	       (size_t)size == bytes_of(head->nr_slots) &&
	       memchr(head->boot, 0, sizeof(head->boot)) &&
	       memchr(head->stream, 0, sizeof(head->stream));
}

/* Return: 1 when it was mapped, 0 when there is none that means something, or an error. */
static int map_old(const char *path, const char *boot, struct seen *seen)
{
	int ret = 0, fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat stat;
	void *start;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &stat)) {
		ret = -errno;
		goto out;
	}
	if ((size_t)stat.st_size < sizeof(struct seen_head)) {
		ret = -EBADMSG;
		goto out;
	}
	start = mmap(NULL, stat.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (start == MAP_FAILED) {
		ret = -errno;
		goto out;
	}
	seen->head = start;
	seen->size = stat.st_size;
	if (!is_whole(seen->head, stat.st_size)) {
		ret = -EBADMSG;
	} else if (!strcmp(seen->head->boot, boot)) {
		set_head(seen, start, seen->head->nr_slots);
		ret = 1;
	}
	if (ret != 1)
		munmap(start, stat.st_size);
out:
	close(fd);
	return ret;
}

/* Text of a slot ends within it, also in a file that somebody has written to. */
static void mend(struct seen_slot *slot)
{
	slot->reply[0][SEEN_REPLY_SIZE - 1] = 0;
	slot->reply[1][SEEN_REPLY_SIZE - 1] = 0;
	slot->id[sizeof(slot->id) - 1] = 0;
	slot->receipt[sizeof(slot->receipt) - 1] = 0;
}

static unsigned int count_used(const struct seen *seen)
{
	unsigned int i, used = 0;

	for (i = 0; i < seen->nr; i++)
		used += !!seen->slots[i].stream_sequence;
	return used;
}

/* A file beside it, renamed at the end: whenever we are killed, one of the two is whole. */
static int replace(const char *path, const char *boot, unsigned int nr, struct seen *seen)
{
	struct seen old = *seen;
	char made[4096];
	unsigned int i, to = 0;
	int error;

	snprintf(made, sizeof(made), "%s.new", path);
	error = make(made, boot, nr, seen);
	if (error)
		goto out;
	if (old.head) {
		seen->head->created = old.head->created;
		seen->head->last = old.head->last;
		memcpy(seen->head->stream, old.head->stream, sizeof(old.head->stream));
		memcpy(seen->recent, old.recent, BYTES_OF_RECENT);
	}
	for (i = 0; old.head && i < old.nr; i++)
		if (old.slots[i].stream_sequence)
			seen->slots[to++] = old.slots[i];
	if (rename(made, path)) {
		error = -errno;
		munmap(seen->head, seen->size);
		unlink(made);
	}
out:
	if (old.head)
		munmap(old.head, old.size);
	return error;
}

static int have_file(struct seen *seen, const char *path, const char *boot, unsigned int nr,
		     char *text, size_t size)
{
	unsigned int used;
	int ret = map_old(path, boot, seen);

	if (ret == -EBADMSG)
		return fail(ret, text, size, path,
			    "is not a memory of this version: finish with the bridge that made "
			    "it, or remove it if messages that come twice do no harm");
	if (ret < 0)
		return fail(ret, text, size, path, "cannot be read");
	seen->anew = !ret;
	if (!ret)
		seen->head = NULL;
	used = ret ? count_used(seen) : 0;
	nr = used > nr ? used : nr;
	if (!ret || seen->nr != nr) {
		ret = replace(path, boot, nr, seen);
		if (ret)
			return fail(ret, text, size, path, "cannot be made");
	}
	/* Many small pages: a large one might be split, or put together, beneath the kernel. */
	madvise(seen->head, seen->size, MADV_NOHUGEPAGE);
	if (!mlock(seen->head, bytes_of_slots(seen->nr)))
		return 0;
	ret = fail(-errno, text, size, path,
		   "cannot be locked in memory: raise LimitMEMLOCK, or lower 'window'");
	munmap(seen->head, seen->size);
	return ret;
}

int seen_open(struct seen *seen, const char *state, const char *route, const char *boot,
	      unsigned int nr, char *text, size_t size)
{
	char path[2048];
	unsigned int i;
	int ret;

	memset(seen, 0, sizeof(*seen));
	ret = have_folder(state, text, size);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/%s.lock", state, route);
	seen->lock = take_lock(path, text, size);
	if (seen->lock < 0)
		return seen->lock;
	snprintf(path, sizeof(path), "%s/%s.seen", state, route);
	ret = have_file(seen, path, boot, nr, text, size);
	if (ret) {
		close(seen->lock);
		return ret;
	}
	/* A write to each, so that none is to be found by the kernel first. */
	for (i = 0; i < seen->nr; i++) {
		mend(&seen->slots[i]);
		if (!seen->slots[i].stream_sequence)
			memset(&seen->slots[i], 0, sizeof(seen->slots[i]));
	}
	return 0;
}

void seen_close(struct seen *seen)
{
	munmap(seen->head, seen->size);
	close(seen->lock);
}

bool seen_stream(struct seen *seen, const char *stream, int64_t created)
{
	struct seen_head *head = seen->head;
	bool same = !head->created || (head->created == created && !strcmp(head->stream, stream));
	unsigned int i;

	if (!same) {
		for (i = 0; i < seen->nr; i++)
			seen_free(&seen->slots[i]);
		memset(seen->recent, 0, NR_BLOCKS * sizeof(*seen->recent));
		head->last = 0;
	}
	/* First that nothing is known, then of what. */
	atomic_signal_fence(memory_order_seq_cst);
	snprintf(head->stream, sizeof(head->stream), "%s", stream);
	head->created = created;
	return same;
}

int seen_add(struct seen_slot *slot, const struct seen_message *message, const char *reply,
	     uint64_t time, unsigned int band)
{
	size_t length = strlen(reply);

	if (length >= SEEN_REPLY_SIZE)
		return -ENAMETOOLONG;
	memset(&slot->send, 0, sizeof(slot->send));
	slot->stored = message->stored;
	slot->hash = message->hash;
	slot->time = time;
	slot->flags = 0;
	slot->band = band;
	slot->which = 0;
	slot->end = 0;
	slot->id[0] = 0;
	slot->receipt[0] = 0;
	memcpy(slot->reply[0], reply, length + 1);
	atomic_signal_fence(memory_order_seq_cst);
	slot->stream_sequence = message->sequence;
	atomic_signal_fence(memory_order_seq_cst);
	return 0;
}

int seen_renew(struct seen_slot *slot, const char *reply, uint64_t time)
{
	const uint32_t other = !(slot->which & 1);
	size_t length = strlen(reply);

	if (length >= SEEN_REPLY_SIZE)
		return -ENAMETOOLONG;
	memcpy(slot->reply[other], reply, length + 1);
	atomic_signal_fence(memory_order_seq_cst);
	slot->which = other;
	slot->time = time;
	return 0;
}

void seen_free(struct seen_slot *slot)
{
	slot->stream_sequence = 0;
	atomic_signal_fence(memory_order_seq_cst);
	slot->send.sequence = 0;
}

static struct seen_recent *block_of(const struct seen *seen, uint64_t sequence)
{
	return &seen->recent[sequence / SEEN_RECENT_BLOCK % NR_BLOCKS];
}

/* All bits of the time matter to the upper ones of the product. */
static uint32_t mark_of(int64_t stored)
{
	const uint32_t mark = (uint64_t)stored * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	return mark ? mark : 1;
}

void seen_remember(struct seen *seen, const struct seen_slot *slot)
{
	const uint64_t sequence = slot->stream_sequence;
	const uint64_t first = sequence - sequence % SEEN_RECENT_BLOCK;
	struct seen_recent *block = block_of(seen, sequence);

	/* One that took long, which has none of its time beside it. */
	if (block->first > first)
		return;
	/* Killed in between, it has no marks: never the numbers of one block with those of another. */
	if (block->first != first) {
		memset(block->marks, 0, sizeof(block->marks));
		atomic_signal_fence(memory_order_seq_cst);
		block->first = first;
		atomic_signal_fence(memory_order_seq_cst);
	}
	block->marks[sequence % SEEN_RECENT_BLOCK] = mark_of(slot->stored);
	/* Before the slot is free. */
	atomic_signal_fence(memory_order_seq_cst);
}

bool seen_remembers(const struct seen *seen, const struct seen_message *message)
{
	const struct seen_recent *block = block_of(seen, message->sequence);
	const unsigned int index = message->sequence % SEEN_RECENT_BLOCK;

	return message->sequence - index == block->first &&
	       block->marks[index] == mark_of(message->stored);
}

static struct seen_recent_id *set_of(const struct seen *seen, uint64_t hash)
{
	return &seen->recent_ids[hash % (SEEN_RECENT_IDS / SEEN_RECENT_SET) * SEEN_RECENT_SET];
}

void seen_remember_id(struct seen *seen, const struct seen_slot *slot, uint64_t time)
{
	struct seen_recent_id *set = set_of(seen, slot->hash), *oldest = set;
	unsigned int i;

	if (!slot->hash)
		return;
	for (i = 1; i < SEEN_RECENT_SET; i++)
		if (set[i].time < oldest->time)
			oldest = &set[i];
	/* Killed in between, it is of no id: never that of one message with the time of another. */
	oldest->hash = 0;
	atomic_signal_fence(memory_order_seq_cst);
	oldest->time = time;
	atomic_signal_fence(memory_order_seq_cst);
	oldest->hash = slot->hash;
	atomic_signal_fence(memory_order_seq_cst);
}

bool seen_remembers_id(const struct seen *seen, uint64_t hash, uint64_t since)
{
	const struct seen_recent_id *set = set_of(seen, hash);
	unsigned int i;

	for (i = 0; hash && i < SEEN_RECENT_SET; i++)
		if (set[i].hash == hash && set[i].time >= since)
			return true;
	return false;
}
