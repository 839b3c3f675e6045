# Strongroom. `make` builds, `make up` shows the main job, `make check` tests everything (README.md).
# SAN=1 builds with ASan and UBSan into its own folder; CC=clang works as well as gcc.
SHELL := /bin/bash
CC ?= gcc
OUT ?= out$(if $(SAN),/san)
SHARED ?= ../shared
PORT ?= 4450
T ?= 60
export SHARED OUT PORT

PACKAGES := fuse3 libcrypto sqlite3 jansson libcyaml yaml-0.1 libsystemd
PROBE_PACKAGES := libavformat libavcodec libavutil poppler-glib libarchive libxml-2.0 libexif libmagic libseccomp
need = $(or $(shell pkg-config --exists $(1) && echo yes),$(error package $(1) is missing: run `make deps` as root))
ifeq ($(filter deps up down check clean distclean format,$(MAKECMDGOALS)),)
$(foreach p,$(PACKAGES) $(PROBE_PACKAGES),$(if $(call need,$(p)),))
endif

WARN := -Wall -Wextra -Wshadow -Wformat=2 -Wvla -Wstrict-prototypes -Wmissing-prototypes $(if $(CI),-Werror)
HARDEN := -fPIE -fstack-protector-strong $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
comma := ,
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS := -std=c17 -O2 -g $(WARN) $(HARDEN) $(SANFLAGS) $(EXTRA_CFLAGS)
CPPFLAGS := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -Iappliance -I. -MMD -MP \
            $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LDFLAGS := -pie -Wl,-z,relro,-z,now -pthread $(SANFLAGS)
LIBS = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lunistring -lm

# What reads files of strangers is linked into the probe alone, but for bags, which the tool reads without a vault.
$(OUT)/strongroom $(OUT)/unit/tools_% $(OUT)/fuzz/tools_% $(OUT)/libfuzzer/tools_%: LIBS += $(shell pkg-config --libs libarchive libxml-2.0 libcurl 2>/dev/null)
$(addprefix $(OUT)/obj/tools/,bundle_xml.o bag_bundle.o): CPPFLAGS += $(shell pkg-config --cflags libxml-2.0 2>/dev/null)
PROBE_LIBS = $(shell pkg-config --libs $(PROBE_PACKAGES) 2>/dev/null)
PROBE_CFLAGS := $(shell pkg-config --cflags $(PROBE_PACKAGES) 2>/dev/null)
$(OUT)/obj/appliance/media/probe/%.o $(OUT)/obj/tests/unit/probe_%.o: CPPFLAGS += $(PROBE_CFLAGS)
$(OUT)/strongroom-probe $(OUT)/unit/probe_%: LIBS += $(PROBE_LIBS)
$(OUT)/fuzz/probe_% $(OUT)/libfuzzer/probe_%: LIBS += $(PROBE_LIBS)
$(OUT)/fuzz/probe_% $(OUT)/libfuzzer/probe_%: CPPFLAGS += $(PROBE_CFLAGS)

