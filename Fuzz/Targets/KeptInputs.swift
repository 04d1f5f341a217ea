// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Inputs that long runs found, each of which reaches a place that the others do not
/// (`Fuzz/keep` writes them): one a line, in hexadecimal digits, in Fuzz/Corpora/TARGET.
func keptInputs(_ target: String, _ here: String = #filePath) -> [[UInt8]] {
    let folder = here.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    guard let file = fopen("\(folder.joined(separator: "/"))/Corpora/\(target)", "r") else {
        return []
    }
    defer { fclose(file) }
    var inputs: [[UInt8]] = []
    while let line = readLine(of: file) {
        inputs.append(bytes(ofHexadecimal: line))
    }
    return inputs
}

private func readLine(of file: UnsafeMutablePointer<FILE>) -> [UInt8]? {
    var line: [UInt8] = []
    while case let byte = getc(file), byte != EOF {
        if byte == 0x0A { return line }
        line.append(UInt8(truncatingIfNeeded: byte))
    }
    return line.isEmpty ? nil : line
}

private func bytes(ofHexadecimal line: [UInt8]) -> [UInt8] {
    func digit(_ byte: UInt8) -> UInt8 {
        guard let value = Character(Unicode.Scalar(byte)).hexDigitValue else {
            preconditionFailure("a kept input is written in hexadecimal digits")
        }
        return UInt8(value)
    }
    return stride(from: 0, to: line.count - 1, by: 2).map { index in
        digit(line[index]) << 4 | digit(line[index + 1])
    }
}
