// SPDX-License-Identifier: GPL-2.0
/*
 * What a message means, as headers of NATS. What comes in was written by anybody who may publish:
 * each value is checked as a whole, and believed or left out.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bridge.h"
#include "envelope.h"

/* Digits of any number of 64 bits, and the final NUL. */
#define NUMBER_SIZE 21
/* Host and five numbers with a blank before each. */
#define SENDER_SIZE (ENVELOPE_HOST_SIZE + 5 * NUMBER_SIZE)
/* What libnats writes before the headers and behind them, and of itself for each. */
#define HEADERS_LENGTH (sizeof("NATS/1.0\r\n") - 1 + sizeof("\r\n") - 1)
#define HEADER_LENGTH  (sizeof(": \r\n") - 1)

#define HEADERS_MAX 7

/* The headers of one message; those with text that is made have it here. */
struct headers {
	unsigned int nr;
	struct {
		const char *key, *value;
	} all[HEADERS_MAX];
	char type[NUMBER_SIZE], priority[NUMBER_SIZE], expiry[NUMBER_SIZE], deliveries[NUMBER_SIZE];
	char sender[SENDER_SIZE];
};

void envelope_stamp(struct envelope *envelope, const char *host,
		    const struct mailbox_message *message)
{
	snprintf(envelope->host, sizeof(envelope->host), "%s", host);
	envelope->pid = message->pid;
	envelope->tid = message->tid;
	envelope->uid = message->uid;
	envelope->gid = message->gid;
}

static void add(struct headers *headers, const char *key, const char *value)
{
	headers->all[headers->nr].key = key;
	headers->all[headers->nr++].value = value;
}

static void add_number(struct headers *headers, const char *key, uint64_t number,
		       char text[NUMBER_SIZE])
{
	if (!number)
		return;
	snprintf(text, NUMBER_SIZE, "%" PRIu64, number);
	add(headers, key, text);
}

static void make_headers(const struct envelope *envelope, struct headers *headers)
{
	headers->nr = 0;
	if (*envelope->id)
		add(headers, HEADER_ID, envelope->id);
	add_number(headers, HEADER_TYPE, envelope->type, headers->type);
	add_number(headers, HEADER_PRIORITY, envelope->priority, headers->priority);
	add_number(headers, HEADER_EXPIRY, envelope_wall(envelope->expiry), headers->expiry);
	if (*envelope->host) {
		snprintf(headers->sender, sizeof(headers->sender),
			 "%s %" PRId32 " %" PRId32 " %" PRIu32 " %" PRIu32 " %" PRIu64,
			 envelope->host, envelope->pid, envelope->tid, envelope->uid, envelope->gid,
			 envelope->time);
		add(headers, HEADER_SENDER, headers->sender);
	}
	add_number(headers, HEADER_DELIVERIES, envelope->deliveries, headers->deliveries);
	if (*envelope->receipt)
		add(headers, HEADER_RECEIPT, envelope->receipt);
}

int envelope_request(const struct envelope *envelope, const char *subject, const char *reply,
		     const void *data, size_t length, natsMsg **msg)
{
	struct headers headers;
	unsigned int i;

	if (length > INT_MAX)
		return -EMSGSIZE;
	make_headers(envelope, &headers);
	if (natsMsg_Create(msg, subject, reply, data, length) != NATS_OK)
		return -ENOMEM;
	for (i = 0; i < headers.nr; i++) {
		if (natsMsgHeader_Set(*msg, headers.all[i].key, headers.all[i].value) == NATS_OK)
			continue;
		natsMsg_Destroy(*msg);
		*msg = NULL;
		return -ENOMEM;
	}
	return 0;
}

int envelope_seal(const struct envelope *envelope, const char *subject, const void *data,
		  size_t length, natsMsg **msg)
{
	return envelope_request(envelope, subject, NULL, data, length, msg);
}

size_t envelope_length(const struct envelope *envelope)
{
	size_t length = HEADERS_LENGTH;
	struct headers headers;
	unsigned int i;

	make_headers(envelope, &headers);
	for (i = 0; i < headers.nr; i++)
		length += strlen(headers.all[i].key) + strlen(headers.all[i].value) + HEADER_LENGTH;
	return headers.nr ? length : 0;
}

