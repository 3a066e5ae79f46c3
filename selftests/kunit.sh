#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Loads the unit tests, which run as they are loaded, and prints what they say in the
# kernel's log (KTAP, one suite after another) as one list of TAP.

tests=${MAILBOX_TEST_KO:-${MAILBOX_KO%/*}/mailbox_test.ko}

echo 'TAP version 13'
if [ ! -e "$tests" ]; then
	echo "1..0 # SKIP this kernel has no KUnit"
	exit 4
fi

mark="mailbox kunit $$"
echo "$mark" >/dev/kmsg
if ! insmod "$tests"; then
	echo '1..1'
	echo 'not ok 1 load'
	exit 1
fi
rmmod mailbox_test

# A suite's line has no indentation, a case's has; what else a case says is a comment.
dmesg | sed 's/^\(\[[^]]*\]\)* //' | awk -v mark="$mark" '
	index($0, mark) { begun = 1; next }
	!begun { next }
	/^ +# Subtest: mailbox_/ { suite = $NF; suites++; planned = seen = 0; next }
	!suite { next }
	/^ +1\.\./ { planned = substr($1, 4); next }
	/^ +(ok|not ok) [0-9]+/ {
		bad = $1 == "not"
		name = $0
		sub(/^ +(not )?ok [0-9]+ (- )?/, "", name)
		printf "%s %d %s.%s\n", bad ? "not ok" : "ok", ++nr, suite, name
		failed += bad
		seen++
		next
	}
	/^(ok|not ok) [0-9]+/ {
		if (seen != planned || ($1 == "not" && !failed)) {
			printf "not ok %d %s: %d of %d cases\n", ++nr, suite, seen, planned
			failed++
		}
		suite = ""
		next
	}
	/^ *# [A-Za-z_]+: pass:/ { next }
	{ sub(/^ *(# )?/, ""); print "# " $0 }
	END {
		if (suite || !suites) {
			printf "not ok %d the suites did not end\n", ++nr
			failed++
		}
		print "1.." nr
		exit failed > 0
	}'
