# SPDX-License-Identifier: GPL-2.0
#
# Installing and removing, with or without the module. Included by the Makefile; what is
# to be installed must have been made before, as root need not have the compilers.
#
#   DESTDIR=/tmp/x   a tree to install into, instead of /
#   PREFIX=/usr      where programs, headers and pages go (default /usr/local)
#   KEY= CERT=       sign the modules with this key and certificate (PEM)

PREFIX		?= /usr/local
BINDIR		?= $(PREFIX)/bin
LIBDIR		?= $(PREFIX)/lib
INCLUDEDIR	?= $(PREFIX)/include
MANDIR		?= $(PREFIX)/share/man
PKGCONFIGDIR	?= $(PREFIX)/share/pkgconfig
MODULESLOADDIR	?= $(PREFIX)/lib/modules-load.d
CARGO		?= cargo

RUNIX_VERSION	:= $(shell sed -n 's/^const VERSION: &str = "\(.*\)";/\1/p' rust/runix.rs)
INSTALLED_KERNEL = $(or $(RUNIX_KERNELRELEASE),$(shell $(MAKE) -s -C $(KDIR) kernelrelease))
# modules_install goes by INSTALL_MOD_PATH, as it does for every module.
INSTALL_MOD_PATH ?= $(DESTDIR)
MODULES_DIR	= $(INSTALL_MOD_PATH)/lib/modules/$(INSTALLED_KERNEL)/updates
# Where they were made: the modules (MO= is the kernel's own variable), the programs.
MODULES		:= $(or $(MO),.)
PROGRAMS	?= samples/rust/target/release

# With the suffixes that are given, as modules may be compressed; `none` is none.
installed_modules = $(foreach ko,runix.ko runix_echo.ko,$(patsubst %none,%,$(addprefix \
	$(MODULES_DIR)/$(ko),$(1))))

define not_made

$(firstword $(missing)) is not there. Make it first, not as root:

  make KDIR=$(KDIR) modules
  make programs

endef
need = $(eval missing := $(filter-out $(wildcard $(1)),$(1)))$(if $(missing),$(error $(not_made)))

depmod = PATH="$$PATH:/usr/sbin:/sbin"; command -v depmod >/dev/null || \
	{ echo "no depmod here (package kmod): modprobe will not find the module"; exit 0; }; \
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(INSTALLED_KERNEL)

install: install-module install-headers install-programs

# The module itself, and a line by which it is loaded at boot. Without that line it is
# loaded by its alias, when somebody makes the first socket.
install-module: modules_install install-boot

install-boot:
	install -d $(DESTDIR)$(MODULESLOADDIR)
	printf '%s\n' '# The address family AF_RUNIX; sysctl.d may then set net.runix.*' runix \
		>$(DESTDIR)$(MODULESLOADDIR)/runix.conf

# A module of ours can't have the signature of the kernel's own key. With a key, the
# modules are installed as they are, then signed: a signature is not in the compressed file.
modules_install: tree
	$(call need,$(MODULES)/runix.ko $(MODULES)/runix_echo.ko)
	$(if $(KEY)$(CERT),$(if $(and $(wildcard $(KEY)),$(wildcard $(CERT))),, \
		$(error KEY='$(KEY)' and CERT='$(CERT)' must both be files)))
	$(MAKE) -C $(KDIR) M=$(CURDIR) $(if $(MO),MO=$(MO)) $(KFLAGS) INSTALL_MOD_PATH=$(INSTALL_MOD_PATH) \
		CONFIG_MODULE_SIG_ALL= $(if $(KEY),CONFIG_MODULE_COMPRESS_ALL=) modules_install
	$(if $(KEY),rm -f $(call installed_modules,.xz .zst .gz))
	$(if $(KEY),for ko in $(call installed_modules,none); do $(KDIR)/scripts/sign-file \
		"$$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"/\1/p' $(KDIR)/.config)" \
		$(KEY) $(CERT) "$$ko" || exit; done)
	@$(depmod)

# The C header, and the file by which pkg-config finds it.
install-headers:
	install -D -m 644 rust/uapi/runix.h $(DESTDIR)$(INCLUDEDIR)/runix.h
	install -d $(DESTDIR)$(PKGCONFIGDIR)
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(RUNIX_VERSION)|' samples/c/runix.pc.in \
		>$(DESTDIR)$(PKGCONFIGDIR)/runix.pc

# runix-run and what it preloads, runixstat, and the manual pages.
programs:
	@command -v $(firstword $(CARGO)) >/dev/null || { echo "no $(firstword $(CARGO)) here: \
	install it (package cargo, Debian 13 or newer), or let the build root's do it: \
	make programs CARGO='scripts/enter cargo'"; exit 1; } >&2
	$(CARGO) build --release --locked --manifest-path samples/rust/Cargo.toml \
		-p runix-programs -p runix-run -p runix-preload

install-programs:
	$(call need,$(addprefix $(PROGRAMS)/,runix-run runixstat librunix_preload.so))
	install -D -m 755 $(PROGRAMS)/runix-run $(DESTDIR)$(BINDIR)/runix-run
	install -D -m 755 $(PROGRAMS)/runixstat $(DESTDIR)$(BINDIR)/runixstat
	install -D -m 644 $(PROGRAMS)/librunix_preload.so \
		$(DESTDIR)$(LIBDIR)/runix/librunix_preload.so
	install -D -m 644 Documentation/runix-run.1 $(DESTDIR)$(MANDIR)/man1/runix-run.1
	install -D -m 644 Documentation/runix.7 $(DESTDIR)$(MANDIR)/man7/runix.7
	install -D -m 644 Documentation/runixstat.8 $(DESTDIR)$(MANDIR)/man8/runixstat.8

# Needs no tree where the kernel is said, as in `make uninstall RUNIX_KERNELRELEASE=7.3.4+deb13-amd64`.
uninstall:
	rm -f $(call installed_modules,none .xz .zst .gz)
	rmdir $(MODULES_DIR) 2>/dev/null || true
	@$(depmod)
	rm -f $(addprefix $(DESTDIR),$(MODULESLOADDIR)/runix.conf $(INCLUDEDIR)/runix.h \
		$(PKGCONFIGDIR)/runix.pc $(BINDIR)/runix-run $(BINDIR)/runixstat \
		$(LIBDIR)/runix/librunix_preload.so $(MANDIR)/man1/runix-run.1 \
		$(MANDIR)/man7/runix.7 $(MANDIR)/man8/runixstat.8)
	rmdir $(DESTDIR)$(LIBDIR)/runix 2>/dev/null || true

.PHONY: install install-module install-boot modules_install install-headers programs install-programs uninstall
