// SPDX-License-Identifier: Apache-2.0

internal import Model

/// The buckets of one side that the last histogram of a chunk or the next one has.
struct BucketUnion {
    /// Where each bucket of the union stands in the counts of the chunk; nil where it is new.
    private(set) var inChunk: [Int?] = []
    /// The same for the histogram.
    private(set) var inHistogram: [Int?] = []
    private var indices: [Int] = []

    /// Whether the chunk lacks buckets, so that what it holds must be written anew.
    private(set) var isWiderThanChunk = false
    /// Whether the histogram lacks buckets, which are then taken for empty.
    private(set) var isWiderThanHistogram = false

    init(_ chunk: [BucketSpan], _ histogram: [BucketSpan]) {
        let left = Self.indices(chunk)
        let right = Self.indices(histogram)
        if left == right {
            indices = left
            inChunk = Array(left.indices)
            inHistogram = inChunk
            return
        }
        var (leftAt, rightAt) = (0, 0)
        while leftAt < left.count || rightAt < right.count {
            let leftIndex = leftAt < left.count ? left[leftAt] : Int.max
            let rightIndex = rightAt < right.count ? right[rightAt] : Int.max
            indices.append(min(leftIndex, rightIndex))
            inChunk.append(leftIndex <= rightIndex ? leftAt : nil)
            inHistogram.append(rightIndex <= leftIndex ? rightAt : nil)
            if leftIndex <= rightIndex { leftAt += 1 }
            if rightIndex <= leftIndex { rightAt += 1 }
        }
        isWiderThanChunk = inChunk.contains(nil)
        isWiderThanHistogram = inHistogram.contains(nil)
    }

    private static func indices(_ spans: [BucketSpan]) -> [Int] {
        var indices: [Int] = []
        var next = 0
        for span in spans {
            next += Int(span.offset)
            for _ in 0..<span.length {
                indices.append(next)
                next += 1
            }
        }
        return indices
    }

    /// Whether a bucket of the chunk's last histogram has more than the new one, or is populated
    /// and gone. Both lists are absolute counts.
    func isReset<Count: Comparable & SignedNumeric>(from old: [Count], to new: [Count]) -> Bool {
        for place in indices.indices {
            guard let oldAt = inChunk[place] else { continue }
            if let newAt = inHistogram[place] {
                if old[oldAt] > new[newAt] { return true }
            } else if old[oldAt] != 0 {
                return true
            }
        }
        return false
    }

    /// The union as spans, as few of them as possible.
    var spans: [BucketSpan] {
        var spans: [BucketSpan] = []
        var next = 0
        for index in indices {
            if spans.isEmpty || index != next {
                spans.append(BucketSpan(offset: Int32(clamping: index - next), length: 1))
            } else {
                spans[spans.count - 1].length += 1
            }
            next = index + 1
        }
        return spans
    }

    /// Counts of the one or other as counts of the union.
    func expand<Count: SignedNumeric>(_ counts: [Count], _ places: [Int?]) -> [Count] {
        places.map { $0.map { counts[$0] } ?? 0 }
    }
}
