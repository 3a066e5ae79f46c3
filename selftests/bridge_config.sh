#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Configurations of mailbox-bridge, good and bad: those in bridge/configs, each with what is said
# of it in its second line.

if ! command -v mailbox-bridge >/dev/null; then
	echo "1..0 # SKIP this machine has no mailbox-bridge"
	exit 4
fi

configs=$(readlink -f "$(dirname "$0")/bridge/configs")

# wanted WORD FILE: what stands behind it in the second line.
wanted()
{
	sed -n "2s/^# $1: //p" "$2"
}

test_good_ones()
{
	local file

	expect 0 mailbox-bridge --check "$configs"/good-*.yaml || return
	for file in "$configs"/good-*.yaml; do
		contains "$file is good: $(wanted 'is good' "$file")" || return
	done
}

test_bad_ones()
{
	local file

	# All at once: that program takes its time to load.
	expect 3 mailbox-bridge --check "$configs"/bad-*.yaml && prints '' || return
	[ "$(wc -l <err)" -gt 40 ] || return
	for file in "$configs"/bad-*.yaml; do
		grep -F "$file: " err >one
		[ "$(wc -l <one)" -eq 1 ] && contains "$(wanted says "$file")" one || return
	done
	[ "$(wc -l <err)" -eq "$(find "$configs" -name 'bad-*.yaml' | wc -l)" ]
}

test_the_example_is_good()
{
	expect 0 mailbox-bridge -c "$configs/mailbox-bridge.yaml" && contains 'is good: 4 routes'
}

# A configuration that is bad is not begun with.
test_a_bad_one_does_not_start()
{
	expect 3 mailbox-bridge "$configs/bad-circle.yaml" && says 'use two mailboxes' || return
	expect 3 mailbox-bridge "$work/none.yaml" && says 'No such file' || return
	mkdir folder && expect 3 mailbox-bridge folder && says folder
}

test_files_of_secrets_are_read_at_the_start()
{
	cat >bridge.yaml <<-END
		host: a
		state: $work/state
		server: {urls: [nats://127.0.0.1:4], token_file: $work/token}
		routes: [{mailbox: jobs, direction: out}]
	END
	expect 0 mailbox-bridge --check bridge.yaml || return
	expect 3 mailbox-bridge bridge.yaml &&
		says "cannot read $work/token, which 'token_file' names: No such file" || return
	: >token
	expect 3 mailbox-bridge bridge.yaml && says 'it is empty'
}

# Each route has some.
test_too_few_descriptors()
{
	cat >bridge.yaml <<-END
		host: a
		state: $work/state
		server: {urls: [nats://127.0.0.1:4]}
		routes:
	END
	seq 60 | sed 's/.*/  - {mailbox: jobs&, direction: out}/' >>bridge.yaml
	expect 1 sh -c 'ulimit -n 50; exec mailbox-bridge bridge.yaml' &&
		says 'cannot have 60 routes: Too many open files; raise LimitNOFILE'
}

test_wrong_use()
{
	expect 2 mailbox-bridge --other || return
	expect 2 mailbox-bridge one two || return
	expect 0 mailbox-bridge --help && contains 'Usage: mailbox-bridge' || return
	expect 0 mailbox-bridge --version && contains 'mailbox-bridge '
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
