# cella: one Makefile, no generated build system. `make help` lists the targets.
# A folder is a module: its sources (found by wildcard, sorted) make one archive, and every link
# line names archives from the top of the house down, so an upward dependency fails to link.

PREFIX ?= /usr/local
LIBEXECDIR ?= $(PREFIX)/libexec/cella
BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
comma := ,
ifeq ($(V),)
Q := @
endif
VERSION := 0.1.0
COMMIT := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)

# --- flags -----------------------------------------------------------------------------------
# Some compilers refuse some flags: ask, never assume.
try_flags = $(foreach f,$(1),$(shell $(CC) -Werror $(f) -x c -c /dev/null -o /dev/null 2>/dev/null && echo $(f)))

WARN := -Wall -Wextra -Wformat=2 -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-align -Wcast-qual -Wwrite-strings -Wvla -Wundef \
	-Wimplicit-fallthrough -Wnull-dereference -Wno-missing-field-initializers \
	$(call try_flags,-Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init)
ifneq ($(CI)$(WERROR),)
WARN += -Werror
endif
OPT ?= -O2
HARDEN ?= -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	$(call try_flags,-fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero -fstrict-flex-arrays=3)
HARDEN := $(HARDEN)
LINK := -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections
DEFS := -D_GNU_SOURCE -DCELLA_VERSION='"$(VERSION)"' \
	-DCELLA_PREFIX='"$(PREFIX)"' -DCELLA_LIBEXECDIR='"$(LIBEXECDIR)"'
ALL_CFLAGS = -std=gnu17 $(OPT) -g $(WARN) $(HARDEN) -fPIE -fno-common -fvisibility=hidden \
	-ffunction-sections -fdata-sections -I. $(DEFS) $(CFLAGS)

# only for those who print it: to the others a new commit is no other program (ccache knows)
$(BUILD)/cli/main/%.o $(BUILD)/runtime/spec/features.o: DEFS += -DCELLA_COMMIT='"$(COMMIT)"'

# what the tables of the guard are made by says whose they are: netns/guard_version.c
GUARD_SOURCES := $(sort $(wildcard netns/guard_*.[ch] netns/nft_*.c netns/nft.h))
$(BUILD)/netns/guard_version.o: DEFS += -DCELLA_GUARD_VERSION=0x$(shell cat $(GUARD_SOURCES) | sha256sum | cut -c1-8)
$(BUILD)/netns/guard_version.o: $(GUARD_SOURCES)

# --- modules: folder -> archive, listed from the bottom of the house upwards --------------------
DIRS_base       := base
DIRS_namespaces := namespaces
DIRS_cgroups    := cgroups
DIRS_netns      := netns
DIRS_quota      := quota
DIRS_rootfs     := rootfs
DIRS_runtime    := runtime runtime/spec runtime/process
DIRS_monitor    := runtime/monitor
DIRS_vps        := runtime/vps
DIRS_criu       := migrate-criu
DIRS_move       := migrate-criu/move
DIRS_cli        := cli
MODULES := base namespaces cgroups netns quota rootfs runtime monitor vps criu move cli

