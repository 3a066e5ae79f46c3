// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <stdlib.h>

#include "retire.h"

/* For the round trip, milliseconds. */
#define PATIENCE 2000

struct retired {
	struct retired *next;
	natsSubscription *subscription;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct retired *aside; /* guarded by lock */

static void destroy(struct retired *list)
{
	struct retired *next;

	for (; list; list = next) {
		next = list->next;
		natsSubscription_Destroy(list->subscription);
		free(list);
	}
}

static struct retired *take_all(void)
{
	struct retired *list;

	pthread_mutex_lock(&lock);
	list = aside;
	aside = NULL;
	pthread_mutex_unlock(&lock);
	return list;
}

void retire(natsConnection *nats, natsSubscription *subscription)
{
	struct retired *list, *last;

	if (!subscription)
		return;
	last = malloc(sizeof(*last));
	/* No memory is better than memory that is used by two. */
	if (!last)
		return;
	natsSubscription_Unsubscribe(subscription);
	list = take_all();
	*last = (struct retired){ .next = list, .subscription = subscription };
	list = last;

	/* The reader has read the answer, so it is past all that came before. */
	if (natsConnection_FlushTimeout(nats, PATIENCE) == NATS_OK) {
		destroy(list);
		return;
	}
	while (last->next)
		last = last->next;
	pthread_mutex_lock(&lock);
	last->next = aside;
	aside = list;
	pthread_mutex_unlock(&lock);
}

void retire_all(void)
{
	destroy(take_all());
}
