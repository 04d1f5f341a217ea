// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model

extension ExpositionReader {
    /// The labels of the current series with its metric name: sorted, escapes resolved, `le` and
    /// `quantile` in OpenMetrics' notation. What the exposition wrote stays in: empty values, and
    /// names that occur twice.
    package func labels() -> Labels {
        var collected = CollectedLabels()
        let metricName = unescaped(lexer.bytes.extracting(names.name), resolvesQuotes: true)
        let addsType = typeAndUnitLabels && family.type != .unknown
        let addsUnit = typeAndUnitLabels && !family.unit.isEmpty
        if !typeAndUnitLabels || !metricName.isEmpty {
            collected.add(Array(LabelName.metric.utf8), metricName)
        }
        if addsType {
            collected.add(Array(LabelName.type.utf8), Array(family.type.rawValue.utf8))
        }
        if addsUnit { collected.add(Array(LabelName.unit.utf8), Array(family.unit.utf8)) }
        for index in stride(from: 0, to: names.labels.count, by: 2) {
            let name = unescaped(
                lexer.bytes.extracting(names.labels[index]), resolvesQuotes: true)
            // Metadata wins over labels of the same name.
            if typeAndUnitLabels {
                if !metricName.isEmpty, name.elementsEqual(LabelName.metric.utf8) { continue }
                if addsType, name.elementsEqual(LabelName.type.utf8) { continue }
                if addsUnit, name.elementsEqual(LabelName.unit.utf8) { continue }
            }
            let value = unescaped(
                lexer.bytes.extracting(names.labels[index + 1]), resolvesQuotes: true)
            collected.add(name, normalized(value, of: name))
        }
        return collected.packed()
    }

    /// The exemplar of the current series.
    package var exemplar: Exemplar? {
        guard exemplarFields.isPresent else { return nil }
        var collected = CollectedLabels()
        let ranges = exemplarFields.names.labels
        for index in stride(from: 0, to: ranges.count, by: 2) {
            collected.add(
                copy(lexer.bytes.extracting(ranges[index])),
                copy(lexer.bytes.extracting(ranges[index + 1])))
        }
        return Exemplar(
            labels: collected.packed(), value: exemplarFields.value,
            timestamp: exemplarFields.timestamp)
    }

    /// The bound of a classic bucket or a quantile in the one notation that identifies it.
    private func normalized(_ value: [UInt8], of name: [UInt8]) -> [UInt8] {
        switch family.type {
        case .histogram where name.elementsEqual(LabelName.bucket.utf8): break
        case .summary where name.elementsEqual(LabelName.quantile.utf8): break
        default: return value
        }
        do throws(FloatTextError) {
            return openMetricsFloat(try parseFloat(value.raw, allowsHexadecimal: true))
        } catch {
            return value
        }
    }
}

/// A number as OpenMetrics wants it: with a point or an exponent, so that it is seen to be a float.
private func openMetricsFloat(_ value: Double) -> [UInt8] {
    if value == 0 { return Array("0.0".utf8) }
    var writer = ByteWriter(capacity: 24)
    writer.float(value, style: .general)
    let isPlain = writer.bytes.allSatisfy { isDigit($0) || $0 == UInt8(ascii: "-") }
    if isPlain { writer.append(".0") }
    return writer.bytes
}

/// Labels on their way to the packed form.
private struct CollectedLabels {
    private var labels: [(name: [UInt8], value: [UInt8])] = []

    mutating func add(_ name: [UInt8], _ value: [UInt8]) {
        // Expositions mostly come sorted: look for the place from the end.
        var index = labels.count
        while index > 0 {
            let before = labels[index - 1].name
            if compareBytes(before.raw, name.raw) <= 0 { break }
            index -= 1
        }
        labels.insert((name, value), at: index)
    }

    func packed() -> Labels {
        var packed: [UInt8] = []
        packed.reserveCapacity(labels.reduce(0) { $0 + $1.name.count + $1.value.count + 2 })
        for label in labels {
            Labels.appendField(label.name.raw, to: &packed)
            Labels.appendField(label.value.raw, to: &packed)
        }
        return Labels(packed: packed)
    }
}

/// Resolves `\\`, `\n` and, where `resolvesQuotes`, `\"`; any other backslash stays.
func unescaped(_ bytes: RawSpan, resolvesQuotes: Bool) -> [UInt8] {
    var result = copy(bytes)
    guard let first = result.firstIndex(of: UInt8(ascii: "\\")) else { return result }
    var from = first
    var to = first
    while from < result.count {
        let byte = result[from]
        let next = from + 1 < result.count ? result[from + 1] : 0
        if byte == UInt8(ascii: "\\"), next == UInt8(ascii: "n") {
            result[to] = newline
            from += 2
        } else if byte == UInt8(ascii: "\\"),
            next == byte || (resolvesQuotes && next == UInt8(ascii: "\""))
        {
            result[to] = next
            from += 2
        } else {
            result[to] = byte
            from += 1
        }
        to += 1
    }
    result.removeLast(result.count - to)
    return result
}

func copy(_ bytes: RawSpan) -> [UInt8] {
    unsafe bytes.withUnsafeBytes { unsafe Array($0) }
}
