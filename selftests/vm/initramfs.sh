#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# initramfs.sh OUT MODULE-FOLDER [TREE]: packs the file system of the virtual machine:
# busybox, the tools, the tests, mailbox.ko, the settings that OUT.settings holds, and
# TREE as /demo/tree. What is in it is static or a script, but for the programs that
# are to run unchanged: they come with what they are linked with.

. "$(dirname "$0")/common.sh"

out=$1
module=$2
tree=${3:-}

root=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$root"' EXIT

# Debugging information would only make the boot slower.
add_programs()
{
	local to=$1 file
	shift

	mkdir -p "$to"
	for file; do
		if [ ! -f "$file" ] || [ ! -x "$file" ]; then
			continue
		fi
		case $file in *.so*) continue ;; esac
		strip -g -o "$to/${file##*/}" "$file" 2>/dev/null || cp "$file" "$to/"
	done
}

# Those that have a source: a test that was removed must not run from the build folder.
add_tests()
{
	local file name

	for file in "$build"/selftests/*; do
		name=${file##*/}
		if [ -e "$top/selftests/$name" ] || [ -e "$top/selftests/$name.c" ] ||
		   [ -e "$top/selftests/${name%32}.c" ]; then
			add_programs selftests "$file"
		fi
	done
	add_programs selftests/fuzz "$build/fuzz/fuzz"
	cp -r "$top/selftests/fuzz/corpus" selftests/fuzz/
	cp -r "$top/selftests/programs" selftests/
	add_programs selftests/examples "$build"/tools/examples/*
	add_programs selftests/stubs "$build"/tools/rpc/*
	add_ordinary
	cp "$top/Documentation/policies.rst" "$top/Documentation/concepts.rst" \
		"$top/Documentation/shared-pages.rst" "$top/README.md" selftests/examples/
	[ ! -e "$top/selftests/settings" ] || cp "$top/selftests/settings" selftests/
}

# Those that ldd(1) names. The C library loads that of the compiler by itself when a thread is
# cancelled.
add_libraries()
{
	local library

	{
		readlink -f "$("${CC:-gcc}" -print-file-name=libgcc_s.so.1)"
		ldd "$@" | sed -n 's/^\t\(.* => \)\?\(\/[^ ]*\) (.*/\2/p'
	} | sort -u | while IFS= read -r library; do
		mkdir -p ".${library%/*}"
		cp -L "$library" ".$library"
	done
}

# Ordinary programs in /selftests/ipc and /selftests/bridge, the bridge, and the library that is to
# be preloaded in /lib, all with their libraries.
add_ordinary()
{
	local file
	local preloaded=$build/tools/libmailbox-compat.so

	for file in "$build"/selftests/ipc/*; do
		[ ! -e "$top/selftests/ipc/${file##*/}.c" ] || add_programs selftests/ipc "$file"
	done
	mkdir -p lib selftests/bridge
	cp -r "$top/selftests/bridge/." selftests/bridge
	cp "$top/tools/bridge/mailbox-bridge.yaml" selftests/bridge/configs/
	add_programs selftests/bridge "$build"/selftests/bridge/*
	strip -g -o "lib/${preloaded##*/}" "$preloaded"
	add_libraries selftests/ipc/* bin/mailbox-bridge "lib/${preloaded##*/}"
	cp "$top/selftests/ipc/twice.sh" selftests/ipc/
}

# Of all tests no more than what measures messages between hosts.
add_hosts_only()
{
	cp -r "$top/selftests/bridge" selftests/
	add_libraries bin/mailbox-bridge bin/bridge-measure
}

add_demo()
{
	add_programs "$root/demo/bin" "$build"/tools/demo/*
	cp -r "$top/tools/examples/demo/." "$root/demo"
	mkdir -p "$root/demo/tree"
	cp -rL "$tree/." "$root/demo/tree"
}

cd "$root"
mkdir -p bin dev etc proc root sys tmp run vm selftests
cp "$(command -v busybox)" bin/busybox
cp "$vm/guest/init" init
cp "$vm/guest/tests" "$vm/guest/checks" "$vm/guest/races" "$vm/guest/welcome" "$vm/splats" vm/
cp "$out.settings" vm/settings
add_programs vm "$build/vm/supervise"
[ -z "$module" ] || strip -g -o vm/mailbox.ko "$module/mailbox.ko"
# The unit tests, which are built for kernels with KUnit only.
[ ! -e "$module/mailbox_test.ko" ] || strip -g -o vm/mailbox_test.ko "$module/mailbox_test.ko"
add_programs bin "$build"/tools/*
# Measurements run without them, and every instruction of the boot takes its time.
case $(sed -n 's/^MODE=//p' vm/settings) in
bench | profile) ;;
measure-hosts)	add_hosts_only ;;
*)		add_tests ;;
esac
echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
echo 'root:x:0:' >etc/group
[ -z "$tree" ] || add_demo
chmod 755 init .

# As it is: a kernel that looks for faults takes longer to unpack it than anything else at the start.
find . -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H newc -R 0:0 >"$out.new"
mv "$out.new" "$out"
