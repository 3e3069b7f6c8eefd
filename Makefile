# `make demo` shows webhookd at work, `make check` tests it. README.md describes `make install`,
# CONTRIBUTING.md the targets for development.

VERSION  := 0.1.0
PREFIX   ?= /usr/local
SYSCONF  ?= /etc
BUILD    ?= build
SANITIZE ?=

CC       ?= cc
PKG_CONFIG ?= pkg-config
LIBRARIES := libmicrohttpd jansson uuid sqlite3 libconfuse yaml-0.1 libsodium zlib libcurl
ifeq ($(filter clean deps deps-tests demo check,$(MAKECMDGOALS)),)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBRARIES) 2>/dev/null)
endif

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum \
            -Wformat=2 -Wconversion -Wno-sign-conversion -Wpointer-arith -Wundef -Wvla \
            -Wwrite-strings -Wcast-qual -Wmissing-declarations -Wold-style-definition
HARDENING := -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection
ifeq ($(SANITIZE),)
HARDENING += -D_FORTIFY_SOURCE=2
OPTIMIZE  ?= -O2
else
OPTIMIZE  ?= -O1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
endif
WERROR   ?= -Werror
CFLAGS   ?= -g
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE $(OPTIMIZE) $(WARNINGS) $(WERROR) $(HARDENING) -Iinclude -Isrc \
             -I$(BUILD)/generated -DWEBHOOKD_VERSION='"$(VERSION)"' \
             -DWEBHOOKD_LIBEXEC='"$(PREFIX)/libexec/webhookd"' -pthread \
             $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread \
              $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)

