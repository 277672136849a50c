# grouplock: `make help` lists the targets.
#
# Every flavour has a build directory of its own, so that `make asan` leaves what `make` built alone:
#   build  static (the default)    build-dynamic  STATIC=0
#   build-asan, build-tsan, build-fuzz, build-cover  always dynamic: their run-time libraries ask for it

VERSION       := 0.1.0
JOBS          ?= 4
PREFIX        ?= /usr/local
SYSCONFDIR    ?= /etc
LOCALSTATEDIR ?= /var

STATIC  ?= 1
FLAVOUR ?= $(if $(filter 1,$(STATIC)),static,dynamic)
B       := $(if $(filter static,$(FLAVOUR)),build,build-$(FLAVOUR))

flags.static  := -O2 -ffunction-sections -fdata-sections
flags.dynamic := -O2
flags.asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
flags.tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
flags.fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
flags.cover   := -O0 -g --coverage
link.static   := -static -Wl,--gc-sections

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wformat=2 \
	-Wvla -Wundef -Wpointer-arith -Wwrite-strings -Wcast-qual $(if $(filter 1,$(WERROR)),-Werror)
# Where long has 32 bits, a directory of inodes that need more could not be read.
DEFINES  := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Isrc -I/usr/include/iniparser '-DGROUPLOCK_VERSION="$(VERSION)"' \
	'-DGROUPLOCK_SYSCONFDIR="$(SYSCONFDIR)"' '-DGROUPLOCK_LOCALSTATEDIR="$(LOCALSTATEDIR)"'
COMPILE   = $(CC) -std=c11 $(DEFINES) -Itests/unit $(WARNINGS) -pthread $(flags.$(FLAVOUR)) $(CPPFLAGS) $(CFLAGS)
LINK      = $(CC) -pthread $(flags.$(FLAVOUR)) $(CFLAGS)
LIBS      = -liniparser -ljansson -lmd $(LDLIBS)

SRC       := $(wildcard src/*/*.c)
OBJ       := $(SRC:%.c=$(B)/%.o)
UNIT_OBJ  := $(patsubst %.c,$(B)/%.o,$(wildcard tests/unit/*.c tests/unit/*/*.c))
BLACKBOX  := $(wildcard tests/blackbox/*.t)
FORMATTED := $(wildcard src/*/*.[ch] tests/*/*.[ch] tests/unit/*/*.[ch])

# Version 14 where there is one: another clang-format lays the same code out differently.
CLANG_FORMAT ?= $(shell command -v clang-format-14 || echo clang-format)
CLANG        ?= $(shell command -v clang-14 || echo clang)
CLANG_TIDY   ?= $(shell command -v clang-tidy-14 || echo clang-tidy)

all: $(B)/grouplock ## the program: build/grouplock (STATIC=0: build-dynamic/; WERROR=1: warnings are errors)

$(B)/grouplock: $(OBJ)
	$(LINK) $(link.$(FLAVOUR)) $(LDFLAGS) -o $@ $(OBJ) $(LIBS)

# Always dynamic: Criterion is a shared library only, and finds no test in what --gc-sections leaves.
$(B)/unit-tests: $(UNIT_OBJ) $(filter-out %/main.o,$(OBJ))
	$(LINK) $(LDFLAGS) -o $@ $^ $(LIBS) -lcriterion

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

# Other flags than last time (WERROR=1, say) build everything again.
$(B)/flags: FORCE | $(B)
	$(file >$@.new,$(COMPILE) $(LDFLAGS) $(LDLIBS))
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(B):
	mkdir -p $@

check: all $(B)/unit-tests ## all tests, unit tests first
	$(MAKE) check-unit
	$(MAKE) check-blackbox
check-unit: $(B)/unit-tests ## the unit tests
	@$(B)/unit-tests --list | grep -q . || { echo '$(B)/unit-tests holds no test' >&2; exit 1; }
	$(B)/unit-tests
check-blackbox: export GROUPLOCK = $(abspath $(B)/grouplock)
check-blackbox: all ## the black-box tests, JOBS at a time (BLACKBOX= names some of them)
	prove -j$(JOBS) $(or $(BLACKBOX),$(error no black-box tests))

tidy: $(SRC:%.c=$(B)/%.tidy) ## clang-tidy and gcc -fanalyzer of what changed since the last time, and cppcheck
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr $(SRC)
# gcc 12 takes a pointer that is stored in an array behind a parameter for lost: leaks are for `make asan` to find.
$(B)/%.tidy: %.c $(wildcard src/*/*.h) .clang-tidy | $(B)
	@mkdir -p $(@D)
	$(CLANG_TIDY) --quiet --warnings-as-errors="*" $< -- -std=c11 $(DEFINES)
	gcc -std=c11 $(DEFINES) -O2 -fanalyzer -Wno-analyzer-malloc-leak -Werror -c -o /dev/null $<
	@touch $@

format: ## lay the C code out with clang-format
	$(CLANG_FORMAT) -i $(FORMATTED)
format-check: ## fail if `make format` would change anything
	$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)

install uninstall: export DESTDIR := $(DESTDIR)
install uninstall: export PREFIX := $(PREFIX)
install uninstall: export SYSCONFDIR := $(SYSCONFDIR)
install uninstall: export LOCALSTATEDIR := $(LOCALSTATEDIR)
install: all ## install under DESTDIR and PREFIX, for the SYSCONFDIR and LOCALSTATEDIR it was built with
	scripts/packaging/install install $(B)/grouplock
uninstall: ## remove what `make install` put there
	scripts/packaging/install uninstall $(B)/grouplock

deb: ## build/deb/*.deb, by dpkg-buildpackage
	VERSION=$(VERSION) scripts/packaging/deb build/deb
check-deb: dist ## build the package from that of `make dist`, and try it in a new Debian (as root, minutes)
	scripts/packaging/check-deb grouplock-$(VERSION).tar.gz
version:
	@echo $(VERSION)
dist: ## grouplock-VERSION.tar.gz of what is committed
	git archive --format=tar.gz --prefix=grouplock-$(VERSION)/ -o grouplock-$(VERSION).tar.gz HEAD
clean: ## remove every build directory
	rm -rf build build-dynamic build-asan build-tsan build-fuzz build-cover
help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/\1	\2/p' Makefile tests/proofs.mk | expand -t 16

.PHONY: all check check-unit check-blackbox tidy format format-check install uninstall deb check-deb version dist clean help
.DELETE_ON_ERROR:
FORCE:

-include tests/proofs.mk
-include $(OBJ:.o=.d) $(UNIT_OBJ:.o=.d)
