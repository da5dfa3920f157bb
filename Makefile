# Everything a person does with this tree. The work is in bin/ and images/; `make` alone lists the targets.

DATA ?= var
PORT ?= 8080
RUNS ?= 5
EVENTS ?= 200000
export DATA PORT RUNS

# Debian's Maven uses what JDK 25 warns of; the flags of this make are not those of the guest's.
export MAVEN_OPTS ?= --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED
MVN = MAKEFLAGS=s JAVA_HOME="$$(bin/jdk)" mvn -B -ntp -Dstyle.color=never
BENCH = $(MVN) -q -pl standalone -am test -Dtest.jit= '-Dtest.patience=3 h' -Dguest.check.skip=true -Dsurefire.failIfNoSpecifiedTests=false

# Directories too: removing a file changes only its directory.
SOURCES = $(shell find pom.xml */pom.xml */src examples/*/pom.xml examples/*/src guest/Makefile -path '*/src/test' -prune -o -print 2>/dev/null)

.NOTPARALLEL:
.PHONY: help up down demo build images templates verify fmt bench bench-startup bench-sandbox bench-audit compose-up compose-down clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24
	@echo "  variables: PORT=$(PORT) DATA=$(DATA) RUNS=$(RUNS) EVENTS=$(EVENTS)"

up: ## start Sandglass in one JVM on embedded defaults, and show a sandbox at work
	@bin/up

down: ## stop it; sandboxes survive and are found again by the next start
	@bin/down

demo: ## show a sandbox at work on what is up
	@bin/demo

build: target/built ## package all modules, without tests
target/built: $(SOURCES)
	@echo "build: packaging"
	@$(MVN) -q -DskipTests -Dmaven.test.skip=true package
	@mkdir -p $(@D) && touch $@

images: build ## build every image whose recipe changed
	@bin/docker-up
	@images/build

templates: ## build the images of the built-in templates
	@bin/docker-up
	@images/build templates

verify: images ## build, test and check everything
	@bin/train
	@bin/compose version
	@# Two modules at a time: much of what tests do is waiting.
	@$(MVN) -T 2 verify

fmt: ## format the sources
	@$(MVN) -q spotless:apply

bench: bench-startup bench-sandbox bench-audit ## run the measurements, each beside its floor

bench-startup: build ## measure the start of standalone to its first 200 on /readyz
	@bin/docker-up
	@bin/bench-startup

bench-sandbox: build ## measure what agents wait for, beside what Docker alone takes
	@bin/docker-up
	@$(BENCH) -Dtest=SandboxBench

bench-audit: build ## measure how fast the whole log is checked and folded, and one past found in it
	@$(BENCH) -Dtest=AuditBench -Dsandglass.bench.events=$(EVENTS)

compose-up: images ## start Kafka, PostgreSQL, api, engine and executor as containers
	@bin/compose-up

compose-down: ## stop those containers, keep their volumes
	@bin/compose down

clean: ## remove what was built; data and images stay
	@$(MVN) -q clean
	@rm -rf target
