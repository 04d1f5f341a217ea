// SPDX-License-Identifier: Apache-2.0
//
// Every decoder here takes foreign bytes and a limit in bytes. It looks at what the input declares
// before it allocates, never produces more than the limit, and never reads or writes outside its
// buffers. The decoders fill `room`, an array that the caller keeps from call to call: its count is
// the space there is, it grows where that is too small, and the number returned says how much of it
// holds the result.

/// Why compressed bytes could not be read.
package enum CompressionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The bytes are not what they claim to be; the sentence is the one that upstream shows.
    case corrupt(String)
    /// The result would be longer than allowed.
    case tooLarge(limit: Int)

    package var description: String {
        switch self {
        case .corrupt(let sentence): sentence
        case .tooLarge(let limit): "decoded data is longer than \(limit) bytes"
        }
    }
}

/// Makes `room` hold `wanted` bytes, or all that `limit` allows.
func grow(_ room: inout [UInt8], to wanted: Int, limit: Int) {
    let target = min(wanted, limit)
    if room.count < target {
        room.append(contentsOf: repeatElement(0, count: target - room.count))
    }
}

/// The next size to try where `count` bytes were not enough; nil where the limit is reached.
func larger(_ count: Int, limit: Int) -> Int? {
    count < limit
        ? min(limit, max(4096, count.multipliedReportingOverflow(by: 2).partialValue)) : nil
}
