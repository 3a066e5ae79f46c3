#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# boot.sh KERNEL-FOLDER INITRAMFS CONSOLE-LOG [VERDICT]: becomes a virtual machine.
# KERNEL-FOLDER is what kernel.sh prints. The second serial port writes the file
# VERDICT, and the next one is standard input and output. ACCEL and MEMORY overrule how
# it runs and how many MiB it gets. SEED, a number, makes it count instructions: one
# processor, on which each takes a nanosecond, and the same seed gives the same run.
# PLUGIN is one for the emulator.

. "$(dirname "$0")/common.sh"

# Prints kvm if a probe boot of this very kernel comes up with it. A device node says
# nothing: there are machines where it hangs or aborts. Asked once for each boot.
accelerator()
{
	local software=tcg,thread=multi probe verdict
	verdict=$cache/kvm-$release-$(cat /proc/sys/kernel/random/boot_id)

	if [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
		echo $software
		return
	fi
	if [ ! -e "$verdict" ]; then
		say "trying whether KVM works here"
		probe=$(mktemp -d)
		echo MODE=probe >"$probe/initramfs.settings"
		"$vm/initramfs.sh" "$probe/initramfs" ""
		echo $software >"$probe/verdict"
		ACCEL=kvm timeout -s KILL 20 "$vm/boot.sh" "$kernel" "$probe/initramfs" \
			"$probe/console" </dev/null >"$probe/word" 2>/dev/null || true
		! grep -q '^alive' "$probe/word" || echo kvm >"$probe/verdict"
		mv "$probe/verdict" "$verdict"
		rm -rf "$probe"
	fi
	cat "$verdict"
}

# User-mode Linux is a program: the same serial ports, one processor, no emulation.
# shellcheck disable=SC2054  # the commas are for the kernel
boot_user_mode()
{
	local here=fd:6,fd:7 arguments

	# What it says of itself goes to the log, like the words of its kernel.
	exec 6<&0 7>&1 3>>"$3" </dev/null >&3 2>&1
	# Its own threads and ours would fight over what glibc registers.
	export GLIBC_TUNABLES=glibc.pthread.rseq=0
	arguments=(initrd="$2" mem="${MEMORY:-1024}M" console=ttyS0 panic=-1 slab_nomerge
		   kasan_multi_shot con=null ssl=null ssl0=null,fd:3)
	if [ "${4:-}" ]; then
		exec 5>"$4"
		arguments+=(ssl1=null,fd:5 ssl2="$here")
	else
		arguments+=(ssl1="$here")
	fi
	exec "$kernel/boot/vmlinuz-$release" "${arguments[@]}"
}

[ $# -ge 3 ] || die "usage: boot.sh KERNEL-FOLDER INITRAMFS CONSOLE-LOG [VERDICT]"
kernel=$1
release=${kernel##*/}
[ ! -e "$kernel/arch" ] || boot_user_mode "$@"

# Those of our own: two sockets, since they know no ACPI to ask about cores.
processors=2 more=
if [ -e "$kernel/slow" ]; then
	processors=2,sockets=2 more=kasan_multi_shot
fi

cpu=max counting=()
if [ "${SEED:-}" ]; then
	# Else each byte that a string instruction copies would count as an instruction.
	ACCEL=tcg,thread=single processors=1 cpu=max,-erms,-fsrm
	counting=(-icount "shift=0,sleep=off" -seed "$SEED"
		  -rtc "base=2026-01-01T00:00:00,clock=vm")
	more="quiet nokaslr norandmaps randomize_kstack_offset=off \
tsc_early_khz=1000000 lpj=4000000"
fi
[ -z "${PLUGIN:-}" ] || counting+=(-plugin "$PLUGIN")

how=${ACCEL:-$(accelerator)}
# Ours know no clock but this to measure it by, and the one that interrupts them. By that alone, on a
# busy machine, 37 minutes were 21: each wait took nearly twice as long.
if [ -e "$kernel/slow" ] && [[ $how == tcg* ]] && [ ! "${SEED:-}" ] &&
   khz=$("$build/vm/tsc" 2>/dev/null); then
	more+=" tsc_early_khz=$khz"
fi
# shellcheck disable=SC2054  # the commas are for the emulator
arguments=(
	-accel "$how" -cpu "$cpu" "${counting[@]}" -smp "$processors" -m "${MEMORY:-2048}"
	-nodefaults -no-reboot -display none
	-kernel "$kernel/boot/vmlinuz-$release" -initrd "$2"
	# Emulation on a busy machine is slow: the watchdogs have to be patient, and none is to
	# find the clock unstable, since the kernel then changes its own code, which is no time to
	# be emulated on two processors (int3 in sched_clock_cpu()).
	-append "console=ttyS0 panic=-1 slab_nomerge watchdog_thresh=60 tsc=reliable no_timer_check \
workqueue.watchdog_thresh=120 rcupdate.rcu_cpu_stall_timeout=120 $more"
	-serial "file:$3"
	-chardev stdio,id=here,signal=off
)
[ -z "${4:-}" ] || arguments+=(-serial "file:$4")
arguments+=(-serial chardev:here)
exec qemu-system-x86_64 "${arguments[@]}"
