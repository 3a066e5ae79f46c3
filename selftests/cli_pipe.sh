#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# 'mailbox pipe': bytes through a mailbox as through a named pipe, and the end of them for who
# reads and for who writes.

# Until a pipe is open that often; 'mailbox stat' does not count itself.
until_open()
{
	until_figure "$1" handles "$2"
}

test_bytes_go_through()
{
	mailbox pipe create p >out && [ ! -s out ] || return
	printf 'one\ntwo\n' | mailbox pipe write p || return
	printf 'three' | mailbox pipe write p || return
	expect 0 mailbox pipe read p && prints "one${newline}two${newline}three" || return
	[ "$(figure p messages)" = 0 ]
}

test_a_reader_may_be_first()
{
	mailbox pipe create p >out
	mailbox pipe read p >got &
	until_open p 1 || return
	until_figure p receivers 1 || return
	printf 'hello' | mailbox pipe write p || return
	wait $! && [ "$(cat got)" = hello ] || return
	# Once more, with the same.
	mailbox pipe read p >got &
	until_figure p receivers 1 || return
	printf 'again' | mailbox pipe write p || return
	wait $! && [ "$(cat got)" = again ]
}

test_a_writer_without_bytes_ends_a_reader()
{
	mailbox pipe create p >out
	mailbox pipe read p >got &
	until_figure p receivers 1 || return
	mailbox pipe write p </dev/null || return
	wait $! && [ ! -s got ]
}

test_more_than_it_holds()
{
	mailbox pipe create --size=1000 p >out
	[ "$(figure p max_bytes)" = 1000 ] || return
	head -c 300000 /dev/urandom >sent
	mailbox pipe read p >got &
	mailbox pipe write p <sent || return
	wait $! && cmp sent got
}

test_two_writers_one_end()
{
	mailbox pipe create p >out
	mkfifo hold
	mailbox pipe write p <hold &
	exec 8>hold
	until_open p 1 || return
	printf 'other' | mailbox pipe write p || return
	# Or it would keep the first writer from its end.
	mailbox pipe read p >got 8>&- &
	until_figure p receivers 1 || return
	printf 'last' >&8
	exec 8>&-
	wait $! && [ "$(cat got)" = otherlast ]
}

test_a_writer_ends_when_nobody_reads()
{
	mailbox pipe create --size=100 p >out
	(
		yes | mailbox pipe write p 2>err
		echo $? >code
	) &
	mailbox pipe read p 2>/dev/null | head -c 10 >got
	wait
	[ "$(cat code)" = 141 ] && says "nobody reads mailbox 'p' any more"
}

test_a_reader_leaves_bytes_when_nobody_reads_it()
{
	mailbox pipe create p >out
	printf 'hello' | mailbox pipe write p || return
	mkfifo gone
	cat gone >/dev/null &
	exec 8>gone
	kill -9 $!
	wait $! 2>/dev/null
	mailbox pipe read p >&8 2>err
	[ $? -eq 1 ] && exec 8>&- && says "keeps what is left" || return
	[ "$(figure p bytes)" = 5 ]
}

test_a_destroyed_pipe()
{
	mailbox pipe create p >out
	mailbox pipe read p >got 2>err &
	until_figure p receivers 1 || return
	mailbox rm p
	wait $!
	[ $? -eq 7 ] && says "was destroyed"
}

test_options()
{
	expect 0 mailbox pipe create --mode=640 --size=4K p && [ "$(figure p mode)" = '"0640"' ] || return
	expect 8 mailbox pipe create p && says "exists already" || return
	expect 0 mailbox pipe create --exist-ok p || return
	expect 2 mailbox pipe create --size=0 q || return
	expect 2 mailbox pipe create --mode=8 q || return
	expect 2 mailbox pipe create || return
	expect 2 mailbox pipe || return
	expect 2 mailbox pipe drink p || return
	expect 2 mailbox pipe read --size=1 p || return
	expect 3 mailbox pipe read nowhere && says "no mailbox 'nowhere'" || return
	expect 3 mailbox pipe write nowhere
}

test_a_broadcast_is_no_pipe()
{
	mailbox create --policy=broadcast --max-messages=4 b >out
	expect 1 mailbox pipe read b && says "is a broadcast" || return
	expect 1 mailbox pipe write b && says "is a broadcast"
}

# A program that knows of no mailbox reads one, to its end.
test_example()
{
	expect 0 "$(dirname "$self")/examples/stream" &&
		prints "apple${newline}pear${newline}plum${newline}"
}

test_help_says_it()
{
	expect 0 mailbox help pipe && contains "named pipe" || return
	expect 0 mailbox help && contains "  pipe  "
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
