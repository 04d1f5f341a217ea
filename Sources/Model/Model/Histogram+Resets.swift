// SPDX-License-Identifier: Apache-2.0

extension FloatHistogram {
    /// Whether the counter behind two successive histograms was reset between them: a count, or
    /// that of any bucket, has become less, or the resolution finer. The hint decides where it says
    /// something. Coarser resolution and a wider zero bucket are no reset by themselves: the
    /// earlier histogram is brought into that form first.
    package func isReset(since previous: FloatHistogram) -> Bool {
        if counterResetHint == .reset { return true }
        if counterResetHint == .notReset { return false }
        if count < previous.count { return true }
        if usesCustomBuckets {
            guard previous.usesCustomBuckets else { return true }
            if customBounds != previous.customBounds { return hasLostCustomBuckets(previous) }
        } else {
            if schema > previous.schema || zeroThreshold < previous.zeroThreshold { return true }
        }
        var earlier = previous
        if !usesCustomBuckets {
            earlier.widenZeroBucket(to: zeroThreshold)
            // A populated bucket across the new border can only be from before a reset.
            if earlier.zeroThreshold != zeroThreshold { return true }
            if zeroCount < earlier.zeroCount { return true }
            earlier.reduceResolution(to: schema)
        }
        return Self.hasLost(
            BucketList(positiveSpans, positiveBuckets),
            BucketList(earlier.positiveSpans, earlier.positiveBuckets))
            || Self.hasLost(
                BucketList(negativeSpans, negativeBuckets),
                BucketList(earlier.negativeSpans, earlier.negativeBuckets))
    }

    private static func hasLost(_ current: BucketList, _ earlier: BucketList) -> Bool {
        var at = 0
        for (index, count) in earlier {
            while at < current.count, current[at].index < index { at += 1 }
            if at < current.count, current[at].index == index {
                if current[at].count < count { return true }
            } else if count != 0 {
                return true
            }
        }
        return false
    }

    private func hasLostCustomBuckets(_ previous: FloatHistogram) -> Bool {
        var current = self
        var earlier = previous
        Self.reconcileBounds(&current, &earlier)
        return Self.hasLost(
            BucketList(current.positiveSpans, current.positiveBuckets),
            BucketList(earlier.positiveSpans, earlier.positiveBuckets))
    }
}
