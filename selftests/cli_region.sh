#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command 'mailbox' and shared pages: 'create --region', 'set --region', 'cat-region', and
# 'stat', also of loans and lanes.

test_region_is_shown()
{
	mailbox create --region=64K jobs >out
	[ "$(figure jobs region_size)" = 65536 ] || return
	expect 0 mailbox stat jobs && contains "region bytes     65536" || return
	contains "mappings         0" && contains "last mapped" || return
	[ "$(figure jobs maps)" = 0 ] && [ "$(figure jobs last_mapper)" = 0 ] || return
	expect 0 mailbox cat-region jobs && [ "$(figure jobs maps)" = 0 ] || return
	[ "$(figure jobs last_mapper)" != 0 ] && [ "$(figure jobs last_unmapped)" != 0 ] || return
	mailbox create plain >out
	[ "$(figure plain region_size)" = 0 ]
}

test_region_grows()
{
	mailbox create jobs >out
	expect 0 mailbox set --region=1 jobs && [ "$(figure jobs region_size)" = 4096 ] || return
	expect 0 mailbox set --region=1M jobs && [ "$(figure jobs region_size)" = 1048576 ] || return
	expect 1 mailbox set --region=64K jobs && [ "$(figure jobs region_size)" = 1048576 ]
}

test_cat_region()
{
	mailbox create --region=8K jobs >out
	expect 0 mailbox cat-region jobs && head -c 8192 /dev/zero | cmp - out || return
	expect 0 mailbox cat-region --offset=8000 jobs && head -c 192 /dev/zero | cmp - out || return
	expect 0 mailbox cat-region --offset=100 --length=5 jobs &&
		head -c 5 /dev/zero | cmp - out || return
	expect 0 mailbox cat-region --offset=8K jobs && [ ! -s out ] || return
	expect 0 mailbox cat-region --offset=8K --length=0 jobs && [ ! -s out ]
}

test_cat_region_beyond()
{
	mailbox create --region=8K jobs >out
	expect 1 mailbox cat-region --offset=8193 jobs && says "ends at 8192" || return
	expect 1 mailbox cat-region --offset=8000 --length=193 jobs && says "ends at 8192" || return
	expect 1 mailbox cat-region --length=8193 jobs && [ ! -s out ]
}

test_cat_region_where_there_is_none()
{
	mailbox create jobs >out
	expect 1 mailbox cat-region jobs && says "has no shared memory" || return
	expect 3 mailbox cat-region nowhere
}

# While an example is at work: it has a mailbox of its own name.
during()
{
	local name="$1" figure="$2" here tries=0 shown=1

	here=$(readlink -f "$(dirname "$0")")/examples
	setsid "$here/$name" 1000000000 >/dev/null 2>&1 &
	while [ $tries -lt 2000 ]; do
		tries=$((tries + 1))
		mailbox stat --json "$name" >out 2>err || continue
		grep -q "\"$figure\":[1-9]" out || continue
		mailbox stat "$name" >out && shown=0
		break
	done
	kill -9 -- -$!
	wait $! 2>/dev/null
	return $shown
}

test_loans_are_shown()
{
	mailbox create --region=64K jobs >out
	[ "$(figure jobs loans)" = 0 ] && [ "$(figure jobs loaned)" = 0 ] || return
	during frames loans && contains "loans            " && contains "loaned bytes     "
}

test_lanes_are_shown()
{
	mailbox create jobs >out
	[ "$(figure jobs lanes)" = 0 ] || return
	during sensor lanes && contains "lanes            1"
}

test_region_usage()
{
	mailbox create jobs >out
	expect 2 mailbox create --region=0 other || return
	expect 2 mailbox create --region=x other || return
	expect 2 mailbox create --region=1025G other || return
	expect 2 mailbox cat-region || return
	expect 2 mailbox cat-region --offset=x jobs || return
	expect 2 mailbox cat-region --length=-1 jobs || return
	expect 0 mailbox cat-region --help && contains "Usage: mailbox cat-region"
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