# All folders except the three programs' own are linked from one archive.
LIB_FOLDERS := base config model store store/sqlite queue packages runner retention http hooks admin
# The daemon shares the job, the attempt's record and the allow-list with the supervisor, which it
# spawns.
SHARED_WITH_SUPERVISOR := $(addprefix src/supervisor/,allow_list.c job.c record.c spawn.c)
LIB_SOURCES := $(foreach folder,$(LIB_FOLDERS),$(wildcard src/$(folder)/*.c)) \
               $(SHARED_WITH_SUPERVISOR)
LIB_OBJECTS := $(LIB_SOURCES:src/%.c=$(BUILD)/objects/%.o) \
               $(BUILD)/generated/migrations.o $(BUILD)/generated/console.o
ARCHIVE     := $(BUILD)/libwebhookd.a

DAEMON_OBJECTS := $(patsubst src/%.c,$(BUILD)/objects/%.o,$(wildcard src/webhookd/*.c))
CTL_OBJECTS    := $(patsubst src/%.c,$(BUILD)/objects/%.o,$(wildcard src/webhookctl/*.c))

# The supervisor starts once for each attempt, so its own start has to be fast. It is linked
# statically, because loading libraries takes time, and with musl where musl-gcc is installed: glibc
# queries the processor about its caches at each start, which a hypervisor answers slowly
# (docs/architecture.md, "Running"). Sanitizers do not support musl.
MULTIARCH      := $(shell $(CC) -print-multiarch 2>/dev/null)
MUSL_FOLDER    := /usr/lib/$(subst gnu,musl,$(MULTIARCH))
ifeq ($(SANITIZE),)
MUSL_CC        ?= $(if $(wildcard $(MUSL_FOLDER)/rcrt1.o),$(shell command -v musl-gcc))
endif
SUPERVISOR_CC  := $(or $(MUSL_CC),$(CC))
SUPERVISOR_SOURCES := $(filter-out %/spawn.c,$(wildcard src/supervisor/*.c)) \
                      src/model/attempt_result.c \
                      $(foreach name,buffer clock error file keyring loop memory utf8, \
                        src/base/$(name).c)
SUPERVISOR_OBJECTS := $(SUPERVISOR_SOURCES:src/%.c=$(BUILD)/supervisor/%.o)
PROGRAMS := $(BUILD)/webhookd $(BUILD)/webhookctl $(BUILD)/webhookd-vessel

DAEMON_LIBS := -lmicrohttpd -ljansson -luuid -lsqlite3 -lconfuse -lyaml -lsodium -lz
CTL_LIBS    := -lcurl -ljansson
TEST_LIBS   := $(shell $(PKG_CONFIG) --libs check 2>/dev/null) -lcurl $(DAEMON_LIBS)

.PHONY: FORCE all install lint clang bench hostile asan tsan fuzz check check-run check-programs \
        fuzz-programs systemd-check demo deps deps-tests clean format
# `make V=1` shows the whole commands.
ifndef V
QUIET = @printf '  %-5s %s\n' $(1) $(2);
endif

.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS)

# ---- building ----

# The compiler and its flags. If they change, everything is compiled again.
SETTINGS := $(BUILD)/settings
$(SETTINGS): FORCE
	$(shell mkdir -p $(@D))$(file >$@.new,$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(SUPERVISOR_CC))
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
FORCE:

$(BUILD)/objects/%.o: src/%.c Makefile $(SETTINGS)
	@mkdir -p $(@D)
	$(call QUIET,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/generated/migrations.c: src/store/sqlite/embed-migrations \
                                 $(wildcard migrations/sqlite/*.sql)
	@mkdir -p $(@D)
	@sh src/store/sqlite/embed-migrations migrations/sqlite > $@

$(BUILD)/generated/console.c: src/admin/embed-console $(wildcard src/admin/console/*)
	@mkdir -p $(@D)
	@sh src/admin/embed-console src/admin/console > $@

$(BUILD)/generated/%.o: $(BUILD)/generated/%.c Makefile $(SETTINGS)
	$(call QUIET,CC,$@)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(ARCHIVE): $(LIB_OBJECTS)
	@rm -f $@
	$(call QUIET,AR,$@)$(AR) rcs $@ $^

$(BUILD)/webhookd: $(DAEMON_OBJECTS) $(ARCHIVE)
	$(call QUIET,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DAEMON_LIBS)

$(BUILD)/webhookctl: $(CTL_OBJECTS) $(ARCHIVE)
	$(call QUIET,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CTL_LIBS) -luuid -lsodium

# musl comes without the kernel's headers, and musl-gcc does not support -static-pie: hence the
# folders of headers and the start files here.
ifneq ($(MUSL_CC),)
SUPERVISOR_CFLAGS  := -idirafter /usr/include -idirafter /usr/include/$(MULTIARCH)
SUPERVISOR_START   := -nostartfiles $(addprefix $(MUSL_FOLDER)/,rcrt1.o crti.o) \
                      $(shell $(CC) -print-file-name=crtbeginS.o)
SUPERVISOR_END     := $(shell $(CC) -print-file-name=crtendS.o) $(MUSL_FOLDER)/crtn.o
endif
ifneq ($(SANITIZE),)
SUPERVISOR_LDFLAGS := -pie -fsanitize=$(SANITIZE)
else ifneq ($(MUSL_CC),)
SUPERVISOR_LDFLAGS := -static -Wl,-pie,--no-dynamic-linker,-z,text
else
SUPERVISOR_LDFLAGS := -static-pie
endif
SUPERVISOR_LDFLAGS += -Wl,-z,relro,-z,now

$(BUILD)/supervisor/%.o: src/%.c Makefile $(SETTINGS)
	@mkdir -p $(@D)
	$(call QUIET,CC,$@)$(SUPERVISOR_CC) $(ALL_CFLAGS) $(SUPERVISOR_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/webhookd-vessel: $(SUPERVISOR_OBJECTS)
	$(call QUIET,LINK,$@)$(SUPERVISOR_CC) $(SUPERVISOR_LDFLAGS) $(LDFLAGS) -o $@ \
	  $(SUPERVISOR_START) $^ $(SUPERVISOR_END)

# ---- tests: each tests/<kind>/test_*.c is a program of its own ----
# All are linked with tests/main.c and tests/support/.

# The kinds with the longest programs come first. tests/run starts programs in this order, and a
# long one that starts last would leave the other processors idle.
TEST_KINDS    := crash fault system unit
TEST_SOURCES  := $(foreach kind,$(TEST_KINDS),$(wildcard tests/$(kind)/test_*.c))
TEST_PROGRAMS := $(TEST_SOURCES:%.c=$(BUILD)/%)
TEST_SHARED   := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
PRELOADS      := $(patsubst tests/%.c,$(BUILD)/tests/%.so,$(wildcard tests/fault/preload_*.c))
HOSTILE       := $(BUILD)/tests/system/hostile_vessel

$(BUILD)/tests/%.o: tests/%.c Makefile $(SETTINGS)
	@mkdir -p $(@D)
	$(call QUIET,CC,$@)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -c -o $@ $<

$(BUILD)/tests/fault/preload_%.so: tests/fault/preload_%.c Makefile
	@mkdir -p $(@D)
	$(call QUIET,CC,$@)$(CC) -std=c17 -D_GNU_SOURCE -O1 -fPIC -shared -Wall -Wextra \
	  -MMD -MP -MF $(@:.so=.d) -o $@ $< -ldl

# Without sanitizers: it runs in the sandbox, whose limit of memory they exceed.
$(HOSTILE): $(wildcard tests/system/hostile/*.[ch]) Makefile
	@mkdir -p $(@D)
	$(call QUIET,CC,$@)$(CC) -std=c17 -D_GNU_SOURCE -O1 -Wall -Wextra -Itests/system -o $@ \
	  $(filter %.c,$^)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(TEST_SHARED) $(ARCHIVE)
	$(call QUIET,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS)

$(TEST_PROGRAMS): $(BUILD)/tests/main.o
# These start the programs, some with a library preloaded. An old one of either would mislead them.
$(filter-out $(BUILD)/tests/unit/%,$(TEST_PROGRAMS)): | $(PROGRAMS) $(PRELOADS) $(HOSTILE)
# Of the supervisor's own files, this one is tested alone.
$(BUILD)/tests/unit/test_syscall_filter: $(BUILD)/objects/supervisor/syscall_filter.o
# This program wraps the store's function, so that a test can make it return ERROR_STALE.
$(BUILD)/tests/unit/test_checks: private LDFLAGS += -Wl,--wrap=sqlite_accept_hook
# This one wraps SQLite's checkpoint, to decide what it reports and when it returns.
$(BUILD)/tests/unit/test_checkpointer: private LDFLAGS += -Wl,--wrap=sqlite3_wal_checkpoint_v2
# And this one zlib's start, so that it can run out of memory and see how many run at once.
$(BUILD)/tests/unit/test_gzip: private LDFLAGS += -Wl,--wrap=deflateInit2_

# ---- fuzz targets: each tests/fuzz/fuzz_*.c is a program; see tests/fuzz/fuzz.h ----

FUZZ_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
$(FUZZ_PROGRAMS): $(BUILD)/tests/fuzz/fuzz.o
ifeq ($(findstring fuzzer,$(SANITIZE)),)
$(FUZZ_PROGRAMS): $(BUILD)/tests/fuzz/replay.o
else
$(FUZZ_PROGRAMS): private LDFLAGS += -fsanitize=fuzzer
endif
# These targets replace functions of libmicrohttpd; the last one, the commit queue's as well.
$(foreach target,guard proxies api,$(BUILD)/tests/fuzz/fuzz_$(target)): \
  $(BUILD)/tests/fuzz/fake_request.o
$(BUILD)/tests/fuzz/fuzz_api: $(BUILD)/tests/fuzz/api_store.o
$(BUILD)/tests/fuzz/fuzz_api: private LDFLAGS += \
  $(foreach name,call submit has_room is_ready get_metrics backup,-Wl,--wrap=commit_$(name))

check-programs: $(PROGRAMS) $(TEST_PROGRAMS) $(FUZZ_PROGRAMS) $(PRELOADS) $(HOSTILE)

fuzz-programs: $(FUZZ_PROGRAMS)

# Runs the test programs without installing packages. TESTS="build/tests/unit/test_id …" selects
# some, JOBS=4 runs four at a time.
check-run: check-programs
	@BUILD=$(BUILD) sh tests/run $(or $(TESTS),$(TEST_PROGRAMS) $(FUZZ_PROGRAMS) $(SYSTEMD_CHECK))

# The installed unit under a booted systemd. Skipped without root, systemd-nspawn or debootstrap,
# and in sanitizer builds, whose libraries the container does not have.
SYSTEMD_CHECK := $(if $(SANITIZE),,tests/systemd/check)
systemd-check: all
	@BUILD=$(BUILD) tests/systemd/check

# Installs the missing packages, or prints the command that installs them.
deps:
	@sh packaging/install-dependencies

deps-tests:
	@sh packaging/install-dependencies tests

# Without an explicit -j, `check` and `demo` build with one job for each processor.
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

check: deps-tests
	@$(MAKE) --no-print-directory $(PARALLEL) check-programs
	@$(MAKE) --no-print-directory check-run

demo: deps
	@echo "Building webhookd (this takes less than a minute)"
	@$(MAKE) --no-print-directory $(PARALLEL) all
	@BUILD=$(BUILD) ONCE=$(ONCE) sh packaging/demo

asan:
	@$(MAKE) --no-print-directory BUILD=build/asan SANITIZE=address,undefined check-run

# webhookd exits immediately when the disk fails, without joining its threads: that is not a leak.
tsan:
	@TSAN_OPTIONS="report_thread_leaks=0 $$TSAN_OPTIONS" \
	  $(MAKE) --no-print-directory BUILD=build/tsan SANITIZE=thread check-run

# Searches for inputs that break a fuzz target, for FUZZ_SECONDS=600 each. FUZZ="guard query"
# selects targets. KEEP=1 adds the inputs that reach new code to tests/fuzz/corpus/.
fuzz:
	@$(MAKE) --no-print-directory $(PARALLEL) BUILD=build/fuzz CC=clang \
	  SANITIZE=address,undefined,fuzzer-no-link fuzz-programs
	@BUILD=build/fuzz FUZZ_SECONDS='$(FUZZ_SECONDS)' KEEP='$(KEEP)' sh tests/fuzz/run $(FUZZ)

# ROWS="1 3" measures these rows only. AA=1 measures this build against itself, AGAINST=FOLDER
# against the build in that folder. TURNS=N sets the number of turns (docs/performance.md).
BENCH_PARTS := disk load posts runs samples size turns
$(BUILD)/tests/bench/bench: $(BENCH_PARTS:%=$(BUILD)/tests/bench/%.o)

bench: all
	@$(MAKE) --no-print-directory $(BUILD)/tests/bench/bare $(BUILD)/tests/bench/bench
	@exec env BUILD='$(BUILD)' BENCH_AGAINST='$(if $(AA),$(BUILD),$(AGAINST))' \
	  BENCH_TURNS='$(or $(TURNS),$(BENCH_TURNS))' $(BUILD)/tests/bench/bench $(ROWS)

# One good POST every 10 ms while hostile clients do their worst. LOADS="drips idles" runs these
# only; HOSTILE_SECONDS=60 is the length of each phase.
hostile: all
	@exec env BUILD='$(BUILD)' tests/bench/hostile $(LOADS)

# Compiles everything with clang as well: it finds other errors than gcc.
clang:
	@$(MAKE) --no-print-directory $(PARALLEL) BUILD=build/clang CC=clang all check-programs

lint:
	@sh tests/lint/run

format:
	@clang-format -i $$(git ls-files --cached --others --exclude-standard '*.c' '*.h')
	@sh tests/lint/console --fix

# ---- installing ----

install: all
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,sbin bin libexec/webhookd share/man/man1 \
	  share/man/man5 share/man/man8 share/doc/webhookd lib/systemd/system) \
	  $(DESTDIR)$(SYSCONF)/webhookd
	install -m 0755 $(BUILD)/webhookd $(DESTDIR)$(PREFIX)/sbin/webhookd
	install -m 0755 $(BUILD)/webhookctl $(DESTDIR)$(PREFIX)/bin/webhookctl
	install -m 0755 $(BUILD)/webhookd-vessel $(DESTDIR)$(PREFIX)/libexec/webhookd/webhookd-vessel
	install -m 0644 docs/man/webhookctl.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 0644 docs/man/webhookd.conf.5 docs/man/webhookd-fleet.5 \
	  $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 0644 docs/man/webhookd.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 0644 README.md LICENSE CHANGELOG.md webhookd.conf.example docs/*.md docs/openapi.yaml \
	  $(DESTDIR)$(PREFIX)/share/doc/webhookd/
	cp -R docs/examples docs/guides $(DESTDIR)$(PREFIX)/share/doc/webhookd/
	sed 's|@PREFIX@|$(PREFIX)|g; s|@SYSCONF@|$(SYSCONF)|g' packaging/webhookd.service \
	  > $(DESTDIR)$(PREFIX)/lib/systemd/system/webhookd.service

clean:
	rm -rf $(BUILD)

-include $(LIB_OBJECTS:.o=.d) $(CTL_OBJECTS:.o=.d) $(SUPERVISOR_OBJECTS:.o=.d) \
         $(DAEMON_OBJECTS:.o=.d) \
         $(wildcard $(BUILD)/tests/*.d $(BUILD)/tests/*/*.d)
