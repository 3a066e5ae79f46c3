# SPDX-License-Identifier: GPL-2.0
#
# check.awk uncovered LINES: holds the list of lines that need not be covered against
# what lines.awk printed. Says what is wrong, or nothing.

BEGIN { FS = "\t" }

FNR == 1 { part++ }

part == 1 && (/^#/ || /^$/) { next }

# A reason, for what is waiting for one.
part == 1 && /^\t/ {
	for (; waiting; waiting--)
		if ($0 ~ /^\tsometimes: /)
			sometimes[waits[waiting]] = 1
	next
}

part == 1 {
	waits[++waiting] = $0
	if (!listed[$0]++)
		entries[++nr] = $0
	next
}

{
	key = $1 " " $6 ": " $7
	exists[key] = 1
}

$3 == 0 && ++missed[key] > listed[key] { print $1 ":" $2 ": not covered, in " $6 ": " $7 }

END {
	for (i = 1; i <= waiting; i++)
		print "in the list without a reason: " waits[i]
	for (i = 1; i <= nr; i++) {
		key = entries[i]
		if (!(key in exists))
			print "in the list and not in the module: " key
		else if (missed[key] < listed[key] && !sometimes[key])
			print "in the list and covered: " key
	}
}
