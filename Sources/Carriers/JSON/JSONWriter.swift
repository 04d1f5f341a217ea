// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// Which characters of a text are written as escapes. Upstream uses three encoders side by side,
/// and their answers differ in these characters; what a client compares byte for byte must not
/// change.
package enum JSONEscaping: Sendable {
    /// Quotes, backslashes and control characters: names and values of labels.
    case plain
    /// `<`, `>`, `&`, U+2028 and U+2029 too, so that the text may stand in HTML: everything else.
    case htmlSafe
    /// The same with `\b` and `\f` by their short names: PromQL strings.
    case htmlSafeShort
}

/// Writes JSON to memory, piece by piece. The caller opens and closes what it nests; commas and
/// colons come by themselves. `output` may be emptied at any time, so that a long answer streams
/// through a small buffer.
package struct JSONWriter: Sendable {
    package var output: ByteWriter
    /// Whether the next key or element needs a comma before it.
    private var isAfterValue = false

    package init(capacity: Int = 1024) { output = ByteWriter(capacity: capacity) }

    /// Begins a new text, which goes on inside of something: whether a value stands before it.
    package mutating func restart(isAfterValue: Bool) {
        output.removeAll()
        self.isAfterValue = isAfterValue
    }

    /// Takes back what stands behind the first `length` bytes, which are nothing or end with a
    /// value.
    package mutating func cut(to length: Int) {
        output.bytes.removeLast(output.count - length)
        isAfterValue = length > 0
    }

    @inline(__always)
    private mutating func separate() {
        if isAfterValue { output.uint8(UInt8(ascii: ",")) }
        isAfterValue = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        output.uint8(bracket)
        isAfterValue = false
    }

    private mutating func close(_ bracket: UInt8) {
        output.uint8(bracket)
        isAfterValue = true
    }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes an object whose members `body` writes.
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        beginObject()
        body(&self)
        endObject()
    }

    /// Writes an array of one element per item.
    package mutating func array<Items: Sequence>(
        _ items: Items, _ body: (inout JSONWriter, Items.Element) -> Void
    ) {
        beginArray()
        for item in items { body(&self, item) }
        endArray()
    }

    /// The name of the member whose value comes next.
    package mutating func key(_ name: String) {
        string(name)
        output.uint8(UInt8(ascii: ":"))
        isAfterValue = false
    }

    package mutating func string(_ text: String, _ escaping: JSONEscaping = .htmlSafe) {
        separate()
        text.withRawSpan { output.quotedJSON($0, escaping) }
    }

    /// A text given as its UTF-8 bytes.
    package mutating func string(_ bytes: RawSpan, _ escaping: JSONEscaping = .htmlSafe) {
        separate()
        output.quotedJSON(bytes, escaping)
    }

    /// A member of a label set: both texts as bytes, escaped as labels are.
    package mutating func label(_ name: RawSpan, _ value: RawSpan) {
        string(name, .plain)
        output.uint8(UInt8(ascii: ":"))
        output.quotedJSON(value, .plain)
    }

    package mutating func integer(_ value: Int64) {
        separate()
        output.decimal(value)
    }

    /// A finite number; NaN and infinities have no JSON form and become null.
    package mutating func number(_ value: Double) {
        separate()
        if value.isFinite { output.float(value, style: .json) } else { output.append("null") }
    }

    package mutating func boolean(_ value: Bool) {
        separate()
        output.append(value ? "true" : "false")
    }

    package mutating func null() {
        separate()
        output.append("null")
    }

    /// A number as text, which can be NaN or infinite: `"1.5e+21"`.
    package mutating func floatText(_ value: Double, _ style: FloatStyle = .json) {
        separate()
        output.uint8(UInt8(ascii: "\""))
        output.float(value, style: style)
        output.uint8(UInt8(ascii: "\""))
    }

    /// Milliseconds as seconds: no fraction, or one of exactly three digits.
    package mutating func timestamp(_ milliseconds: Int64) {
        separate()
        output.withRoom(48) { $0.seconds(milliseconds) }
    }

    /// A sample as `[seconds,"value"]`: what most of a large answer consists of.
    package mutating func sample(_ milliseconds: Int64, _ value: Double) {
        output.withRoom(128) { room in
            if isAfterValue { room.byte(UInt8(ascii: ",")) }
            room.byte(UInt8(ascii: "["))
            room.seconds(milliseconds)
            room.byte(UInt8(ascii: ","))
            room.byte(UInt8(ascii: "\""))
            room.float(value, style: .json)
            room.byte(UInt8(ascii: "\""))
            room.byte(UInt8(ascii: "]"))
        }
        isAfterValue = true
    }

    /// Samples `run` of a column, each as `[seconds,"value"]`.
    package mutating func samples(_ values: [Double], _ run: Range<Int>, at times: SampleTimes) {
        if run.isEmpty { return }
        output.column(
            values, run, before: times.cells, skipping: isAfterValue ? 0 : 1,
            after: (UInt8(ascii: "\""), UInt8(ascii: "]")), style: .json)
        isAfterValue = true
    }
}
