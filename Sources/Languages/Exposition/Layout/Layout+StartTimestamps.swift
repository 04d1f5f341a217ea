// SPDX-License-Identifier: Apache-2.0
//
// Start timestamps in OpenMetrics 1.0 are samples of their own, `<family>_created`. Which of them
// belongs to which other sample follows from the lines and not from the numbers, so it is found
// once for a layout: the general reader reads the lines with numbers that name them.

internal import Bytes
package import Model
internal import Synchronization

/// Which samples of a layout say since when others count.
package struct CreatedSamples: Sendable {
    /// For each sample the ordinal of the one that says since when it counts; `none` where there is
    /// no such one, `isCreated` for those that are it themselves.
    private let ordinals: [Int32]

    private static let none: Int32 = -1
    private static let isCreated: Int32 = -2

    fileprivate init(_ layout: Layout) {
        guard layout.dialect == .openMetrics else {
            ordinals = [Int32](repeating: Self.none, count: layout.sampleCount)
            return
        }
        var text: [UInt8] = []
        for line in layout.lines {
            text += layout.arena[line.range]
            // The number behind the name makes it known again, as it does as a time in seconds.
            if line.isSample { text += "\(line.ordinal + 1)\n".utf8 }
        }
        text += "# EOF\n".utf8
        var options = ExpositionOptions()
        options.skipsCreatedSeries = true
        var reader = ExpositionReader(text.raw, dialect: .openMetrics, options: options)
        var ordinals = [Int32](repeating: Self.isCreated, count: layout.sampleCount)
        do throws(ExpositionError) {
            while let entry = try reader.next() {
                guard entry == .series else { continue }
                let ordinal = Int(reader.value) - 1
                guard ordinals.indices.contains(ordinal) else { continue }
                ordinals[ordinal] =
                    reader.startTimestamp().map { Int32($0 / 1000 - 1) } ?? Self.none
            }
        } catch {
            // Every line of a layout was read once; it reads again.
        }
        self.ordinals = ordinals
    }

    /// Whether the sample is a start timestamp of others.
    package func isCreated(_ ordinal: Int) -> Bool { ordinals[ordinal] == Self.isCreated }

    /// The sample that says since when this one counts; nil for none.
    package func created(of ordinal: Int) -> Int? {
        ordinals[ordinal] >= 0 ? Int(ordinals[ordinal]) : nil
    }

    /// The start timestamp that a sample of `_created` says, as the reader has it; 0 for none.
    package static func timestamp(_ value: Double) -> Timestamp {
        Timestamp(exactly: (value * 1000).rounded(.towardZero)) ?? .min
    }
}

extension Layout {
    /// Made when it is first asked for.
    package var createdSamples: CreatedSamples {
        created.withLock { created in
            if let created { return created }
            let made = CreatedSamples(self)
            created = made
            return made
        }
    }
}
