// SPDX-License-Identifier: GPL-2.0
/*
 * Through mailboxes: what is sent on one host arrives on the other. The bridges are there already.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mailbox.h>

#include "measure.h"

#define BATCH 64

static int open_box(int device, unsigned int nr, uint32_t rights)
{
	char name[16];
	int box;

	snprintf(name, sizeof(name), "r%u", nr);
	box = mailbox_open(device, name, rights, 0);
	if (box < 0)
		fail(name, mailbox_strerror(box));
	return box;
}

static int open_device(void)
{
	int device = mailbox_device_open();

	if (device < 0)
		fail("/dev/mailbox", mailbox_strerror(device));
	return device;
}

/**
 * boxes_send() - send all messages
 * @job: what to do
 * @outcome: when it began goes there
 */
void boxes_send(const struct job *job, struct outcome *outcome)
{
	char *payload = calloc(1, job->size);
	int boxes[job->routes], device = open_device(), ret;
	unsigned int i;
	uint64_t nr;

	for (i = 0; i < job->routes; i++)
		boxes[i] = open_box(device, i + 1, MAILBOX_RIGHT_SEND);
	await_ready(outcome, job->routes);
	for (nr = 0; nr < job->messages; nr++) {
		stamp(job, outcome, nr, payload);
		ret = mailbox_send(boxes[nr % job->routes], payload, job->size);
		if (ret)
			fail("send", mailbox_strerror(ret));
	}
	free(payload);
}

struct receiver {
	const struct job *job;
	struct outcome *outcome;
	int box;
	uint64_t messages;
	pthread_t thread;
};

static void *receive(void *data)
{
	struct receiver *receiver = data;
	struct mailbox_message messages[BATCH];
	size_t size = receiver->job->size;
	char *payloads = malloc(BATCH * size);
	uint64_t left = receiver->messages;
	int nr, i;

	ready(receiver->outcome);
	while (left) {
		for (i = 0; i < BATCH; i++)
			messages[i] = (struct mailbox_message){ .data = payloads + i * size,
								.room = size };
		nr = mailbox_receive_batch(receiver->box, messages, left < BATCH ? left : BATCH,
					   NULL, 0, 0, NULL);
		if (nr < 0)
			fail("receive", mailbox_strerror(nr));
		for (i = 0; i < nr; i++)
			arrived(receiver->job, receiver->outcome, messages[i].data);
		left -= nr;
	}
	free(payloads);
	return NULL;
}

/**
 * boxes_receive() - receive all messages
 * @job: what to do
 * @outcome: when each came goes there
 */
void boxes_receive(const struct job *job, struct outcome *outcome)
{
	struct receiver *receivers = calloc(job->routes, sizeof(*receivers));
	int device = open_device();
	unsigned int i;

	for (i = 0; i < job->routes; i++) {
		receivers[i] = (struct receiver){
			.job = job,
			.outcome = outcome,
			.box = open_box(device, i + 1, MAILBOX_RIGHT_RECEIVE),
			.messages = (job->messages + job->routes - 1 - i) / job->routes,
		};
		if (pthread_create(&receivers[i].thread, NULL, receive, &receivers[i]))
			fail("thread", "there can be no more");
	}
	for (i = 0; i < job->routes; i++)
		pthread_join(receivers[i].thread, NULL);
	free(receivers);
}