sources = $(sort $(foreach d,$(DIRS_$(1)),$(wildcard $(d)/*.c)))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
archive = $(BUILD)/lib$(1).a
# Archives a module may use, itself first: the link order of programs and of its unit tests.
BELOW_base       := base
BELOW_namespaces := namespaces base
BELOW_cgroups    := cgroups base
BELOW_netns      := netns base
BELOW_quota      := quota base
BELOW_rootfs     := rootfs namespaces cgroups netns quota base
BELOW_runtime    := runtime $(BELOW_rootfs)
BELOW_monitor    := monitor base
BELOW_vps        := vps monitor $(BELOW_runtime)
BELOW_criu       := criu $(BELOW_vps)
BELOW_move       := move $(BELOW_vps)
BELOW_cli        := cli $(BELOW_vps)

# cella-oci is one static file: shared libraries cost more than half of what its peers spend
# (2.3 M user and 3 M kernel instructions a command). cella needs libmnl and libarchive, which have
# no usable static archives, and is linked dynamically: with those of the others, and without libarchive.
# Relative relocations packed (glibc 2.36): a static PIE relocates itself at each start.
# cli/main/early.c comes before libc's start where it knows the machine.
PACK := $(shell printf '\043include <features.h>\n\043if __GLIBC_PREREQ(2, 36)\n-Wl,-z,pack-relative-relocs\n\043endif\n' \
	| $(CC) -E -P - 2>/dev/null)
STATIC_LINK := $(PACK) $(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),-Wl$(comma)-e$(comma)early_start)
STATIC_LIBS := -lseccomp -lcap -lyajl_s -lm
SHARED_LIBS := -lseccomp -lcap -lyajl -lnftnl -lmnl -larchive -lcrypt -lm
CELLA_LIBS := -Wl,-Bstatic -lseccomp -lcap -lyajl_s -lnftnl -lcrypt -Wl,-Bdynamic -lmnl -lm
TEST_LIBS   := -lcmocka $(SHARED_LIBS) -lprotobuf-c

PROGRAMS := $(BUILD)/cella-oci $(BUILD)/cella $(BUILD)/cella-helper $(BUILD)/cella-monitor $(BUILD)/cella-template $(BUILD)/cella-criu $(BUILD)/cella-suspend

.PHONY: all
all: $(PROGRAMS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CCACHE) $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# CRIU's messages: C made of the description of what we use of them.
RPC := $(addprefix $(BUILD)/gen/migrate-criu/,rpc.pb-c image.pb-c)
$(addsuffix .c,$(RPC)): $(BUILD)/gen/%.pb-c.c: %.proto
	@mkdir -p $(BUILD)/gen
	@echo "  GEN  $@"
	$(Q)protoc-c --c_out=$(BUILD)/gen $<
$(addsuffix .h,$(RPC)): %.h: %.c ;
$(addsuffix .o,$(RPC)): %.o: %.c
	@echo "  CC   $<"
	$(Q)$(CC) $(ALL_CFLAGS) -w -I$(BUILD)/gen -c -o $@ $<
RPC_USERS := $(BUILD)/migrate-criu/rpc.o $(BUILD)/migrate-criu/mounts.o $(BUILD)/tests/unit/criu_swrk.o
$(RPC_USERS): $(addsuffix .h,$(RPC))
$(RPC_USERS): ALL_CFLAGS += -I$(BUILD)/gen
$(BUILD)/libcriu.a: $(addsuffix .o,$(RPC))

define module_rule
$(call archive,$(1)): $(call objects,$(call sources,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)$(AR) qcs $$@ $$^ # q, not r: two folders of a module may both have a hooks.o
endef
$(foreach m,$(MODULES),$(eval $(call module_rule,$(m))))

$(BUILD)/cella-oci: cli/main/order.ld
$(BUILD)/cella-oci: $(addprefix $(BUILD)/cli/,main/cella-oci.o main/early.o criu/elsewhere.o) $(foreach m,$(BELOW_cli),$(call archive,$(m)))
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -static-pie $(LINK) $(STATIC_LINK) -o $@ $(filter-out %.ld,$^) -Wl,-T,cli/main/order.ld $(STATIC_LIBS)
$(BUILD)/cella: $(BUILD)/cli/main/cella.o $(BUILD)/cli/template/elsewhere.o $(BUILD)/cli/suspend/elsewhere.o $(foreach m,$(BELOW_cli),$(call archive,$(m)))
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -pie $(LINK) $(PACK) -o $@ $^ $(CELLA_LIBS)
# Only cella template, backups and moves need libarchive, which loads a dozen libraries more, and only cella top
# needs ncurses, where there is one: they were three quarters of the start of every command.
NCURSES_LIBS := $(shell pkg-config --libs ncursesw 2>/dev/null)
SCREEN := $(addprefix $(BUILD)/cli/screen/,top.o $(if $(NCURSES_LIBS),curses,absent).o)
$(BUILD)/cella-template: $(BUILD)/cli/main/cella.o $(addprefix $(BUILD)/cli/template/,here.o backup.o import.o migrate.o) $(BUILD)/cli/suspend/elsewhere.o $(SCREEN) $(foreach m,cli $(BELOW_move),$(call archive,$(m)))
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -pie $(LINK) -o $@ $^ $(SHARED_LIBS) $(NCURSES_LIBS)
# Only checkpoint and restore need CRIU's messages: protobuf-c and its tables would be in every other command.
$(BUILD)/cella-criu: $(BUILD)/cli/main/cella-oci.o $(BUILD)/cli/criu/here.o $(BUILD)/libcriu.a $(foreach m,$(BELOW_cli),$(call archive,$(m)))
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -pie $(LINK) -o $@ $^ -Wl,--as-needed $(SHARED_LIBS) -lprotobuf-c
$(BUILD)/cella-suspend: $(BUILD)/cli/main/cella.o $(BUILD)/cli/suspend/here.o $(BUILD)/cli/template/elsewhere.o $(BUILD)/libcriu.a $(foreach m,$(BELOW_cli),$(call archive,$(m)))
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -pie $(LINK) $(PACK) -o $@ $^ $(CELLA_LIBS) -lprotobuf-c
# As many of these run as VPSs do: static, for shared libraries would be most of its memory.
$(BUILD)/cella-monitor: $(BUILD)/cli/main/cella-monitor.o $(foreach m,$(BELOW_monitor),$(call archive,$(m)))
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -static-pie $(LINK) -o $@ $^ -lyajl_s -lm
# Only the helper links libsystemd, where there is one: the rest of the systemd driver is in cgroups/.
SYSTEMD_LIBS := $(shell pkg-config --libs libsystemd 2>/dev/null)
HELPER_OBJECTS := $(patsubst %,$(BUILD)/cgroups/systemd/%.o,$(if $(SYSTEMD_LIBS),sdbus machine,absent))
$(BUILD)/cella-helper: $(BUILD)/cli/main/cella-helper.o $(HELPER_OBJECTS) $(foreach m,$(BELOW_cli),$(call archive,$(m)))
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -pie $(LINK) -o $@ $^ -Wl,--as-needed $(SYSTEMD_LIBS) -lnftnl -lmnl -lyajl -lm

# --- tests ------------------------------------------------------------------------------------
# tests/unit/<module>_<file>.c links that module and what stands below it, nothing else.
UNIT := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/*.c)))
unit_module = $(firstword $(subst _, ,$(1)))
define unit_rule
$(BUILD)/unit/$(1): $(BUILD)/tests/unit/$(1).o $(foreach m,$(BELOW_$(call unit_module,$(1))),$(call archive,$(m)))
	@mkdir -p $$(@D)
	@echo "  LINK $$@"
	$(Q)$(CC) $(ALL_CFLAGS) -pie $(LINK) -o $$@ $$^ $(TEST_LIBS)
endef
$(foreach t,$(UNIT),$(eval $(call unit_rule,$(t))))
# the table of commands, without those of programs of their own
$(BUILD)/unit/cli_set: $(addprefix $(BUILD)/cli/,template/elsewhere.o suspend/elsewhere.o)

# Two at a time under -j2, each of them always and whatever became of the others.
UNIT_RUNS := $(UNIT:%=run-%)
.PHONY: unit unit-begins $(UNIT_RUNS)
unit-begins:
	@mkdir -p $(BUILD); rm -f $(BUILD)/unit.tally
$(UNIT_RUNS): run-%: $(BUILD)/unit/% | unit-begins
	@status=0; CMOCKA_MESSAGE_OUTPUT=TAP $< >$<.log 2>&1 </dev/null || status=$$?; \
		tests/tally $(BUILD)/unit.tally $* $$status 0 <$<.log || :
unit: $(UNIT_RUNS) ## unit tests, no root needed
	@! grep -q '^fail' $(BUILD)/unit.tally

# The same with sanitizers, which the hardening flags would blunt.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
.PHONY: san
san: ## unit tests under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory BUILD=build-san OPT=-O1 HARDEN= \
		CFLAGS="$(SANITIZE) -Wno-maybe-uninitialized -Wno-null-dereference" unit

# tests/fuzz/fuzz_<parser>.c, with its seeds in tests/data/<parser>/.
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
$(FUZZERS): $(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(foreach m,cli criu $(BELOW_move),$(call archive,$(m)))
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -pie -o $@ $^ $(SHARED_LIBS)
.PHONY: fuzz-programs
fuzz-programs: $(FUZZERS)
.PHONY: fuzz
fuzz: ## libFuzzer on every parser, FUZZ_SECONDS each (60)
	@$(MAKE) --no-print-directory BUILD=build-fuzz CC=clang OPT=-O1 HARDEN= \
		CFLAGS="-fsanitize=fuzzer-no-link $(SANITIZE)" fuzz-programs
	@tests/fuzz/run $(ONLY)

.PHONY: lint
lint: ## the house rules and the analyzers (ONLY="sizes own" chooses)
	@tests/lint/run $(ONLY)

# With named failure points (runtime/steps.h, migrate-criu/move), for the tests that fail each step once.
.PHONY: faults
faults:
	@$(MAKE) --no-print-directory BUILD=build-faults CFLAGS="$(CFLAGS) -DCELLA_FAULTS" build-faults/cella-oci build-faults/cella-criu build-faults/cella-template
# Functional tests: ONLY='01* 020*' chooses, GUEST=NAME takes one that tests/vm/guest booted.
.PHONY: check-func
check-func: all faults ## functional tests in a guest booted for them (ONLY='01*' chooses)
	@tests/func/run $(if $(GUEST),-n $(GUEST),-g $(or $(GUESTS),1)) $(ONLY); tests/tally sum build/func/tally
.PHONY: check-host
check-host: all faults ## functional tests on this machine, which has cgroup v2
	@CELLA_BIN=$(abspath $(BUILD)) CELLA_FAULTY=$(abspath build-faults/cella-oci) tests/func/run -l $(ONLY); tests/tally sum build/func/tally

# --- install ----------------------------------------------------------------------------------
INTERNAL := %-helper %-monitor %-template %-criu %-suspend # run by our own programs alone
UNITS := $(wildcard runtime/vps/units/*)
# where systemd looks, whatever the prefix: /usr, /usr/local or none of both
UNIT_DIR ?= $(PREFIX)/lib/systemd/system
MAN_PAGES := $(wildcard man/*.[1-8])
.PHONY: install
install: all ## install below DESTDIR and PREFIX; with VZ=1 also as vzctl and vzlist
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBEXECDIR)
	$(foreach p,$(filter-out $(INTERNAL),$(wildcard $(PROGRAMS))),install $(p) $(DESTDIR)$(PREFIX)/bin/;)
	$(foreach p,$(filter $(INTERNAL),$(wildcard $(PROGRAMS))),install $(p) $(DESTDIR)$(LIBEXECDIR)/;)
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	$(foreach p,cella cella-oci,$(BUILD)/$(p) completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$(p);)
	$(foreach p,cella cella-oci,$(BUILD)/$(p) completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$(p);)
	install -d $(DESTDIR)$(UNIT_DIR)
	$(foreach u,$(UNITS),sed 's|@BIN@|$(PREFIX)/bin|' $(u) >$(DESTDIR)$(UNIT_DIR)/$(notdir $(u));)
	$(if $(VZ),$(foreach l,vzctl vzlist,ln -sf cella $(DESTDIR)$(PREFIX)/bin/$(l);))
	$(foreach m,$(MAN_PAGES),install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(m))) $(m);)

# --- bench: cella-oci beside its peers and a floor; PEERS="/path/to/crun ..." names others ---------
BENCH_SOURCES := bench bed count profile report rows
$(BUILD)/bench/bench: $(BENCH_SOURCES:%=$(BUILD)/tests/bench/%.o) $(call archive,base)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -static-pie $(LINK) -o $@ $^ -lseccomp -lyajl_s
$(BUILD)/bench/floor: $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/bench/floor*.c)))
	@mkdir -p $(@D)
	$(Q)$(CC) -static $(LINK) -o $@ $^
$(BUILD)/bench/payload: tests/bench/payload.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) -O2 -nostdlib -static -Wl,--build-id=none -s -o $@ $<
.PHONY: bench-programs
bench-programs: $(addprefix $(BUILD)/bench/,bench floor payload)
.PHONY: bench
bench: all bench-programs ## compare with crun and runc, or with PEERS="/path/to/crun ..."
	@PEERS="$(PEERS)" tests/bench/run $(BUILD)

# What a network port costs beside 500 others, and what its guard costs each packet: in namespaces of
# their own; with GUEST=NAME in that guest VPSs of all kinds, and their rates, too.
NET_BENCHES := $(addprefix $(BUILD)/bench/,port_cost port_path)
$(NET_BENCHES): $(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(foreach m,$(BELOW_netns),$(call archive,$(m)))
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -pie $(LINK) -o $@ $^ $(TEST_LIBS)
.PHONY: bench-net
bench-net: $(NET_BENCHES) $(if $(GUEST),bench-net-guest) ## the network: making ports, the guard's way, rates (GUEST=NAME)
	@$(BUILD)/bench/port_cost
	@$(BUILD)/bench/port_path

# VPSs beside lxc's containers, in a guest that tests/vm/guest booted: GUEST=NAME, BENCH_ARGS="-n 50 -r 5"
.PHONY: bench-vps bench-net-guest
bench-vps: all ## compare cella with lxc in GUEST=NAME: times, memory, density
bench-net-guest: all
bench-vps bench-net-guest: bench-%:
	@rm -rf $(BUILD)/bench/tree; $(MAKE) -s install DESTDIR=$(BUILD)/bench/tree
	@install -D tests/bench/$(firstword $(subst -, ,$*)) $(BUILD)/bench/tree/srv/cella/bench-$*
	@tar -C $(BUILD)/bench/tree --owner=0 --group=0 -cf - . | tests/vm/guest ssh -n $(GUEST) 'tar -C / --no-overwrite-dir -xf -'
	@tests/vm/guest ssh -n $(GUEST) '/srv/cella/bench-$* $(BENCH_ARGS)' </dev/null

# --- everything -------------------------------------------------------------------------------
.PHONY: deps
deps: ## install the packages for building and testing (Debian 12 or 13, as root)
	@tests/deps
.PHONY: demo
demo: ## create, boot, use and remove a VPS; in a guest where this machine has no cgroup v2
	@tests/vm/demo
.PHONY: check
check: ## the whole test suite, with what it needs
	@tests/check

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build build-*

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | awk -F'\t' '{ printf "  %-12s %s\n", $$1, $$2 }'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
