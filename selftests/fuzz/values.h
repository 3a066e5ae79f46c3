/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a member of a structure is when it is valid, and what one byte of a change can
 * make of it.
 */
#ifndef FUZZ_VALUES_H
#define FUZZ_VALUES_H

#include "describe.h"

__u64 value_initial(const struct layout *layout, const struct member *member,
		    const struct call *call);
__u64 value_changed(const struct layout *layout, const struct member *member,
		    const struct call *call, const struct change *change);
__u64 number_of(const struct change *change);
/* A name of exactly MAILBOX_NAME_SIZE bytes. */
void name_of(__u8 value, char *name);
/* Of flags: that of leases, and with it those of the lower five bits. */
#define FLAGS_LEASE 160
/* The same for that of files; and from 32 more on for both. */
#define FLAGS_FILES 192
/*
 * With those of the lower three or four bits: to answer; or for a receipt, and from 8 more
 * on to wait for it.
 */
#define FLAGS_ANSWER  144
#define FLAGS_RECEIPT 144

__u64 now_ns(void);

#endif
