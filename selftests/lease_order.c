// SPDX-License-Identifier: GPL-2.0
/*
 * Where messages are that were leased and came back: each at its old place. First by
 * hand, then by chance against a model. MAILBOX_SEED repeats the choices of a run.
 */
#include "races.h"

FIXTURE(lease_order)
{
	int device;
	int fd;
};

FIXTURE_SETUP(lease_order)
{
	self->device = device_open();
	self->fd = box_new(self->device);
}

FIXTURE_TEARDOWN(lease_order)
{
	close(self->fd);
	close(self->device);
}

#define NR 4

static void expect_sequences(int fd, const __u64 *expected, int nr)
{
	char text[8];
	int i;

	for (i = 0; i < nr; i++) {
		struct mailbox_receive args = receive_args(text, sizeof(text));

		ASSERT_EQ(0, box_receive(fd, &args));
		EXPECT_EQ(expected[i], args.sequence);
	}
}

/* In whichever order NR leases end, and whatever was sent meanwhile. */
TEST_F(lease_order, is_that_of_arrival_however_they_come_back)
{
	unsigned int code;

	for (code = 0; code < NR * NR * NR * NR; code++) {
		int order[NR], i, fd;
		unsigned int seen = 0, rest = code;
		__u64 leases[NR];

		for (i = 0; i < NR; i++, rest /= NR) {
			order[i] = rest % NR;
			seen |= 1 << order[i];
		}
		if (seen != (1 << NR) - 1)
			continue;
		fd = box_new(self->device);
		for (i = 0; i < NR; i++)
			ASSERT_EQ(0, box_send_text(fd, "x", 0, 0));
		for (i = 0; i < NR; i++)
			leases[i] = box_lease(fd);
		ASSERT_EQ(0, box_send_text(fd, "later", 0, 0));
		for (i = 0; i < NR; i++)
			ASSERT_EQ(0, box_nack(fd, leases[order[i]], 0));
		expect_sequences(fd, (const __u64[]){ 1, 2, 3, 4, 5 }, NR + 1);
		close(fd);
	}
}

TEST_F(lease_order, is_by_priority_first)
{
	static const __u32 priorities[] = { 0, 5, 0, 5, 9 };
	__u64 leases[5];
	int i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "x", i, priorities[i]));
	for (i = 0; i < 4; i++)
		leases[i] = box_lease_type(self->fd, i);
	ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 5));
	ASSERT_EQ(0, box_nack(self->fd, leases[2], 0));
	ASSERT_EQ(0, box_nack(self->fd, leases[3], 0));
	ASSERT_EQ(0, box_nack(self->fd, leases[0], 0));
	ASSERT_EQ(0, box_nack(self->fd, leases[1], 0));
	expect_sequences(self->fd, (const __u64[]){ 5, 2, 4, 6, 1, 3 }, 6);
}

TEST_F(lease_order, holds_for_an_array_and_for_what_is_left_behind)
{
	int other = box_open(self->device, box_stat(self->fd).id, NULL, MAILBOX_RIGHT_RECEIVE), i;
	__u64 leases[3];
	struct mailbox_lease args = lease_args(leases, 3);

	ASSERT_LE(0, other);
	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, box_send_text(self->fd, "x", 0, 0));
	for (i = 0; i < 3; i++) {
		leases[2 - i] = box_lease(self->fd);
		box_lease(other);
	}
	close(other);
	ASSERT_EQ(0, call(self->fd, MAILBOX_IOC_NACK, &args));
	expect_sequences(self->fd, (const __u64[]){ 1, 2, 3, 4, 5, 6 }, 6);
}

/* Ended by chance, and compared with a model that keeps the messages in an array. */

#define MODEL_MAX 64
#define HANDLES	  3
#define STEPS	  20000

struct item {
	__u64 sequence;
	__u32 priority;
	__u64 type;
	__u32 deliveries;
	bool leased;
	__u64 lease;
	/* Through which handle. */
	__u32 by;
};

