#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command 'mailbox' and receipts: what 'send --receipt' prints and ends with, and what
# 'receive --json' says of a receipt.

test_receipt_says_who_received()
{
	mailbox create jobs >out
	expect 0 mailbox send --receipt jobs hello &
	sender=$!
	sh -c 'echo $$ >pid; exec mailbox receive jobs' >got
	wait $sender || return
	contains hello got || return
	contains "received $(cat pid) 0 1" out
}

test_receipt_as_json()
{
	mailbox create jobs >out
	mailbox receive --count=2 jobs >got &
	expect 0 mailbox send --receipt --json jobs one two || return
	wait
	contains '"end":"received"' && contains '"sequence":1,' && contains '"sequence":2,'
}

test_receipt_of_what_expired()
{
	mailbox create jobs >out
	expect 14 mailbox send --receipt --expire=1s jobs hello || return
	contains 'expired 0 -1 1' out
}

test_receipt_of_what_was_destroyed()
{
	mailbox create jobs >out
	expect 7 mailbox send --receipt jobs hello &
	sender=$!
	until_figure jobs messages 1 || return
	mailbox rm jobs
	wait $sender || return
	contains 'destroyed 0 -1 1' out
}

test_receipt_taken_back_in_time()
{
	mailbox create jobs >out
	expect 6 mailbox send --receipt --timeout=10ms jobs hello || return
	contains 'it was taken back' err || return
	[ "$(figure jobs messages)" = 0 ]
}

test_receipt_waits()
{
	mailbox create jobs >out
	expect 2 mailbox send --receipt --nonblock jobs hello
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
