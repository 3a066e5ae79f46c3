// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on mailboxes of several kinds, each done on the plain model too:
 * results, contents and counters must be the same. MAILBOX_SEED and MAILBOX_OPS in
 * the environment repeat a run or make it longer.
 */
#include "model_run.h"

#define BATCH_MAX 24
/* No further sends to a mailbox without limits from here on. */
#define ENOUGH 200

static const struct kind {
	const char *name;
	uint32_t flags;
	uint32_t capacity;
	uint32_t on_full;
	uint32_t message_size;
	uint64_t max_messages;
	uint64_t max_bytes;
} kinds[] = {
	{ "wait", 0, MAILBOX_CAPACITY_BOUNDED, MAILBOX_ON_FULL_WAIT, 600, 48, 4096 },
	{ "refuse", 0, MAILBOX_CAPACITY_BOUNDED, MAILBOX_ON_FULL_REFUSE, 9000, 150, 30000 },
	{ "overwrite", 0, MAILBOX_CAPACITY_BOUNDED, MAILBOX_ON_FULL_OVERWRITE, 500, 90, 2000 },
	{ "one", 0, MAILBOX_CAPACITY_BOUNDED, MAILBOX_ON_FULL_OVERWRITE, 64, 1, 64 },
	{ "fixed", MAILBOX_FIXED_SIZE, MAILBOX_CAPACITY_BOUNDED, MAILBOX_ON_FULL_OVERWRITE, 24, 60,
	  100000 },
	{ "unbounded", 0, MAILBOX_CAPACITY_UNBOUNDED, MAILBOX_ON_FULL_WAIT, MODEL_PAYLOAD_MAX, 0,
	  0 },
	{ "unbounded fixed", MAILBOX_FIXED_SIZE, MAILBOX_CAPACITY_UNBOUNDED, MAILBOX_ON_FULL_REFUSE,
	  5000, 0, 0 },
	{ "rendezvous", 0, MAILBOX_CAPACITY_RENDEZVOUS, MAILBOX_ON_FULL_WAIT, 100, 0, 0 },
};

/* One run with one mailbox. */
struct run {
	const char *name;
	uint64_t seed;
	uint64_t random;
	uint64_t op;
	int fd;
	struct model_box box;
	struct model_sender *senders;
	pid_t dead[MODEL_DEAD];
	size_t nr_dead;
	void *hole;
};

#define SAME(run, model, module) \
	ASSERT_EQ(model, module) \
	TH_LOG("mailbox '%s', MAILBOX_SEED=%llu, operation %llu", (run)->name, \
	       (unsigned long long)(run)->seed, (unsigned long long)(run)->op)

static void same_counters(struct run *run)
{
	struct model_box *box = &run->box;
	struct mailbox_stat stat = box_stat(run->fd);

	SAME(run, box->nr, stat.messages);
	SAME(run, box->bytes, stat.bytes);
	SAME(run, box->sent, stat.sent);
	SAME(run, box->received, stat.received);
	SAME(run, box->expired, stat.expired);
	SAME(run, box->overwritten, stat.overwritten);
	SAME(run, box->max_messages, stat.max_messages);
	SAME(run, box->max_bytes, stat.max_bytes);
	SAME(run, box->message_size, stat.message_size);
	SAME(run, box->on_full, stat.on_full);
	SAME(run, 0, stat.receivers);
	SAME(run, 0, stat.senders);
	SAME(run, box->nr ? POLLIN : 0, poll_now(run->fd, POLLIN) & POLLIN);
}

static uint32_t random_length(struct run *run)
{
	uint32_t kind = model_below(&run->random, 200), size = run->box.message_size;

	if (kind == 0)
		return size + 1;
	if (kind < 3)
		return model_below(&run->random, MODEL_PAYLOAD_MAX);
	if (run->box.fixed_size)
		return kind < 190 ? size : size - 1;
	if (kind < 20)
		return model_below(&run->random, size + 1);
	if (kind < 30)
		return 0;
	return model_below(&run->random, 64);
}

/* Few types and priorities, so that they meet; now and then the ends of the range. */
static uint64_t random_type(struct run *run)
{
	uint32_t kind = model_below(&run->random, 40);

	if (kind == 0)
		return UINT64_MAX;
	return kind == 1 ? model_random(&run->random) : model_below(&run->random, 6);
}

static uint32_t random_priority(struct run *run)
{
	uint32_t kind = model_below(&run->random, 20);

	if (kind < 10)
		return 0;
	if (kind == 10)
		return MAILBOX_PRIORITY_MAX;
	return kind == 11 ? model_below(&run->random, MAILBOX_PRIORITY_MAX + 1) :
			    model_below(&run->random, 5);
}