struct model {
	int device;
	__u64 id;
	int fds[HANDLES];
	__u32 max_deliveries;
	uint64_t random;
	__u64 sent, received, redelivered, dropped;
	/* In order of arrival. */
	__u32 nr;
	struct item items[MODEL_MAX];
};

static void model_remove(struct model *model, struct item *item, __u64 *counter)
{
	memmove(item, item + 1, (char *)(model->items + model->nr) - (char *)(item + 1));
	model->nr--;
	++*counter;
}

static bool model_dies(const struct model *model, const struct item *item)
{
	return model->max_deliveries && item->deliveries + 1 == model->max_deliveries;
}

static void model_back(struct model *model, struct item *item)
{
	model->redelivered++;
	if (model_dies(model, item)) {
		model_remove(model, item, &model->dropped);
		return;
	}
	item->leased = false;
	item->deliveries++;
}

static struct item *model_first(struct model *model, bool any, __u64 type)
{
	struct item *first = NULL, *item;

	for (item = model->items; item < model->items + model->nr; item++)
		if (!item->leased && (any || item->type == type) &&
		    (!first || item->priority > first->priority))
			first = item;
	return first;
}

static struct item *model_leased(struct model *model)
{
	__u32 first = below(&model->random, MODEL_MAX), i;

	for (i = 0; i < MODEL_MAX; i++) {
		struct item *item = &model->items[(first + i) % MODEL_MAX];

		if (item < model->items + model->nr && item->leased)
			return item;
	}
	return NULL;
}

static void step_send(struct model *model)
{
	struct mailbox_send args = send_args("x", 1);

	if (model->nr == MODEL_MAX)
		return;
	args.priority = below(&model->random, 3);
	args.type = below(&model->random, 4);
	ASSERT_EQ(0, box_send(model->fds[0], &args));
	ASSERT_EQ(++model->sent, args.sequence);
	model->items[model->nr++] = (struct item){
		.sequence = args.sequence,
		.priority = args.priority,
		.type = args.type,
	};
}

static void step_receive(struct model *model, bool lease)
{
	__u32 by = below(&model->random, HANDLES);
	bool any = below(&model->random, 2);
	__u64 type = below(&model->random, 4);
	struct item *expected = model_first(model, any, type);
	char data[8];
	struct mailbox_receive args = leasing_args(data, sizeof(data));

	args.flags = MAILBOX_NONBLOCK | (lease ? MAILBOX_LEASE : 0);
	args.select = any ? MAILBOX_SELECT_FIRST : MAILBOX_SELECT_TYPE;
	args.match = type;
	if (!expected) {
		ASSERT_EQ(-EAGAIN, box_receive(model->fds[by], &args));
		return;
	}
	ASSERT_EQ(0, box_receive(model->fds[by], &args));
	ASSERT_EQ(expected->sequence, args.sequence);
	ASSERT_EQ(expected->deliveries, args.deliveries);
	if (!lease) {
		model_remove(model, expected, &model->received);
		return;
	}
	expected->leased = true;
	expected->lease = args.lease;
	expected->by = by;
}

static void step_end(struct model *model)
{
	struct item *item = model_leased(model);

	if (!item)
		return;
	switch (below(&model->random, 4)) {
	case 0:
		ASSERT_EQ(0, box_ack(model->fds[item->by], item->lease));
		model_remove(model, item, &model->received);
		break;
	case 1:
	case 2:
		ASSERT_EQ(0, box_nack(model->fds[item->by], item->lease, 0));
		model_back(model, item);
		break;
	default:
		ASSERT_EQ(-ESTALE, box_ack(model->fds[(item->by + 1) % HANDLES], item->lease));
		ASSERT_EQ(0, box_extend(model->fds[item->by], item->lease,
					below(&model->random, 2) * 3600 * SECOND));
	}
}

