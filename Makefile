# People and CI use the same targets; `make` alone lists them.

MAKEFLAGS += --no-print-directory

ARGS        ?=
STAGE       ?= dev
FUNCTION    ?= fanOut
FUZZTIME    ?= 20s
SEEDS       ?= 1000
PACKAGES    ?= build/packages
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
CODE        := domain ports adapters functions integration

# Every function but standalone is a Lambda: build/<arch>/<function>/bootstrap.
LAMBDAS  := $(filter-out standalone,$(patsubst functions/%/main.go,%,$(wildcard functions/*/main.go)))
BINARIES := $(foreach arch,arm64 amd64,$(LAMBDAS:%=build/$(arch)/%/bootstrap))

.PHONY: help run test unit integration coldstart bench load bench-standalone soak lint gofmt vet staticcheck build package deploy remove logs simulate scale fuzz clean npm $(BINARIES)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

# Not `go run`, which dies of a SIGTERM without passing it on.
run: ## start the standalone service; flags go into ARGS, as in ARGS="--help"
	@go build -o bin/ ./functions/standalone && exec bin/standalone $(ARGS)

test: npm unit integration ## run all tests, with the race detector

unit: ## run the tests of the packages alone
	@go test -race -timeout 5m ./domain/... ./ports/... ./adapters/... ./functions/...

# These start programs that go test knows nothing about, so it must not answer
# from its cache.
integration: ## run the tests of the whole: built binaries, real clients
	@go test -race -count=1 -timeout 9m ./integration/...

coldstart: npm ## measure the cold start of each function on this machine
	@out=$$(go test -count=1 -v -run '^TestColdStart$$' ./integration/blackbox) || { printf '%s\n' "$$out"; exit 1; }; \
		printf '%s\n' "$$out" | sed -n 's/.*_test.go:[0-9]*: //p'

# The rest of the machine should be idle meanwhile.
bench: ## compare ways to post and measure the engine, in two to three minutes
	@go run ./integration/bench $(ARGS)

# What is given on the command line becomes a flag: URL=ws://… is -url ws://…
# What merely is in the environment, such as a TOKEN, does not.
LOAD = URL HEADER TOKEN CONNECT_RATE CONNECT_TIMEOUT ECHO PID SCENARIO CLIENTS SENDERS BROADCASTS RATE SIZE DRAIN \
	OUTSTANDING RAMP_FACTOR RAMP_STEP RAMP_STEPS P99_BOUND CHURN_SHARE CHURN_STAY CHURN_AWAY GRACE SLOW_SHARE SLOW_SPEED \
	JSON CSV HTML
flag = -$(shell printf '%s' $(1) | tr A-Z_ a-z-)

load: ## put load on URL (ws://localhost:3001) and report; CLIENTS, BROADCASTS, RATE, SCENARIO, HTML …, or ARGS="--help"
	@go build -o bin/ ./integration/load && exec bin/load $(foreach v,$(LOAD),$(if $(filter command,$(origin $(v))),$(call flag,$(v))='$($(v))')) $(ARGS)

bench-standalone: npm ## compare the standalone service with nginx's Nchan and npm's ws, where installed, in a few minutes
	@go build -o bin/ ./functions/standalone ./integration/load && go run ./integration/peers $(ARGS)

soak: ## run the standalone service for ten minutes while clients come and go
	@go build -o bin/ ./functions/standalone ./integration/load && go run ./integration/soak $(ARGS)

lint: gofmt vet staticcheck ## check format, go vet and staticcheck

gofmt:
	@files=$$(gofmt -l $(CODE)); test -z "$$files" || { echo "gofmt these files:" $$files >&2; exit 1; }

vet:
	@go vet ./...

staticcheck:
	@go run $(STATICCHECK) ./...

build: $(BINARIES) ## build the Lambdas for arm64 and amd64 into build/

# Always asked for: go build itself knows best what is up to date.
$(BINARIES): build/%/bootstrap:
	@CGO_ENABLED=0 GOOS=linux GOARCH=$(*D) \
		go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags '-s -w' -o $@ ./functions/$(*F)

package: $(LAMBDAS:%=$(PACKAGES)/%.zip) ## build the zips that are deployed into PACKAGES (build/packages)

$(PACKAGES)/%.zip: build/arm64/%/bootstrap
	@mkdir -p $(@D)
	@go run github.com/aws/aws-lambda-go/cmd/build-lambda-zip -o $@ $<

deploy: node_modules/.package-lock.json ## deploy to AWS; the stage goes into STAGE (dev)
	@npx sls deploy --stage $(STAGE) $(ARGS)

remove: node_modules/.package-lock.json ## remove the stage STAGE (dev) from AWS
	@npx sls remove --stage $(STAGE) $(ARGS)

logs: node_modules/.package-lock.json ## follow the log of FUNCTION (fanOut) of the stage STAGE (dev)
	@npx sls logs --function $(FUNCTION) --stage $(STAGE) --tail $(ARGS)

simulate: ## run SEEDS (1000) simulated worlds, or show the one of SEED
	@go test -count=1 -timeout 60m -run '^TestPromises$$' ./integration/simulation $(if $(SEED),-v -seed $(SEED),-seeds $(SEEDS))

scale: ## measure up to a million connections in virtual time, in a few minutes
	@cd integration/simulation && go test -count=1 -timeout 30m -run '^TestScale$$' -scale

fuzz: ## run each fuzz target for FUZZTIME (20s)
	@grep -rEo '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' $(CODE) | while IFS=: read -r file func; do \
		target=$${func#func }; echo "$$target ($$(dirname $$file))"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file) </dev/null || exit 1; \
	done

clean: ## remove what was built and installed
	@rm -rf bin build node_modules .serverless

# Only tests need Node. Without it they say what they skip; under CI they fail.
npm:
	@if command -v npm >/dev/null; then $(MAKE) -s node_modules/.package-lock.json; \
	elif [ -n "$$CI" ]; then echo "npm is missing, and CI skips no test" >&2; exit 1; \
	else echo "npm is missing: the tests that need Node are skipped" >&2; fi

node_modules/.package-lock.json: package-lock.json
	@out=$$(npm ci 2>&1) || { printf '%s\n' "$$out" >&2; echo "npm ci failed" >&2; exit 1; }
	@touch $@
