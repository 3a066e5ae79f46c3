/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who has sent a message that came from another host.
 *
 * The stamp of the kernel names the process that has sent a message here: of one from another
 * host that is the bridge, mailbox-bridge(8). With `origin: true` the bridge puts a struct
 * mailbox_origin before the payload, which says what the kernel of the other host said there.
 *
 * It is a CLAIM: the bridge here repeats what the bridge there has told the server, or whoever
 * else can publish under the subject. Believe it as far as you believe these, and only where
 * the stamp of this message (pid, uid of struct mailbox_message) is that of the bridge: whoever
 * may send to the mailbox can write such bytes, too.
 */
#ifndef LIBMAILBOX_ORIGIN_H
#define LIBMAILBOX_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MAILBOX_ORIGIN_MAGIC   0x6e696769726f786dULL /* "mxorigin" in memory, where little-endian */
#define MAILBOX_ORIGIN_VERSION 1

/**
 * struct mailbox_origin - what precedes a payload from another host; in the byte order of this one
 * @magic: MAILBOX_ORIGIN_MAGIC
 * @version: MAILBOX_ORIGIN_VERSION; of others only @magic to @size are as here
 * @size: of this structure; the payload begins there
 * @time: when the kernel there accepted the message, unix nanoseconds; 0 when it is not known, as
 *	of all that follows
 * @deliveries: how often it was delivered before, there and by the server
 * @reserved: 0
 * @pid: of the sender, as the bridge there sees it
 * @tid: likewise
 * @uid: likewise; 4294967295 when it is not known
 * @gid: likewise
 * @host: name that the bridge there gives itself, ends with a zero byte; "" for none
 * @id: of the message, the same wherever it goes; likewise
 */
struct mailbox_origin {
	uint64_t magic;
	uint32_t version;
	uint32_t size;
	uint64_t time;
	uint32_t deliveries;
	uint32_t reserved;
	int32_t pid;
	int32_t tid;
	uint32_t uid;
	uint32_t gid;
	char host[64];
	char id[192];
};

/**
 * mailbox_origin_parse() - take apart a message that may have an origin
 * @data: of the message
 * @length: of it
 * @origin: filled in on success, whatever the alignment of @data; or NULL
 * @payload_offset: set on success: where the payload begins, @length at most; or NULL
 *
 * Return: 0, -EBADMSG when it begins with no origin, or -EOPNOTSUPP when that is of a version
 * which this library does not know. Never waits.
 */
int mailbox_origin_parse(const void *data, size_t length, struct mailbox_origin *origin,
			 size_t *payload_offset);

#ifdef __cplusplus
}
#endif

#endif /* LIBMAILBOX_ORIGIN_H */
