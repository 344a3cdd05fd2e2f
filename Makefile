# People and CI use the same targets; `make` alone lists them.

MAKEFLAGS += --no-print-directory

ARGS        ?=
STAGE       ?= dev
FUNCTION    ?= fanOut
FUZZTIME    ?= 20s
SEEDS       ?= 1000
HOURS       ?= 20
PACKAGES    ?= build/packages
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
GO_MINOR    := $(shell sed -n 's/^go 1\.\([0-9]*\).*/\1/p' go.mod 2>/dev/null)
CODE        := domain ports adapters functions clients integration

# Every function but standalone is a Lambda: build/<arch>/<function>/bootstrap.
LAMBDAS  := $(filter-out standalone,$(patsubst functions/%/main.go,%,$(wildcard functions/*/main.go)))
BINARIES := $(foreach arch,arm64 amd64,$(LAMBDAS:%=build/$(arch)/%/bootstrap))

.PHONY: help run test unit integration coldstart bench load bench-standalone soak chaos lint gofmt vet staticcheck govulncheck build package deploy remove logs simulate hours scale fuzz rename token clean go node npm $(BINARIES)

# The variables each target takes on the command line. All targets also take the variables
# that their programs read from the environment, where make puts them. Any other variable
# would have no effect, so it is a mistake.
TAKES/run              := ARGS
TAKES/bench            := ARGS
TAKES/load             := URL HEADER TOKEN CONNECT_RATE CONNECT_TIMEOUT PROTOCOL PID SCENARIO CLIENTS SENDERS BROADCASTS RATE \
	SIZE DRAIN OUTSTANDING RAMP_FACTOR RAMP_STEP RAMP_STEPS P99_BOUND CHURN_SHARE CHURN_STAY CHURN_AWAY GRACE SLOW_SHARE \
	SLOW_SPEED RESUME_SHARE RESUME_EVERY RESUME_AWAY JSON CSV HTML ARGS
TAKES/bench-standalone := ARGS
TAKES/soak             := ARGS
TAKES/chaos            := ARGS
TAKES/deploy           := STAGE ARGS
TAKES/remove           := STAGE ARGS
TAKES/logs             := FUNCTION STAGE ARGS
TAKES/simulate         := SEEDS SEED
TAKES/hours            := HOURS SEED
TAKES/fuzz             := FUZZTIME
TAKES/rename           := MODULE
TAKES/token            := USER SCOPE TTL URL
# serverless.build.js sets PACKAGES.
ENVIRONMENT := PACKAGES CI GO% CGO_% AWS_% SWS_% SLS_% NODE_% NPM_% npm_% JAVA_% TMPDIR PATH HOME SHELL MAKEFLAGS %_PROXY %_proxy

taken   := $(strip $(foreach goal,$(or $(MAKECMDGOALS),help),$(TAKES/$(goal))))
unknown := $(foreach v,$(filter-out $(ENVIRONMENT) $(taken),$(.VARIABLES)),$(if $(filter command,$(origin $(v))),$(v)))

# When the Serverless Framework runs make, make inherits its variables.
ifeq ($(MAKELEVEL),0)
$(foreach v,$(firstword $(unknown)),$(error make $(or $(MAKECMDGOALS),help) has no variable $(v): it takes $(or $(sort $(taken)),none)))
endif

# compile builds a program into bin/ and announces it: without a cache, that takes a
# while.
compile = echo "building bin/$(notdir $(1))$(if $(wildcard bin/$(notdir $(1))),,; the first time it downloads modules and takes a minute or two)" >&2; \
	go build -o bin/ ./$(1)

# quoted turns text into a single shell word.
quoted = '$(subst ','\'',$(1))'

# check stops with a one-line error unless the value of the variable $(1) matches $(2).
check = printf '%s' $(call quoted,$($(1))) | grep -Eqx '$(2)' || \
	{ printf '%s\n' $(call quoted,$(1) is "$($(1))": want $(3)) >&2; exit 1; }

help: ## - | list the targets
	@echo "Targets, what each needs, and what it does:"
	@awk -F ':.*## | [|] ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-17s %-14s %s\n", $$1, $$2, $$3 }' Makefile

##@ Run

# Not `go run`: it dies of a SIGTERM without passing it on.
run: go ## Go | start the standalone service; pass flags in ARGS, as in ARGS="--help"
	@$(call compile,functions/standalone) && exec bin/standalone $(ARGS)

##@ Test

# Plain go test, except that a failure is cut to a page (build/test.log has all of it) and
# skipped tests are listed at the end. Package timeouts are four times what the packages
# need beside eight busy loops on two cores.
TESTRUN     := go build -o bin/ ./integration/tools/testrun && exec bin/testrun -log build/test.log
UNIT        := -race -timeout 15m ./domain/... ./ports/... ./adapters/... ./functions/... ./clients/...
# These start programs that go test does not know about, so it must not use its cache.
INTEGRATION := -race -count=1 -timeout 30m ./integration/...

test: go npm ## Go, Node, Java | run all tests, with the race detector
	@$(TESTRUN) $(UNIT) -- $(INTEGRATION)

unit: go ## Go | run the unit tests only
	@$(TESTRUN) $(UNIT)

integration: go ## Go, Node, Java | run the integration tests: built binaries, real clients
	@$(TESTRUN) $(INTEGRATION)

coldstart: go npm ## Go, Node, Java | measure the cold start of each function on this machine
	@echo "building and starting each function; this takes a minute or two" >&2
	@out=$$(go test -count=1 -v -run '^TestColdStart$$' ./integration/blackbox) || { printf '%s\n' "$$out"; exit 1; }; \
		printf '%s\n' "$$out" | sed -n 's/.*_test.go:[0-9]*: //p'

##@ Measure

# The machine should otherwise be idle.
bench: go ## Go | compare ways to post and measure the engine and the disk, in three to four minutes
	@echo "building the benchmark" >&2
	@go run ./integration/tools/bench $(ARGS)

# A variable on the command line becomes a flag: URL=ws://… is -url ws://… A variable that
# is only in the environment, such as TOKEN, does not.
flag = -$(shell printf '%s' $(1) | tr A-Z_ a-z-)
flagged = $(foreach v,$(1),$(if $(filter command,$(origin $(v))),$(call flag,$(v))=$(call quoted,$($(v)))))

load: go ## Go | put load on URL (ws://localhost:3001) and report; CLIENTS, BROADCASTS, RATE, SCENARIO, HTML …, or ARGS="--help"
	@$(call compile,integration/tools/load) && exec bin/load $(call flagged,$(filter-out ARGS,$(TAKES/load))) $(ARGS)

token: go ## Go | print a token for USER (SCOPE, TTL), signed with SWS_JWT_SECRET, and how to connect with it
	@go run ./integration/tools/token $(call flagged,$(TAKES/token))

bench-standalone: go npm ## Go | compare the standalone service with nginx's Nchan, Go's centrifuge and npm's ws, where installed, in twelve minutes
	@$(call compile,functions/standalone) && $(call compile,integration/tools/load) && go run ./integration/tools/comparison $(ARGS)

soak: go ## Go, Linux | run the standalone service for ten minutes while clients come and go, are cut and resume
	@$(call compile,functions/standalone) && $(call compile,integration/tools/load) && go run ./integration/tools/soak $(ARGS)

chaos: go ## Go, Linux | run the standalone service while clients misbehave, and report what the others notice, in two minutes
	@$(call compile,functions/standalone) && $(call compile,integration/tools/load) && go run ./integration/tools/chaos $(ARGS)

##@ Check

lint: go gofmt vet staticcheck govulncheck ## Go | check format, go vet, staticcheck and known vulnerabilities

gofmt:
	@files=$$(gofmt -l $(CODE)); test -z "$$files" || { echo "gofmt these files:" $$files >&2; exit 1; }

vet:
	@echo "go vet" >&2
	@go vet ./...

staticcheck:
	@echo "staticcheck; the first time it is downloaded and built, which takes a minute or two" >&2
	@go run $(STATICCHECK) ./...

# Without access to the vulnerability database there is nothing to check.
govulncheck:
	@echo "govulncheck" >&2
	@out=$$(go run $(GOVULNCHECK) ./... 2>&1) && exit; case "$$out" in \
		*"fetching vulnerabilities"*) echo "govulncheck skipped: it cannot read its database" >&2;; \
		*) printf '%s\n' "$$out" >&2; exit 1;; esac

##@ Deploy

build: $(BINARIES) ## Go | build the Lambdas for arm64 and amd64 into build/

# Always run: go build knows best what is up to date.
$(BINARIES): build/%/bootstrap: | go
	@echo "building $@" >&2
	@CGO_ENABLED=0 GOOS=linux GOARCH=$(*D) \
		go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags '-s -w' -o $@ ./functions/$(*F)

package: $(LAMBDAS:%=$(PACKAGES)/%.zip) ## Go | build the zips for deployment into PACKAGES (build/packages)

$(PACKAGES)/%.zip: build/arm64/%/bootstrap
	@mkdir -p $(@D)
	@go run github.com/aws/aws-lambda-go/cmd/build-lambda-zip -o $@ $<

deploy: node_modules/.package-lock.json ## Go, Node, AWS | deploy the stage STAGE (dev) to AWS
	@$(call check,STAGE,[A-Za-z0-9-]+,a name such as dev)
	@npx sls deploy --stage $(STAGE) $(ARGS)

remove: node_modules/.package-lock.json ## Node, AWS | remove the stage STAGE (dev) from AWS
	@$(call check,STAGE,[A-Za-z0-9-]+,a name such as dev)
	@npx sls remove --stage $(STAGE) $(ARGS)

logs: node_modules/.package-lock.json ## Node, AWS | follow the log of FUNCTION (fanOut) of the stage STAGE (dev)
	@$(call check,STAGE,[A-Za-z0-9-]+,a name such as dev)
	@$(call check,FUNCTION,[A-Za-z0-9]+,a name such as fanOut)
	@npx sls logs --function $(FUNCTION) --stage $(STAGE) --tail $(ARGS)

##@ Simulate

simulate: go ## Go | run SEEDS (1000) simulated worlds and report what was checked, or show the one for SEED
	@$(if $(SEED),$(call check,SEED,[0-9]+,a whole number),$(call check,SEEDS,[1-9][0-9]*,a whole number above 0))
	@echo "building the simulation, and running $(if $(SEED),seed $(SEED),$(SEEDS) seeds)" >&2
	@cd integration/simulation && go test -count=1 -timeout 60m -run '^TestPromises$$' $(if $(SEED),-v -seed $(SEED),-seeds $(SEEDS) -report)

hours: go ## Go | run the standalone service and its clients through HOURS (20) hours of faults in virtual time, or that of SEED
	@$(if $(SEED),$(call check,SEED,[1-9][0-9]*,a whole number above 0),$(call check,HOURS,[1-9][0-9]*,a whole number above 0))
	@echo "building the test, and running it; an hour takes some seconds" >&2
	@go test -count=1 -timeout 60m -run '^TestAnHourOfFaults$$' ./functions/standalone $(if $(SEED),-v -seed $(SEED),-hours $(HOURS))

scale: go ## Go | measure up to a million connections in virtual time, in a few minutes
	@echo "building the simulation, and running it for a few minutes" >&2
	@cd integration/simulation && go test -count=1 -timeout 30m -run '^TestScale$$' -scale

fuzz: go ## Go | run each fuzz target for FUZZTIME (20s)
	@$(call check,FUZZTIME,([0-9.]+(ms|s|m|h))+|[0-9]+x,a duration such as 20s)
	@grep -rEo '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' $(CODE) | while IFS=: read -r file func; do \
		target=$${func#func }; echo "$$target ($$(dirname $$file))"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file) </dev/null || exit 1; \
	done

##@ Maintain

rename: go ## Go | change the module path to MODULE, in go.mod and in every import
	@go run ./integration/tools/rename $(call quoted,$(MODULE))

clean: ## - | remove everything built, installed or left behind by tests; messages in data stay
	@rm -rf bin build node_modules .serverless
	@find . -path ./.git -prune -o -path '*/testdata/rapid' -prune -exec rm -rf {} + \
		-o -type f \( -name '*.test' -o -name '*.prof' \) -exec rm -f {} +

go:
	@command -v go >/dev/null || { echo "Go is missing: install Go 1.$(GO_MINOR) or newer, https://go.dev/dl/" >&2; exit 1; }
	@have=$$(go env GOVERSION) || exit 1; \
		test "$$(echo "$$have" | sed 's/.*go1\.\([0-9]*\).*/\1/')" -ge $(GO_MINOR) || \
		{ echo "$$have is too old: install Go 1.$(GO_MINOR) or newer, https://go.dev/dl/" >&2; exit 1; }

node:
	@command -v npm >/dev/null || { echo "npm is missing: install Node with npm, https://nodejs.org/" >&2; exit 1; }

# Only tests need Node. Without it they report what they skip; under CI they fail.
npm:
	@if command -v npm >/dev/null; then $(MAKE) -s node_modules/.package-lock.json; \
	elif [ -n "$$CI" ]; then echo "npm is missing, and CI skips no test" >&2; exit 1; \
	else echo "npm is missing: the tests that need Node are skipped" >&2; fi

node_modules/.package-lock.json: package-lock.json | node
	@echo "installing the npm packages" >&2
	@out=$$(npm ci 2>&1) || { printf '%s\n' "$$out" >&2; echo "npm ci failed" >&2; exit 1; }
	@touch $@
