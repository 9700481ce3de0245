# SPDX-License-Identifier: Apache-2.0
# `make search` is the main job, `make test` runs the tests; both set up what is missing first.

SWIFT ?= swift
RELEASE = $(SWIFT) build -c release --product
MUXNET = .build/release/muxnet
CORE = MUXNET_TORCH=0 $(SWIFT)

.PHONY: docs help setup build search demo test test-core lint format clean

help:
	@echo "make search     search networks for the digits, train the best ones, classify some images"
	@echo "make demo       train a small MUXNet on the digits, evaluate it, predict some images"
	@echo "make test       all tests (release build, so that libtorch code is built once)"
	@echo "make test-core  the tests of the half that needs no libtorch, which is then compiled alone"
	@echo "make docs       build the documentation (DocC) as one site; scripts/docs --serve shows it"
	@echo "make lint       check the format of all files in Swift, C and C++, and that each begins with its licence"
	@echo "make format     format them"
	@echo "make build      build the program, .build/release/muxnet, and what it needs (make setup); beside it lies"
	@echo "                libMUXTorch, which it opens to train"

setup:
	@scripts/setup

# MUXTorch is what the program opens to train, with libtorch.
build: setup
ifneq ($(MUXNET_TORCH),0)
	$(RELEASE) MUXTorch
endif
	$(RELEASE) muxnet

search: build
	MUXNET='$(MUXNET)' scripts/search

demo: build
	MUXNET='$(MUXNET)' scripts/demo

# No test imports with @testable; without the flag everything would be compiled twice, for the tests and
# for the program. Both commands compile the upper half alike and in one folder, so whichever comes second
# finds it compiled. FILTER leaves out tests that do not match it, SKIP those that do.
TEST = test -c release --disable-testable-imports

test: setup
	$(SWIFT) $(TEST)

test-core:
	@scripts/setup --core
	$(CORE) $(TEST) $(if $(FILTER),--filter '$(FILTER)') $(if $(SKIP),--skip '$(SKIP)')

docs:
	@scripts/docs

lint:
	@scripts/check-headers
	@scripts/format-c --check
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Samples

format:
	@scripts/format-c
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Samples

clean:
	rm -rf .build .build-core
