// SPDX-License-Identifier: Apache-2.0

/// One float value of a series at one time.
package struct Sample: Sendable, Hashable {
    package var timestamp: Timestamp
    package var value: Double

    package init(timestamp: Timestamp, value: Double) {
        self.timestamp = timestamp
        self.value = value
    }
}

/// NaN with a payload that says: the series ended here. Every other NaN is a value.
///
/// What is public here is so for the compiler alone: no member of a `package` type is inlined
/// across modules.
public enum StaleMarker {
    @inlinable public static var bits: UInt64 { 0x7FF0_0000_0000_0002 }
    /// The payload of an ordinary NaN, to which other payloads are normalised on the way in.
    package static let ordinaryNaNBits: UInt64 = 0x7FF8_0000_0000_0001
    package static let value = Double(bitPattern: bits)
    package static let ordinaryNaN = Double(bitPattern: ordinaryNaNBits)

    @inlinable @inline(__always)
    public static func isStale(_ value: Double) -> Bool { value.bitPattern == bits }
}

/// An example of what a sample counted: labels of its own, a value, and when it was taken.
package struct Exemplar: Sendable, Hashable {
    package var labels: Labels
    package var value: Double
    package var timestamp: Timestamp?

    package init(labels: Labels, value: Double, timestamp: Timestamp?) {
        self.labels = labels
        self.value = value
        self.timestamp = timestamp
    }
}

package enum MetricType: String, Sendable, Hashable, CaseIterable {
    case unknown, counter, gauge, histogram, gaugehistogram, summary, info, stateset
}

/// What an exposition says about a metric family.
package struct Metadata: Sendable, Hashable {
    package var type: MetricType
    package var unit: String
    package var help: String

    package init(type: MetricType = .unknown, unit: String = "", help: String = "") {
        self.type = type
        self.unit = unit
        self.help = help
    }

    /// Texts compare bytewise.
    package static func == (left: Metadata, right: Metadata) -> Bool {
        left.type == right.type && left.unit.utf8.elementsEqual(right.unit.utf8)
            && left.help.utf8.elementsEqual(right.help.utf8)
    }
}
