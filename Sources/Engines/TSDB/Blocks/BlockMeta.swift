// SPDX-License-Identifier: Apache-2.0
//
// `meta.json`: what a block says about itself. Keys that this program does not know (Thanos adds
// one) stay as they are when the file is written again. The layout is upstream's: a tab per level.

internal import Bytes
internal import JSON
package import Model
internal import Storage

/// What a block says about itself.
package struct BlockMeta: Sendable, Hashable {
    package struct Statistics: Sendable, Hashable {
        package var samples: Int64 = 0
        package var floatSamples: Int64 = 0
        package var histogramSamples: Int64 = 0
        package var series: Int64 = 0
        package var chunks: Int64 = 0
        package var tombstones: Int64 = 0

        package init() {}
    }

    /// A block that this one was made from.
    package struct Parent: Sendable, Hashable {
        package var id: ULID
        package var range: TimeRange
    }

    /// Marks of blocks that do not hold all data of their range.
    package enum Hint {
        package static let outOfOrder = "from-out-of-order"
        package static let staleSeries = "from-stale-series"
        package static let selectedSeries = "from-selected-series"
    }

    package struct Compaction: Sendable, Hashable {
        /// How often the data was merged, the cut from the head included.
        package var level = 1
        /// The blocks cut from the head whose data is in this one.
        package var sources: [ULID] = []
        package var parents: [Parent] = []
        /// Empty after a merge, to be removed.
        package var isDeletable = false
        /// A merge of this block failed; it is not tried again.
        package var hasFailed = false
        package var hints: [String] = []

        package init() {}
    }

    package var id: ULID
    /// Half-open: no sample is at `end`.
    package var range: TimeRange
    package var statistics = Statistics()
    package var compaction = Compaction()
    package var encoding = BlockEncoding.xor
    /// The members of the file that have no property here.
    private var unknown: [JSONValue.Member] = []

    package init(id: ULID, range: TimeRange) {
        self.id = id
        self.range = range
    }

    /// Whether the block counts as a gapless part of the history up to its end.
    package var isInOrder: Bool {
        !compaction.hints.contains(Hint.outOfOrder)
            && !compaction.hints.contains(Hint.staleSeries)
            && !compaction.hints.contains(Hint.selectedSeries)
    }
}

extension BlockMeta {
    /// Reads the file's text; the error says what is wrong with it.
    init(parsing text: RawSpan) throws(BlockMetaError) {
        let root: JSONValue
        do { root = try JSONValue(parsing: text) } catch {
            throw BlockMetaError(reason: error.description)
        }
        let version = root["version"]?.integer ?? 0
        guard let encoding = BlockEncoding.allCases.first(where: { $0.metaVersion == version })
        else { throw BlockMetaError(reason: "unexpected meta file version \(version)") }
        guard let id = root["ulid"]?.text.flatMap({ ULID($0) }),
            let start = root["minTime"]?.integer, let end = root["maxTime"]?.integer
        else { throw BlockMetaError(reason: "ulid, minTime or maxTime is missing") }
        self.init(id: id, range: TimeRange(start: start, end: end))
        self.encoding = encoding
        for (name, path) in BlockMeta.statisticsKeys {
            statistics[keyPath: path] = root["stats"]?[name]?.integer ?? 0
        }
        if let object = root["compaction"] {
            compaction.level = Int(clamping: object["level"]?.integer ?? 1)
            compaction.sources = (object["sources"]?.elements ?? []).compactMap {
                $0.text.flatMap { ULID($0) }
            }
            compaction.isDeletable = object["deletable"]?.bool ?? false
            compaction.hasFailed = object["failed"]?.bool ?? false
            compaction.hints = (object["hints"]?.elements ?? []).compactMap(\.text)
            compaction.parents = (object["parents"]?.elements ?? []).compactMap { parent in
                guard let id = parent["ulid"]?.text.flatMap({ ULID($0) }),
                    let start = parent["minTime"]?.integer, let end = parent["maxTime"]?.integer
                else { return nil }
                return Parent(id: id, range: TimeRange(start: start, end: end))
            }
        }
        let known: Set = ["ulid", "minTime", "maxTime", "stats", "compaction", "version"]
        unknown = (root.members ?? []).filter { !known.contains($0.name) }
    }

