// SPDX-License-Identifier: Apache-2.0
//
// One program for libFuzzer with an entry for each decoder of foreign bytes. `FUZZ_TARGET` chooses;
// `Fuzz/run TARGET [SECONDS]` builds and starts it.

import Glibc

private let chosen: @Sendable ([UInt8]) -> Void = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = fuzzTargets[name] else {
        print("FUZZ_TARGET must be one of: \(fuzzTargets.keys.sorted().joined(separator: ", "))")
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
    if let folder = getenv("FUZZ_SEEDS") {
        _ = chosen
        let target = String(cString: getenv("FUZZ_TARGET"))
        for (number, input) in (fuzzSeeds(target) + keptInputs(target)).enumerated() {
            write(input, to: "\(String(cString: folder))/kept-\(number)")
        }
        return 0
    }
    var count = count
    var arguments = arguments
    return runFuzzer(&count, &arguments) { start, count in
        chosen(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    }
}

private func write(_ input: [UInt8], to path: String) {
    guard let file = fopen(path, "w") else { return print("\(path) cannot be written") }
    fwrite(input, 1, input.count, file)
    fclose(file)
}
