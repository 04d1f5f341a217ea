# Everything that a person does with this project, one verb each.
PACKAGES = libre2-dev libyaml-dev libdeflate-dev libzstd-dev libjemalloc-dev

.PHONY: build test
build:
	swift build -c release --product narthex
test:
	swift test
