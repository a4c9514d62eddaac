# The verbs of this repository. What they do is in eng/; CI (.ci/run) calls the same ones.
# Works from anywhere: make -C path/to/ash VERB

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build test test-long bench demo dist clean

help: ## list the verbs
	@sed -nE 's/^([a-z-]+):.*## (.*)$$/  make \1\t\2/p' Makefile | expand -t 20

setup: ## install what the build and the sandbox need and this machine lacks
	@bash eng/setup.sh

build: ## compile everything, warnings are errors, and publish the programs for tests and demo
	@bash eng/build.sh

test: ## set up, build and run all tests
	@bash eng/test.sh

test-long: ## the same with the tests that take minutes
	@ASH_TEST_LONG=1 bash eng/test.sh

bench: ## set up, build and measure: NAME=smoke, NAME=turn … (bench/README.md); all without a name
	@bash eng/bench.sh $(NAME)

demo: ## set up, build, start a server, run an agent in a sandbox, clean up
	@bash eng/demo.sh

dist: ## self-contained programs in dist/
	@bash eng/dist.sh

clean: ## remove what was built
	@bash eng/clean.sh
