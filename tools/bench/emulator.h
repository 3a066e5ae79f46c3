/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a plugin of the emulator may call and has to have: the part of qemu-plugin.h that
 * is used here. Debian does not ship that file.
 */
#ifndef BENCH_EMULATOR_H
#define BENCH_EMULATOR_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t plugin_id;

struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum { CB_NO_REGS };
enum { INLINE_ADD_U64 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*callback)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*callback)(unsigned int, void *), int flags,
					    void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op,
						void *counter, uint64_t by);

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

#endif /* BENCH_EMULATOR_H */
