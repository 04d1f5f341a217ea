// SPDX-License-Identifier: Apache-2.0
//
// Start timestamps of OpenMetrics 1.0. The format has them as series of their own,
// `<family>_created`, that stand behind the series they belong to; so a reader that wants the start
// of a series looks ahead, to the end of the family at most, and keeps what it found for the other
// series of the same labels.

internal import Bytes
package import Model

/// What is known about start timestamps.
struct CreatedSearch {
    /// Leave `_created` series out.
    var skipsSeries: Bool
    /// The reader is looking ahead.
    var isPeeking = false
    /// The labels and family for which `timestamp` was found; 0 for none.
    var hash: UInt64 = 0
    var timestamp: Timestamp = 0
}

private let createdSuffix: StaticString = "_created"

extension ExpositionReader {
    /// Types whose series start at a point in time.
    private var hasStartTimestamps: Bool {
        family.type == .counter || family.type == .summary || family.type == .histogram
    }

    var isCreatedSeries: Bool { hasStartTimestamps && hasCreatedSuffix(names.name) }

    private func hasCreatedSuffix(_ name: Range<Int>) -> Bool {
        let length = createdSuffix.utf8CodeUnitCount
        guard name.count >= length else { return false }
        for index in 0..<length {
            let expected = unsafe createdSuffix.utf8Start[index]
            guard lexer.bytes[name.upperBound - length + index] == expected else { return false }
        }
        return true
    }

    /// The start timestamp of the current series, in milliseconds. To be asked for last: it moves
    /// the other properties on. From then on `_created` series are left out.
    @_lifetime(self: copy self)
    package mutating func startTimestamp() -> Timestamp? {
        guard lexer.dialect == .openMetrics, hasStartTimestamps else {
            created.hash = 0
            return nil
        }
        let nameEnd: Int
        let start = sample.seriesRange.lowerBound
        if sample.seriesRange.count > 1, lexer.bytes[start] == UInt8(ascii: "{"),
            lexer.bytes[start + 1] == UInt8(ascii: "\"")
        {
            nameEnd = start + family.nameLength + 2
        } else {
            nameEnd = start + family.nameLength
        }
        let end = max(names.name.lowerBound, min(nameEnd, lexer.bytes.byteCount))
        let hash = seriesHash(family: names.name.lowerBound..<end)
        if hash == created.hash, created.timestamp > 0 { return created.timestamp }
        guard let found = searchCreated(hash) else {
            created.hash = 0
            created.skipsSeries = true
            return nil
        }
        created.timestamp = found
        created.hash = hash
        created.skipsSeries = true
        return found == 0 ? nil : found
    }

    /// Reads on to the `_created` series of the given hash and comes back.
    @_lifetime(self: copy self)
    private mutating func searchCreated(_ hash: UInt64) -> Timestamp? {
        let (offset, start, state) = (lexer.offset, lexer.start, lexer.state)
        let (savedLine, savedType) = (lineStart, family.type)
        created.skipsSeries = false
        created.isPeeking = true
        defer {
            (lexer.offset, lexer.start, lexer.state) = (offset, start, state)
            (lineStart, family.type) = (savedLine, savedType)
            created.isPeeking = false
        }
        while true {
            do throws(ExpositionError) {
                // The next family, or something unreadable, ends the search.
                guard try next() == .series else { return nil }
            } catch {
                return nil
            }
            guard hasCreatedSuffix(names.name) else { continue }
            let end = names.name.upperBound - createdSuffix.utf8CodeUnitCount
            guard seriesHash(family: names.name.lowerBound..<end) == hash else { return nil }
            return CreatedSamples.timestamp(sample.value)
        }
    }

    /// A hash of the family name and of all labels but `le` and `quantile`.
    private func seriesHash(family name: Range<Int>) -> UInt64 {
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: names.labels.count, by: 2) {
            let label = text(names.labels[index])
            if family.type == .summary, label == LabelName.quantile { continue }
            if family.type == .histogram, label == LabelName.bucket { continue }
            bytes += copy(lexer.bytes.extracting(names.labels[index]))
            bytes += copy(lexer.bytes.extracting(names.labels[index + 1]))
        }
        bytes += copy(lexer.bytes.extracting(name))
        return xxHash64(bytes.raw)
    }
}
