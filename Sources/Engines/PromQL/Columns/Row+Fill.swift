// SPDX-License-Identifier: Apache-2.0

extension Row {
    /// Computes all floats anew; nil where a step has none. The histograms are left alone.
    @inline(__always)
    mutating func fill(_ value: (Int) -> Double?) {
        if let interruption { return fill(until: interruption, value) }
        let width = values.count
        var filled = StepSet(capacity: 0)
        swap(&filled, &floats)
        fillValues(width, &filled, value)
        swap(&filled, &floats)
    }

    @inline(never)
    private mutating func fill(until interruption: Interruption, _ value: (Int) -> Double?) {
        floats.removeAll()
        for step in values.indices {
            if interruption.isDue { return }
            if let value = value(step) {
                values[step] = value
                floats.insert(step)
            }
        }
    }

    @inline(__always)
    private mutating func fillValues(
        _ width: Int, _ filled: inout StepSet, _ value: (Int) -> Double?
    ) {
        var output = values.mutableSpan
        var step = 0
        var word = 0
        while step < width {
            let end = min(width, step &+ 64)
            var bits: UInt64 = 0
            var bit: UInt64 = 1
            while step < end {
                if let value = value(step) {
                    unsafe output[unchecked: step] = value
                    bits |= bit
                }
                bit &<<= 1
                step &+= 1
            }
            filled.setWord(word, bits)
            word &+= 1
        }
    }
}