static struct mailbox_send random_send(struct run *run, struct model_message *message,
				       unsigned char *payload)
{
	struct mailbox_send args = send_args(payload, random_length(run));

	args.type = random_type(run);
	args.priority = random_priority(run);
	if (model_below(&run->random, 8) == 0) {
		args.flags |= MAILBOX_EXPIRES;
		args.expiry = far_future() + model_below(&run->random, 1000);
	}
	*message = (struct model_message){
		.type = args.type,
		.expiry = args.expiry,
		.length = args.length,
		.priority = args.priority,
		.seed = model_below(&run->random, UINT32_MAX),
		.pid = getpid(),
	};
	if (args.length <= MODEL_PAYLOAD_MAX)
		model_fill(payload, args.length, message->seed);
	return args;
}

static void op_send(struct run *run)
{
	static unsigned char payload[MODEL_PAYLOAD_MAX + 1];
	struct model_message message;
	struct mailbox_send args = random_send(run, &message, payload);
	uint32_t who = model_below(&run->random, 40);
	int ret;

	if (who < MODEL_SENDERS && args.length <= MODEL_PAYLOAD_MAX) {
		message.pid = run->senders[who].pid;
		ret = model_sender_send(&run->senders[who], run->fd, &args, message.seed);
	} else {
		ret = box_send(run->fd, &args);
	}
	SAME(run, model_send(&run->box, &message), ret);
	if (!ret)
		SAME(run, message.sequence, args.sequence);
}

static void op_send_batch(struct run *run)
{
	static unsigned char payloads[BATCH_MAX][MODEL_PAYLOAD_MAX + 1];
	struct model_message messages[BATCH_MAX];
	struct mailbox_send entries[BATCH_MAX];
	struct mailbox_batch args = {
		.size = sizeof(args),
		.flags = MAILBOX_NONBLOCK,
		.entries = user_pointer(entries),
		.entry_size = sizeof(entries[0]),
		.nr = 1 + model_below(&run->random, BATCH_MAX),
	};
	uint32_t done;
	int ret, error = 0;

	for (uint32_t i = 0; i < args.nr; i++) {
		entries[i] = random_send(run, &messages[i], payloads[i]);
		entries[i].flags &= ~MAILBOX_NONBLOCK;
	}
	ret = call(run->fd, MAILBOX_IOC_SEND_BATCH, &args);
	for (done = 0; done < args.nr; done++) {
		error = model_send(&run->box, &messages[done]);
		if (error)
			break;
		SAME(run, messages[done].sequence, entries[done].sequence);
	}
	SAME(run, done ? 0 : error, ret);
	if (ret)
		return;
	SAME(run, done, args.done);
	SAME(run, -error, args.error);
}

static void op_send_fault(struct run *run)
{
	struct mailbox_send args = send_args(run->hole, run->box.message_size);

	/* It is not promised which of two errors it is. */
	if (model_has_room(&run->box, args.length))
		SAME(run, -EFAULT, box_send(run->fd, &args));
	else
		ASSERT_GT(0, box_send(run->fd, &args));
}

/* A message that has expired when the next operation comes, or was too late already. */
static void op_send_short_lived(struct run *run)
{
	static unsigned char payload[MODEL_PAYLOAD_MAX + 1];
	struct model_message message;
	struct mailbox_send args = random_send(run, &message, payload);
	int ret;

	args.flags |= MAILBOX_EXPIRES;
	args.expiry = model_below(&run->random, 4) ? now_ns() + 100000 : now_ns();
	message.expiry = args.expiry;
	ret = box_send(run->fd, &args);
	if (ret != -ETIMEDOUT) {
		SAME(run, model_send(&run->box, &message), ret);
		pass_time(args.expiry);
		model_expire(&run->box, now_ns());
	}
}

static uint64_t random_pid(struct run *run)
{
	uint32_t kind = model_below(&run->random, 6);

	if (kind < MODEL_SENDERS)
		return run->senders[kind].pid;
	if (kind == MODEL_SENDERS && run->nr_dead)
		return run->dead[model_below(&run->random, run->nr_dead)];
	/* Above what the kernel gives to any process. */
	return kind == MODEL_SENDERS + 1 ? 1 << 30 : getpid();
}

static struct mailbox_receive random_receive(struct run *run, unsigned char *data)
{
	struct mailbox_receive args = receive_args(data, MODEL_PAYLOAD_MAX);
	uint32_t kind = model_below(&run->random, 30);

