// SPDX-License-Identifier: Apache-2.0

/// Each decoder of foreign bytes by name, with what is held against any bytes: it must neither trap
/// nor allocate without bound, and where a decoder has an encoder the two must agree.
let fuzzTargets: [String: @Sendable ([UInt8]) -> Void] = [
    "snappy": fuzzSnappy,
    "float-text": fuzzFloatText,
    "gzip": fuzzGzip,
    "json": fuzzJSON,
    "zstd": fuzzZstandard,
    "response": fuzzResponse,
    "write-request": fuzzWriteRequest,
    "xor": fuzzXOR,
    "xor2": fuzzXOR2,
    "dense": fuzzDense,
    "histograms": fuzzHistograms,
    "tombstones": fuzzTombstones,
    "wal": fuzzWAL,
    "head-chunks": fuzzHeadChunks,
    "snapshot": fuzzSnapshot,
    "index": fuzzIndex,
    "exposition": fuzzExposition,
    "layout": fuzzLayout,
    "promql": fuzzPromQL,
    "evaluation": fuzzEvaluation,
    "queries": fuzzQueries,
    "yaml": fuzzYAML,
]
