// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import HTTP
internal import JSON

/// What a request to the API came to: how its data is written, and what is to be said beside it.
struct APIAnswer: Sendable {
    /// Writes the value of `data`. May hand over what it has written so far, to stream.
    typealias Data = @Sendable (inout JSONWriter, BodyWriter) throws(ClientGone) -> Void

    /// Nil for an answer without a body.
    var data: Data?
    /// False where the answer has no member `data`.
    var showsData = true
    var warnings: [String] = []
    var infos: [String] = []

    static var withoutData: APIAnswer {
        var answer = APIAnswer { $0.null() }
        answer.showsData = false
        return answer
    }

    /// Data that may be long.
    init(streaming data: @escaping Data, warnings: [String] = [], infos: [String] = []) {
        self.data = data
        self.warnings = warnings
        self.infos = infos
    }

    /// Data that is short.
    init(_ data: @escaping @Sendable (inout JSONWriter) -> Void) {
        self.data = { json, _ in data(&json) }
    }

    /// What was asked for is done, and there is nothing to say.
    static var nothing: APIAnswer {
        var answer = APIAnswer { $0.null() }
        answer.data = nil
        return answer
    }

    /// A list of texts.
    init(_ texts: [String], warnings: [String] = []) {
        self.init(
            streaming: { json, body throws(ClientGone) in
                json.beginArray()
                for text in texts {
                    json.string(text)
                    try body.flush(whenFull: &json.output.bytes)
                }
                json.endArray()
            }, warnings: warnings)
    }

    /// The envelope around the data. `headers` are those of every answer of the API.
    func response(_ headers: Headers) -> Response {
        guard let data else { return Response(status: 204, headers: headers, body: .bytes([])) }
        var headers = headers
        headers["Content-Type"] = "application/json"
        let answer = self
        return Response(
            status: 200, headers: headers,
            body: .stream { body throws(ClientGone) in
                var json = JSONWriter(capacity: 1024)
                json.beginObject()
                json.key("status")
                json.string("success")
                if answer.showsData {
                    json.key("data")
                    try data(&json, body)
                }
                json.notes("warnings", answer.warnings, "warning")
                json.notes("infos", answer.infos, "info")
                json.endObject()
                try body.flush(&json.output.bytes)
            })
    }
}

extension APIFailure {
    func response(_ headers: Headers) -> Response {
        var headers = headers
        headers["Content-Type"] = "application/json"
        var json = JSONWriter()
        json.object { json in
            json.key("status")
            json.string("error")
            json.key("errorType")
            json.string(kind.rawValue)
            json.key("error")
            json.string(message)
        }
        return Response(
            status: kind.status, headers: headers, body: .bytes(json.output.bytes))
    }
}

extension JSONWriter {
    /// At most ten notes, and how many more there are.
    fileprivate mutating func notes(_ name: String, _ notes: [String], _ kind: String) {
        if notes.isEmpty { return }
        key(name)
        beginArray()
        for note in notes.prefix(10) { string(note) }
        if notes.count > 10 { string("\(notes.count - 10) more \(kind) annotations omitted") }
        endArray()
    }

    mutating func member(_ name: String, _ text: String) {
        key(name)
        string(text)
    }

    mutating func member(_ name: String, _ value: Int64) {
        key(name)
        integer(value)
    }
}
