/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_MODEL_RUN_H
#define SELFTESTS_MODEL_RUN_H

#include "common.h"
#include "model_box.h"

/* What model.c drives: random numbers, payloads, and processes that send on request. */

#define MODEL_PAYLOAD_MAX 24576
#define MODEL_SENDERS	  2
#define MODEL_DEAD	  4

/* xorshift64*: the same numbers everywhere, from one printed seed. */
static inline uint64_t model_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static inline uint32_t model_below(uint64_t *state, uint32_t limit)
{
	return (model_random(state) >> 32) % limit;
}

static inline void model_fill(unsigned char *data, uint32_t length, uint32_t seed)
{
	uint64_t state = seed | 1ULL << 32;

	for (uint32_t i = 0; i < length; i++) {
		if (i % 8 == 0)
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		data[i] = state >> (8 + i % 8 * 6);
	}
}

static inline bool model_is_filled(const unsigned char *data, uint32_t length,
				   const struct model_message *message)
{
	static unsigned char whole[MODEL_PAYLOAD_MAX];

	model_fill(whole, message->length, message->seed);
	return !memcmp(data, whole, length);
}

/* Written instead of a request; closing the pipe would not do, others have it too. */
#define MODEL_END 1

/* A process that sends what its parent tells it to. */
struct model_request {
	int fd;
	int ret;
	struct mailbox_send args;
	uint32_t seed;
};

struct model_sender {
	pid_t pid;
	int request;
	int answer;
	struct model_request *shared;
};

static inline __attribute__((noreturn)) void model_sender_loop(struct model_sender *sender)
{
	static unsigned char payload[MODEL_PAYLOAD_MAX];
	struct model_request *todo = sender->shared;
	char byte;

	while (read(sender->request, &byte, 1) == 1 && byte != MODEL_END) {
		model_fill(payload, todo->args.length, todo->seed);
		todo->args.data = user_pointer(payload);
		todo->ret = box_send(todo->fd, &todo->args);
		if (write(sender->answer, &byte, 1) != 1)
			break;
	}
	_exit(KSFT_PASS);
}

static inline void model_sender_start(struct model_sender *sender)
{
	int down[2], up[2];

	sender->shared = mmap(NULL, sizeof(*sender->shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(sender->shared != MAP_FAILED);
	ASSERT_EQ(0, pipe2(down, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(up, O_CLOEXEC));
	sender->pid = child_fork();
	if (!sender->pid) {
		sender->request = down[0];
		sender->answer = up[1];
		close(down[1]);
		close(up[0]);
		model_sender_loop(sender);
	}
	close(down[0]);
	close(up[1]);
	sender->request = down[1];
	sender->answer = up[0];
}

static inline int model_sender_send(struct model_sender *sender, int fd, struct mailbox_send *args,
				    uint32_t seed)
{
	char byte = 0;

	*sender->shared = (struct model_request){ .fd = fd, .args = *args, .seed = seed };
	ASSERT_EQ(1, write(sender->request, &byte, 1));
	ASSERT_EQ(1, read(sender->answer, &byte, 1));
	args->sequence = sender->shared->args.sequence;
	return sender->shared->ret;
}

/* Ended and reaped: its pid is free, its messages stay. */
static inline void model_sender_end(struct model_sender *sender)
{
	char byte = MODEL_END;

	ASSERT_EQ(1, write(sender->request, &byte, 1));
	close(sender->request);
	close(sender->answer);
	child_done(sender->pid);
	munmap(sender->shared, sizeof(*sender->shared));
}

#endif /* SELFTESTS_MODEL_RUN_H */
