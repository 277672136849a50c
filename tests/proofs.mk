# All tests under other flavours, what proves the protocol, and what measures the program: the Makefile includes this.
# Each check-X is a short version of X.

# A command's signals must be the caller's, those that the sanitizer would handle included: they kill, which shows, too.
asan: ## all tests under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer
	ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:handle_segv=0:handle_sigbus=0 UBSAN_OPTIONS=print_stacktrace=1 $(MAKE) FLAVOUR=asan check

# Criterion maps its arena where ThreadSanitizer keeps its shadow and aborts, so only the real program runs here.
tsan: ## the black-box tests under ThreadSanitizer
	TSAN_OPTIONS=halt_on_error=1:handle_segv=0:handle_sigbus=0 $(MAKE) FLAVOUR=tsan check-blackbox

cover: ## line coverage of all tests, by gcovr
	find . -path './build-cover/*.gcda' -delete
	$(MAKE) FLAVOUR=cover check
	gcovr --root . --object-directory build-cover --filter src/ --sort-percentage

PROGRAM = GROUPLOCK=$(abspath $(B)/grouplock)

check-proofs: ## the short versions of all of these, one after the other
	$(MAKE) check-model
	$(MAKE) check-stress
	$(MAKE) check-fault
	$(MAKE) check-fuzz

check-model: ## every state of the protocol's model, by spin
	scripts/model
model: ## the same at larger instances (N=2, ten minutes, unless set)
	scripts/model $(or $(N),2)

$(B)/stress-%: $(B)/tests/stress/%.o
	$(LINK) -o $@ $^
stress check-stress: all $(B)/stress-job $(B)/stress-watch
stress: ## the stress test, DURATION= seconds or N= calls, SEED=; then figures of scale
	+$(PROGRAM) scripts/stress --mutants $(if $(SEED),--seed $(SEED)) $(if $(N),-n $(N),--duration $(or $(DURATION),300))
	$(PROGRAM) scripts/scale
check-stress: ## a short stress test
	+$(PROGRAM) scripts/stress --duration 4 --mutants=2 $(if $(SEED),--seed $(SEED))

fault: all ## each system call made to fail in turn, with N errors each (default: all that fit)
	$(PROGRAM) JOBS=$(JOBS) scripts/fault $(N)
check-fault: N = 1
check-fault: fault ## the short version of that

$(B)/fuzz-%: $(B)/tests/fuzz/%.o $(filter-out %/main.o,$(OBJ))
	$(LINK) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LIBS)
fuzzers: $(patsubst tests/fuzz/%.c,$(B)/fuzz-%,$(wildcard tests/fuzz/*.c))
fuzz: ## libFuzzer on the parsers, and the program on random configs, DURATION seconds each (60)
	$(MAKE) FLAVOUR=fuzz CC=$(CLANG) fuzzers
	$(MAKE) all
	$(PROGRAM) scripts/fuzz $(or $(DURATION),60)
check-fuzz: DURATION = 1
check-fuzz: fuzz ## the corpus, and a second of that

valgrind: ## the main paths of a dynamic program under valgrind
	$(MAKE) STATIC=0 all
	GROUPLOCK=$(abspath build-dynamic/grouplock) prove tests/valgrind/paths.t

check-buildbot: all ## the steps of a real Buildbot
	$(PROGRAM) prove tests/buildbot/buildbot.t

# Static, as a program that measures others has to be small; the wrapper is the limit that they are measured against.
$(B)/bench/%: tests/bench/%.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O2 -static -o $@ $<
# What make says goes to stderr: stdout is the table, or JSON for the next program.
bench: ## what it costs, beside its peers (BENCH=--json, or --help)
	@$(MAKE) --no-print-directory all $(addprefix $(B)/bench/,rounds stamp wrapper) >&2
	@GROUPLOCK=$(B)/grouplock BENCH_PROGRAMS=$(B)/bench scripts/bench $(BENCH)

picture: all ## draw tests/queue.svg anew, from the trace of a real run
	scripts/demo --trace $(B)/demo.trace 2
	scripts/picture $(B)/demo.trace >tests/queue.svg.new
	mv tests/queue.svg.new tests/queue.svg

.PHONY: asan tsan cover check-proofs check-model model stress check-stress fault check-fault fuzzers fuzz check-fuzz valgrind \
	check-buildbot bench picture
