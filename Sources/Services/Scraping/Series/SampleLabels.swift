// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Relabeling

/// Why a scrape cannot be stored as a whole; shown as the target's last error.
package struct ScrapeError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
    var isLabelLimit = false

    package init(_ description: String) { self.description = description }
}

/// Makes the labels of stored series from exposed ones: those of the target are added, then the
/// job's rules apply, then its limits.
struct SampleLabels: Sendable {
    let target: Labels
    let honorsLabels: Bool
    let rules: [RelabelRule]
    let limits: ScrapeLimits
    let validation: NameValidation

    /// Nil where the rules drop the series.
    func stored(_ exposed: Labels) throws(ScrapeError) -> Labels? {
        let kept: Labels
        if rules.isEmpty, let merged = merged(exposed) {
            kept = merged
        } else {
            var builder = withTargetLabels(exposed)
            for rule in rules where !rule.apply(to: &builder) { return nil }
            kept = builder.labels()
            if kept.isEmpty { return nil }
        }
        try check(kept, exposed)
        return kept
    }

    /// The union, where no name is in both sets and no value is empty; nil where it takes more than
    /// that. Both are sorted, so it is one walk over both.
    private func merged(_ exposed: Labels) -> Labels? {
        let (left, right) = (exposed.packed, target.packed)
        var packed: [UInt8] = []
        packed.reserveCapacity(left.count + right.count)
        var leftAt = 0
        var rightAt = 0
        while leftAt < left.count || rightAt < right.count {
            let isLeft: Bool
            if leftAt == left.count {
                isLeft = false
            } else if rightAt == right.count {
                isLeft = true
            } else {
                let order = compareNames(left, leftAt, right, rightAt)
                if order == 0 { return nil }
                isLeft = order < 0
            }
            if isLeft {
                let start = leftAt
                _ = Labels.field(left.raw, &leftAt)
                if Labels.field(left.raw, &leftAt).isEmpty { return nil }
                packed += left[start..<leftAt]
            } else {
                let start = rightAt
                _ = Labels.field(right.raw, &rightAt)
                _ = Labels.field(right.raw, &rightAt)
                packed += right[start..<rightAt]
            }
        }
        return Labels(packed: packed)
    }

    private func compareNames(
        _ left: [UInt8], _ leftAt: Int, _ right: [UInt8], _ rightAt: Int
    ) -> Int {
        var (leftAt, rightAt) = (leftAt, rightAt)
        let leftName = Labels.field(left.raw, &leftAt)
        let rightName = Labels.field(right.raw, &rightAt)
        return compareBytes(
            left.raw.extracting(leftName), right.raw.extracting(rightName))
    }

    private func withTargetLabels(_ exposed: Labels) -> LabelsBuilder {
        var builder = LabelsBuilder()
        for label in exposed { builder.set(label.name, label.value) }
        if honorsLabels {
            // An empty exposed label keeps the target's away.
            for label in target where !exposed.has(label.name) {
                builder.set(label.name, label.value)
            }
            return builder
        }
        var conflicting: [Label] = []
        for label in target {
            if let value = builder[label.name] { conflicting.append(Label(label.name, value)) }
            builder.set(label.name, label.value)
        }
        // Short names first, each in the order of names.
        let ordered = conflicting.enumerated().sorted { left, right in
            let (short, long) = (left.element.name.utf8.count, right.element.name.utf8.count)
            return short == long ? left.offset < right.offset : short < long
        }
        for (_, label) in ordered {
            var name = "exported_" + label.name
            while builder[name] != nil { name = "exported_" + name }
            builder.set(name, label.value)
        }
        return builder
    }

    // MARK: Checks

    private func check(_ labels: Labels, _ exposed: Labels) throws(ScrapeError) {
        guard labels.has(LabelName.metric) else {
            throw ScrapeError("missing metric name (__name__ label)")
        }
        guard isValid(labels), hasValidText(exposed) else {
            throw ScrapeError("invalid metric name or label names: \(labels)")
        }
        try checkLimits(labels)
        if let name = repeatedName(exposed) {
            throw ScrapeError("label name \"\(name)\" is not unique: invalid sample")
        }
    }

    private func isValid(_ labels: Labels) -> Bool {
        if validation == .utf8 { return true }
        return labels.allSatisfy { label in
            validation.isValidLabelName(label.name)
                && (label.name != LabelName.metric || validation.isValidMetricName(label.value))
        }
    }

    /// Values are checked by the reader; names in quotes are not.
    private func hasValidText(_ exposed: Labels) -> Bool {
        var isValid = true
        exposed.forEachSpan { name, value in
            if name.byteCount == 0 || !isValidUTF8(name) || !isValidUTF8(value) { isValid = false }
        }
        return isValid
    }

    private func repeatedName(_ exposed: Labels) -> String? {
        let bytes = exposed.packed
        var at = 0
        var last = 0..<0
        while at < bytes.count {
            let name = Labels.field(bytes.raw, &at)
            _ = Labels.field(bytes.raw, &at)
            if !last.isEmpty, bytes[last] == bytes[name] {
                return String(decoding: bytes[name], as: UTF8.self)
            }
            last = name
        }
        return nil
    }

    private func checkLimits(_ labels: Labels) throws(ScrapeError) {
        if limits.labels == 0, limits.labelNameLength == 0, limits.labelValueLength == 0 { return }
        let metric = (labels.metricName ?? "").prefix50
        func exceeded(_ name: String, _ details: String, _ limit: Int) -> ScrapeError {
            var error = ScrapeError(
                "\(name) exceeded (metric: \(metric), \(details), limit: \(limit))")
            error.isLabelLimit = true
            return error
        }
        if limits.labels > 0, labels.count > limits.labels {
            throw exceeded("label_limit", "number of labels: \(labels.count)", limits.labels)
        }
        for label in labels {
            let name = "label name: \(label.name.prefix50)"
            let nameLength = label.name.utf8.count
            if limits.labelNameLength > 0, nameLength > limits.labelNameLength {
                throw exceeded(
                    "label_name_length_limit", "\(name), length: \(nameLength)",
                    limits.labelNameLength)
            }
            let length = label.value.utf8.count
            if limits.labelValueLength > 0, length > limits.labelValueLength {
                throw exceeded(
                    "label_value_length_limit",
                    "\(name), value: \(quoted(label.value.prefix50)), length: \(length)",
                    limits.labelValueLength)
            }
        }
    }
}

extension String {
    /// At most fifty characters, for messages.
    fileprivate var prefix50: String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: unicodeScalars.prefix(50))
        return String(scalars)
    }
}
