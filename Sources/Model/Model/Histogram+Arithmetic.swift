// SPDX-License-Identifier: Apache-2.0
//
// Sums, differences and multiples of native histograms. Two exponential histograms meet in the
// coarser of their schemas and in a common zero bucket: the wider of the two, widened further until
// no populated bucket of either straddles its border. Two with custom buckets meet in the bounds
// that both have. Buckets are worked on as a list of index and count and put into spans at the end.

internal import Glibc

/// Why two histograms cannot be combined.
package struct HistogramError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    static let incompatibleSchemas = HistogramError(
        "cannot apply this operation on histograms with a mix of exponential and "
            + "custom bucket schemas")
}

/// What combining two histograms came to, with what the user is told about it.
package struct CombinedHistogram: Sendable, Hashable {
    package var histogram: FloatHistogram
    /// One said that its counter was reset, the other that it was not.
    package var hasResetCollision = false
    /// The custom bounds differed; the result has those that both have.
    package var hasReconciledBounds = false
}

extension FloatHistogram {
    package func adding(_ other: FloatHistogram) throws(HistogramError) -> CombinedHistogram {
        try combined(other, sign: 1)
    }

    package func subtracting(_ other: FloatHistogram) throws(HistogramError) -> CombinedHistogram {
        try combined(other, sign: -1)
    }

    /// Every count and the sum times `factor`. A negative factor makes a gauge of it.
    package func scaled(by factor: Double) -> FloatHistogram {
        var result = self
        result.zeroCount *= factor
        result.count *= factor
        result.sum *= factor
        result.positiveBuckets = positiveBuckets.map { $0 * factor }
        result.negativeBuckets = negativeBuckets.map { $0 * factor }
        if factor < 0 { result.counterResetHint = .gauge }
        return result
    }

    /// Every count and the sum divided. Division by zero leaves no buckets: these would all be NaN
    /// or infinite.
    package func divided(by divisor: Double) -> FloatHistogram {
        var result = self
        result.zeroCount /= divisor
        result.count /= divisor
        result.sum /= divisor
        if divisor == 0 {
            result.positiveSpans = []
            result.positiveBuckets = []
            result.negativeSpans = []
            result.negativeBuckets = []
            return result
        }
        result.positiveBuckets = positiveBuckets.map { $0 / divisor }
        result.negativeBuckets = negativeBuckets.map { $0 / divisor }
        if divisor < 0 { result.counterResetHint = .gauge }
        return result
    }

    /// Without empty buckets and spans.
    package func compacted() -> FloatHistogram {
        var result = self
        result.setPositive(BucketList(positiveSpans, positiveBuckets).filter { $0.count != 0 })
        result.setNegative(BucketList(negativeSpans, negativeBuckets).filter { $0.count != 0 })
        return result
    }

    // MARK: Combination

    private func combined(
        _ other: FloatHistogram, sign: Double
    ) throws(HistogramError) -> CombinedHistogram {
        guard usesCustomBuckets == other.usesCustomBuckets else { throw .incompatibleSchemas }
        var left = self
        var right = other
        let isReconciled = usesCustomBuckets && customBounds != other.customBounds
        if usesCustomBuckets {
            if isReconciled { Self.reconcileBounds(&left, &right) }
        } else {
            Self.reconcileZeroBuckets(&left, &right)
            let schema = min(left.schema, right.schema)
            left.reduceResolution(to: schema)
            right.reduceResolution(to: schema)
            left.zeroCount += sign * right.zeroCount
        }
        left.count += sign * other.count
        left.sum += sign * other.sum
        left.setPositive(
            Self.merged(
                BucketList(left.positiveSpans, left.positiveBuckets),
                BucketList(right.positiveSpans, right.positiveBuckets), sign
            ).filter { !isReconciled || $0.count != 0 })
        left.setNegative(
            Self.merged(
                BucketList(left.negativeSpans, left.negativeBuckets),
                BucketList(right.negativeSpans, right.negativeBuckets), sign))
        let hint = Self.combinedHint(counterResetHint, other.counterResetHint)
        left.counterResetHint = hint ?? .unknown
        return CombinedHistogram(
            histogram: left, hasResetCollision: hint == nil, hasReconciledBounds: isReconciled)
    }

