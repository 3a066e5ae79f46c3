/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The structures of the interface as the fuzzer knows them: for each member what kind
 * of value it takes and whether the kernel may write it, for each command the errors
 * that the header lists.
 */
#ifndef FUZZ_DESCRIBE_H
#define FUZZ_DESCRIBE_H

#include <linux/mailbox.h>
#include <stdbool.h>

#include "input.h"

enum kind {
	KIND_NUMBER,
	KIND_SIZE,
	KIND_FLAGS,
	KIND_RIGHTS,
	KIND_MODE,
	KIND_DATA,
	KIND_LENGTH,
	KIND_ENTRIES,
	KIND_ENTRY_SIZE,
	KIND_NR,
	KIND_NAME,
	KIND_ID,
	KIND_TIME,
	KIND_PERSON,
	KIND_SELECT,
	KIND_MATCH,
	/* Of a mailbox, or 0. */
	KIND_DEAD_LETTER,
	/* An array of numbers. */
	KIND_LEASES,
	KIND_EVENTS,
	KIND_EVENTFD,
	KIND_GRANT,
	/* An array of descriptors, and how many. */
	KIND_FILES,
	KIND_NR_FILES,
	KIND_LEASE,
	/* A number, and the bytes that are wanted. */
	KIND_LOAN,
	KIND_BORROW,
	/* Where the answer of a call goes, and how much of it. */
	KIND_ANSWER,
	KIND_ROOM,
	/* The structure of a message, the only entry. */
	KIND_MESSAGE,
	/* Of a process: its number, and what tells it from others of that number. */
	KIND_PID,
	KIND_PROCESS,
	/* A handle for receipts, and a structure for one. */
	KIND_RECEIPT,
	KIND_RECEIPT_DATA,
};

enum direction { IN, OUT, IN_OUT };

struct member {
	const char *name;
	__u16 offset;
	__u16 size;
	enum kind kind;
	enum direction direction;
};

#define MEMBERS_MAX 48
#define ERRORS_MAX  24

struct layout {
	const char *name;
	__u32 cmd;
	__u32 size;
	/* Of its first version; 0: the same. */
	__u32 least;
	struct member members[MEMBERS_MAX];
	/* Of the array, or the one message, that a member points to, if there is one. */
	const struct layout *entry;
	/* Bits of flags that the header allows. */
	__u32 flags;
	/* May the kernel read what data points to, or write it? */
	bool writes_data;
	/* Besides those that all commands have. */
	int errors[ERRORS_MAX];
};

extern const struct layout layouts[OP_LAYOUTS];
/* One of the mailboxes that LIST writes. */
extern const struct layout list_entry;
/* One of the links that LINKS writes. */
extern const struct layout link_entry;

/* Bytes of its first version. */
__u32 layout_least(const struct layout *layout);
unsigned int layout_members(const struct layout *layout);
/* The first of this kind, or NULL. */
const struct member *layout_member(const struct layout *layout, enum kind kind);
__u64 member_get(const __u8 *image, const struct member *member);
/* Is that an error that the header lists for this command? */
bool layout_has_error(const struct layout *layout, int error);
/* Of any command. */
bool is_listed_error(int error);
/* NULL, or the structure that the tables do not describe to its last byte. */
const char *layouts_incomplete(void);

#endif
