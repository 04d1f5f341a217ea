// SPDX-License-Identifier: Apache-2.0

/// A set of sample ordinals below some count: mostly all of them or none, so that these two cost
/// nothing.
enum OrdinalSet: Sendable, Hashable {
    case none
    case all
    /// 64 in a word.
    case some([UInt64])

    func has(_ ordinal: Int) -> Bool {
        switch self {
        case .none: false
        case .all: true
        case .some(let words): words[ordinal >> 6] >> UInt64(ordinal & 63) & 1 == 1
        }
    }

    /// The members among `0..<count`, given by a test.
    init(count: Int, where isMember: (Int) -> Bool) {
        var words = [UInt64](repeating: 0, count: (count + 63) >> 6)
        var members = 0
        for ordinal in 0..<count where isMember(ordinal) {
            words[ordinal >> 6] |= 1 << UInt64(ordinal & 63)
            members += 1
        }
        self = members == count ? .all : members == 0 ? .none : .some(words)
    }

    mutating func remove(_ ordinal: Int, of count: Int) {
        guard has(ordinal) else { return }
        let before = self
        self = OrdinalSet(count: count) { $0 != ordinal && before.has($0) }
    }
}
