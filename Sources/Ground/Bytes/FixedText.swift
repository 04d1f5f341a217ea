// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A number as Go's `%f` prints it: its exact value, rounded to six decimals.
package func formatFixed(_ value: Double) -> String {
    guard value.isFinite else { return formatFloat(value, style: .general) }
    // The longest: 309 digits, sign, point, six decimals.
    var buffer = [CChar](repeating: 0, count: 400)
    let length = unsafe withVaList([value]) {
        unsafe vsnprintf(&buffer, buffer.count, "%f", $0)
    }
    return String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
}