    private static var statisticsKeys: [(String, WritableKeyPath<Statistics, Int64>)] {
        [
            ("numSamples", \.samples), ("numFloatSamples", \.floatSamples),
            ("numHistogramSamples", \.histogramSamples), ("numSeries", \.series),
            ("numChunks", \.chunks), ("numTombstones", \.tombstones),
        ]
    }

    /// The file's bytes.
    func encoded() -> [UInt8] {
        func number(_ value: Int64) -> JSONValue { .number(String(value)) }
        func object(_ members: [(String, JSONValue)]) -> JSONValue {
            .object(members.map { JSONValue.Member($0.0, $0.1) })
        }
        var stats: [(String, JSONValue)] = []
        for (name, path) in BlockMeta.statisticsKeys where statistics[keyPath: path] != 0 {
            stats.append((name, number(statistics[keyPath: path])))
        }
        var merging = [("level", number(Int64(compaction.level)))]
        if !compaction.sources.isEmpty {
            merging.append(("sources", .array(compaction.sources.map { .string($0.description) })))
        }
        if compaction.isDeletable { merging.append(("deletable", .boolean(true))) }
        if !compaction.parents.isEmpty {
            let parents = compaction.parents.map { parent in
                object([
                    ("ulid", .string(parent.id.description)),
                    ("minTime", number(parent.range.start)), ("maxTime", number(parent.range.end)),
                ])
            }
            merging.append(("parents", .array(parents)))
        }
        if compaction.hasFailed { merging.append(("failed", .boolean(true))) }
        if !compaction.hints.isEmpty {
            merging.append(("hints", .array(compaction.hints.sorted().map { .string($0) })))
        }
        var members = [
            ("ulid", .string(id.description)), ("minTime", number(range.start)),
            ("maxTime", number(range.end)), ("stats", object(stats)),
            ("compaction", object(merging)), ("version", number(encoding.metaVersion)),
        ]
        members += unknown.map { ($0.name, $0.value) }
        var writer = ByteWriter(capacity: 1024)
        write(object(members), depth: 0, &writer)
        return writer.bytes
    }

    /// Writes a value with a tab per level, as upstream's encoder indents.
    private func write(_ value: JSONValue, depth: Int, _ writer: inout ByteWriter) {
        func line(_ depth: Int) {
            writer.append("\n")
            for _ in 0..<depth { writer.append("\t") }
        }
        func scalar(_ value: JSONValue) {
            var json = JSONWriter(capacity: 64)
            switch value {
            case .null, .array, .object: json.null()
            case .boolean(let value): json.boolean(value)
            case .number(let text): return writer.append(text)
            case .string(let text): json.string(text)
            }
            writer.append(json.output.bytes)
        }
        func list(_ open: String, _ close: String, _ count: Int, _ item: (Int) -> Void) {
            writer.append(open)
            for index in 0..<count {
                if index > 0 { writer.append(",") }
                line(depth + 1)
                item(index)
            }
            if count > 0 { line(depth) }
            writer.append(close)
        }
        if let members = value.members {
            list("{", "}", members.count) { index in
                scalar(.string(members[index].name))
                writer.append(": ")
                write(members[index].value, depth: depth + 1, &writer)
            }
        } else if let elements = value.elements {
            list("[", "]", elements.count) { write(elements[$0], depth: depth + 1, &writer) }
        } else {
            scalar(value)
        }
    }
}

extension BlockEncoding {
    /// What the file says. Upstream counts up from 1, so a number that it will not come to.
    fileprivate var metaVersion: Int64 { self == .dense ? 1_000_001 : 1 }
}

/// Why a `meta.json` could not be read.
struct BlockMetaError: Error, Hashable {
    var reason: String
}