	if (kind == 0)
		args.room = model_below(&run->random, 20);
	if (model_below(&run->random, 4) == 0)
		args.flags |= MAILBOX_TRUNCATE;
	args.select = MAILBOX_SELECT_FIRST;
	if (model_below(&run->random, 2))
		args.select = model_below(&run->random, MAILBOX_SELECT_INDEX + 1);
	switch (args.select) {
	case MAILBOX_SELECT_SENDER:
		args.match = random_pid(run);
		break;
	case MAILBOX_SELECT_PRIORITY:
		args.match = random_priority(run);
		break;
	case MAILBOX_SELECT_INDEX:
		args.match = model_below(&run->random, run->box.nr + 2);
		break;
	default:
		args.match = random_type(run);
	}
	return args;
}

static bool is_gone(struct run *run, uint64_t pid)
{
	if (pid == (uint64_t)getpid())
		return false;
	for (size_t i = 0; i < MODEL_SENDERS; i++)
		if (pid == (uint64_t)run->senders[i].pid)
			return false;
	return true;
}

static int model_result(struct run *run, const struct mailbox_receive *args,
			struct model_message *message)
{
	int ret = model_receive(&run->box, args->flags, args->room, args->select, args->match,
				message);

	if (ret == -EAGAIN && args->select == MAILBOX_SELECT_SENDER && is_gone(run, args->match))
		return -ESRCH;
	return ret;
}

static void same_message(struct run *run, const struct model_message *message,
			 const struct mailbox_receive *args, const unsigned char *data)
{
	uint32_t copied = message->length < args->room ? message->length : args->room;

	SAME(run, message->length, args->length);
	SAME(run, message->priority, args->priority);
	SAME(run, message->type, args->type);
	SAME(run, message->sequence, args->sequence);
	SAME(run, message->expiry, args->expiry);
	SAME(run, message->pid, args->pid);
	SAME(run, message->pid, args->tid);
	SAME(run, copied < message->length ? MAILBOX_TRUNCATED : 0, args->result);
	SAME(run, true, model_is_filled(data, copied, message));
}

static void op_receive(struct run *run)
{
	static unsigned char data[MODEL_PAYLOAD_MAX];
	struct mailbox_receive args = random_receive(run, data);
	struct model_message message;
	int expected, ret;

	if (model_below(&run->random, 5) == 0)
		args.flags |= MAILBOX_PEEK;
	ret = box_receive(run->fd, &args);
	expected = model_result(run, &args, &message);
	SAME(run, expected, ret);
	if (!ret)
		same_message(run, &message, &args, data);
	else if (ret == -EMSGSIZE)
		SAME(run, message.length, args.length);
}

static void op_receive_batch(struct run *run)
{
	static unsigned char data[BATCH_MAX][MODEL_PAYLOAD_MAX];
	struct mailbox_receive entries[BATCH_MAX];
	struct mailbox_batch args = {
		.size = sizeof(args),
		.flags = MAILBOX_NONBLOCK,
		.entries = user_pointer(entries),
		.entry_size = sizeof(entries[0]),
		.nr = 1 + model_below(&run->random, BATCH_MAX),
	};
	struct model_message message;
	uint32_t done;
	int ret, error = 0;

	for (uint32_t i = 0; i < args.nr; i++) {
		entries[i] = random_receive(run, data[i]);
		entries[i].flags &= ~MAILBOX_NONBLOCK;
	}
	ret = call(run->fd, MAILBOX_IOC_RECEIVE_BATCH, &args);
	for (done = 0; done < args.nr; done++) {
		error = model_result(run, &entries[done], &message);
		if (error)
			break;
		if (!ret)
			same_message(run, &message, &entries[done], data[done]);
	}
	SAME(run, done ? 0 : error, ret);
	if (ret)
		return;
	SAME(run, done, args.done);
	SAME(run, -error, args.error);
}

static void op_receive_fault(struct run *run)
{
	struct mailbox_receive args = receive_args(run->hole, MODEL_PAYLOAD_MAX);
	int first = model_find(&run->box, MAILBOX_SELECT_FIRST, 0);

	if (first >= 0 && run->box.queue[first].length)
		SAME(run, -EFAULT, box_receive(run->fd, &args));
}

