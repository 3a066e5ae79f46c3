// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a broadcast mailbox, and a plain model of it that must say the same:
 * an array of all messages, and for each handle the number of its next one.
 */
#include "common_broadcast.h"

#define HANDLES	 6
#define ROOM	 5
#define MESSAGES 4096

enum fate { QUEUED, RECEIVED, OVERWRITTEN, EXPIRED, DROPPED };

struct handle {
	int fd;
	bool strict;
	bool cut_off;
	unsigned int next;
	__u64 missed;
};

struct model {
	struct handle handles[HANDLES];
	/* By number, from 1 on. */
	enum fate state[MESSAGES];
	unsigned int copies[MESSAGES];
	__u64 expiry[MESSAGES];
	unsigned int sent;
	unsigned int counts[DROPPED + 1];
};

static bool gets(const struct handle *handle)
{
	return handle->fd >= 0 && !handle->cut_off;
}

static void end(struct model *m, unsigned int i, enum fate state)
{
	m->state[i] = state;
	m->counts[QUEUED]--;
	m->counts[state]++;
}

static bool needed(const struct model *m, unsigned int i)
{
	int k;

	for (k = 0; k < HANDLES; k++)
		if (gets(&m->handles[k]) && m->handles[k].next <= i)
			return true;
	return false;
}

/* What nobody needs is gone at once. */
static void settle(struct model *m)
{
	unsigned int i;

	for (i = 1; i <= m->sent; i++)
		if (m->state[i] == QUEUED && !needed(m, i))
			end(m, i, m->copies[i] ? RECEIVED : DROPPED);
}

/* Those that have expired by @now; the caller has seen to it that nothing is about to. */
static void expire(struct model *m, __u64 now)
{
	unsigned int i;

	for (i = 1; i <= m->sent; i++)
		if (m->state[i] == QUEUED && m->expiry[i] && m->expiry[i] <= now)
			end(m, i, EXPIRED);
}

static unsigned int next_queued(const struct model *m, unsigned int i)
{
	while (i <= m->sent && m->state[i] != QUEUED)
		i++;
	return i;
}

static void model_send(struct model *m, __u64 expiry)
{
	unsigned int oldest;
	bool anybody = needed(m, MESSAGES);
	int k;

	if (anybody && m->counts[QUEUED] == ROOM) {
		oldest = next_queued(m, 1);
		for (k = 0; k < HANDLES; k++)
			if (m->handles[k].strict && m->handles[k].next <= oldest)
				m->handles[k].cut_off = true;
		end(m, oldest, OVERWRITTEN);
		settle(m);
	}
	m->sent++;
	m->state[m->sent] = QUEUED;
	m->expiry[m->sent] = expiry;
	m->counts[QUEUED]++;
	settle(m);
}

static void do_receive(struct model *m, struct handle *handle, int how)
{
	unsigned int i = next_queued(m, handle->next);
	char data[8];
	struct mailbox_receive args = receive_args(data, sizeof(data));
	__u64 missed = handle->missed + i - handle->next;
	int expected = handle->cut_off ? -ENOBUFS : i > m->sent ? -EAGAIN : 0, ret;

	if (how == 0) {
		/* read(2) waits. */
		if (expected == -EAGAIN)
			return;
		ret = read(handle->fd, data, sizeof(data));
		ASSERT_EQ(expected, ret < 0 ? -errno : 0);
	} else {
		args.flags |= how == 1 ? MAILBOX_PEEK : 0;
		ASSERT_EQ(expected, box_receive(handle->fd, &args));
		if (!expected) {
			ASSERT_EQ(i, args.sequence);
			ASSERT_EQ(i, args.type);
			ASSERT_EQ(missed, args.missed);
		}
	}
	if (expected || how == 1)
		return;
	handle->missed = how ? 0 : missed;
	handle->next = i + 1;
	m->copies[i]++;
	settle(m);
}

static void compare(const struct model *m, int fd)
{
	struct mailbox_stat stat = box_stat(fd);
	unsigned int k, subscribers = 0;

	for (k = 0; k < HANDLES; k++)
		subscribers += gets(&m->handles[k]);
	ASSERT_EQ(subscribers, stat.subscribers);
	ASSERT_EQ(m->sent, stat.sent);
	ASSERT_EQ(m->counts[QUEUED], stat.messages);
	ASSERT_EQ(m->counts[RECEIVED], stat.received);
	ASSERT_EQ(m->counts[OVERWRITTEN], stat.overwritten);
	ASSERT_EQ(m->counts[EXPIRED], stat.expired);
	ASSERT_EQ(m->counts[DROPPED], stat.dropped);
	for (k = 0; k < HANDLES; k++) {
		const struct handle *handle = &m->handles[k];

		if (handle->fd < 0)
			continue;
		ASSERT_EQ(handle->cut_off			  ? POLLHUP | POLLERR :
			  next_queued(m, handle->next) <= m->sent ? POLLIN :
								    0,
			  poll_now(handle->fd, POLLIN | POLLOUT));
	}
}

static void do_send(struct model *m, int fd, bool expires)
{
	struct mailbox_send args = send_args("x", 1);

	args.type = m->sent + 1;
	if (m->sent + 1 == MESSAGES)
		return;
	ASSERT_EQ(0, expires ? box_send_soon_expired(fd, &args) : box_send(fd, &args));
	model_send(m, expires ? args.expiry : 0);
	ASSERT_EQ(m->sent, args.sequence);
	/* So that there is no doubt whether it is there: it is gone before we look. */
	if (expires && m->state[m->sent] == QUEUED) {
		pass_time(args.expiry);
		expire(m, now_ns());
	}
}

static void do_open_or_close(struct model *m, struct handle *handle, int device, __u64 id,
			     bool strict)
{
	if (handle->fd >= 0) {
		close(handle->fd);
		handle->fd = -1;
		settle(m);
		return;
	}
	*handle = (struct handle){
		.fd = subscribe_with(device, id, strict ? MAILBOX_CUT_OFF : 0),
		.strict = strict,
		.next = m->sent + 1,
	};
	ASSERT_LE(0, handle->fd);
}

TEST_TIMEOUT(does_what_the_model_says, 250)
{
	const char *given = getenv("MAILBOX_SEED");
	unsigned int seed = given ? strtoul(given, NULL, 0) : now_ns(), i, k;
	unsigned int rounds = effort(20), steps = 1500;
	int device = device_open();

	th_say("# MAILBOX_SEED=%u", seed);
	while (rounds--) {
		static struct model model;
		__u64 id;
		int fd = broadcast_new(device, ROOM, &id);

		memset(&model, 0, sizeof(model));
		for (k = 0; k < HANDLES; k++)
			model.handles[k].fd = -1;
		for (i = 0; i < steps; i++) {
			struct handle *handle = &model.handles[rand_r(&seed) % HANDLES];
			unsigned int dice = rand_r(&seed) % 1000;

			if (dice < 400)
				do_send(&model, fd, false);
			else if (dice < 405)
				do_send(&model, fd, true);
			else if (dice < 480)
				do_open_or_close(&model, handle, device, id, rand_r(&seed) % 2);
			else if (handle->fd >= 0)
				do_receive(&model, handle, rand_r(&seed) % 4);
			compare(&model, fd);
		}
		for (k = 0; k < HANDLES; k++)
			if (model.handles[k].fd >= 0)
				close(model.handles[k].fd);
		close(fd);
	}
	close(device);
}

TEST_HARNESS_MAIN
