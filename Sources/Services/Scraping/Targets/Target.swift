// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model

/// Something that is scraped: where it is, how often, and the labels of all its series.
package struct Target: Sendable, Hashable {
    /// All labels after relabelling, those that begin with `__` included.
    package let labels: Labels
    /// The labels that go to the series.
    package let publicLabels: Labels
    /// Before relabelling, for those who wonder where a label comes from.
    package var discoveredLabels: Labels
    package let url: String
    package let interval: Milliseconds
    package let timeout: Milliseconds
    /// Tells targets apart: two of the same hash are one.
    package let hash: UInt64

    init(
        labels: Labels, discovered: Labels, url: String, interval: Milliseconds,
        timeout: Milliseconds
    ) {
        self.labels = labels
        publicLabels = labels.filtered { !$0.begins(with: "__") }
        discoveredLabels = discovered
        self.url = url
        self.interval = interval
        self.timeout = timeout
        let digits = String(labels.stableHash)
        var hash = FNVHash()
        hash.add(String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits)
        hash.add(url)
        self.hash = hash.value
    }

    /// How far behind the multiples of its interval the target is scraped, in milliseconds: the
    /// same after every restart, spread evenly over all targets, and, by the seed, other in every
    /// server. A multiple of `ScrapeCohort.step`.
    func phase(seed: UInt64) -> Milliseconds {
        let nanoseconds = (hash ^ seed) % UInt64(interval * 1_000_000)
        let phase = Milliseconds(nanoseconds / 1_000_000)
        return phase - phase % ScrapeCohort.step(interval: interval)
    }
}

extension RawSpan {
    fileprivate func begins(with prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard byteCount >= length else { return false }
        for index in 0..<length where unsafe self[index] != prefix.utf8Start[index] {
            return false
        }
        return true
    }
}

/// FNV-1a, 64 bits. Source: http://www.isthe.com/chongo/tech/comp/fnv/
struct FNVHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ text: String) {
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
}

/// What makes the phases of one server differ from another's: its name and its external labels.
func phaseSeed(host: String, externalLabels: Labels) -> UInt64 {
    var hash = FNVHash()
    hash.add(host)
    hash.add(externalLabels.description)
    return hash.value
}