static void op_set(struct run *run)
{
	struct model_box *box = &run->box;
	struct mailbox_set args = { .size = sizeof(args) };
	bool bounded = box->capacity == MAILBOX_CAPACITY_BOUNDED;
	int expected = 0;

	switch (model_below(&run->random, 4)) {
	case 0:
		args.flags = MAILBOX_SET_MAX_MESSAGES;
		args.max_messages = 1 + model_below(&run->random, ENOUGH);
		expected = bounded ? 0 : -EINVAL;
		break;
	case 1:
		args.flags = MAILBOX_SET_MAX_BYTES;
		args.max_bytes = box->message_size + model_below(&run->random, 20000);
		expected = bounded ? 0 : -EINVAL;
		break;
	case 2:
		args.flags = MAILBOX_SET_MESSAGE_SIZE;
		args.message_size = 1 + model_below(&run->random, bounded ? 500 : 20000);
		if (box->fixed_size || (bounded && args.message_size > box->max_bytes))
			expected = -EINVAL;
		break;
	default:
		args.flags = MAILBOX_SET_ON_FULL;
		args.on_full = model_below(&run->random, MAILBOX_ON_FULL_WAIT_EACH + 1);
		if (args.on_full == MAILBOX_ON_FULL_OVERWRITE && !bounded)
			expected = -EINVAL;
	}
	SAME(run, expected, call(run->fd, MAILBOX_IOC_SET, &args));
	if (expected)
		return;
	if (args.max_messages)
		box->max_messages = args.max_messages;
	if (args.max_bytes)
		box->max_bytes = args.max_bytes;
	if (args.message_size)
		box->message_size = args.message_size;
	if (args.flags == MAILBOX_SET_ON_FULL)
		box->on_full = args.on_full;
}

static void op_replace_sender(struct run *run)
{
	struct model_sender *sender = &run->senders[model_below(&run->random, MODEL_SENDERS)];

	run->dead[run->nr_dead % MODEL_DEAD] = sender->pid;
	if (run->nr_dead < MODEL_DEAD)
		run->nr_dead++;
	model_sender_end(sender);
	model_sender_start(sender);
}

static void step(struct run *run)
{
	/* Tides, so that mailboxes are full for a while and empty for a while. */
	bool rising = run->op / 700 % 2;
	uint32_t kind = model_below(&run->random, 1000);
	bool send = model_below(&run->random, 100) < (rising ? 65 : 40) && run->box.nr < ENOUGH;

	if (kind == 0)
		op_set(run);
	else if (kind < 5)
		op_send_short_lived(run);
	else if (kind < 10)
		op_send_fault(run);
	else if (kind < 20)
		op_receive_fault(run);
	else if (kind < 60)
		(send ? op_send_batch : op_receive_batch)(run);
	else
		(send ? op_send : op_receive)(run);
	if (model_below(&run->random, 20000) == 0)
		op_replace_sender(run);
	if (run->op % 8 == 0)
		same_counters(run);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

TEST_TIMEOUT(million_operations_as_the_model, 1200)
{
	static struct model_sender senders[MODEL_SENDERS];
	static struct run run;
	uint64_t seed = number_of("MAILBOX_SEED", now_ns());
	uint64_t ops = number_of("MAILBOX_OPS", effort(1000000));
	/* Kept, unlike a hole: other memory must not come to lie there. */
	void *hole = mmap(NULL, MODEL_PAYLOAD_MAX, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int device = device_open();

	ASSERT_TRUE(hole != MAP_FAILED);
	TH_LOG("MAILBOX_SEED=%llu MAILBOX_OPS=%llu", (unsigned long long)seed,
	       (unsigned long long)ops);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct kind *kind = &kinds[i];
		struct mailbox_create args = create_args();

		args.flags = kind->flags;
		args.capacity = kind->capacity;
		args.on_full = kind->on_full;
		args.message_size = kind->message_size;
		args.max_messages = kind->max_messages;
		args.max_bytes = kind->max_bytes;
		run = (struct run){
			.name = kind->name,
			.seed = seed,
			.random = (seed + i) * 2 + 1,
			.fd = box_create(device, &args),
			.box = {
				.capacity = kind->capacity,
				.on_full = kind->on_full,
				.message_size = kind->message_size,
				.fixed_size = kind->flags & MAILBOX_FIXED_SIZE,
				.max_messages = kind->max_messages,
				.max_bytes = kind->max_bytes,
			},
			.senders = senders,
			.hole = hole,
		};
		ASSERT_LE(0, run.fd);
		for (size_t j = 0; j < MODEL_SENDERS; j++)
			model_sender_start(&senders[j]);
		for (run.op = 0; run.op < ops / ARRAY_SIZE(kinds); run.op++)
			step(&run);
		for (size_t j = 0; j < MODEL_SENDERS; j++)
			model_sender_end(&senders[j]);
		same_counters(&run);
		close(run.fd);
	}
	close(device);
}

TEST_HARNESS_MAIN
