#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command 'mailbox run': programs over mailboxes, and those that cannot be.

programs=$(dirname "$(readlink -f "$0")")/ipc
program=$programs/shell_msg

test_runs_over_mailboxes()
{
	expect 0 mailbox run "$program" make 0x2a || return
	expect 0 mailbox ls --names && contains sysv.msg.0x0000002a || return
	expect 0 mailbox run -- "$program" send 0x2a 7 hello || return
	[ "$(figure sysv.msg.0x0000002a messages)" = 1 ] || return
	expect 0 mailbox peek sysv.msg.0x0000002a && contains hello || return
	expect 0 mailbox run "$program" receive 0x2a 7 && prints "hello$newline"
}

test_is_not_the_kernels_queue()
{
	expect 0 mailbox run "$program" make 0x2a || return
	expect 1 "$program" send 0x2a 7 hello && says "No such file" || return
	expect 0 mailbox run "$program" remove 0x2a || return
	expect 1 mailbox run "$program" remove 0x2a
}

test_tool_and_program_talk()
{
	expect 0 mailbox run "$program" make 5 || return
	expect 0 mailbox send --type=3 sysv.msg.0x00000005 "from the tool" || return
	expect 0 mailbox run "$program" receive 5 3 && prints "from the tool$newline" || return
	expect 0 mailbox run "$program" send 5 4 "from the program" || return
	expect 0 mailbox receive sysv.msg.0x00000005 && contains "from the program" || return
	expect 0 mailbox rm sysv.msg.0x00000005 || return
	expect 1 mailbox run "$program" send 5 4 x && says "No such file"
}

test_exit_code_is_that_of_the_program()
{
	expect 2 mailbox run "$program" || return
	expect 1 mailbox run "$program" receive 0x99 1
}

test_found_in_path()
{
	PATH=$programs:$PATH expect 1 mailbox run shell_msg receive 0x99 1 && says "No such file"
}

test_no_such_program()
{
	expect 127 mailbox run nothere && says "cannot run 'nothere'" || return
	expect 127 mailbox run ./nothere && says "cannot run './nothere'" || return
	: >text
	expect 126 mailbox run ./text
}

test_static_program()
{
	expect 1 mailbox run /bin/busybox true && says "linked statically" || return
	expect 1 mailbox run mailbox ls && says "linked statically"
}

test_script_is_judged_by_its_interpreter()
{
	printf '#! /bin/busybox sh\n' >script
	chmod +x script
	expect 1 mailbox run ./script && says "'/bin/busybox' is linked statically" || return
	printf '#!%s make\n' "$program" >script
	expect 0 mailbox run ./script && mailbox ls --names >out && contains sysv.msg.private.
}

test_setuid_program()
{
	cp "$program" raised
	chown 1001 raised
	chmod 4755 raised
	expect 1 mailbox run ./raised make 1 && says "gets rights by being run" || return
	chown 0:1001 raised
	chmod 2755 raised
	expect 1 mailbox run ./raised make 1 && says "gets rights by being run" || return
	chmod 0755 raised
	expect 0 mailbox run ./raised make 1
}

test_program_for_other_bits()
{
	other=$programs/../abi32
	[ -e "$other" ] || return 0
	expect 1 mailbox run "$other" && says "another kind of processor"
}

test_preloads_what_was_to_be_preloaded()
{
	LD_PRELOAD=/lib/nothere.so expect 1 mailbox run "$program" receive 9 1 || return
	contains /lib/nothere.so err
}

test_run_usage()
{
	expect 2 mailbox run || return
	expect 2 mailbox run --nonsense "$program" || return
	expect 0 mailbox run --help && contains "Usage: mailbox run"
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