/* All that was leased through a handle comes back at once. */
static void step_close(struct model *model)
{
	__u32 by = 1 + below(&model->random, HANDLES - 1), i = 0;

	close(model->fds[by]);
	model->fds[by] = box_open(model->device, model->id, NULL, MAILBOX_RIGHT_RECEIVE);
	ASSERT_LE(0, model->fds[by]);
	while (i < model->nr) {
		struct item *item = &model->items[i];
		__u32 nr = model->nr;

		if (item->leased && item->by == by)
			model_back(model, item);
		i += model->nr == nr;
	}
}

/* What is there, in order, as an index shows it. */
static void step_look(struct model *model)
{
	struct mailbox_receive args = receive_args(NULL, 0);
	__u32 there = 0, i;
	__u64 last = 0;

	for (i = 0; i < model->nr; i++)
		there += !model->items[i].leased;
	args.flags |= MAILBOX_PEEK | MAILBOX_TRUNCATE;
	args.select = MAILBOX_SELECT_INDEX;
	for (args.match = 0; args.match < there; args.match++) {
		ASSERT_EQ(0, box_receive(model->fds[0], &args));
		ASSERT_NE(last, args.sequence);
		last = args.sequence;
	}
	ASSERT_EQ(-EAGAIN, box_receive(model->fds[0], &args));
	ASSERT_EQ(there ? POLLIN : 0, poll_now(model->fds[0], POLLIN));
}

static void expect_model(const struct model *model)
{
	struct mailbox_stat stat = box_stat(model->fds[0]);
	__u64 leased = 0;
	__u32 i;

	for (i = 0; i < model->nr; i++)
		leased += model->items[i].leased;
	ASSERT_EQ(model->sent, stat.sent);
	ASSERT_EQ(model->nr, stat.messages);
	ASSERT_EQ(model->nr, stat.bytes);
	ASSERT_EQ(leased, stat.leased);
	ASSERT_EQ(model->received, stat.received);
	ASSERT_EQ(model->dropped, stat.dropped);
	/* Whether one that died has gone back before is a question of words. */
	ASSERT_GE(model->redelivered, stat.redelivered);
	ASSERT_LE(model->redelivered, stat.redelivered + stat.dropped);
	ASSERT_EQ(0, stat.dead);
}

static void run_model(int device, __u32 max_deliveries, uint64_t random)
{
	struct model *model = calloc(1, sizeof(*model));
	struct mailbox_create args = create_args();
	__u64 steps = effort(STEPS), i;

	args.max_messages = MODEL_MAX;
	args.max_deliveries = max_deliveries;
	model->device = device;
	model->random = random;
	model->max_deliveries = max_deliveries;
	model->fds[0] = box_create(device, &args);
	ASSERT_LE(0, model->fds[0]);
	model->id = args.id;
	for (i = 1; i < HANDLES; i++) {
		model->fds[i] = box_open(device, args.id, NULL, MAILBOX_RIGHT_RECEIVE);
		ASSERT_LE(0, model->fds[i]);
	}
	for (i = 0; i < steps; i++) {
		__u32 kind = below(&model->random, 100);

		if (kind < 35)
			step_send(model);
		else if (kind < 65)
			step_receive(model, true);
		else if (kind < 72)
			step_receive(model, false);
		else if (kind < 96)
			step_end(model);
		else if (kind < 98)
			step_close(model);
		else
			step_look(model);
		expect_model(model);
	}
	for (i = 0; i < HANDLES; i++)
		close(model->fds[i]);
	free(model);
}

TEST_F(lease_order, by_chance_is_that_of_a_model)
{
	struct usage before = usage_of_caller(self->device);

	race_seed_choose();
	th_say("# MAILBOX_SEED=%s", getenv("MAILBOX_SEED"));
	run_model(self->device, 0, race_random(1));
	run_model(self->device, 3, race_random(2));
	EXPECT_USAGE(self->device, before);
}

TEST_HARNESS_MAIN