    /// What two hints say together; nil where they contradict each other.
    static func combinedHint(
        _ left: CounterResetHint, _ right: CounterResetHint
    ) -> CounterResetHint? {
        if left == right { return left }
        if left == .gauge || right == .gauge { return .gauge }
        if left == .unknown || right == .unknown { return .unknown }
        return nil
    }

    private static func merged(
        _ left: BucketList, _ right: BucketList, _ sign: Double
    ) -> BucketList {
        var result = BucketList()
        var (leftAt, rightAt) = (0, 0)
        while leftAt < left.count || rightAt < right.count {
            let leftIndex = leftAt < left.count ? left[leftAt].index : Int.max
            let rightIndex = rightAt < right.count ? right[rightAt].index : Int.max
            if leftIndex < rightIndex {
                result.append((leftIndex, left[leftAt].count))
                leftAt += 1
            } else if rightIndex < leftIndex {
                result.append((rightIndex, sign * right[rightAt].count))
                rightAt += 1
            } else {
                result.append((leftIndex, left[leftAt].count + sign * right[rightAt].count))
                leftAt += 1
                rightAt += 1
            }
        }
        return result
    }

    static func reconcileBounds(
        _ left: inout FloatHistogram, _ right: inout FloatHistogram
    ) {
        let rightBounds = Set(right.customBounds)
        let common = left.customBounds.filter { rightBounds.contains($0) }
        left.mapBuckets(to: common)
        right.mapBuckets(to: common)
    }

    /// Puts every bucket into the first of the new ones whose bound is not below its own.
    private mutating func mapBuckets(to bounds: [Double]) {
        var counts = [Double](repeating: 0, count: bounds.count + 1)
        for (index, count) in BucketList(positiveSpans, positiveBuckets) {
            guard customBounds.indices.contains(index),
                let target = bounds.firstIndex(where: { $0 >= customBounds[index] })
            else {
                counts[bounds.count] += count
                continue
            }
            counts[target] += count
        }
        customBounds = bounds
        setPositive(
            BucketList(counts.enumerated().map { ($0.offset, $0.element) }).filter {
                $0.count != 0
            })
    }

    // MARK: Resolution

    /// Merges buckets until the histogram has the given, coarser schema.
    package mutating func reduceResolution(to schema: Int32) {
        guard schema < self.schema else { return }
        let shift = Int(self.schema - schema)
        func reduced(_ list: BucketList) -> BucketList {
            var result = BucketList()
            for (index, count) in list {
                let target = ((index - 1) >> shift) + 1
                if result.last?.index == target {
                    result.addToLast(count)
                } else {
                    result.append((target, count))
                }
            }
            return result
        }
        setPositive(reduced(BucketList(positiveSpans, positiveBuckets)))
        setNegative(reduced(BucketList(negativeSpans, negativeBuckets)))
        self.schema = schema
    }

    /// The upper bound of an exponential bucket: a power of two scaled by one of the `2^schema`
    /// fractions between 0.5 and 1, as upstream computes it to the last bit. The bucket that holds
    /// the greatest float ends with it.
    package static func upperBound(_ index: Int, schema: Int32) -> Double {
        if schema <= 0 {
            let exponent = index << Int(-schema)
            if exponent == 1024 { return .greatestFiniteMagnitude }
            return scalbn(1, Int32(clamping: exponent))
        }
        let fraction = index & ((1 << Int(schema)) - 1)
        let exponent = (index >> Int(schema)) + 1
        if fraction == 0, exponent == 1025 { return .greatestFiniteMagnitude }
        let scale: Double
        if schema <= 8 {
            scale = BucketBounds.fractions[fraction << Int(8 - schema)]
        } else {
            scale = pow(2, Double(fraction) / Double(1 << Int(schema)) - 1)
        }
        return scalbn(scale, Int32(clamping: exponent))
    }

    // MARK: Zero buckets

