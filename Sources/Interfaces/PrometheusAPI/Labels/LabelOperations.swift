// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import HTTP
internal import JSON
internal import Model
internal import PromQLSyntax
internal import Storage

private let truncated = "results truncated due to limit"

extension PrometheusAPI {
    /// Which series there are, and which labels they have.
    var labelOperations: [Operation] {
        let storage = context.storage
        let names: Operation.Run = { request throws(APIFailure) in
            let selection = try LabelSelection(request)
            return try selection.texts(storage) { querier, matchers throws(StorageError) in
                try querier.labelNames(matchers)
            }
        }
        let values: Operation.Run = { request throws(APIFailure) in
            try Self.refuseForeignBytes(request)
            let name = unescapedName(request.pathParameters["name"] ?? "")
            guard NameValidation.utf8.isValidLabelName(name) else {
                throw .badData("invalid label name: \(quoted(name))")
            }
            let selection = try LabelSelection(request)
            return try selection.texts(storage) { querier, matchers throws(StorageError) in
                try querier.labelValues(name, matchers)
            }
        }
        let series: Operation.Run = { request throws(APIFailure) in
            try Self.series(request, storage)
        }
        return [
            Operation(methods: ["GET", "POST"], path: "/labels", run: names),
            Operation(methods: ["GET"], path: "/label/:name/values", run: values),
            Operation(methods: ["GET", "POST"], path: "/series", run: series),
            Operation(methods: ["DELETE"], path: "/series") { _ throws(APIFailure) in
                throw APIFailure(.internal, "not implemented")
            },
        ]
    }

    /// Refuses a label name in the path that is not UTF-8.
    private static func refuseForeignBytes(_ request: Request) throws(APIFailure) {
        guard request.path.unicodeScalars.contains("\u{FFFD}") else { return }
        for segment in request.encodedPath.split(separator: "/" as Character) {
            guard let bytes = try? percentDecodedBytes(segment, plusIsBlank: false),
                String(validating: bytes, as: UTF8.self) == nil
            else { continue }
            throw .badData("invalid label name: \(quoted(bytes.raw))")
        }
    }

    private static func series(
        _ request: Request, _ storage: any Queryable
    ) throws(APIFailure) -> APIAnswer {
        if let error = request.parameters.error {
            throw .badData("error parsing form values: \(error)")
        }
        if request.parameters.all("match[]").isEmpty {
            throw .badData("no match[] parameter provided")
        }
        let selection = try LabelSelection(request, nameFaults: true)
        var hints = SelectHints(range: selection.range)
        hints.labelsOnly = true
        hints.needsOrder = selection.matcherSets.count > 1
        var sets: [any SeriesSet] = []
        do throws(StorageError) {
            let querier = try storage.querier(over: selection.range)
            for matchers in selection.matcherSets {
                sets.append(try querier.select(matchers, hints: hints))
            }
        } catch {
            throw APIFailure(error)
        }
        var list = LabelSetList()
        if sets.count == 1 {
            list.append(sets[0], upTo: selection.limit ?? .max)
            return answer(list, isCut: list.count < sets[0].count)
        }
        var found: [Labels] = []
        for set in sets {
            for index in 0..<set.count { found.append(set.labels(at: index)) }
        }
        found.sort()
        found = found.enumerated().filter { $0 == 0 || found[$0 - 1] != $1 }.map(\.element)
        for labels in found.prefix(selection.limit ?? .max) { list.append(labels) }
        return answer(list, isCut: list.count < found.count)
    }

    private static func answer(_ list: LabelSetList, isCut: Bool) -> APIAnswer {
        APIAnswer(
            streaming: { json, body throws(ClientGone) in
                var writer = LabelSetWriter()
                json.beginArray()
                for index in 0..<list.count {
                    list.write(index, with: &writer, to: &json)
                    try body.flush(whenFull: &json.output.bytes)
                }
                json.endArray()
            }, warnings: isCut ? [truncated] : [])
    }
}

/// Label sets in one run of memory, so that what they come from need not be held while they are
/// sent.
private struct LabelSetList: Sendable {
    private var packed: [UInt8] = []
    /// Where each of them ends.
    private var ends: [Int] = []

    var count: Int { ends.count }

    func write(_ index: Int, with writer: inout LabelSetWriter, to json: inout JSONWriter) {
        let range = (index == 0 ? 0 : ends[index - 1])..<ends[index]
        writer.write(packed.raw.extracting(range), to: &json)
    }

    mutating func append(_ labels: Labels) {
        packed += labels.packed
        ends.append(packed.count)
    }

    mutating func append(_ set: any SeriesSet, upTo limit: Int) {
        for index in 0..<min(set.count, limit) {
            set.appendLabels(at: index, to: &packed)
            ends.append(packed.count)
        }
    }
}

/// What the label operations have in common: limit, time range and selectors.
private struct LabelSelection {
    var limit: Int?
    /// Ends in the wrong order are no error: what reaches from the one to the other is meant.
    var range: TimeRange
    var matcherSets: [[Matcher]]

    /// `nameFaults`: an error in a selector names the parameter.
    init(_ request: Request, nameFaults: Bool = false) throws(APIFailure) {
        let parameters = request.parameters
        limit = try parameters.limit()
        let start = try parameters.time("start", default: Parameters.earliest)
        let end = try parameters.time("end", default: Parameters.latest)
        range = TimeRange(start: start, end: end)
        do throws(APIFailure) {
            matcherSets = try parameters.matcherSets()
        } catch {
            throw nameFaults ? .invalid("match[]", error.message) : error
        }
    }

    /// The texts that any of the selectors finds, sorted, up to the limit.
    func texts(
        _ storage: any Queryable,
        _ find: (any Querier, [Matcher]) throws(StorageError) -> [String]
    ) throws(APIFailure) -> APIAnswer {
        var found: [String] = []
        do throws(StorageError) {
            let querier = try storage.querier(over: range)
            if matcherSets.count < 2 {
                found = try find(querier, matcherSets.first ?? [])
            } else {
                for matchers in matcherSets { found += try find(querier, matchers) }
                found.sort(by: isOrderedBytewise)
                found = found.enumerated().filter {
                    $0 == 0 || !isEqualBytewise(found[$0 - 1], $1)
                }.map(\.element)
            }
        } catch {
            throw APIFailure(error)
        }
        guard let limit, found.count > limit else { return APIAnswer(found) }
        return APIAnswer(Array(found.prefix(limit)), warnings: [truncated])
    }
}
