// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Model

/// Writes label sets as objects, one after the other. They mostly come in order, so that each has
/// its first labels in common with the one before: their text is copied.
struct LabelSetWriter {
    /// The label set before.
    private var packed = ByteWriter()
    /// Its members, and where each of them ends.
    private var members = JSONWriter()
    private var ends: [Int] = []

    /// `labels` packed, as `Labels` has them.
    mutating func write(_ labels: RawSpan, to json: inout JSONWriter) {
        let shared = Labels.sharedFields(labels, packed.bytes.raw).count / 2
        members.cut(to: shared == 0 ? 0 : ends[shared - 1])
        ends.removeLast(ends.count - shared)
        var at = 0
        for _ in 0..<(shared * 2) { _ = Labels.field(labels, &at) }
        while at < labels.byteCount {
            let name = Labels.field(labels, &at)
            let value = Labels.field(labels, &at)
            members.label(labels.extracting(name), labels.extracting(value))
            ends.append(members.output.count)
        }
        packed.removeAll()
        packed.append(labels)
        json.beginObject()
        json.output.append(members.output.bytes)
        json.endObject()
    }
}
