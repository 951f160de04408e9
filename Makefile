# SPDX-License-Identifier: GPL-2.0
#
# runix: the socket family AF_RUNIX as a kernel module in Rust.
# `make help` tells what there is. The module's own rules are in Kbuild.

KDIR	?= /lib/modules/$(shell uname -r)/build

# What scripts/prepare-kernel knows about a tree that it made.
-include $(KDIR)/runix-kdir.mk

# Such a tree is used in the build root that made it, with the same compilers and the
# same names for all paths. RUNIX_HOST_TOOLS=1 takes the host's own tools instead; a tree
# that was made by them says so itself.
ifdef RUNIX_TREE_CACHE
ifneq ($(RUNIX_IN_ROOT)$(RUNIX_HOST_TOOLS),1)
ENTER	:= RUNIX_CACHE=$(RUNIX_TREE_CACHE) $(CURDIR)/scripts/enter
else
export PATH := $(RUNIX_LLVM_BIN):$(PATH)
endif
KFLAGS	:= CC=$(RUNIX_CC) KERNELRELEASE=$(RUNIX_KERNELRELEASE)
endif
KBUILD	= $(ENTER) $(MAKE) -C $(KDIR) M=$(CURDIR) $(KFLAGS)

define no_metadata

$(KDIR) has no Rust metadata (rust/libkernel.rmeta), so a Rust module
cannot be built against it. Debian's headers packages come without. Type

  make prepare-kernel

to make a tree for the newest supported stock kernel (or give one, as in
`make prepare-kernel VERSION=7.3.4+deb13-amd64`), then `make KDIR=<that tree>`.
To see the module at work in a virtual machine, `make run` is all it takes.

endef

all: modules

tree:
	$(if $(wildcard $(KDIR)/rust/libkernel.rmeta),,$(error $(no_metadata)))

modules: tree
	+$(KBUILD) modules

include scripts/install.mk

clean:
	+$(if $(wildcard $(KDIR)/Makefile),$(KBUILD) clean,@echo "no kernel tree at $(KDIR): nothing to clean")

run:
	@scripts/run

shell:
	@scripts/run --shell $(WITH)

check:
	@scripts/check $(if $(ONLY),--only '$(ONLY)')

check-debug:
	@scripts/check --debug $(if $(ONLY),--only '$(ONLY)')

check-kcsan:
	@scripts/check --kcsan $(if $(ONLY),--only '$(ONLY)')

coverage:
	@scripts/coverage --lines $(if $(DEBUG),--debug) $(if $(ONLY),--only '$(ONLY)')

check-apps:
	@scripts/check --apps $(if $(ONLY),--only '$(ONLY)')

check-install:
	@scripts/check --install

check-tutorial:
	@scripts/check --tutorial

check-fast:
	@scripts/check --fast

check-rings:
	@scripts/check $(if $(DEBUG),--debug) --only stress_gc --rings $(or $(RINGS),1000000)

check-reloads:
	@scripts/check $(if $(DEBUG),--debug) --only reload --reloads $(or $(RELOADS),1000)

bench:
	@scripts/bench $(BENCH)

bench-gate:
	@scripts/bench --gate

bench-native:
	@scripts/bench --native $(BENCH)

bench-profile:
	@scripts/bench-profile $(CASE)

trace:
	@scripts/trace $(if $(UPDATE),--update)

fuzz:
	@scripts/fuzz --seed "$(SEED)" --minutes "$(MINUTES)"

lint:
	@scripts/check --lint

fmt:
	@scripts/fmt

rows:
	@scripts/rows

prepare-kernel:
	@scripts/prepare-kernel $(VERSION)

update:
	@scripts/update

clean-cache:
	@scripts/clean-cache

help:
	@sed -n 's/^#H //p' $(firstword $(MAKEFILE_LIST))

#H Try it, on any Debian 12 or 13 machine:
#H   make run             from nothing to programs talking over AF_RUNIX in a guest
#H   make shell           a shell in that guest [WITH='programs that it gets']
#H   make check           every test; ends with "N passed, N failed, N skipped"
#H                        [ONLY='shutdown scm_*': some of the guest's programs]
#H   make check-debug     those under the debug kernel (KASAN, lock checks, leaks)
#H   make check-kcsan     those that race, under a kernel that looks for data races
#H   make coverage        how much of the Rust code the tests in a guest reach [DEBUG=1]
#H   make check-apps      Debian's programs over AF_RUNIX, by runix-run [ONLY='redis ssh']
#H   make check-install   Debian packages, from making to removing them
#H   make check-tutorial  what Documentation/tutorial.rst has its reader type
#H   make check-fast      those that need no guest
#H   make check-rings     a million cycles of sockets in flight [RINGS=N] [DEBUG=1]
#H   make check-reloads   the module loaded and unloaded 1000 times [RELOADS=N] [DEBUG=1]
#H   make fuzz            random programs on AF_UNIX and AF_RUNIX [SEED=1] [MINUTES=10]
#H   make lint            style, layers, unsafe, panics
#H   make fmt             rustfmt on the sources
#H   make rows            Documentation/behaviour.rst, of what the last check has found
#H
#H See what it does:
#H   make trace           the functions that one write() and one read() pass through
#H                        [UPDATE=1: puts them into Documentation/write-path.rst]
#H
#H See how fast it is, in instructions, against AF_UNIX, pipes and TCP:
#H   make bench           the whole table, as CSV and as a chart [BENCH='sr/stream/*']
#H   make bench-gate      a few rows in seconds; fails where it is too slow
#H   make bench-native    in nanoseconds: on this machine if the module is loaded, else
#H                        in a kernel that is a process (User-Mode Linux)
#H   make bench-profile   instructions by function [CASE=sr/stream/1]
#H
#H Build it for a kernel:
#H   make prepare-kernel  a tree with Rust metadata for a stock Debian kernel
#H                        [VERSION=7.3.4+deb13-amd64]
#H   make                 runix.ko and runix_echo.ko [KDIR=<tree with Rust metadata>]
#H   make programs        runix-run and runixstat, by cargo
#H   make clean           removes what make has built here
#H
#H Install it, as root; all of them take DESTDIR=<root> and PREFIX=/usr/local:
#H   make install         all of it [KEY=<key> CERT=<certificate>: sign the modules]
#H   make modules_install runix.ko alone, into /lib/modules
#H   make install-headers runix.h and a file for pkg-config
#H   make install-programs  runix-run, runixstat, manual pages
#H   make uninstall       removes what make install has put there
#H
#H   make update          looks for newer kernels at the next run
#H   make clean-cache     removes all that was downloaded and built
#H
#H Variables: RUNIX_CACHE (default ~/.cache/runix), RUNIX_SERIES (7.3 or 7.2),
#H RUNIX_ACCEL (kvm or tcg), RUNIX_MIRROR (a Debian archive's address).

.PHONY: all tree modules \
	clean run shell check check-debug check-kcsan check-apps check-fast check-rings check-reloads coverage \
	bench bench-gate bench-native bench-profile lint fmt rows prepare-kernel update clean-cache help
.PHONY: check-install check-tutorial trace
