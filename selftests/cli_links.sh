#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command 'mailbox' and direct communication: 'send-to', 'receive-from' and 'links'.

# The process of a receiver in the background, once it waits.
until_waits()
{
	local tries=0

	until receiver=$(sed -n 's/^mailbox: process \([0-9]*\) waits$/\1/p' "$1") &&
		[ "$receiver" ]; do
		tries=$((tries + 1))
		[ $tries -lt 3000 ] || return
		sleep 0.01
	done
}

test_send_to_a_receiver()
{
	mailbox receive-from >got 2>said &
	until_waits said || return
	expect 0 mailbox send-to "$receiver" 'hello there' || return
	wait $! || return
	[ "$(cat got)" = 'hello there' ]
}

test_receive_as_json()
{
	mailbox receive-from --json >got 2>said &
	until_waits said || return
	expect 0 mailbox send-to -t 7 -p 3 "$receiver" text || return
	wait $! || return
	contains '"type":7' got && contains '"priority":3' got && contains '"text"' got
}

test_links_are_listed()
{
	local pid

	sleep 1000 &
	pid=$!
	mailbox receive-from --timeout=1m $pid >got 2>said &
	until_waits said || return
	# Whoever sends has ended when the list is made, and its link with it.
	expect 0 mailbox send-to "$receiver" other || return
	expect 0 mailbox links && contains 'PEER-UNREAD' || return
	expect 0 mailbox links --json && contains '[' || return
	kill $pid
	wait $pid 2>/dev/null
	expect 2 mailbox links argument
}

test_nobody_there()
{
	local pid

	sleep 0 &
	pid=$!
	wait $pid
	expect 3 mailbox send-to $pid text && says 'no process' || return
	expect 3 mailbox receive-from -n $pid && says 'no process' || return
	expect 5 mailbox receive-from -n && says 'no such message' || return
	expect 6 mailbox receive-from --timeout=1ms && contains 'the time is over' err
}

test_wrong_use()
{
	expect 2 mailbox send-to || return
	expect 2 mailbox send-to 12 || return
	expect 2 mailbox send-to here text || return
	expect 2 mailbox send-to 0 text || return
	expect 2 mailbox receive-from here || return
	expect 2 mailbox receive-from 1 2 || return
	expect 2 mailbox receive-from --type=1 || return
	expect 2 mailbox links --other || return
	expect 0 mailbox send-to --help && expect 0 mailbox receive-from --help &&
		expect 0 mailbox links --help
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