MODULES := base policy vault ledger catalog media probe casework daemon
src = $(wildcard appliance/$(1:probe=media/probe)/*.c $(filter policy tools,$(1))/*.c)
obj = $(patsubst %.c,$(OUT)/obj/%.o,$(1))
$(foreach m,$(MODULES),$(eval $(m)_OBJ := $(call obj,$(call src,$(m)))))
# What rules can speak of is the door's, so its schema is part of the program: _binary_policy_….
casework_OBJ += $(OUT)/obj/strongroom.cedarschema.o
fusefs_OBJ := $(call obj,$(wildcard fusefs/*.c))
tools_OBJ := $(call obj,$(wildcard tools/*.c))
# What goes into every bundle as it is: _binary_tools_bundle_….
shipped_OBJ := $(patsubst %,$(OUT)/obj/%.o,$(wildcard tools/bundle/*))
tools_OBJ += $(shipped_OBJ)
test_OBJ := $(call obj,$(wildcard tests/lib/*.c))

# What each module's tests link: itself and what it may call (the arrows of docs/architecture.md).
below_base := base
below_policy := policy base
below_vault := vault base
below_ledger := ledger base
below_catalog := catalog vault base
below_media := media base
below_probe := probe media base
below_casework := casework policy media catalog ledger vault base
below_fusefs := fusefs $(below_casework)
below_daemon := daemon $(below_fusefs)
below_tools := tools $(below_casework)
lib = $(OUT)/lib/$(1).a
libs = $(foreach m,$(1),$(call lib,$(m)))

UNIT := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(wildcard tests/unit/*.c))
FAULT := $(patsubst tests/fault/%.c,$(OUT)/fault/%,$(wildcard tests/fault/*.c))
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all
all: $(OUT)/strongroomd $(OUT)/strongroom $(OUT)/strongroom-probe $(OUT)/cedar-conformance

$(OUT)/strongroomd: $(call libs,$(below_daemon))
	$(CC) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(LIBS)
$(OUT)/strongroom: $(tools_OBJ) $(call libs,$(below_tools))
	$(CC) $(LDFLAGS) -o $@ $(tools_OBJ) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)
$(OUT)/strongroom-probe: $(call libs,$(below_probe))
	$(CC) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(LIBS)

define module_rule
$(call lib,$(1)): $($(1)_OBJ)
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach m,$(MODULES) fusefs tools test,$(eval $(call module_rule,$(m))))

$(OUT)/obj/%.cedarschema.o: policy/%.cedarschema
	@mkdir -p $(@D)
	ld -r -b binary -z noexecstack -o $@ $<
$(OUT)/obj/tools/bundle/%.o: tools/bundle/%
	@mkdir -p $(@D)
	ld -r -b binary -z noexecstack -o $@ $<
$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# tests/unit/MODULE_what.c and tests/fault/MODULE_what.c are programs of their own (cmocka).
.SECONDEXPANSION:
module_of = $(firstword $(subst _, ,$(1)))
TESTLIBS = -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) -lcmocka
$(addprefix $(OUT)/unit/,media_probe probe_mutants probe_signature probe_pdf probe_office probe_ofd): | $(OUT)/strongroom-probe
$(UNIT): $(OUT)/unit/%: $(OUT)/obj/tests/unit/%.o $(call lib,test) $$(call libs,$$(below_$$(call module_of,$$*)))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(TESTLIBS)
$(FAULT): $(OUT)/fault/%: $(OUT)/obj/tests/fault/%.o $(call lib,test) $$(call libs,$$(below_$$(call module_of,$$*)))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(TESTLIBS)

# The public tests of Cedar: out/cedar-conformance DIR.
$(OUT)/cedar-conformance: $(OUT)/obj/tests/conformance/cedar.o $(call libs,$(below_policy))
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)
# Never asks the access rules: for the bench to compare with, never installed (scripts/lint).
$(OUT)/bench/strongroomd-unchecked: $(OUT)/obj/tests/bench/unchecked.o $(call libs,$(below_daemon))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -Wl,--wrap=door_allows -o $@ -Wl,--start-group $^ -Wl,--end-group $(LIBS)
$(OUT)/bench/policy: $(OUT)/obj/tests/bench/policy.o $(call libs,$(below_casework))
$(OUT)/bench/rebuild: $(OUT)/obj/tests/bench/rebuild.o $(OUT)/obj/tests/bench/agency.o $(call libs,$(below_casework))
$(OUT)/bench/catalog: $(OUT)/obj/tests/bench/catalog.o $(call libs,$(below_catalog))
$(OUT)/bench/search: $(OUT)/obj/tests/bench/search.o $(OUT)/obj/tests/bench/agency.o $(call libs,$(below_catalog))
$(OUT)/bench/probe: $(OUT)/obj/tests/bench/probe.o $(call libs,$(below_media)) | $(OUT)/strongroom-probe
$(addprefix $(OUT)/bench/,policy rebuild catalog search probe):
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# tests/fuzz/fuzz_MODULE_what.c: corpus in tests/fuzz/corpus/MODULE_what/, replayed by replay.c.
$(OUT)/fuzz/%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $$(call libs,$$(below_$$(call module_of,$$*)))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.c,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)
$(OUT)/libfuzzer/%: tests/fuzz/fuzz_%.c $(OUT)/obj/strongroom.cedarschema.o $$(if $$(findstring tools_,$$*),$(shipped_OBJ)) $$(foreach m,$$(below_$$(call module_of,$$*)),$$(call src,$$m))
	@mkdir -p $(@D)
	clang $(CPPFLAGS) $(if $(findstring tools_,$*),$(shell pkg-config --cflags libxml-2.0 2>/dev/null)) -std=c17 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ \
	    $(filter-out %/main.c,$(filter %.c %.o,$^)) $(LIBS) -pthread

BENCH_FILES = $(wildcard /usr/share/forensics-samples/original-files/pic1/debian* /usr/share/forensics-samples/original-files/text1/* /usr/share/forensics-samples/original-files/audio1/*)

.PHONY: unit conformance fault fuzz-replay check-fast check bench fuzz up down deps lint format clean
unit: $(UNIT)
conformance: $(OUT)/cedar-conformance
fault: $(FAULT)
fuzz-replay: $(addprefix $(OUT)/fuzz/,$(FUZZ))

check-fast: all unit conformance fuzz-replay
	@scripts/check-fast
check: ; @scripts/check
bench: all $(addprefix $(OUT)/bench/,policy catalog search rebuild probe strongroomd-unchecked) ; @$(OUT)/bench/policy && $(OUT)/bench/catalog 3000000 && $(OUT)/bench/search && $(OUT)/bench/rebuild && $(OUT)/bench/probe $(BENCH_FILES) && tests/bench/bag.py $(OUT)/strongroom && tests/bench/export.py $(OUT) && tests/bench/run
fuzz: $(addprefix $(OUT)/libfuzzer/,$(FUZZ)) ; @scripts/fuzz $(T) $(FUZZ)
up: ; @scripts/up
down: ; @scripts/down
deps: ; @scripts/deps
lint: ; @scripts/lint
format: ; @clang-format -i $$(git ls-files -c -o --exclude-standard '*.c' '*.h')
clean: ; rm -rf out

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