    static func reconcileZeroBuckets(
        _ left: inout FloatHistogram, _ right: inout FloatHistogram
    ) {
        // Widening one can force the other to widen further, but each round takes in a bucket. NaN
        // is no width and never equal.
        while left.zeroThreshold < right.zeroThreshold
            || left.zeroThreshold > right.zeroThreshold
        {
            if left.zeroThreshold > right.zeroThreshold {
                right.widenZeroBucket(to: left.zeroThreshold)
            } else {
                left.widenZeroBucket(to: right.zeroThreshold)
            }
        }
    }

    /// Takes all buckets up to `threshold` into the zero bucket. A populated one that reaches
    /// beyond it moves the threshold to its own bound. Nothing happens where the zero bucket has
    /// that width already, even if it ends inside a populated bucket.
    mutating func widenZeroBucket(to threshold: Double) {
        if threshold == zeroThreshold { return }
        var threshold = threshold
        var positive = BucketList(positiveSpans, positiveBuckets)
        var negative = BucketList(negativeSpans, negativeBuckets)
        var hasGrown = true
        while hasGrown {
            hasGrown = false
            for list in [positive, negative] {
                for (index, count) in list where count != 0 {
                    let lower = Self.upperBound(index - 1, schema: schema)
                    let upper = Self.upperBound(index, schema: schema)
                    if lower < threshold, upper > threshold {
                        threshold = upper
                        hasGrown = true
                    }
                }
            }
        }
        let schema = schema
        func isInside(_ index: Int) -> Bool {
            Self.upperBound(index, schema: schema) <= threshold
        }
        for (index, count) in negative where isInside(index) { zeroCount += count }
        for (index, count) in positive where isInside(index) { zeroCount += count }
        positive = positive.filter {
            !isInside($0.index)
                && (Self.upperBound($0.index - 1, schema: schema) >= threshold || $0.count != 0)
        }
        negative = negative.filter {
            !isInside($0.index)
                && (Self.upperBound($0.index - 1, schema: schema) >= threshold || $0.count != 0)
        }
        setPositive(positive)
        setNegative(negative)
        zeroThreshold = threshold
    }

    // MARK: Spans

    private mutating func setPositive(_ list: BucketList) {
        (positiveSpans, positiveBuckets) = list.spans()
    }

    private mutating func setNegative(_ list: BucketList) {
        (negativeSpans, negativeBuckets) = list.spans()
    }
}

/// The buckets of one side by index, in order.
struct BucketList: Sequence {
    private var entries: [(index: Int, count: Double)] = []

    init() {}
    init(_ entries: [(index: Int, count: Double)]) { self.entries = entries }

    /// Spans that promise more buckets than there are end with the last bucket.
    init(_ spans: [BucketSpan], _ buckets: [Double]) {
        entries.reserveCapacity(buckets.count)
        var index = 0
        var at = 0
        for span in spans {
            index += Int(span.offset)
            for _ in 0..<Swift.min(Int(span.length), buckets.count - at) {
                entries.append((index, buckets[at]))
                index += 1
                at += 1
            }
        }
    }

    var count: Int { entries.count }
    var last: (index: Int, count: Double)? { entries.last }
    subscript(position: Int) -> (index: Int, count: Double) { entries[position] }

    mutating func append(_ entry: (index: Int, count: Double)) { entries.append(entry) }
    mutating func addToLast(_ count: Double) { entries[entries.count - 1].count += count }

    func makeIterator() -> IndexingIterator<[(index: Int, count: Double)]> {
        entries.makeIterator()
    }

    func filter(_ isKept: ((index: Int, count: Double)) -> Bool) -> BucketList {
        BucketList(entries.filter(isKept))
    }

    func spans() -> ([BucketSpan], [Double]) {
        var spans: [BucketSpan] = []
        var next = 0
        for (index, _) in entries {
            if spans.isEmpty || index != next {
                spans.append(
                    BucketSpan(
                        offset: Int32(clamping: spans.isEmpty ? index : index - next), length: 1))
            } else {
                spans[spans.count - 1].length += 1
            }
            next = index + 1
        }
        return (spans, entries.map(\.count))
    }
}
