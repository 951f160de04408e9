# SPDX-License-Identifier: GPL-2.0
#
# A kernel with KCSAN has its C code ask before each access. It has no flags for Rust
# code, to which the same pass of the compiler can be applied.
runix_kcsan-$(CONFIG_KCSAN) := -Cpasses=function\(tsan\) \
	$(addprefix -Cllvm-args=-,force-attribute=sanitize_thread tsan-distinguish-volatile=1 \
		tsan-compound-read-before-write=1 tsan-instrument-func-entry-exit=0)
