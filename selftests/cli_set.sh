#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command 'mailbox set' and names, 'wait-each', and what 'stat' shows of changes.

test_set_a_name()
{
	mailbox create jobs >out
	expect 0 mailbox set --name=work jobs && [ "$(figure work name)" = '"work"' ] || return
	expect 3 mailbox stat jobs || return
	expect 0 mailbox set --name=jobs --mode=640 work && [ "$(figure jobs mode)" = '"0640"' ]
}

test_set_no_name()
{
	local id

	mailbox create jobs >out
	id=$(figure jobs id)
	expect 0 mailbox set --no-name jobs || return
	expect 3 mailbox stat jobs || return
	expect 0 mailbox stat "$id" && contains "name             (none)" || return
	expect 1 mailbox set --no-name "$id" && says "has no name" || return
	expect 0 mailbox set --name=jobs "$id" && [ "$(figure jobs id)" = "$id" ]
}

test_set_a_name_that_another_has()
{
	mailbox create jobs >out && mailbox create work >out
	expect 8 mailbox set --name=work --mode=777 jobs && says "another mailbox 'work'" || return
	[ "$(figure jobs mode)" = '"0600"' ]
}

test_set_name_usage()
{
	mailbox create jobs >out
	expect 2 mailbox set --name= jobs && grep -q -- "--no-name takes" err || return
	expect 2 mailbox set --name=a --no-name jobs || return
	expect 2 mailbox set --name="$(printf '%0256d' 0)" jobs || return
	expect 1 mailbox set --name=a/b jobs && expect 0 mailbox stat jobs
}

test_wait_each()
{
	mailbox create --on-full=wait-each --max-messages=1 jobs >out
	[ "$(figure jobs on_full)" = '"wait-each"' ] || return
	expect 0 mailbox stat jobs && contains "on full          wait-each" || return
	expect 0 mailbox send jobs x || return
	expect 5 mailbox send --nonblock jobs y || return
	expect 0 mailbox set --on-full=wait jobs && [ "$(figure jobs on_full)" = '"wait"' ] || return
	expect 2 mailbox set --on-full=each jobs && grep -q "wait, wait-each" err
}

test_changes_are_shown()
{
	local created

	mailbox create jobs >out
	created=$(figure jobs created)
	[ "$(figure jobs changed)" = "$created" ] || return
	expect 0 mailbox set --owner=12 --group=34 jobs || return
	[ "$(figure jobs changed)" -gt "$created" ] || return
	[ "$(figure jobs creator_uid)" = "$(id -u)" ] && [ "$(figure jobs uid)" = 12 ] || return
	expect 0 mailbox stat jobs && contains "made by          user $(id -u), group $(id -g)" &&
		contains "changed          "
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