/*
 * A number up to a maximum, of digits alone: no sign, no blank, nothing that strtoull(3) would be
 * glad to have. Sets the text behind it.
 */
static bool number_of(const char **text, uint64_t max, uint64_t *number)
{
	const char *at = *text;
	uint64_t value = 0;
	unsigned int digit;

	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		digit = *at - '0';
		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*text = at;
	*number = value;
	return true;
}

const char *envelope_header(natsMsg *msg, const char *key)
{
	const char *value = NULL;

	if (natsMsgHeader_Get(msg, key, &value) != NATS_OK)
		return NULL;
	return value;
}

uint64_t envelope_number(natsMsg *msg, const char *key, uint64_t max)
{
	const char *text = envelope_header(msg, key);
	uint64_t number;

	if (!text || !number_of(&text, max, &number) || *text)
		return 0;
	return number;
}

bool envelope_is_name(const char *text, size_t length)
{
	char before = '.';
	size_t i;

	for (i = 0; i < length; i++) {
		if (text[i] == '.' ?
			    before == '.' :
			    !isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')
			return false;
		before = text[i];
	}
	return before != '.';
}

bool envelope_is_receipt(const char *text)
{
	size_t host = strcspn(text, "/"), length = strlen(text);

	return length < ENVELOPE_RECEIPT_SIZE && host < ENVELOPE_HOST_SIZE && text[host] == '/' &&
	       !memchr(text, '.', host) && envelope_is_name(text, host) &&
	       envelope_is_name(text + host + 1, length - host - 1);
}

/* All of it or nothing. */
static void open_sender(struct envelope *envelope, const char *text)
{
	static const uint64_t max[] = { INT32_MAX, INT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX };
	size_t length = strcspn(text, " ");
	const char *at = text + length;
	uint64_t numbers[5];
	unsigned int i;

	if (length >= sizeof(envelope->host) || !envelope_is_name(text, length))
		return;
	for (i = 0; i < 5; i++)
		if (*at++ != ' ' || !number_of(&at, max[i], &numbers[i]))
			return;
	if (*at)
		return;

	memcpy(envelope->host, text, length);
	envelope->pid = numbers[0];
	envelope->tid = numbers[1];
	envelope->uid = numbers[2];
	envelope->gid = numbers[3];
	envelope->time = numbers[4];
}

void envelope_open(struct envelope *envelope, natsMsg *msg)
{
	const char *text;

	memset(envelope, 0, sizeof(*envelope));
	text = envelope_header(msg, HEADER_ID);
	/* One that was cut could be that of another message: rather none. */
	if (text && strlen(text) < sizeof(envelope->id))
		strcpy(envelope->id, text);
	envelope->type = envelope_number(msg, HEADER_TYPE, UINT64_MAX);
	envelope->priority = envelope_number(msg, HEADER_PRIORITY, MAILBOX_PRIORITY_MAX);
	envelope->expiry = envelope_monotonic(envelope_number(msg, HEADER_EXPIRY, UINT64_MAX));
	envelope->deliveries = envelope_number(msg, HEADER_DELIVERIES, UINT32_MAX);
	text = envelope_header(msg, HEADER_SENDER);
	if (text)
		open_sender(envelope, text);
	text = envelope_header(msg, HEADER_RECEIPT);
	if (text && envelope_is_receipt(text))
		strcpy(envelope->receipt, text);
}

static int64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * (int64_t)SECOND + time.tv_nsec;
}

uint64_t envelope_wall(uint64_t time)
{
	int64_t offset, wall;

	if (!time)
		return 0;
	if (time > INT64_MAX)
		return INT64_MAX;
	offset = now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC);
	if (__builtin_add_overflow((int64_t)time, offset, &wall))
		return INT64_MAX;
	/* A clock on the wall that stands before 1970 is wrong; what has a time still has one. */
	return wall > 0 ? wall : 1;
}

uint64_t envelope_monotonic(uint64_t unix_time)
{
	int64_t offset, time;

	if (!unix_time)
		return 0;
	if (unix_time > INT64_MAX)
		return INT64_MAX;
	offset = now(CLOCK_MONOTONIC) - now(CLOCK_REALTIME);
	if (__builtin_add_overflow((int64_t)unix_time, offset, &time))
		return offset > 0 ? INT64_MAX : 1;
	return time > 0 ? time : 1;
}
