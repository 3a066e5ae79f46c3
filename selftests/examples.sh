#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The examples about policies, rights, files, loans and lanes print what Documentation/policies.rst,
# concepts.rst and shared-pages.rst say they do.

here=$(readlink -f "$(dirname "$0")")/examples

if [ ! -c /dev/mailbox ] || [ ! -e "$here/concepts.rst" ]; then
	echo "1..0 # SKIP needs the module, and examples and text as the virtual machine has them"
	exit 4
fi

# The block behind the line that names a program.
printed_by()
{
	awk -v line="\`\`tools/examples/$1.c\`\`::" '
		$0 == line { inside = 1; next }
		inside && /^[^\t]/ { exit }
		inside && sub(/^\t/, "")' "$here/policies.rst" "$here/concepts.rst" \
			"$here/shared-pages.rst"
}

number=0 failed=0
echo "TAP version 13"
for program in "$here"/*; do
	name=${program##*/}
	count=
	case $name in
	policy_* | restrict | files) ;;
	frames) count=20 ;;
	sensor) count=10000 ;;
	*) continue ;;
	esac
	number=$((number + 1))
	printed_by "$name" >"/tmp/$name.said"
	"$program" $count >"/tmp/$name.printed" 2>&1
	status=$?
	if [ $status -eq 0 ] && [ -s "/tmp/$name.said" ] &&
	   cmp -s "/tmp/$name.said" "/tmp/$name.printed"; then
		echo "ok $number $name"
	else
		failed=$((failed + 1))
		echo "# ended with $status and printed:"
		sed 's/^/#   /' "/tmp/$name.printed"
		echo "not ok $number $name"
	fi
	rm -f "/tmp/$name.said" "/tmp/$name.printed"
done
echo "1..$number"
[ $failed -eq 0 ] && [ $number -eq 8 ]
