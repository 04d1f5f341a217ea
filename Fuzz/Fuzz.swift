// SPDX-License-Identifier: Apache-2.0
//
// One program for libFuzzer with an entry for each decoder of foreign bytes. `FUZZ_TARGET` chooses;
// `Fuzz/run TARGET [SECONDS]` builds and starts it. A target must neither trap nor allocate without
// bound, and where a decoder has an encoder the two must agree.

import Bytes
import Compression
import Glibc
import RemoteProtocol
import ScrapeClient

private let targets: [String: @Sendable ([UInt8]) -> Void] = [
    "snappy": fuzzSnappy,
    "gzip": fuzzGzip,
    "zstd": fuzzZstandard,
    "response": fuzzResponse,
    "write-request": fuzzWriteRequest,
]

private let chosen: @Sendable ([UInt8]) -> Void = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        print("FUZZ_TARGET must be one of: \(targets.keys.sorted().joined(separator: ", "))")
        exit(2)
    }
    return target
}()

private typealias Entry = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<Arguments>,
    _ entry: Entry
) -> Int32

/// The build system starts an executable at `<name>_main`.
@_cdecl("Fuzz_main")
public func fuzzMain(
    _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> Int32 {
    var count = count
    var arguments = arguments
    return runFuzzer(&count, &arguments) { start, count in
        chosen(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    }
}

private let limit = 1 << 20

private func fuzzSnappy(_ bytes: [UInt8]) {
    if let plain = try? Snappy.decode(bytes.span.bytes, limit: limit) {
        precondition(plain.count <= limit, "the limit holds")
    }
    let packed = Snappy.encode(bytes.span.bytes)
    let again = try? Snappy.decode(packed.span.bytes, limit: bytes.count)
    precondition(again == bytes, "what is packed unpacks to the same")
}

private func fuzzGzip(_ bytes: [UInt8]) {
    var room: [UInt8] = []
    let decoder = GzipDecoder()
    _ = try? decoder.decode(gzip: bytes.span.bytes, into: &room, limit: limit)
    _ = try? decoder.decode(zlib: bytes.span.bytes, into: &room, limit: limit)
    precondition(room.count <= limit, "the limit holds")
}

private func fuzzZstandard(_ bytes: [UInt8]) {
    let plain = try? Zstandard.decode(bytes.span.bytes, limit: limit)
    precondition(plain?.count ?? 0 <= limit, "the limit holds")
}

/// The first byte says where the rest is cut in two.
private func fuzzResponse(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let answer = Array(bytes.dropFirst())
    let cut = answer.count * Int(first) / 256
    let whole = CapturedResponse([answer], bodyLimit: limit)
    let parts = CapturedResponse(
        [Array(answer[..<cut]), Array(answer[cut...])], bodyLimit: limit)
    precondition(whole == parts, "a cut makes no difference")
}

private let key = FingerprintKey()

private func fuzzWriteRequest(_ bytes: [UInt8]) {
    var request = WriteRequest()
    guard (try? request.decode(bytes.span.bytes, key)) != nil else { return }
    precondition(request.values.count == request.timestamps.count, "columns are of one length")
    for series in request.series {
        guard let labels = try? series.makeLabels(bytes.span.bytes) else { continue }
        precondition(!labels.isEmpty, "a label set has a name")
    }
}
