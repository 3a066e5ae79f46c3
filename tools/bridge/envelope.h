/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a message means, as headers of NATS. Those that are 0 are left out; a message of
 * another client, without any, is one of type 0 and priority 0, from nobody.
 */
#ifndef BRIDGE_ENVELOPE_H
#define BRIDGE_ENVELOPE_H

#include <stdbool.h>

#include <nats/nats.h>

#include <mailbox.h>

#define HEADER_ID	  "Nats-Msg-Id"
#define HEADER_TYPE	  "Mailbox-Type"
#define HEADER_PRIORITY	  "Mailbox-Priority"
#define HEADER_EXPIRY	  "Mailbox-Expiry" /* unix nanoseconds */
#define HEADER_SENDER	  "Mailbox-Sender" /* "host pid tid uid gid time" */
#define HEADER_DELIVERIES "Mailbox-Deliveries"
#define HEADER_RECEIPT	  "Mailbox-Receipt" /* "host/route": who wants to know */
#define HEADER_REASON	  "Mailbox-Reason" /* of a dead letter */

#define ENVELOPE_HOST_SIZE    64
#define ENVELOPE_ID_SIZE      192
#define ENVELOPE_RECEIPT_SIZE (2 * ENVELOPE_HOST_SIZE)

/**
 * struct envelope - a message between hosts, without its payload
 * @id: of the message, everywhere and for ever; "" when another client has made it
 * @type: of the message
 * @priority: of the message
 * @expiry: by the clock of this host, CLOCK_MONOTONIC nanoseconds, as the library has it; 0 never
 * @host: of the sender, as the bridge there says; "" for none
 * @pid: of the sender there, and so on
 * @tid: likewise
 * @uid: likewise
 * @gid: likewise
 * @time: when the kernel there accepted it, unix nanoseconds
 * @deliveries: how often it was delivered before, there
 * @receipt: "host/route" that wants to know how it ends, or ""
 */
struct envelope {
	char id[ENVELOPE_ID_SIZE];
	uint64_t type;
	uint32_t priority;
	uint64_t expiry;
	char host[ENVELOPE_HOST_SIZE];
	int32_t pid, tid;
	uint32_t uid, gid;
	uint64_t time;
	uint32_t deliveries;
	char receipt[ENVELOPE_RECEIPT_SIZE];
};

/**
 * envelope_stamp() - say who has sent a message here
 * @envelope: host, pid, tid, uid and gid are filled in
 * @host: this one
 * @message: with the stamp of the kernel
 */
void envelope_stamp(struct envelope *envelope, const char *host,
		    const struct mailbox_message *message);

/**
 * envelope_is_name() - whether bytes can stand in a subject as they are
 * @text: of a configuration or a header
 * @length: how many of it; the caller sees to it that they are not too many
 *
 * Letters, digits, '-' and '_', one or more parts of these with a dot between. What is not this
 * could make a subject with a wildcard, or none.
 *
 * Return: whether they can.
 */
bool envelope_is_name(const char *text, size_t length);

/* Whether a text is "host/route", of names that fit; that of a host has no dot. */
bool envelope_is_receipt(const char *text);

/* A header of a message, or NULL. */
const char *envelope_header(natsMsg *msg, const char *key);

/* Likewise, as a number of at most @max; 0 when there is none that makes sense. */
uint64_t envelope_number(natsMsg *msg, const char *key, uint64_t max);

/**
 * envelope_seal() - a message of NATS
 * @envelope: what it means
 * @subject: of the message
 * @data: payload
 * @length: of the payload
 * @msg: set on success; end it with natsMsg_Destroy()
 *
 * Return: 0, -ENOMEM, or -EMSGSIZE for what no server takes.
 */
int envelope_seal(const struct envelope *envelope, const char *subject, const void *data,
		  size_t length, natsMsg **msg);

/**
 * envelope_length() - how much longer a message gets by its headers
 * @envelope: as for envelope_seal()
 *
 * Servers count that, too, and close the connection on what is longer than they take.
 *
 * Return: bytes.
 */
size_t envelope_length(const struct envelope *envelope);

/* Likewise, of one whose answers go to the subject @reply. */
int envelope_request(const struct envelope *envelope, const char *subject, const char *reply,
		     const void *data, size_t length, natsMsg **msg);

/**
 * envelope_open() - what a message of NATS means
 * @envelope: filled in
 * @msg: the message
 *
 * A header that makes no sense is as if it were not there: a priority that no mailbox has, a
 * sender of whom a part is missing, an id that is too long. A host and a receipt can stand in a
 * subject as they are.
 */
void envelope_open(struct envelope *envelope, natsMsg *msg);

/**
 * envelope_wall() - a time of CLOCK_MONOTONIC by the clock on the wall, and back
 * @time: nanoseconds; 0 stays 0
 *
 * Return: unix nanoseconds, by what the clock on the wall shows now; at most INT64_MAX.
 */
uint64_t envelope_wall(uint64_t time);
/* And back; what lies before the boot becomes 1, which is long ago; at most INT64_MAX. */
uint64_t envelope_monotonic(uint64_t unix_time);

#endif /* BRIDGE_ENVELOPE_H */
