// SPDX-License-Identifier: Apache-2.0

/// How a float64 is written. The digits are always the shortest that read back to the same value;
/// the styles differ in layout, as Go's `strconv.FormatFloat` with precision -1 does.
package enum FloatStyle: Sendable {
    /// Go's 'f': never an exponent. PromQL literals, `count_values`, scalars in query results.
    case plain
    /// Go's 'g': an exponent below 1e-4 and from 1e6 on. Expositions and their `le` labels.
    case general
    /// Sample values of query results: 'f' for 1e-6 <= |x| < 1e21 and zero, else 'e'.
    case json
    /// Go's 'e': always an exponent of at least two digits.
    case exponent

    /// The room that every value of this style fits into.
    package var width: Int { self == .plain ? 400 : 56 }
}

package func formatFloat(_ value: Double, style: FloatStyle) -> String {
    var writer = ByteWriter()
    writer.float(value, style: style)
    return String(decoding: writer.bytes, as: UTF8.self)
}

extension ByteWriter {
    /// Writes a value; NaN, +Inf and -Inf by these names.
    package mutating func float(_ value: Double, style: FloatStyle) {
        withRoom(style.width) { $0.float(value, style: style) }
    }

    package mutating func decimal(_ value: UInt64) { withRoom(32) { $0.decimal(value) } }

    package mutating func decimal(_ value: Int64) {
        withRoom(32) { room in
            if value < 0 { room.byte(UInt8(ascii: "-")) }
            room.decimal(value.magnitude)
        }
    }
}
